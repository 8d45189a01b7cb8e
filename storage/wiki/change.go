package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file removes a file, and writes what is planned of the head.

// Remove removes a file. When blob is not "", the file must still have those bytes, else ErrChanged. The error wraps
// fs.ErrNotExist when it is not there.
func (s *Space) Remove(ctx context.Context, by Actor, p page.Path, blob, why string) (Saved, error) {
	return s.change(ctx, by, []page.Path{p}, func(head *Snapshot) (git.Change, error) {
		there, err := head.lookup(ctx, p)
		if err != nil {
			return git.Change{}, err
		}
		if blob != "" && blob != there.Hash.String() {
			return git.Change{}, fmt.Errorf("%s: %w", p, ErrChanged)
		}
		return git.Change{
			Edits:   []git.Edit{{Path: string(p), Old: there.Hash, Remove: true}},
			Message: note(why, "Delete "+p.Address()),
		}, nil
	})
}

// change writes what plan makes of the head, again while the head moves. It asks first whether the actor may write all
// the paths.
func (s *Space) change(ctx context.Context, by Actor, touched []page.Path, plan func(head *Snapshot) (git.Change, error)) (Saved, error) {
	if !by.CanRead(s.name) {
		return Saved{}, fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	for _, p := range touched {
		if err := s.mayWrite(by, p); err != nil {
			return Saved{}, err
		}
	}
	for {
		head := s.latest()
		c, err := plan(head)
		if err != nil {
			return Saved{}, err
		}
		if len(c.Edits) == 0 {
			return Saved{Rev: head.rev, Unchanged: true}, nil
		}
		c.Author = signature(by)
		hash, err := s.repo.Commit(ctx, c)
		switch {
		case err == nil:
			return Saved{Rev: revOf(hash), Unchanged: hash == head.commit}, nil
		case !errors.Is(err, git.ErrMoved):
			return Saved{}, err
		case ctx.Err() != nil:
			return Saved{}, ctx.Err()
		}
	}
}
