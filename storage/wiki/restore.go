package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file brings a file, a folder or a whole space back to what it was. No file is read for it: its cost is that of
// comparing two trees, and of the folders that change.

// Restoration asks for what there was at a revision.
type Restoration struct {
	Path   page.Path // of the file, or of the folder without "/" at its end; "" for the whole space
	Folder bool      // Path is a folder
	Rev    string    // the revision to go back to
	Was    page.Path // the name that the file had then, when it was another
	Seen   Rev       // refuse with ErrChanged when what is restored has changed since this revision; "" for any
	Note   string    // why; "" for a plain default
}

// whole tells whether a restoration is of all files.
func (r Restoration) whole() bool { return r.Path == "" }

// PlanRestore tells what a restoration would do now. The errors are those of Restore.
func (s *Space) PlanRestore(ctx context.Context, by Actor, r Restoration) (*Plan, error) {
	old, err := s.At(ctx, by, r.Rev)
	if err != nil {
		return nil, err
	}
	return s.planRestore(ctx, by, s.latest(), old, r)
}

// Restore brings a file, a folder or the whole space back to what it was at a revision, by one commit; a folder loses
// what it did not have then. The error wraps fs.ErrNotExist when the file or folder was not there then, is ErrChanged
// when it is not what was seen, a *page.NameError when a name that is now taken would come back, or wraps
// fs.ErrPermission.
func (s *Space) Restore(ctx context.Context, by Actor, r Restoration) (Saved, error) {
	old, err := s.At(ctx, by, r.Rev)
	if err != nil {
		return Saved{}, err
	}
	return s.carryOut(ctx, by, r.Note, func(head *Snapshot) (*Plan, error) {
		plan, err := s.planRestore(ctx, by, head, old, r)
		if err == nil && r.Seen != "" {
			err = s.unchanged(ctx, by, head, r)
		}
		return plan, err
	})
}

func (s *Space) planRestore(ctx context.Context, by Actor, head, old *Snapshot, r Restoration) (*Plan, error) {
	if !r.Folder && !r.whole() {
		was := r.Path
		if r.Was != "" {
			was = r.Was
		}
		e, err := old.lookup(ctx, was)
		if err != nil {
			return nil, err
		}
		return s.restorePlan(ctx, by, head, old, r, map[page.Path]content{r.Path: contentOf(e)})
	}
	if !old.IsFolder(ctx, string(r.Path)) {
		return nil, fmt.Errorf("folder %s: %w", r.Path, fs.ErrNotExist)
	}
	from, err := head.tree.Sub(ctx, string(r.Path))
	if err != nil {
		return nil, err
	}
	to, err := old.tree.Sub(ctx, string(r.Path))
	if err != nil {
		return nil, err
	}
	files := map[page.Path]content{}
	for c, err := range git.Diff(ctx, from, to) {
		if err != nil {
			return nil, err
		}
		name := c.Path
		if !r.whole() {
			name = string(r.Path) + "/" + name
		}
		if p, err := page.ParsePath(name); err == nil && served(c) {
			files[p] = contentOf(c.New)
		}
	}
	return s.restorePlan(ctx, by, head, old, r, files)
}

func (s *Space) restorePlan(ctx context.Context, by Actor, head, old *Snapshot, r Restoration, files map[page.Path]content) (*Plan, error) {
	plan, taken, err := s.newPlan(ctx, by, head, files)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Sorted(maps.Keys(taken)) {
		return nil, taken[p].err
	}
	plan.exact = plan.exact || r.Folder || r.whole() // what came into the folder meanwhile was not seen
	then, err := s.repo.Show(ctx, old.commit)
	if err != nil {
		return nil, err
	}
	what := r.Path.Address()
	switch {
	case r.whole():
		what = "all pages"
	case r.Folder:
		what = string(r.Path) + "/"
	}
	when := commitOf(then).When.Format("2 January 2006, 15:04 UTC")
	plan.Note = fmt.Sprintf("Restore %s to %s (%.10s)", what, when, old.rev)
	return plan, nil
}

// unchanged is ErrChanged when what is restored is not what it was at the revision that the asker has seen.
func (s *Space) unchanged(ctx context.Context, by Actor, head *Snapshot, r Restoration) error {
	seen, err := s.At(ctx, by, string(r.Seen))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return err
	}
	at := func(in *Snapshot) (git.Hash, error) {
		e, err := in.tree.Lookup(ctx, string(r.Path))
		if errors.Is(err, fs.ErrNotExist) {
			return git.Hash{}, nil
		}
		return e.Hash, err
	}
	was, err := at(seen)
	if err != nil {
		return err
	}
	is, err := at(head)
	if err == nil && is != was {
		err = ErrChanged
	}
	return err
}
