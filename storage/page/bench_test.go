package page

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// benchPages are pages as people write them, generated: a handbook, a wiki of code, meeting notes, a reference with tables.
func benchPages() map[string][]byte {
	words := strings.Fields(`The quick team writes down what it knows so that others find it when they need it most and nobody has to
		ask twice about the server in the cellar or the key to the door which the caretaker keeps in a drawer of the office`)
	prose := func(seed, n int) string {
		var b strings.Builder
		for i := range n {
			w := words[(seed*7+i*i+i*seed)%len(words)]
			switch {
			case i%23 == 7:
				w = "**" + w + "**"
			case i%31 == 11:
				w = "*" + w + "*"
			case i%41 == 13:
				w = "`" + w + "`"
			case i%37 == 17:
				w = fmt.Sprintf("[%s](https://example.org/%s/%d)", w, w, i)
			case i%43 == 19:
				w = "[[Set up|" + w + "]]"
			}
			b.WriteString(w)
			if i%12 == 11 {
				b.WriteString(".\n")
			} else {
				b.WriteByte(' ')
			}
		}
		return strings.TrimSpace(b.String()) + ".\n\n"
	}
	handbook, code, notes, tables := "# Handbook\n\n", "# Code\n\n", "# Notes\n\n", "# Reference\n\n"
	for i := range 20 {
		handbook += fmt.Sprintf("## Part %d\n\n", i) + prose(i, 120) + prose(i+1, 80) + "> [!NOTE]\n> " + prose(i, 20) +
			"- " + strings.TrimSpace(prose(i, 10)) + "\n- " + strings.TrimSpace(prose(i+3, 14)) + "\n  - one\n  - two\n\n"
		code += fmt.Sprintf("### Step %d\n\n", i) + prose(i, 60) + "```text\n" + strings.Repeat("make all && ./run --flag=1 < in > out\n", 8) +
			"```\n\n1. First, `go build ./...`.\n2. Then see <https://example.org/doc>, press <kbd>Enter</kbd>.\n\n"
		notes += fmt.Sprintf("## Meeting %d\n\n", i) + "- [x] Somebody writes it down\n- [ ] " + strings.TrimSpace(prose(i, 12)) + "\n- [ ] See [[Home]]\n\n" + prose(i, 40)
		tables += fmt.Sprintf("## Table %d\n\n| Name | What | How many |\n|:--|---|--:|\n", i)
		for j := range 12 {
			tables += fmt.Sprintf("| `key%d` | %s | %d |\n", j, strings.TrimSpace(strings.ReplaceAll(prose(j, 8), "|", `\|`)), i*j)
		}
		tables += "\n"
	}
	return map[string][]byte{"handbook": []byte(handbook), "code": []byte(code), "notes": []byte(notes), "tables": []byte(tables)}
}

// BenchmarkRender parses and renders pages, beside plain goldmark with GFM on the same ones: "ours" is all that a reader is
// sent, safe and with its links resolved. Its own figure counts the processor's time alone, so that it is worth something
// on a busy machine too.
func BenchmarkRender(b *testing.B) {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	for name, src := range benchPages() {
		measure := func(how string, render func()) {
			b.Run(name+"/"+how, func(b *testing.B) {
				start := busy(b)
				for b.Loop() {
					render()
				}
				b.ReportMetric(float64(b.N*len(src))/1e6/(busy(b)-start).Seconds(), "MB/s-of-cpu")
			})
		}
		measure("goldmark", func() {
			if err := md.Convert(src, &bytes.Buffer{}); err != nil {
				b.Fatal(err)
			}
		})
		measure("ours", func() { Parse("guide/Page.md", src).HTML(shown) })
	}
}
