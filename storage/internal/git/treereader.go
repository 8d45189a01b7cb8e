package git

import (
	"bytes"
	"cmp"
)

// This file reads tree objects entry by entry, without keeping them: what is judged may be a bomb.

// treeReader reads the entries of a tree object one by one, as they are.
type treeReader struct{ rest []byte }

type treeEntry struct {
	mode Mode
	name []byte
	hash Hash
}

// next is the next entry; ok is false at the end.
func (t *treeReader) next() (e treeEntry, ok bool, err error) {
	if len(t.rest) == 0 {
		return e, false, nil
	}
	space, end := bytes.IndexByte(t.rest, ' '), bytes.IndexByte(t.rest, 0)
	if space < 1 || end <= space || len(t.rest) < end+21 {
		return e, false, errDamagedTree
	}
	for _, c := range t.rest[:space] {
		if c < '0' || c > '7' || e.mode > 1<<28 {
			return e, false, errDamagedTree
		}
		e.mode = e.mode<<3 | Mode(c-'0')
	}
	e.name, e.hash = t.rest[space+1:end], Hash(t.rest[end+1:])
	t.rest = t.rest[end+21:]
	return e, true, nil
}

// seek is the entry of the same name and kind (folder or not), if there is one. Entries come in git's order, here and
// in what is asked for; where they do not, less is found.
func (t *treeReader) seek(want treeEntry) (treeEntry, bool) {
	for {
		rest := t.rest
		e, ok, err := t.next()
		if !ok || err != nil {
			return treeEntry{}, false
		}
		switch c := compareNames(e, want); {
		case c == 0:
			return e, true
		case c > 0:
			t.rest = rest
			return treeEntry{}, false
		}
	}
}

// compareNames is git's order, as compareEntries is.
func compareNames(a, b treeEntry) int {
	n := min(len(a.name), len(b.name))
	if c := bytes.Compare(a.name[:n], b.name[:n]); c != 0 {
		return c
	}
	next := func(e treeEntry) byte {
		switch {
		case len(e.name) > n:
			return e.name[n]
		case e.mode == Dir:
			return '/'
		}
		return 0
	}
	return cmp.Or(cmp.Compare(next(a), next(b)), cmp.Compare(len(a.name), len(b.name)))
}
