package page

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file finds the links of a page that may not lead where their author meant, and mends one.

// Doubt is a link that leads nowhere, or where perhaps it should not.
type Doubt struct {
	Link   Link
	Target Target
	Line   int    // in which it stands, from 1 on
	At     int    // the byte of the source at which its target begins
	Text   string // its target as it is written

	Misplaced bool       // it leads to a page that does not have the place which it names
	Near      []Fragment // headings there that could be meant, the likeliest first
}

// Fragment is a heading, and how the link would name it; see MendPlace.
type Fragment struct{ Heading, Name string }

// Doubtful tells whether a link may not lead where its author meant: nowhere, to one of several alike, to what is no
// longer called so, or to the side of the pipe that other readers of such pages would not take.
func (t Target) Doubtful() bool {
	return t.External == "" && (!t.Found || t.Ambiguous || t.Moved || t.Against)
}

// Doubts are the first doubtful links of a page, in its order, at most limit, and whether there are more. Those that name
// places of other pages are told by the pages that Source gives, as far as these can be read within bounds.
func Doubts(at Path, src []byte, in Context, limit int) (list []Doubt, more bool) {
	d := Parse(at, src)
	text, where := normalise(src)
	skip := len(text) - len(d.source)
	who := asker{in.Names.forPage(), in.Profile, at, in.Also}
	seen := map[Link]reading{}
	lines, counted, looked := 1, 0, 0
	done := map[span]bool{}
	there := &elsewhere{in: in, pages: map[Path]*placed{at: newPlaced(d)}, work: d.work}
	for _, s := range d.spots() {
		r, ok := seen[s.link]
		if !ok {
			if len(seen) == maxResolved {
				return list, true
			}
			r = who.read(s.link)
			seen[s.link] = r
		}
		_, place := s.part(r.second)
		start := where(place.start + skip)
		if start < 0 || done[place] {
			continue
		}
		var other *placed
		if !r.Doubtful() {
			if other = there.misses(r.Target); other == nil {
				continue
			}
		}
		done[place] = true
		if len(list) == limit {
			return list, true
		}
		if place.start < counted { // a definition, above the link
			lines, counted = 1, 0
		}
		for ; counted < place.start; counted++ {
			if d.source[counted] == '\n' {
				lines++
			}
		}
		one := Doubt{
			Link: s.link, Target: r.Target, Line: lines + bytes.Count(text[:skip], []byte("\n")), At: start,
			Text: string(d.source[place.start:place.end]),
		}
		if other != nil {
			one.Misplaced = true
			if looked++; looked <= maxLooked {
				one.Near = other.near(s.link, r.Fragment)
			}
		}
		list = append(list, one)
	}
	return list, false
}

// elsewhere reads the pages that links of a page name places of, so many and so many bytes at most.
type elsewhere struct {
	in    Context
	pages map[Path]*placed // nil for what is not read
	size  int
	work  int // of maxWork
}

// placed is a page with its Places.
type placed struct {
	*Doc
	places []string
}

const (
	maxElsewhere      = 100
	maxElsewhereBytes = 4 << 20
)

// newPlaced is nil for a page of which nobody can tell.
func newPlaced(d *Doc) *placed {
	places, ok := d.Places()
	if !ok {
		return nil
	}
	return &placed{d, places}
}

func (e *elsewhere) page(p Path) *placed {
	got, known := e.pages[p]
	if known || e.in.Source == nil || len(e.pages) > maxElsewhere || e.size > maxElsewhereBytes {
		return got
	}
	if src, ok := e.in.Source(p); ok {
		if e.size += len(src); e.size <= maxElsewhereBytes {
			d := parse(p, src, e.work)
			e.work = d.work
			got = newPlaced(d)
		}
	}
	e.pages[p] = got
	return got
}

// misses is the page that a target is in, when that does not have the place which the target names.
func (e *elsewhere) misses(t Target) *placed {
	if t.External != "" || !t.Found || t.IsDir || t.Fragment == "" || !t.Path.IsPage() {
		return nil
	}
	got := e.page(t.Path)
	if got == nil || Place(t.Fragment, func(fold string) bool {
		_, has := slices.BinarySearch(got.places, fold)
		return has
	}) {
		return nil
	}
	return got
}

const (
	maxNear   = 3   // headings that are offered for a link,
	maxLooked = 20  // links of a page that they are looked for,
	maxHeads  = 500 // and headings that are looked at
)

// near are the headings of a page that are close to a fragment, the likeliest first.
func (d *Doc) near(l Link, fragment string) []Fragment {
	type scored struct {
		Heading
		score float64
	}
	slug := func(s string) string { return Slug(s[:min(len(s), likeLongest)]) }
	want := slug(unescape(fragment[strings.LastIndexByte(fragment, '#')+1:]))
	var all []scored
	for _, h := range d.Outline[:min(len(d.Outline), maxHeads)] {
		name := slug(h.Text)
		longest := max(utf8.RuneCountInString(name), utf8.RuneCountInString(want), 1)
		score := max(1-float64(distance(name, want))/float64(longest), contained(name, want))
		if score >= 0.5 {
			all = append(all, scored{h, score})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	var list []Fragment
	for _, h := range all[:min(len(all), maxNear)] {
		name := h.ID
		if l.Wiki && Slug(h.Text) == h.ID && !strings.ContainsAny(h.Text, "[]|#^\\\n%") {
			name = h.Text // as all wikis with such links know it
		}
		list = append(list, Fragment{h.Text, name})
	}
	return list
}

// Mend makes the link whose target begins at a byte of the source, and is written as text there, lead to a file, and
// changes nothing but its target. When it leads there already, by the side of the pipe that the profile does not take, its
// sides change places. False when there is no such link, or nothing can be written that leads there.
func Mend(page Path, src []byte, in Context, at int, text string, to Path) ([]byte, bool) {
	d := Parse(page, src)
	all, where := normalise(src)
	skip := len(all) - len(d.source)
	who := asker{in.Names.forPage(), in.Profile, page, in.Also}
	for _, s := range d.spots() {
		r := who.read(s.link)
		part, place := s.part(r.second)
		raw := string(d.source[place.start:place.end])
		if where(place.start+skip) != at || raw != text || !in.Names.Has(to) {
			continue
		}
		if r.Against && r.Path == to {
			a, b := string(d.source[s.a.start:s.a.end]), string(d.source[s.b.start:s.b.end])
			return d.change(src, []edit{{s.a, b}, {s.b, a}})
		}
		want := Target{Path: to, Found: true, Fragment: r.Fragment}
		plain := who
		plain.also = Also{}
		tries := maxTries
		new, ok := Moves{}.respell(who, plain, s, r, part, raw, want, &tries)
		if !ok || new == raw {
			return nil, false
		}
		return d.change(src, []edit{{place, new}})
	}
	return nil, false
}

// MendPlace makes the link whose target begins at a byte of the source, and is written as text there, name another place of
// the page that it leads to, or with "" the page alone. It changes nothing but what follows the page's name. False when there
// is no such link, or it cannot be written so.
func MendPlace(page Path, src []byte, in Context, at int, text, name string) ([]byte, bool) {
	d := Parse(page, src)
	all, where := normalise(src)
	skip := len(all) - len(d.source)
	who := asker{in.Names.forPage(), in.Profile, page, in.Also}
	for _, s := range d.spots() {
		r := who.read(s.link)
		part, place := s.part(r.second)
		raw := string(d.source[place.start:place.end])
		if where(place.start+skip) != at || raw != text {
			continue
		}
		f := r.form
		if !f.split || !r.Found || f.page == "" && name == "" || f.skip+f.size > len(part) || !strings.HasPrefix(raw, part[:f.skip]) {
			return nil, false
		}
		tries := maxTries
		end := s.how.endOf(raw, f.skip, part[f.skip:f.skip+f.size], &tries)
		if end < 0 || end >= len(raw) || raw[end] != '#' {
			return nil, false
		}
		new := raw[:end]
		if name != "" {
			written := s.encodings(name, raw[end+1:], false)
			if len(written) == 0 {
				return nil, false
			}
			new += "#" + written[0]
		}
		l := s.link
		if got := part[:f.skip+f.size] + s.how.read(new[end:]); !l.Wiki || !r.second {
			l.A = got
		} else {
			l.B = got + l.B[min(len(l.B), strings.Index(l.B, part)+len(part)):]
		}
		if now := who.read(l); now.Path != r.Path || !now.Found || now.second != r.second || now.Fragment != name && unescape(now.Fragment) != name {
			return nil, false
		}
		return d.change(src, []edit{{place, new}})
	}
	return nil, false
}

// Alike are pages that a link could be meant to lead to, the likeliest first, at most limit: those that have the name in
// another folder, and those that have a name close to it.
func (n *Names) Alike(name string, limit int) []Path {
	if limit <= 0 {
		return nil
	}
	var all []Path
	key := looseBase(stripExt(name))
	for p := range n.candidates(inBase, key, baseOf(stripExt(name)), true) {
		if p.Served() && !p.Hidden() && len(all) < limit {
			all = append(all, p)
		}
	}
	for _, p := range n.Like(name, limit) {
		known := false
		for _, q := range all {
			known = known || p == q
		}
		if !known && len(all) < limit {
			all = append(all, p)
		}
	}
	return all
}
