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

// A link to a place that its page does not have is doubtful, and led to a heading close to it, or to the page alone.
func TestMisplaced(t *testing.T) {
	m := wikiOf{
		"There.md":  "# There\n\n## Set up\n\n## Why *this*: & that?\n\n## Set up\n\nx ^block\n\n<a name=\"raw\"></a> <b ID='two'>y</b>\n\n<div id=three>\n\n</div>\n\n## Über uns\n\n## [x](y)\n",
		"costly.md": strings.Repeat("[a](", 10_000), "pic.png": "", "y.md": "",
	}
	right := "[[There#Set up]] [[There#set-up]] [[There#SET_UP]] [a](There.md#set-up-1) [a](There#Why-this-that) [[There#Why this: & that?]] [[There#^block]] " +
		"[a](There.md#raw) [a](There.md#two) [a](There#three) [a](There.md#%C3%BCber-uns) [[There#There#Set up]] [[#Own]] [o](#own) [[There#x]] [[#^mine]] [a](There#fn:1) [a](#top) " +
		"[a](There.md#:~:text=x) [[costly#nothing]] [[pic.png#page=3]] [a](https://example.org/#x) [[There]] [[There#]]\n\n## Own\n\nx ^mine\n\n"
	if list, _ := Doubts("Home.md", []byte(right), m.context(), 10); len(list) > 0 {
		t.Errorf("doubtful: %+v", list)
	}
	src := right + "[[There#Setup]]\r\n[a](There.md#set-pu \"t\") [[There#Set up#Nothing|it]] [[There#über|text]] [[#Onw]] [[There#^gone]] <a href=\"There.md#raww\">z</a>\n\n[d]\n\n[d]: <There.md#Why this>\n"
	list, more := Doubts("Home.md", []byte(src), m.context(), 10)
	var got []string
	for _, d := range list {
		if !d.Misplaced || !strings.HasPrefix(src[d.At:], d.Text) {
			t.Errorf("%+v at %q", d, src[d.At:])
		}
		got = append(got, fmt.Sprint(d.Text, d.Near))
	}
	want := []string{"There#Setup[{Set up Set up} {Set up set-up-1}]", "There.md#set-pu[{Set up set-up} {Set up set-up-1}]", "There#Set up#Nothing[]",
		"There#über[{Über uns Über uns}]", "#Onw[{Own Own}]", "There#^gone[]", "There.md#raww[]", "There.md#Why this[{Why this: & that? why-this--that}]"}
	if !slices.Equal(got, want) || more {
		t.Fatalf("got %q\nwant %q", got, want)
	}
	for _, tt := range []struct {
		which          int
		name, old, new string // new "" for what cannot be
	}{
		{0, "Set up", "[[There#Setup]]", "[[There#Set up]]"},
		{0, "", "[[There#Setup]]", "[[There]]"},
		{1, "set-up-1", "(There.md#set-pu ", "(There.md#set-up-1 "},
		{1, "", "(There.md#set-pu ", "(There.md "},
		{2, "Über uns", "[[There#Set up#Nothing|it]]", "[[There#Über uns|it]]"},
		{3, "Über uns", "[[There#über|text]]", "[[There#Über uns|text]]"},
		{4, "Own", "[[#Onw]]", "[[#Own]]"},
		{4, "", "", ""},
		{5, "", "[[There#^gone]]", "[[There]]"},
		{6, "raw", "There.md#raww", "There.md#raw"},
		{7, "Set up", "<There.md#Why this>", "<There.md#Set up>"},
		{0, "a]] [[x", "", ""},
		{1, "a b) <i>", "(There.md#set-pu ", "(There.md#a%20b%29%20%3Ci%3E "},
		{6, "\"><b>", "There.md#raww", "There.md#%22%3E%3Cb%3E"},
	} {
		text, ok := MendPlace("Home.md", []byte(src), m.context(), list[tt.which].At, list[tt.which].Text, tt.name)
		if want := strings.Replace(src, tt.old, tt.new, 1); ok != (tt.new != "") || ok && string(text) != want {
			t.Errorf("%s to %q: %v, got\n%q, want\n%q", list[tt.which].Text, tt.name, ok, text, want)
		}
	}
	in := m.context()
	in.Profile = Gollum
	second := "[[text|There#Nothing]]"
	if list, _ := Doubts("Home.md", []byte(second), in, 10); len(list) != 1 || !list[0].Misplaced {
		t.Errorf("the text first: %+v", list)
	} else if got, ok := MendPlace("Home.md", []byte(second), in, list[0].At, list[0].Text, "Set up"); !ok || string(got) != "[[text|There#Set up]]" {
		t.Errorf("the text first: %q, %v", got, ok)
	}
	if _, ok := MendPlace("Home.md", []byte(src), m.context(), list[0].At+1, list[0].Text, ""); ok {
		t.Error("mended what is not there")
	}
}
