package page

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// wiki is some pages, to be shown in one another.
type wikiOf map[string]string

func (m wikiOf) context() Context {
	var list []Path
	for name := range m {
		list = append(list, Path(name))
	}
	slices.Sort(list)
	return Context{Space: "go", Profile: Native, Names: NewNames(slices.Values(list)), Source: func(p Path) ([]byte, bool) {
		s, ok := m[string(p)]
		return []byte(s), ok && s != "unreadable"
	}}
}

func (m wikiOf) html(name string) string {
	return strings.TrimSpace(Parse(Path(name), []byte(m[name])).HTML(m.context()))
}

// frame is what stands around an embedded page.
func frame(url, title, body string) string {
	return "<div class=\"embed\">\n<p class=\"embed-from\"><a href=\"" + url + "\">" + title + "</a></p>\n" + body + "</div>"
}

func TestEmbed(t *testing.T) {
	m := wikiOf{
		"B.md":          "# The B\n\nHello *you*.\n\n## Set up\n\nDo it.\n\n### Deeper\n\nMore.\n\n## Set up\n\nAgain.\n",
		"sub/C.md":      "[here](D.md) [[D]] [part](#end) ![p](p.png)\n\n## End\n",
		"sub/D.md":      "d",
		"sub/p.png":     "",
		"notes.md":      "one[^a] two[^b]\n\n## Late\n\nthree[^b] <i title=x>y</i>\n\n[^a]: A\n[^b]: B\n",
		"twice.md":      "# A\n\n## B\n\nfirst\n\n# C\n\n## B\n\nsecond\n",
		"block.md":      "one\n\ntwo ^second\n\n- three ^item-3\n- four\n",
		"html.md":       "<b id=\"x\">y</b> <a href=\"#x\">z</a>\n",
		"broken.md":     "---\na: [\n---\ntext",
		"costly.md":     strings.Repeat("[a](", 10_000),
		"unreadable.md": "unreadable",
		"math.md":       "$x$",
		"task.md":       "- [x] done",
		"file.pdf":      "",
	}
	for _, tt := range []struct{ name, in, want string }{
		{"a page", "![[B#Deeper]]", frame("/go/B#deeper", "The B", "<h3>Deeper</h3>\n<p>More.</p>\n")},
		{"by its slug", "![[B#set-up-1]]", frame("/go/B#set-up-1", "The B", "<h2>Set up</h2>\n<p>Again.</p>\n")},
		{"of two the first, with what is below it", "![[B#Set up]]", frame("/go/B#set-up", "The B",
			"<h2>Set up</h2>\n<p>Do it.</p>\n<h3>Deeper</h3>\n<p>More.</p>\n")},
		{"headings in one another", "![[B#Set up#Deeper]]", frame("/go/B#deeper", "The B", "<h3>Deeper</h3>\n<p>More.</p>\n")},
		{"Gollum's", "[[include:sub/D]]", frame("/go/sub/D", "D", "<p>d</p>\n")},
		{"a block", "![[block#^second]]", frame("/go/block#%5Esecond", "block", "<p>two</p>\n")},
		{"an item", "![[block#^item-3]]", frame("/go/block#%5Eitem-3", "block", "<ul>\n<li>three</li>\n</ul>\n")},
		{"a task", "![[task]]", frame("/go/task", "task", "<ul>\n<li><input aria-label=\"Done\" checked=\"\" disabled=\"\" type=\"checkbox\"/> done</li>\n</ul>\n")},
		{"a heading below another, of two of its name", "![[twice#C#B]]", frame("/go/twice#b-1", "A", "<h2>B</h2>\n<p>second</p>\n")},
		{"a link to it", "[[twice#C#B|t]] [[twice#A#B|t]] [[twice#B|t]] [[twice#C#Nope|t]] [[twice#^b]]",
			`<p><a href="/go/twice#b-1">t</a> <a href="/go/twice#b">t</a> <a href="/go/twice#b">t</a> <a href="/go/twice#nope">t</a> <a href="/go/twice#%5Eb">twice#^b</a></p>`},
		{"a link to one below the title", "[[B#the b#Set up#Deeper|t]] [[B#Deeper#Set up|t]]", `<p><a href="/go/B#deeper">t</a> <a href="/go/B#set-up">t</a></p>`},
		{"a link to one of a page that cannot be read", "[[unreadable#A#B|t]] [[costly#A#B|t]] [[file.pdf#A#B|u]]",
			`<p><a href="/go/unreadable#b">t</a> <a href="/go/costly#b">t</a> <a href="/go/file.pdf#A%23B">u</a></p>`},
		{"no heading", "![[B#Nope]]", `<p><a class="missing" href="/go/B#nope" title="This page has no such part">B#Nope</a></p>`},
		{"not written", "![[Nope]]", `<p><a class="missing" href="/go/-/edit/Nope" title="This page is not written yet">Nope</a></p>`},
		{"not written, Gollum's", "[[include:Nope]]", `<p><a class="missing" href="/go/-/edit/Nope" title="This page is not written yet">Nope</a></p>`},
		{"unreadable", "![[unreadable]]", `<p><a href="/go/unreadable" title="This page could not be read">unreadable</a></p>`},
		{"a file", "![[file.pdf]]", `<p><a href="/go/file.pdf">file.pdf</a></p>`},
		{"a picture", "![[p.png]]", `<p><img src="/go/sub/p.png" alt="p" loading="lazy"/></p>`},
		{"within text", "see ![[sub/D]]", `<p>see <a href="/go/sub/D">sub/D</a></p>`},
		{"a link", "[[sub/D]]", `<p><a href="/go/sub/D">sub/D</a></p>`},
		{"two", "![[sub/D]]\n![[Nope]]\n", frame("/go/sub/D", "D", "<p>d</p>\n") +
			"\n" + `<p><a class="missing" href="/go/-/edit/Nope" title="This page is not written yet">Nope</a></p>`},
		{"in a list", "- ![[sub/D]]", "<ul>\n<li>" + frame("/go/sub/D", "D", "<p>d</p>\n") + "\n</li>\n</ul>"},
		{"in the author's HTML", "<div title=x>\n\n![[sub/D]]\n\n</div>", "<div title=\"x\">\n" + frame("/go/sub/D", "D", "<p>d</p>\n") + "\n</div>"},
		{"links and pictures from there", "![[C]]", frame("/go/sub/C", "C", `<p><a href="/go/sub/D">here</a> <a href="/go/sub/D">D</a> `+
			`<a href="/go/sub/C#end">part</a> <img src="/go/sub/p.png" alt="p" loading="lazy"/></p>`+"\n<h2>End</h2>\n")},
		{"a formula", "![[math]]", frame("/go/math", "math", "<p><math><mrow><mi>x</mi></mrow></math></p>\n")},
		{"HTML with an id", "![[html]]", frame("/go/html", "html", `<p><b id="in-1-x">y</b> <a href="/go/html#x">z</a></p>`+"\n")},
		{"its own part", "# T\n\n![[#P]]\n\n## P\n\nx\n", ""},
	} {
		m["T.md"] = tt.in
		got := m.html("T.md")
		if tt.want == "" {
			tt.want = frame("/go/T#p", "T", "<h2>P</h2>\n<p>x</p>\n") + "\n<h2 id=\"p\">P <a aria-label=\"Link to this section\" class=\"anchor\" href=\"#p\"></a></h2>\n<p>x</p>"
		}
		if lines(got) != lines(tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	m["T.md"] = "x[^1]\n\n![[notes]]\n\n![[notes#Late]]\n\n[^1]: own\n"
	got := m.html("T.md")
	for want, n := range map[string]int{
		`id="fn:1"`: 1, `id="in-1-fn:1"`: 1, `id="in-1-fn:2"`: 1, `id="in-2-fn:1"`: 0, `id="in-2-fn:2"`: 1,
		`href="#in-1-fn:2"`: 2, `href="#in-2-fn:2"`: 1, `href="#fn:1"`: 1, `<li id="in-2-fn:2" value="2">`: 1, `<i title="x">`: 2,
	} {
		if strings.Count(got, want) != n {
			t.Errorf("footnotes: not %d times %s in\n%s", n, want, got)
		}
	}
	unclashing(t, got)
	m["T.md"] = "![[B]]\n\n![[costly]]\n\n![[sub/D]]\n"
	if got := m.html("T.md"); !strings.Contains(got, "too intricate to be shown here") || !strings.Contains(got, "Hello") || strings.Contains(got, "<p>d") {
		t.Errorf("costly: got\n%.500s", got)
	}
	m["T.md"] = "![[broken]]"
	if got := m.html("T.md"); !strings.Contains(got, "text") {
		t.Errorf("broken: got\n%s", got)
	}
	in := m.context()
	in.Source = nil
	if got := Parse("T.md", []byte("![[sub/D]]")).HTML(in); got != "<p><a href=\"/go/sub/D\">sub/D</a></p>\n" {
		t.Errorf("without sources: got %s", got)
	}
}

// lines is some HTML without its empty lines.
func lines(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }), "\n")
}

// unclashing fails if two elements have one id.
func unclashing(t *testing.T, s string) {
	t.Helper()
	seen := map[string]bool{}
	for _, rest := range strings.Split(s, ` id="`)[1:] {
		id, _, _ := strings.Cut(rest, `"`)
		if seen[id] {
			t.Errorf("two have the id %s in\n%s", id, s)
		}
		seen[id] = true
	}
}

// What is embedded is a link of the page, with its place.
func TestEmbedLinks(t *testing.T) {
	src := "![[B#x|y]] and [[include:sub/C]]\n"
	d := Parse("T.md", []byte(src))
	if len(d.Links) != 2 {
		t.Fatalf("links are %v", d.Links)
	}
	for i, want := range []struct{ a, written string }{{"B#x", "![[B#x|y]]"}, {"sub/C", "[[include:sub/C]]"}} {
		if l := d.Links[i]; l.A != want.a || !l.Embed || !l.Wiki || src[l.Start:l.End] != want.written {
			t.Errorf("link %d is %+v", i, l)
		}
	}
}

// Pages that are shown in one another without end, are shown once.
func TestEmbedCycles(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    wikiOf
		want map[string]int // how often something is there
	}{
		{"itself", wikiOf{"A.md": "here\n\n![[A]]"}, map[string]int{"<p>here": 1, "within itself": 1, `class="embed"`: 0}},
		{"two", wikiOf{"A.md": "here\n\n![[B]]", "B.md": "there\n\n![[A]]"}, map[string]int{"<p>here": 1, "<p>there": 1, "within itself": 1}},
		{"a part with itself", wikiOf{"A.md": "## P\n\nhere\n\n![[#P]]"}, map[string]int{"<p>here": 2, "within itself": 1}},
		{"a part of another", wikiOf{"A.md": "## P\n\nhere\n\n![[B#Q]]", "B.md": "## Q\n\nthere\n\n![[A#P]]"}, map[string]int{"<p>here": 2, "<p>there": 1, "within itself": 1}},
		{"not without end", wikiOf{"A.md": "![[B]]\n\n![[B]]", "B.md": "there"}, map[string]int{"<p>there": 2, "within itself": 0}},
	} {
		got := tt.m.html("A.md")
		for what, n := range tt.want {
			if strings.Count(got, what) != n {
				t.Errorf("%s: not %d times %q in\n%s", tt.name, n, what, got)
			}
		}
	}
	m := wikiOf{}
	for i := range 20 {
		m[fmt.Sprintf("P%d.md", i)] = fmt.Sprintf("text%d\n\n![[P%d]]", i, i+1)
	}
	got := m.html("P0.md")
	if !strings.Contains(got, "text10<") || strings.Contains(got, "text11<") || strings.Count(got, "too many are in one another") != 1 {
		t.Errorf("got\n%s", got)
	}
}

// However many pages are shown in one another, it is bounded work; see TestHostile.
func TestHostileEmbeds(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	var distinct, all strings.Builder
	pages := wikiOf{}
	for i := range 2000 {
		name := fmt.Sprintf("p%d", i)
		fmt.Fprintf(&distinct, "![[%s]]\n\n", name)
		fmt.Fprintf(&all, "![[%s#h]]\n\n", name)
		pages[name+".md"] = "# a\n\n## h\n\n" + many("|", 150) + "\n" + many("|-", 150) + "|\n" + many("|\n", 600)
	}
	books := wikiOf{}
	for i := range 300 {
		books[fmt.Sprintf("b%d.md", i)] = many("*a **b ", 20_000)
	}
	var shelf strings.Builder
	for i := range 300 {
		fmt.Fprintf(&shelf, "![[b%d]]\n\n", i)
	}
	levels := wikiOf{}
	for i := range 12 {
		levels[fmt.Sprintf("l%d.md", i)] = many(fmt.Sprintf("![[l%d]]\n\n", i+1), 1000)
	}
	levels["l12.md"] = "end"
	for name, m := range map[string]wikiOf{
		"a thousand of a thousand": {"T.md": many("![[A]]\n\n", 1000), "A.md": many("![[B]]\n\n", 1000), "B.md": "b"},
		"a thousand of a megabyte": {"T.md": many("![[A]]\n\n", 1000), "A.md": many("Some words. ", 90_000)},
		"thousands missing":        {"T.md": many("![[A]]\n\n", 100_000)},
		"no such part":             {"T.md": many("![[A#x]]\n\n", 50_000), "A.md": many("# a\n", 15_000)},
		"costly HTML":              {"T.md": many("![[A]]\n\n", 100), "A.md": many("<b title=x>", 90_000)},
		"costly parses":            {"T.md": many("![[A]]\n\n![[C]]\n\n", 100), "A.md": many("[a](", 10_000), "C.md": many("*a **b ", 100_000)},
		"costly code":              {"T.md": many("![[A]]\n\n", 100), "A.md": many("```go\n"+many("/*(", 1300)+"\n```\n", 20)},
		"formulas":                 {"T.md": many("![[A]]\n\n", 100), "A.md": many("$x_1$ $y_2$\n\n", 10_000)},
		"notes":                    {"T.md": many("![[A#h]]\n\n", 1000), "A.md": "## h\n\n" + many("[^1] ", 2000) + "\n\n[^1]: x\n"},
		"levels":                   levels, "pages of cells": pages, "parts of pages of cells": pages, "books": books,
	} {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "pages of cells", "parts of pages of cells", "books":
				m = wikiOf{"T.md": map[string]string{"pages of cells": distinct.String(), "parts of pages of cells": all.String(), "books": shelf.String()}[name]}
				for k, v := range map[bool]wikiOf{true: books, false: pages}[name == "books"] {
					m[k] = v
				}
			case "levels":
				m["T.md"] = "![[l0]]"
			}
			in := m.context()
			start := busy(t)
			out := Parse("T.md", []byte(m["T.md"])).HTML(in)
			took := busy(t) - start
			t.Logf("%6.2f s, %d bytes, %d pages shown, %d not", took.Seconds(), len(out), strings.Count(out, `class="embed"`),
				strings.Count(out, "not shown here"))
			if took > 60*time.Second || len(out) > 2*maxOutput {
				t.Errorf("took %v, %d bytes", took, len(out))
			}
		})
	}
}

func FuzzEmbed(f *testing.F) {
	f.Add("![[B]]\n\n- ![[T#a]]\n\n## a\n\n<i title=x>\n\n![[B#^x]]", "# b\n\n[^1] $x$ ![[T]] <b id=x>\n\n[^1]: y ^x\n\n[[include:T#a]]")
	f.Fuzz(func(t *testing.T, a, b string) {
		m := wikiOf{"T.md": a, "B.md": b}
		checkFrame(t, a+"\n----\n"+b, m.html("T.md"))
	})
}
