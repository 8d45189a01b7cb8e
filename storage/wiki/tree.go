package wiki

import (
	"context"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file lists folders in the order in which people sort.

// Child is one name in a folder.
type Child struct {
	Path   page.Path // of the file, or of the folder without "/" at its end
	Folder bool
}

// Children are the names in a folder ("" is the top), numbers sorted as numbers and capitals beside small letters.
// Hidden names are left out, and after limit the rest (then more is true). The caller must not change them. A folder
// that has not changed costs a look-up.
func (s *Snapshot) Children(ctx context.Context, dir string, limit int) (children []Child, more bool, err error) {
	all, err := s.children(ctx, dir)
	if err != nil {
		return nil, false, err
	}
	if len(all) > limit {
		return all[:limit:limit], true, nil
	}
	return all, false, nil
}

// Around are at most limit of the names in a folder: those around the one that leads to p, or the first ones.
func (s *Snapshot) Around(ctx context.Context, dir string, p page.Path, limit int) ([]Child, error) {
	all, err := s.children(ctx, dir)
	if err != nil || len(all) <= limit {
		return all, err
	}
	i := max(0, slices.IndexFunc(all, func(c Child) bool {
		return c.Path == p || c.Folder && len(p) > len(c.Path) && p[len(c.Path)] == '/' && p[:len(c.Path)] == c.Path
	}))
	first := min(max(0, i-limit/2), len(all)-limit)
	return all[first : first+limit : first+limit], nil
}

// IsFolder tells whether there is a folder of that name ("" always is one).
func (s *Snapshot) IsFolder(ctx context.Context, dir string) bool {
	if dir == "" {
		return true
	}
	e, err := s.tree.Lookup(ctx, dir)
	return err == nil && e.Mode == git.Dir
}

// folders keeps the lists that were asked for last, by what is in them: a folder's hash and its name.
type folders = lru.Cache[folderKey, []Child]

type folderKey struct {
	dir  string
	hash git.Hash
}

// maxFolders is how many lists are kept for a space.
const maxFolders = 256

func newFolders() *folders {
	c, _ := lru.New[folderKey, []Child](maxFolders) // fails for no size only
	return c
}

func (s *Snapshot) children(ctx context.Context, dir string) ([]Child, error) {
	key := folderKey{dir: dir, hash: s.tree.Hash()}
	if dir != "" {
		e, err := s.tree.Lookup(ctx, dir)
		if err != nil {
			return nil, err
		}
		key.hash = e.Hash
	}
	if kept, ok := s.space.folders.Get(key); ok {
		return kept, nil
	}
	entries, err := s.tree.ReadDir(ctx, dir)
	if err != nil {
		return nil, err
	}
	list := sorted{order: collate.New(language.Und, collate.Numeric, collate.Loose)}
	for _, e := range entries {
		name := e.Name
		if dir != "" {
			name = dir + "/" + name
		}
		p, err := page.ParsePath(name)
		if err != nil || p.Hidden() || e.Mode != git.Dir && !isFile(e) {
			continue
		}
		list.children = append(list.children, Child{Path: p, Folder: e.Mode == git.Dir})
		list.keys = append(list.keys, list.order.KeyFromString(&list.buf, p.Base()))
	}
	// Buffered keys compare as bytes, which is what makes a folder of 20,000 quick to sort.
	order := make([]int, len(list.children))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(list.keys[a], list.keys[b]) })
	out := make([]Child, len(order))
	for i, at := range order {
		out[i] = list.children[at]
	}
	s.space.folders.Add(key, out)
	return out, nil
}

// sorted is a list of names on its way into order.
type sorted struct {
	order    *collate.Collator
	buf      collate.Buffer
	children []Child
	keys     [][]byte
}

// Pages are at most limit pages after a path (""), by path and without hidden ones; next is where the rest begins, "" at
// the end.
func (s *Snapshot) Pages(after page.Path, limit int) (list []page.Path, next page.Path) {
	for p := range s.names().After(after) {
		if !p.IsPage() || p.Hidden() {
			continue
		}
		if len(list) == limit {
			return list, list[limit-1]
		}
		list = append(list, p)
	}
	return list, ""
}

// PageCount is the number of pages, without hidden ones.
func (s *Snapshot) PageCount() int { return s.pages() }

func countPages(names *page.Names) int {
	n := 0
	for p := range names.All() {
		if isListed(p) {
			n++
		}
	}
	return n
}

func isListed(p page.Path) bool { return p.IsPage() && !p.Hidden() }
