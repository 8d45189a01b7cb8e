package page

import (
	"flag"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var full = flag.Bool("full", false, "make hostile pages as big as a page may be")

// hostile are texts that take a parser without guards seconds to hours.
func hostile() map[string]string {
	size := 1 << 16
	if *full {
		size = 1 << 20
	}
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	var ticks, indents, uniqueFences strings.Builder
	for i := 1; ticks.Len() < size; i++ {
		ticks.WriteString(strings.Repeat("`", i) + " ")
	}
	for i := 0; indents.Len() < size; i++ {
		indents.WriteString(strings.Repeat("  ", i) + "- x\n")
	}
	for i := 0; uniqueFences.Len() < size; i++ {
		uniqueFences.WriteString("```l" + strings.Repeat("x", i%30) + "\nx\n```\n")
	}
	notes := func() string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			n := string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))
			b.WriteString("[^" + n + "]: x\n\n[^" + n + "] ")
		}
		return b.String()
	}
	return map[string]string{
		"table columns":     strings.Repeat("|a", 1000) + "|\n" + strings.Repeat("|-", 1000) + "|\n" + strings.Repeat("|b", 1000) + "|\n",
		"table 150 columns": strings.Repeat("|a", 150) + "|\n" + strings.Repeat("|-", 150) + "|\n" + fill(strings.Repeat("|b", 150)+"|\n"),
		"table short rows":  strings.Repeat("|a", 190) + "|\n" + strings.Repeat("|-", 190) + "|\n" + fill("|\n"),
		"open links":        fill("[a]("),
		"open links spaced": fill("[a](b "),
		"open titles":       fill("[a](b \""),
		"open angles":       fill("[a](<b"),
		"open angles 2":     fill("[a](<b)"),
		"paren titles":      fill("[a](b (c "),
		"lone titles":       fill("[a](b 'c) "),
		"nested parens":     fill("[a](()"),
		"list nesting":      fill("- "),
		"numbers nesting":   fill("1. "),
		"quotes":            fill(">"),
		"quote lines":       fill(strings.Repeat("> ", 50) + "x\n"),
		"indented lists":    indents.String(),
		"brackets":          fill("["),
		"closing":           fill("]"),
		"images":            fill("!["),
		"images closed":     fill("![") + fill("](x)"),
		"bracket pairs":     fill("[a]"),
		"empty pairs":       fill("[]"),
		"ref pairs":         fill("[a][b"),
		"wiki open":         fill("[[a"),
		"wiki open lines":   fill("[[\n"),
		"wiki links":        fill("[[a]]"),
		"wiki unique":       fill("[[a/b/c|d]] [[../x#y]] "),
		"emphasis":          fill("*a **b "),
		"emphasis 2":        fill("a**b*c_d__"),
		"emphasis 3":        fill("*a_"),
		"emphasis closed":   fill("*a")[:size/2] + fill("b*")[:size/2],
		"stars":             fill("*"),
		"stars lines":       fill("a*"),
		"closers":           fill("a_ b* "),
		"tildes":            fill("~~a~"),
		"ticks":             ticks.String(),
		"ticks odd":         fill("`a``b```c````d"),
		"comments":          fill("a <!-- "),
		"declarations":      fill("a <!A "),
		"cdata":             fill("a <![CDATA["),
		"instructions":      fill("a <? "),
		"tags":              fill("<a x=\""),
		"tag lines":         fill("a <a b='\n"),
		"open tags":         fill("<b>"),
		"open table tags":   fill("<table>"),
		"font tags":         fill("<p><font><b><i>"),
		"angles":            fill("<"),
		"autolinks":         fill("www.a.b "),
		"autolinks long":    fill("http://a.b/("),
		"emails":            fill("a@b"),
		"emails long":       fill("a.b-c@"),
		"colons":            fill("http:"),
		"many notes":        strings.Repeat("[^1] ", 4900) + "\n\n[^1]: x\n" + fill("x"),
		"empty heads":       strings.Repeat("#\n", 19_000) + fill("x"),
		"references":        "[x]: /" + strings.Repeat("y", size/2) + "\n\n" + strings.Repeat("[x] ", size/8),
		"definitions":       fill("[a]: b\n"),
		"definitions apart": fill(strings.Repeat("[a]: b\n", 1400) + "\n"),
		"cells within":      "|a|b|\n|-|-|\n" + strings.Repeat("|a|b|\n", 49000),
		"open definitions":  fill("[a]:\n"),
		"footnotes":         notes(),
		"note refs":         "[^1]: x\n\n" + fill("[^1]"),
		"note open":         fill("[^"),
		"headings":          fill("# a\n"),
		"setext":            fill("a\n-\n"),
		"toc":               fill("# a\n\n[TOC]\n\n"),
		"fences":            uniqueFences.String(),
		"js fence":          "```js\n" + fill("/a") + "\n```\n",
		"c fences":          fill("```c\n" + strings.Repeat("/*(", 2000) + "\n```\n"),
		"java fences":       fill("```java\n" + strings.Repeat("\n", 1000) + "x\n```\n"),
		"yaml fences":       fill("```yaml\n" + strings.Repeat(":", 1000) + "\n```\n"),
		"go fences":         fill("```go\n" + strings.Repeat("/*(", 1300) + "\n```\n"),
		"json fences":       fill("```json\n" + strings.Repeat("/", 4000) + "\n```\n"),
		"bash fences":       fill("```bash\n" + strings.Repeat("! ", 8000) + "\n```\n"),
		"sql fences":        fill("```sql\n" + strings.Repeat("a[", 8000) + "\n```\n"),
		"entities":          fill("&amp;"),
		"backslashes":       fill("\\"),
		"newlines":          fill("\n"),
		"html blocks":       fill("<div>\n\n"),
		"tags in text":      fill("#a "),
		"callouts":          fill("> [!NOTE]\n\n"),
		"tasks":             fill("- [ ] a\n"),
		"front matter":      "---\n" + strings.Repeat("[", 16000) + "\n---\n",
		"front matter map":  "---\n" + strings.Repeat("? ", 8000) + "\n---\n",
		"front matter list": "---\n" + strings.Repeat("- ", 8000) + "\n---\n",
		"front matter big":  "---\n" + fill("a: b\n") + "---\n",
		"bare CR":           fill("a\r"),
		"one line":          fill("word "),
		"table of links":    "|a|\n|-|\n" + fill("|[[x\\|y]]|\n"),
		"comment openers":   fill("%% "),
		"comment lines":     fill("%%\n"),
		"comment blocks":    fill("%%a\n\n"),
		"comments open":     fill("a%% %%%"),
		"comments in lists": fill("- %%\n"),
		"comments short":    fill("%%a%%"),
		"marks":             fill("==a== "),
		"marks open":        fill(" ==a"),
		"marks close":       fill("a== "),
		"marks nested":      fill("==*a ==b* "),
		"equals":            fill("="),
		"macros open":       fill("<<a "),
		"macros braces":     fill("{{a "),
		"macros":            fill("<<a>>{{b}}"),
		"emoji":             fill(":tada:"),
		"emoji open":        fill(":" + strings.Repeat("a", 50)),
		"definition terms":  fill("a\n") + ": b\n",
		"definition items":  "a\n" + fill(": b\n"),
		"definition lists":  fill("a\n: b\n\n"),
		"definitions in":    fill(": "),
		"colons open":       fill("::: mermaid\n"),
		"colons closed":     fill("::: mermaid\n:::\n"),
		"block names":       fill("a ^abc\n\n"),
		"block names alone": fill("^abc\n\n"),
		"carets":            fill("^"),
		"carets ends":       fill("a ^\n\n"),
		"callouts nested":   fill(strings.Repeat("> ", 50) + "[!tip]-\n"),
		"callout titles":    fill("> [!tip] *a\n"),
		"callouts unknown":  fill("> [!" + strings.Repeat("a", 39) + "]\n\n"),
		"tasks nested":      fill("- [ ] - [ ] - [ ] a\n"),
		"simple tags":       fill("<b>a</b>"),
		"simple tags apart": fill("<b>a</b>\n\n"),
		"simple tags mixed": fill("*<b>* <i>"),
		"tags not closed":   fill("<i>")[:size/2] + fill("</b>")[:size/2],
		"details":           fill("<details>\n\na\n\n</details>\n\n"),
		"attributes":        fill("<i class=x>a</i>\n\nb\n\n"),
		"one long tag":      "<a " + fill("x ") + ">",
		"links in links":    fill("[[[a]](b)](c)"),
		"links abroad":      fill("<http://a.b?" + strings.Repeat("\\", 100) + ">"),
		"links to headings": strings.Repeat("# a b c d\n\n", size/50) + fill("x [[#zz]] ")[:size*7/10],
		"titles":            fill("[a](b \"&amp;\")"),
		"cells with ticks":  "|a|\n|-|\n" + fill("|`a\\|b`|\n"),
	}
}

// A page as hostile as this is shown in bounded work, or its source is. The limit is generous, for slow machines under
// the race detector; what it catches is what would take minutes.
func TestHostile(t *testing.T) {
	for name, src := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := busy(t)
			d := Parse("a.md", []byte(src))
			parsed := busy(t) - start
			out := d.HTML(Context{Space: "wiki", Profile: Native})
			took := busy(t) - start
			t.Logf("%6.2f s (%.2f parsing), %d bytes, source %v", took.Seconds(), parsed.Seconds(), len(out), d.root == nil)
			if took > 60*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// Where the links of a page stand is found in bounded work, too.
func TestHostileTags(t *testing.T) {
	src := "<div>\n" + strings.Repeat("<a href=x>\n", maxSource/11-10)
	start := busy(t)
	list, _ := Doubts("a.md", []byte(src), Context{Names: NewNames(slices.Values([]Path{"a.md"}))}, maxSource)
	if len(list) != maxSource/11-10 || list[1].Line != 3 || list[1].At != len("<div>\n<a href=x>\n<a href=") {
		t.Fatalf("%d links", len(list))
	}
	if took := busy(t) - start; took > 60*time.Second {
		t.Errorf("took %v", took)
	}
}

// busy is the processor's time that this process has had: unlike a clock, it does not count what others have.
func busy(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What is coloured depends on the text alone, and is bounded for the page as for a block.
func TestColours(t *testing.T) {
	block := func(lang string, size int) string {
		return "```" + lang + "\n" + strings.Repeat("if x // y\n", size/10) + "```\n\n"
	}
	for _, tt := range []struct {
		name, in    string
		some, plain bool // blocks with colours, blocks without
	}{
		{"a block", block("go", 4000), true, false},
		{"a block too long", block("go", 5000), false, true},
		{"a quick language", block("bash", 16_000), true, false},
		{"a slow language", block("java", 1000), true, false},
		{"a slow language, too long", block("java", 1100), false, true},
		{"a language that was not measured", block("arduino", 100), false, true},
		{"more than a page may have", strings.Repeat(block("go", 4000), 4), true, true},
		{"a megabyte", strings.Repeat(block("go", 4000), 250), true, true},
	} {
		d := Parse("a.md", []byte(tt.in))
		got := d.HTML(Context{})
		some, plain := false, false
		for _, b := range strings.Split(got, "<pre class=\"chroma\">")[1:] {
			if strings.Contains(b, "<span") {
				some = true
			} else {
				plain = true
			}
		}
		if some != tt.some || plain != tt.plain {
			t.Errorf("%s: coloured %v, plain %v", tt.name, some, plain)
		}
		if d.HTML(Context{}) != got {
			t.Errorf("%s: not alike twice", tt.name)
		}
	}
	for name := range measured {
		if lexerNames()[strings.ToLower(name)] == nil {
			t.Errorf("no lexer has the name %s", name)
		}
	}
}

// What a person may well write is not taken for hostile, and what is hostile is shown as its source.
func TestGuard(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		source   bool
	}{
		{"notes", strings.Repeat("[^1]: x\n\n[^1] ", 20_000), true},
		{"headings", strings.Repeat("#\n", 100_000), true},
		{"underlined headings", strings.Repeat("a\n-\n", 50_000), true},
		{"some notes", strings.Repeat("[^1] ", 2000) + "\n\n[^1]: x\n", false},
		{"1000 columns", strings.Repeat("|a", 1000) + "|\n" + strings.Repeat("|-", 1000) + "|\n", true},
		{"links in links", strings.Repeat("[a](", 10_000), true},
		{"lists in lists", strings.Repeat("- ", 10_000), true},
		{"quotations in quotations", strings.Repeat(">", 100_000), true},
		{"long definition, many references", "[x]: https://" + strings.Repeat("y", 20_000) + "\n\n" + strings.Repeat("[x] ", 2000), true},
		{"a table of 10,000 rows", "|a|b|c|\n|-|-|-|\n" + strings.Repeat("|[[x]]|`y`|*z*|\n", 10_000), false},
		{"a long paragraph", strings.Repeat("Some *words* and a [link](x) to `code`, <b>said</b> at _length_. ", 2000), false},
		{"a long list", strings.Repeat("- [x](y) and **more**\n", 10_000), false},
		{"ten levels", "- a\n  - b\n    - c\n      - d\n        - e\n          - f\n            - g\n              - h\n", false},
		{"rules", strings.Repeat("- - -\n\n* * *\n\n", 500), false},
		{"definitions", strings.Repeat("[a]: b\n", 1000), false},
	} {
		got := Parse("a.md", []byte(tt.in)).HTML(Context{Space: "wiki", Profile: Native})
		if source := strings.HasPrefix(got, "<div class=\"notice\">"); source != tt.source {
			t.Errorf("%s: shown as source is %v, want %v", tt.name, source, tt.source)
		}
	}
}
