package page

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// Heading is one entry of the outline.
type Heading struct {
	Level int
	// ID is the id that the heading has in HTML, made as GitHub does, so that "#set-up" works everywhere. Ids that begin
	// with "cairn-" belong to the pages around the text; such a heading gets "h-" before its own.
	ID   string
	Text string
}

// Doc is a parsed page. It does not change, so it may be shown by many at once.
type Doc struct {
	Path    Path
	Title   string // front matter, else first-block H1, else file name
	TitleH1 bool   // the title is the page's first H1, which HTML and Outline leave out so that it is shown once
	TitleID string // with TitleH1, the id of that heading, for whoever shows it
	Tags    []string
	Aliases []string
	Lang    string
	Owner   string    // who looks after the page, if it says so: one name, or several with commas
	Review  time.Time // the day by which somebody should look it through; zero if it does not say
	Outline []Heading
	Links   []Link         // all that HTML resolves, in the order of the text; links and images in raw HTML once each
	Text    string         // plain text of the body for search and snippets, without front matter and markup
	Meta    map[string]any // front matter; nil if none
	MetaErr string         // why the front matter could not be read, a sentence; its text is then shown

	source []byte   // the body as it was parsed: valid UTF-8, lines end in "\n"
	root   ast.Node // nil if the page is shown as source
	meta   string   // the front matter as written, when MetaErr is set
	notice string   // why the page is shown as source
	work   int      // of maxWork
	ids    map[string]int
	named  []string      // blocks and HTML that have a name
	raw    map[Link]bool // the links in raw HTML that are in Links; HTML leaves others as they are
	parts  []part
	simple map[ast.Node]bool // of what holds HTML: whether that is simple tags alone
	tasks  []*task
	lines  []int // where lines of source begin, when there are tasks
}

// Parse never fails: what cannot be understood is shown as text.
func Parse(at Path, src []byte) *Doc { return parse(at, src, 0) }

// parse is Parse where so much of maxWork was done for others.
func parse(at Path, src []byte, done int) *Doc {
	d, where, above := parseTree(at, src, done)
	if d.root == nil {
		d.Text = string(d.source)
	} else {
		d.collect(where, above)
	}
	if d.Title == "" {
		d.Title = at.Title()
	}
	return d
}

// parseLinks is Parse for whoever wants nothing but spots, as a move does of very many pages: it makes no text, outline or
// tags of the tree.
func parseLinks(at Path, src []byte) *Doc {
	d, _, _ := parseTree(at, src, 0)
	if d.root == nil || bytes.IndexByte(d.source, '<') < 0 {
		return d
	}
	_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			d.collectHTML(n)
		}
		return ast.WalkContinue, nil
	})
	return d
}

// parseTree parses the page, and says where a byte of its source is in src and how many lines are above it.
func parseTree(at Path, src []byte, done int) (d *Doc, place func(int) int, above int) {
	d = &Doc{Path: at, ids: map[string]int{}}
	text, where := normalise(src)
	meta, skip := splitMeta(text)
	if skip > 0 {
		switch root, err := decodeMeta(meta); {
		case err != nil:
			d.MetaErr, d.meta = err.Error(), string(meta)
		case root != nil:
			d.readMeta(root)
		case len(bytes.TrimSpace(meta)) > 0:
			skip = 0 // two rules with a paragraph between them
		}
	}
	d.source = text[skip:]
	d.root, d.notice, d.work = parseMarkdown(d.source, done)
	if d.root != nil {
		d.arrange()
	}
	return d, func(i int) int { return where(i + skip) }, bytes.Count(text[:skip], []byte("\n"))
}

// normalise makes valid UTF-8 with "\n" at line ends and no byte order mark; where gives the place in src of a byte of
// the result, -1 if it is not known.
func normalise(src []byte) (text []byte, where func(int) int) {
	bom := 0
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		bom = 3
	}
	text = src[bom:]
	known := true
	if !utf8.Valid(text) {
		text, known = bytes.ToValidUTF8(text, []byte("\ufffd")), false
	}
	var gone []int // where in the result a "\r" was left out before
	if bytes.IndexByte(text, '\r') >= 0 {
		out := make([]byte, 0, len(text))
		for i, c := range text {
			switch {
			case c != '\r':
				out = append(out, c)
			case i+1 < len(text) && text[i+1] == '\n':
				gone = append(gone, len(out))
			default:
				out = append(out, '\n')
			}
		}
		text = out
	}
	return text, func(i int) int {
		if !known {
			return -1
		}
		return i + bom + sort.SearchInts(gone, i)
	}
}

// collect fills outline, links, tags, tasks and text from the tree, in one walk. above is how many lines are before it.
func (d *Doc) collect(where func(int) int, above int) {
	h1 := d.titleHeading()
	var text strings.Builder
	var raws []ast.Node
	// A deep tree is refused before (see guard.go), so walking by recursion is safe.
	_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock && text.Len() > 0 && !strings.HasSuffix(text.String(), "\n") {
				text.WriteByte('\n')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			written := d.inlineText(n, true)
			name := strings.Join(strings.Fields(d.inlineText(n, false)), " ")
			id := d.newID(Slug(written))
			n.SetAttributeString("id", id)
			if n == h1 {
				d.TitleID = id
			} else {
				d.Outline = append(d.Outline, Heading{n.Level, id, name})
			}
		case *ast.Link:
			d.addLink(Link{A: destination(n.Destination)})
		case *ast.Image:
			d.addLink(Link{A: destination(n.Destination), Embed: true})
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkURL {
				d.addLink(Link{A: destination(n.URL(d.source))})
			}
			text.Write(n.Label(d.source))
		case *wikiLink:
			l := n.link
			if l.Start, l.End = where(n.start), where(n.end); l.Start < 0 {
				l.Start, l.End = 0, 0
			}
			d.addLink(l)
			text.WriteString(l.words())
		case *task:
			d.addTask(n, above)
		case *emoji:
			text.WriteString(n.value)
		case *ast.Text:
			if _, again := n.PreviousSibling().(*ast.Text); !again {
				d.inlineTags(n)
			}
			text.WriteString(textOf(n, d.source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				text.WriteByte('\n')
			}
		case *ast.String:
			text.Write(n.Value)
		case *formula:
			text.WriteString(n.tex)
		case *ast.CodeBlock, *ast.FencedCodeBlock, *formulaBlock:
			writeLines(&text, n, d.source)
		case *ast.HTMLBlock:
			raws = append(raws, n)
			text.WriteString(d.collectHTML(n))
		case *ast.RawHTML:
			simple, known := d.simple[n.Parent()]
			if !known {
				simple = d.simpleTags(n.Parent())
				if d.simple == nil {
					d.simple = map[ast.Node]bool{}
				}
				d.simple[n.Parent()] = simple
			}
			if !simple {
				raws = append(raws, n)
			}
			d.collectHTML(n)
		default:
			if n.Kind() == kindCell {
				text.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	d.Text = strings.TrimSpace(text.String())
	d.divide(raws)
}

// collectHTML collects what the author's HTML says, and gives the text in a block of it.
func (d *Doc) collectHTML(n ast.Node) string {
	switch n := n.(type) {
	case *ast.HTMLBlock:
		return d.readHTML(d.rawText(n))
	case *ast.RawHTML:
		if first := n.Segments.At(0); maySay(first.Value(d.source)) {
			d.readHTML(string(n.Segments.Value(d.source)))
		}
	}
	return ""
}

// titleHeading settles the title, and returns the heading that is left out because it says the same.
func (d *Doc) titleHeading() *ast.Heading {
	h, ok := d.root.FirstChild().(*ast.Heading)
	if !ok || h.Level != 1 {
		return nil
	}
	name := strings.Join(strings.Fields(d.inlineText(h, false)), " ")
	if name == "" || d.Title != "" && d.Title != name {
		return nil
	}
	d.Title, d.TitleH1 = name, true
	return h
}

// destination is where a Markdown link goes, from what is written: backslashes and entities stand for other characters.
func destination(b []byte) string {
	if len(b) > maxTarget { // one long definition may have many references: copying it for each would eat memory
		return ""
	}
	return unescapeText(b)
}

func (d *Doc) addLink(l Link) {
	if l.A != "" || l.B != "" {
		d.Links = append(d.Links, l)
	}
}

// maxRaw bounds the links of raw HTML in a page, so that reading it costs little.
const maxRaw = 5000

// addRaw adds a link or image of raw HTML. An address from the host's root is not the wiki's, so it is left alone.
func (d *Doc) addRaw(ref string, embed bool) {
	l := Link{A: strings.TrimSpace(ref), Embed: embed}
	if l.A == "" || l.A[0] == '/' && !isExternal(l.A) || len(l.A) > maxTarget || len(d.raw) >= maxRaw || d.raw[l] {
		return
	}
	if d.raw == nil {
		d.raw = map[Link]bool{}
	}
	d.raw[l] = true
	d.addLink(l)
}

// words are what a reader will most likely see of a wiki link; which side is the text is known only where it resolves.
func (l Link) words() string {
	a, b := l.parts()
	switch {
	case !l.Piped || b == "":
		return a
	case isImage(a):
		alt, _, _ := imageOptions(b)
		return alt
	case isURL(a) || strings.ContainsAny(a, "/#"):
		return b
	case isURL(b) || strings.ContainsAny(b, "/#"):
		return a
	}
	return a + " " + b
}

func writeLines(w *strings.Builder, n ast.Node, source []byte) {
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		w.Write(line.Value(source))
	}
}

// inlineText is the text of a heading or a picture; for an id, emoji are the names that the author wrote.
func (d *Doc) inlineText(n ast.Node, forID bool) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(textOf(n, d.source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(d.source))
		case *wikiLink:
			b.WriteString(n.link.words())
		case *formula:
			b.WriteString(n.tex)
		case *emoji:
			if forID {
				b.WriteString(n.name)
			} else {
				b.WriteString(n.value)
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// newID makes an id of a slug that no heading before has.
func (d *Doc) newID(slug string) string {
	if slug == "" {
		slug = "section"
	}
	slug = ownID(slug)
	id := slug
	for {
		if _, taken := d.ids[id]; !taken {
			break
		}
		d.ids[slug]++
		id = slug + "-" + strconv.Itoa(d.ids[slug])
	}
	d.ids[id] = 0
	return id
}

// reserved begins the ids of the pages around a text.
const reserved = "cairn-"

// ownID moves an id of a text out of the way of the ids of the pages around it.
func ownID(id string) string {
	if len(id) >= len(reserved) && strings.EqualFold(id[:len(reserved)], reserved) {
		return "h-" + id
	}
	return id
}

// inlineTags finds the tags in a run of text. The parser cuts text at "_", so the run is put together again.
func (d *Doc) inlineTags(n *ast.Text) {
	if n.Parent().Kind() == ast.KindCodeSpan || n.Parent().Kind() == ast.KindLink {
		return
	}
	start, stop := n.Segment.Start, n.Segment.Stop
	for next, ok := n.NextSibling().(*ast.Text); ok && next.Segment.Start >= stop; next, ok = next.NextSibling().(*ast.Text) {
		stop = next.Segment.Stop
	}
	run := d.source[start:stop]
	for i := 0; i < len(run); i++ {
		if run[i] != '#' {
			continue
		}
		if i > 0 && !isSpace(run[i-1]) && run[i-1] != '(' || i == 0 && start > 0 && n.PreviousSibling() != nil &&
			!isSpace(d.source[start-1]) {
			continue
		}
		tag := run[i+1:]
		if end := bytes.IndexFunc(tag, func(r rune) bool { return !isTagRune(r) }); end >= 0 {
			tag = tag[:end]
		}
		i += len(tag)
		d.addTag(string(tag))
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

func isTagRune(r rune) bool {
	return r == '_' || r == '-' || r == '/' || unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

const maxTags = 200

// addTag adds a tag once, whatever its case; what is no tag is left out.
func (d *Doc) addTag(tag string) {
	tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "#"), "/")
	if tag == "" || len(tag) > 100 || len(d.Tags) >= maxTags || strings.IndexFunc(tag, func(r rune) bool { return !unicode.IsDigit(r) }) < 0 {
		return
	}
	if !slices.ContainsFunc(d.Tags, func(t string) bool { return strings.EqualFold(t, tag) }) {
		d.Tags = append(d.Tags, tag)
	}
}
