// This file makes words of text, for pages and for what is typed alike. The rules are:
//
//   - A word is a run of letters and digits of any script, lower case, without accents: "Crème" is "creme".
//   - Parts joined by one of _ - . / : count by themselves and as one: "foo.Bar" is foo, bar, foobar. So do parts told
//     apart by case: "Get-ChildItem" is get, child, item, childitem, getchilditem.
//   - "c++", "c#" and their like are words; a possessive 's is dropped.
//   - Scripts without spaces (Chinese, Japanese, Thai, …) are cut into overlapping pairs.
//   - English endings are cut off plain ASCII words ("installing" is "instal"); that is a step of its own, stemmer, as the
//     dictionary of spellings wants the words whole.
//
// Offsets are always those of the bytes as they stand in the text.

package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"golang.org/x/text/unicode/norm"
)

// analyzerVersion is part of the schema hash: raise it when the same text would make other words.
const analyzerVersion = 1

const (
	maxTerm     = 80 // bytes; longer words are not worth finding
	maxCompound = 40 // bytes of a compound
	maxJoined   = 64 // bytes after which joiners no longer join: a long path is words, not one word
	joiners     = "_-./:'’"
)

// token is a word in a text. Compounds share the position of their first part.
type token struct {
	term       string // folded, not stemmed
	start, end int
	pos        int
	pair       bool // of a script without spaces
}

// analyze calls emit for each word of text, with compounds if wanted.
func analyze(text string, compounds bool, emit func(token)) {
	a := analysis{text: text, compounds: compounds, emit: emit}
	for i := 0; i < len(text); {
		r, w := utf8.DecodeRuneInString(text[i:])
		switch {
		case !isWord(r):
			i += w
		case isPaired(r):
			i = a.pairs(i)
		default:
			i = a.joined(i)
		}
	}
}

type analysis struct {
	text      string
	compounds bool
	emit      func(token)
	pos       int
	parts     []part
}

// part is text[start:end], the seg-th of the parts that joiners hold together; parts told apart by case share a seg.
type part struct{ start, end, seg int }

func (a *analysis) add(term string, start, end, pos int, pair bool) {
	if term != "" && len(term) <= maxTerm {
		a.emit(token{term, start, end, pos, pair})
	}
}

// pairs emits the run of a script without spaces that begins at i, and returns its end.
func (a *analysis) pairs(i int) int {
	before, last := -1, i // starts of the last two characters
	j := i
	flush := func(end int) {
		if before >= 0 {
			a.pos++
			a.add(fold(a.text[before:end]), before, end, a.pos, true)
		}
	}
	for j < len(a.text) {
		r, w := utf8.DecodeRuneInString(a.text[j:])
		if j > i && unicode.Is(unicode.M, r) {
			j += w // a mark belongs to the character before it
			continue
		}
		if !isPaired(r) {
			break
		}
		if j > i {
			flush(j)
			before, last = last, j
		}
		j += w
	}
	if before < 0 {
		before = last
	}
	flush(j)
	return j
}

// joined emits the word that begins at i with all that is joined to it, and returns its end.
func (a *analysis) joined(start int) int {
	a.parts = a.parts[:0]
	i := start
	for seg := 0; ; seg++ {
		first := len(a.parts)
		from := i
		i = a.byCase(i, seg)
		if end := signs(a.text, from, i); end > i { // c++
			a.parts = append(a.parts[:first], part{from, end, seg})
			i = end
			break
		}
		next, possessive := joins(a.text, i)
		if possessive {
			i = next
			break
		}
		if next == i || i-start >= maxJoined {
			break
		}
		i = next
	}
	p0 := a.pos + 1
	for _, p := range a.parts {
		a.pos++
		a.add(fold(a.text[p.start:p.end]), p.start, p.end, a.pos, false)
	}
	if a.compounds && len(a.parts) > 1 {
		a.wholes(p0)
	}
	return i
}

// wholes emits the compounds of a.parts: each seg that has several parts, and all of them.
func (a *analysis) wholes(pos int) {
	n := len(a.parts)
	whole := func(i, j int) {
		var b strings.Builder
		for _, p := range a.parts[i:j] {
			b.WriteString(fold(a.text[p.start:p.end]))
		}
		if b.Len() <= maxCompound {
			a.add(b.String(), a.parts[i].start, a.parts[j-1].end, pos+i, false)
		}
	}
	for i := 0; i < n; {
		j := i + 1
		for j < n && a.parts[j].seg == a.parts[i].seg {
			j++
		}
		if j-i > 1 && j-i < n {
			whole(i, j)
		}
		i = j
	}
	whole(0, n)
}

// byCase appends the parts of the run of letters and digits at i ("HTTPServer" is HTTP, Server), and returns its end.
func (a *analysis) byCase(i, seg int) int {
	from := i
	prevUp, prevDigit := false, false
	for i < len(a.text) {
		r, w := utf8.DecodeRuneInString(a.text[i:])
		if !isWord(r) || isPaired(r) {
			break
		}
		up, digit := unicode.IsUpper(r), r >= '0' && r <= '9'
		if i > from && up && (!prevUp && !prevDigit || prevUp && a.lowerAt(i+w)) {
			a.parts = append(a.parts, part{from, i, seg})
			from = i
		}
		prevUp, prevDigit = up, digit
		i += w
	}
	if i > from {
		a.parts = append(a.parts, part{from, i, seg})
	}
	return i
}

// lowerAt tells whether a lower-case letter that begins a word's tail stands at i: yes for "HTTPServer", no for "URLs".
func (a *analysis) lowerAt(i int) bool {
	if i >= len(a.text) {
		return false
	}
	r, w := utf8.DecodeRuneInString(a.text[i:])
	if !unicode.IsLower(r) {
		return false
	}
	if r != 's' || i+w >= len(a.text) {
		return r != 's'
	}
	after, _ := utf8.DecodeRuneInString(a.text[i+w:])
	return isWord(after)
}

// signs is the end of the + or # that belong to the short word text[from:i], or i.
func signs(text string, from, i int) int {
	if i-from > 2 {
		return i
	}
	j := i
	for j < len(text) && j < i+2 && (text[j] == '+' || text[j] == '#') {
		j++
	}
	if j == i {
		return i
	}
	if r, _ := utf8.DecodeRuneInString(text[j:]); j < len(text) && isWord(r) {
		return i
	}
	return j
}

// joins tells where the word that is joined to the one that ends at i begins, or i; or where a possessive ends.
func joins(text string, i int) (next int, possessive bool) {
	if i >= len(text) {
		return i, false
	}
	j, jw := utf8.DecodeRuneInString(text[i:])
	if !strings.ContainsRune(joiners, j) || i+jw >= len(text) {
		return i, false
	}
	if r, _ := utf8.DecodeRuneInString(text[i+jw:]); !isWord(r) || isPaired(r) {
		return i, false
	}
	if j != '\'' && j != '’' {
		return i + jw, false
	}
	end := i + jw
	for end < len(text) {
		r, w := utf8.DecodeRuneInString(text[end:])
		if !isWord(r) {
			break
		}
		end += w
	}
	if end-(i+jw) <= 2 {
		return end, true
	}
	return i + jw, false
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r))
}

// isPaired tells the letters of scripts that put no spaces between words.
func isPaired(r rune) bool {
	return r >= 0x0E00 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// fold makes words that people hold to be the same the same: lower case, one width, no accents.
func fold(s string) string {
	ascii, lower := true, true
	for i := 0; i < len(s); i++ {
		ascii = ascii && s[i] < utf8.RuneSelf
		lower = lower && (s[i] < 'A' || s[i] > 'Z')
	}
	if ascii {
		if lower {
			return s
		}
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r == 0x3099 || r == 0x309A: // the voice marks of kana make another letter
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r) && !unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		case r == 'ß' || r == 'ẞ':
			b.WriteString("ss")
		case r == 'ø' || r == 'Ø':
			b.WriteByte('o')
		case r == 'ł' || r == 'Ł':
			b.WriteByte('l')
		case r == 'æ' || r == 'Æ':
			b.WriteString("ae")
		case r == 'ı':
			b.WriteByte('i')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return norm.NFC.String(b.String())
}

// plain is a whole text as one term: its words folded, one space between them.
func plain(text string) string {
	return strings.Join(strings.Fields(fold(text)), " ")
}

// stemmer cuts English endings and remembers what it has cut. It is for one goroutine.
type stemmer map[string]string

func (s stemmer) stem(w string) string {
	if len(w) < 3 {
		return w
	}
	if t, ok := s[w]; ok {
		return t
	}
	for i := 0; i < len(w); i++ {
		if w[i] >= utf8.RuneSelf {
			return w
		}
	}
	env := snowballstem.NewEnv(w)
	english.Stem(env)
	t := env.Current()
	s[w] = t
	return t
}

// isStop tells the English words that say little by themselves.
func isStop(w string) bool {
	switch w {
	case "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
		"on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with":
		return true
	}
	return false
}
