package git

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// write is one file of a new tree: what shall be at a path, or nothing.
type write struct {
	path   string // below the folder that is being written
	entry  Entry  // without Name
	remove bool
}

// object is an object to be stored.
type object struct {
	hash Hash
	kind kind
	data []byte
}

// editor makes new trees from old ones. Folders off the paths are shared.
type editor struct {
	tree *Tree
	made []object // the new folders, innermost first
}

// apply makes the root with all writes done, which must be sorted by path. A nil node is the empty tree.
func (e *editor) apply(ctx context.Context, root *node, writes []write) (*node, error) {
	return e.folder(ctx, root, "", writes, 0)
}

func (e *editor) folder(ctx context.Context, old *node, at string, writes []write, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%.200q is too deep: %w", at, fs.ErrInvalid)
	}
	was := new(folder)
	if old != nil {
		var err error
		if was, err = e.tree.load(ctx, old); err != nil {
			return nil, err
		}
	}
	var changes []slot
	for len(writes) > 0 {
		name, _, _ := strings.Cut(writes[0].path, "/")
		n := 0
		for n < len(writes) && first(writes[n].path) == name {
			n++
		}
		file, dir, err := e.name(ctx, was, at, name, writes[:n], depth)
		if err != nil {
			return nil, err
		}
		changes = append(changes, file, dir)
		writes = writes[n:]
	}
	slices.SortFunc(changes, func(a, b slot) int { return compareEntries(a.entry, b.entry) })
	is := was.with(changes)
	if len(is.entries) == 0 {
		return nil, nil
	}
	data := is.encode()
	n := &node{hash: hashObject(kindTree, data)}
	if old != nil && n.hash == old.hash {
		return old, nil
	}
	if is.total > maxEntries {
		return nil, fmt.Errorf("tree of more than %d entries: %w", maxEntries, ErrTooLarge)
	}
	n.loaded.Store(is)
	e.made = append(e.made, object{n.hash, kindTree, data})
	return n, nil
}

// slot is what a folder shall have at one place of its order.
type slot struct {
	entry Entry
	kid   *node
	empty bool
}

// name works out what a folder has under one name: a file and a folder, of which one at least is empty unless the
// folder was strange before.
func (e *editor) name(ctx context.Context, was *folder, at, name string, writes []write, depth int) (file, dir slot, err error) {
	file = slot{entry: Entry{Name: name}, empty: true}
	dir = slot{entry: Entry{Name: name, Mode: Dir}, empty: true}
	if i, ok := was.search(name, false); ok {
		file = slot{entry: was.entries[i]}
	}
	if i, ok := was.search(name, true); ok {
		dir = slot{entry: was.entries[i], kid: was.kid(i)}
	}
	strange := !file.empty && !dir.empty
	if writes[0].path == name { // sorted: before all that is below
		w := writes[0]
		file = slot{entry: w.entry, empty: w.remove}
		file.entry.Name = name
		writes = writes[1:]
	}
	if len(writes) > 0 {
		below := make([]write, len(writes))
		for i, w := range writes {
			below[i] = w
			below[i].path = w.path[len(name)+1:]
		}
		if dir.kid, err = e.folder(ctx, dir.kid, at+name+"/", below, depth+1); err != nil {
			return file, dir, err
		}
		if dir.empty = dir.kid == nil; !dir.empty {
			dir.entry.Hash = dir.kid.hash
		}
	}
	if !file.empty && !dir.empty && !strange {
		return file, dir, fmt.Errorf("%q would be a file and a folder: %w", at+name, fs.ErrExist)
	}
	return file, dir, nil
}

// with is a copy of the folder with some places changed; changes are in git's order.
func (f *folder) with(changes []slot) *folder {
	is := &folder{entries: make([]Entry, 0, len(f.entries)+len(changes))}
	kids := make([]*node, 0, len(f.entries)+len(changes))
	put := func(entries []Entry, from int) {
		is.entries = append(is.entries, entries...)
		if f.kids == nil {
			kids = append(kids, make([]*node, len(entries))...)
		} else {
			kids = append(kids, f.kids[from:from+len(entries)]...)
		}
	}
	done := 0
	for _, c := range changes {
		// A file's place is found as a file's even where the entry has another mode: both are not folders.
		i, found := slices.BinarySearchFunc(f.entries[done:], c.entry, compareEntries)
		put(f.entries[done:done+i], done)
		done += i
		if found {
			done++
		}
		if !c.empty {
			is.entries = append(is.entries, c.entry)
			kids = append(kids, c.kid)
		}
	}
	put(f.entries[done:], done)
	is.kids = kids
	is.measure()
	return is
}

// measure works out total and height, when all folders below know theirs, and drops kids when there are none.
func (f *folder) measure() {
	total, height, any := 1+len(f.entries), 0, false
	for _, kid := range f.kids {
		if kid == nil {
			continue
		}
		any = true
		below := kid.loaded.Load()
		if below == nil || below.total == 0 {
			return
		}
		total += below.total
		height = max(height, below.height+1)
	}
	if !any {
		f.kids = nil
	}
	f.total, f.height = total, height
}

// first is a path's first segment.
func first(path string) string {
	name, _, _ := strings.Cut(path, "/")
	return name
}
