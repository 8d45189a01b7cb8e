package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file moves and removes files, each by one commit.

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

// Move gives a file another name in one change; its history goes with it. Links to it in other pages stay as they are.
func (s *Space) Move(ctx context.Context, by Actor, from, to page.Path, why string) (Saved, error) {
	return s.change(ctx, by, []page.Path{from, to}, func(head *Snapshot) (git.Change, error) {
		there, err := head.lookup(ctx, from)
		if err != nil {
			return git.Change{}, err
		}
		if from.IsPage() != to.IsPage() {
			return git.Change{}, &page.NameError{Path: to, Reason: "a page stays a page: its new name ends like its old one"}
		}
		if head.Has(to) {
			return git.Change{}, fmt.Errorf("%s: %w", to, fs.ErrExist)
		}
		// A name that differs from the old one only in case is welcome here: the old one goes.
		var taken *page.NameError
		if err := checkNew(head, to); err != nil && !(errors.As(err, &taken) && taken.Offer == from) {
			return git.Change{}, err
		}
		return git.Change{
			Onto:  head.commit,
			Exact: true,
			Edits: []git.Edit{
				{Path: string(from), Old: there.Hash, Remove: true},
				{Path: string(to), Same: there.Hash, Mode: there.Mode},
			},
			Message: note(why, "Move "+from.Address()+" to "+to.Address()),
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
