package page

import (
	"bytes"
	"html"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file is comments as Obsidian has them: %%within a line%%, or lines between two of "%%". Readers do not see them.
// One that is not closed is text.

func withComments(p parser.Parser) {
	p.AddOptions(
		parser.WithBlockParsers(util.Prioritized(commentBlockParser{}, 650)),
		parser.WithInlineParsers(util.Prioritized(commentParser{}, 95)),
	)
}

// comment is a comment within a line, or within a paragraph.
type comment struct{ ast.BaseInline }

var kindComment = ast.NewNodeKind("Comment")

func (n *comment) Kind() ast.NodeKind            { return kindComment }
func (n *comment) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type commentParser struct{}

func (commentParser) Trigger() []byte { return []byte{'%'} }

// openComment holds the block in which a comment was found not to be closed: none that begins later in it is.
var openComment = parser.NewContextKey()

// Parse reads up to the next "%%", also on a later line of the paragraph. "50%% to 60%%" is no comment.
func (commentParser) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, _ := block.PeekLine()
	if len(line) < 2 || line[1] != '%' || isASCIIWord(block.PrecendingCharacter()) || pc.Get(openComment) == parent {
		return nil
	}
	block.Advance(2)
	for first := true; ; first = false {
		line, _ := block.PeekLine()
		if line == nil {
			pc.Set(openComment, parent)
			return nil
		}
		from := 0
		if first {
			from = 1 // there is something in it
		}
		if from < len(line) {
			if i := bytes.Index(line[from:], []byte("%%")); i >= 0 {
				block.Advance(from + i + 2)
				return &comment{}
			}
		}
		block.AdvanceLine()
	}
}

// commentBlock is lines between two "%%".
type commentBlock struct {
	ast.BaseBlock
	closed bool
}

var kindCommentBlock = ast.NewNodeKind("CommentBlock")

func (n *commentBlock) Kind() ast.NodeKind            { return kindCommentBlock }
func (n *commentBlock) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }
func (n *commentBlock) IsRaw() bool                   { return true }

type commentBlockParser struct{}

func (commentBlockParser) Trigger() []byte { return []byte{'%'} }

// lastComment holds where the last "%%" of the source is: behind it nothing is opened that is closed.
var lastComment = parser.NewContextKey()

// Open begins at a line that begins with "%%" and does not close it itself.
func (commentBlockParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || !bytes.HasPrefix(line[pos:], []byte("%%")) || bytes.Contains(line[pos+2:], []byte("%%")) {
		return nil, parser.NoChildren
	}
	last, known := pc.Get(lastComment).(int)
	if !known {
		last = bytes.LastIndex(reader.Source(), []byte("%%"))
		pc.Set(lastComment, last)
	}
	if last < segment.Stop {
		return nil, parser.NoChildren
	}
	n := &commentBlock{}
	n.Lines().Append(segment)
	reader.AdvanceToEOL()
	return n, parser.NoChildren
}

func (commentBlockParser) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	n := node.(*commentBlock)
	line, segment := reader.PeekLine()
	if i := bytes.Index(line, []byte("%%")); i >= 0 {
		n.closed = true
		reader.Advance(i + 2)
		if util.IsBlank(line[i+2:]) {
			reader.AdvanceToEOL()
		}
		return parser.Close
	}
	n.Lines().Append(segment)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (commentBlockParser) Close(ast.Node, text.Reader, parser.Context) {}

func (commentBlockParser) CanInterruptParagraph() bool { return true }
func (commentBlockParser) CanAcceptIndentedLine() bool { return false }

// commentBlock writes one that its quotation or list ended before it was closed, as it was written.
func (w *writer) commentBlock(b util.BufWriter, n *commentBlock, entering bool) (ast.WalkStatus, error) {
	if entering && !n.closed {
		b.WriteString("<p>")
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			b.WriteString(html.EscapeString(string(line.Value(w.doc.source))))
		}
		b.WriteString("</p>\n")
	}
	return ast.WalkContinue, nil
}

// isComment tells whether a paragraph is comments alone, so that it is not shown at all.
func isComment(p *ast.Paragraph) bool {
	for n := p.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *comment:
		case *ast.Text:
			if n.Segment.Len() > 0 {
				return false
			}
		default:
			return false
		}
	}
	return p.FirstChild() != nil
}
