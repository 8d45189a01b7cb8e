package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/renderer"
	gmhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
)

type example struct {
	Example                 int
	Section, Markdown, HTML string
}

// examples are those of the CommonMark specification 0.31.2.
func examples(t *testing.T) []example {
	t.Helper()
	b, err := os.ReadFile("testdata/commonmark/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []example
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 652 {
		t.Fatalf("%d examples", len(list))
	}
	return list
}

// With the extensions off the parser does what the specification says. It is compared before our own writing and the
// sanitiser: byte for byte what goldmark's renderer makes of the tree.
func TestCommonMark(t *testing.T) {
	r := renderer.NewRenderer(renderer.WithNodeRenderers(util.Prioritized(gmhtml.NewRenderer(gmhtml.WithXHTML(), gmhtml.WithUnsafe()), 1)))
	for _, e := range examples(t) {
		var got bytes.Buffer
		p := goldmark.New().Parser()
		withGuard(p)
		if err := r.Render(&got, []byte(e.Markdown), p.Parse(text.NewReader([]byte(e.Markdown)))); err != nil {
			t.Fatal(err)
		}
		if got.String() != e.HTML {
			t.Errorf("example %d, %s: %q\ngot  %q\nwant %q", e.Example, e.Section, e.Markdown, got.String(), e.HTML)
		}
	}
}

// different is what our dialect shows otherwise than the specification, and why. It is compared behind the sanitiser: the
// HTML of the specification has passed it too, and of ours is taken away what each heading, picture and code has besides.
var different = map[int]string{
	98:  "two rules at the top are front matter without anything in it",
	226: "spaces before a break stay, where addresses are looked for behind spaces; nobody sees them",
	635: "spaces before a break stay",
	346: "a browser could not follow this address",
	500: "no page can have a name with a colon: it is a red link, where the sanitiser takes the address away",
	548: "[[foo]] is a link of the wiki",
	559: "[[*foo* bar]] is a link of the wiki",
	590: "![[foo]] is a link of the wiki",
	596: "addresses of other schemes than http, https and mailto are text",
	598: "addresses of other schemes are text",
	599: "addresses of other schemes are text",
	601: "addresses of other schemes are text",
	608: "a bare address is a link, as in GFM",
	611: "a bare address is a link, as in GFM",
	612: "a bare address is a link, as in GFM",
}

func TestCommonMarkWithAll(t *testing.T) {
	found := map[int]bool{}
	in := Context{Space: "s", Profile: Native, Names: names("moon.jpg", "path/to/train.jpg", "train.jpg", "uri1", "uri2", "uri3", "url", "url1", "url2")}
	for _, e := range examples(t) {
		d := Parse("Page.md", []byte(e.Markdown))
		d.TitleH1, d.TitleID = false, "" // a title is shown, too
		got := bare(t, d.HTML(in))
		safe, err := (&writer{doc: &Doc{}, in: in}).sanitise([]byte(strings.ReplaceAll(e.HTML, `href=""`, `href="/"`)))
		if err != nil {
			t.Fatal(err)
		}
		if want := bare(t, safe); got != want {
			found[e.Example] = true
			if different[e.Example] == "" {
				t.Errorf("example %d, %s: %q\ngot  %q\nwant %q", e.Example, e.Section, e.Markdown, got, want)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(different)) {
		if !found[n] {
			t.Errorf("example %d is not different any more: %s", n, different[n])
		}
	}
	t.Logf("%d of 652 as specified", 652-len(found))
}

// bare is HTML without what we add to CommonMark: ids of headings and the links to them, classes of code, how pictures are
// loaded, and where a link within the wiki leads.
func bare(t *testing.T, s string) string {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(s), div())
	if err != nil {
		t.Fatal(err)
	}
	root := div()
	for _, n := range nodes {
		root.AppendChild(n)
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; {
			next := c.NextSibling
			walk(c)
			c = next
		}
		switch {
		case n.Data == "a" && get(n, "class") == "anchor":
			if before := n.PrevSibling; before != nil && before.Type == html.TextNode {
				before.Data = strings.TrimRight(before.Data, " ")
			}
			n.Parent.RemoveChild(n)
			return
		case n.Data == "span" && n.Parent.Data == "code": // a word of code
			for c := n.FirstChild; c != nil; c = n.FirstChild {
				n.RemoveChild(c)
				n.Parent.InsertBefore(c, n)
			}
			n.Parent.RemoveChild(n)
			return
		}
		for _, key := range []string{"id", "loading", "class"} {
			if key != "class" || n.Data == "pre" || get(n, key) == "missing" {
				remove(n, key)
			}
		}
		if n.Data == "a" && !isExternal(get(n, "href")) {
			set(n, "href", "wiki")
			if title := get(n, "title"); strings.HasPrefix(title, "This page is not ") || strings.HasPrefix(title, "No page can ") {
				remove(n, "title")
			}
		}
		if n.Data == "img" {
			set(n, "src", "wiki")
		}
		slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	}
	walk(root)
	var b strings.Builder
	_ = html.Render(&b, root)
	return fmt.Sprint(strings.NewReplacer("\n", "").Replace(b.String()))
}
