package page

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file is diagrams: code in a language that draws. What is written is its source, which stands by itself; a script may
// draw it. Azure DevOps writes "::: mermaid" where others write three backticks.

// diagrams is the languages that draw, and what each is called for scripts and styles.
var diagrams = map[string]string{
	"mermaid": "mermaid", "plantuml": "plantuml", "puml": "plantuml", "dot": "graphviz", "graphviz": "graphviz", "d2": "d2",
}

func withDiagrams(p parser.Parser) {
	p.AddOptions(parser.WithBlockParsers(util.Prioritized(colonsParser{}, 710)))
}

// colonsParser reads "::: mermaid" up to ":::" as code.
type colonsParser struct{}

func (colonsParser) Trigger() []byte { return []byte{':'} }

func (colonsParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || !bytes.HasPrefix(line[pos:], []byte(":::")) {
		return nil, parser.NoChildren
	}
	word := bytes.TrimSpace(line[pos+3:])
	if _, ok := diagrams[strings.ToLower(string(word))]; !ok {
		return nil, parser.NoChildren
	}
	start := segment.Start - segment.Padding + pos + 3 + bytes.Index(line[pos+3:], word)
	n := ast.NewFencedCodeBlock(ast.NewTextSegment(text.NewSegment(start, start+len(word))))
	reader.AdvanceToEOL()
	return n, parser.NoChildren
}

func (colonsParser) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	line, segment := reader.PeekLine()
	if bytes.Equal(bytes.TrimSpace(line), []byte(":::")) {
		reader.AdvanceToEOL()
		return parser.Close
	}
	segment.ForceNewline = true
	node.Lines().Append(segment)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (colonsParser) Close(ast.Node, text.Reader, parser.Context) {}

func (colonsParser) CanInterruptParagraph() bool { return true }
func (colonsParser) CanAcceptIndentedLine() bool { return false }
