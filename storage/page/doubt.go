package page

import "bytes"

// This file finds the links of a page that may not lead where their author meant, and mends one.

// Doubt is a link that leads nowhere, or where perhaps it should not.
type Doubt struct {
	Link   Link
	Target Target
	Line   int    // in which it stands, from 1 on
	At     int    // the byte of the source at which its target begins
	Text   string // its target as it is written
}

// Doubtful tells whether a link may not lead where its author meant: nowhere, to one of several alike, to what is no
// longer called so, or to the side of the pipe that other readers of such pages would not take.
func (t Target) Doubtful() bool {
	return t.External == "" && (!t.Found || t.Ambiguous || t.Moved || t.Against)
}

// Doubts are the first doubtful links of a page, in its order, at most limit, and whether there are more.
func Doubts(at Path, src []byte, in Context, limit int) (list []Doubt, more bool) {
	d := Parse(at, src)
	text, where := normalise(src)
	skip := len(text) - len(d.source)
	who := asker{in.Names.forPage(), in.Profile, at, in.Also}
	seen := map[Link]reading{}
	lines, counted := 1, 0
	done := map[span]bool{}
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
		if !r.Doubtful() || start < 0 || done[place] {
			continue
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
		list = append(list, Doubt{
			Link: s.link, Target: r.Target, Line: lines + bytes.Count(text[:skip], []byte("\n")), At: start,
			Text: string(d.source[place.start:place.end]),
		})
	}
	return list, false
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
