package page

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// This file writes the tree as HTML. What it writes of its own is safe as it is written: text and attributes are
// escaped, addresses have a scheme that may be followed, tags stand where a browser expects them. Blocks that hold HTML
// of the author's pass the sanitiser as well (see raw.go, sanitise.go). A test holds the two to the same: what is safe
// comes out of the sanitiser as it went in.

// Context is where a page is shown: links resolve against it.
type Context struct {
	Space string
	Base  string // of all addresses, without "/" at its end; "" is the space's own: "/go"
	Names *Names
	// Source gives the text of another page, to be shown where a page embeds it; false if it cannot be read. With nil what
	// is embedded is a link.
	Source  func(Path) ([]byte, bool)
	Profile Profile
	Also    Also // what names mean beside those of Names

	Picture func(Path) Picture // what a picture's header says; nil, or the zero Picture, when it is not known
}

// Resolve finds what a link on a page means here.
func (in Context) Resolve(from Path, l Link) Target {
	return asker{in.Names, in.Profile, from, in.Also}.read(l).Target
}

// OnePage is the same for the links of one page, which together cost no more than a page may. For one goroutine.
func (in Context) OnePage() Context {
	in.Names = in.Names.forPage()
	return in
}

// URL is the escaped address of a file or page: URL, under the base.
func (in Context) URL(p Path) string { return in.root() + escapePath(p.Address()) }

func (in Context) root() string {
	if in.Base != "" {
		return in.Base + "/"
	}
	return "/" + in.Space + "/"
}

// maxOutput bounds what a page of at most a few megabytes may become: one long address with many references to it
// would be gigabytes.
const maxOutput = 8 << 20

var errOutput = errors.New("output too long")

// HTML is the page's body as sanitised HTML: safe to put into any page of ours. It depends on the page's bytes and path,
// the space, the base, what the page's Links mean and Picture says of the pictures among them, and in turn on the pages
// that it embeds, which it asks Source for; on nothing else. Many may ask at once. What would cost too much is shown as
// its source, with a notice.
func (d *Doc) HTML(in Context) string {
	html, _, _ := d.Show(in)
	return html
}

// Show is HTML, with what the links of embedded pages mean: on that, and on the bytes of these pages, HTML depends as well.
// It is sure unless a formula could not be made this time: another time it may look otherwise.
func (d *Doc) Show(in Context) (html string, within []Reading, sure bool) {
	if d.root == nil {
		return d.sourceHTML(d.notice), nil, true
	}
	if in.Names == nil {
		in.Names = NewNames(func(func(Path) bool) {})
	}
	w := &writer{doc: d, in: in.OnePage(), seen: map[Link]Target{}}
	html = d.show(w)
	return html, w.readings(), !w.unsure
}

// maxResolved bounds the links of a page that mean something each: more are no page that a person has written.
const maxResolved = 20_000

// maxDerived bounds those of them for which what is derived is asked.
const maxDerived = 1000

// Targets is what the page's Links mean where it is shown: with its bytes, all that HTML depends on.
func (d *Doc) Targets(in Context) []Target {
	w := &writer{doc: d, in: in.OnePage(), seen: map[Link]Target{}}
	all := make([]Target, len(d.Links))
	for i, l := range d.Links {
		all[i] = w.resolve(l)
	}
	return all
}

func (d *Doc) show(w *writer) string {
	out := &output{}
	out.Grow(2 * len(d.source))
	if d.MetaErr != "" {
		fmt.Fprintf(out, "<div class=\"notice\"><p>%s</p></div>\n<pre><code class=\"language-yaml\">%s</code></pre>\n",
			html.EscapeString(d.MetaErr), html.EscapeString(d.meta))
	}
	for _, p := range d.parts {
		if err := w.part(out, p); err != nil || w.costly {
			return d.sourceHTML(noticeCostly)
		}
	}
	return out.String()
}

// part writes some blocks of the page: those in which the author wrote tags of their own pass the sanitiser, together.
func (w *writer) part(out *output, p part) error {
	to := out
	if p.mixed {
		to, w.mixed = &output{}, true
		defer func() { w.mixed = false }()
	}
	for n := p.first; n != nil; n = n.NextSibling() {
		if err := ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			return w.node(to, w.doc.source, n, entering)
		}); err != nil {
			return err
		}
		if n == p.last {
			break
		}
	}
	if p.mixed {
		if w.prefix != "" {
			w.embedding.spent += costOfHTML * to.Len()
		}
		safe, err := w.sanitise(to.Bytes())
		if err != nil {
			return err
		}
		out.WriteString(safe)
	}
	return cmp.Or(to.Flush(), out.Flush())
}

// sourceHTML shows the page as it was written.
func (d *Doc) sourceHTML(notice string) string {
	return "<div class=\"notice\"><p>" + html.EscapeString(notice) + "</p></div>\n<pre><code>" +
		html.EscapeString(d.meta) + html.EscapeString(string(d.source)) + "</code></pre>\n"
}

// output is what a page becomes. When that is too much the rest is dropped, and Flush says so.
type output struct {
	bytes.Buffer
	full bool
}

var _ util.BufWriter = (*output)(nil)

func (o *output) Buffered() int { return 0 }

func (o *output) Flush() error {
	if o.full {
		return errOutput
	}
	return nil
}

// fits tells whether n more bytes may be written.
func (o *output) fits(n int) bool {
	o.full = o.full || o.Len()+n > maxOutput
	return !o.full
}

func (o *output) Write(b []byte) (int, error) {
	if !o.fits(len(b)) {
		return 0, errOutput
	}
	return o.Buffer.Write(b)
}

func (o *output) WriteString(s string) (int, error) {
	if !o.fits(len(s)) {
		return 0, errOutput
	}
	return o.Buffer.WriteString(s)
}

func (o *output) WriteByte(c byte) error {
	if !o.fits(1) {
		return errOutput
	}
	return o.Buffer.WriteByte(c)
}

func (o *output) WriteRune(r rune) (int, error) {
	if !o.fits(utf8.UTFMax) {
		return 0, errOutput
	}
	return o.Buffer.WriteRune(r)
}

// writer renders a page. One is made for each call of HTML.
type writer struct {
	doc     *Doc
	in      Context
	seen    map[Link]Target
	spent   int      // bytes of link destinations
	lexed   int      // of codeWork
	link    ast.Node // the Markdown link that is being written: there is none within another
	mixed   bool     // what is written passes the sanitiser
	mark    string   // begins the names of islands' marks
	islands []string // what takes the places of those marks

	headings *headings // of doc, once a link asks
	costly   bool      // more links than maxResolved
	derived  int       // links for which Also was asked

	formulas    map[formulaKey]formulaHTML // that were written
	formulaCost int                        // of costPage
	unsure      bool                       // some could not be made this time

	embedding *embedding   // nil until something is embedded
	within    []location   // what is shown in one another here; with prefix, it is embedded itself
	prefix    string       // of ids, in what is embedded
	notes     map[int]bool // the footnotes of the part of a page that is embedded; nil for all
}

// plainly writes what is as in plain CommonMark and in goldmark's extensions. It is given no HTML of the author.
var plainly = sync.OnceValue(func() map[ast.NodeKind]renderer.NodeRendererFunc {
	m := renderers{}
	for _, r := range []renderer.NodeRenderer{
		gmhtml.NewRenderer(),
		extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.NewStrikethroughHTMLRenderer(),
		extension.NewFootnoteHTMLRenderer(),
		extension.NewDefinitionListHTMLRenderer(),
	} {
		r.RegisterFuncs(m)
	}
	return m
})

type renderers map[ast.NodeKind]renderer.NodeRendererFunc

func (m renderers) Register(k ast.NodeKind, f renderer.NodeRendererFunc) { m[k] = f }

// node writes the start or the end of a node. Whatever it writes must be safe, with each tag closed where the HTML parser of
// a browser expects it: a paragraph has no block in it, a link no link. Only rawHTML and htmlBlock write what the author
// wrote.
func (w *writer) node(b util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if w.prefix != "" {
		if status, done := w.embeddedNode(b, n, entering); done {
			return status, nil
		}
	}
	if w.onlyEmbeds(n) {
		if entering {
			return ast.WalkSkipChildren, w.embeds(b, n)
		}
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.Heading:
		return w.heading(b, n, entering)
	case *ast.Link:
		return w.markdownLink(b, n, entering)
	case *ast.Image:
		return w.image(b, n, entering)
	case *ast.AutoLink:
		return w.autoLink(b, n, entering)
	case *ast.FencedCodeBlock:
		return w.code(b, n, entering)
	case *ast.HTMLBlock:
		return w.htmlBlock(b, n, entering)
	case *ast.RawHTML:
		return w.rawHTML(b, n, entering)
	case *task:
		return w.box(b, n, entering)
	case *extast.FootnoteLink:
		return w.noteLink(b, n, entering)
	case *wikiLink:
		return w.wiki(b, n, entering)
	case *callout:
		return w.callout(b, n, entering)
	case *calloutTitle:
		return w.calloutTitle(b, n, entering)
	case *contents:
		return w.contents(b, n, entering)
	case *formula:
		return w.formula(b, n, entering)
	case *formulaBlock:
		return w.formulaBlock(b, n, entering)
	case *marked:
		return w.marked(b, entering)
	case *emoji:
		if entering {
			b.WriteString(n.value)
		}
		return ast.WalkContinue, nil
	case *comment:
		return ast.WalkContinue, nil
	case *commentBlock:
		return w.commentBlock(b, n, entering)
	case *ast.Paragraph:
		if isComment(n) {
			return ast.WalkSkipChildren, nil
		}
	}
	if f := plainly()[n.Kind()]; f != nil {
		return f(b, source, n, entering)
	}
	return ast.WalkContinue, nil
}

func (w *writer) heading(b util.BufWriter, n *ast.Heading, entering bool) (ast.WalkStatus, error) {
	id := ""
	if v, ok := n.AttributeString("id"); ok {
		id, _ = v.(string)
	}
	switch {
	case w.doc.TitleH1 && id == w.doc.TitleID:
		return ast.WalkSkipChildren, nil
	case entering:
		fmt.Fprintf(b, "<h%d id=\"%s\">", n.Level, html.EscapeString(id))
	default:
		fmt.Fprintf(b, " <a aria-label=\"Link to this section\" class=\"anchor\" href=\"#%s\"></a></h%d>\n",
			html.EscapeString(url.PathEscape(id)), n.Level)
	}
	return ast.WalkContinue, nil
}

func (w *writer) markdownLink(b util.BufWriter, n *ast.Link, entering bool) (ast.WalkStatus, error) {
	if !entering {
		if w.link == n {
			b.WriteString("</a>")
			w.link = nil
		}
		return ast.WalkContinue, nil
	}
	l, t := w.written(n.Destination, false)
	opened, err := w.open(b, l, t, unescapeText(n.Title))
	if opened {
		w.link = n
	}
	return ast.WalkContinue, err
}

func (w *writer) autoLink(b util.BufWriter, n *ast.AutoLink, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	href, label := string(n.URL(w.doc.source)), string(n.Label(w.doc.source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(href), "mailto:") {
		href = "mailto:" + href
	}
	return ast.WalkContinue, w.linked(b, Link{}, Target{External: href}, label)
}

// linked writes a link with plain text.
func (w *writer) linked(b util.BufWriter, l Link, t Target, label string) error {
	opened, err := w.open(b, l, t, "")
	b.WriteString(html.EscapeString(label))
	if opened {
		b.WriteString("</a>")
	}
	return err
}

func (w *writer) image(b util.BufWriter, n *ast.Image, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	l, t := w.written(n.Destination, true)
	alt, width, height := strings.Join(strings.Fields(w.doc.inlineText(n, false)), " "), 0, 0
	if text, size, ok := strings.Cut(alt, "|"); ok { // Obsidian: ![alt|300](pic.png)
		if rest, x, y := imageOptions(size); rest == "" && (x > 0 || y > 0) {
			alt, width, height = text, x, y
		}
	}
	if size, ok := n.AttributeString("size"); ok {
		size, _ := size.(string)
		_, width, height = imageOptions(size)
	}
	if width == 0 && height == 0 {
		width = askedWidth(string(n.Destination))
	}
	return ast.WalkSkipChildren, w.picture(b, l, t, alt, unescapeText(n.Title), width, height)
}

// picture writes an image, or for one that is not there a link to where it would be.
func (w *writer) picture(b util.BufWriter, l Link, t Target, alt, title string, width, height int) error {
	src, class, _ := w.reference(l, t)
	if t.External != "" {
		if frame, ok := frameOf(src); ok && w.link == nil {
			return w.film(b, src, frame, alt, title)
		}
		src = safeAddress(src)
	}
	if class != "" || src == "" {
		return w.linked(b, l, t, alt)
	}
	if element := plays(string(t.Path)); element != "" && w.link == nil {
		return w.player(b, element, src, alt, title)
	}
	width, height, smaller := w.pictureOf(t).fit(width, height)
	whole := src
	// Where the author's HTML is around it, there may be a link already: then it is shown as it is.
	if smaller > 0 && !w.mixed && !strings.ContainsAny(src, "?#") {
		src += "?width=" + strconv.Itoa(smaller)
		if w.link == nil {
			b.WriteString("<a")
			attribute(b, "href", whole)
			b.WriteString(" class=\"whole\" title=\"The whole picture\">")
			defer b.WriteString("</a>")
		}
	}
	b.WriteString("<img")
	attribute(b, "src", src)
	b.WriteString(" alt=\"")
	b.WriteString(html.EscapeString(alt))
	b.WriteString("\"")
	attribute(b, "title", title)
	if width > 0 {
		attribute(b, "width", strconv.Itoa(width))
	}
	if height > 0 {
		attribute(b, "height", strconv.Itoa(height))
	}
	b.WriteString(" loading=\"lazy\"/>")
	return w.spend(len(src) + len(alt) + len(title))
}

func (w *writer) wiki(b util.BufWriter, n *wikiLink, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	l := n.link
	l.Start, l.End = 0, 0
	t := w.resolve(l)
	if a, options := l.parts(); isImage(a) && (l.Embed || w.in.Profile == Gollum) || plays(a) != "" && l.Embed {
		alt, width, height := imageOptions(options)
		if alt == "" {
			alt = stripImageExt(baseOf(a))
		}
		return ast.WalkContinue, w.picture(b, l, t, alt, "", width, height)
	}
	return ast.WalkContinue, w.linked(b, l, t, t.Text)
}

func stripImageExt(s string) string { return s[:max(0, strings.LastIndexByte(s, '.'))] }

// noteLink writes the number that leads to a footnote.
func (w *writer) noteLink(b util.BufWriter, n *extast.FootnoteLink, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	fmt.Fprintf(b, "<sup id=\"%sfnref%s:%d\">", w.prefix, refIndex(n.RefIndex), n.Index)
	if w.link == nil {
		fmt.Fprintf(b, "<a class=\"footnote-ref\" href=\"#%sfn:%d\" role=\"doc-noteref\">%d</a>", w.prefix, n.Index, n.Index)
	} else {
		fmt.Fprintf(b, "%d", n.Index)
	}
	b.WriteString("</sup>")
	return ast.WalkContinue, nil
}
