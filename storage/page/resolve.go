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
	Ambiguous bool   // others were as good
	Against   bool   // the side of the pipe that is there was taken, though the profile takes the other
	Moved     bool   // found by a name that it no longer has
	Called    bool   // found by its title or an alias
}

// Derived tells whether Also had a say in what the link means, or might have.
func (t Target) Derived() bool {
	return t.External == "" && (!t.Found || t.Moved || t.Called || t.IsDir)
}

// Also is what names mean beside those of the files that there are. Views have it, from what is derived; writes, which
// read nothing derived, have none. Each function may be nil.
type Also struct {
	Moved  func(key string) []Move               // files that have gone from a name with this key (see PathKeys), and where they are now
	Folder func(dir string) (to string, ok bool) // where a folder has gone that is no longer there
	Called func(fold string) []Path              // pages that call themselves so, by Fold: title and aliases
}

// Move is a file's old name and the one that it has now.
type Move struct{ From, To Path }

// Fold is a title or an alias as Also.Called knows it.
func Fold(name string) string { return loose(strings.Join(strings.Fields(name), " ")) }

const maxTarget = 1024 // bytes; what is longer leads nowhere

// Resolve finds what a link on the page from means, by the names of files alone.
func (n *Names) Resolve(pr Profile, from Path, l Link) Target {
	return asker{n, pr, from, Also{}}.read(l).Target
}

// asker is who asks: a page, in a wiki of some kind.
type asker struct {
	*Names
	pr   Profile
	from Path
	also Also
}

// reading is how a link was read.
type reading struct {
	Target
	second bool // the target stands behind the pipe
	form   form // how that part was read; its page is "" for a link within its own page
}

// read finds what a link means, and which of its bytes say so.
func (k asker) read(l Link) reading {
	if !l.Wiki {
		if isExternal(l.A) {
			return reading{Target: Target{External: l.A}}
		}
		return k.target(l.A, false)
	}
	a, b := l.parts()
	show := func(r reading, second bool, text, name string) reading {
		r.second = second
		if r.Text = text; text == "" {
			r.Text = strings.TrimPrefix(name, "#")
		}
		return r
	}
	outside := func(url string) reading { return reading{Target: Target{External: url}} }
	switch {
	case isURL(a) && !isURL(b):
		return show(outside(a), false, b, a)
	case isURL(b) && !isURL(a):
		return show(outside(b), true, a, b)
	case isURL(a):
		if bFirst(k.pr) {
			return show(outside(b), true, a, b)
		}
		return show(outside(a), false, b, a)
	case isImage(a):
		alt, _, _ := imageOptions(b)
		return show(k.target(a, true), false, alt, a)
	case b == "":
		return show(k.target(a, true), false, "", a)
	case a == "":
		return show(k.target(b, true), true, "", b)
	}
	usual := bFirst(k.pr)
	plain := k
	plain.also = Also{}
	ra, rb := plain.target(a, true), plain.target(b, true)
	second := usual
	if ra.Found != rb.Found {
		second = rb.Found
	}
	if !ra.Found && !rb.Found {
		if second {
			rb = k.target(b, true)
		} else {
			ra = k.target(a, true)
		}
	}
	if second {
		rb.Against = second != usual
		return show(rb, true, a, b)
	}
	ra.Against = second != usual
	return show(ra, false, b, a)
}

// including begins Gollum's links that bring a page in: "[[include:Page]]". No new page can have a colon in its name.
const including = "include:"

// bFirst tells whether the profile writes [[text|target]].
func bFirst(pr Profile) bool { return pr == Gollum || pr == Otter }

// target resolves one part of a link.
func (k asker) target(s string, wiki bool) reading {
	if len(s) > maxTarget {
		return reading{}
	}
	if s == "" {
		return reading{Target: Target{Path: k.from, Found: !wiki}}
	}
	skip := 0
	if rest, ok := hosted(s); ok && !wiki {
		if _, folder := k.dirLike("wiki"); !folder {
			skip = len(s) - len(rest)
			s = rest
		}
	}
	if rest, ok := strings.CutPrefix(s, including); ok && wiki && rest != "" {
		skip = len(including)
		s = rest
	}
	all := forms(s, wiki)
	for i := range all {
		all[i].skip = skip
	}
	for _, f := range all {
		if f.page == "" {
			return reading{Target: Target{Path: k.from, Found: true, Fragment: f.fragment}, form: f}
		}
		if t := k.lookUp(f.page, wiki); t.Found {
			t.Fragment = f.fragment
			return reading{Target: t, form: f}
		}
	}
	// Not written yet: the decoded name up to the first "#"; a "#" at the very end belongs to the name.
	last := form{page: s, size: len(s), skip: skip}
	for _, f := range all {
		if f.split && f.fragment != "" {
			last = f
			break
		}
	}
	if !wiki {
		last.page, _, _ = strings.Cut(last.page, "?")
		last.size = min(last.size, len(last.page))
	}
	last.page = unescape(last.page)
	t := Target{Path: k.newPath(last.page, wiki), Fragment: unescape(last.fragment)}
	return reading{Target: t, form: last}
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
	case !wiki && here == clean:
		return []place{top}, false
	case !wiki:
		return []place{near, top}, false
	case here == clean:
		return []place{top, {clean, true}}, false
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

func (k asker) lookUp(name string, wiki bool) Target {
	list, folder := places(k.pr, k.from, name, wiki)
	if folder {
		if len(list) == 0 {
			return Target{}
		}
		dir := list[0].name
		if p, ok := k.homeIn(dir); ok {
			return Target{Path: p, Found: true}
		}
		return Target{Dir: dir, IsDir: true, Found: k.HasDir(dir)}
	}
	wantDir := strings.HasSuffix(name, "/")
	if wiki {
		if t := k.best(list, wantDir); t.Found {
			return t
		}
	} else {
		for _, pl := range list {
			if t := k.best([]place{pl}, wantDir); t.Found {
				return t
			}
		}
	}
	if t := k.moved(list); t.Found {
		return t
	}
	if called := k.also.Called; called != nil && wiki && !wantDir {
		if pages := called(Fold(name)); len(pages) == 1 && k.Has(pages[0]) && pages[0].Served() {
			return Target{Path: pages[0], Found: true, Called: true}
		}
	}
	for _, pl := range list {
		if dir, ok := k.dirLike(pl.name); ok && !pl.anywhere {
			return Target{Dir: dir, IsDir: true, Found: true}
		}
	}
	if k.also.Folder == nil {
		return Target{}
	}
	for _, pl := range list {
		if pl.anywhere || pl.name == "" {
			continue
		}
		if dir, ok := k.also.Folder(pl.name); ok {
			if p, ok := k.homeIn(dir); ok {
				return Target{Path: p, Found: true, Moved: true}
			}
			return Target{Dir: dir, IsDir: true, Found: k.HasDir(dir), Moved: true}
		}
	}
	return Target{}
}

// moved finds what has had the name.
func (k asker) moved(list []place) Target {
	if k.also.Moved == nil {
		return Target{}
	}
	var best match
	var to Path
	others := false
	for i, pl := range list {
		fold := loose(pl.name)
		keys := []string{baseOf(fold)}
		if bare := looseBase(stripExt(pl.name)); bare != keys[0] {
			keys = append(keys, bare)
		}
		for _, key := range keys {
			for _, mv := range k.also.Moved(key) {
				level := equality(mv.From, true, pl.name, fold, pl.anywhere)
				if level == 0 || !k.Has(mv.To) || !mv.To.Served() {
					continue
				}
				m := match{level, 0, i, inexact(string(mv.From), pl), mv.From}
				others = others || to != "" && to != mv.To
				if to == "" || m.compare(best) < 0 {
					best, to = m, mv.To
				}
			}
		}
	}
	return Target{Path: to, Found: to != "", Moved: true, Ambiguous: others}
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
		fold := loose(pl.name)
		for u := range n.underNames(pl) {
			for p := range n.candidates(u.in, u.key, u.name, pl.anywhere) {
				if !p.Served() {
					continue
				}
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

// under is where candidates for a name are found: in one of the orders, by a key.
type under struct {
	in        order
	key, name string
}

// underNames yields where candidates for a place are found: by its name, and by that without a page extension.
func (n *Names) underNames(pl place) func(yield func(under) bool) {
	return func(yield func(under) bool) {
		names := []string{pl.name}
		if bare := stripExt(pl.name); bare != pl.name {
			names = append(names, bare)
		}
		for _, name := range names {
			u := under{inWhole, loose(name), name}
			if pl.anywhere {
				u.in = inBase
				if dir := dirOf(u.key); dir != "" {
					u.in, u.key = inTail, baseOf(u.key)+"/"+baseOf(dir)
				}
			}
			if !yield(u) {
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
	left := 100 // nearly always the first one tells
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
func (k asker) newPath(name string, wiki bool) Path {
	n, pr, from := k.Names, k.pr, k.from
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
