package search

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// library is a words store with some pages in space "wiki", and one with a secret in space "closed".
func library(t *testing.T) *words {
	t.Helper()
	w, err := openWords(t.TempDir(), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close() })
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	pages := []struct {
		space string
		doc   page.Doc
		facts facts
	}{
		{"wiki", page.Doc{Path: "install.md", Title: "Install", Text: "How to install the server on a machine.", Tags: []string{"Ops"}}, facts{day(1), []string{"Ann"}}},
		{"wiki", page.Doc{Path: "guide/server.md", Title: "Server guide", Text: "Install, install and install again. The server needs installing. Install!"}, facts{day(2), []string{"Ann", "Bob"}}},
		{"wiki", page.Doc{Path: "food.md", Title: "Crème brûlée", Text: "Sugar from Genève, a torch."}, facts{day(3), []string{"Bob"}}},
		{"wiki", page.Doc{Path: "suche.md", Title: "検索", Text: "搜索引擎 is a search engine."}, facts{day(4), []string{"Eve"}}},
		{"wiki", page.Doc{Path: "code.md", Title: "Names in code", Text: "HttpServerConfig, Get-ChildItem, C++ and quark_soup."}, facts{}},
		{"wiki", page.Doc{Path: "vacation.md", Title: "Vacation policy", Text: "Holidays for everybody.", Tags: []string{"hr", "ops"}}, facts{day(5), []string{"Zoë"}}},
		{"wiki", page.Doc{Path: "travel.md", Title: "Travel", Text: "The policy for travel; a vacation is none."}, facts{}},
		{"closed", page.Doc{Path: "install.md", Title: "Install", Text: "The secret install."}, facts{day(6), []string{"Ann"}}},
	}
	b, err := w.batch()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if err := b.IndexAdvanced(describe(p.space, &p.doc, p.facts)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.write(w.life(), b); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *words) hits(t *testing.T, q Query, spaces ...string) []string {
	t.Helper()
	in := map[string]*wiki.Snapshot{}
	for _, s := range spaces {
		in[s] = nil
	}
	var ids []string
	err := w.with(func(idx bleve.Index) error {
		r, _, err := run(context.Background(), idx, parse(q.Text), filter(in, q), q.Offset, q.Limit)
		if err != nil {
			return err
		}
		for _, h := range r.Hits {
			if math.IsNaN(h.Score) {
				t.Errorf("%.60q: the score of %s is NaN", q.Text, h.ID)
			}
			ids = append(ids, h.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%.60q: %v", q.Text, err)
	}
	return ids
}

func TestRun(t *testing.T) {
	w := library(t)
	tests := []struct {
		name string
		q    Query
		want string // the first hits
		n    int    // all hits, -1 for any
	}{
		{"exact title first", Query{Text: "install"}, "wiki/install.md wiki/guide/server.md", 2},
		{"body only", Query{Text: "torch"}, "wiki/food.md", 1},
		{"more words first", Query{Text: "vacation policy travel"}, "wiki/travel.md wiki/vacation.md", 2},
		{"title with more words", Query{Text: "server guide"}, "wiki/guide/server.md wiki/install.md", -1},
		{"accents", Query{Text: "creme BRULEE"}, "wiki/food.md", 1},
		{"accents the other way", Query{Text: "Genéve"}, "wiki/food.md", 1},
		{"typo", Query{Text: "vacatoin"}, "wiki/vacation.md wiki/travel.md", 2},
		{"half typed", Query{Text: "vacat"}, "wiki/vacation.md wiki/travel.md", 2},
		{"stem", Query{Text: "installed"}, "wiki/install.md", 2},
		{"CJK", Query{Text: "引擎"}, "wiki/suche.md", 1},
		{"CJK no half", Query{Text: "擎引"}, "", 0},
		{"CJK single", Query{Text: "検"}, "", -1},
		{"part of a name", Query{Text: "http server"}, "wiki/code.md", -1},
		{"compound", Query{Text: "getchilditem"}, "wiki/code.md", 1},
		{"c++", Query{Text: "c++"}, "wiki/code.md", 1},
		{"path", Query{Text: "guide"}, "wiki/guide/server.md", 1},
		{"not", Query{Text: "policy -travel"}, "wiki/vacation.md", 1},
		{"only not", Query{Text: "-install -policy"}, "", 3},
		{"quotes", Query{Text: `"travel policy" vacation`}, "wiki/travel.md", 1},
		{"open quote", Query{Text: `"travel pol`}, "wiki/travel.md", -1},
		{"tag", Query{Tag: "OPS"}, "wiki/vacation.md wiki/install.md", 2},
		{"tag and words", Query{Text: "install", Tag: "ops"}, "wiki/install.md", 1},
		{"author", Query{By: "ann"}, "wiki/guide/server.md wiki/install.md", 2},
		{"author folded", Query{By: "Zoe"}, "wiki/vacation.md", 1},
		{"since", Query{Since: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)}, "wiki/vacation.md wiki/suche.md wiki/food.md", 3},
		{"since and words", Query{Text: "sugar", Since: time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC)}, "", 0},
		{"operators are words", Query{Text: "/.*/ title:x^9 ~ * ?"}, "", -1},
		{"unknown", Query{Text: "zzzzzzzz"}, "", 0},
		{"other space", Query{Text: "secret"}, "", 0},
	}
	for _, tt := range tests {
		got := w.hits(t, tt.q, "wiki")
		want := strings.Fields(tt.want)
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) || tt.n >= 0 && len(got) != tt.n {
			t.Errorf("%s: %q finds %q, want %d with %q first", tt.name, tt.q.Text, got, tt.n, want)
		}
	}
	if got := w.hits(t, Query{Text: "install"}, "wiki", "closed"); len(got) != 3 {
		t.Errorf("both spaces: %q", got)
	}
}

// A filter in a scored clause is a trap; that it is one is shown here too, so that it is noticed when Bleve mends it.
func TestNaN(t *testing.T) {
	w := library(t)
	for _, text := range []string{"install", "server install policy", "inst", "vacatoin"} {
		if len(w.hits(t, Query{Text: text, Tag: "ops"}, "wiki")) == 0 {
			t.Errorf("%q with a tag finds nothing", text)
		}
	}
	err := w.with(func(idx bleve.Index) error {
		both := query.NewConjunctionQuery([]query.Query{termQuery(fieldBody, "instal", 1), inSpace("wiki")})
		r, err := idx.Search(bleve.NewSearchRequest(both))
		if err == nil && len(r.Hits) > 0 && !math.IsNaN(r.Hits[0].Score) {
			t.Log("a filter may be scored with this version of Bleve")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	w := func(s string) word { return word{text: s} }
	last := func(s string) word { return word{text: s, last: true} }
	must := func(s string) word { return word{text: s, must: true} }
	tests := []struct {
		in   string
		want []word
		not  []string
	}{
		{"", nil, nil},
		{" \t\n", nil, nil},
		{"two Words", []word{w("two"), last("words")}, nil},
		{"done ", []word{w("done")}, nil},
		{`say "foo bar" now`, []word{w("say"), must("foo"), must("bar"), last("now")}, nil},
		{`"foo bar"`, []word{must("foo"), must("bar")}, nil},
		{`"foo ba`, []word{w("foo"), last("ba")}, nil},
		{"a -b-c d", []word{w("a"), last("d")}, []string{"b", "c"}},
		{"-", nil, nil},
		{"foo.", []word{w("foo")}, nil},
	}
	for _, tt := range tests {
		got := parse(tt.in)
		if !reflect.DeepEqual(got.words, tt.want) || !slices.Equal(got.not, tt.not) {
			t.Errorf("parse(%q) = %+v not %q, want %+v not %q", tt.in, got.words, got.not, tt.want, tt.not)
		}
	}
}

func TestBounds(t *testing.T) {
	w := library(t)
	var long strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&long, "w%d ", i)
	}
	for _, text := range []string{long.String(), strings.Repeat("a ", 10_000), strings.Repeat("é", 300), strings.Repeat("字", 5000), strings.Repeat(`"`, 5000)} {
		if s := parse(text); len(s.words)+len(s.not) > MaxTerms || len(s.whole) > 2*MaxText {
			t.Errorf("parse of %.20q… gives %d words", text, len(s.words)+len(s.not))
		}
		w.hits(t, Query{Text: text}, "wiki")
	}
	if got := w.hits(t, Query{Text: "install", Limit: 1 << 30, Offset: 1 << 30}, "wiki"); len(got) != 0 {
		t.Errorf("far beyond the end: %q", got)
	}
	if got := w.hits(t, Query{Text: "install", Limit: -1, Offset: -1}, "wiki"); len(got) != 2 {
		t.Errorf("negative bounds: %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`a "b c" -d "e`)
	f.Fuzz(func(t *testing.T, s string) {
		got := parse(s)
		if len(got.words)+len(got.not) > MaxTerms {
			t.Fatalf("%d words", len(got.words)+len(got.not))
		}
	})
}
