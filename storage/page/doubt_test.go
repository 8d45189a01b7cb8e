package page

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDoubts(t *testing.T) {
	n := names("Home.md", "guide/Set up.md", "a/Note.md", "b/Note.md", "New.md")
	in := Context{Names: n, Profile: Native, Also: Also{Moved: func(key string) []Move {
		if key == "old" {
			return []Move{{"Old.md", "New.md"}}
		}
		return nil
	}}}
	src := "---\ntitle: x\n---\r\n[[Home]] [[Nowhere]]\r\n[x](Set%20upp.md#part) `[[Nowhere]]`\r\n\r\n|a|\n|-|\n|[[Note\\|it]] [[text\\|New]]|\n\n[d] [e][d] [[Old]]\n\n[d]: ./Nothing.md\n"
	list, more := Doubts("Home.md", []byte(src), in, 10)
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprintf("%d %s %v", d.Line, d.Text, d.Target))
		if !strings.HasPrefix(src[d.At:], d.Text) {
			t.Errorf("at %d stands %q, not %q", d.At, src[d.At:], d.Text)
		}
	}
	want := []string{"4 Nowhere red:Nowhere.md", "5 Set%20upp.md#part red:Set upp.md#part", "9 Note a/Note.md?", "9 New New.md!", "13 ./Nothing.md red:Nothing.md", "11 Old New.md"}
	if !slices.Equal(got, want) || more {
		t.Fatalf("got %q, want %q", got, want)
	}
	if short, more := Doubts("Home.md", []byte(src), in, 2); len(short) != 2 || !more {
		t.Errorf("of two: %v, %v", short, more)
	}
	for i, tt := range []struct {
		to       Path
		old, new string
	}{
		{"guide/Set up.md", "[[Nowhere]]\r", "[[Set up]]\r"},
		{"guide/Set up.md", "(Set%20upp.md#part)", "(guide/Set%20up.md#part)"},
		{"b/Note.md", "[[Note\\|it]]", "[[b/Note\\|it]]"},
		{"New.md", "[[text\\|New]]", "[[New\\|text]]"},
		{"b/Note.md", ": ./Nothing.md", ": ./b/Note.md"},
		{"New.md", "[[Old]]", "[[New]]"},
	} {
		text, ok := Mend("Home.md", []byte(src), in, list[i].At, list[i].Text, tt.to)
		if want := strings.Replace(src, tt.old, tt.new, 1); !ok || string(text) != want {
			t.Errorf("mended %s: %v, got\n%q, want\n%q", list[i].Text, ok, text, want)
		}
	}
	for _, at := range []int{0, list[0].At + 1} {
		if _, ok := Mend("Home.md", []byte(src), in, at, "Nowhere", "New.md"); ok {
			t.Errorf("mended what is not at %d", at)
		}
	}
	if _, ok := Mend("Home.md", []byte(src), in, list[0].At, "Nowhere", "Gone.md"); ok {
		t.Error("mended to what is not there")
	}
	if got := n.Alike("Note", 5); !slices.Equal(got, []Path{"a/Note.md", "b/Note.md"}) {
		t.Errorf("alike: %v", got)
	}
}
