package page

import (
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark/util"
)

// This file writes where the links of a page lead: addresses, the ids of headings, and the start of a link.

func (w *writer) resolve(l Link) Target {
	l.Start, l.End = 0, 0
	t, ok := w.seen[l]
	switch {
	case ok:
	case len(w.seen) == maxResolved:
		w.costly = true
	default:
		in := w.in
		if w.derived >= maxDerived {
			in.Also = Also{}
		}
		t = in.Resolve(w.doc.Path, l)
		if t.Derived() {
			w.derived++
		}
		w.seen[l] = t
	}
	return t
}

// written is the link of a Markdown destination and what it means: one that is too long is good for other sites only.
func (w *writer) written(to []byte, embed bool) (Link, Target) {
	l := Link{A: destination(to), Embed: embed}
	switch {
	case l.A != "" || len(to) == 0:
		return l, w.resolve(l)
	case isExternal(string(to)):
		return l, Target{External: unescapeText(to)}
	}
	return l, Target{}
}

// reference is the address of a target with the class and title that tell what it is; "" if it has none.
func (w *writer) reference(l Link, t Target) (href, class, title string) {
	fragment := ""
	if id := w.fragment(l, t); t.Fragment != "" && id != "" {
		fragment = "#" + url.PathEscape(id)
	}
	switch {
	case t.External != "":
		return t.External, "", ""
	case t.IsDir:
		dir := ""
		if t.Dir != "" {
			dir = escapePath(t.Dir) + "/"
		}
		return w.in.root() + dir + fragment, "", ""
	case t.Path == "":
		return "", "missing", "No page can have this name"
	case !t.Found && t.Path.IsPage() && w.in.Base != "": // nobody writes there
		return w.in.URL(t.Path), "missing", "This page is not there"
	case !t.Found && t.Path.IsPage():
		return "/" + w.in.Space + "/-/edit/" + escapePath(t.Path.Address()), "missing", "This page is not written yet"
	case !t.Found:
		return w.in.URL(t.Path), "missing", "This file is not there"
	case t.Path == w.doc.Path && fragment != "" && w.prefix == "":
		return fragment, "", ""
	}
	return w.in.URL(t.Path) + fragment, "", ""
}

// fragment is the id that a fragment means: wiki links name the heading itself, of "H1#H2" the one that is below the other.
func (w *writer) fragment(l Link, t Target) string {
	f := t.Fragment
	if l.Wiki && t.Path.IsPage() && !strings.HasPrefix(f, "^") {
		if h := w.headingsOf(t, strings.Contains(f, "#")); h != nil {
			if id, ok := h.under(strings.Split(f, "#")); ok {
				return id
			}
		}
		if i := strings.LastIndexByte(f, '#'); i >= 0 {
			f = f[i+1:]
		}
		f = Slug(f)
	} else if t.Path == w.doc.Path {
		if _, ok := w.doc.ids[f]; !ok {
			if _, ok := w.doc.ids[Slug(f)]; ok {
				f = Slug(f)
			}
		}
	}
	return ownID(f)
}

// headingsOf is the headings of the page that a link leads to; nil when they are not known. Another page is read for a
// heading below another only, as the id of any other is in its words.
func (w *writer) headingsOf(t Target, below bool) *headings {
	switch {
	case t.Path == w.doc.Path:
		if w.headings == nil {
			w.headings = newHeadings(w.doc)
		}
		return w.headings
	case !below || !t.Found || w.in.Source == nil:
		return nil
	}
	all := w.others()
	if all.pages[t.Path] == nil && all.spent > maxEmbedded {
		return nil
	}
	return all.page(w, t.Path).headings
}

// headings finds those of a page by what links call them.
type headings struct {
	of  []Heading
	at  map[string][]int // by slug, in order
	end []int            // the next that is not below it
}

func newHeadings(d *Doc) *headings {
	of := d.Outline
	if d.TitleH1 {
		of = append([]Heading{{1, d.TitleID, d.Title}}, of...)
	}
	h := &headings{of: of, at: map[string][]int{}, end: make([]int, len(of))}
	var open []int // those that the last one is in
	for i := range of {
		slug := Slug(of[i].Text)
		h.at[slug] = append(h.at[slug], i)
		for len(open) > 0 && of[open[len(open)-1]].Level >= of[i].Level {
			h.end[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
		open = append(open, i)
	}
	for _, i := range open {
		h.end[i] = len(of)
	}
	return h
}

// under is the id of the last of some headings, each of which is below the one before.
func (h *headings) under(names []string) (string, bool) {
	last, end := -1, len(h.of)
	for _, name := range names {
		all := h.at[Slug(name)]
		i, _ := slices.BinarySearch(all, last+1)
		if i == len(all) || all[i] >= end {
			return "", false
		}
		last = all[i]
		end = h.end[last]
	}
	return h.of[last].ID, true
}

// open writes the start of a link; false if it writes none, within another link or where a browser may not be sent.
func (w *writer) open(b util.BufWriter, l Link, t Target, title string) (bool, error) {
	href, class, note := w.reference(l, t)
	if title == "" {
		title = note
	}
	abroad := t.External != ""
	if abroad {
		href = safeAddress(href)
	}
	if w.link != nil || href == "" && class == "" {
		return false, nil
	}
	b.WriteString("<a")
	attribute(b, "class", class)
	attribute(b, "href", href)
	attribute(b, "title", title)
	if abroad {
		b.WriteString(" rel=\"nofollow ugc noopener\"")
	}
	b.WriteString(">")
	return true, w.spend(len(href) + len(title))
}

// safeAddress is the address of another site as a browser may be given it; "" if it may not.
func safeAddress(raw string) string {
	u, err := url.Parse(string(util.URLEscape([]byte(strings.TrimSpace(raw)), false)))
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "http", "https", "mailto", "":
		return u.String()
	}
	return ""
}

// spend counts bytes that a definition makes many of, to stop before they are all written.
func (w *writer) spend(n int) error {
	if w.spent += n; w.spent > maxOutput {
		return errOutput
	}
	return nil
}

func attribute(b util.BufWriter, name, value string) {
	if value != "" {
		b.WriteString(" ")
		b.WriteString(name)
		b.WriteString("=\"")
		b.WriteString(html.EscapeString(value))
		b.WriteString("\"")
	}
}
