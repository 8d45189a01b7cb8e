package page

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// This file writes the tree as HTML that may still hold whatever the author wrote; sanitise.go comes after it, always.

// Context is where a page is shown: links resolve against it.
type Context struct {
	Space   string
	Base    string // of all addresses, without "/" at its end; "" is the space's own: "/go"
	Names   *Names
	Profile Profile
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
// the space, the base, and what Names.Resolve says of the page's Links, on nothing else; many may ask at once. What would cost
// too much is shown as its source, with a notice.
func (d *Doc) HTML(in Context) string {
	if d.root == nil {
		return d.sourceHTML(d.notice)
	}
	if in.Names == nil {
		in.Names = &Names{all: sorted{order: byPath}, whole: sorted{order: byPath}, base: sorted{order: byRank}, tail: sorted{order: byPath}}
	}
	return d.show(&writer{doc: d, in: in, seen: map[Link]Target{}})
}

func (d *Doc) show(w *writer) string {
	r := renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(w, 1),
		util.Prioritized(extension.NewTableHTMLRenderer(
			extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
		util.Prioritized(extension.NewTaskCheckBoxHTMLRenderer(), 500),
		util.Prioritized(extension.NewFootnoteHTMLRenderer(), 500),
		util.Prioritized(gmhtml.NewRenderer(gmhtml.WithUnsafe()), 1000),
	))
	out := &limited{}
	if d.MetaErr != "" {
		fmt.Fprintf(out, "<div class=\"notice\"><p>%s</p></div>\n<pre><code class=\"language-yaml\">%s</code></pre>\n",
			html.EscapeString(d.MetaErr), html.EscapeString(d.meta))
	}
	if err := r.Render(out, d.source, d.root); err != nil {
		return d.sourceHTML(noticeCostly)
	}
	safe, err := sanitise(out.Bytes(), w)
	if err != nil {
		return d.sourceHTML(noticeCostly)
	}
	return safe
}

// sourceHTML shows the page as it was written.
func (d *Doc) sourceHTML(notice string) string {
	return "<div class=\"notice\"><p>" + html.EscapeString(notice) + "</p></div>\n<pre><code>" +
		html.EscapeString(d.meta) + html.EscapeString(string(d.source)) + "</code></pre>\n"
}

type limited struct{ bytes.Buffer }

func (l *limited) Write(b []byte) (int, error) {
	if l.Len()+len(b) > maxOutput {
		return 0, errOutput
	}
	return l.Buffer.Write(b)
}

// writer renders what differs from plain CommonMark. One is made for each call of HTML.
type writer struct {
	doc   *Doc
	in    Context
	seen  map[Link]Target
	spent int  // bytes of link destinations
	lexed int  // of codeWork
	toc   bool // a table of contents was written
}

func (w *writer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindHeading, w.heading)
	reg.Register(ast.KindLink, w.link)
	reg.Register(ast.KindImage, w.image)
	reg.Register(ast.KindAutoLink, w.autoLink)
	reg.Register(ast.KindFencedCodeBlock, w.code)
	reg.Register(kindWikiLink, w.wiki)
	reg.Register(kindCallout, w.callout)
	reg.Register(kindContents, w.contents)
}

func (w *writer) heading(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Heading)
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
		fmt.Fprintf(b, " <a class=\"anchor\" href=\"#%s\" aria-label=\"Link to this section\"></a></h%d>\n",
			html.EscapeString(url.PathEscape(id)), n.Level)
	}
	return ast.WalkContinue, nil
}

func (w *writer) resolve(l Link) Target {
	l.Start, l.End = 0, 0
	t, ok := w.seen[l]
	if !ok {
		t = w.in.Names.Resolve(w.in.Profile, w.doc.Path, l)
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
		return l, Target{External: string(to)}
	}
	return l, Target{}
}

// reference is the address of a target with the class and title that tell what it is; "" if it has none.
func (w *writer) reference(l Link, t Target) (href, class, title string) {
	fragment := ""
	if t.Fragment != "" {
		fragment = "#" + url.PathEscape(w.fragment(l, t))
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
	case t.Path == w.doc.Path && fragment != "":
		return fragment, "", ""
	}
	return w.in.URL(t.Path) + fragment, "", ""
}

// fragment is the id that a fragment means: wiki links name the heading itself, the last of "H1#H2".
func (w *writer) fragment(l Link, t Target) string {
	f := t.Fragment
	if l.Wiki && t.Path.IsPage() && !strings.HasPrefix(f, "^") {
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

// open writes the start of a link.
func (w *writer) open(b util.BufWriter, l Link, t Target, title string) error {
	href, class, note := w.reference(l, t)
	if title == "" {
		title = note
	}
	b.WriteString("<a")
	attribute(b, "href", href)
	attribute(b, "class", class)
	attribute(b, "title", title)
	b.WriteString(">")
	return w.spend(len(href) + len(title))
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
		fmt.Fprintf(b, " %s=\"%s\"", name, html.EscapeString(value))
	}
}

func (w *writer) link(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		b.WriteString("</a>")
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Link)
	l, t := w.written(n.Destination, false)
	return ast.WalkContinue, w.open(b, l, t, string(n.Title))
}

func (w *writer) autoLink(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	href, label := string(n.URL(source)), string(n.Label(source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(href), "mailto:") {
		href = "mailto:" + href
	}
	err := w.open(b, Link{}, Target{External: href}, "")
	b.WriteString(html.EscapeString(label) + "</a>")
	return ast.WalkContinue, err
}

func (w *writer) image(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	l, t := w.written(n.Destination, true)
	alt, width, height := w.doc.inlineText(n), 0, 0
	if text, size, ok := strings.Cut(alt, "|"); ok { // Obsidian: ![alt|300](pic.png)
		if rest, x, y := imageOptions(size); rest == "" && (x > 0 || y > 0) {
			alt, width, height = text, x, y
		}
	}
	return ast.WalkSkipChildren, w.picture(b, l, t, alt, string(n.Title), width, height)
}

// picture writes an image, or for one that is not there a link to where it would be.
func (w *writer) picture(b util.BufWriter, l Link, t Target, alt, title string, width, height int) error {
	src, class, note := w.reference(l, t)
	if class != "" {
		b.WriteString("<a")
		attribute(b, "href", src)
		attribute(b, "class", class)
		attribute(b, "title", note)
		b.WriteString(">" + html.EscapeString(alt) + "</a>")
		return w.spend(len(src) + len(alt))
	}
	fmt.Fprintf(b, "<img src=\"%s\" alt=\"%s\"", html.EscapeString(src), html.EscapeString(alt))
	attribute(b, "title", title)
	if width > 0 {
		attribute(b, "width", strconv.Itoa(width))
	}
	if height > 0 {
		attribute(b, "height", strconv.Itoa(height))
	}
	b.WriteString(" loading=\"lazy\">")
	return w.spend(len(src) + len(alt) + len(title))
}

func (w *writer) wiki(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*wikiLink)
	if !entering || n.link.A == "_TOC_" {
		return ast.WalkContinue, nil
	}
	l := n.link
	l.Start, l.End = 0, 0
	t := w.resolve(l)
	if a, options := l.parts(); isImage(a) && (l.Embed || w.in.Profile == Gollum) {
		alt, width, height := imageOptions(options)
		if alt == "" {
			alt = stripImageExt(baseOf(a))
		}
		return ast.WalkContinue, w.picture(b, l, t, alt, "", width, height)
	}
	err := w.open(b, l, t, "")
	b.WriteString(html.EscapeString(t.Text) + "</a>")
	return ast.WalkContinue, err
}

func stripImageExt(s string) string { return s[:max(0, strings.LastIndexByte(s, '.'))] }

func (w *writer) callout(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	name := node.(*callout).name
	if entering {
		fmt.Fprintf(b, "<div class=\"callout %s\">\n<p class=\"callout-title\">%s</p>\n", name, strings.ToUpper(name[:1])+name[1:])
	} else {
		b.WriteString("</div>\n")
	}
	return ast.WalkContinue, nil
}

// contents writes the outline as nested lists, once for a page.
func (w *writer) contents(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering || w.toc || len(w.doc.Outline) == 0 {
		return ast.WalkContinue, nil
	}
	w.toc = true
	top := 6
	for _, h := range w.doc.Outline {
		top = min(top, h.Level)
	}
	b.WriteString("<nav class=\"toc\">")
	var open []int // levels of the lists that are open
	for _, h := range w.doc.Outline {
		if h.Level >= top+node.(*contents).levels {
			continue
		}
		for len(open) > 1 && open[len(open)-1] > h.Level {
			b.WriteString("</li></ul>")
			open = open[:len(open)-1]
		}
		if len(open) == 0 || open[len(open)-1] < h.Level {
			b.WriteString("<ul>")
			open = append(open, h.Level)
		} else {
			b.WriteString("</li>")
		}
		fmt.Fprintf(b, "<li><a href=\"#%s\">%s</a>", html.EscapeString(url.PathEscape(h.ID)), html.EscapeString(h.Text))
	}
	b.WriteString(strings.Repeat("</li></ul>", len(open)) + "</nav>\n")
	return ast.WalkContinue, nil
}
