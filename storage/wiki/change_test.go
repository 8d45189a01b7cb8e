package wiki

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"cairn/storage/accounts"
	"cairn/storage/internal/git"
)

// ending is a context of which the time is over when a test says so.
type ending struct {
	context.Context
	over chan struct{}
}

func (e ending) Done() <-chan struct{} { return e.over }

func (e ending) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Who has been overtaken until the time was over hears of that, and who never had a plan does not.
func TestOvertaken(t *testing.T) {
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
	for plans := range 3 {
		ctx := ending{t.Context(), make(chan struct{})}
		made := 0
		_, err := s.change(ctx, by, nil, func(head *Snapshot) (git.Change, error) {
			if made == plans {
				close(ctx.over)
				return git.Change{}, ctx.Err()
			}
			made++
			if _, err := s.Save(t.Context(), by, Edit{Path: "Other.md", Text: fmt.Append(nil, plans, made), Base: head.Rev()}); err != nil {
				return git.Change{}, err
			}
			return git.Change{Onto: head.commit, Exact: true, Edits: []git.Edit{{Path: "Mine.md", Data: []byte("mine\n")}}, Message: "Mine"}, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrOvertaken) != (plans > 0) {
			t.Errorf("after %d plans: %v", plans, err)
		}
	}
}
