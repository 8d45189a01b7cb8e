// This file reads the words that there are: what a word that no page has may have been meant to be, and what one that is
// still being typed may become. All of it is bounded, as guests choose the words.
//
// Segments are read one after the other and by the asker: Bleve's own dictionaries read each in a goroutine of its own,
// where a panic over a damaged file, or one that could not be written, ends the process.

package search

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
)

const (
	maxRead        = 5000 // entries of the dictionary that are looked at for one word
	maxCompletions = 16
	maxSpellings   = 4
	maxPairs       = 32

	weightCompletion = 0.42
	weightSpelling   = 0.6
)

// dictionary is a reader of the index for one query.
type dictionary struct {
	ctx    context.Context
	reader *scorch.IndexSnapshot
	stems  stemmer
}

func openDictionary(ctx context.Context, idx bleve.Index, stems stemmer) (*dictionary, error) {
	i, err := idx.Advanced()
	if err != nil {
		return nil, err
	}
	r, err := i.Reader()
	if err != nil {
		return nil, err
	}
	snapshot, ok := r.(*scorch.IndexSnapshot)
	if !ok {
		return nil, fmt.Errorf("a reader of the words is %T", r)
	}
	return &dictionary{ctx, snapshot, stems}, nil
}

func (d *dictionary) close() { _ = d.reader.Close() } // it has only been read

// variants are the terms that may stand for w; w itself is the first.
func (d *dictionary) variants(w word) ([]variant, error) {
	vs := []variant{{d.stems.stem(w.text), 1}}
	n := utf8.RuneCountInString(w.text)
	add := func(terms []string, weight float64) {
		for _, t := range terms {
			v := variant{d.stems.stem(t), weight}
			if !slices.ContainsFunc(vs, func(o variant) bool { return o.stem == v.stem }) {
				vs = append(vs, v)
			}
		}
	}
	if w.pair {
		if n > 1 {
			return vs, nil
		}
		// A character alone stands in the index only where it stood alone; else in pairs.
		terms, err := d.prefix(fieldBody, w.text, maxPairs)
		add(terms, 1)
		return vs, err
	}
	if w.last && n >= 2 {
		terms, err := d.prefix(fieldWords, w.text, maxCompletions)
		if err != nil {
			return nil, err
		}
		add(terms, weightCompletion)
	}
	if len(vs) > 1 || n < 3 {
		return vs, nil
	}
	known, err := d.knows(vs[0].stem)
	if err != nil || known {
		return vs, err
	}
	terms, err := d.spellings(w.text, n)
	add(terms, weightSpelling)
	return vs, err
}

// knows tells whether any page has the term.
func (d *dictionary) knows(stem string) (bool, error) {
	for _, f := range ranked() {
		if n, err := d.count(f.name, stem); n > 0 || err != nil {
			return n > 0, err
		}
	}
	return false, nil
}

// count is the number of pages that have the term in a field.
func (d *dictionary) count(field, term string) (uint64, error) {
	r, err := d.reader.TermFieldReader(d.ctx, []byte(term), field, false, false, false)
	if err != nil {
		return 0, err
	}
	return r.Count(), r.Close()
}

// prefix lists the terms that begin so, those of most pages first.
func (d *dictionary) prefix(field, begin string, limit int) ([]string, error) {
	entries, err := d.read(field, nil, begin)
	return commonest(entries, limit), err
}

// spellings lists the words at the least distance of one or two edits, those of most pages first. Two letters that
// changed places are two edits, but as likely as one.
func (d *dictionary) spellings(w string, n int) ([]string, error) {
	entries, err := d.near(w, 1, "")
	if err != nil {
		return nil, err
	}
	if n == len(w) {
		for i := 0; i+1 < len(w); i++ {
			swapped := w[:i] + string(w[i+1]) + string(w[i]) + w[i+2:]
			n, err := d.count(fieldWords, swapped)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				entries = append(entries, index.DictEntry{Term: swapped, Count: n})
			}
		}
	}
	if len(entries) == 0 && n >= 8 {
		_, first := utf8.DecodeRuneInString(w)
		if entries, err = d.near(w, 2, w[:first]); err != nil {
			return nil, err
		}
	}
	return commonest(entries, maxSpellings), nil
}

// automaton accepts terms.
type automaton interface {
	Start() int
	IsMatch(int) bool
	CanMatch(int) bool
	WillAlwaysMatch(int) bool
	Accept(int, byte) int
}

// near lists the words at a distance of so many edits at most.
func (d *dictionary) near(w string, edits int, begin string) ([]index.DictEntry, error) {
	// A snapshot without segments reads none: it only makes the automaton.
	_, fuzzy, err := new(scorch.IndexSnapshot).FieldDictFuzzyAutomaton(fieldWords, w, edits, begin)
	if err != nil {
		return nil, err
	}
	accept, ok := fuzzy.(automaton)
	if !ok {
		return nil, fmt.Errorf("an automaton is %T", fuzzy)
	}
	return d.read(fieldWords, accept, begin)
}

// read lists the terms that begin so and are accepted, by all if that is nil, in byte order: a bounded number of them.
func (d *dictionary) read(field string, accept automaton, begin string) ([]index.DictEntry, error) {
	var from, to []byte
	if begin != "" {
		from = []byte(begin)
		to = append([]byte(begin), 0xff) // no term has that byte
	}
	counts := map[string]uint64{}
	for _, s := range d.reader.Segments() {
		terms, err := s.Segment().Dictionary(field)
		if err != nil {
			return nil, err
		}
		it := terms.AutomatonIterator(accept, from, to)
		for range maxRead {
			e, err := it.Next()
			if err != nil {
				return nil, err
			}
			if e == nil {
				break
			}
			counts[e.Term] += e.Count
		}
	}
	terms := slices.Sorted(maps.Keys(counts))
	entries := make([]index.DictEntry, 0, min(len(terms), maxRead))
	for _, t := range terms[:min(len(terms), maxRead)] {
		entries = append(entries, index.DictEntry{Term: t, Count: counts[t]})
	}
	return entries, d.ctx.Err()
}

func commonest(entries []index.DictEntry, limit int) []string {
	slices.SortStableFunc(entries, func(a, b index.DictEntry) int { return cmp.Compare(b.Count, a.Count) })
	var terms []string
	for _, e := range entries[:min(limit, len(entries))] {
		terms = append(terms, e.Term)
	}
	return terms
}
