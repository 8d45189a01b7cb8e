package page

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// This file shows pages within a page. They are written in a paragraph or list item that holds nothing else; elsewhere
// they are links:
//
//	![[Page]]           the page (Obsidian)
//	![[Page#Heading]]   what stands under that heading, up to the next that is as high
//	![[Page#^name]]     the block of that name
//	[[include:Page]]    the page (Gollum)
//
// What is shown belongs to the page that it comes from: its links are resolved from there, links within it lead there, and
// its headings are not among those of the page around it. A page that would be shown within itself, or that is not there
// or would be too much, is a link.

const (
	maxEmbedDepth = 10      // pages in one another, as many as Gollum has
	maxEmbedded   = 6 << 20 // about bytes of all pages within a page, of their source, their trees and their HTML
	costEmbed     = 500     // in these bytes, of each place
	costOfNode    = 20      // and of each node of a tree,
	costOfLink    = 100     // each link that may mean something
	costOfHTML    = 4       // and each byte that passes the sanitiser
)

// embedding is what a page shares with all that are shown in it.
type embedding struct {
	pages map[Path]*embedded
	spent int // of maxEmbedded
	work  int // of maxWork
	count int // of places so far
}

// embedded is a page that is shown in another.
type embedded struct {
	doc      *Doc // nil if it cannot be read
	seen     map[Link]Target
	nodes    map[string]ast.Node // headings and named blocks by their ids
	headings *headings           // nil if it is shown as source
}

// location is a page, or what is under a heading of it.
type location struct {
	path     Path
	fragment string
}

// Reading is what a link means in a page that is shown in another.
type Reading struct {
	From   Path
	Link   Link
	Target Target
}

// Changed tells whether the link means something else here.
func (in Context) Changed(r Reading) bool { return in.Resolve(r.From, r.Link) != r.Target }

// readings are what the links of embedded pages were found to mean.
func (w *writer) readings() []Reading {
	if w.embedding == nil {
		return nil
	}
	var all []Reading
	for p, e := range w.embedding.pages {
		for l, t := range e.seen {
			all = append(all, Reading{p, l, t})
		}
	}
	return all
}

// isEmbed tells whether a node may be a page that is to be shown in its place.
func isEmbed(n ast.Node) bool {
	l, ok := n.(*wikiLink)
	if !ok || !l.link.Embed {
		return false
	}
	a, _ := l.link.parts()
	return !isImage(a) && plays(a) == ""
}

// onlyEmbeds tells whether a block of text is pages to be shown alone, with at least one.
func (w *writer) onlyEmbeds(n ast.Node) bool {
	if w.in.Source == nil || n.Kind() != ast.KindParagraph && n.Kind() != ast.KindTextBlock || n.FirstChild() == nil || !isEmbed(n.FirstChild()) {
		return false
	}
	found := false
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok && len(strings.TrimSpace(string(t.Segment.Value(w.doc.source)))) == 0 {
			continue
		}
		if !isEmbed(c) {
			return false
		}
		t := w.resolve(c.(*wikiLink).link)
		found = found || t.Found && t.Path.IsPage()
	}
	return found
}

// embeds writes a block of text that is pages alone.
func (w *writer) embeds(b util.BufWriter, n ast.Node) error {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		l, ok := c.(*wikiLink)
		if !ok {
			continue
		}
		t := w.resolve(l.link)
		why := ""
		if t.Found && t.Path.IsPage() {
			safe := ""
			if safe, why = w.embed(l.link, t); why == "" {
				w.island(b, safe)
				continue
			}
		}
		b.WriteString("<p>")
		var err error
		if why == "" {
			_, err = w.wiki(b, l, true)
		} else {
			err = w.refused(b, l.link, t, why)
		}
		b.WriteString("</p>\n")
		if err != nil {
			return err
		}
	}
	return nil
}

// refused writes a link to what is not shown, with the reason as its title.
func (w *writer) refused(b util.BufWriter, l Link, t Target, why string) error {
	href, _, _ := w.reference(l, t)
	b.WriteString("<a")
	if why == noPlace {
		attribute(b, "class", "missing")
	}
	attribute(b, "href", href)
	attribute(b, "title", why)
	b.WriteString(">" + html.EscapeString(t.Text) + "</a>")
	return w.spend(len(href) + len(t.Text))
}

const (
	noPlace   = "This page has no such part"
	tooMuch   = "This page is not shown here, as there is too much in this one"
	withinOwn = "This page is not shown here, as it would be shown within itself"
	tooDeeply = "This page is not shown here, as too many are in one another"
	notRead   = "This page could not be read"

	tooIntricate = "This page is too intricate to be shown here"
)

// embed is a page, or a part of it, as safe HTML; why tells why it is not shown.
func (w *writer) embed(l Link, t Target) (safe, why string) {
	all := w.others()
	at := location{t.Path, t.Fragment}
	switch {
	case slices.Contains(w.within, at):
		return "", withinOwn
	case len(w.within) > maxEmbedDepth:
		return "", tooDeeply
	case all.spent > maxEmbedded:
		return "", tooMuch
	}
	all.spent += costEmbed
	e := all.page(w, t.Path)
	switch {
	case e.doc != nil && e.doc.root == nil:
		return "", tooIntricate
	case all.spent > maxEmbedded:
		return "", tooMuch
	case e.doc == nil:
		return "", notRead
	}
	all.count++
	in := &writer{doc: e.doc, in: w.in, seen: e.seen, lexed: w.lexed, formulas: w.formulas, formulaCost: w.formulaCost,
		embedding: all, within: append(slices.Clone(w.within), at), prefix: "in-" + strconv.Itoa(all.count) + "-"}
	body, why := in.inside(e, t.Fragment)
	w.lexed, w.formulas, w.formulaCost, w.unsure = in.lexed, in.formulas, in.formulaCost, w.unsure || in.unsure
	all.spent += len(body)
	if why == "" && all.spent > maxEmbedded {
		why = tooMuch
	}
	if why != "" {
		return "", why
	}
	href, _, _ := w.reference(l, t)
	if href == "" || href[0] == '#' {
		href = w.in.URL(t.Path) + href
	}
	return `<div class="embed">` + "\n" + `<p class="embed-from"><a href="` + html.EscapeString(href) + `">` +
		html.EscapeString(e.doc.Title) + "</a></p>\n" + body + "</div>\n", ""
}

// others are the pages that this one needs to be shown.
func (w *writer) others() *embedding {
	if w.embedding == nil {
		w.embedding = &embedding{pages: map[Path]*embedded{}, work: w.doc.work}
		w.within = []location{{path: w.doc.Path}}
	}
	return w.embedding
}

// page reads a page, once.
func (all *embedding) page(w *writer, p Path) *embedded {
	e := all.pages[p]
	if e != nil {
		return e
	}
	e = &embedded{seen: map[Link]Target{}, nodes: map[string]ast.Node{}}
	all.pages[p] = e
	source, ok := w.in.Source(p)
	if all.spent += len(source); !ok || all.spent > maxEmbedded {
		return e
	}
	e.doc = parse(p, source, all.work)
	all.work = e.doc.work
	if e.doc.root == nil {
		if all.work > maxWork {
			all.spent += maxEmbedded
		}
		return e
	}
	all.spent += costOfLink * len(e.doc.Links)
	_ = ast.Walk(e.doc.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		all.spent += costOfNode
		switch id, _ := n.AttributeString("id"); id := id.(type) {
		case string:
			e.nodes[id] = n
		case []byte: // the name of a block
			e.nodes[string(id)] = n
			n.RemoveAttributes()
		}
		return ast.WalkContinue, nil
	})
	e.headings = newHeadings(e.doc)
	return e
}

// inside writes the page, or the part of it that a fragment names.
func (w *writer) inside(e *embedded, fragment string) (body, why string) {
	d := w.doc
	out := &output{}
	parts := d.parts
	if fragment != "" {
		n := e.find(fragment)
		if n == nil {
			return "", noPlace
		}
		last := n
		if h, ok := n.(*ast.Heading); ok {
			for next := n.NextSibling(); next != nil && next.Kind() != extast.KindFootnoteList; next = next.NextSibling() {
				if other, ok := next.(*ast.Heading); ok && other.Level <= h.Level {
					break
				}
				last = next
			}
		}
		parts = []part{{n, last, d.mixedAt(n, last)}}
		w.notes = map[int]bool{}
		if n.Kind() == ast.KindListItem {
			out.WriteString("<ul>\n")
			defer func() { body += "</ul>\n" }()
		}
	}
	for _, p := range parts {
		if err := w.part(out, p); err != nil || w.costly {
			w.embedding.spent += maxEmbedded
			return "", tooMuch
		}
	}
	if list, ok := d.root.LastChild().(*extast.FootnoteList); ok && len(w.notes) > 0 {
		if err := w.part(out, part{list, list, d.mixedAt(list, list)}); err != nil {
			return "", tooMuch
		}
	}
	return out.String(), ""
}

// mixedAt tells whether there is HTML of the author's in the blocks of the page that some nodes are in.
func (d *Doc) mixedAt(first, last ast.Node) bool {
	first, last = topOf(first), topOf(last)
	inside := false
	for _, p := range d.parts {
		for n := p.first; n != nil; n = n.NextSibling() {
			if inside = inside || n == first; inside && p.mixed {
				return true
			}
			if n == last {
				return false
			}
			if n == p.last {
				break
			}
		}
	}
	return false
}

// find is the heading or the block that a fragment means: an id, or the heading's own words, of "H1#H2" the one that is
// below the other.
func (e *embedded) find(fragment string) ast.Node {
	if id, ok := e.headings.under(strings.Split(fragment, "#")); ok && e.nodes[id] != nil {
		return e.nodes[id]
	}
	if i := strings.LastIndexByte(fragment, '#'); i >= 0 {
		fragment = fragment[i+1:]
	}
	for _, id := range []string{fragment, Slug(fragment)} {
		if n := e.nodes[ownID(id)]; n != nil && id != "" {
			return n
		}
	}
	return nil
}

// embeddedNode writes what looks otherwise within another page, above all what has an id; done is false for all other nodes.
func (w *writer) embeddedNode(b util.BufWriter, n ast.Node, entering bool) (status ast.WalkStatus, done bool) {
	switch n := n.(type) {
	case *ast.Heading:
		if id, _ := n.AttributeString("id"); w.doc.TitleH1 && id == w.doc.TitleID {
			return ast.WalkSkipChildren, true
		}
		if entering {
			fmt.Fprintf(b, "<h%d>", n.Level)
		} else {
			fmt.Fprintf(b, "</h%d>\n", n.Level)
		}
	case *contents:
		return ast.WalkSkipChildren, true
	case *extast.FootnoteLink:
		if entering && w.notes != nil {
			w.notes[n.Index] = true
		}
		return 0, false
	case *extast.Footnote:
		if w.notes != nil && !w.notes[n.Index] {
			return ast.WalkSkipChildren, true
		}
		if entering {
			fmt.Fprintf(b, "<li id=\"%sfn:%d\" value=\"%d\">\n", w.prefix, n.Index, n.Index)
		} else {
			b.WriteString("</li>\n")
		}
	case *extast.FootnoteBacklink:
		if entering {
			fmt.Fprintf(b, "\u00a0<a href=\"#%sfnref%s:%d\" class=\"footnote-backref\" role=\"doc-backlink\">↩︎</a>", w.prefix, refIndex(n.RefIndex), n.Index)
		}
	default:
		return 0, false
	}
	return ast.WalkContinue, true
}

// refIndex is what tells one reference to a footnote from another.
func refIndex(i int) string {
	if i == 0 {
		return ""
	}
	return strconv.Itoa(i)
}
