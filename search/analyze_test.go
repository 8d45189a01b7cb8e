package search

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAnalyze(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"Hello, World", "hello world"},
		{"Get-ChildItem", "get child item childitem getchilditem"},
		{"foo.bar.Baz", "foo bar baz foobarbaz"},
		{"HttpServerConfig", "http server config httpserverconfig"},
		{"HTTPServer and URLs", "http server httpserver and urls"},
		{"snake_case", "snake case snakecase"},
		{"C++ or c# not f", "c++ or c# not f"},
		{"the wiki's don't", "the wiki don"},
		{"Crème brûlée à Genève", "creme brulee a geneve"},
		{"Straße Łódź Ærø", "strasse lodz aero"},
		{"搜索引擎", "搜索 索引 引擎"},
		{"字", "字"},
		{"Go言語", "go 言語"},
		{"カード", "カー ード"},
		{"IPv6 2024", "i pv6 ipv6 2024"},
		{"Zürich", "zurich"},
		{"\xff\xfebad\xff", "bad"},
	}
	for _, tt := range tests {
		var got []string
		analyze(tt.in, true, func(k token) { got = append(got, k.term) })
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("analyze(%q) = %q, want %q", tt.in, s, tt.want)
		}
	}
}

func FuzzAnalyze(f *testing.F) {
	for _, s := range []string{"Get-ChildItem c++", "搜索引擎 ก็", "a'b's", "Ünï\u0301", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		pos := 0
		analyze(s, true, func(k token) {
			if k.start < 0 || k.end > len(s) || k.start >= k.end || k.pos < 1 || len(k.term) > maxTerm {
				t.Fatalf("analyze(%q) emits %+v", s, k)
			}
			if utf8.ValidString(s) && !utf8.ValidString(k.term) {
				t.Fatalf("analyze(%q) emits the term %q", s, k.term)
			}
			pos = max(pos, k.pos)
		})
		analyze(s, false, func(k token) {
			if k.pos > pos {
				t.Fatalf("analyze(%q): positions differ without compounds", s)
			}
		})
	})
}

func TestStem(t *testing.T) {
	s := stemmer{}
	var got []string
	for _, w := range []string{"installing", "installed", "functions", "genève", "go"} {
		got = append(got, s.stem(w))
	}
	if want := []string{"instal", "instal", "function", "genève", "go"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
