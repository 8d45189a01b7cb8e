package wiki

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/storage/page"
)

// ErrTaskGone is returned for a tick when somebody has changed the task, or taken it away.
var ErrTaskGone = errors.New("the task is no longer there")

// Ticked is a task whose box is as somebody wanted it.
type Ticked struct {
	Saved
	Line int    // where it is now
	Text string // what it says, short
}

// Tick sets or clears the box of a task: of the one that stood on a line of the text that seen names by its Base or Blob,
// wherever that stands in the page of seen's Path now. It is tried again while others are quicker: each time one of them has
// got something done. The error is ErrTaskGone when there is no such task any more, and else as that of Save.
func (s *Space) Tick(ctx context.Context, by Actor, seen Edit, line int, done bool) (Ticked, error) {
	for {
		out, err := s.tickOnce(ctx, by, seen, line, done)
		if !errors.Is(err, ErrChanged) || ctx.Err() != nil {
			return out, err
		}
	}
}

func (s *Space) tickOnce(ctx context.Context, by Actor, seen Edit, line int, done bool) (out Ticked, err error) {
	head, err := s.Head(by)
	if err != nil {
		return Ticked{}, err
	}
	// Costly ones save before the next one looks, so that none is in vain.
	err = head.inTurn(ctx, seen.Path, func([]byte) error {
		old, err := s.Original(ctx, by, seen)
		if errors.Is(err, fs.ErrNotExist) {
			return ErrTaskGone
		}
		if err != nil {
			return err
		}
		head, err := s.Head(by)
		if err != nil {
			return err
		}
		now, err := head.Read(ctx, seen.Path)
		if err != nil {
			return err
		}
		at, ok := page.Follow(old, now, line)
		if !ok {
			return ErrTaskGone
		}
		ticked, err := page.Tick(now, at, done)
		if err != nil {
			return ErrTaskGone
		}
		out.Line, out.Text = at, page.TaskText(now, at)
		note := fmt.Sprintf("Tick %q", out.Text)
		if !done {
			note = fmt.Sprintf("Untick %q", out.Text)
		}
		out.Saved, err = s.Save(ctx, by, Edit{Path: seen.Path, Text: ticked, Base: head.Rev(), Only: true, Note: note})
		out.Merged = !bytes.Equal(old, now)
		return err
	})
	return out, err
}
