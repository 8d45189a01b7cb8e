package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"golang.org/x/net/html"
)

func TestViews(t *testing.T) {
	site := newSite(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) { check(t, render(t, site, s.view)) })
	}
}

// TestHostile fills every string of every view with what an attacker would
// write, and what must stay text stays text.
func TestHostile(t *testing.T) {
	site := newSite(t)
	seen := map[reflect.Type]bool{}
	for _, s := range samples() {
		typ := reflect.TypeOf(s.view)
		if seen[typ] {
			continue
		}
		seen[typ] = true
		for _, evil := range []string{`"'><img src=x onerror=alert(1)></textarea><script>alert(1)</script>`, `javascript:alert(1)`} {
			for _, flags := range []bool{false, true} {
				v := reflect.New(typ).Elem()
				fill(v, evil, flags, 0)
				doc := render(t, site, v.Interface().(View))
				check(t, doc)
				for n := range doc.Descendants() {
					if n.Data == "img" && attr(n, "src") == "x" {
						t.Errorf("%s: a string became an element", typ)
					}
					for _, a := range n.Attr {
						if strings.HasPrefix(a.Val, "javascript:") && (a.Key == "href" || a.Key == "src" || a.Key == "action") {
							t.Errorf("%s: %s of <%s> is %q", typ, a.Key, n.Data, a.Val)
						}
					}
				}
			}
		}
	}
}

func TestTextSurvivesTheForm(t *testing.T) {
	site := newSite(t)
	const want = "\n\n  two lines above\n<b>&amp;\n"
	doc := render(t, site, Edit{Frame: Frame{Title: "Edit"}, Text: want})
	for n := range doc.Descendants() {
		if attr(n, "name") == "text" {
			if got := content(n); got != want {
				t.Errorf("text in the form = %q, want %q", got, want)
			}
			return
		}
	}
	t.Error("no field for the text")
}

func TestDiffKeepsSpaces(t *testing.T) {
	for _, view := range []DiffView{OneColumn, Columns} {
		doc := render(t, newSite(t), Diff{Frame: Frame{Title: "Diff"}, View: view, Added: 1, Hunks: []Hunk{{Lines: []Line{
			{Op: Added, New: 1, Spans: []Piece{{Text: "\t a"}, {Text: "b ", Mark: true}, {Text: " c"}}},
		}}}})
		found := false
		for n := range doc.Descendants() {
			if strings.HasPrefix(attr(n, "class"), "line") {
				found = true
				if got, want := content(n), "\t ab  c"; got != want {
					t.Errorf("%s: line = %q, want %q", view, got, want)
				}
			}
		}
		if !found {
			t.Errorf("%s: no line", view)
		}
	}
}

func TestRows(t *testing.T) {
	old := func(n, with int) Line { return Line{Op: Removed, Old: n, With: with} }
	now := func(n, with int) Line { return Line{Op: Added, New: n, With: with} }
	for _, tt := range []struct {
		lines []Line
		want  string
	}{
		{[]Line{{Op: Same, Old: 1, New: 1}, old(2, 2), now(2, 2), {Op: Same, Old: 3, New: 3}}, "1|1 2|2 3|3"},
		{[]Line{old(1, 2), now(1, 0), now(2, 1), now(3, 0)}, "|1 1|2 |3"},
		{[]Line{old(1, 0), old(2, 1), now(1, 2)}, "1| 2|1"},
		{[]Line{old(1, 0), old(2, 0), now(1, 0)}, "1|1 2|"},
		{[]Line{old(1, 0), old(2, 2), old(3, 0), now(1, 0), now(2, 2), now(3, 0)}, "1|1 2|2 3|3"},
		{[]Line{old(1, 1), now(1, 1), now(2, 0)}, "1|1 |2"},
	} {
		var got []string
		for _, r := range rows(tt.lines) {
			a, b := "", ""
			if r.old != nil {
				a = number(t.Context(), r.old.Old)
			}
			if r.now != nil {
				b = number(t.Context(), r.now.New)
			}
			got = append(got, a+"|"+b)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%+v: %s, want %s", tt.lines, s, tt.want)
		}
	}
}

func TestAssets(t *testing.T) {
	site := newSite(t)
	for _, url := range []string{site.style, site.icon, site.script, site.draw, site.ahead} {
		name := strings.TrimPrefix(url, AssetsURL)
		a, ok := site.Asset(name)
		if !ok || a.Type == "" {
			t.Fatalf("%s is not there", url)
		}
		plain, coding := a.For("")
		if len(plain) == 0 || coding != "" {
			t.Fatalf("%s is empty, or packed as %q", url, coding)
		}
		first := regexp.MustCompile(`-[0-9a-f]{8}\.`).ReplaceAllString(name, ".")
		if got := hashed(first, plain); got != name {
			t.Errorf("%s has the content of %s", name, got)
		}
		for accept, unpack := range map[string]func(io.Reader) (io.Reader, error){
			"gzip, deflate":       func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
			"gzip, br, zstd":      func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
			"br;q=0, gzip; q=0.0": func(r io.Reader) (io.Reader, error) { return r, nil },
		} {
			packed, coding := a.For(accept)
			r, err := unpack(bytes.NewReader(packed))
			if err != nil {
				t.Fatalf("%s as %q: %v", name, coding, err)
			}
			if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, plain) {
				t.Errorf("%s is not the same as %q: %v", name, coding, err)
			}
		}
	}
	for url, most := range map[string]int{site.style: 10 << 10, site.script: 8 << 10, site.draw: 11 << 17} {
		a, _ := site.Asset(strings.TrimPrefix(url, AssetsURL))
		if packed, _ := a.For("gzip"); len(packed) > most {
			t.Errorf("%s has %d bytes, want at most %d", url, len(packed), most)
		}
	}
	sheet, _ := site.Asset(strings.TrimPrefix(site.style, AssetsURL))
	css, _ := sheet.For("")
	if open, shut := bytes.Count(css, []byte("{")), bytes.Count(css, []byte("}")); open != shut {
		t.Errorf("style sheet opens %d braces and shuts %d", open, shut)
	}
	if _, ok := site.Asset("cairn.css"); ok {
		t.Error("an asset without its hash was found")
	}
}

func TestGenerated(t *testing.T) {
	sources, err := filepath.Glob("*.templ")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, name := range sources {
		if _, err := os.Stat(strings.TrimSuffix(name, ".templ") + "_templ.go"); err != nil {
			t.Errorf("%s: run go generate ./web", err)
		}
	}
}

func newSite(t *testing.T) *Site {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func render(t *testing.T, s *Site, v View) *html.Node {
	t.Helper()
	b, err := s.Render(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// check holds what is true of every document.
func check(t *testing.T, doc *html.Node) {
	t.Helper()
	ids, labelled, headings := map[string]bool{}, map[string]bool{}, 0
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "label" {
			labelled[attr(n, "for")] = true
		}
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s> has %s=", n.Data, a.Key)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("id %q twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			}
		}
		switch n.Data {
		case "h1":
			headings++
		case "script":
			if src := attr(n, "src"); !strings.HasPrefix(src, AssetsURL+"cairn-") && src != writing() || attr(n, "type") != "module" || content(n) != "" {
				t.Errorf("a <script> that is not ours: %v", n.Attr)
			}
		case "style":
			t.Error("<style> in the document")
		case "a", "link":
			if attr(n, "href") == "" {
				t.Errorf("<%s>%s has no href", n.Data, content(n))
			}
			if n.Data == "a" && strings.TrimSpace(content(n)) == "" {
				t.Error("<a> without text")
			}
		case "title":
			if strings.TrimSpace(content(n)) == "" {
				t.Error("no title")
			}
		case "input", "textarea", "select":
			if attr(n, "type") == "hidden" || attr(n, "aria-label") != "" || inLabel(n) {
				continue
			}
			if !labelled[attr(n, "id")] || attr(n, "id") == "" {
				t.Errorf("<%s name=%q> has no label", n.Data, attr(n, "name"))
			}
		}
	}
	if headings != 1 {
		t.Errorf("%d h1, want 1", headings)
	}
}

func inLabel(n *html.Node) bool {
	for p := range n.Ancestors() {
		if p.Data == "label" {
			return true
		}
	}
	return false
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func content(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// fill sets every string under v to s and every flag to on, but what is HTML.
func fill(v reflect.Value, s string, on bool, depth int) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() != reflect.TypeFor[HTML]() && v.Type() != reflect.TypeFor[Op]() && v.Type() != reflect.TypeFor[DiffView]() {
			v.SetString(s)
		}
	case reflect.Bool:
		v.SetBool(on)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s, on, depth+1)
	case reflect.Slice:
		if depth > 6 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), s, on, depth+1)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(sampleTime))
			return
		}
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(f, s, on, depth+1)
			}
		}
	}
}

// TestFrameClasses holds that the classes of highlighted code and of callouts
// mean nothing to the frame, which hides and places things by class.
func TestFrameClasses(t *testing.T) {
	css, err := files.ReadFile("styles/layout.css")
	if err != nil {
		t.Fatal(err)
	}
	short := regexp.MustCompile(`(?m)^\t*\.[a-z0-9]{1,4}(:not\([^)]*\))? \{[^}]*position`)
	if got := short.Find(css); got != nil {
		t.Errorf("a page could use %q: name the element, too", got)
	}
}
