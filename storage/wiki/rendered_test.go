package wiki

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/storage/accounts"
	"cairn/storage/page"
)

// A page that many ask for at once is rendered once, costly pages wait for each other, and nobody waits longer than they
// want.
func TestRenderedOnce(t *testing.T) {
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
	long := strings.Repeat("The okapi. ", cheap/10)
	for p, text := range map[string]string{"Long.md": long, "Short.md": "The okapi.\n", "Shows.md": "![[Short]]\n"} {
		if _, err := s.Save(t.Context(), by, Edit{Path: page.Path(p), Text: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Head(by)
	if err != nil {
		t.Fatal(err)
	}
	enterAll(t)
	if _, err := head.Page(t.Context(), "Short.md"); err != nil {
		t.Errorf("a cheap page: %v", err)
	}
	const viewers = 20
	pages := make([]*Page, viewers)
	var done sync.WaitGroup
	for i := range viewers {
		done.Go(func() {
			var err error
			if pages[i], err = head.Page(t.Context(), "Long.md"); err != nil {
				t.Error(err)
			}
		})
	}
	for flying := 0; flying == 0; time.Sleep(time.Millisecond) {
		s.cache.mu.Lock()
		flying = len(s.cache.flights)
		s.cache.mu.Unlock()
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := head.Page(gone, "Long.md"); !errors.Is(err, context.Canceled) {
		t.Errorf("who left, of a page that others wait for: %v", err)
	}
	if _, err := head.Page(gone, "Shows.md"); !errors.Is(err, context.Canceled) {
		t.Errorf("who left, of a page that shows another: %v", err)
	}
	if _, err := head.Preview(gone, "New.md", []byte(long)); !errors.Is(err, context.Canceled) {
		t.Errorf("who left, of a preview: %v", err)
	}
	leaveAll()
	done.Wait()
	for i, p := range pages {
		if p != pages[0] || p == nil {
			t.Errorf("viewer %d has a page of their own", i)
		}
	}
	// A page that is costly itself and shows others has one turn.
	for range 3 {
		shown, err := head.Preview(t.Context(), "New.md", []byte(long+"\n\n![[Short]]\n\n![[Long]]\n"))
		if err != nil || !strings.Contains(shown.HTML, "okapi") {
			t.Errorf("a preview: %v", err)
		}
	}
	if len(s.cache.flights) != 0 {
		t.Error("something is still being rendered")
	}
}
