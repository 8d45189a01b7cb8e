package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	maxDepth   = 64      // folders within folders
	maxEntries = 1000000 // entries of a whole tree; git log needs 300 bytes for each when it is new
)

// Tree is the immutable tree of a commit. The head's is whole in memory; an older one loads folders as they are asked
// for. Safe for concurrent use. The zero Tree is empty.
type Tree struct {
	from *objects
	root *node // nil: empty
}

// node is a folder that may not be loaded yet. Trees share nodes.
type node struct {
	hash   Hash
	loaded atomic.Pointer[folder]
}

// folder is a folder's entries in git's order: by name, as if folders' names ended in '/'.
type folder struct {
	entries []Entry
	kids    []*node // kids[i] is what entries[i] leads to, nil for files; nil when there is no folder at all
	total   int     // once all below is loaded: the entries with those below, and one; else 0
	height  int     // with total: folders below each other
}

func (f *folder) kid(i int) *node {
	if f.kids == nil {
		return nil
	}
	return f.kids[i]
}

// Hash is the tree's name; zero for an empty one.
func (t *Tree) Hash() Hash {
	if t == nil || t.root == nil {
		return Hash{}
	}
	return t.root.hash
}

// Lookup finds the entry at a path; "" is the root. The error wraps fs.ErrNotExist when there is none, ErrMissing when
// a folder on the way is named but not stored.
func (t *Tree) Lookup(ctx context.Context, path string) (Entry, error) {
	e, _, err := t.find(ctx, path)
	return e, err
}

// ReadDir lists a folder ("" for the root) in git's order. Do not change what it returns. The error wraps
// fs.ErrNotExist when there is no such folder, ErrMissing when it is named but not stored.
func (t *Tree) ReadDir(ctx context.Context, dir string) ([]Entry, error) {
	_, n, err := t.find(ctx, dir)
	if err != nil {
		return nil, err
	}
	if n == nil {
		if dir == "" {
			return nil, nil
		}
		return nil, fmt.Errorf("folder %q: %w", dir, fs.ErrNotExist)
	}
	f, err := t.load(ctx, n)
	if err != nil {
		return nil, err
	}
	return f.entries, nil
}

// Sub is a folder as a tree of its own; an empty one when there is no such folder.
func (t *Tree) Sub(ctx context.Context, dir string) (*Tree, error) {
	_, n, err := t.find(ctx, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if n == nil {
		return new(Tree), nil
	}
	return &Tree{from: t.from, root: n}, nil
}

// Blob is the bytes of a file that the tree has. Do not change them. The error wraps ErrMissing when they are not
// stored, fs.ErrInvalid for the entry of a folder or of another repository, and ErrTooLarge as Repo.Blob's does.
func (t *Tree) Blob(ctx context.Context, e Entry) ([]byte, error) {
	if t == nil || t.from == nil || e.Mode == Dir || e.Mode == Sub {
		return nil, fmt.Errorf("%q is no file: %w", e.Name, fs.ErrInvalid)
	}
	return t.from.readNamed(ctx, kindBlob, e.Hash)
}

// Size is how many bytes Blob would give, found without reading them where that can be. Its errors are Blob's.
func (t *Tree) Size(ctx context.Context, e Entry) (int64, error) {
	if t == nil || t.from == nil || e.Mode == Dir || e.Mode == Sub {
		return 0, fmt.Errorf("%q is no file: %w", e.Name, fs.ErrInvalid)
	}
	n, err := t.from.size(ctx, e.Hash)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("blob %s: %w", e.Hash, ErrMissing)
	}
	return n, err
}

// All yields the files with their whole paths, in git's order. What is not a file or a folder is yielded as well. On a
// tree that is not in memory it ends early where a folder cannot be read: call Load first.
func (t *Tree) All(ctx context.Context) iter.Seq2[string, Entry] {
	return func(yield func(string, Entry) bool) {
		if t != nil && t.root != nil {
			left := maxEntries
			t.walk(ctx, t.root, "", 0, &left, func(p string, e Entry) error {
				if !yield(p, e) {
					return errStop
				}
				return nil
			})
		}
	}
}

// Load brings the whole tree into memory. The error wraps ErrTooLarge when it is deeper or has more entries than is
// sensible; such a tree can still be read folder by folder. It wraps ErrMissing when a folder is not stored.
func (t *Tree) Load(ctx context.Context) error { return t.loadLike(ctx, nil) }

// loadLike is Load that takes over what equals another tree's.
func (t *Tree) loadLike(ctx context.Context, like *Tree) error {
	if t == nil || t.root == nil {
		return nil
	}
	var before *node
	if like != nil {
		before = like.root
	}
	if before != nil && before.hash == t.root.hash {
		if f := before.loaded.Load(); f != nil {
			t.root.loaded.Store(f)
		}
	}
	l := loader{tree: t, seen: map[Hash]*node{}}
	_, err := l.load(ctx, t.root, before, 0)
	return err
}

// find walks along a path. The node is nil for what is not a folder.
func (t *Tree) find(ctx context.Context, path string) (Entry, *node, error) {
	missing := func() (Entry, *node, error) { return Entry{}, nil, fmt.Errorf("%q: %w", path, fs.ErrNotExist) }
	if path == "" {
		if t == nil || t.root == nil {
			return Entry{Mode: Dir}, nil, nil
		}
		return Entry{Mode: Dir, Hash: t.root.hash}, t.root, nil
	}
	if t == nil || t.root == nil {
		return missing()
	}
	n := t.root
	for rest, depth := path, 0; ; depth++ {
		name, below, more := strings.Cut(rest, "/")
		if depth > maxDepth {
			return missing()
		}
		f, err := t.load(ctx, n)
		if err != nil {
			return Entry{}, nil, err
		}
		i, ok := f.search(name, true)
		if !ok && !more {
			i, ok = f.search(name, false)
		}
		if !ok {
			return missing()
		}
		if !more {
			return f.entries[i], f.kid(i), nil
		}
		n, rest = f.kid(i), below
	}
}

// load returns a node's entries, reading them when need be. Two readers may do so at once; they find the same.
func (t *Tree) load(ctx context.Context, n *node) (*folder, error) {
	if f := n.loaded.Load(); f != nil {
		return f, nil
	}
	if n.hash == emptyTree {
		return new(folder), nil
	}
	data, err := t.from.readNamed(ctx, kindTree, n.hash)
	if err != nil {
		return nil, err
	}
	f, err := parseTree(data)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", n.hash, err)
	}
	n.loaded.CompareAndSwap(nil, f)
	return f, nil
}

// emptyTree is the tree without entries, which git knows even where it is not stored.
var emptyTree = hashObject(kindTree, nil)

// errStop ends a walk whose caller has seen enough.
var errStop = errors.New("stop")

func (t *Tree) walk(ctx context.Context, n *node, at string, depth int, left *int, each func(string, Entry) error) error {
	if depth > maxDepth {
		return fmt.Errorf("%.200q is too deep: %w", at, ErrTooLarge)
	}
	f, err := t.load(ctx, n)
	if err != nil {
		return err
	}
	for i, e := range f.entries {
		if *left--; *left < 0 {
			return fmt.Errorf("tree of more than %d entries: %w", maxEntries, ErrTooLarge)
		}
		if kid := f.kid(i); kid != nil {
			err = t.walk(ctx, kid, at+e.Name+"/", depth+1, left, each)
		} else {
			err = each(at+e.Name, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// loader loads whole trees. Folders that occur twice are loaded once, so a tree bomb is counted, not walked.
type loader struct {
	tree *Tree
	seen map[Hash]*node
}

// load loads a node with all below and returns its folder. like is the folder that stood there before, if
// any: what is equal is taken over from it.
func (l *loader) load(ctx context.Context, n, like *node, depth int) (*folder, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("tree deeper than %d folders: %w", maxDepth, ErrTooLarge)
	}
	if f := n.loaded.Load(); f != nil && f.total > 0 {
		return f, nil
	}
	raw, err := l.tree.load(ctx, n)
	if err != nil {
		return nil, err
	}
	var old *folder
	if like != nil {
		old = like.loaded.Load()
	}
	f := &folder{entries: raw.entries, kids: slices.Clone(raw.kids), total: 1 + len(raw.entries)}
	for i, kid := range f.kids {
		if kid == nil {
			continue
		}
		var before *node
		if old != nil {
			if j, ok := old.search(f.entries[i].Name, true); ok {
				before = old.kid(j)
			}
		}
		switch known := l.seen[kid.hash]; {
		case before != nil && before.hash == kid.hash:
			kid = before
		case known != nil:
			kid = known
		}
		below, err := l.load(ctx, kid, before, depth+1)
		if err != nil {
			return nil, err
		}
		if depth+1+below.height > maxDepth {
			return nil, fmt.Errorf("tree deeper than %d folders: %w", maxDepth, ErrTooLarge)
		}
		l.seen[kid.hash] = kid
		f.kids[i] = kid
		f.height = max(f.height, below.height+1)
		if f.total += below.total; f.total > maxEntries {
			return nil, fmt.Errorf("tree of more than %d entries: %w", maxEntries, ErrTooLarge)
		}
	}
	n.loaded.Store(f)
	return f, nil
}

// search finds an entry by name: the folder of that name, or else what is no folder.
func (f *folder) search(name string, isDir bool) (int, bool) {
	want := Entry{Name: name}
	if isDir {
		want.Mode = Dir
	}
	return slices.BinarySearchFunc(f.entries, want, compareEntries)
}

// compareEntries is git's order.
func compareEntries(a, b Entry) int {
	n := min(len(a.Name), len(b.Name))
	if c := strings.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c
	}
	// What follows the common part; a folder's name ends in '/', any other's in NUL, which no name holds.
	next := func(e Entry) byte {
		switch {
		case len(e.Name) > n:
			return e.Name[n]
		case e.Mode == Dir:
			return '/'
		}
		return 0
	}
	if c := cmp.Compare(next(a), next(b)); c != 0 {
		return c
	}
	return cmp.Compare(len(a.Name), len(b.Name))
}

var errDamagedTree = errors.New("damaged tree")

// parseTree reads a tree object. Names and modes are taken as they are.
func parseTree(data []byte) (*folder, error) {
	count, letters := 0, 0
	for all := (treeReader{data}); ; count++ {
		e, ok, err := all.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		letters += len(e.name)
	}
	// All names share one string, so that the object's bytes need not be kept.
	var names strings.Builder
	names.Grow(letters)
	f := &folder{entries: make([]Entry, 0, count)}
	all := treeReader{data}
	for range count {
		read, _, _ := all.next()
		from := names.Len()
		names.Write(read.name)
		e := Entry{Name: names.String()[from:], Mode: read.mode, Hash: read.hash}
		if e.Mode == Dir {
			if f.kids == nil {
				f.kids = make([]*node, count)
			}
			f.kids[len(f.entries)] = &node{hash: e.Hash}
		}
		f.entries = append(f.entries, e)
	}
	return f, nil
}

// encode is the folder as a tree object.
func (f *folder) encode() []byte {
	size := 0
	for _, e := range f.entries {
		size += len(e.Name) + 28
	}
	b := make([]byte, 0, size)
	for _, e := range f.entries {
		b = strconv.AppendUint(b, uint64(e.Mode), 8)
		b = append(b, ' ')
		b = append(b, e.Name...)
		b = append(b, 0)
		b = append(b, e.Hash[:]...)
	}
	return b
}

// Diff yields what differs between two trees (either may be nil: empty), skipping equal folders, in git's order. After
// an error it ends; ErrMissing is a folder that is not stored.
func Diff(ctx context.Context, from, to *Tree) iter.Seq2[TreeChange, error] {
	return func(yield func(TreeChange, error) bool) {
		d := differ{from: cmp.Or(from, new(Tree)), to: cmp.Or(to, new(Tree)), left: 2 * maxEntries, yield: yield}
		err := d.folders(ctx, d.from.root, d.to.root, "", 0)
		if err != nil && err != errStop {
			yield(TreeChange{}, err)
		}
	}
}

type differ struct {
	from, to *Tree
	left     int // entries that may still be looked at
	yield    func(TreeChange, error) bool
}

// folders compares two folders, either of which may be nil.
func (d *differ) folders(ctx context.Context, from, to *node, at string, depth int) error {
	if from != nil && to != nil && from.hash == to.hash {
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("%.200q is too deep: %w", at, ErrTooLarge)
	}
	old, new := new(folder), new(folder)
	var err error
	if from != nil {
		if old, err = d.from.load(ctx, from); err != nil {
			return err
		}
	}
	if to != nil {
		if new, err = d.to.load(ctx, to); err != nil {
			return err
		}
	}
	if d.left -= max(len(old.entries), len(new.entries)); d.left < 0 {
		return fmt.Errorf("trees of more than %d entries: %w", maxEntries, ErrTooLarge)
	}
	for i, j := 0, 0; i < len(old.entries) || j < len(new.entries); {
		order := 0
		switch {
		case i == len(old.entries):
			order = 1
		case j == len(new.entries):
			order = -1
		default:
			order = compareEntries(old.entries[i], new.entries[j])
		}
		var was, is Entry
		var wasKid, isKid *node
		if order <= 0 {
			was, wasKid = old.entries[i], old.kid(i)
			i++
		}
		if order >= 0 {
			is, isKid = new.entries[j], new.kid(j)
			j++
		}
		path := at + cmp.Or(was.Name, is.Name)
		switch {
		case was.Hash == is.Hash && was.Mode == is.Mode:
		case wasKid != nil || isKid != nil:
			err = d.folders(ctx, wasKid, isKid, path+"/", depth+1)
		case !d.yield(TreeChange{Path: path, Old: was, New: is}, nil):
			err = errStop
		}
		if err != nil {
			return err
		}
	}
	return nil
}
