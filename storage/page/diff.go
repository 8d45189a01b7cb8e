package page

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hunk is a run of lines in a diff with its context. Like all that Diff gives, it is the caller's own.
type Hunk struct {
	OldStart, NewStart int // 1-based line numbers
	Lines              []DiffLine
}

// DiffLine is one line of a diff; Spans mark the changed words when an old line pairs with a new one.
type DiffLine struct {
	Op       byte // ' ', '-', '+'
	Old, New int  // line numbers, 0 when not on that side
	With     int  // of an old line, the number of the new one that took its place, and the other way round; 0 for none
	Spans    []Span
	NoEOL    bool
}

// text is the whole line.
func (l DiffLine) text() []byte {
	var b []byte
	for _, s := range l.Spans {
		b = append(b, s.Text...)
	}
	return b
}

// Span is a piece of a line, without the "\n" at its end.
type Span struct {
	Text    string
	Changed bool
}

const (
	diffContext = 3
	wordLine    = 4000    // bytes of a line whose words are compared
	wordWork    = 1 << 20 // steps for all words of a diff
	pairRun     = 40      // lines of a run for which the best pairs are sought
)

// Diff compares two texts by lines, with three lines of context, changed words marked; no hunk if they are equal. The
// work is bounded, half a second for two texts of a megabyte: beyond it a change is shown larger than it need be.
func Diff(a, b []byte) []Hunk {
	oldLines, newLines := cutLines(a), cutLines(b)
	n := number(oldLines, newLines)
	changes := compare(n[0], n[1], diffWork)
	d := &diffing{old: oldLines, new: newLines, words: wordWork}
	for len(changes) > 0 {
		last := 1
		for last < len(changes) && changes[last].a0-changes[last-1].a1 <= 2*diffContext {
			last++
		}
		d.hunk(changes[:last])
		changes = changes[last:]
	}
	return d.hunks
}

// Count is how many lines Diff would show as removed and as added, at a fraction of its price.
func Count(a, b []byte) (removed, added int) {
	n := number(cutLines(a), cutLines(b))
	for _, c := range compare(n[0], n[1], diffWork/8) {
		removed, added = removed+c.a1-c.a0, added+c.b1-c.b0
	}
	return removed, added
}

// Back puts the old lines of the hunk back into b, the newer of the two texts that it comes from, and leaves all else in
// b as it is.
func (h Hunk) Back(b []byte) []byte {
	lines := cutLines(b)
	at := min(h.NewStart-1, len(lines))
	out := []byte(strings.Join(lines[:at], ""))
	for _, l := range h.Lines {
		if l.Op != '+' {
			out = append(out, l.text()...)
			if !l.NoEOL {
				out = append(out, '\n')
			}
		}
		if l.Op != '-' {
			at++
		}
	}
	return append(out, strings.Join(lines[min(at, len(lines)):], "")...)
}

// Above tells for each line of a page, counted from 1, which heading stands above it, without its marks; "" for none. What
// stands between fences is none.
func Above(text []byte) func(line int) string {
	var at []int
	var names []string
	fence := ""
	for i, l := range cutLines(text) {
		switch l = strings.TrimSpace(l); {
		case fence != "":
			if strings.HasPrefix(l, fence) {
				fence = ""
			}
		case strings.HasPrefix(l, "```") || strings.HasPrefix(l, "~~~"):
			fence = l[:3]
		default:
			if m := atxHeading.FindStringSubmatch(l); m != nil {
				at, names = append(at, i+1), append(names, m[1])
			}
		}
	}
	return func(line int) string {
		n, _ := slices.BinarySearch(at, line)
		if n == 0 {
			return ""
		}
		return names[n-1]
	}
}

// MetaLines is how many lines of a page are its front matter, with those around it.
func MetaLines(src []byte) int {
	text, _ := normalise(src)
	_, skip := splitMeta(text)
	return bytes.Count(text[:skip], []byte("\n"))
}

var atxHeading = regexp.MustCompile(`^#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?$`)

// Marked is a text line by line, with the words marked that another text does not have, or the whole line where nothing
// in the other is like it. The work is bounded as that of Diff.
func Marked(text, other string) [][]Span {
	oldLines, newLines := cutLines([]byte(other)), cutLines([]byte(text))
	n := number(oldLines, newLines)
	d := &diffing{words: wordWork}
	out := make([][]Span, 0, len(newLines))
	line := func(s string, changed bool) DiffLine {
		return DiffLine{Spans: []Span{{strings.TrimRight(s, "\r\n"), changed}}}
	}
	same := func(until int) {
		for len(out) < until {
			out = append(out, line(newLines[len(out)], false).Spans)
		}
	}
	for _, c := range compare(n[0], n[1], diffWork) {
		same(c.b0)
		removed, added := make([]DiffLine, c.a1-c.a0), make([]DiffLine, c.b1-c.b0)
		for i := range removed {
			removed[i] = line(oldLines[c.a0+i], false)
		}
		for i := range added {
			added[i] = line(newLines[c.b0+i], true) // until it finds its pair
		}
		d.markWords(removed, added)
		for _, l := range added {
			out = append(out, together(l.Spans))
		}
	}
	same(len(newLines))
	return out
}

// together makes one span of changed ones that have nothing but white space between them.
func together(spans []Span) []Span {
	var out []Span
	for i, s := range spans {
		if i > 0 && i+1 < len(spans) && meaning(s.Text) == 0 {
			s.Changed = true // spans alternate
		}
		if n := len(out); n > 0 && out[n-1].Changed == s.Changed {
			out[n-1].Text += s.Text
		} else {
			out = append(out, s)
		}
	}
	return out
}

type diffing struct {
	old, new []string
	words    int
	hunks    []Hunk
}

func (d *diffing) hunk(changes []change) {
	first, last := changes[0], changes[len(changes)-1]
	start := max(0, first.a0-diffContext)
	h := Hunk{OldStart: start + 1, NewStart: first.b0 - (first.a0 - start) + 1}
	i, j := start, h.NewStart-1
	size := min(len(d.old), last.a1+diffContext) - start
	for _, c := range changes {
		size += c.b1 - c.b0
	}
	h.Lines = make([]DiffLine, 0, size)
	whole := make([]Span, size) // of lines that have one span, all at once
	line := func(op byte, old, new int, s string) DiffLine {
		l := DiffLine{Op: op, Old: old, New: new, NoEOL: !strings.HasSuffix(s, "\n")}
		l.Spans, whole = whole[:1:1], whole[1:]
		l.Spans[0].Text = strings.TrimSuffix(s, "\n")
		return l
	}
	same := func(until int) {
		for ; i < until; i, j = i+1, j+1 {
			h.Lines = append(h.Lines, line(' ', i+1, j+1, d.old[i]))
		}
	}
	for _, c := range changes {
		same(c.a0)
		at := len(h.Lines)
		for ; i < c.a1; i++ {
			h.Lines = append(h.Lines, line('-', i+1, 0, d.old[i]))
		}
		for ; j < c.b1; j++ {
			h.Lines = append(h.Lines, line('+', 0, j+1, d.new[j]))
		}
		run := h.Lines[at:]
		d.markWords(run[:c.a1-c.a0], run[c.a1-c.a0:])
	}
	same(min(len(d.old), last.a1+diffContext))
	d.hunks = append(d.hunks, h)
}

// markWords pairs the lines that were removed with those that were added and marks what changed in each pair.
func (d *diffing) markWords(removed, added []DiffLine) {
	if len(removed) == 0 || len(added) == 0 {
		return
	}
	if len(removed) == len(added) || len(removed) > pairRun || len(added) > pairRun {
		for i := range min(len(removed), len(added)) {
			d.markPair(&removed[i], &added[i])
		}
		return
	}
	// Pairs do not cross; of all such pairings take the one whose lines are most alike.
	best := make([][]float64, len(removed)+1)
	alike := make([][]float64, len(removed))
	for i := range best {
		best[i] = make([]float64, len(added)+1)
	}
	for i := len(removed) - 1; i >= 0; i-- {
		alike[i] = make([]float64, len(added))
		for j := len(added) - 1; j >= 0; j-- {
			alike[i][j] = likeness(removed[i].Spans[0].Text, added[j].Spans[0].Text)
			best[i][j] = max(best[i+1][j], best[i][j+1], best[i+1][j+1]+alike[i][j])
		}
	}
	for i, j := 0, 0; i < len(removed) && j < len(added); {
		switch best[i][j] {
		case best[i+1][j]:
			i++
		case best[i][j+1]:
			j++
		default:
			d.markPair(&removed[i], &added[j])
			i++
			j++
		}
	}
}

// likeness is a quick guess: what two lines share at their ends.
func likeness(a, b string) float64 {
	if len(a)+len(b) == 0 {
		return 0
	}
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return 2 * float64(head+tail) / float64(len(a)+len(b))
}

// markPair marks changed words; lines that have little in common stay as they are.
func (d *diffing) markPair(a, b *DiffLine) {
	s, t := a.Spans[0].Text, b.Spans[0].Text
	a.With, b.With = b.New, a.Old
	if d.words <= 0 || len(s) > wordLine || len(t) > wordLine {
		return
	}
	x, y := cutWords(s), cutWords(t)
	n := number(x, y)
	cost := (len(x) + len(y)) * 16
	d.words -= cost
	changes := compare(n[0], n[1], cost*4)
	kept := meaning(s)
	for _, c := range changes {
		kept -= meaning(strings.Join(x[c.a0:c.a1], ""))
	}
	if 3*kept < max(meaning(s), meaning(t)) {
		return
	}
	a.Spans, b.Spans = nil, nil
	i, j := 0, 0
	for _, c := range changes {
		a.span(x[i:c.a0], false)
		b.span(y[j:c.b0], false)
		a.span(x[c.a0:c.a1], true)
		b.span(y[c.b0:c.b1], true)
		i, j = c.a1, c.b1
	}
	a.span(x[i:], false)
	b.span(y[j:], false)
}

func (l *DiffLine) span(words []string, changed bool) {
	if len(words) > 0 {
		l.Spans = append(l.Spans, Span{strings.Join(words, ""), changed})
	}
}

// meaning is the length of a text without its spaces.
func meaning(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// cutWords cuts a line into words, runs of spaces, and single other characters.
func cutWords(s string) []string {
	var words []string
	class := func(r rune) int {
		switch {
		case unicode.IsSpace(r):
			return 1
		case r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.N):
			return 2
		}
		return 0
	}
	for s != "" {
		r, end := utf8.DecodeRuneInString(s)
		kind := class(r)
		for kind != 0 && end < len(s) {
			r, n := utf8.DecodeRuneInString(s[end:])
			if class(r) != kind {
				break
			}
			end += n
		}
		words = append(words, s[:end])
		s = s[end:]
	}
	return words
}
