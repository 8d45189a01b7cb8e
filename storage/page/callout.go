package page

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

// This file is callouts: quotations that begin with "[!NOTE]" (GitHub), or with "[!tip]- A title" (Obsidian), where "-" and
// "+" fold the rest away or open it. What kind it is is said in words as well as by colour.

// callout is a quotation that began with a kind in brackets. Its first child is its title.
type callout struct {
	ast.BaseBlock
	kind string // as people write it: "Note"
	look string // one of the values of looks
	fold byte   // '-' is folded away at first, '+' is not, 0 cannot be
}

var kindCallout = ast.NewNodeKind("Callout")

func (n *callout) Kind() ast.NodeKind            { return kindCallout }
func (n *callout) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// calloutTitle is the first line of a callout: its kind, and what the author wrote behind it.
type calloutTitle struct{ ast.BaseBlock }

var kindCalloutTitle = ast.NewNodeKind("CalloutTitle")

func (n *calloutTitle) Kind() ast.NodeKind            { return kindCalloutTitle }
func (n *calloutTitle) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var calloutMark = regexp.MustCompile(`^\[!([\pL\pN][\pL\pM\pN_ -]{0,39})(?:\|[^\]\n]{0,100})?\]([+-]?)`)

// looks are the classes of the kinds that are known; others look like a note.
var looks = map[string]string{
	"note": "note", "abstract": "note", "summary": "note", "tldr": "note", "info": "note", "todo": "note", "example": "note",
	"tip": "tip", "hint": "tip", "success": "tip", "check": "tip", "done": "tip",
	"important": "important", "question": "important", "help": "important", "faq": "important",
	"warning": "warning", "attention": "warning",
	"caution": "caution", "failure": "caution", "fail": "caution", "missing": "caution", "danger": "caution", "error": "caution",
	"bug":   "caution",
	"quote": "quote", "cite": "quote",
}

// asCallout makes a callout of a quotation that begins as one.
func (d *Doc) asCallout(q *ast.Blockquote) {
	p, ok := q.FirstChild().(*ast.Paragraph)
	if !ok || p.Lines().Len() == 0 {
		return
	}
	line := p.Lines().At(0)
	m := calloutMark.FindSubmatch(line.Value(d.source))
	if m == nil || !d.isPlain(p, line.Start+len(m[0])) {
		return
	}
	c := &callout{kind: kindName(string(m[1])), look: looks[strings.ToLower(string(m[1]))]}
	if c.look == "" {
		c.look = "note"
	}
	if len(m[2]) > 0 {
		c.fold = m[2][0]
	}
	title := &calloutTitle{}
	ended := cutText(p, line.Start+len(m[0]), d.source)
	for n := p.FirstChild(); n != nil && !ended; n = p.FirstChild() {
		p.RemoveChild(p, n)
		t, ok := n.(*ast.Text)
		if ended = ok && (t.SoftLineBreak() || t.HardLineBreak()); ended {
			t.SetSoftLineBreak(false)
			t.SetHardLineBreak(false)
		}
		title.AppendChild(title, n)
	}
	if p.FirstChild() == nil {
		q.RemoveChild(q, p)
	}
	c.AppendChild(c, title)
	for n := q.FirstChild(); n != nil; n = q.FirstChild() {
		c.AppendChild(c, n)
	}
	q.Parent().ReplaceChild(q.Parent(), q, c)
}

// isPlain tells whether a paragraph is nothing but text up to a place in the source: "[!note](x)" is a link.
func (d *Doc) isPlain(p *ast.Paragraph, upTo int) bool {
	for n := p.FirstChild(); n != nil; n = n.NextSibling() {
		t, ok := n.(*ast.Text)
		if !ok {
			return false
		}
		if t.Segment.Stop >= upTo {
			return true
		}
	}
	return false
}

// kindName is the kind of a callout as people write it.
func kindName(kind string) string {
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "tldr":
		return "TL;DR"
	case "faq":
		return "FAQ"
	}
	kind = strings.NewReplacer("-", " ", "_", " ").Replace(kind)
	r, size := utf8.DecodeRuneInString(kind)
	return string(unicode.ToUpper(r)) + kind[size:]
}

// cutText removes the text of a paragraph that stands before a place in the source; true if a line ended there.
func cutText(p *ast.Paragraph, before int, source []byte) bool {
	for t, ok := p.FirstChild().(*ast.Text); ok; t, ok = p.FirstChild().(*ast.Text) {
		if t.Segment.Stop > before {
			t.Segment = t.Segment.WithStart(max(t.Segment.Start, before))
			t.Segment = t.Segment.TrimLeftSpace(source)
			return false
		}
		p.RemoveChild(p, t)
		if t.SoftLineBreak() || t.HardLineBreak() {
			return true
		}
	}
	return false
}

func (w *writer) callout(b util.BufWriter, n *callout, entering bool) (ast.WalkStatus, error) {
	tag := "div"
	if n.fold != 0 {
		tag = "details"
	}
	if !entering {
		b.WriteString("</" + tag + ">\n")
		return ast.WalkContinue, nil
	}
	b.WriteString("<" + tag + " class=\"callout " + n.look + "\"")
	writeName(b, n)
	if n.fold == '+' {
		b.WriteString(" open=\"\"")
	}
	b.WriteString(">\n")
	return ast.WalkContinue, nil
}

func (w *writer) calloutTitle(b util.BufWriter, n *calloutTitle, entering bool) (ast.WalkStatus, error) {
	c, _ := n.Parent().(*callout)
	tag := "p"
	if c.fold != 0 {
		tag = "summary"
	}
	if !entering {
		b.WriteString("</" + tag + ">\n")
		return ast.WalkContinue, nil
	}
	b.WriteString("<" + tag + " class=\"callout-title\"><span class=\"kind\">" + html.EscapeString(c.kind) + "</span>")
	if n.FirstChild() != nil {
		b.WriteString(" ")
	}
	return ast.WalkContinue, nil
}
