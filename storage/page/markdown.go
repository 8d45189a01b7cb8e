package page

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file is the dialect: CommonMark, tables, strikethrough, bare addresses, task lists, footnotes, and what wikis
// add: [[links]], callouts ("> [!NOTE]") and a table of contents ("[[_TOC_]]", "[TOC]").

var kindCell = extast.KindTableCell

// markdown is the parser, made once: goldmark's parsers hold no state of a text.
var markdown = sync.OnceValue(func() parser.Parser {
	p := goldmark.New(goldmark.WithExtensions(
		extension.Table, extension.Strikethrough, extension.Linkify, extension.TaskList, extension.Footnote,
	)).Parser()
	p.AddOptions(parser.WithInlineParsers(
		util.Prioritized(budgetGuard{}, 1),
		util.Prioritized(wikiLinkParser{}, 150),
	))
	withFormulas(p)
	return p
})

// parseMarkdown is the tree of a text, or the reason why it is shown as source.
func parseMarkdown(source []byte) (root ast.Node, notice string) {
	if tooCostly(source) {
		return nil, noticeCostly
	}
	defer func() {
		// The guard within the parser has no other way out of it.
		if r := recover(); r != nil {
			if _, ok := r.(spent); !ok {
				panic(r)
			}
			root, notice = nil, noticeCostly
		}
	}()
	root = markdown().Parse(text.NewReader(source))
	if tooDeep(root) {
		return nil, noticeCostly
	}
	return root, ""
}

// wikiLink is [[…]] or ![[…]].
type wikiLink struct {
	ast.BaseInline
	link       Link
	start, end int // in the parsed source
}

var kindWikiLink = ast.NewNodeKind("WikiLink")

func (n *wikiLink) Kind() ast.NodeKind            { return kindWikiLink }
func (n *wikiLink) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type wikiLinkParser struct{}

func (wikiLinkParser) Trigger() []byte { return []byte{'[', '!'} }

// Parse reads a link on one line. "'[[" is Gollum's way to write the brackets themselves; "[[1]](url)" is a Markdown
// link whose text has brackets.
func (wikiLinkParser) Parse(parent ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, segment := block.PeekLine()
	open := 0
	if line[0] == '!' {
		open = 1
	}
	if !bytes.HasPrefix(line[open:], []byte("[[")) || block.PrecendingCharacter() == '\'' {
		return nil
	}
	inner := line[open+2:]
	inner = inner[:min(len(inner), maxTarget)]
	size := bytes.Index(inner, []byte("]]"))
	if size <= 0 {
		return nil
	}
	if size+2 < len(inner) && inner[size+2] == '(' {
		return nil
	}
	inner = inner[:size]
	if bytes.Contains(inner, []byte("[[")) || len(bytes.TrimSpace(inner)) == 0 {
		return nil
	}
	end := open + 2 + size + 2
	n := &wikiLink{start: segment.Start, end: segment.Start + end}
	n.link = Link{Wiki: true, Embed: open == 1}
	n.link.A, n.link.B, n.link.Piped = splitPipe(string(inner), parent.Kind() == kindCell)
	block.Advance(end)
	return n
}

// splitPipe parts a link at its first pipe. In a table every pipe must be written "\|", elsewhere "\|" is no pipe.
func splitPipe(s string, table bool) (a, b string, piped bool) {
	if table {
		s = strings.ReplaceAll(s, `\|`, "|")
		a, b, piped = strings.Cut(s, "|")
		return strings.TrimSpace(a), strings.TrimSpace(b), piped
	}
	a = s
	for i := range len(s) {
		if s[i] == '|' && (i == 0 || s[i-1] != '\\') {
			a, b, piped = s[:i], s[i+1:], true
			break
		}
	}
	plain := strings.NewReplacer(`\|`, "|")
	return strings.TrimSpace(plain.Replace(a)), strings.TrimSpace(plain.Replace(b)), piped
}

// callout is a quotation that began with "[!NOTE]".
type callout struct {
	ast.BaseBlock
	name string // "note"
}

var kindCallout = ast.NewNodeKind("Callout")

func (n *callout) Kind() ast.NodeKind            { return kindCallout }
func (n *callout) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// contents is a table of contents; levels is how many levels of headings it shows.
type contents struct {
	ast.BaseBlock
	levels int
}

var kindContents = ast.NewNodeKind("Contents")

func (n *contents) Kind() ast.NodeKind            { return kindContents }
func (n *contents) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var (
	calloutMark  = regexp.MustCompile(`(?i)^\[!(note|tip|important|warning|caution)\][+-]?`)
	contentsMark = regexp.MustCompile(`^(?:\[\[_TOC_(?:\s*\|\s*levels\s*=\s*([1-6]))?\s*\]\]|\[TOC\])$`)
)

// arrange replaces quotations and paragraphs that are callouts and tables of contents.
func (d *Doc) arrange() {
	var quotes []*ast.Blockquote
	var tables []*ast.Paragraph
	_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Blockquote:
			if entering {
				quotes = append(quotes, n)
			}
		case *ast.Paragraph:
			if entering && len(tables) == 0 && n.Lines().Len() == 1 && contentsMark.Match(lineOf(n, d.source)) {
				tables = append(tables, n)
			}
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	for _, p := range tables {
		c := &contents{levels: 6}
		if m := contentsMark.FindSubmatch(lineOf(p, d.source)); len(m[1]) == 1 {
			c.levels = int(m[1][0] - '0')
		}
		p.Parent().ReplaceChild(p.Parent(), p, c)
	}
	for _, q := range quotes {
		p, ok := q.FirstChild().(*ast.Paragraph)
		if !ok || p.Lines().Len() == 0 {
			continue
		}
		m := calloutMark.FindSubmatch(lineOf(p, d.source))
		if m == nil {
			continue
		}
		c := &callout{name: strings.ToLower(string(m[1]))}
		cutText(p, p.Lines().At(0).Start+len(m[0]), d.source)
		if p.FirstChild() == nil {
			q.RemoveChild(q, p)
		}
		for n := q.FirstChild(); n != nil; n = q.FirstChild() {
			c.AppendChild(c, n)
		}
		q.Parent().ReplaceChild(q.Parent(), q, c)
	}
}

func lineOf(n ast.Node, source []byte) []byte {
	line := n.Lines().At(0)
	return bytes.TrimSpace(line.Value(source))
}

// cutText removes the text of a paragraph that stands before a place in the source.
func cutText(p *ast.Paragraph, before int, source []byte) {
	for t, ok := p.FirstChild().(*ast.Text); ok; t, ok = p.FirstChild().(*ast.Text) {
		if t.Segment.Stop > before {
			t.Segment = t.Segment.WithStart(max(t.Segment.Start, before))
			t.Segment = t.Segment.TrimLeftSpace(source)
			return
		}
		p.RemoveChild(p, t)
	}
}

// textOf is a piece of text as a reader sees it.
func textOf(n *ast.Text, source []byte) string {
	v := n.Segment.Value(source)
	if n.IsRaw() || n.Parent() != nil && n.Parent().Kind() == ast.KindCodeSpan {
		return string(v)
	}
	if bytes.ContainsAny(v, `\&`) {
		v = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(v)))
	}
	return string(v)
}
