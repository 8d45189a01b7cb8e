package wiki

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"cairn/storage/accounts"
	"cairn/storage/internal/git"
)

// history writes commits onto a space, each a map from path to text; "" removes the file. It returns the snapshot before
// them and the last one's name.
func history(t *testing.T, s *Space, commits ...map[string]string) (*Snapshot, git.Hash) {
	t.Helper()
	before := s.latest()
	var last git.Hash
	for _, files := range commits {
		var edits []git.Edit
		for path, text := range files {
			e := git.Edit{Path: path, Data: []byte(text), Remove: text == ""}
			if old, err := s.latest().tree.Lookup(t.Context(), path); err == nil {
				e.Old = old.Hash
			}
			edits = append(edits, e)
		}
		var err error
		last, err = s.repo.Commit(t.Context(), git.Change{Edits: edits, Author: git.Signature{Name: "Ann"}, Message: "x"})
		if err != nil {
			t.Fatal(err)
		}
	}
	return before, last
}

func openFirst(t *testing.T) *Space {
	t.Helper()
	w, err := Open(t.Context(), t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s, err := w.Space(t.Context(), First)
	if err != nil {
		t.Fatal(err)
	}
	s.hintTime = time.Hour // of which the tests need little, on whatever machine
	return s
}

func TestHints(t *testing.T) {
	long := strings.Repeat("A line that both have in common.\n", 20)
	type files = map[string]string
	for _, tt := range []struct {
		name string
		base files
		push []files
		want []string
	}{
		{"nothing to say", files{"a.md": "x"}, []files{{"a.md": "y [[Home]] [z](https://example.org)"}}, nil},
		{"renamed", files{"a.md": long}, []files{{"a.md": "", "b/c.md": long + "more\n"}},
			[]string{"Renamed: a -> b/c (the old address leads there)"}},
		{"renamed twice", files{"a.md": long}, []files{{"a.md": "", "b.md": long}, {"b.md": "", "c.md": long + "more\n"}},
			[]string{"Renamed: a -> c (the old address leads there)"}},
		{"renamed, and written anew", files{"a.md": long}, []files{{"a.md": "", "b.md": long}, {"a.md": "x"}}, nil},
		{"renamed there and back", files{"a.md": long}, []files{{"a.md": "", "b.md": long}, {"b.md": "", "a.md": long}}, nil},
		{"link to an old name", files{"a.md": long, "x.md": "[[A]]"}, []files{{"a.md": "", "b.md": long}},
			[]string{"Renamed: a -> b (the old address leads there)", "Link to an old name: x -> a, which is now b"}},
		{"broken", files{"guide/a b.md": "x", "x.md": "[1](guide/A-b.md#part) [2](guide/a%20b)", "_Sidebar.md": "[[a b|A]]"}, []files{{"guide/a b.md": ""}},
			[]string{"Broken link: _Sidebar -> guide/a b", "Broken link: x -> guide/a b"}},
		{"broken file", files{"pics/a.png": "x", "x.md": "![](pics/a.png?width=3)"}, []files{{"pics/a.png": ""}},
			[]string{"Broken link: x -> pics/a.png"}},
		{"broken folder", files{"guide/a.md": "x", "x.md": "[1](guide/)"}, []files{{"guide/a.md": ""}},
			[]string{"Broken link: x -> guide/"}},
		{"found elsewhere", files{"a.md": "x", "guide/a.md": "y", "x.md": "[[a]]"}, []files{{"a.md": ""}}, nil},
		{"in a page that moved", files{"a.md": long + "[x](b.md) [y](no.md)", "b.md": "x"}, []files{{"a.md": "", "guide/a.md": long + "[x](b) [x](b.md) [y](no.md)"}}, []string{
			"Renamed: a -> guide/a (the old address leads there)",
		}},
		{"in a page that moved, relative", files{"a.md": long + "[x](./b.md)", "b.md": "x"}, []files{{"a.md": "", "guide/a.md": long + "[x](./b.md)"}}, []string{
			"Renamed: a -> guide/a (the old address leads there)", "Broken link: guide/a -> b",
		}},
		{"a link that led nowhere before", files{"x.md": "[[no]]"}, []files{{"x.md": "[[no]] more"}}, nil},
		{"new link to nothing", files{"x.md": "[[no]]"}, []files{{"x.md": "[[no]] [[New page]] ![](a.png)", "y.md": "[[no]]"}},
			[]string{"New link, but no page of that name: x -> New page", "New link, but no file of that name: x -> a.png", "New link, but no page of that name: y -> no"}},
		{"front matter", files{}, []files{{"x.md": "---\ntitle: [\n---\ny\n"}}, []string{"x: The front matter is not valid YAML."}},
		{"names", files{"Plan.md": "x"}, []files{{"plan.md": "y", "aux.md": "z", "caf\u00e9.md": "1", "cafe\u0301.md": "2"}}, []string{
			"aux.md: Windows keeps this name for a device, so the page could not be checked out there.",
			"caf\u00e9.md and cafe\u0301.md differ in case or accents alone: Windows and macOS can have only one of them",
			"plan.md and Plan.md differ in case or accents alone: Windows and macOS can have only one of them",
		}},
		{"not shown", files{".obsidian/a.md": "x", "x.md": "[[a]]"}, []files{{".obsidian/a.md": "", ".cairn/b.md": "[[no]]"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openFirst(t)
			history(t, s, tt.base)
			before, last := history(t, s, tt.push...)
			got := s.hints(t.Context(), before, last, "http://example.org/x")
			if n := len(got); n == 0 || got[n-1] != "See what changed: http://example.org/x" {
				t.Fatalf("no address: %q", got)
			}
			got = got[:len(got)-1]
			// Two names that clash come in either order.
			slices.Sort(got)
			slices.Sort(tt.want)
			for i, line := range got {
				if i < len(tt.want) && line != tt.want[i] && strings.Contains(line, " differ ") {
					a, rest, _ := strings.Cut(line, " and ")
					b, rest, _ := strings.Cut(rest, " differ ")
					got[i] = b + " and " + a + " differ " + rest
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%q, want\n\t%q", got, tt.want)
			}
		})
	}
}

// However much there is to say, it is ten lines, of each kind something.
func TestHintsAreFew(t *testing.T) {
	s := openFirst(t)
	base, push := map[string]string{}, map[string]string{}
	for i := range 30 {
		base[fmt.Sprintf("Gone %d.md", i)] = fmt.Sprintf("alone %d", i)
		base[fmt.Sprintf("Old %d.md", i)] = strings.Repeat(fmt.Sprintf("Number %d.\n", i), 20)
		base[fmt.Sprintf("To gone %d.md", i)] = fmt.Sprintf("[[Gone %d]]", i)
		base[fmt.Sprintf("To old %d.md", i)] = fmt.Sprintf("[[Old %d]]", i)
		push[fmt.Sprintf("Gone %d.md", i)] = ""
		push[fmt.Sprintf("Old %d.md", i)] = ""
		push[fmt.Sprintf("New %d.md", i)] = base[fmt.Sprintf("Old %d.md", i)]
		push[fmt.Sprintf("Bad %d.md", i)] = "---\na: [\n---\n[[None]]"
		push[fmt.Sprintf("com%d.txt.md", i%10)] = "x"
	}
	history(t, s, base)
	before, last := history(t, s, push)
	got := s.hints(t.Context(), before, last, "http://example.org/x")
	if len(got) != maxHints {
		t.Errorf("%d lines", len(got))
	}
	for _, want := range []string{"Renamed: ", "Broken link: ", "Link to an old name: ", "New link, but no page of that name: ", "not valid YAML", "Windows keeps"} {
		found := false
		for _, line := range got {
			found = found || strings.Contains(line, want)
		}
		if !found {
			t.Errorf("no line says %q: %q", want, got)
		}
	}
	if !strings.Contains(strings.Join(got, "\n"), "; and 28 more like this") {
		t.Errorf("what is left out is not counted: %q", got)
	}
}

func TestHintsTakeTooLong(t *testing.T) {
	s := openFirst(t)
	history(t, s, map[string]string{"a.md": "x", "x.md": "[[a]]"})
	before, last := history(t, s, map[string]string{"a.md": ""})
	s.hintTime = 0
	got := s.hints(t.Context(), before, last, "http://example.org/x")
	if len(got) != 2 || !strings.Contains(got[0], "too long") {
		t.Errorf("got %q", got)
	}
}

// Whatever stands in a page, nothing but visible text comes out of it.
func TestHintsAreHarmless(t *testing.T) {
	s := openFirst(t)
	nasty := "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066 \u200b\x9b31m\r\b\x00 end"
	history(t, s, map[string]string{"a.md": "x", "x.md": "[[a#" + nasty + "]]"})
	before, last := history(t, s, map[string]string{
		"a.md": "",
		"y.md": "[[" + nasty + "]] [x](<../../" + nasty + ">) [[" + strings.Repeat("long ", 150) + "]]\n",
		"z.md": "---\n" + nasty + ": [\n---\n",
	})
	for _, line := range s.hints(t.Context(), before, last, "http://example.org/x") {
		if len(line) > 400 {
			t.Errorf("a line of %d bytes", len(line))
		}
		for _, r := range line {
			if !unicode.IsPrint(r) {
				t.Errorf("%+q has %+q", line, r)
			}
		}
	}
}

// A date that is not believed is told, and not shown.
func TestHintOfDate(t *testing.T) {
	s := openFirst(t)
	before := s.latest()
	last, err := s.repo.Commit(t.Context(), git.Change{
		Edits:  []git.Edit{{Path: "a.md", Data: []byte("x")}},
		Author: git.Signature{Name: "Ann", When: time.Date(5138, 11, 16, 0, 0, 0, 0, time.UTC)}, Message: "x",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.hints(t.Context(), before, last, "http://example.org/x")
	if len(got) != 2 || !strings.Contains(got[0], "says that it was written on 16 November 5138") {
		t.Errorf("got %q", got)
	}
	shown, err := s.Commit(t.Context(), accounts.Visitor("Ann"), last.String())
	if err != nil || shown.When.After(time.Now()) {
		t.Errorf("shown is %v, %v", shown.When, err)
	}
}
