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
	saved, err := s.change(ctx, by, nil, func(head *Snapshot) (git.Change, error) {
		up.Paths = up.Paths[:0]
		c := git.Change{Onto: head.commit, Exact: true} // new names are checked against all others: see trySave
		dir := head.FolderFor(ctx, at)
		for _, f := range files {
			p, err := s.place(ctx, by, head, dir, f, c.Edits)
			if err != nil {
				return c, err
			}
			up.Paths = append(up.Paths, p)
			if taken, _ := takenBy(c.Edits, p, git.Hash{}); !taken && !head.Has(p) {
				c.Edits = append(c.Edits, git.Edit{Path: string(p), Data: f.Data})
			}
		}
		c.Message = note(why, "Upload "+listed(c.Edits))
		return c, nil
	})
	up.Saved = saved
	return up, err
}

// place is the path for a new file: one that is free, or one that has these bytes.
func (s *Space) place(ctx context.Context, by Actor, head *Snapshot, dir string, f File, with []git.Edit) (page.Path, error) {
	name := page.FileName(f.Name)
	if page.Path(name).IsPage() {
		return "", &page.NameError{Path: page.Path(name), Reason: fmt.Sprintf("%q is a page, not a file: write it with New page, or give it another ending", name)}
	}
	hash := git.BlobHash(f.Data)
	for n := 0; n <= maxNumbers; n++ {
		free := name
		if n > 0 {
			free = page.Numbered(name, n)
		}
		if dir != "" {
			free = dir + "/" + free
		}
		p, err := page.ParsePath(free)
		if err != nil {
			return "", err
		}
		if err := s.mayWrite(by, p); err != nil {
			return "", err
		}
		if e, err := head.lookup(ctx, p); err == nil && e.Hash == hash {
			return p, nil
		}
		if taken, same := takenBy(with, p, hash); same {
			return p, nil
		} else if taken || head.Has(p) || head.Names().HasDir(string(p)) {
			continue
		}
		err = checkNew(head, p)
		if err == nil {
			return p, nil
		}
		if page.CheckNew(p) != nil {
			return "", err // no number mends that
		}
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrExist)
}

// takenBy tells whether edits that are about to be made take a name, and whether they put these bytes there.
func takenBy(edits []git.Edit, p page.Path, hash git.Hash) (taken, same bool) {
	names := page.NewNames(func(yield func(page.Path) bool) {
		for _, e := range edits {
			if !yield(page.Path(e.Path)) {
				return
			}
		}
	})
	for _, e := range edits {
		if e.Path == string(p) {
			return true, git.BlobHash(e.Data) == hash
		}
	}
	_, taken = names.Twin(p)
	return taken, false
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
