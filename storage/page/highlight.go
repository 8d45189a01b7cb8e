package page

import (
	"html"
	"regexp"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

// This file colours code by classes; the colours themselves are the style sheet's. Lexers are made of backtracking
// regular expressions: most take time that grows with the square of a text that is made for it, some with the cube. So
// a language is coloured only if its lexer was measured, up to a size that depends on what it was seen to take. No clock
// is asked, so a page looks alike on a busy machine and an idle one.

// codeWork bounds what all code of a page may cost, about in microseconds for a text made to be slow.
const codeWork = 1_000_000

// lexing is what a lexer may be given: at most size bytes of one block, each of which counts as cost.
type lexing struct{ size, cost int }

// Each was given some 250 short texts, repeated to fill 2 KiB, and the three that took longest again at 16 KiB.
var (
	quick   = lexing{16 << 10, 7}  // up to 0.1 s for 16 KiB
	square  = lexing{16 << 10, 17} // up to 0.3 s
	steep   = lexing{4 << 10, 40}  // up to 2 s, and 0.04 s for 2 KiB
	steeper = lexing{4 << 10, 90}  // up to 0.1 s for 2 KiB
	cubic   = lexing{1 << 10, 180} // up to 0.7 s for 2 KiB
)

// measured has the lexers that are used, by the registry's names for them.
var measured = map[string]lexing{
	"Bash": quick, "Diff": quick, "Docker": quick, "GraphQL": quick, "HTTP": quick, "INI": quick,
	"JavaScript": quick, "Scala": quick, "TOML": quick, "properties": quick,
	"CMake": square, "Clojure": square, "Dart": square, "Elixir": square, "Erlang": square, "Haskell": square,
	"Nginx configuration file": square, "Python": square, "Ruby": square, "Rust": square, "SQL": square,
	"Swift": square, "TeX": square, "Zig": square, "react": square,
	"Bash Session": steep, "C#": steep, "CSS": steep, "HTML": steep, "JSON": steep, "Kotlin": steep,
	"Lua": steep, "PHP": steep, "R": steep, "SCSS": steep, "TypeScript": steep, "VimL": steep, "XML": steep,
	"Go": steeper, "Groovy": steeper, "Nix": steeper, "Perl": steeper, "Terraform": steeper,
	"C": cubic, "C++": cubic, "Java": cubic, "Makefile": cubic, "PowerShell": cubic, "Protocol Buffer": cubic,
	"YAML": cubic, "markdown": cubic,
}

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

func (w *writer) code(b util.BufWriter, n *ast.FencedCodeBlock, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	source := w.doc.source
	lang := unescapeText(n.Language(source))
	if !codeLanguage.MatchString(lang) {
		lang = ""
	}
	if lang == "math" {
		return w.formulaBlock(b, n, entering)
	}
	var text strings.Builder
	writeLines(&text, n, source)
	b.WriteString("<pre")
	if kind := diagrams[strings.ToLower(lang)]; kind != "" {
		b.WriteString(" class=\"diagram\" data-kind=\"" + kind + "\"")
	} else {
		b.WriteString(" class=\"chroma\"")
	}
	writeName(b, n)
	b.WriteString("><code")
	if lang != "" {
		attribute(b, "class", "language-"+lang)
	}
	b.WriteString(">")
	w.highlight(b, strings.ToLower(lang), text.String())
	b.WriteString("</code></pre>\n")
	return ast.WalkContinue, nil
}

// affords takes the cost of colouring size bytes from what is left for the page; false if it is not.
func (w *writer) affords(l chroma.Lexer, size int) bool {
	m := measured[l.Config().Name]
	if size > m.size || w.lexed+m.cost*size > codeWork {
		return false
	}
	w.lexed += m.cost * size
	return true
}

// highlight writes code as spans, or as plain text where colours would cost too much.
func (w *writer) highlight(b util.BufWriter, lang, code string) {
	lexer := lexerNames()[lang]
	if lexer == nil || lexer.Config().Name == "plaintext" || !w.affords(lexer, len(code)) {
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
	}
	b.WriteString(html.EscapeString(code[done:]))
}
