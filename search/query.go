// This file finds pages by what people type. The rules are:
//
//   - Typed text is words and nothing else: it never reaches a parser of queries, and its length is bounded first.
//   - What decides whether a page may be seen, and every other filter, goes into BooleanQuery.AddFilter. In a scored
//     clause a field without frequencies makes every score NaN, and the order of the hits wrong.
//   - Words that no page has are taken for misspelt, the last word for one that is still being typed. What they may stand
//     for comes from the dictionary of the pages, and not much of it.

package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/mapping"
	bsearch "github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// Query is what somebody asks for. Text is words as typed: it is never read as a query language, but each of "some
// words" in quotes must be there and -word must not. The other fields narrow the answer and may stand alone.
type Query struct {
	Text   string    // at most MaxText bytes and MaxTerms words count, the rest is left out
	Space  string    // only this space; "" is all that were passed to Find
	Tag    string    // only pages with this tag
	By     string    // only pages that this author has changed
	Since  time.Time // only pages last changed then or after
	Limit  int       // hits wanted, at most MaxLimit; 0 is 20
	Offset int       // hits to skip; Offset+Limit is at most MaxDepth
}

// Bounds of a Query; what goes beyond is cut off, not refused.
const (
	MaxText  = 256
	MaxTerms = 20
	MaxLimit = 100
	MaxDepth = 1000

	deadline = time.Second // of one search
)

// Result is what Find found, best first.
type Result struct {
	Total  uint64 // all pages that match, not only the hits listed
	Took   time.Duration
	Hits   []Hit
	Behind bool // the words had not reached the snapshots in time: newer saves may be missing
}

// Hit is one page found.
type Hit struct {
	Space   string
	Path    page.Path
	Title   string
	Snippet []Piece // cut out of the text that the words have; none when there is no time left, or no text
	Score   float64
	When    time.Time // of the last change; zero when not known yet
	By      string    // its author
}

// Find looks for pages in the snapshots, which are the spaces that the asker may read, and in no others: hits and Total
// count nothing else. It waits a moment until the words have reached them. A query that asks for nothing finds nothing,
// and so does any while the words cannot be read, which is Behind.
func (x *Index) Find(ctx context.Context, in []*wiki.Snapshot, q Query) (Result, error) {
	start := time.Now()
	var r Result
	spaces := make(map[string]*wiki.Snapshot, len(in))
	for _, s := range in {
		if q.Space == "" || q.Space == s.Space() {
			spaces[s.Space()] = s
		}
	}
	wanted := parse(q.Text)
	if len(spaces) == 0 || wanted.empty() && (q.Tag == "" && q.By == "" && q.Since.IsZero() || strings.TrimSpace(q.Text) != "") {
		return r, nil
	}
	waiting, enough := patient(ctx)
	for name, s := range spaces {
		if !x.place(name, x.words.name()).await(waiting, s, false) {
			r.Behind = true
		}
	}
	enough()

	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var found *bleve.SearchResult
	var marks marker
	err := x.words.ask(func(idx bleve.Index) (err error) {
		found, marks, err = run(ctx, idx, wanted, filter(spaces, q), q.Offset, q.Limit)
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errSuspect, err)
		}
		return err
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrClosed) {
		return Result{Took: time.Since(start), Behind: true}, nil // ask has said why
	}
	if err != nil {
		return Result{}, fmt.Errorf("find: %w", err)
	}
	r.Total = found.Total
	for _, m := range found.Hits {
		space, p, err := splitID(m.ID)
		if err != nil || spaces[space] == nil || !spaces[space].Has(p) {
			continue // removed since
		}
		h := Hit{Space: space, Path: p, Title: p.Title(), Score: m.Score}
		if t, ok := m.Fields[fieldTitle].(string); ok {
			h.Title = t
		}
		if text, ok := m.Fields[fieldBody].(string); ok && ctx.Err() == nil {
			h.Snippet = snippet(text, marks)
		}
		if c, err := x.trail.last(spaces[space], p); err == nil {
			h.When, h.By = c.When, c.By
		}
		r.Hits = append(r.Hits, h)
	}
	r.Took = time.Since(start)
	return r, nil
}

// run asks the index.
func run(ctx context.Context, idx bleve.Index, wanted sought, filter query.Query, offset, limit int) (*bleve.SearchResult, marker, error) {
	if limit <= 0 {
		limit = 20
	}
	offset = min(max(offset, 0), MaxDepth)
	limit = min(limit, MaxLimit, MaxDepth-offset)
	q, marks, err := compose(ctx, idx, wanted)
	if err != nil {
		return nil, marks, err
	}
	q.AddFilter(filter)
	request := bleve.NewSearchRequestOptions(q, limit, offset, false)
	request.Fields = []string{fieldTitle, fieldBody}
	request.Sort = bsearch.SortOrder{&bsearch.SortScore{Desc: true}, &bsearch.SortDocID{}}
	if wanted.empty() {
		request.Sort = bsearch.SortOrder{&bsearch.SortField{Field: fieldWhen, Desc: true, Type: bsearch.SortFieldAsNumber,
			Missing: bsearch.SortFieldMissingLast}, &bsearch.SortDocID{}}
	}
	found, err := idx.SearchInContext(ctx, request)
	return found, marks, err
}

// filter is what narrows the answer without being scored.
func filter(spaces map[string]*wiki.Snapshot, q Query) query.Query {
	some := make([]query.Query, 0, len(spaces))
	for name := range spaces {
		some = append(some, inSpace(name))
	}
	all := []query.Query{query.NewDisjunctionQuery(some)}
	for _, f := range []struct{ field, value string }{{fieldTag, q.Tag}, {fieldBy, q.By}} {
		if f.value != "" {
			all = append(all, termQuery(f.field, plain(f.value), 1))
		}
	}
	if !q.Since.IsZero() {
		since := float64(q.Since.Unix())
		inclusive := true
		r := query.NewNumericRangeInclusiveQuery(&since, nil, &inclusive, nil)
		r.SetField(fieldWhen)
		all = append(all, r)
	}
	return query.NewConjunctionQuery(all)
}

// sought is what a typed text asks for.
type sought struct {
	whole string // the text as a title, folded
	words []word
	not   []string // folded
}

type word struct {
	text string // folded
	must bool   // in quotes
	last bool   // may be still being typed
	pair bool   // of a script without spaces
}

func (s sought) empty() bool { return len(s.words)+len(s.not) == 0 }

// parse reads typed text. It never fails: what means nothing is left out.
func parse(text string) sought {
	if len(text) > MaxText {
		text = text[:MaxText]
		for r, n := utf8.DecodeLastRuneInString(text); r == utf8.RuneError && n == 1 && text != ""; {
			text = text[:len(text)-1]
			r, n = utf8.DecodeLastRuneInString(text)
		}
	}
	s := sought{whole: plain(text)}
	rest, quoted := text, false
	for rest != "" && len(s.words)+len(s.not) < MaxTerms {
		// One chunk is what stands between white space, or in quotes.
		end := strings.IndexByte(rest, '"')
		if !quoted {
			end = strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
		}
		chunk, closed := rest, end >= 0
		rest = ""
		wasQuoted := quoted
		if closed {
			chunk, rest = chunk[:end], chunk[end:]
			r, w := utf8.DecodeRuneInString(rest)
			rest = rest[w:]
			if r == '"' {
				quoted = !quoted
			}
		}
		not := !wasQuoted && len(chunk) > 1 && chunk[0] == '-'
		analyze(chunk, false, func(t token) {
			switch {
			case len(s.words)+len(s.not) >= MaxTerms:
			case not:
				s.not = append(s.not, t.term)
			default:
				s.words = append(s.words, word{text: t.term, must: wasQuoted && closed, pair: t.pair})
			}
		})
		if !closed && !not && len(s.words) > 0 {
			w := &s.words[len(s.words)-1]
			w.last = !w.pair && strings.HasSuffix(fold(chunk), w.text)
		}
	}
	return s
}

// ranked are the fields that words are looked for in, with what a hit there is worth.
func ranked() []struct {
	name  string
	boost float64
} {
	return []struct {
		name  string
		boost float64
	}{{fieldTitle, 6}, {fieldAlias, 6}, {fieldHead, 2}, {fieldPath, 2.5}, {fieldTags, 1.5}, {fieldBody, 1}}
}

const (
	boostExact  = 1000 // the whole title: before everything
	boostName   = 200
	boostPhrase = 4
	boostStop   = 0.24

	presence = 100 // for each word that a page has, stop words aside: more than anything else can give but the title
)

// compose makes the scored part of a query, and says which words to mark.
func compose(ctx context.Context, idx bleve.Index, wanted sought) (*query.BooleanQuery, marker, error) {
	stems := make(stemmer)
	marks := marker{stems: map[string]bool{}, known: stems}
	q := bleve.NewBooleanQuery()
	for _, w := range wanted.not {
		q.AddMustNot(anywhere([]variant{{stems.stem(w), 1}}, 1))
	}
	if len(wanted.words) == 0 {
		q.AddMust(query.NewMatchAllQuery())
		return q, marks, nil
	}
	dict, err := openDictionary(ctx, idx, stems)
	if err != nil {
		return nil, marks, err
	}
	defer dict.close()

	some := []query.Query{
		termQuery(fieldExact, wanted.whole, boostExact),
		termQuery(fieldName, wanted.whole, boostName),
	}
	var phrase []string
	for _, w := range wanted.words {
		if err := ctx.Err(); err != nil {
			return nil, marks, err
		}
		vs, err := dict.variants(w)
		if err != nil {
			return nil, marks, err
		}
		boost := 1.0
		if isStop(w.text) {
			boost = boostStop
		}
		here := anywhere(vs, boost)
		if boost == 1 {
			here = bonus{here, presence}
		}
		some = append(some, here)
		if w.must {
			q.AddMust(anywhere(vs, boost))
		}
		if boost == 1 || len(wanted.words) == 1 {
			marks.words++
			for _, v := range vs {
				marks.stems[v.stem] = true
			}
		}
		if w.last && utf8.RuneCountInString(w.text) >= 2 {
			marks.prefix = w.text
		}
		phrase = append(phrase, stems.stem(w.text))
	}
	if len(phrase) > 1 {
		for _, field := range []string{fieldTitle, fieldHead} { // those with positions
			p := query.NewPhraseQuery(phrase, field)
			p.SetBoost(boostPhrase)
			some = append(some, p)
		}
	}
	q.AddMust(query.NewDisjunctionQuery(some))
	return q, marks, nil
}

// anywhere asks for one of the variants in one of the ranked fields.
func anywhere(vs []variant, boost float64) query.Query {
	var some []query.Query
	for _, v := range vs {
		for _, f := range ranked() {
			some = append(some, termQuery(f.name, v.stem, f.boost*v.weight*boost))
		}
	}
	return query.NewDisjunctionQuery(some)
}

func termQuery(field, term string, boost float64) query.Query {
	q := query.NewTermQuery(term)
	q.SetField(field)
	q.SetBoost(boost)
	return q
}

// variant is a term that may stand for a word, and how much it then counts.
type variant struct {
	stem   string
	weight float64
}

// bonus adds to the score of all that a query finds.
type bonus struct {
	query.Query
	score float64
}

func (b bonus) Searcher(ctx context.Context, r index.IndexReader, m mapping.IndexMapping, o bsearch.SearcherOptions) (bsearch.Searcher, error) {
	s, err := b.Query.Searcher(ctx, r, m, o)
	if err != nil {
		return nil, err
	}
	return bonusSearcher{s, b.score}, nil
}

type bonusSearcher struct {
	bsearch.Searcher
	score float64
}

func (s bonusSearcher) Next(ctx *bsearch.SearchContext) (*bsearch.DocumentMatch, error) {
	return s.add(s.Searcher.Next(ctx))
}

func (s bonusSearcher) Advance(ctx *bsearch.SearchContext, id index.IndexInternalID) (*bsearch.DocumentMatch, error) {
	return s.add(s.Searcher.Advance(ctx, id))
}

func (s bonusSearcher) add(m *bsearch.DocumentMatch, err error) (*bsearch.DocumentMatch, error) {
	if m != nil {
		m.Score += s.score
	}
	return m, err
}
