package page

import (
	"html"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

// This file colours code by classes; the colours themselves are the style sheet's. Lexers are made of backtracking
// regular expressions, so their work is bounded by size and, as the one thing here that measures it, by time: code
// that is not done in time stays without colour.

const (
	highlightTime = 400 * time.Millisecond // for all code of a page
	highlightSize = 64 << 10               // bytes of one block
)

var codeLanguage = regexp.MustCompile(`^[A-Za-z0-9_+#.-]{1,40}$`)

// lexerNames is every lexer by its names. The registry's own look-up goes on to match file patterns, which is slow.
var lexerNames = sync.OnceValue(func() map[string]chroma.Lexer {
	m := map[string]chroma.Lexer{}
	for _, l := range lexers.GlobalLexerRegistry.Lexers {
		c := l.Config()
		m[strings.ToLower(c.Name)] = l
		for _, a := range c.Aliases {
			m[strings.ToLower(a)] = l
		}
	}
	return m
})

func (w *writer) code(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.FencedCodeBlock)
	lang := string(n.Language(source))
	if !codeLanguage.MatchString(lang) {
		lang = ""
	}
	var text strings.Builder
	writeLines(&text, n, source)
	b.WriteString("<pre class=\"chroma\"><code")
	if lang != "" {
		attribute(b, "class", "language-"+lang)
	}
	b.WriteString(">")
	w.highlight(b, strings.ToLower(lang), text.String())
	b.WriteString("</code></pre>\n")
	return ast.WalkContinue, nil
}

// highlight writes code as spans, from where its time is up as plain text.
func (w *writer) highlight(b util.BufWriter, lang, code string) {
	lexer := lexerNames()[lang]
	if lexer == nil || len(code) > highlightSize || time.Now().After(w.colours) {
		b.WriteString(html.EscapeString(code))
		return
	}
	next, err := chroma.Coalesce(lexer).Tokenise(nil, code)
	if err != nil {
		b.WriteString(html.EscapeString(code))
		return
	}
	done := 0
	for t := next(); t != chroma.EOF; t = next() {
		// A lexer may add a newline at the end, and must not be trusted to give back what it was given.
		if !strings.HasPrefix(code[done:], t.Value) {
			break
		}
		done += len(t.Value)
		if class := chroma.StandardTypes[t.Type]; class != "" && class != "bg" {
			b.WriteString("<span class=\"" + class + "\">" + html.EscapeString(t.Value) + "</span>")
		} else {
			b.WriteString(html.EscapeString(t.Value))
		}
		if time.Now().After(w.colours) {
			break
		}
	}
	b.WriteString(html.EscapeString(code[done:]))
}
