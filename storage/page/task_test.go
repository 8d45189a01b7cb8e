package page

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestTick(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		line     int
		done     bool
		want     string // "" is refused
	}{
		{"set", "a\n\n- [ ] b\n- [ ] c\n", 4, true, "a\n\n- [ ] b\n- [x] c\n"},
		{"clear", "* [X] b", 1, false, "* [ ] b"},
		{"as it is", "- [X] b", 1, true, "- [X] b"},
		{"numbered, in a quotation", "> 1. [ ] b\r\n> 2. [ ] c\r\n", 2, true, "> 1. [ ] b\r\n> 2. [x] c\r\n"},
		{"behind front matter and a byte order mark", "\ufeff---\r\ntags: x\r\n---\r\n- [ ] b", 4, true, "\ufeff---\r\ntags: x\r\n---\r\n- [x] b"},
		{"on the first line, behind a byte order mark", "\ufeff- [ ] b", 1, true, "\ufeff- [x] b"},
		{"bare CR", "a\r\r- [ ] b\r- [ ] c", 4, true, "a\r\r- [ ] b\r- [x] c"},
		{"not UTF-8", "\xff\n\n- [ ] b\xff", 3, true, "\xff\n\n- [x] b\xff"},
		{"within", "- a\n  - [ ] b", 2, true, "- a\n  - [x] b"},
		{"in a footnote", "[^1]\n\n[^1]: - [ ] b", 3, true, "[^1]\n\n[^1]: - [x] b"},
		{"in HTML", "<div>\n\n- [ ] b\n\n</div>", 3, true, "<div>\n\n- [x] b\n\n</div>"},
		{"a tab", "- [\t] b", 1, true, "- [x] b"},
		{"no task", "- b\n", 1, true, ""},
		{"no such line", "- [ ] b\n", 2, true, ""},
		{"line 0", "- [ ] b\n", 0, true, ""},
		{"code", "```\n- [ ] b\n```\n", 2, true, ""},
		{"indented code", "    - [ ] b\n", 1, true, ""},
		{"comment", "%%\n- [ ] b\n%%", 2, true, ""},
		{"HTML comment", "<!--\n- [ ] b\n-->", 2, true, ""},
		{"front matter", "---\na:\n- [ ]\n---\n", 3, true, ""},
		{"a link", "- [x](y)", 1, false, ""},
		{"a definition", "- [x]: /y", 1, false, ""},
		{"no space", "- [ ]b", 1, true, ""},
		{"shown as source", strings.Repeat("> ", 100) + "\n- [ ] b", 2, true, ""},
	} {
		got, err := Tick([]byte(tt.in), tt.line, tt.done)
		if string(got) != tt.want || errors.Is(err, ErrNoTask) != (tt.want == "") {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// A box carries its line, and no other box does.
func TestBoxes(t *testing.T) {
	got := Parse("a.md", []byte("x\n\n- [ ] b\n- [x] <b class=x>c</b>\n- <input type=checkbox data-line=1>\n")).HTML(shown)
	for _, want := range []string{
		`<li><input aria-label="Not done" data-line="3" disabled="" type="checkbox"/> b</li>`,
		`<li><input aria-label="Done" checked="" data-line="4" disabled="" type="checkbox"/> <b>c</b></li>`,
		"<li>\n<input type=\"checkbox\" disabled=\"\"/>\n</li>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func FuzzTick(f *testing.F) {
	for _, s := range []string{"- [ ] a\r\n- [x] b\r> - [X] c\n", "\ufeff---\na: b\n---\n1. [ ]\n", "- [ ] \xff\n\n- [ ]: x\n\n[x]: y", "- [ ] [^1]\n\n[^1]: - [ ] b\n```\n- [ ]"} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, src []byte, other int) {
		d := Parse("task.md", src)
		lines := map[int]bool{}
		for _, n := range d.tasks {
			if lines[n.line] {
				t.Fatalf("%q: two tasks on line %d", src, n.line)
			}
			lines[n.line] = true
			got, err := Tick(src, n.line, !n.done)
			if err != nil {
				t.Fatalf("%q: %d: %v", src, n.line, err)
			}
			changed := 0
			for i := range src {
				if src[i] != got[i] {
					changed++
				}
			}
			if len(got) != len(src) || changed != 1 {
				t.Fatalf("%q: %d: got %q", src, n.line, got)
			}
			back, err := Tick(got, n.line, n.done)
			if err != nil || !bytes.EqualFold(bytes.ReplaceAll(back, []byte("\t"), []byte(" ")), bytes.ReplaceAll(src, []byte("\t"), []byte(" "))) {
				t.Fatalf("%q: %d: back is %q, %v", src, n.line, back, err)
			}
		}
		if got, err := Tick(src, other, true); !lines[other] && (err == nil || got != nil) {
			t.Fatalf("%q: line %d gives %q", src, other, got)
		}
	})
}
