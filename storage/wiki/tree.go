package wiki

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
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

// Children are the names in a folder ("" is the top), numbers sorted as numbers and capitals beside small letters. Hidden
// names are left out. The caller must not change them. A folder that has not changed costs a look-up.
func (s *Snapshot) Children(ctx context.Context, dir string) ([]Child, error) {
	list, err := s.folder(ctx, dir)
	return list.children, err
}

// Around are at most limit of the pages in a folder and of the folders there that have pages in them, those around the one
// that leads to p, or the first ones; before and after count the others.
func (s *Snapshot) Around(ctx context.Context, dir string, p page.Path, limit int) (children []Child, before, after int, err error) {
	list, err := s.folder(ctx, dir)
	all := list.tree
	if err != nil || len(all) <= limit {
		return all, 0, 0, err
	}
	i := max(0, slices.IndexFunc(all, func(c Child) bool {
		return c.Path == p || c.Folder && len(p) > len(c.Path) && p[len(c.Path)] == '/' && p[:len(c.Path)] == c.Path
	}))
	first := min(max(0, i-limit/2), len(all)-limit)
	return all[first : first+limit : first+limit], first, len(all) - first - limit, nil
}

// IsFolder tells whether there is a folder of that name that is served ("" always is one).
func (s *Snapshot) IsFolder(ctx context.Context, dir string) bool {
	if dir == "" {
		return true
	}
	if !page.Path(dir).Served() {
		return false
	}
	e, err := s.tree.Lookup(ctx, dir)
	return err == nil && e.Mode == git.Dir
}

// folders keeps the lists that were asked for last, bounded by the names in them.
type folders struct {
	mu   sync.Mutex // guards all below
	lru  *simplelru.LRU[string, folder]
	size int // names
}

// folder is one list: of the folder with that hash, and of each later one with the same names.
type folder struct {
	hash     git.Hash
	entries  []git.Entry // in git's order
	children []Child     // in people's
	tree     []Child     // of those, pages, and folders with pages somewhere below
}

// maxNames is how many names are kept for a space, in all lists.
const maxNames = 100_000

func newFolders() *folders {
	f := &folders{}
	f.lru, _ = simplelru.NewLRU(1<<20, func(_ string, l folder) { f.size -= len(l.entries) + 1 }) // fails for no size only
	return f
}

func (f *folders) get(dir string) folder {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, _ := f.lru.Get(dir)
	return l
}

func (f *folders) put(dir string, l folder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lru.Remove(dir)
	f.lru.Add(dir, l)
	f.size += len(l.entries) + 1
	for f.size > maxNames && f.lru.Len() > 1 {
		f.lru.RemoveOldest()
	}
}

func (s *Snapshot) folder(ctx context.Context, dir string) (folder, error) {
	hash := s.tree.Hash()
	if dir != "" {
		e, err := s.tree.Lookup(ctx, dir)
		if err != nil {
			return folder{}, err
		}
		hash = e.Hash
	}
	key := dir
	if s.namesAt == 0 {
		key += "/" + hash.String() // beside the head's list, which it must not drive out
	}
	kept := s.space.folders.get(key)
	if kept.hash == hash {
		return kept, nil
	}
	entries, err := s.tree.ReadDir(ctx, dir)
	if err != nil {
		return folder{}, err
	}
	next := folder{hash: hash, entries: entries, children: kept.children}
	// Most saves change what a file says, not which files there are.
	same := func(a, b git.Entry) bool { return a.Name == b.Name && a.Mode == b.Mode }
	if !slices.EqualFunc(kept.entries, entries, same) {
		next.children = sortedChildren(dir, entries)
	}
	if next.tree, err = s.onlyPages(ctx, kept, next); err != nil {
		return folder{}, err
	}
	s.space.folders.put(key, next)
	return next, nil
}

// onlyPages are the children of a folder that belong in a tree of pages. Of a folder in it that has not changed, the list
// before knows.
func (s *Snapshot) onlyPages(ctx context.Context, was, now folder) ([]Child, error) {
	folders := map[string]git.Hash{}
	for _, e := range was.entries {
		if e.Mode == git.Dir {
			folders[e.Name] = e.Hash
		}
	}
	shown := map[page.Path]bool{}
	for _, c := range was.tree {
		shown[c.Path] = true
	}
	hashes := map[string]git.Hash{}
	for _, e := range now.entries {
		hashes[e.Name] = e.Hash
	}
	var tree []Child
	for _, c := range now.children {
		has := c.Path.IsPage()
		if h, ok := folders[c.Path.Base()]; c.Folder && ok && h == hashes[c.Path.Base()] {
			has = shown[c.Path]
		} else if c.Folder {
			var err error
			if has, err = s.hasPages(ctx, string(c.Path)); err != nil {
				return nil, err
			}
		}
		if has {
			tree = append(tree, c)
		}
	}
	return tree, nil
}

// hasPages tells whether there is a page somewhere in a folder, those right in it first.
func (s *Snapshot) hasPages(ctx context.Context, dir string) (bool, error) {
	entries, err := s.tree.ReadDir(ctx, dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if p, err := page.ParsePath(dir + "/" + e.Name); err == nil && isFile(e) && p.Listed() {
			return true, nil
		}
	}
	for _, e := range entries {
		if p, err := page.ParsePath(dir + "/" + e.Name); err == nil && e.Mode == git.Dir && !p.Hidden() {
			if has, err := s.hasPages(ctx, string(p)); has || err != nil {
				return has, err
			}
		}
	}
	return false, nil
}

func sortedChildren(dir string, entries []git.Entry) []Child {
	order := collate.New(language.Und, collate.Numeric, collate.Loose)
	var buf collate.Buffer
	type named struct {
		Child
		key []byte // collation keys compare as bytes: that is what makes a folder of 20,000 quick to sort
	}
	var list []named
	for _, e := range entries {
		name := e.Name
		if dir != "" {
			name = dir + "/" + name
		}
		p, err := page.ParsePath(name)
		if err != nil || p.Hidden() || e.Mode != git.Dir && !isFile(e) {
			continue
		}
		read := p.Base()
		if e.Mode != git.Dir && p.IsPage() {
			read = page.Path(p.Address()).Base() // "Plan" before "Plan B": endings do not count
		}
		list = append(list, named{Child{Path: p, Folder: e.Mode == git.Dir}, order.KeyFromString(&buf, read)})
	}
	slices.SortStableFunc(list, func(a, b named) int { return bytes.Compare(a.key, b.key) })
	out := make([]Child, len(list))
	for i, n := range list {
		out[i] = n.Child
	}
	return out
}

// Pages are at most limit pages after a path (""), by path and without hidden ones; next is where the rest begins, "" at
// the end.
func (s *Snapshot) Pages(after page.Path, limit int) (list []page.Path, next page.Path) {
	for p := range s.names().After(after) {
		if !p.Listed() {
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
		if p.Listed() {
			n++
		}
	}
	return n
}
