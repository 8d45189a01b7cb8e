// This file cuts out of a page's text the window that shows best what was looked for. It gives plain text in pieces; who
// shows them escapes them.

package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	snippetSize = 220      // bytes, about
	snippetLead = 50       // bytes before the first mark, at most
	snippetScan = 64 << 10 // bytes of a page that are looked through
	snippetStep = 8 << 10  // bytes after which it is asked whether that is enough
	snippetMore = 16 << 10 // bytes that are looked through after the first mark
)

// Piece is a run of plain text, never HTML; Mark says that it is what was looked for.
type Piece struct {
	Text string
	Mark bool
}

// marker tells which words to mark.
type marker struct {
	stems  map[string]bool
	prefix string // of the word that is still being typed; "" if none
	words  int    // the typed words: a window with as many is good enough; 0 looks for the best of the whole text
	known  stemmer
}

func (m marker) marks(t token) (term string, ok bool) {
	term = m.known.stem(t.term)
	if m.stems[term] {
		return term, true
	}
	if m.prefix != "" && strings.HasPrefix(t.term, m.prefix) {
		return m.prefix, true
	}
	return "", false
}

type mark struct {
	start, end int
	term       string
}

// snippet is the densest window of text, as far as it has to be read to find all words in one, or its beginning when
// nothing in it is looked for.
func snippet(text string, m marker) []Piece {
	text = scanned(text)
	var marks []mark
	first, last := 0, 0
	for read := 0; read < len(text); {
		step := wordEnd(text, min(read+snippetStep, len(text)), read)
		if step <= read {
			step = len(text)
		}
		marks = append(marks, findMarks(text, read, step, m)...)
		read = step
		var terms int
		if first, last, terms = densest(marks); m.words > 0 && terms >= m.words || first < last && read-marks[0].start >= snippetMore {
			break
		}
	}
	from, to := 0, 0
	if first < last {
		from = wordStart(text, max(0, marks[first].start-snippetLead), marks[first].start)
		to = wordEnd(text, max(from+snippetSize, marks[last-1].end), marks[last-1].end)
	} else {
		to = wordEnd(text, snippetSize, 0)
	}
	var pieces []Piece
	add := func(s string, mark bool) {
		if s != "" {
			pieces = append(pieces, Piece{s, mark})
		}
	}
	at := from
	lead := ""
	if strings.TrimSpace(text[:from]) != "" {
		lead = "… "
	}
	for _, k := range marks[first:] {
		if k.end > to {
			break
		}
		if k.start < at {
			continue
		}
		add(lead+oneLine(text[at:k.start]), false)
		lead = ""
		add(oneLine(text[k.start:k.end]), true)
		at = k.end
	}
	rest := oneLine(text[at:to])
	if strings.TrimSpace(text[to:]) != "" {
		rest = strings.TrimRight(rest, " ") + " …"
	}
	add(lead+rest, false)
	return pieces
}

// scanned is as much of a text as snippets look through.
func scanned(text string) string { return text[:runeStart(text, min(len(text), snippetScan))] }

// findMarks lists the words to mark in text[from:to] from first to last; those that overlap are one.
func findMarks(text string, from, to int, m marker) []mark {
	var marks []mark
	analyze(text[from:to], true, func(t token) {
		if term, ok := m.marks(t); ok {
			marks = append(marks, mark{from + t.start, from + t.end, term})
		}
	})
	slices.SortStableFunc(marks, func(a, b mark) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	merged := marks[:0]
	for _, k := range marks {
		if n := len(merged); n > 0 && k.start < merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, k.end)
			continue
		}
		merged = append(merged, k)
	}
	return merged
}

// densest is the range of marks that fits into a snippet and has the most different terms, which it
// counts, then the most marks.
func densest(marks []mark) (first, last, terms int) {
	best := 0
	count := map[string]int{}
	j := 0
	for i := range marks {
		for j < len(marks) && (j <= i || marks[j].end-marks[i].start <= snippetSize-snippetLead) {
			count[marks[j].term]++
			j++
		}
		if score := 100*len(count) + min(j-i, 99); score > best {
			best, first, last, terms = score, i, j, len(count)
		}
		if count[marks[i].term]--; count[marks[i].term] == 0 {
			delete(count, marks[i].term)
		}
	}
	return first, last, terms
}

// wordStart moves at to the start of a word, but not beyond limit.
func wordStart(text string, at, limit int) int {
	if at == 0 {
		return 0
	}
	if i := strings.IndexFunc(text[runeStart(text, at):limit], unicode.IsSpace); i >= 0 {
		at = runeStart(text, at) + i
		_, w := utf8.DecodeRuneInString(text[at:])
		return min(at+w, limit)
	}
	return runeStart(text, at)
}

// wordEnd moves at back to the end of a word, but not before limit.
func wordEnd(text string, at, limit int) int {
	if at >= len(text) {
		return len(text)
	}
	at = runeStart(text, at)
	if i := strings.LastIndexFunc(text[limit:at], unicode.IsSpace); i > 0 && at-limit-i < 40 {
		return limit + i
	}
	return at
}

// runeStart moves at back to where a character starts.
func runeStart(text string, at int) int {
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// oneLine makes each run of white space one space.
func oneLine(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}
