package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var shown = Context{Space: "go", Profile: Native, Names: names("Home.md", "guide/Set up.md", "guide/pic.png", "guide/deep/Home.md", "doc.pdf", "C#.md")}

func TestHTML(t *testing.T) {
	anchor := func(id string) string {
		return ` <a aria-label="Link to this section" class="anchor" href="#` + id + `"></a>`
	}
	for _, tt := range []struct{ name, in, want string }{
		{"paragraph", "a *b* **c** ~~d~~", `<p>a <em>b</em> <strong>c</strong> <del>d</del></p>`},
		{"title once", "# T\n\nx", `<p>x</p>`},
		{"title said twice", "---\ntitle: T\n---\n# T\n\nx", `<p>x</p>`},
		{"other title", "---\ntitle: U\n---\n# T\n", `<h1 id="t">T` + anchor("t") + `</h1>`},
		{"heading", "x\n\n## Set Up, now!\n", `<p>x</p>` + "\n" + `<h2 id="set-up-now">Set Up, now!` + anchor("set-up-now") + `</h2>`},
		{"our ids", "x\n## Cairn menu", `<p>x</p>` + "\n" + `<h2 id="h-cairn-menu">Cairn menu` + anchor("h-cairn-menu") + `</h2>`},
		{"wiki link", "[[Set up]]", `<p><a href="/go/guide/Set%20up">Set up</a></p>`},
		{"wiki link with text", "[[Set up#Part two|here]]s", `<p><a href="/go/guide/Set%20up#part-two">here</a>s</p>`},
		{"a heading under another", "## A\n### B\n## C\n### B\n\n[[#C#B|t]] [[#A#b|t]]", `<h2 id="a">A` + anchor("a") + "</h2>\n" + `<h3 id="b">B` + anchor("b") + "</h3>\n" + `<h2 id="c">C` + anchor("c") + "</h2>\n" + `<h3 id="b-1">B` + anchor("b-1") + "</h3>\n" + `<p><a href="#b-1">t</a> <a href="#b">t</a></p>`},
		{"red link", "[[New one]]", `<p><a class="missing" href="/go/-/edit/guide/New%20one" title="This page is not written yet">New one</a></p>`},
		{"C#", "[[C#]]", `<p><a href="/go/C%23">C#</a></p>`},
		{"markdown link", "[x](../Home.md#part)", `<p><a href="/go/Home#part">x</a></p>`},
		{"folder", "[x](/guide/)", `<p><a href="/go/guide/">x</a></p>`},
		{"file", "[[doc.pdf]]", `<p><a href="/go/doc.pdf">doc.pdf</a></p>`},
		{"abroad", "<https://x.y/>", `<p><a href="https://x.y/" rel="nofollow ugc noopener">https://x.y/</a></p>`},
		{"mail", "<a@b.c>", `<p><a href="mailto:a@b.c" rel="nofollow ugc noopener">a@b.c</a></p>`},
		{"image", "![alt](pic.png \"t\")", `<p><img src="/go/guide/pic.png" alt="alt" title="t" loading="lazy"/></p>`},
		{"embedded image", "![[pic.png|300]]", `<p><img src="/go/guide/pic.png" alt="pic" width="300" loading="lazy"/></p>`},
		{"image in the author's HTML", `<img src="pic.png" width="99999">`, `<img src="/go/guide/pic.png" width="4096" loading="lazy"/>`},
		{"embedded page", "![[Home]]", `<p><a href="/go/Home">Home</a></p>`},
		{"literal", `\[[Home]] '[[Home]]`, `<p>[[Home]] '[[Home]]</p>`},
		{"in code", "`[[Home]]`", `<p><code>[[Home]]</code></p>`},
		{"in a table", "|a|\n|:-:|\n|[[Home\\|b]]|", "<table>\n<thead>\n<tr>\n<th align=\"center\">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"center\"><a href=\"/go/Home\">b</a></td>\n</tr>\n</tbody>\n</table>"},
		{"bracketed text", "[[1]](/Home)", `<p><a href="/go/Home">[1]</a></p>`},
		{"task", "- [x] a", "<ul>\n<li><input aria-label=\"Done\" checked=\"\" data-line=\"1\" disabled=\"\" type=\"checkbox\"/> a</li>\n</ul>"},
		{"callout", "> [!WARNING]\n> a", "<div class=\"callout warning\">\n<p class=\"callout-title\"><span class=\"kind\">Warning</span></p>\n<p>a</p>\n</div>"},
		{"callout with a title", "> [!note] a *b*", "<div class=\"callout note\">\n<p class=\"callout-title\"><span class=\"kind\">Note</span> a <em>b</em></p>\n</div>"},
		{"code", "```go\nif x\n```", `<pre class="chroma"><code class="language-go"><span class="k">if</span><span class="w"> </span><span class="nx">x</span><span class="w">` + "\n" + `</span></code></pre>`},
		{"code of no language", "```x y\n<b>\n```", `<pre class="chroma"><code class="language-x">&lt;b&gt;` + "\n" + `</code></pre>`},
		{"contents", "[[_TOC_]]\n\n## A\n### B\n## C", `<nav class="toc"><ul><li><a href="#a">A</a><ul><li><a href="#b">B</a></li></ul></li><li><a href="#c">C</a></li></ul></nav>`},
		{"bad front matter", "---\na: *b\n---\nx", "<div class=\"notice\"><p>The front matter is not valid YAML.</p></div>\n<pre><code class=\"language-yaml\">a: *b\n</code></pre>\n<p>x</p>"},
		{"braces", "{{ .x }}", `<p>{{ .x }}</p>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.TrimSpace(Parse("guide/Page.md", []byte(tt.in)).HTML(shown))
			if tt.name == "contents" {
				got, _, _ = strings.Cut(got, "\n")
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Under a base, all that leads into the space stays below it, and nothing offers to write.
func TestBase(t *testing.T) {
	then := shown
	then.Base = "/go/-/at/2026-01-31"
	for _, tt := range []struct{ in, want string }{
		{"[[Set up#Part two]]", `<p><a href="/go/-/at/2026-01-31/guide/Set%20up#part-two">Set up#Part two</a></p>`},
		{"[x](/guide/)", `<p><a href="/go/-/at/2026-01-31/guide/">x</a></p>`},
		{"[x](/)", `<p><a href="/go/-/at/2026-01-31/Home">x</a></p>`},
		{"[[#part]]\n## part", `<a href="#part">`},
		{"[[New one]]", `<p><a class="missing" href="/go/-/at/2026-01-31/guide/New%20one" title="This page is not there">New one</a></p>`},
		{"[[none.pdf]]", `href="/go/-/at/2026-01-31/guide/none.pdf" title="This file is not there"`},
		{"![alt](pic.png)", `<p><img src="/go/-/at/2026-01-31/guide/pic.png" alt="alt" loading="lazy"/></p>`},
		{`<img src="pic.png"><a href="Set up.md">x</a>`, `<img src="/go/-/at/2026-01-31/guide/pic.png" loading="lazy"/><a href="/go/-/at/2026-01-31/guide/Set%20up">x</a>`},
		{"<https://x.y/>", `<a href="https://x.y/"`},
	} {
		if got := Parse("guide/Page.md", []byte(tt.in)).HTML(then); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.in, got, tt.want)
		}
	}
}

func TestFootnotes(t *testing.T) {
	got := Parse("a.md", []byte("x[^1]\n\n[^1]: note\n")).HTML(shown)
	for _, want := range []string{`href="#fn:1"`, `id="fn:1"`, `class="footnotes"`, `note`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// vectors try to run a script, leave the page's frame, or take on the looks and ids of the pages around it.
var vectors = []string{
	"<script>alert(1)</script>", "<SCRIPT SRC=//x></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
	"<img src=x onerror=alert(1)>", "<img src=\"javascript:alert(1)\">", "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
	"<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
	"[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))",
	"[x](javascript&colon;alert(1))", "[x](<java\nscript:alert(1)>)", "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:x)",
	"<a href=\"&#x6A;avascript:alert(1)\">x</a>", "<a href=\" javascript:alert(1)\">x</a>", "<a href=\"java&#9;script:alert(1)\">x</a>",
	"<a href=\"\x01javascript:alert(1)\">x</a>", "![x](javascript:alert(1))", "![x](data:image/svg+xml,<svg onload=alert(1)>)", "<javascript:alert(1)>",
	"[[javascript:alert(1)]]", "[[x|javascript:alert(1)]]", "[[\"><script>alert(1)</script>]]", "![[\"onerror=alert(1).png|\"x\"]]",
	"[a]: javascript:alert(1)\n\n[a]",
	"</div></article></main><h1>x</h1>", "<div><div></p></div></div></div>", "<form action=/x><input name=q><button>x</button></form>",
	"<input type=image src=x onerror=alert(1)>", "<button formaction=javascript:alert(1)>x</button>", "<style>*{display:none}</style>",
	"<p style=\"position:fixed\">x</p>", "<meta http-equiv=refresh content=\"0;url=//x\">", "<iframe src=//x></iframe>", "<iframe srcdoc=\"<script>alert(1)</script>\">",
	"<base href=//x>", "<link rel=stylesheet href=//x>", "<object data=x></object><embed src=x>",
	"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
	"<math><annotation-xml encoding=\"text/html\"><style><img src=x onerror=alert(1)></style></annotation-xml></math>",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<template><script>alert(1)</script></template>",
	"<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\">", "<xmp><p title=\"</xmp><script>alert(1)</script>\">",
	"<select><style></select><img src=x onerror=alert(1)></style>", "<!--><img src=x onerror=alert(1)>-->", "<![CDATA[<script>alert(1)</script>]]>",
	"<div id=cairn-save>x</div>", "<a name=CAIRN-menu>x</a>", "# a\n\n## cairn-nav", "<div class=\"modal open\">x</div>", "<a href=//x target=_blank>x</a>",
	"<details ontoggle=alert(1) open>x</details>", "<video src=x onerror=alert(1)>", "<body onload=alert(1)>", "<html><head><script>alert(1)</script>",
	"<table background=javascript:alert(1)>", "<a href=\"x\" onclick=\"alert(1)\" style=x>x</a>", "<img srcset=\"x 1x\" src=\"x`onerror=alert(1)`\">",
	"{{constructor.constructor('alert(1)')()}}", "```\"><script>alert(1)</script>\nx\n```", "---\na: *x</code><script>alert(1)</script>\n---\n",
	"<dialog open>x</dialog><marquee onstart=alert(1)>", "<portal src=//x>", "<a ping=//x href=//y>x</a>", "<img src=x loading=eager fetchpriority=high>",
}

func TestScripts(t *testing.T) {
	for _, v := range vectors {
		for _, src := range []string{v, "x " + v + " y", "> " + v, "|a|\n|-|\n|" + v + "|"} {
			checkSafe(t, src)
		}
	}
}

func FuzzHTML(f *testing.F) {
	for _, v := range vectors {
		f.Add(v)
	}
	f.Add("<div><a href=\"x\n\n<b>[y](z)\"> <img src=a://b>![[a://b]] [[|]]")
	f.Add("# a\n> [!NOTE]\n- [ ] [[x|y]]\n\n```go\nx\n```\n|a|\n|-|\n|b|\n\n[^1]\n\n[^1]: x\n[TOC]")
	f.Add("> [!tip]- *a* ==b== %%c%% :tada: <<d>> {{e}}\n> f ^abc\n\na\n: b\n\n%%\nx\n\n%%\n::: mermaid\nx\n:::\n1. [x] a ^abd\n")
	f.Add("[[# !]] [[!#!]]")
	f.Fuzz(func(t *testing.T, src string) { checkSafe(t, src) })
}

var allowed = strings.Fields(`h1 h2 h3 h4 h5 h6 p div span br hr wbr blockquote pre code kbd samp var em strong b i u s del ins sub
	sup small mark q cite dfn abbr ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td details summary figure
	figcaption ruby rt rp bdi bdo section nav a img input video audio`)

var allowedAttributes = strings.Fields(`id title lang dir align colspan rowspan start value type open cite href rel aria-label role
	src alt width height loading disabled checked class data-line data-kind data-frame controls preload`)

// checkSafe renders a page and looks at the result.
func checkSafe(t *testing.T, src string) {
	t.Helper()
	d := Parse("guide/Page.md", []byte(src))
	got := d.HTML(shown)
	checkLinks(t, d)
	checkAgain(t, d, got)
	checkFrame(t, src, got)
}

// checkFrame reads what a page became as a browser would, and looks at each element and attribute.
func checkFrame(t *testing.T, src, got string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(`<html><head></head><body><div id="frame">` + got + `</div><p id="after"></p></body></html>`))
	if err != nil {
		t.Fatalf("%q: %v in\n%s", src, err, got)
	}
	var frame, after *html.Node
	var walk func(n *html.Node, inside bool)
	walk = func(n *html.Node, inside bool) {
		if n.Type == html.ElementNode {
			switch get(n, "id") {
			case "frame":
				if frame == nil {
					frame = n
				}
			case "after":
				after = n
			}
			if inside && (n.Namespace == "math" || n.Data == "math") {
				checkFormula(t, src, n)
				return
			}
			if inside {
				if n.Namespace != "" || !slices.Contains(allowed, n.Data) {
					t.Fatalf("%q: element %s in\n%s", src, n.Data, got)
				}
				for _, a := range n.Attr {
					checkAttribute(t, src, got, n, a)
				}
			}
		} else if inside && n.Type == html.CommentNode {
			t.Fatalf("%q: a comment in\n%s", src, got)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, inside || n == frame)
		}
	}
	walk(root, false)
	if after == nil || after.Parent == nil || after.Parent.Data != "body" {
		t.Fatalf("%q: leaves its frame:\n%s", src, got)
	}
}

// checkAgain holds what we write ourselves to the sanitiser: it finds nothing to change in it.
func checkAgain(t *testing.T, d *Doc, got string) {
	t.Helper()
	for _, p := range d.parts {
		if p.mixed {
			return
		}
	}
	got = withoutFormulas(got)
	again, err := (&writer{doc: d, in: shown, seen: map[Link]Target{}}).sanitise([]byte(got))
	if err != nil {
		t.Fatalf("%q: %v in\n%s", d.source, err, got)
	}
	if a, b := canonical(t, got), canonical(t, again); a != b {
		t.Fatalf("%q: sanitised again, this changes:\n%s\ninto\n%s", d.source, a, b)
	}
}

func div() *html.Node { return &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div} }

// canonical is the HTML that a browser makes of some HTML, with attributes in order.
func canonical(t *testing.T, s string) string {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(s), div())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		remove(n, "data-line") // the sanitiser would take the author's away
		slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	for _, n := range nodes {
		walk(n)
		_ = html.Render(&b, n)
	}
	return b.String()
}

func checkAttribute(t *testing.T, src, got string, n *html.Node, a html.Attribute) {
	t.Helper()
	if !slices.Contains(allowedAttributes, a.Key) {
		t.Fatalf("%q: attribute %s in\n%s", src, a.Key, got)
	}
	switch a.Key {
	case "id":
		if strings.HasPrefix(strings.ToLower(a.Val), reserved) {
			t.Fatalf("%q: our id %s in\n%s", src, a.Val, got)
		}
	case "href", "src", "cite":
		// A browser drops tabs and line ends before it looks for the scheme.
		v := strings.ToLower(strings.Map(func(r rune) rune {
			if r <= ' ' {
				return -1
			}
			return r
		}, a.Val))
		if scheme, _, ok := strings.Cut(v, ":"); ok && isScheme(scheme) && scheme != "http" && scheme != "https" && scheme != "mailto" {
			t.Fatalf("%q: address %s in\n%s", src, a.Val, got)
		}
		if (n.Data == "video" || n.Data == "audio") && isExternal(v) {
			t.Fatalf("%q: plays %s in\n%s", src, a.Val, got)
		}
		if a.Key == "href" && isExternal(v) && get(n, "rel") != "nofollow ugc noopener" {
			t.Fatalf("%q: no rel in\n%s", src, got)
		}
	case "data-frame":
		if !slices.ContainsFunc(FrameHosts(), func(host string) bool { return strings.HasPrefix(a.Val, host+"/") }) {
			t.Fatalf("%q: frame of %s in\n%s", src, a.Val, got)
		}
	case "type":
		if n.Data == "input" && !strings.EqualFold(a.Val, "checkbox") {
			t.Fatalf("%q: input in\n%s", src, got)
		}
	}
}

// What a page's looks depend on is in its Links: those who keep HTML and those who look for backlinks ask for no more.
func TestLinksOfHTML(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want string // destinations, images with "!"
	}{
		{"x <a href=\"Set up.md\">y</a> <IMG alt=x SRC=' pic.png\n'>", "Set up.md !pic.png"},
		{"<p><img src=pic.png><a href=Home&#46;md>x</a>\n<image src=new.png></p>", "!pic.png Home.md !new.png"},
		{"> <div>\n> <a\n> href=\"Set up\">x</a>\n> </div>", "Set up"},
		{"<a href=x>1</a> <a href=x>2</a> [x](x)", "x x"},
		{"<a href=\"#part\">x</a> <a href=\"https://x.y\">x</a> <a href=\"//x.y\">x</a> <a href=\"/host\">x</a>", "#part https://x.y //x.y"},
		{"x <!-- <a href=x> --> `<a href=x>` \\<a href=x>\n\n    <img src=x>\n\n<script>\"<a href=x>\"</script>", ""},
		{"<a name=x><abbr href=x><i src=x>", ""},
	} {
		var got []string
		for _, l := range Parse("guide/Page.md", []byte(tt.in)).Links {
			if l.Embed {
				l.A = "!" + l.A
			}
			got = append(got, l.A)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.in, s, tt.want)
		}
	}
	d := Parse("guide/Page.md", []byte(`<img src="new.png">`))
	later := shown
	later.Names = shown.Names.With([]Path{"guide/new.png"}, nil)
	if before, after := d.HTML(shown), d.HTML(later); before == after || !strings.Contains(after, "/go/guide/new.png") {
		t.Errorf("got %s, then %s", before, after)
	}
	many := Parse("a.md", []byte(strings.Repeat("<a href=x>x</a>", 10)+unique("<img src=%d>", 2*maxRaw)))
	if got := len(many.Links); got != maxRaw {
		t.Errorf("got %d links, want %d", got, maxRaw)
	}
}

func unique(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// checkLinks looks at all that HTML asked the resolver.
func checkLinks(t *testing.T, d *Doc) {
	t.Helper()
	if d.root == nil {
		return
	}
	w := &writer{doc: d, in: shown, seen: map[Link]Target{}}
	d.show(w)
	have := map[Link]bool{}
	for _, l := range d.Links {
		l.Start, l.End = 0, 0
		have[l] = true
	}
	for l := range w.seen {
		if empty := l.A == "" && l.B == ""; !empty && !have[l] { // an empty link means its own page
			t.Fatalf("%q: %+v is not in its links", d.source, l)
		}
	}
}

// Many may show one page at once.
func TestConcurrentHTML(t *testing.T) {
	d := Parse("a.md", []byte("# A\n\n## B\n[[x]] [TOC]\n\n[TOC]\n\n> [!TIP]\n> x[^1]\n\n|a|\n|-|\n|b|\n\n```go\nx := 1\n```\n\n<b>x</b>\n\n[^1]: y\n"))
	want := d.HTML(shown)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := d.HTML(shown); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	wg.Wait()
}

// What the table of links says is what readers are sent to.
func TestLinksTable(t *testing.T) {
	for _, w := range worlds(t) {
		n := names(w.Files...)
		for _, c := range w.Cases {
			t.Run(c[0], func(t *testing.T) {
				in := Context{Space: "go", Names: n, Profile: Profile(c[1]), Also: w.also()}
				from, src := Path(c[2]), c[3]
				if !strings.Contains(src, "[[") {
					src = "[x](<" + src + ">)"
				}
				target := in.Resolve(from, written(c[3]))
				if target.String() != c[4] {
					t.Fatalf("%s leads to %v", c[3], target) // and the resolver's test says more
				}
				address := in.URL(target.Path)
				class := ""
				switch {
				case target.External != "" && safeAddress(target.External) == "":
					return // nobody is sent there
				case target.External != "":
					address = target.External
				case target.IsDir:
					address = in.root() + target.Dir + "/"
				case target.Path == "":
					class, address = "missing", ""
				case !target.Found && target.Path.IsPage():
					class, address = "missing", "/go/-/edit/"+escapePath(target.Path.Address())
				case !target.Found:
					class = "missing"
				case target.Path == from && target.Fragment != "":
					address = "#"
				}
				got := Parse(from, []byte(src)).HTML(in)
				href := regexp.MustCompile(` (?:href|src)="([^"#]*#?)`).FindStringSubmatch(got)
				if address == "" {
					if href != nil || !strings.Contains(got, "missing") {
						t.Errorf("%s became %s", src, got)
					}
					return
				}
				if href == nil || html.UnescapeString(strings.TrimSuffix(href[1], "#")) != strings.TrimSuffix(address, "#") || strings.Contains(got, `class="missing"`) != (class != "") {
					t.Errorf("%s became %s, want a link to %s %s", src, got, address, class)
				}
			})
		}
	}
}
