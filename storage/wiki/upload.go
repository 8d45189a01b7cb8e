package wiki

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file takes files that somebody uploads: each under its own name, or under the nearest that is free.

// File is a file to be stored, under the name that it has where it comes from.
type File struct {
	Name string
	Data []byte
}

// Uploaded is what became of an upload. It is on disk and in the history.
type Uploaded struct {
	Saved
	Paths []page.Path // where each file is, in the order in which they came
}

// maxNumbers is how many names that differ by their number are tried.
const maxNumbers = 999

// FolderFor is the folder where the space keeps the files of a page; "" is the top.
func (s *Snapshot) FolderFor(ctx context.Context, at page.Path) string {
	dir := s.profile().FolderFor(at, func(p page.Path) []byte {
		b, err := s.Read(ctx, p)
		if err != nil {
			return nil
		}
		return b
	})
	for up := page.Path(dir); up != ""; up = page.Path(up.Dir()) {
		if s.Has(up) {
			return at.Dir() // a file has the folder's name
		}
	}
	return dir
}

// Upload stores files for a page in one change, in the folder where the space keeps them. What cannot be a file's name
// becomes one, and what is taken gets a number; bytes that are there already under the name that they would have need no
// second file. Two uploads at once of one name both stay. Errors: ErrTooLarge, a *page.NameError for a page, and those of Save
// but for conflicts.
func (s *Space) Upload(ctx context.Context, by Actor, at page.Path, files []File, why string) (Uploaded, error) {
	var up Uploaded
	for _, f := range files {
		if len(f.Data) > MaxFile {
			return up, fmt.Errorf("%q: %w", f.Name, ErrTooLarge)
		}
	}
	hashes := make([]git.Hash, len(files))
	for i, f := range files {
		hashes[i] = git.BlobHash(f.Data)
	}
	saved, err := s.change(ctx, by, nil, func(head *Snapshot) (git.Change, error) {
		up.Paths = up.Paths[:0]
		c := git.Change{Onto: head.commit, Exact: true} // new names are checked against all others: see trySave
		w := &placing{head: head, dir: head.FolderFor(ctx, at), hashes: map[page.Path]git.Hash{}, numbers: map[string]*numbers{}}
		w.names = page.NewNames(func(func(page.Path) bool) {})
		for i, f := range files {
			p, free, err := w.place(ctx, by, page.FileName(f.Name), hashes[i])
			if err != nil {
				return c, err
			}
			up.Paths = append(up.Paths, p)
			if free {
				c.Edits = append(c.Edits, git.Edit{Path: string(p), Data: f.Data})
			}
		}
		c.Message = note(why, "Upload "+listed(c.Edits))
		return c, nil
	})
	up.Saved = saved
	return up, err
}

// placing gives names to the files of one upload.
type placing struct {
	head    *Snapshot
	dir     string
	names   *page.Names            // of the files that come,
	hashes  map[page.Path]git.Hash // and their bytes
	numbers map[string]*numbers    // by the name without one
}

// numbers are those of one name that have been tried.
type numbers struct {
	next  int
	taken map[git.Hash]page.Path // by those before next
}

// place is the path for a new file: one that is free, which it then has, or one that has these bytes.
func (w *placing) place(ctx context.Context, by Actor, name string, hash git.Hash) (at page.Path, free bool, err error) {
	if page.Path(name).IsPage() {
		return "", false, &page.NameError{Path: page.Path(name), Reason: "%q is a page, not a file: write it with New page, or give it another ending", Args: []any{name}}
	}
	n := w.numbers[name]
	if n == nil {
		n = &numbers{taken: map[git.Hash]page.Path{}}
		w.numbers[name] = n
	}
	if p, ok := n.taken[hash]; ok {
		return p, false, nil
	}
	for ; n.next <= maxNumbers; n.next++ {
		to := name
		if n.next > 0 {
			to = page.Numbered(name, n.next)
		}
		if w.dir != "" {
			to = w.dir + "/" + to
		}
		p, err := page.ParsePath(to)
		if err != nil {
			return "", false, err
		}
		if err := w.head.space.mayWrite(by, p); err != nil {
			return "", false, err
		}
		is, there := w.hashes[p]
		if e, err := w.head.lookup(ctx, p); err == nil && !there {
			is, there = e.Hash, true
		}
		if there {
			if _, ok := n.taken[is]; !ok {
				n.taken[is] = p
			}
			if is == hash {
				return p, false, nil
			}
			continue
		}
		if _, twin := w.names.Twin(p); twin || w.head.Has(p) || w.head.Names().HasDir(string(p)) {
			continue
		}
		err = checkNew(w.head, p)
		if err == nil {
			w.names, w.hashes[p] = w.names.With([]page.Path{p}, nil), hash
			return p, true, nil
		}
		if page.CheckNew(p) != nil {
			return "", false, err // no number mends that
		}
	}
	return "", false, fmt.Errorf("%s: %w", name, fs.ErrExist)
}

// listed names the files that edits write.
func listed(edits []git.Edit) string {
	var names []string
	for i, e := range edits {
		if i == 3 && len(edits) > 4 {
			names = append(names, fmt.Sprintf("%d more", len(edits)-i))
			break
		}
		names = append(names, page.Path(e.Path).Base())
	}
	return strings.Join(names, ", ")
}
