// This file turns a page into the fields that the words store keeps of it. Each text is read once: the same pass fills
// its own field with stemmed words and the page's dictionary with whole ones.

package search

import (
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"cairn/storage/page"
)

// fieldsVersion is part of the schema hash: raise it when the same page would get other fields.
const fieldsVersion = 3

// The fields of a page. Those down to Body hold stemmed words and are what is ranked; the others hold whole terms.
const (
	fieldTitle = "Title" // stored; with positions
	fieldAlias = "Alias" // front matter aliases
	fieldHead  = "Head"  // all headings; with positions
	fieldPath  = "Path"  // the last two segments
	fieldTags  = "Tags"
	fieldBody  = "Body" // stored, as far as snippets look

	fieldWords = "Words"   // the page's distinct words, not stemmed: a dictionary for spellings; no frequencies
	fieldExact = "TitleKw" // the whole title, folded
	fieldName  = "NameKw"  // the file's name and the aliases, folded
	fieldSpace = "Space"   // no frequencies: a filter only
	fieldTag   = "Tag"     // folded; a filter only
	fieldBy    = "By"      // the authors of its changes, folded; a filter only
	fieldWhen  = "When"    // of the last change, Unix seconds; a filter only
)

const filterOnly = index.IndexField | index.SkipFreqNorm

// facts is what the log knows of a page and the page does not.
type facts struct {
	when time.Time // of the last change; zero when unknown
	by   []string  // distinct authors
}

// describe makes the words store's document of a page.
func describe(space string, d *page.Doc, f facts) *document.Document {
	doc := document.NewDocument(docID(space, d.Path))
	pass := &pass{words: make(map[string]struct{}, 256), stems: make(stemmer, 256)}
	text := func(name, value string, o index.FieldIndexingOptions) {
		if value != "" {
			doc.AddField(&textField{name: name, value: value, options: o | index.IndexField, pass: pass})
		}
	}
	heads := make([]string, len(d.Outline))
	for i, h := range d.Outline {
		heads[i] = h.Text
	}
	text(fieldTitle, d.Title, index.StoreField|index.IncludeTermVectors)
	text(fieldAlias, strings.Join(d.Aliases, "\n"), 0)
	text(fieldHead, strings.Join(heads, "\n"), index.IncludeTermVectors)
	text(fieldPath, pathText(d.Path), 0)
	text(fieldTags, strings.Join(d.Tags, "\n"), 0)
	text(fieldBody, d.Text, index.StoreField)
	doc.AddField(&wordsField{textField{name: fieldWords, options: filterOnly, pass: pass}})

	whole := func(name, value string, o index.FieldIndexingOptions) {
		if value = plain(value); value != "" && len(value) <= 1024 {
			doc.AddField(document.NewTextFieldCustom(name, nil, []byte(value), o, nil))
		}
	}
	whole(fieldExact, d.Title, index.IndexField)
	whole(fieldName, d.Path.Title(), index.IndexField)
	for _, a := range d.Aliases {
		whole(fieldName, a, index.IndexField)
	}
	for _, t := range d.Tags {
		whole(fieldTag, t, filterOnly|index.DocValues)
	}
	for _, n := range f.by {
		whole(fieldBy, n, filterOnly)
	}
	doc.AddField(document.NewTextFieldCustom(fieldSpace, nil, []byte(space), filterOnly|index.DocValues, nil))
	if !f.when.IsZero() {
		doc.AddField(document.NewNumericFieldWithIndexingOptions(fieldWhen, nil, float64(f.when.Unix()), filterOnly|index.DocValues))
	}
	return doc
}

// pathText is what of a path says what the page is about: its name and its folder's; the folder's alone for a page that
// stands for it.
func pathText(p page.Path) string {
	segments := strings.Split(p.Address(), "/")
	n := len(segments)
	switch strings.ToLower(segments[n-1]) {
	case "index", "readme", "home", "_index":
		if n > 1 {
			n--
		}
	}
	return strings.Join(segments[max(0, n-2):n], "\n")
}

// docID names a page among those of all spaces; a space has no "/" in its name.
func docID(space string, p page.Path) string { return space + "/" + string(p) }

func splitID(id string) (space string, p page.Path, err error) {
	space, rest, _ := strings.Cut(id, "/")
	p, err = page.ParsePath(rest)
	return space, p, err
}

// pass is what the fields of one page share while they are analysed, one after the other.
type pass struct {
	words map[string]struct{}
	stems stemmer
}

// textField is an index.Field of stemmed words.
type textField struct {
	name    string
	value   string
	options index.FieldIndexingOptions
	pass    *pass
	length  int
	freqs   index.TokenFrequencies
}

func (f *textField) Name() string                                     { return f.name }
func (f *textField) Value() []byte                                    { return []byte(scanned(f.value)) }
func (f *textField) Text() string                                     { return f.value }
func (f *textField) ArrayPositions() []uint64                         { return nil }
func (f *textField) EncodedFieldType() byte                           { return 't' }
func (f *textField) Options() index.FieldIndexingOptions              { return f.options }
func (f *textField) AnalyzedLength() int                              { return f.length }
func (f *textField) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.freqs }
func (f *textField) NumPlainTextBytes() uint64                        { return uint64(len(f.value)) }
func (f *textField) Size() int                                        { return len(f.value) + 64*len(f.freqs) }

func (f *textField) Analyze() {
	positions := f.options.IncludeTermVectors()
	f.freqs = make(index.TokenFrequencies, len(f.value)/16+1)
	analyze(f.value, true, func(t token) {
		f.length++
		if inDictionary(t) {
			f.pass.words[t.term] = struct{}{}
		}
		term := f.pass.stems.stem(t.term)
		freq := f.freqs[term]
		if freq == nil {
			freq = &index.TokenFreq{Term: []byte(term)}
			f.freqs[term] = freq
		}
		freq.SetFrequency(freq.Frequency() + 1)
		if positions {
			freq.Locations = append(freq.Locations, &index.TokenLocation{Start: t.start, End: t.end, Position: t.pos})
		}
	})
}

// wordsField is the dictionary of a page; it comes after the fields whose words it holds.
type wordsField struct{ textField }

func (f *wordsField) Analyze() {
	f.length = len(f.pass.words)
	f.freqs = make(index.TokenFrequencies, f.length)
	for w := range f.pass.words {
		f.freqs[w] = &index.TokenFreq{Term: []byte(w)}
	}
}

// inDictionary tells the words worth offering for what was mistyped or half typed.
func inDictionary(t token) bool {
	return !t.pair && len(t.term) >= 2 && len(t.term) <= 24 && !strings.ContainsAny(t.term, "0123456789")
}
