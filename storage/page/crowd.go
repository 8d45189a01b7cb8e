package page

import (
	"iter"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// This file keeps look-ups cheap where very many paths have one fold: a thousand READMEs, each in a folder of its own.
// Once for a set of names and a fold they are sorted by how they are spelt; of each spelling only the best two can be
// the answer, or make it ambiguous.

// maxFew is how many paths of one fold are looked at one by one.
const maxFew = 32

// What crowds may cost, in paths of which the spellings are made: some ten microseconds each, and about a kilobyte.
const (
	maxCrowds = 100_000 // that a set of names keeps
	maxOfPage = 200_000 // that the links of one page may ask for
)

// crowds are the crowds that were asked for last. Safe for concurrent use.
type crowds struct {
	mu   sync.Mutex // guards all below
	kept *simplelru.LRU[crowdKey, *crowd]
	size int
}

func newCrowds() *crowds {
	c := &crowds{}
	c.kept, _ = simplelru.NewLRU(1<<20, func(_ crowdKey, one *crowd) { c.size -= one.cost }) // fails for no size only
	return c
}

func (c *crowds) get(k crowdKey) *crowd {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, _ := c.kept.Get(k)
	return one
}

// put keeps a crowd, and of the others as many as there is room for.
func (c *crowds) put(k crowdKey, one *crowd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept.Contains(k) {
		return
	}
	c.kept.Add(k, one)
	for c.size += one.cost; c.size > maxCrowds && c.kept.Len() > 1; {
		c.kept.RemoveOldest()
	}
}

// purse is what the crowds may cost that one page asks for, and those that it has had.
type purse struct {
	left  int
	had   map[crowdKey]*crowd
	short bool // some crowd was not given
}

// forPage is the set for the links of one page, which together may ask for so many crowds only: beyond that the first of
// many alike are looked at. For one goroutine.
func (n *Names) forPage() *Names {
	if n == nil || n.purse != nil {
		return n
	}
	m := *n
	m.purse = &purse{left: maxOfPage, had: map[crowdKey]*crowd{}}
	return &m
}

// short tells whether some link of the page was not looked up with all care.
func (n *Names) short() bool { return n.purse != nil && n.purse.short }

type crowdKey struct {
	order order
	fold  string
	depth int // how many segments from the end are compared; 0 for all
}

// crowd has the best two of each spelling.
type crowd struct {
	best map[spelling]*[2]Path
	cost int
}

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
				if c := n.crowd(in, key, name, end); c != nil {
					c.near(name)(yield)
					return
				}
				break
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

// crowd is the crowd in which a name is looked for; nil when the page has had too many.
func (n *Names) crowd(in order, key, name string, end bool) *crowd {
	k := crowdKey{order: in, fold: key}
	if end {
		if k.depth = strings.Count(loose(name), "/") + 1; k.depth > maxDepth {
			return &crowd{} // no path is so deep
		}
	}
	if n.purse == nil {
		return n.anyCrowd(k)
	}
	c := n.purse.had[k]
	if c == nil {
		if n.purse.left < 0 {
			n.purse.short = true
			return nil
		}
		c = n.anyCrowd(k)
		n.purse.had[k] = c
		n.purse.left -= c.cost
	}
	return c
}

func (n *Names) anyCrowd(k crowdKey) *crowd {
	if c := n.crowds.get(k); c != nil {
		return c
	}
	c := &crowd{best: map[spelling]*[2]Path{}}
	looked := 0
	for p := range n.in(k.order).under(k.fold) {
		looked++
		if !p.Served() {
			continue
		}
		kind := len(pageExts) + 1
		if p.IsPage() {
			kind = extRank(p)
		}
		c.add(p, kind, stripExt(string(p)), k.depth)
		if dir := p.Dir(); dir != "" && homeRank(p) >= 0 && maybeDeep(dir, k.depth) {
			if home, ok := n.homeIn(dir); ok && home == p {
				c.add(p, len(pageExts)+2, dir, k.depth)
			}
		}
	}
	c.cost += 1 + looked/8
	n.crowds.put(k, c)
	return c
}

// maybeDeep tells whether a name may have so many segments: its loose fold has more where a slash is written as "%2F".
func maybeDeep(name string, depth int) bool {
	return strings.Count(name, "/")+strings.Count(name, "%")+1 >= depth
}

// add adds a path by one of its names, unless that is too short to end as the names that are looked for.
func (c *crowd) add(p Path, kind int, name string, depth int) {
	if !maybeDeep(name, depth) {
		return
	}
	c.cost++
	for level, s := range spellings(name) {
		k := spelling{level, kind, ending(s, depth)}
		two := c.best[k]
		if two == nil {
			two = &[2]Path{}
			c.best[k] = two
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
func (c *crowd) near(name string) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for level, s := range spellings(name) {
			for kind := range len(pageExts) + 3 {
				two := c.best[spelling{level, kind, s}]
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
