package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file removes files and folders, and writes what is planned of the head.

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

// RemoveFolder removes all files of a folder in one change. When seen is not "", nothing in the folder may have changed
// since that revision, else ErrChanged. The error wraps fs.ErrNotExist when there is no such folder.
func (s *Space) RemoveFolder(ctx context.Context, by Actor, dir page.Path, seen Rev, why string) (Saved, error) {
	return s.change(ctx, by, nil, func(head *Snapshot) (git.Change, error) {
		c := git.Change{Onto: head.commit, Exact: true, Message: note(why, fmt.Sprintf("Delete %s/", dir))}
		if seen != "" {
			if err := s.unchanged(ctx, by, head, Restoration{Path: dir, Folder: true, Seen: seen}); err != nil {
				return c, err
			}
		}
		for p := range head.names().Under(string(dir)) {
			if err := s.mayWrite(by, p); err != nil {
				return c, err
			}
			there, err := head.lookup(ctx, p)
			if err != nil {
				return c, err
			}
			c.Edits = append(c.Edits, git.Edit{Path: string(p), Old: there.Hash, Remove: true})
		}
		if len(c.Edits) == 0 {
			return c, fmt.Errorf("folder %s: %w", dir, fs.ErrNotExist)
		}
		return c, nil
	})
}

// ErrOvertaken is returned when others have changed the space each time before a change could be written.
var ErrOvertaken = errors.New("others were quicker each time")

// maxTries is how often a change is planned while the head moves. Each time somebody else has got something done.
const maxTries = 1000

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
	for try := 1; ; try++ {
		head := s.latest()
		c, err := plan(head)
		if err != nil {
			return Saved{}, overtaken(ctx, try > 1, err)
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
			return Saved{}, overtaken(ctx, true, err)
		case ctx.Err() != nil:
			return Saved{}, overtaken(ctx, true, ctx.Err())
		case try == maxTries:
			return Saved{}, ErrOvertaken
		}
	}
}

// overtaken is ErrOvertaken as well when the time is over and there was a plan that could have been carried out.
func overtaken(ctx context.Context, planned bool, err error) error {
	if planned && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrOvertaken, err)
	}
	return err
}
