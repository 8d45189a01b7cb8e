package page

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file finds formulas in a page. They are written in TeX:
//
//	$x$      within a line: no space behind the first dollar or before the second, no letter or digit before the first,
//	         and none behind the second but the end of a word ("$n$th"), no "`" between; else they are dollars
//	$`x`$    the same, for what Markdown would read in another way
//	$$x$$    on lines of its own, and may be several lines; within a text it is displayed as well
//	```math  the same
//
// How they look is made in katex.go.

// formula is TeX within a text.
type formula struct {
	ast.BaseInline
	tex     string
	display bool
}

// formulaBlock is TeX on lines of its own.
type formulaBlock struct {
	ast.BaseBlock
	open bool // the end was not found yet
}

var (
	kindFormula      = ast.NewNodeKind("Formula")
	kindFormulaBlock = ast.NewNodeKind("FormulaBlock")
)

func (n *formula) Kind() ast.NodeKind                 { return kindFormula }
func (n *formula) Dump(source []byte, level int)      { ast.DumpHelper(n, source, level, nil, nil) }
func (n *formulaBlock) Kind() ast.NodeKind            { return kindFormulaBlock }
func (n *formulaBlock) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }
func (n *formulaBlock) IsRaw() bool                   { return true }

// withFormulas adds the parsers.
func withFormulas(p parser.Parser) {
	p.AddOptions(
		parser.WithInlineParsers(util.Prioritized(formulaParser{}, 90)), // before code: "$`x`$"
		parser.WithBlockParsers(util.Prioritized(formulaBlockParser{}, 690)),
	)
}

// maxTicked is how far the end of "$`x`$" is looked for.
const maxTicked = 2000

type formulaParser struct{}

func (formulaParser) Trigger() []byte { return []byte{'$'} }

func (formulaParser) Parse(parent ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	before := block.PrecendingCharacter()
	if before == '$' || before < 0x80 && isWord(byte(before)) {
		return nil
	}
	n := &formula{}
	var size int
	switch {
	case bytes.HasPrefix(line, []byte("$`")):
		size = bytes.Index(line[2:min(len(line), maxTicked)], []byte("`$"))
		if size <= 0 {
			return nil
		}
		n.tex = string(line[2 : 2+size])
		size += 4
	case bytes.HasPrefix(line, []byte("$$")):
		n.tex, n.display = untilDollars(block, "$$"), true
		size = len(n.tex) + 4
	default:
		if len(line) < 2 || isSpace(line[1]) {
			return nil
		}
		n.tex = untilDollars(block, "$")
		size = len(n.tex) + 2
	}
	if strings.TrimSpace(n.tex) == "" {
		return nil
	}
	forward(block, size)
	if parent.Kind() == kindCell {
		n.tex = strings.ReplaceAll(n.tex, `\|`, "|")
	}
	return n
}

// untilDollars is the text up to the closing dollars, "" if there are none that close.
func untilDollars(block text.Reader, dollars string) string {
	at, segment := block.Position()
	defer block.SetPosition(at, segment)
	block.Advance(len(dollars))
	var tex []byte
	for {
		line, _ := block.PeekLine()
		if line == nil || len(tex) > maxTeX {
			return ""
		}
		for i := 0; i < len(line); i++ {
			switch c := line[i]; {
			case c == '\\':
				i++
			case c == '`' && len(dollars) == 1:
				return ""
			case c == '$' && bytes.HasPrefix(line[i:], []byte(dollars)):
				tex = append(tex, line[:i]...)
				if len(dollars) == 1 && (len(tex) == 0 || isSpace(tex[len(tex)-1])) || !closes(line[i+len(dollars):]) {
					return ""
				}
				return string(tex)
			}
		}
		tex = append(tex, line...)
		block.AdvanceLine()
	}
}

// closes tells whether dollars with this behind them close a formula.
func closes(rest []byte) bool {
	n := 0
	for n < len(rest) && isWord(rest[n]) {
		n++
	}
	switch string(rest[:n]) {
	case "", "s", "th", "st", "nd", "rd":
		return n > 0 || len(rest) == 0 || rest[0] != '$'
	}
	return false
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

// forward goes over so many bytes of a block, which may be several lines.
func forward(block text.Reader, size int) {
	for size > 0 {
		line, _ := block.PeekLine()
		if size < len(line) {
			block.Advance(size)
			return
		}
		size -= len(line)
		block.AdvanceLine()
	}
}

type formulaBlockParser struct{}

func (formulaBlockParser) Trigger() []byte { return []byte{'$'} }

// Open takes a line that begins with dollars if its end is the end of the formula, or that end comes.
func (formulaBlockParser) Open(_ ast.Node, reader text.Reader, _ parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	indent := len(line) - len(bytes.TrimLeft(line, " "))
	rest, ok := bytes.CutPrefix(line[indent:], []byte("$$"))
	if !ok || indent > 3 {
		return nil, parser.NoChildren
	}
	n := &formulaBlock{}
	start := segment.Start + indent + 2
	if i := bytes.Index(rest, []byte("$$")); i >= 0 {
		if len(bytes.TrimSpace(rest[i+2:])) > 0 || len(bytes.TrimSpace(rest[:i])) == 0 {
			return nil, parser.NoChildren
		}
		n.Lines().Append(text.NewSegment(start, start+i))
		reader.AdvanceToEOL()
		return n, parser.NoChildren
	}
	// The next dollars have to end a line. They end the search as well, so that many openings cost no more than one.
	after := reader.Source()[min(segment.Stop, len(reader.Source())):]
	after = after[:min(len(after), maxTeX)]
	i := bytes.Index(after, []byte("$$"))
	if i < 0 {
		return nil, parser.NoChildren
	}
	tail, _, _ := bytes.Cut(after[i+2:], []byte("\n"))
	if len(bytes.TrimSpace(tail)) > 0 {
		return nil, parser.NoChildren
	}
	n.open = true
	n.Lines().Append(text.NewSegment(start, segment.Stop))
	reader.AdvanceToEOL()
	return n, parser.NoChildren
}

func (formulaBlockParser) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	n := node.(*formulaBlock)
	if !n.open {
		return parser.Close
	}
	line, segment := reader.PeekLine()
	if i := bytes.Index(line, []byte("$$")); i >= 0 {
		n.open = false
		segment = segment.WithStop(segment.Start + i - segment.Padding)
		if segment.Stop > segment.Start {
			n.Lines().Append(segment)
		}
		reader.AdvanceToEOL()
		return parser.Continue | parser.NoChildren
	}
	n.Lines().Append(segment)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (formulaBlockParser) Close(ast.Node, text.Reader, parser.Context) {}
func (formulaBlockParser) CanInterruptParagraph() bool                 { return true }
func (formulaBlockParser) CanAcceptIndentedLine() bool                 { return false }

// texOf is what a block holds.
func texOf(n ast.Node, source []byte) string {
	var b strings.Builder
	writeLines(&b, n, source)
	return strings.TrimSpace(b.String())
}

func (w *writer) formula(b util.BufWriter, n *formula, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	return ast.WalkSkipChildren, w.writeFormula(b, n.tex, n.display)
}

// formulaBlock writes a block that holds TeX.
func (w *writer) formulaBlock(b util.BufWriter, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	b.WriteString("<div>")
	err := w.writeFormula(b, texOf(n, w.doc.source), true)
	b.WriteString("</div>\n")
	return ast.WalkSkipChildren, err
}

// writeFormula writes a formula, or its source once the formulas before have cost what a page may.
func (w *writer) writeFormula(b util.BufWriter, tex string, display bool) error {
	k := formulaKey{tex, display}
	f, seen := w.formulas[k]
	if !seen {
		if w.formulas == nil {
			w.formulas = map[formulaKey]formulaHTML{}
		}
		if w.formulaCost > costPage {
			f.html = formulaSource(k, "this page has more formulas than can be shown on one")
		} else {
			f = theMathematics().formula(k)
			w.formulaCost += f.cost
			w.unsure = w.unsure || !f.sure
		}
		w.formulas[k] = f
	}
	out := f.html
	if display {
		out = `<span class="formula">` + out + `</span>`
	}
	w.island(b, out)
	return w.spend(len(out))
}
