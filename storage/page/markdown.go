package page

import (
	"bytes"
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

// This file is the dialect: CommonMark, tables, strikethrough, bare addresses, task lists, footnotes, definition lists, and
// what wikis add: [[links]], and what has a file of its own: callouts, contents, comments, marks and emoji, diagrams, names of
// blocks. What is broken or unknown is text: a reader sees its source.

var (
	kindCell  = extast.KindTableCell
	kindTable = extast.KindTable
)

// markdown is the parser, made once: goldmark's parsers hold no state of a text.
var markdown = sync.OnceValue(func() parser.Parser {
	p := goldmark.New(goldmark.WithExtensions(
		extension.Table, extension.Strikethrough, extension.Linkify, extension.Footnote,
		extension.DefinitionList,
	)).Parser()
	withGuard(p)
	p.AddOptions(parser.WithInlineParsers(
		util.Prioritized(taskParser{}, 50),
		util.Prioritized(wikiLinkParser{}, 150),
	))
	withFormulas(p)
	withInlines(p)
	withComments(p)
	withDiagrams(p)
	return p
})

// parseMarkdown is the tree of a text, or the reason why it is shown as source; work is how much of maxWork is done then.
func parseMarkdown(source []byte, done int) (root ast.Node, notice string, work int) {
	if tooCostly(source) {
		return nil, noticeCostly, done
	}
	b, pc := &budget{work: done}, parser.NewContext()
	pc.Set(budgetKey, b)
	defer func() {
		// The guard within the parser has no other way out of it.
		if r := recover(); r != nil {
			if _, ok := r.(spent); !ok {
				panic(r)
			}
			root, notice, work = nil, noticeCostly, b.work
		}
	}()
	root = markdown().Parse(text.NewReader(source), parser.WithContext(pc))
	if tooDeep(root) {
		return nil, noticeCostly, b.work
	}
	return root, "", b.work
}

// wikiLink is [[…]], ![[…]] or [[include:…]].
type wikiLink struct {
	ast.BaseInline
	link       Link
	start, end int // in the parsed source
	skip       int // bytes between the brackets and what is linked: "include:"
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
	if bytes.HasPrefix(inner, []byte("_TOC_")) { // one that is no table of contents
		block.Advance(end)
		return ast.NewRawTextSegment(segment.WithStop(segment.Start + end))
	}
	n := &wikiLink{start: segment.Start, end: segment.Start + end}
	n.link = Link{Wiki: true, Embed: open == 1}
	if rest, ok := bytes.CutPrefix(inner, []byte(including)); ok && open == 0 && len(bytes.TrimSpace(rest)) > 0 {
		n.skip, n.link.Embed = len(inner)-len(rest), true
		inner = rest
	}
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

// arrange replaces and names blocks by what stands in them: callouts, the table of contents, names of blocks.
func (d *Doc) arrange() {
	if !bytes.Contains(d.source, []byte("[!")) && !bytes.ContainsRune(d.source, '^') && !bytes.Contains(d.source, []byte("TOC")) &&
		!bytes.Contains(d.source, []byte("[toc]")) {
		return
	}
	var quotes []*ast.Blockquote
	var texts []ast.Node
	_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if q, ok := n.(*ast.Blockquote); ok && entering {
			quotes = append(quotes, q)
		}
		if k := n.Kind(); k == ast.KindParagraph || k == ast.KindTextBlock {
			if entering {
				texts = append(texts, n)
			}
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	for _, q := range quotes {
		d.asCallout(q)
	}
	contents := false
	for _, n := range texts {
		if p, ok := n.(*ast.Paragraph); ok && !contents && p.Parent() != nil {
			if contents = d.asContents(p); contents {
				continue
			}
		}
		if n.Parent() != nil {
			d.nameBlock(n)
		}
	}
}

func lineOf(n ast.Node, source []byte) []byte {
	line := n.Lines().At(0)
	return bytes.TrimSpace(line.Value(source))
}

// textOf is a piece of text as a reader sees it.
func textOf(n *ast.Text, source []byte) string {
	v := n.Segment.Value(source)
	if n.IsRaw() || n.Parent() != nil && n.Parent().Kind() == ast.KindCodeSpan {
		return string(v)
	}
	return unescapeText(v)
}

// unescapeText is text without its backslashes, and with the characters that its entities stand for.
func unescapeText(v []byte) string {
	if bytes.ContainsAny(v, `\&`) {
		v = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(v)))
	}
	return string(v)
}
