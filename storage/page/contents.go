package page

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

// This file is the table of contents that an author asks for by a line "[[_TOC_]]", "[[_TOC_|levels=2]]" or "[TOC]".
// The first such line of a page becomes it; any other is text.

// contents is a table of contents; levels is how many levels of headings it shows.
type contents struct {
	ast.BaseBlock
	levels int
}

var kindContents = ast.NewNodeKind("Contents")

func (n *contents) Kind() ast.NodeKind            { return kindContents }
func (n *contents) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var contentsMark = regexp.MustCompile(`^(?:\[\[_TOC_(?:\s*\|\s*levels\s*=\s*([1-6]))?\s*\]\]|\[(?:TOC|toc)\])$`)

// asContents makes a table of contents of a paragraph that asks for one.
func (d *Doc) asContents(p *ast.Paragraph) bool {
	if p.Lines().Len() != 1 {
		return false
	}
	m := contentsMark.FindSubmatch(lineOf(p, d.source))
	if m == nil {
		return false
	}
	c := &contents{levels: 6}
	if len(m[1]) == 1 {
		c.levels = int(m[1][0] - '0')
	}
	p.Parent().ReplaceChild(p.Parent(), p, c)
	return true
}

// contents writes the outline as nested lists.
func (w *writer) contents(b util.BufWriter, n *contents, entering bool) (ast.WalkStatus, error) {
	if !entering || len(w.doc.Outline) == 0 {
		return ast.WalkContinue, nil
	}
	top := 6
	for _, h := range w.doc.Outline {
		top = min(top, h.Level)
	}
	b.WriteString("<nav class=\"toc\">")
	var open []int // levels of the lists that are open
	for _, h := range w.doc.Outline {
		if h.Level >= top+n.levels {
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
