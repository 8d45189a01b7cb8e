package page

import (
	"cmp"
	"path"
	"strings"
)

// This file is the one resolver: the renderer, backlinks, moves, search and the API all ask it. For each way to read
// the target (see forms) it looks in some places, from near to far, at each level of equality (see fold.go) before
// the next wider one:
//
//	"/x"         the top only
//	"./x" "../x" the page's folder only, never above the top
//	"x/y"        the top, then the page's folder, then wherever a path ends so (Gollum: the folder first)
//	"x"          the top, then the page's folder, then that name anywhere (Gollum: the folder first)
//
// and a Markdown link in the page's folder at every level, then at the top. At one level pages come before files,
// unless the target has another extension, and both before folders. Of several equally good paths the one with the
// fewest segments is taken, then the shortest, then the first by bytes; the link is then ambiguous.

// Target is what a link leads to.
type Target struct {
	External  string // set for URLs (scheme, //, mailto:): the link as it is
	Path      Path   // the page or file; for a red link the path that it would have, "" if no file can be named so
	Dir       string // set, with Found, when the target is a folder without a home page
	IsDir     bool
	Found     bool
	Fragment  string // without "#"
	Text      string // the text to show for [[…]] links
	Ambiguous bool
}

const (
	maxTarget     = 1024 // bytes; what is longer leads nowhere
	maxCandidates = 1000 // names with one fold that are looked at
)

// Resolve finds what a link on the page from means.
func (n *Names) Resolve(pr Profile, from Path, l Link) Target {
	if !l.Wiki {
		if isExternal(l.A) {
			return Target{External: l.A}
		}
		return n.target(pr, from, l.A, false)
	}
	a, b := l.parts()
	show := func(t Target, text, name string) Target {
		if t.Text = text; text == "" {
			t.Text = strings.TrimPrefix(name, "#")
		}
		return t
	}
	switch {
	case isURL(a) && !isURL(b):
		return show(Target{External: a}, b, a)
	case isURL(b) && !isURL(a):
		return show(Target{External: b}, a, b)
	case isURL(a):
		if bFirst(pr) {
			return show(Target{External: b}, a, b)
		}
		return show(Target{External: a}, b, a)
	case isImage(a):
		alt, _, _ := imageOptions(b)
		return show(n.target(pr, from, a, true), alt, a)
	case b == "":
		return show(n.target(pr, from, a, true), "", a)
	case a == "":
		return show(n.target(pr, from, b, true), "", b)
	}
	ta, tb := n.target(pr, from, a, true), n.target(pr, from, b, true)
	if tb.Found && !ta.Found || tb.Found == ta.Found && bFirst(pr) {
		return show(tb, a, b)
	}
	return show(ta, b, a)
}

// bFirst tells whether the profile writes [[text|target]].
func bFirst(pr Profile) bool { return pr == Gollum || pr == Otter }

// target resolves one part of a link.
func (n *Names) target(pr Profile, from Path, s string, wiki bool) Target {
	if len(s) > maxTarget {
		return Target{}
	}
	if s == "" {
		return Target{Path: from, Found: !wiki}
	}
	if rest, ok := hosted(s); ok && !wiki {
		if _, folder := n.dirLike("wiki"); !folder {
			s = rest
		}
	}
	all := forms(s, wiki)
	for _, f := range all {
		if f.page == "" {
			return Target{Path: from, Found: true, Fragment: f.fragment}
		}
		if t := n.lookUp(pr, from, f.page, wiki); t.Found {
			t.Fragment = f.fragment
			return t
		}
	}
	// Not written yet: the decoded name up to the first "#"; a "#" at the very end belongs to the name.
	last := form{page: s}
	for _, f := range all {
		if f.split && f.fragment != "" {
			last = f
			break
		}
	}
	if !wiki {
		last.page, _, _ = strings.Cut(last.page, "?")
	}
	return Target{Path: n.newPath(pr, from, unescape(last.page), wiki), Fragment: unescape(last.fragment)}
}

// place is where a name is looked for: as a whole path, or (anywhere) as the end of one.
type place struct {
	name     string
	anywhere bool
}

// places lists where to look for a name, near to far. folder means that the name stands for a folder by its place.
func places(pr Profile, from Path, name string, wiki bool) (list []place, folder bool) {
	dir := from.Dir()
	if !wiki && pr == WikiJS {
		dir = from.Address()
	}
	clean := path.Clean(name)
	folder = isFolderOnly(clean)
	if clean[0] == '/' {
		return []place{{name: clean[1:]}}, folder
	}
	here, inside := within(dir, clean)
	dotted := folder || strings.HasPrefix(name, "./") || strings.HasPrefix(clean, "../")
	if dotted {
		if !inside {
			return nil, folder
		}
		return []place{{name: here}}, folder
	}
	near, top := place{name: here}, place{name: clean}
	switch {
	case !wiki:
		return []place{near, top}, false
	case pr == Gollum:
		return []place{near, top, {clean, true}}, false
	}
	return []place{top, near, {clean, true}}, false
}

// within joins a relative name to a folder; false if it leads above the top.
func within(dir, name string) (string, bool) {
	s := path.Join(dir, name)
	if s == ".." || strings.HasPrefix(s, "../") {
		return "", false
	}
	if s == "." {
		s = ""
	}
	return s, true
}

func (n *Names) lookUp(pr Profile, from Path, name string, wiki bool) Target {
	list, folder := places(pr, from, name, wiki)
	if folder {
		if len(list) == 0 {
			return Target{}
		}
		dir := list[0].name
		if p, ok := n.homeIn(dir); ok {
			return Target{Path: p, Found: true}
		}
		return Target{Dir: dir, IsDir: true, Found: n.HasDir(dir)}
	}
	wantDir := strings.HasSuffix(name, "/")
	if wiki {
		if t := n.best(list, wantDir); t.Found {
			return t
		}
	} else {
		for _, pl := range list {
			if t := n.best([]place{pl}, wantDir); t.Found {
				return t
			}
		}
	}
	// The next levels belong here: the table of redirects, then aliases and titles in front matter.
	for _, pl := range list {
		if dir, ok := n.dirLike(pl.name); ok && !pl.anywhere {
			return Target{Dir: dir, IsDir: true, Found: true}
		}
	}
	return Target{}
}

// match is a candidate with all that decides between candidates, most important first.
type match struct {
	level, kind, place, inexact int
	path                        Path
}

func (a match) compare(b match) int {
	return cmp.Or(cmp.Compare(a.level, b.level), cmp.Compare(a.kind, b.kind), cmp.Compare(a.place, b.place),
		cmp.Compare(a.inexact, b.inexact), better(a.path, b.path))
}

// best finds the best candidate in all places.
func (n *Names) best(list []place, wantDir bool) Target {
	var best match
	ties := 0
	try := func(m match) {
		switch {
		case best.path == "" || m.compare(best) < 0:
			if best.path != "" && m.level == best.level && m.kind == best.kind && m.place == best.place {
				ties++
			} else {
				ties = 0
			}
			best = m
		case m.path != best.path && m.level == best.level && m.kind == best.kind && m.place == best.place:
			ties++
		}
	}
	for i, pl := range list {
		file := path.Ext(pl.name) != "" && !isPageName(pl.name)
		for key, in := range n.underNames(pl) {
			left := maxCandidates
			for p := range in.under(key) {
				if left--; left < 0 {
					break
				}
				if !p.Served() {
					continue
				}
				fold := loose(pl.name)
				if level := equality(p, true, pl.name, fold, pl.anywhere); level > 0 {
					try(match{level, kind(p, file, wantDir), i, inexact(string(p), pl), p})
				}
				if homeRank(p) < 0 || p.Dir() == "" {
					continue
				}
				level := equal(p.Dir(), pl.name, fold, pl.anywhere)
				if level == 0 {
					continue
				}
				if home, ok := n.homeIn(p.Dir()); ok && home == p {
					k := 2
					if wantDir {
						k = -1
					}
					try(match{max(level, 2), k, i, inexact(p.Dir(), pl), p})
				}
			}
		}
	}
	if best.path == "" {
		return Target{}
	}
	doubtful := best.level >= 3 || list[best.place].anywhere
	return Target{Path: best.path, Found: true, Ambiguous: ties > 0 && doubtful}
}

// kind orders pages before files, unless the target has an extension of its own.
func kind(p Path, file, wantDir bool) int {
	if p.IsPage() == file && !wantDir {
		return 1
	}
	return 0
}

// inexact is 0 when the name is in the path byte for byte: it decides between two normal forms of one name.
func inexact(p string, pl place) int {
	if p == pl.name || stripExt(p) == pl.name ||
		pl.anywhere && (strings.HasSuffix(p, "/"+pl.name) || strings.HasSuffix(stripExt(p), "/"+pl.name)) {
		return 0
	}
	return 1
}

// underNames yields the keys, each with the order that has it, under which candidates for a place are found.
func (n *Names) underNames(pl place) func(yield func(string, sorted) bool) {
	return func(yield func(string, sorted) bool) {
		names := []string{pl.name}
		if bare := stripExt(pl.name); bare != pl.name {
			names = append(names, bare)
		}
		for _, name := range names {
			key, in := loose(name), n.whole
			if pl.anywhere {
				in = n.base
				if dir := dirOf(key); dir != "" {
					key, in = baseOf(key)+"/"+baseOf(dir), n.tail
				}
			}
			if !yield(key, in) {
				return
			}
		}
	}
}

// equality is the level at which a path equals a name with or without the page extension, 0 if at none. With end, the
// name need only be the end of the path. fold is the name's loose fold.
func equality(p Path, ext bool, name, fold string, end bool) int {
	level := 0
	if bare := stripExt(string(p)); bare != string(p) {
		if level = equal(bare, name, fold, end); level == 1 {
			level = 2
		}
	}
	if !ext && p.IsPage() {
		return level
	}
	if l := equal(string(p), name, fold, end); l > 0 && (level == 0 || l < level) {
		level = l
	}
	return level
}

// equal is 1 for the same normal form, 3 for the same caseless, 4 for the same loose fold, else 0.
func equal(p, name, fold string, end bool) int {
	same := func(a, b string) bool { return a == b || end && strings.HasSuffix(a, "/"+b) }
	switch {
	case same(nfc(p), nfc(name)):
		return 1
	case !same(loose(p), fold):
		return 0
	case same(caseless(p), caseless(name)):
		return 3
	}
	return 4
}

// dirLike is the folder that has this name, exactly or by its loose fold.
func (n *Names) dirLike(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	if n.HasDir(name) {
		return name, true
	}
	fold := loose(name)
	left := maxCandidates
	for e := range n.whole.from(entry{key: fold + "/"}) {
		if left--; left < 0 || !strings.HasPrefix(e.key, fold+"/") {
			break
		}
		for i := range len(e.path) {
			if e.path[i] == '/' && loose(string(e.path[:i])) == fold && e.path.Served() {
				return string(e.path[:i]), true
			}
		}
	}
	return "", false
}

// newPath is the path of the page that a red link asks for; "" if no file can be named so.
func (n *Names) newPath(pr Profile, from Path, name string, wiki bool) Path {
	clean := path.Clean(name)
	dir := from.Dir()
	if !wiki && pr == WikiJS {
		dir = from.Address()
	}
	relative := !wiki || !strings.Contains(clean, "/") || strings.HasPrefix(name, "./") || strings.HasPrefix(clean, "../")
	if clean[0] == '/' {
		clean = clean[1:]
	} else if relative {
		var ok bool
		if clean, ok = within(dir, clean); !ok {
			return ""
		}
	}
	if clean == "" {
		return ""
	}
	if !isPageName(clean) && !isFile(clean) {
		if pr == Gollum && n.hyphens > n.spaces {
			clean = join(dirOf(clean), strings.ReplaceAll(baseOf(clean), " ", "-"))
		}
		clean += ".md"
	}
	p, err := ParsePath(clean)
	if err != nil {
		return ""
	}
	return p
}
