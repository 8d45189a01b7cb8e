package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark/ast"
	"golang.org/x/net/html"
)

// Which dollars are formulas, and which are dollars.
func TestDollars(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"$x$", "x"},
		{"a $x$, ($y$) and *$z$*.", "x y z"},
		{"$x$-axis, $n$th, two $x$s", "x n x"},
		{"设$x$为", "x"},
		{"costs $5 and $10", ""},
		{"costs $5, or 10$", "5, or 10"}, // as others read it too
		{"from US$20 to US$30", ""},
		{"$5-$10", ""},
		{"$ x$ and $y $", ""},
		{"$HOME/$USER", ""},
		{"a$b$", ""},
		{"\\$x$ and $y\\$", ""},
		{"$5\\$ = x$", "5\\$ = x"},
		{"$a\\\\$", "a\\\\"},
		{"`$x$` and ``$y$``", ""},
		{"$a `b$` c$", ""},
		{"$a_1 * b_1$ * c$", "a_1 * b_1"},
		{"$a\n= b$", "a\n= b"},
		{"> $a\n> = b$", "a\n= b"},
		{"$a\n\nb$", ""},
		{"$`a_1`$", "a_1"},
		{"$`a$b`$ $``$", "a$b"},
		{"$$x$$", "[x]"},
		{"  $$ x $$  ", "[ x ]"},
		{"a $$x$$ b", "<x>"},
		{"a $$x\ny$$ b", "<x\ny>"},
		{"$$\nx\n$$", "[\nx\n]"},
		{"$$\nx\n\n- y\n# z\n$$\n\n$w$", "[\nx\n\n- y\n# z\n] w"},
		{"$$ x\ny $$", "[ x\ny ]"},
		{"text\n$$\nx\n$$\ntext", "[\nx\n]"},
		{"> $$\n> x\n> $$", "[\nx\n]"},
		{"- a\n\n  $$\n  x\n  $$\n- b", "[\nx\n]"},
		{"> $$\n> x\n\n$$", "[\nx\n]"}, // ends with what it is in
		{"$$\nnever closed", ""},
		{"$$\na $$ b\n$$", "<\na >"},
		{"$$\n$$", "[\n]"},
		{"$$ $$ $$$$ $$$ $", ""},
		{"    $$\n    x\n    $$", ""},
		{"|a|\n|-|\n|$\\|x\\|$|", "|x|"},
		{"[$x$](y) ![$z$](w.png)", "x z"},
		{"# $x$", "x"},
		{"| $x | y$ |\n|-|-|", ""},
		{"[[a$b]] c$ <a title=\"$x$\">", ""},
	} {
		var got []string
		d := Parse("a.md", []byte(tt.in))
		_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if !entering {
				return ast.WalkContinue, nil
			}
			switch n := n.(type) {
			case *formula:
				if n.display {
					got = append(got, "<"+n.tex+">")
				} else {
					got = append(got, n.tex)
				}
			case *formulaBlock:
				var b strings.Builder
				writeLines(&b, n, d.source)
				got = append(got, "["+b.String()+"]")
			}
			return ast.WalkContinue, nil
		})
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFormulas(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a letter", "$x$", "<p><math><mrow><mi>x</mi></mrow></math></p>"},
		{"displayed", "$$x$$", `<div><span class="formula"><math display="block"><mrow><mi>x</mi></mrow></math></span></div>`},
		{"fenced", "```math\nx\n```", `<div><span class="formula"><math display="block"><mrow><mi>x</mi></mrow></math></span></div>`},
		{"within the author's HTML", "<b title=y>$x$</b>", `<p><b title="y"><math><mrow><mi>x</mi></mrow></math></b></p>`},
		{"letters", `$\mathbb{R}\mathcal{L}\mathbf{x}$`, "<p><math><mrow><mi>ℝ</mi><mi>ℒ</mi><mi>𝐱</mi></mrow></math></p>"},
		{"upright", `$\mathrm{d}$`, `<p><math><mrow><mi mathvariant="normal">d</mi></mrow></math></p>`},
		{"less than", `$a<b$`, "<p><math><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow></math></p>"},
		{"primes", `$f''$`, "<p><math><mrow><msup><mi>f</mi><mo>″</mo></msup></mrow></math></p>"},
		{"chemistry", `$\ce{H2O}$`, ""},
		{"broken", `$\frac{a}$ b`, `<p><code class="formula" title="This formula cannot be shown: Unexpected end of input in a macro argument, expected &#39;}&#39;">$\frac{a}$</code> b</p>`},
		{"unknown", `$\foo<b>$`, `<p><code class="formula" title="This formula cannot be shown: Undefined control sequence: \foo">$\foo&lt;b&gt;$</code></p>`},
		{"a name of ours", `$\cairn@gullet$`, `<p><code class="formula" title="This formula cannot be shown: Undefined control sequence: \cairn@gullet">$\cairn@gullet$</code></p>`},
		{"endless", `$\def\a{\a\a}\a$`, `<p><code class="formula" title="This formula cannot be shown: Too many expansions: infinite loop or need to increase maxExpand setting">$\def\a{\a\a}\a$</code></p>`},
		{"nothing", "$$\n$$", `<div><span class="formula"><math display="block"><mrow></mrow></math></span></div>`},
	} {
		got := strings.TrimSpace(Parse("a.md", []byte(tt.in)).HTML(shown))
		if tt.want == "" && strings.Contains(got, "<math>") {
			continue
		}
		if got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// The source is what search finds, and what stands where there can be no formula.
func TestFormulaText(t *testing.T) {
	d := Parse("a.md", []byte("# On $e^x$\n\nSee $a_1$.\n\n$$\n\\frac12\n$$\n\n## The $\\pi$\n\n![$x$](y.png)\n"))
	if want := "On e^x\nSee a_1.\n\n\\frac12\nThe \\pi\nx"; d.Text != want {
		t.Errorf("text is %q, want %q", d.Text, want)
	}
	if d.Title != "On e^x" || d.Outline[0].Text != "The \\pi" || d.Outline[0].ID != "the-pi" {
		t.Errorf("title %q, outline %v", d.Title, d.Outline)
	}
}

// What one formula defines or breaks, the next does not see; what another page defines neither.
func TestFormulasApart(t *testing.T) {
	got := Parse("a.md", []byte(`$\gdef\x{y}\x$ $\x$ $\x$`)).HTML(shown)
	if strings.Count(got, "<math>") != 1 || strings.Count(got, "Undefined control sequence") != 2 {
		t.Errorf("got\n%s", got)
	}
	deep := "$" + strings.Repeat("{", 8000) + strings.Repeat("}", 8000) + "$ $x$"
	if got := Parse("a.md", []byte(deep)).HTML(shown); !strings.Contains(got, "cannot be shown") || strings.Count(got, "<math>") != 1 {
		t.Errorf("got\n%.200s", got)
	}
}

// Nothing but what is on the list comes through the wall, whatever the tree.
func TestMathWall(t *testing.T) {
	text := func(s string) *mathNode { return &mathNode{text: s} }
	for _, tt := range []struct {
		name string
		in   *mathNode
		want string // "" for an error
	}{
		{"text", &mathNode{name: "mtext", children: []*mathNode{text("<b>&\"")}}, "<mtext>&lt;b&gt;&amp;&#34;</mtext>"},
		{"unknown element", &mathNode{name: "maction"}, ""},
		{"script", &mathNode{name: "script", children: []*mathNode{text("x")}}, ""},
		{"an element within text", &mathNode{name: "mi", children: []*mathNode{{name: "mglyph"}}}, ""},
		{"text outside of tokens", &mathNode{name: "mrow", children: []*mathNode{text("<script>")}}, ""},
		{"annotation", &mathNode{name: "semantics", children: []*mathNode{{name: "mrow"}, {name: "annotation"}}}, "<mrow></mrow>"},
		{"attributes", &mathNode{name: "mrow", attrs: map[string]string{"href": "x", "style": "y", "onclick": "z", "class": "notice", "id": "a", "mathcolor": "red"}}, `<mrow mathcolor="red"></mrow>`},
		{"a colour that is none", &mathNode{name: "mrow", attrs: map[string]string{"mathcolor": "url(x)", "mathbackground": "red;"}}, "<mrow></mrow>"},
		{"far", &mathNode{name: "mspace", attrs: map[string]string{"width": "500em", "height": "-3em", "depth": "1em"}}, `<mspace depth="1em"></mspace>`},
		{"back", &mathNode{name: "mrow", children: slices.Repeat([]*mathNode{{name: "mspace", attrs: map[string]string{"width": "-1em"}}}, 7)},
			"<mrow>" + strings.Repeat(`<mspace width="-1em"></mspace>`, 5) + "<mspace></mspace><mspace></mspace></mrow>"},
		{"large", &mathNode{name: "mstyle", attrs: map[string]string{"mathsize": "3em"}, children: []*mathNode{{name: "mstyle", attrs: map[string]string{"mathsize": "3em"}}}},
			`<mstyle mathsize="3em"><mstyle></mstyle></mstyle>`},
		{"a table", &mathNode{name: "mtable", children: []*mathNode{{name: "mrow"}}}, ""},
		{"strikes", &mathNode{name: "menclose", attrs: map[string]string{"notation": "updiagonalstrike notice"}}, `<mrow class="math-up"></mrow>`},
	} {
		got, err := mathML(tt.in)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s: got %s, want an error", tt.name, got)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.name, got, err, tt.want)
		}
	}
	deep := &mathNode{name: "mrow"}
	for range maxMathDepth {
		deep = &mathNode{name: "mrow", children: []*mathNode{deep}}
	}
	if _, err := mathML(deep); err == nil {
		t.Error("a tree without end comes through")
	}
}

func TestMathLetters(t *testing.T) {
	for _, tt := range []struct{ variant, in, want string }{
		{"bold", "Az09", "𝐀𝐳𝟎𝟗"},
		{"bold", "Ωα∇∂ς", "𝛀𝛂𝛁𝛛𝛓"},
		{"italic", "gh", "𝑔ℎ"},
		{"script", "ABHZego", "𝒜ℬℋ𝒵ℯℊℴ"},
		{"fraktur", "ACaz", "𝔄ℭ𝔞𝔷"},
		{"double-struck", "ARZk1", "𝔸ℝℤ𝕜𝟙"},
		{"sans-serif", "aZ9", "𝖺𝖹𝟫"},
		{"bold-sans-serif", "aω", "𝗮𝞈"},
		{"monospace", "aZ9", "𝚊𝚉𝟿"},
		{"script", "é1+ш", "é1+ш"},
		{"normal", "aZ", "aZ"},
		{"<script>", "aZ", "aZ"},
	} {
		if got := mathLetters(tt.variant, tt.in); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.variant, tt.in, got, tt.want)
		}
	}
}

// hostileMath are formulas that are made to take long.
func hostileMath() map[string]string {
	m := map[string]string{}
	rep := strings.Repeat
	for name, tex := range map[string]string{
		"letters": rep("x", 16000), "powers": rep("x^2", 5000), "fractions": rep(`\frac12`, 2200), "braces": rep("{", 8000) + rep("}", 8000),
		"fractions in fractions": rep(`\frac{`, 1500) + "x" + rep("}{y}", 1500), "roots": rep(`\sqrt{`, 2000) + "x" + rep("}", 2000),
		"open": rep("{", 16000), "cells": `\begin{matrix}` + rep("&", 15000) + `\end{matrix}`, "rows": `\begin{matrix}` + rep(`\\`, 7500) + `\end{matrix}`,
		"fences": rep(`\left(`, 1100) + rep(`\right)`, 1100), "primes": rep("x'", 8000), "colours": rep(`\color{red}`, 1400),
		"definition":      `\def\a{` + rep("x", 8000) + "}" + rep(`\a`, 3900),
		"definitions":     `\def\a{xxxxxxxxxx}\def\b{\a\a\a\a\a\a\a\a\a\a}\def\c{\b\b\b\b\b\b\b\b\b\b}\def\d{\c\c\c\c\c\c\c\c\c\c}\d\d\d\d`,
		"growing":         `\def\a{\a ` + rep("x", 15000) + `}\a`,
		"expanded":        `\edef\a{xx}` + rep(`\edef\a{\a\a}`, 60) + `\a`,
		"text":            `\text{` + rep("a ", 8000) + "}",
		"chemistry":       `\ce{` + rep("H2O + ", 2600) + "}",
		"chemistry open":  `\ce{` + rep("(", 16000) + "}",
		"chemistry text":  `\ce{` + rep("$x$", 5000) + "}",
		"units":           `\pu{` + rep("1 m/s ", 2600) + "}",
		"many \\ce":       rep(`\ce{A}`, 2600),
		"verbatim":        rep(`\verb|a`, 2200),
		"accents":         "a" + rep("\u0301", 7900),
		"accented":        rep("é", 8000),
		"arrows":          rep(`\xrightarrow{a}`, 1000),
		"choices":         rep(`\mathchoice{`, 300) + "x" + rep(`}{x}{x}{x}`, 300),
		"comments":        rep("%\n", 8000),
		"spaces":          rep(" ", 16000) + "x",
		"unknown":         rep(`\foo`, 4000),
		"overlines":       rep(`\overline{`, 1500) + "x" + rep("}", 1500),
		"rules":           rep(`\rule{9em}{9em}`, 1000),
		"sizes":           rep(`\Huge `, 2600) + "x",
		"arrays":          `\begin{array}{` + rep("c|", 3000) + `}` + rep("&", 3000) + `\end{array}`,
		"arrays in array": rep(`\begin{array}{c}`, 400) + rep(`\end{array}`, 400),
		"operators":       rep(`\operatorname{abc}`, 900),
		"tags":            rep(`\tag{1}`, 2200),
	} {
		m[name] = "$$\n" + tex + "\n$$\n"
	}
	const size = 300 << 10 // a quarter of what a page may be: all that is bounded is bounded here
	fill := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(strings.ReplaceAll(format, "@", fmt.Sprint(i)))
		}
		return b.String()
	}
	m["many short"] = fill("$@$ ")
	m["many alike"] = fill("$x$ ")
	m["many displayed"] = fill("$$\nx_@\n$$\n\n")
	m["many fractions"] = fill(`$\frac{@}{\sqrt{x+@}}$ `)
	m["many long"] = fill(`$x_@ + ` + rep("y + ", 500) + "1$\n\n")
	m["many large alike"] = fill("$" + rep("y+", 60) + "1$ ")
	m["many chemistry"] = fill(`$\ce{H@}$ `)
	m["many broken"] = fill(`$\foo@$ `)
	m["many costly"] = fill(`$\def\a{x@` + rep("x", 300) + `}` + rep(`\a`, 400) + "$\n\n")
	m["in HTML"] = "<div title=x>\n\n" + fill("$$\nx_@\n$$\n\n")
	m["alike in HTML"] = "<div title=x>\n\n" + fill("$x$\n\n")
	m["open"] = fill("$a")
	m["open lines"] = fill("$$a\n")
	m["open lines apart"] = fill("$$a\n\n")
	m["open ticks"] = fill("$`a ")
	m["open dollars"] = fill("$$a ")
	m["dollars"] = fill("$")
	m["dollars and breaks"] = fill("$\n")
	m["escapes"] = fill("$\\$")
	m["one"] = "$" + rep("x", size) + "$"
	m["one block"] = "$$\n" + rep("x\n", size/2) + "$$"
	m["one fence"] = "```math\n" + rep("x\n", size/2) + "```"
	return m
}

// A page as hostile as this is shown in bounded work. The limit is generous, see TestHostile.
func TestHostileMath(t *testing.T) {
	for name, src := range hostileMath() {
		t.Run(name, func(t *testing.T) {
			start := busy(t)
			d := Parse("a.md", []byte(src))
			parsed := busy(t) - start
			out := d.HTML(shown)
			took := busy(t) - start
			t.Logf("%6.2f s (%.2f parsing), %d bytes, %d formulas, %d sources", took.Seconds(), parsed.Seconds(), len(out),
				strings.Count(out, "<math"), strings.Count(out, `<code class="formula"`))
			if took > 60*time.Second {
				t.Errorf("took %v", took)
			}
			if strings.HasPrefix(name, "many") && d.HTML(shown) != out {
				t.Error("not alike twice")
			}
		})
	}
}

// A page with a formula that could not be made this time says so, and another time has it.
func TestFormulaAnotherTime(t *testing.T) {
	m := theMathematics()
	for range maxEngines {
		<-m.engines
		m.engines <- &engine{} // one that fails
	}
	d, other := Parse("a.md", []byte("$x^{another}$\n")), Parse("Other.md", []byte("![[a]]\n"))
	in := Context{Names: names("a.md", "Other.md"), Source: func(Path) ([]byte, bool) { return []byte("$x^{another}$\n"), true }}
	if html, _, sure := d.Show(in); sure || strings.Contains(html, "<math") {
		t.Errorf("sure is %v of %s", sure, html)
	}
	if html, _, sure := other.Show(in); sure || strings.Contains(html, "<math") {
		t.Errorf("embedded: sure is %v of %s", sure, html)
	}
	if html, _, sure := d.Show(in); !sure || !strings.Contains(html, "<math") {
		t.Errorf("another time: sure is %v of %s", sure, html)
	}
}

func FuzzMath(f *testing.F) {
	for _, s := range []string{`\frac{a}{b}`, `\begin{pmatrix}a&b\\c&d\end{pmatrix}`, `\begin{array}{l|c||r}a&b&c\\\hline d&e&f\end{array}`,
		`\boxed{x}\cancel{y}\color{red}z`, `\href{javascript:alert(1)}{x}`, `\htmlStyle{color:red}{x}`, `\includegraphics{a}`, `x\tag{1}`,
		`\ce{2H2 + O2 -> 2H2O}`, `\text{<b>}`, `\char"3C script\char"3E`, `\kern-9em\raisebox{9em}{x}\rule{9em}{9em}`, `\unicode{x3c}`, `\url{a}`,
		`\colorbox{red}{x}\fcolorbox{red}{blue}{y}\textcolor{"onclick=}{z}`, `\mathchoice{a}{b}{c}{d}\hphantom{x}\smash{y}`, `\Huge{\Huge{x}}`,
		`\begin{CD}A@>a>>B\\@VVbV@.\end{CD}`, `\underbrace{x}_n\xrightarrow[a]{b}\phase{x}\angl n\pmb{x}\mathllap{x}`, `\def\a#1{#1}\a{x}`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, tex string, display bool) {
		dollars := "$"
		if display {
			dollars = "$$"
		}
		checkSafe(t, dollars+tex+dollars)
		checkSafe(t, "<i title=x>"+dollars+tex+dollars+"</i>")
	})
}

// withoutFormulas takes out what the sanitiser does not know.
func withoutFormulas(s string) string {
	s = regexp.MustCompile(`(?s)<math.*?</math>|<code class="formula" .*?</code>`).ReplaceAllString(s, "")
	return strings.ReplaceAll(s, `<span class="formula">`, "<span>")
}

var (
	mathAllowed = strings.Fields(`math mrow mphantom msqrt mroot msub msup msubsup mi mn mtext mstyle mo mspace mfrac mover munder
		munderover mpadded mtable mtr mtd`)
	mathAllowedAttributes = strings.Fields(`class display displaystyle scriptlevel mathcolor mathbackground mathsize mathvariant form
		fence separator stretchy symmetric largeop movablelimits lspace rspace minsize maxsize width height depth linethickness accent
		accentunder voffset`)
	mathValue = regexp.MustCompile(`^(?:[a-zA-Z]+|#[0-9a-fA-F]+|[+-]?[0-9.]+(?:[a-z]{2})?|(?: ?math-[a-z]+)+)$`)
)

// checkFormula looks at each element and attribute of a formula.
func checkFormula(t *testing.T, src string, n *html.Node) {
	t.Helper()
	if n.Namespace != "math" || !slices.Contains(mathAllowed, n.Data) {
		t.Fatalf("%q: element %s %s in a formula", src, n.Namespace, n.Data)
	}
	for _, a := range n.Attr {
		if !slices.Contains(mathAllowedAttributes, a.Key) || !mathValue.MatchString(a.Val) {
			t.Fatalf("%q: attribute %s=%q in a formula", src, a.Key, a.Val)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.ElementNode:
			checkFormula(t, src, c)
		case c.Type != html.TextNode:
			t.Fatalf("%q: %v in a formula", src, c)
		}
	}
}
