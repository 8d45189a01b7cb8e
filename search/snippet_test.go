package search

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// shown writes marks as [ ].
func shown(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Mark {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func lookFor(prefix string, words ...string) marker {
	m := marker{stems: map[string]bool{}, prefix: prefix, known: stemmer{}}
	for _, w := range words {
		m.stems[stemmer{}.stem(fold(w))] = true
	}
	return m
}

func TestSnippet(t *testing.T) {
	filler := strings.Repeat("lorem ipsum dolor ", 40)
	tests := []struct {
		name, text string
		m          marker
		want       string
	}{
		{"empty", "", lookFor("", "x"), ""},
		{"short", "Install the  server\nnow.", lookFor("", "installing", "server"), "[Install] the [server] now."},
		{"accents", "Sugar from Genève", lookFor("", "geneve"), "Sugar from [Genève]"},
		{"nothing", "one two", lookFor("", "x"), "one two"},
		{"prefix", "a vacation", lookFor("vac"), "a [vacation]"},
		{"CJK", "使用搜索引擎。", lookFor("", "搜索", "索引", "引擎"), "使用[搜索引擎]。"},
		{"compound", "see Get-ChildItem here", lookFor("", "getchilditem"), "see [Get-ChildItem] here"},
		{"part", "see HttpServerConfig", lookFor("", "server"), "see Http[Server]Config"},
		{"no HTML", `an <img src=x onerror="alert(1)"> tag`, lookFor("", "img"), `an <[img] src=x onerror="alert(1)"> tag`},
	}
	for _, tt := range tests {
		if got := shown(snippet(tt.text, tt.m)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	text := "apple " + filler + " apple near a pear and " + filler
	got := shown(snippet(text, lookFor("", "apple", "pear")))
	if !strings.Contains(got, "[apple] near a [pear]") || !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") || len(got) > snippetSize+40 {
		t.Errorf("the densest window: got %q", got)
	}
	far := "apple " + strings.Repeat(filler, snippetMore/len(filler)+20) + " apple near a pear"
	if got := shown(snippet(far, lookFor("", "apple", "pear"))); !strings.HasPrefix(got, "[apple] lorem") {
		t.Errorf("a better window, but far from the first: got %q", got)
	}
	if got := shown(snippet(filler, lookFor(""))); !strings.HasSuffix(got, " …") || len(got) > snippetSize+10 {
		t.Errorf("the beginning: got %q", got)
	}
}

func FuzzSnippet(f *testing.F) {
	f.Add("Install the server", "server")
	f.Add(strings.Repeat("搜索引擎", 100), "引擎")
	f.Fuzz(func(t *testing.T, text, word string) {
		for _, p := range snippet(text, lookFor("", word)) {
			if utf8.ValidString(text) && !utf8.ValidString(p.Text) {
				t.Fatalf("%q is cut inside a character", p.Text)
			}
		}
	})
}
