package wiki

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"cairn/storage/accounts"
	"cairn/storage/page"
)

// enterAll takes all turns, so that whatever is costly has to wait.
func enterAll(t *testing.T) {
	t.Helper()
	for range costlyAtOnce {
		if err := costly.enter(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func leaveAll() {
	for range costlyAtOnce {
		costly.leave()
	}
}

// Every door to a long page waits for its turn, and leaves with whoever leaves.
func TestEveryDoorWaits(t *testing.T) {
	w, err := Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, err := w.Space(t.Context(), First)
	if err != nil {
		t.Fatal(err)
	}
	by := accounts.Visitor("Ann")
	long := []byte("- [ ] The [[okapi]].\n" + strings.Repeat("\nThe okapi.\n", cheap/10))
	for p, text := range map[page.Path][]byte{"Long.md": long, "Short.md": long[:30], "Shows.md": []byte("![[Short]]\n")} {
		if _, err := s.Save(t.Context(), by, Edit{Path: p, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Head(by)
	if err != nil {
		t.Fatal(err)
	}
	doors := map[string]func(ctx context.Context, p page.Path) error{
		"Page":   func(ctx context.Context, p page.Path) error { _, err := head.Page(ctx, p); return err },
		"Doc":    func(ctx context.Context, p page.Path) error { _, err := head.Doc(ctx, p); return err },
		"Doubts": func(ctx context.Context, p page.Path) error { _, _, err := head.Doubts(ctx, p, 10); return err },
		"Move": func(ctx context.Context, p page.Path) error {
			_, err := s.PlanMove(ctx, by, Moving{From: p, To: "New.md"})
			return err
		},
		"Tick": func(ctx context.Context, p page.Path) error {
			_, err := s.Tick(ctx, by, Edit{Path: p, Base: head.Rev()}, 1, true)
			return err
		},
		"Preview": func(ctx context.Context, p page.Path) error {
			b, _ := head.Read(ctx, p)
			_, err := head.Preview(ctx, p, b)
			return err
		},
		"Redline": func(ctx context.Context, p page.Path) error {
			b, _ := head.Read(ctx, p)
			_, err := head.Redline(ctx, p, nil, b)
			return err
		},
		"Compare": func(ctx context.Context, p page.Path) error {
			b, _ := head.Read(ctx, p)
			_, err := Compare(ctx, nil, b)
			return err
		},
		"Mend": func(ctx context.Context, p page.Path) error {
			b, _ := head.Read(ctx, p)
			_, _, err := head.Mend(ctx, p, b, 8, "okapi", "Short.md")
			return err
		},
	}
	enterAll(t)
	for name, door := range doors {
		gone, leave := context.WithCancelCause(t.Context())
		over := make(chan error)
		go func() { over <- door(gone, "Long.md") }()
		for waits := 0; waits == 0; {
			costly.mu.Lock()
			waits = len(costly.waiting)
			costly.mu.Unlock()
			select {
			case err := <-over:
				t.Fatalf("%s of a long page does not wait: %v", name, err)
			default:
			}
		}
		leave(nil)
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("%s of a long page, by who left: %v", name, err)
		}
		if err := door(t.Context(), "Short.md"); err != nil {
			t.Errorf("%s of a short page: %v", name, err)
		}
	}
	leaveAll()
	for name, door := range doors {
		if err := door(t.Context(), "Long.md"); err != nil {
			t.Errorf("%s of a long page: %v", name, err)
		}
	}
	if costly.free != costlyAtOnce || len(costly.waiting) != 0 {
		t.Errorf("%d of %d turns are free and %d wait", costly.free, costlyAtOnce, len(costly.waiting))
	}
}

// A page that shows others and whose turn does not come is not shown without them.
func TestCrowded(t *testing.T) {
	w, err := Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, err := w.Space(t.Context(), First)
	if err != nil {
		t.Fatal(err)
	}
	by := accounts.Visitor("Ann")
	for p, text := range map[page.Path]string{"Short.md": "The okapi.\n", "Shows.md": "![[Short]]\n"} {
		if _, err := s.Save(t.Context(), by, Edit{Path: p, Text: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Head(by)
	if err != nil {
		t.Fatal(err)
	}
	enterAll(t)
	for range maxWaiting {
		costly.waiting = append(costly.waiting, &waiting{})
	}
	_, err = head.Page(t.Context(), "Shows.md")
	_, unkept := head.Preview(t.Context(), "New.md", []byte("![[Short]]\n"))
	costly.waiting = nil
	leaveAll()
	if !errors.Is(err, ErrCrowded) || !errors.Is(unkept, ErrCrowded) {
		t.Errorf("a page that shows another, behind a crowd: %v, a preview: %v", err, unkept)
	}
	if got, err := head.Page(t.Context(), "Shows.md"); err != nil || !strings.Contains(got.HTML, "okapi") {
		t.Errorf("afterwards: %v", err)
	}
}

// The smallest is next, nobody waits for ever, and not too many wait.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{free: 1}
		if err := q.enter(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		var order []int
		for _, size := range []int{30, 10, 20} {
			go func() {
				if err := q.enter(t.Context(), size); err != nil {
					t.Errorf("%d: %v", size, err)
				}
				order = append(order, size)
				q.leave()
			}()
			synctest.Wait()
		}
		q.leave()
		synctest.Wait()
		if want := []int{10, 20, 30}; !slices.Equal(order, want) || q.free != 1 {
			t.Errorf("let in %v, want %v; %d are free", order, want, q.free)
		}

		if err := q.enter(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, maxWaiting+1)
		for range maxWaiting {
			go func() { failed <- q.enter(t.Context(), 1) }()
		}
		synctest.Wait()
		if err := q.enter(t.Context(), 1); !errors.Is(err, ErrCrowded) {
			t.Errorf("one more than may wait: %v", err)
		}
		for range maxWaiting {
			if err := <-failed; !errors.Is(err, ErrCrowded) {
				t.Errorf("who has waited long: %v", err)
			}
		}
		if q.leave(); q.free != 1 || len(q.waiting) != 0 {
			t.Errorf("%d are free and %d wait", q.free, len(q.waiting))
		}
	})
}
