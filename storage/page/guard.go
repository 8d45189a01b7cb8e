package page

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file keeps a page from eating the server. The parser's work grows with the square of some things that no person
// writes: columns of a table, links and emphasis in one paragraph that never end, quotations in quotations. A page
// with too much of them is shown as its source. Nothing here measures time, so a page is shown alike everywhere.

const noticeCostly = "This page is too intricate to be shown as a page, so here is its source."

const (
	maxSource      = 4 << 20 // bytes that are parsed at all
	maxColumns     = 200     // "|" in a line that could part a table's head from its body
	maxNesting     = 60      // quotations and lists in one another
	maxCells       = 100_000
	maxPipes       = 2000
	maxDefinitions = 1500
	maxNotes       = 5000   // footnotes and what refers to them
	maxHeadings    = 20_000 // lines that may be one
	maxWork        = 60 << 20
	maxBrackets    = 200_000 // each is remembered until its paragraph ends
)

// tooCostly looks at the lines before anything is parsed.
func tooCostly(source []byte) bool {
	if len(source) > maxSource {
		return true
	}
	cells, wide := 0, 0    // of all tables; columns of the table that this line may be in
	pipes, openers := 0, 0 // "\|" beside code in a cell; lines of a paragraph that may define a link
	if bytes.Count(source, []byte("[^")) > maxNotes {
		return true
	}
	headings := 0
	for line := range bytes.Lines(source) {
		if markers(line) > maxNesting {
			return true
		}
		text := bytes.TrimLeft(line, " \t>*+.)0123456789")
		text = bytes.TrimRight(text, "\n")
		if len(text) == 0 {
			wide, openers = 0, 0
			continue
		}
		if n := columns(text); n > 0 {
			wide = n
		}
		cells += wide
		switch text[0] {
		case '[':
			openers++
		case '#':
			headings++
		case '=', '-':
			if len(bytes.Trim(text, "=- ")) == 0 {
				headings++
			}
		}
		if bytes.IndexByte(text, '`') >= 0 {
			pipes += bytes.Count(text, []byte(`\|`))
		}
		if wide > maxColumns || cells > maxCells || pipes > maxPipes || openers > maxDefinitions || headings > maxHeadings {
			return true
		}
	}
	return false
}

// markers counts what a line opens before its text: quotations, list items, and the depth that its indentation could
// mean when it goes on to open one.
func markers(line []byte) int {
	n, indent := 0, 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ':
			indent++
		case c == '\t':
			indent += 4
		case c == '>':
			n++
		case (c == '-' || c == '*' || c == '+') && (i+1 == len(line) || isSpace(line[i+1])):
			n++
		case c >= '0' && c <= '9':
			j := i
			for j < len(line) && j < i+9 && line[j] >= '0' && line[j] <= '9' {
				j++
			}
			if j == len(line) || line[j] != '.' && line[j] != ')' || j+1 < len(line) && !isSpace(line[j+1]) {
				return nesting(n, indent)
			}
			n++
			i = j
		default:
			return nesting(n, indent)
		}
	}
	return nesting(n, indent)
}

func nesting(markers, indent int) int {
	if markers == 0 {
		return 0
	}
	return markers + indent/8
}

// columns counts the cells of a line that could be the second of a table.
func columns(line []byte) int {
	n, dash := 1, false
	line = bytes.TrimSpace(line)
	bare := len(bytes.Trim(line, "|")) == len(line)
	line = bytes.Trim(line, "|")
	for _, c := range line {
		switch c {
		case '|':
			n++
		case '-':
			dash = true
		case ':', ' ', '\t':
		default:
			return 0
		}
	}
	if !dash || n == 1 && bare {
		return 0
	}
	return n
}

// tooDeep tells whether a tree is nested deeper than the browser's own limit allows; nobody may then walk it by
// recursion.
func tooDeep(root ast.Node) bool {
	depth := 0
	for n := root; n != nil; {
		if n.FirstChild() != nil {
			n = n.FirstChild()
			if depth++; depth > 200 {
				return true
			}
			continue
		}
		for n != nil && n.NextSibling() == nil {
			n = n.Parent()
			depth--
		}
		if n != nil {
			n = n.NextSibling()
		}
	}
	return false
}

// spent is what the guard panics with when the budget of a page is used up.
type spent struct{}

// budgetGuard sees each character that may begin or end inline markup before the real parsers do, and adds up what it may
// make them do: look at the rest of the paragraph, or go back over the openers so far.
type budgetGuard struct{}

func withGuard(p parser.Parser) {
	p.AddOptions(parser.WithInlineParsers(util.Prioritized(budgetGuard{}, 1)))
}

var budgetKey = parser.NewContextKey()

type budget struct {
	block   ast.Node
	openers int // in this block
	work    int
}

func (budgetGuard) Trigger() []byte { return []byte{'[', ']', '!', '<', '`', '*', '_', '~', '='} }

func (budgetGuard) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	b, _ := pc.Get(budgetKey).(*budget)
	if b == nil {
		b = &budget{}
		pc.Set(budgetKey, b)
	}
	if b.block != parent {
		b.block, b.openers = parent, 0
	}
	line, segment := block.PeekLine()
	rest := blockEnd(parent, block) - segment.Start
	b.openers++
	switch c := line[0]; c {
	case '[', '!':
		b.work += maxWork / maxBrackets
	case ']':
		b.work += min(b.openers, 1000)
		if len(line) > 1 && (line[1] == '(' || line[1] == '[') {
			b.work += reach(line)
		}
	case '<':
		b.work += rest / 4
		if i := bytes.IndexByte(line, '>'); i >= 0 {
			b.work += i - rest/4
		}
	case '`':
		b.work += rest / 4
		if i := bytes.IndexByte(line[1:], '`'); i >= 0 {
			b.work += i - rest/4
		}
	default:
		b.work += b.openers / 4
	}
	if b.work > maxWork {
		panic(spent{})
	}
	return nil
}

// blockEnd is where the text of the block ends in the source.
func blockEnd(parent ast.Node, block text.Reader) int {
	if parent.Type() == ast.TypeBlock && parent.Lines().Len() > 0 {
		return parent.Lines().At(parent.Lines().Len() - 1).Stop
	}
	return len(block.Source())
}

// reach is how much is looked at to find the end of a link's destination and title, which begin behind "](".
func reach(line []byte) int {
	const eager = 8 // looking at a byte there costs more than elsewhere
	depth, angle, quote := 0, len(line) > 2 && line[2] == '<', byte(0)
	for i := 2; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case angle:
			angle = c != '>'
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return i
			}
		case isSpace(c):
			if i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\'') {
				i++
				quote = line[i]
			} else if i+1 < len(line) && line[i+1] != '(' && !isSpace(line[i+1]) && line[i+1] != ')' {
				return i * eager
			}
		}
	}
	return len(line) * eager
}
