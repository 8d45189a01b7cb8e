package page

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	emojis "github.com/yuin/goldmark-emoji/definition"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// This file is what may stand within a line besides links: ==marked==, :emoji:, and the macros of other wikis, which mean
// nothing here and are shown as they are written: <<TableOfContents()>>, {{Info|text}}.

func withInlines(p parser.Parser) {
	p.AddOptions(parser.WithInlineParsers(
		util.Prioritized(macroParser{}, 90),
		util.Prioritized(emojiParser{}, 450),
		util.Prioritized(markParser{}, 500),
	))
}

// marked is ==text==.
type marked struct{ ast.BaseInline }

var kindMarked = ast.NewNodeKind("Marked")

func (n *marked) Kind() ast.NodeKind            { return kindMarked }
func (n *marked) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type markParser struct{}

func (markParser) Trigger() []byte { return []byte{'='} }

// Parse reads two "=" that begin or end a mark. Between letters and digits of ASCII they compare: "a==b and c==d".
func (m markParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	if before == '=' || len(line) < 2 || line[1] != '=' || len(line) > 2 && line[2] == '=' {
		return nil
	}
	n := parser.ScanDelimiter(line, before, 2, m)
	n.CanOpen = n.CanOpen && !isASCIIWord(before)
	n.CanClose = n.CanClose && (len(line) == 2 || !isWord(line[2]))
	if !n.CanOpen && !n.CanClose {
		return nil
	}
	n.Segment = segment.WithStop(segment.Start + 2)
	block.Advance(2)
	pc.PushDelimiter(n)
	return n
}

func (markParser) IsDelimiter(b byte) bool { return b == '=' }

func (markParser) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

func (markParser) OnMatch(int) ast.Node { return &marked{} }

func isASCIIWord(r rune) bool { return r < 0x80 && isWord(byte(r)) }

func (w *writer) marked(b util.BufWriter, entering bool) (ast.WalkStatus, error) {
	if entering {
		b.WriteString("<mark>")
	} else {
		b.WriteString("</mark>")
	}
	return ast.WalkContinue, nil
}

// emoji is a picture by its name on GitHub.
type emoji struct {
	ast.BaseInline
	name, value string // "tada", "🎉"
}

var kindEmoji = ast.NewNodeKind("Emoji")

func (n *emoji) Kind() ast.NodeKind            { return kindEmoji }
func (n *emoji) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var allEmojis = sync.OnceValue(func() emojis.Emojis { return emojis.Github() })

var emojiName = regexp.MustCompile(`^:([a-z0-9_+-]{1,50}):`)

type emojiParser struct{}

func (emojiParser) Trigger() []byte { return []byte{':'} }

// Parse reads a name that there is, and not the middle of "10:100:10".
func (emojiParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	if isASCIIWord(block.PrecendingCharacter()) {
		return nil
	}
	line, _ := block.PeekLine()
	m := emojiName.FindSubmatch(line)
	if m == nil {
		return nil
	}
	e, ok := allEmojis().Get(string(m[1]))
	if !ok || !e.IsUnicode() {
		return nil
	}
	block.Advance(len(m[0]))
	return &emoji{name: string(m[1]), value: string(e.Unicode)}
}

// macro is what another wiki would have run.
var macro = regexp.MustCompile(`^(?:<<[\pL_][^<>\n]{0,500}>>|\{\{[^{}\n]{1,500}\}\})`)

// pictureSize is a size behind a picture, as GitLab and Pandoc have it: ![x](y){width=300 height=200px}.
var pictureSize = regexp.MustCompile(`^\{:?[ \t]*((?:(?:width|height)="?\d{1,4}(?:px)?"?[ \t]*){1,2})\}`)

type macroParser struct{}

func (macroParser) Trigger() []byte { return []byte{'<', '{'} }

func (macroParser) Parse(parent ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, segment := block.PeekLine()
	if picture, ok := parent.LastChild().(*ast.Image); ok && line[0] == '{' {
		if m := pictureSize.FindSubmatch(line); m != nil {
			picture.SetAttributeString("size", strings.ReplaceAll(strings.Join(strings.Fields(string(m[1])), ","), `"`, ""))
			block.Advance(len(m[0]))
			return &comment{}
		}
	}
	if len(line) < 4 || line[0] != line[1] {
		return nil
	}
	size := len(macro.Find(line))
	if size == 0 || bytes.IndexByte(line[:size], '\n') >= 0 {
		return nil
	}
	block.Advance(size)
	return ast.NewRawTextSegment(segment.WithStop(segment.Start + size))
}
