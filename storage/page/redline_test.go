package page

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func TestRedline(t *testing.T) {
	for _, tt := range []struct{ name, old, now, want string }{
		{"the same", "a *b* c", "a *b* c", "<p>a <em>b</em> c</p>"},
		{"wrapped anew", "a b\nc d", "a\nb c\nd", "<p>a\nb c\nd</p>"},
		{"a word", "one two three", "one too three", "<p>one <del>two</del><ins>too</ins> three</p>"},
		{"neighbouring words are one change", "one two three four five", "one too tree four five",
			"<p>one <del>two three</del><ins>too tree</ins> four five</p>"},
		{"in a link", "see [the old page](x) there", "see [the new page](x) there",
			`<p>see <a class="missing" href="/go/-/edit/guide/x" title="This page is not written yet">the <del>old</del><ins>new</ins> page</a> there</p>`},
		{"where a link leads", "see [it](https://a.example/) there, please", "see [it](https://b.example/) there, please",
			`<p>see <a href="https://a.example/" rel="nofollow ugc noopener"><del>it</del></a><a href="https://b.example/" rel="nofollow ugc noopener"><ins>it</ins></a> there, please</p>`},
		{"made bold", "this is important to all", "this is **important** to all",
			"<p>this is <del>important</del><strong><ins>important</ins></strong> to all</p>"},
		{"nothing in common", "alpha beta", "gamma delta epsilon",
			`<del class="block"><p>alpha beta</p></del> <ins class="block"><p>gamma delta epsilon</p></ins>`},
		{"a paragraph more", "a\n\nc", "a\n\nb\n\nc", `<p>a</p> <ins class="block"><p>b</p></ins> <p>c</p>`},
		{"a paragraph less", "a\n\nb\n\nc", "a\n\nc", `<p>a</p> <del class="block"><p>b</p></del> <p>c</p>`},
		{"an item more", "- a\n- c", "- a\n- b\n- c", `<ul><li>a</li><li class="added"><ins>b</ins></li><li>c</li></ul>`},
		{"an item less", "1. a\n1. b\n1. c", "1. a\n1. c", `<ol><li>a</li><li class="removed"><del>b</del></li><li>c</li></ol>`},
		{"a list of paragraphs", "- a\n- b", "- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"},
		{"a cell", "|a|b|\n|-|-|\n|c|5|", "|a|b|\n|-|-|\n|c|7|", `<table><thead> <tr> <th>a</th> <th>b</th> </tr> </thead><tbody><tr><td>c</td><td><del>5</del> <ins>7</ins></td></tr></tbody></table>`},
		{"a row more", "|a|b|\n|-|-|\n|c|d|", "|a|b|\n|-|-|\n|c|d|\n|e|f|",
			`<table><thead> <tr> <th>a</th> <th>b</th> </tr> </thead><tbody><tr> <td>c</td> <td>d</td> </tr><tr><td class="added"><ins>e</ins></td><td class="added"><ins>f</ins></td></tr></tbody></table>`},
		{"a column more", "|a|\n|-|\n|c|", "|a|b|\n|-|-|\n|c|d|",
			`<table><thead><tr><th>a</th><th class="added"><ins>b</ins></th></tr></thead><tbody><tr><td>c</td><td class="added"><ins>d</ins></td></tr></tbody></table>`},
		{"a picture", "![a cat](https://a.example/x.png)", "![a cat](https://a.example/y.png)",
			`<del class="block"><p><img alt="a cat" loading="lazy" src="data:,"/></p></del> <ins class="block"><p><img src="https://a.example/y.png" alt="a cat" loading="lazy"/></p></ins>`},
		{"a heading", "x\n\n## Set up it", "x\n\n## Set it up", `<p>x</p> <h2 id="set-it-up">Set <del>up </del>it<ins> up</ins></h2>`},
		{"the title", "# One way\n\nx", "# Another way\n\nx", `<h2><del>One</del><ins>Another</ins> way</h2> <p>x</p>`},
		{"a task is done", "- [ ] milk and bread", "- [x] milk and bread",
			`<ul><li><del><input aria-label="Not done" disabled="" type="checkbox"/></del><ins><input aria-label="Done" checked="" disabled="" type="checkbox"/></ins> milk and bread</li></ul>`},
		{"struck out by its author", "it is so", "~~it is~~ so", `<p><del>it is</del><s><ins>it is</ins></s> so</p>`},
		{"a line of code", "```\na = 1\nb = 2\n```", "```\na = 1\nb = 3\n```", "<pre class=\"chroma\"><code>a = 1 b = <del>2</del><ins>3</ins> </code></pre>"},
		{"a diagram", "```mermaid\na-->b\n```", "```mermaid\na-->c\n```",
			`<del class="block"><pre data-kind="mermaid"><code class="language-mermaid">a--&gt;b </code></pre></del> <ins class="block"><pre class="diagram" data-kind="mermaid"><code class="language-mermaid">a--&gt;c </code></pre></ins>`},
		{"all of it", "", "a", `<ins class="block"><p>a</p></ins>`},
		{"nothing at all", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Redline("guide/Page.md", []byte(tt.old), []byte(tt.now), shown)
			if err != nil {
				t.Fatal(err)
			}
			if squeezed, want := strings.Join(strings.Fields(got.HTML()), " "), strings.Join(strings.Fields(tt.want), " "); squeezed != want {
				t.Errorf("got  %s\nwant %s", squeezed, want)
			}
			checkRedline(t, tt.old, tt.now)
		})
	}
}

func TestRedlineMeta(t *testing.T) {
	got, err := Redline("a.md", []byte("---\ntitle: One\ntags: [a, b]\nn: {x: 1}\n---\ntext"), []byte("---\ntitle: Two\ntags: [b]\nn: {x: 1}\nowner: Ann\n---\ntext"), shown)
	want := []MetaChange{{"owner", "", "Ann"}, {"tags", "a, b", "b"}, {"title", "One", "Two"}}
	if err != nil || !slices.Equal(got.Meta, want) {
		t.Errorf("got %q, %v, want %q", got.Meta, err, want)
	}
}

// What is far from any change is apart, so that it need not be seen.
func TestRedlineParts(t *testing.T) {
	var lines []string
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("paragraph number %d", i))
	}
	page := func(change ...int) []byte {
		list := slices.Clone(lines)
		for _, i := range change {
			list[i] += " and more"
		}
		return []byte(strings.Join(list, "\n\n"))
	}
	for _, tt := range []struct {
		change []int
		want   []int // blocks that are the same, of each part
	}{
		{nil, []int{0}},
		{[]int{10}, []int{8, 0, 17}},
		{[]int{0, 29}, []int{0, 24, 0}},
		{[]int{5, 12, 21}, []int{0, 4, 0, 6}},
		{[]int{6, 12, 18, 24}, []int{4, 0}},
	} {
		red, err := Redline("a.md", page(), page(tt.change...), shown)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, p := range red.Parts {
			got = append(got, p.Same)
			if changed := strings.Contains(p.HTML, "<ins>"); changed && p.Same > 0 {
				t.Errorf("a change is hidden in %s", p.HTML)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("changed %v: parts of %v, want %v", tt.change, got, tt.want)
		}
	}
}

func TestRedlineIsBounded(t *testing.T) {
	long := strings.Repeat("many words that are not so short\n\n", 1<<15)
	if _, err := Redline("a.md", []byte(long), []byte(long+"x"), shown); !errors.Is(err, ErrTooMuch) {
		t.Errorf("two pages of a megabyte: %v, want ErrTooMuch", err)
	}
	// What is large and is compared comes out whole.
	var a, b strings.Builder
	for i := range 4000 {
		a.WriteString(strings.Repeat("x", i%7) + " y " + strings.Repeat("z", i%11) + "\n\n")
		b.WriteString(strings.Repeat("y", i%11) + " x " + strings.Repeat("z", i%5) + "\n\n")
	}
	for _, tt := range [][2]string{
		{a.String(), b.String()},
		{"- " + strings.ReplaceAll(a.String(), "\n\n", "\n- "), "- " + strings.ReplaceAll(b.String(), "\n\n", "\n- ")},
		{strings.ReplaceAll(a.String(), "\n\n", "\n"), strings.ReplaceAll(b.String(), "\n\n", "\n")},
		{strings.Repeat("> ", 40) + "a b", strings.Repeat("> ", 40) + "a c"},
	} {
		checkRedline(t, tt[0], tt[1])
	}
}

func FuzzRedline(f *testing.F) {
	for i, v := range vectors {
		f.Add(v, vectors[(i+7)%len(vectors)])
		f.Add("a "+v+" b", "a "+v+" c")
	}
	f.Add("# a\n> [!NOTE]\n- [ ] [[x|y]]\n\n```go\nx\n```\n|a|\n|-|\n|b|\n\n[^1]\n\n[^1]: x\n[TOC]", "# b\n> [!TIP]\n- [x] [[x|z]]\n\n```go\ny\n```\n|a|c|\n|-|-|\n|b|d|\n\na[^2] [^1]\n\n[^1]: x\n[^2]: y\n[TOC]")
	f.Add("a\n: b\n\n$x^2$ c", "a\n: c\n: d\n\n$x^3$ c")
	f.Add("- a\n\n  b\n  - c\n- d", "- b\n- a\n  - c\n\n  d")
	f.Add("<ul><p>a</p>b<li>c</ul><b><p>x</b>y", "<ul>b<p>a</p><li>d</ul><b><p>y</b>x")
	f.Add("<a href=x>a<div>b</div>c</a><details><summary>s</summary>t</details>", "<a href=x>a<div>c</div>b</a><details><summary>r</summary>t<p>u</details>")
	f.Add("a <b>x *y* z</b> <ins>w</ins>", "a <b>x *q* z</b> <del>w</del>")
	f.Fuzz(func(t *testing.T, old, now string) {
		if len(old)+len(now) < 1<<12 {
			checkRedline(t, old, now)
		}
	})
}

// checkRedline compares two pages, and holds the result to the laws.
func checkRedline(t *testing.T, old, now string) {
	t.Helper()
	const at = "guide/Page.md"
	was, is := Parse(at, []byte(old)), Parse(at, []byte(now))
	red, err := Redline(at, []byte(old), []byte(now), shown)
	if err != nil {
		t.Fatal(err)
	}
	tree := func(page string) *html.Node {
		t.Helper()
		n, err := html.ParseFragment(strings.NewReader(page), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
		if err != nil {
			t.Fatal(err)
		}
		root := &html.Node{Type: html.ElementNode, Data: "div"}
		for _, c := range n {
			root.AppendChild(c)
		}
		return root
	}
	got := tree(red.HTML())
	var again strings.Builder
	for c := range got.ChildNodes() {
		if err := html.Render(&again, c); err != nil {
			t.Fatal(err)
		}
	}
	if again.String() != red.HTML() {
		t.Fatalf("%q to %q: a browser reads\n%s\nas\n%s", old, now, red.HTML(), again.String())
	}
	plain := func(d *Doc) *html.Node {
		body, err := bodyOf(titled(d) + d.HTML(shown))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	if have, want := said(got, "del"), said(plain(is), ""); !slices.Equal(have, want) {
		t.Fatalf("%q to %q: without <del> it says\n%q\nwant\n%q\nin %s", old, now, have, want, red.HTML())
	}
	if have, want := said(got, "ins"), said(plain(was), ""); !slices.Equal(have, want) {
		t.Fatalf("%q to %q: without <ins> it says\n%q\nwant\n%q\nin %s", old, now, have, want, red.HTML())
	}
	ids := func(root *html.Node) map[string]int {
		n := map[string]int{}
		for c := range root.Descendants() {
			if id := get(c, "id"); id != "" {
				n[id]++
			}
		}
		return n
	}
	allowed := ids(plain(is))
	for id, n := range ids(got) {
		if n > allowed[id] {
			t.Fatalf("%q to %q: id %q is there %d times, on the page %d times, in %s", old, now, id, n, allowed[id], red.HTML())
		}
	}
	for c := range got.Descendants() {
		if class := get(c, "class"); class == "added" || class == "removed" || class == "block" {
			remove(c, "class")
		}
		if get(c, "src") == "data:," {
			remove(c, "src")
		}
	}
	again.Reset()
	for c := range got.ChildNodes() {
		html.Render(&again, c)
	}
	checkFrame(t, old+" to "+now, again.String())
}

// said is the words of a page with its blocks apart, but for those in elements of one name.
func said(root *html.Node, but string) []string {
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		apart := blockTags[n.Data] && n.Namespace == "" || get(n, "class") == "block"
		if apart {
			b.WriteString("\n")
		}
		for c := range n.ChildNodes() {
			if c.Type != html.ElementNode || c.Data != but {
				walk(c)
			} else if get(c, "class") == "block" {
				b.WriteString("\n")
			}
		}
		if apart {
			b.WriteString("\n")
		}
	}
	walk(root)
	return strings.Fields(b.String())
}
