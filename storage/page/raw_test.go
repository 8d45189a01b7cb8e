package page

import (
	"fmt"
	"strings"
	"testing"
)

// Only what has the author's HTML around it passes the sanitiser; how it looks does not depend on that.
func TestParts(t *testing.T) {
	for _, tt := range []struct{ name, in, parts, want string }{
		{"none", "a *b*\n\nc", "-", "<p>a <em>b</em></p>\n<p>c</p>"},
		{"simple", "a<br>b <kbd>c *d*</kbd> <!-- e -->f", "-", "<p>a<br>b <kbd>c <em>d</em></kbd> f</p>"},
		{"simple, upper case", "a<BR />b <KBD>c</KBD>", "-", "<p>a<br>b <kbd>c</kbd></p>"},
		{"not closed", "a\n\n<b>b\n\nc", "- mixed", "<p>a</p>\n<p><b>b</b></p><b>\n<p>c</p>\n</b>"},
		{"closed elsewhere", "*a <b>b* c</b> d\n\ne", "mixed -", "<p><em>a <b>b</b></em><b> c</b> d</p>\n<p>e</p>"},
		{"attributes", "a\n\n<sub title=x>b</sub>\n\nc", "- mixed -", "<p>a</p>\n<p><sub title=\"x\">b</sub></p>\n<p>c</p>"},
		{"details", "a\n\n<details><summary>b</summary>\n\n- c\n\n</details>\n\nd", "- mixed -",
			"<p>a</p>\n<details><summary>b</summary>\n<ul>\n<li>c</li>\n</ul>\n</details>\n<p>d</p>"},
		{"paragraphs close themselves", "<p align=center>\n\na\n\nb", "mixed -", "<p align=\"center\">\n</p><p>a</p>\n<p>b</p>"},
		{"a comment", "a\n\n<!-- <div> -->\n\nb", "- mixed -", "<p>a</p>\n\n<p>b</p>"},
		{"in a list", "- a\n- <i class=x>b</i>\n\nc", "mixed -", "<ul>\n<li>a</li>\n<li><i>b</i></li>\n</ul>\n<p>c</p>"},
	} {
		d := Parse("a.md", []byte(tt.in))
		var parts []string
		for _, p := range d.parts {
			parts = append(parts, map[bool]string{false: "-", true: "mixed"}[p.mixed])
		}
		if got := strings.Join(parts, " "); got != tt.parts {
			t.Errorf("%s: parts %s, want %s", tt.name, got, tt.parts)
		}
		if got := strings.TrimSpace(d.HTML(shown)); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// Very many parts are one, and look alike.
func TestManyParts(t *testing.T) {
	one := "<i class=x>a</i>\n\nb\n\n"
	few, many := Parse("a.md", []byte(one)), Parse("a.md", []byte(strings.Repeat(one, maxMixed+1)))
	if len(few.parts) != 2 || len(many.parts) != 1 {
		t.Errorf("%d and %d parts", len(few.parts), len(many.parts))
	}
	if got, want := many.HTML(shown), strings.Repeat(few.HTML(shown), maxMixed+1); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

// What the sanitiser would not let pass comes through it in its place, and nobody can write a mark of such a place.
func TestIslands(t *testing.T) {
	d := Parse("a.md", []byte("<b>x"))
	w := &writer{doc: d, in: shown, seen: map[Link]Target{}, mixed: true}
	var out output
	for i := range 12 {
		fmt.Fprintf(&out, "<p title=\"%d\">", i)
		w.island(&out, fmt.Sprintf("<math>%d</math>", i))
	}
	forged := strings.Replace(w.mark, w.mark[:4], "x-ff", 1) + "1"
	fmt.Fprintf(&out, "<%s>a</%s><x-1>b</x-1>&lt;%s1><style><%s1></style>", forged, forged, w.mark, w.mark)
	got, err := w.sanitise(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		if want := fmt.Sprintf("<p title=\"%d\"><math>%d</math>", i, i); strings.Count(got, want) != 1 {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Count(got, "<math>") != 12 || strings.Contains(got, "<x-") {
		t.Errorf("got\n%s", got)
	}
}
