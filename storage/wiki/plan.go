package wiki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file writes what takes many files back at once: a restore (restore.go) or an undo (undo.go). The rules are:
//
//   - A plan is made of one head, from the trees alone; it can be looked at, and then made again and written.
//   - It is one commit. What it writes over stays in the history, so that it can be undone by the same means.
//   - What the wiki does not serve (symbolic links, submodules, names that it refuses) stays as it is.

// Plan is what a restore or an undo would do to a space.
type Plan struct {
	Head     *Snapshot    // what it was made of
	Files    []FileChange // by path: 'A' comes back, 'M' changes, 'D' goes, 'R' gets its old name back
	Collided []Collision  // files that it leaves alone, by path; of an undo only
	Missing  []page.Path  // what an undone change wrote that is not there: moved, perhaps, and then Undoing.Now can say where
	Note     string       // what stands in the history unless somebody says more

	edits []git.Edit
	exact bool // only onto Head
}

// Collision is a file that an undo leaves alone, because of what came after the change.
type Collision struct {
	Path page.Path
	Why  Why
}

// Why says what came after a change, so that it cannot be undone.
type Why string

const (
	WhyChanged Why = "changed" // somebody has changed the same lines since, or a file without lines
	WhyGone    Why = "gone"    // the file has been deleted or moved since
	WhyTaken   Why = "taken"   // there is another file of its name again
	WhyFolder  Why = "folder"  // there is a folder of its name now
	WhyFile    Why = "file"    // there is a file of its folder's name now
)

// ErrNothing is returned for an undo that finds nothing of the change any more.
var ErrNothing = errors.New("nothing of that is left to undo")

// carryOut writes what make plans, again while the head moves.
func (s *Space) carryOut(ctx context.Context, by Actor, why string, make func(head *Snapshot) (*Plan, error)) (Saved, error) {
	return s.change(ctx, by, nil, func(head *Snapshot) (git.Change, error) {
		plan, err := make(head)
		if err != nil {
			return git.Change{}, err
		}
		c := git.Change{Edits: plan.edits, Message: note(why, plan.Note)}
		if plan.exact {
			c.Onto, c.Exact = head.commit, true
		}
		return c, nil
	})
}

// inTheWay is why a name cannot come back.
type inTheWay struct {
	why Why
	err error // a *page.NameError
}

// newPlan makes a plan that gives the files these contents. taken are the names that cannot come back, and why: they
// were good once, but there is a newer twin, folder or file that does not go.
func (s *Space) newPlan(ctx context.Context, by Actor, head *Snapshot, files map[page.Path]content) (plan *Plan, taken map[page.Path]inTheWay, err error) {
	plan, taken = &Plan{Head: head}, map[page.Path]inTheWay{}
	come, goes := map[page.Path]git.Entry{}, map[page.Path]bool{}
	for p, is := range files {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		e, err := head.tree.Lookup(ctx, string(p))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		if err == nil && !isFile(e) && e.Mode != git.Dir {
			continue
		}
		was := contentOf(e)
		if was.hash == is.hash && (was.mode == is.mode || is.hash.IsZero()) {
			continue
		}
		if err := s.mayWrite(by, p); err != nil {
			return nil, nil, err
		}
		change := FileChange{Kind: 'M', Path: p, Blob: string(revOf(is.hash))}
		edit := git.Edit{Path: string(p), Old: was.hash, Same: is.hash, Mode: is.mode}
		switch {
		case is.hash.IsZero():
			change.Kind, edit.Remove = 'D', true
			goes[p] = true
		case was.hash.IsZero():
			change.Kind = 'A'
			come[p] = e
		}
		if is.data != nil {
			if err := checkContent(p, is.data); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p, err)
			}
			edit.Same, edit.Data = git.Hash{}, is.data
		}
		plan.Files, plan.edits = append(plan.Files, change), append(plan.edits, edit)
	}
	for p, e := range come {
		var name *page.NameError
		if err := checkNew(head, p); errors.As(err, &name) && name.Offer != "" && head.Has(name.Offer) && !goes[name.Offer] {
			taken[p] = inTheWay{WhyTaken, err}
			continue
		}
		if e.Mode == git.Dir {
			stays, err := head.keeps(ctx, p, goes)
			if err != nil {
				return nil, nil, err
			}
			if stays {
				taken[p] = inTheWay{WhyFolder, &page.NameError{Path: p, Reason: "there is a folder %q by now, and no file can have its name: move or delete what is in it first", Args: []any{p}}}
				continue
			}
		}
		for dir := path.Dir(string(p)); dir != "."; dir = path.Dir(dir) {
			e, err := head.tree.Lookup(ctx, dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, err
			}
			_, comes := come[page.Path(dir)]
			if comes || err == nil && e.Mode != git.Dir && !goes[page.Path(dir)] {
				taken[p] = inTheWay{WhyFile, &page.NameError{Path: p, Reason: "there is a file %q by now, and no folder can have its name: move or delete that file first", Args: []any{dir}}}
				break
			}
		}
	}
	plan.exact = len(come) > 0
	slices.SortFunc(plan.Files, func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
	return plan, taken, nil
}

// keeps tells whether a folder has files beside those that go.
func (s *Snapshot) keeps(ctx context.Context, dir page.Path, goes map[page.Path]bool) (bool, error) {
	in, err := s.tree.Sub(ctx, string(dir))
	if err != nil {
		return false, err
	}
	for c, err := range git.Diff(ctx, nil, in) {
		if err != nil || !goes[dir+"/"+page.Path(c.Path)] {
			return err == nil, err
		}
	}
	return false, nil
}

// content is what a file has, or shall have.
type content struct {
	hash git.Hash // zero: it is not there
	mode git.Mode
	data []byte // the bytes, when they are not stored yet
}

// served tells whether a change is one of files: from a file or nothing to a file or nothing.
func served(c git.TreeChange) bool {
	none := git.Entry{}
	return (c.Old == none || isFile(c.Old)) && (c.New == none || isFile(c.New))
}

func contentOf(e git.Entry) content {
	if !isFile(e) {
		return content{}
	}
	return content{hash: e.Hash, mode: e.Mode}
}
