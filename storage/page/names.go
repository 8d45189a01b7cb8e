package page

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Names is the set of paths of a space at one moment, with the look-ups that addresses and links need. It is immutable,
// so many may use it at once; With costs what changed, not what there is. Make one with NewNames.
//
// The same paths are kept in four orders:
//
//	all    by path
//	whole  by the loose fold of the path without page extension
//	base   by the loose fold of the last segment, best first (see better)
//	tail   by the loose folds of the last segment and its folder: "set-up/guide"
//
// A page that may stand for its folder ("guide/README.md") is also kept under the folder's name.
type Names struct {
	all, whole, base, tail sorted
	count                  int
	hyphens, spaces        int     // pages whose own name has one: which of them new names get, see newPath
	crowds                 *crowds // made as they are asked for
	purse                  *purse  // see forPage
	orders, gollum, upper  int     // Azure's files of order, Gollum's pages at the top, pages with capitals: see DetectProfile
}

// order is one of the orders in which more than one path may have a key.
type order int

const (
	inWhole order = iota
	inBase
	inTail
)

func (n *Names) in(o order) *sorted {
	return [...]*sorted{&n.whole, &n.base, &n.tail}[o]
}

// NewNames is the set of these paths, in any order, each once or more.
func NewNames(paths iter.Seq[Path]) *Names {
	var all, whole, base, tail []entry
	for p := range paths {
		k := keysOf(p)
		all = append(all, entry{path: p})
		whole = append(whole, k.whole...)
		base = append(base, k.base...)
		tail = append(tail, k.tail...)
	}
	n := &Names{
		all:   newSorted(byPath, all),
		whole: newSorted(byPath, whole),
		base:  newSorted(byRank, base),
		tail:  newSorted(byPath, tail),

		crowds: newCrowds(),
	}
	for p := range n.All() {
		n.tally(p, 1)
	}
	return n
}

// With is the set with some paths more and some fewer. A path in both lists is in the result.
func (n *Names) With(added, removed []Path) *Names {
	m := *n
	m.crowds, m.purse = newCrowds(), nil
	var add, del [4][]entry
	seen := make(map[Path]bool, len(added))
	for _, p := range added {
		if seen[p] {
			continue
		}
		seen[p] = true
		if n.Has(p) {
			continue
		}
		m.tally(p, 1)
		k := keysOf(p)
		for i, e := range [4][]entry{{{path: p}}, k.whole, k.base, k.tail} {
			add[i] = append(add[i], e...)
		}
	}
	gone := make(map[Path]bool, len(removed))
	for _, p := range removed {
		if seen[p] || gone[p] || !n.Has(p) {
			continue
		}
		gone[p] = true
		m.tally(p, -1)
		k := keysOf(p)
		for i, e := range [4][]entry{{{path: p}}, k.whole, k.base, k.tail} {
			del[i] = append(del[i], e...)
		}
	}
	for i, s := range []*sorted{&m.all, &m.whole, &m.base, &m.tail} {
		*s = s.with(add[i], del[i])
	}
	return &m
}

func (n *Names) tally(p Path, d int) {
	n.count += d
	if p.Base() == ".order" {
		n.orders += d
	}
	if !p.IsPage() {
		return
	}
	if strings.ToLower(string(p)) != string(p) {
		n.upper += d
	}
	switch stripExt(string(p)) {
	case "Home", "_Sidebar", "_sidebar", "_Footer":
		n.gollum += d
	}
	if strings.Contains(p.Base(), "-") {
		n.hyphens += d
	}
	if strings.Contains(p.Base(), " ") {
		n.spaces += d
	}
}

type keys struct{ whole, base, tail []entry }

// keysOf are the entries of a path in each order but the first.
func keysOf(p Path) keys {
	whole := loose(stripExt(string(p)))
	k := keys{
		whole: []entry{{whole, p}},
		base:  []entry{{baseOf(whole), p}},
	}
	if dir := dirOf(whole); dir != "" {
		k.tail = []entry{{baseOf(whole) + "/" + baseOf(dir), p}}
	}
	if dir := p.Dir(); dir != "" && homeRank(p) >= 0 {
		dir = loose(dir)
		k.whole = append(k.whole, entry{dir, p})
		k.base = append(k.base, entry{baseOf(dir), p})
		if up := dirOf(dir); up != "" {
			k.tail = append(k.tail, entry{baseOf(dir) + "/" + baseOf(up), p})
		}
	}
	return k
}

func byPath(a, b entry) int {
	return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(string(a.path), string(b.path)))
}

func byRank(a, b entry) int {
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c
	}
	return better(a.path, b.path)
}

// better orders paths that a link could mean alike: fewest segments, then shortest, then by bytes.
func better(a, b Path) int {
	if a == "" || b == "" { // sorted.under starts from the empty path
		return cmp.Compare(len(a), len(b))
	}
	return cmp.Or(
		cmp.Compare(strings.Count(string(a), "/"), strings.Count(string(b), "/")),
		cmp.Compare(len(a), len(b)),
		strings.Compare(string(a), string(b)))
}

// Len is the number of paths.
func (n *Names) Len() int { return n.count }

// Has tells whether the path is in the set, byte for byte. There are no folders in it: see HasDir.
func (n *Names) Has(p Path) bool {
	_, _, found := n.all.find(entry{path: p})
	return found
}

// All yields every path in byte order.
func (n *Names) All() iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for _, run := range n.all.runs {
			for _, e := range run {
				if !yield(e.path) {
					return
				}
			}
		}
	}
}

// After yields the paths that come after p in byte order; all of them when p is "".
func (n *Names) After(p Path) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for e := range n.all.from(entry{path: p}) {
			if e.path != p && !yield(e.path) {
				return
			}
		}
	}
}

// Under yields the paths in a folder and below it, in byte order; "" is all.
func (n *Names) Under(dir string) iter.Seq[Path] {
	if dir == "" {
		return n.All()
	}
	return func(yield func(Path) bool) {
		for e := range n.all.from(entry{path: Path(dir + "/")}) {
			if !strings.HasPrefix(string(e.path), dir+"/") || !yield(e.path) {
				return
			}
		}
	}
}

// HasDir tells whether there is anything in the folder.
func (n *Names) HasDir(dir string) bool {
	for range n.Under(dir) {
		return true
	}
	return false
}

// Page is the page at exactly this address ("guide/Set up"), .md before other page extensions.
func (n *Names) Page(address string) (Path, bool) {
	if p := Path(address + ".md"); n.Has(p) {
		return p, true
	}
	var found []Path
	for p := range n.whole.under(loose(address)) {
		if p.IsPage() && stripExt(string(p)) == address {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	return slices.MinFunc(found, byExt), true
}

func byExt(a, b Path) int { return cmp.Or(cmp.Compare(extRank(a), extRank(b)), better(a, b)) }

func extRank(p Path) int {
	for i, ext := range pageExts {
		if strings.HasSuffix(string(p), ext) {
			return i
		}
	}
	return len(pageExts)
}

// Near is the page at this address when case, "-", "_" and spaces are not told apart (the canonical one to redirect to).
func (n *Names) Near(address string) (Path, bool) {
	if p, ok := n.Page(address); ok && p.Served() {
		return p, true
	}
	var best Path
	bestLevel := 5
	key := loose(address)
	for p := range n.whole.under(key) {
		if !p.IsPage() || !p.Served() {
			continue
		}
		level := equality(p, false, address, key, false)
		if level == 0 {
			continue
		}
		if best == "" || level < bestLevel || level == bestLevel && better(p, best) < 0 {
			best, bestLevel = p, level
		}
	}
	return best, best != ""
}

// homes are the names of pages that stand for their folder, in the order in which they are tried.
var homes = [...]string{"Home", "index", "README", "_index", "start"}

// homeRank is how early a page is tried as the home of its folder, -1 if never.
func homeRank(p Path) int {
	if !p.IsPage() {
		return -1
	}
	name := stripExt(p.Base())
	for i, h := range homes {
		if name == h {
			return 2 * i
		}
		if strings.EqualFold(name, h) {
			return 2*i + 1
		}
	}
	return -1
}

// Home is the page that stands for a folder ("" is the top): the first of Homes.
func (n *Names) Home(dir string) (Path, bool) {
	if p, ok := n.homeIn(dir); ok {
		return p, true
	}
	if dir == "" {
		return "", false
	}
	return n.Page(dir)
}

// Homes are the pages that may stand for a folder, best first: Home, index, README, _index and start in it, exact case
// first; if there is none, the page beside the folder that has its name.
func (n *Names) Homes(dir string) []Path {
	if all := slices.Collect(n.homesIn(dir)); len(all) > 0 || dir == "" {
		return all
	}
	if p, ok := n.Page(dir); ok {
		return []Path{p}
	}
	return nil
}

func (n *Names) homeIn(dir string) (Path, bool) {
	for p := range n.homesIn(dir) {
		return p, true
	}
	return "", false
}

// homesIn yields the homes in a folder, best first, and looks for one name after the other: most who ask take the first.
func (n *Names) homesIn(dir string) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for _, h := range homes {
			var found []Path
			for p := range n.whole.under(loose(join(dir, h))) {
				if homeRank(p) >= 0 && p.Dir() == dir {
					found = append(found, p)
				}
			}
			slices.SortFunc(found, func(a, b Path) int {
				return cmp.Or(cmp.Compare(homeRank(a), homeRank(b)), byExt(a, b))
			})
			for _, p := range found {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// Bar is the nearest _Sidebar, _Header or _Footer (kind is that name) at or above a folder.
func (n *Names) Bar(kind, dir string) (Path, bool) {
	for {
		var best Path
		for p := range n.whole.under(loose(join(dir, kind))) {
			if p.IsBar() && p.Dir() == dir && strings.EqualFold(stripExt(p.Base()), kind) &&
				(best == "" || byExt(p, best) < 0) {
				best = p
			}
		}
		if best != "" {
			return best, true
		}
		if dir == "" {
			return "", false
		}
		dir = dirOf(dir)
	}
}

// Twin is an existing path that differs from p only in case or normal form.
func (n *Names) Twin(p Path) (Path, bool) {
	want := caseless(string(p))
	for q := range n.whole.under(loose(stripExt(string(p)))) {
		if q != p && caseless(string(q)) == want {
			return q, true
		}
	}
	return "", false
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
