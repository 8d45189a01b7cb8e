package page

import (
	"iter"
	"strings"
	"sync"
)

// This file keeps look-ups cheap where very many paths have one fold: a thousand READMEs, each in a folder of its own.
// Once for a set of names and a fold they are sorted by how they are spelt; of each spelling only the best two can be
// the answer, or make it ambiguous.

// maxFew is how many paths of one fold are looked at one by one.
const maxFew = 32

// crowds are the crowds that somebody has asked for, by crowdKey.
type crowds struct{ sync.Map }

type crowdKey struct {
	order order
	fold  string
	depth int // how many segments from the end are compared; 0 for all
}

// crowd has the best two of each spelling.
type crowd map[spelling]*[2]Path

// spelling is a name as it is compared at one level (see fold.go). kind keeps apart what a level prefers or tells apart:
// the page extensions, other files, folders with a home.
type spelling struct {
	level, kind int
	name        string
}

// candidates yields paths under a key, among which are those that can be meant by name; most others are left out.
func (n *Names) candidates(in order, key, name string, end bool) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		var few [maxFew]Path
		count := 0
		for p := range n.in(in).under(key) {
			if count == maxFew {
				n.crowd(in, key, name, end).near(name)(yield)
				return
			}
			few[count] = p
			count++
		}
		for _, p := range few[:count] {
			if !yield(p) {
				return
			}
		}
	}
}

func (n *Names) crowd(in order, key, name string, end bool) crowd {
	k := crowdKey{order: in, fold: key}
	if end {
		k.depth = strings.Count(loose(name), "/") + 1
	}
	if c, ok := n.crowds.Load(k); ok {
		return c.(crowd)
	}
	c := crowd{}
	for p := range n.in(in).under(key) {
		if !p.Served() {
			continue
		}
		kind := len(pageExts) + 1
		if p.IsPage() {
			kind = extRank(p)
		}
		c.add(p, kind, stripExt(string(p)), k.depth)
		if dir := p.Dir(); dir != "" && homeRank(p) >= 0 {
			if home, ok := n.homeIn(dir); ok && home == p {
				c.add(p, len(pageExts)+2, dir, k.depth)
			}
		}
	}
	n.crowds.Store(k, c)
	return c
}

func (c crowd) add(p Path, kind int, name string, depth int) {
	for level, s := range spellings(name) {
		k := spelling{level, kind, ending(s, depth)}
		two := c[k]
		if two == nil {
			two = &[2]Path{}
			c[k] = two
		}
		switch {
		case p == two[0] || p == two[1]:
		case two[0] == "":
			two[0] = p
		case better(p, two[0]) < 0:
			two[0], two[1] = p, two[0]
		case two[1] == "" || better(p, two[1]) < 0:
			two[1] = p
		}
	}
}

// near yields the best two of each kind that are spelt as the name, at each level.
func (c crowd) near(name string) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for level, s := range spellings(name) {
			for kind := range len(pageExts) + 3 {
				two := c[spelling{level, kind, s}]
				if two == nil {
					continue
				}
				for _, p := range two {
					if p != "" && !yield(p) {
						return
					}
				}
			}
		}
	}
}

// spellings are a name as each level compares it, the narrowest first.
func spellings(name string) [4]string {
	return [4]string{name, nfc(name), caseless(name), loose(name)}
}

// ending is the last segments of a path; all of it for 0.
func ending(s string, depth int) string {
	if depth == 0 {
		return s
	}
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			if depth--; depth == 0 {
				return s[i+1:]
			}
		}
	}
	return s
}
