package page

import (
	"bytes"
	"errors"
	"slices"
	"sort"
	"strconv"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file is tasks, "- [ ] text": each box of a page knows its line in the file, so that one click can be one save that
// changes one byte.

// ErrNoTask says that there is no task on a line: the page is another than the one that was looked at.
var ErrNoTask = errors.New("there is no task on this line any more; load the page again")

// task is a box. Lines are counted from 1, in the whole file; the mark is between the brackets.
type task struct {
	ast.BaseInline
	done bool
	at   int // where the mark is in the source
	line int
	mark int // its place in the line
}

var kindTask = ast.NewNodeKind("Task")

func (n *task) Kind() ast.NodeKind            { return kindTask }
func (n *task) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type taskParser struct{}

func (taskParser) Trigger() []byte { return []byte{'['} }

// Parse reads a box at the beginning of a list item, with a space behind it: "[x](y)" is a link.
func (taskParser) Parse(parent ast.Node, block text.Reader, _ parser.Context) ast.Node {
	item, ok := parent.Parent().(*ast.ListItem)
	if !ok || item.FirstChild() != parent || parent.HasChildren() {
		return nil
	}
	line, segment := block.PeekLine()
	if !isBox(line) || len(line) > 3 && !isSpace(line[3]) {
		return nil
	}
	space := 0
	for 3+space < len(line) && (line[3+space] == ' ' || line[3+space] == '\t') {
		space++
	}
	block.Advance(3 + space)
	return &task{done: line[1]|0x20 == 'x', at: segment.Start + 1}
}

// isBox tells whether a text begins with a box.
func isBox(text []byte) bool {
	return len(text) >= 3 && text[0] == '[' && bytes.IndexByte([]byte(" \txX"), text[1]) >= 0 && text[2] == ']'
}

// Tick sets or clears the box of the task on a line of a page, counted from 1, and changes no other byte. A box that is as
// wanted stays as it is. The error is ErrNoTask where no box would be shown: in code, too.
func Tick(src []byte, line int, done bool) ([]byte, error) {
	d := Parse("task.md", src)
	i := slices.IndexFunc(d.tasks, func(t *task) bool { return t.line == line })
	if i < 0 {
		return nil, ErrNoTask
	}
	at := lineStart(src, line) + d.tasks[i].mark
	if at < 1 || !isBox(src[at-1:]) {
		return nil, ErrNoTask
	}
	out := bytes.Clone(src)
	if done != (src[at]|0x20 == 'x') {
		out[at] = ' '
		if done {
			out[at] = 'x'
		}
	}
	return out, nil
}

// lineStart is where a line begins; lines end as Parse has it, and the byte order mark is no part of the first.
func lineStart(src []byte, line int) int {
	at := 0
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		at = 3
	}
	for ; line > 1 && at < len(src); line-- {
		end := bytes.IndexAny(src[at:], "\r\n")
		if end < 0 {
			return len(src)
		}
		if at += end + 1; src[at-1] == '\r' && at < len(src) && src[at] == '\n' {
			at++
		}
	}
	return at
}

// addTask notes where a box stands. above is how many lines the file has before the source.
func (d *Doc) addTask(n *task, above int) {
	if d.tasks == nil {
		d.lines = []int{0}
		for i, c := range d.source {
			if c == '\n' {
				d.lines = append(d.lines, i+1)
			}
		}
	}
	line := sort.SearchInts(d.lines, n.at+1)
	n.line, n.mark = above+line, n.at-d.lines[line-1]
	d.tasks = append(d.tasks, n)
}

// box writes the box of a task. It is written past the sanitiser, so that nobody can write one with the line of another.
func (w *writer) box(b util.BufWriter, n *task, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	label, checked := "Not done", ""
	if n.done {
		label, checked = "Done", "checked=\"\" "
	}
	line := ""
	if w.prefix == "" { // what is embedded is ticked where it comes from
		line = "data-line=\"" + strconv.Itoa(n.line) + "\" "
	}
	w.island(b, "<input aria-label=\""+label+"\" "+checked+line+"disabled=\"\" type=\"checkbox\"/>")
	b.WriteString(" ")
	return ast.WalkContinue, nil
}
