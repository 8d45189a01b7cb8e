package page

import (
	"fmt"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	n := names("Home.md", "guide/Install.md", "pics/a.png", "There.md")
	r := NewRedirects(n, []byte(`---
# a comment
old/Setup.md: guide/Install.md
/Begin: old/Setup.md   # in two steps
"quoted: name": 'guide/Install'
'it''s': /Home
old-guide: guide
There: Home
loop-a: loop-b
loop-b: loop-a
nowhere: Nothing
x.png: pics/a.png
bad line
- list: x
anchor: &a Home
plain:Home
../up: Home
`), []byte("Begin: Home\nSlug: guide/install\r\n"))
	for address, want := range map[string]Path{
		"old/Setup": "guide/Install.md", "Begin": "guide/Install.md", "quoted: name": "guide/Install.md", "it's": "Home.md", "There": "",
		"loop-a": "", "nowhere": "", "x.png": "pics/a.png", "Slug": "guide/Install.md", "anchor": "", "plain": "", "../up": "", "Setup": "",
	} {
		if got, _ := r.At(address); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
	if to, ok := r.Folder("old-guide"); !ok || to != "guide" {
		t.Errorf("folder: got %q", to)
	}
	if got := r.To("guide/Install.md"); len(got) != 4 {
		t.Errorf("to the page lead %v", got)
	}
	in := Context{Names: n, Profile: Gollum, Also: Also{Moved: r.Moved, Folder: r.Folder}}
	for link, want := range map[string]string{"[[Setup]]": "guide/Install.md", "[[begin]]": "guide/Install.md", "[[There]]": "There.md", "[[old-guide]]": "dir:guide"} {
		if got := in.Resolve("Home.md", wiki(link)).String(); got != want {
			t.Errorf("%s: got %s, want %s", link, got, want)
		}
	}
}

func FuzzRedirects(f *testing.F) {
	f.Add([]byte("a: b\n'b': \"Home\"\n"))
	n := names("Home.md", "a/b.md")
	f.Fuzz(func(t *testing.T, table []byte) {
		r := NewRedirects(n, table)
		for _, list := range r.byKey {
			for _, mv := range list {
				if _, err := ParsePath(string(mv.From)); err != nil || !n.Has(mv.To) {
					t.Fatalf("%q leads to %q: %v", mv.From, mv.To, err)
				}
			}
		}
	})
}

// One chain through all the names that a table may have is followed once, to its end.
func TestRedirectsChain(t *testing.T) {
	var table strings.Builder
	for i := range maxRedirects {
		fmt.Fprintf(&table, "n%d: n%d\n", i, i+1)
	}
	last := fmt.Sprintf("n%d", maxRedirects)
	r := NewRedirects(names(last+".md"), []byte(table.String()))
	for _, from := range []Path{"n0.md", "n19999.md"} {
		if got := r.Moved(string(PathKeys(from)[0])); len(got) != 1 || got[0].To != Path(last+".md") {
			t.Errorf("%s leads to %v, want %s.md", from, got, last)
		}
	}
	if loop := NewRedirects(names("x.md"), []byte("a: b\nb: c\nc: b\nd: a\n")); len(loop.byKey) > 0 {
		t.Errorf("a loop leads to %v", loop.byKey)
	}
}
