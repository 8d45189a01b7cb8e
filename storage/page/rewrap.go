package page

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file merges by words, where lines do not tell what has happened.
//
// Editors wrap paragraphs: one word more, and all lines below it differ. Two people who changed the first and the last
// line of a paragraph then collide in every line of it, though neither touched what the other did. So the line breaks of
// both sides are put back to where the base has them, and if that merges by lines, it is the answer: words decide only
// what lines would have decided, had nobody wrapped anew. The result is wrapped as by the one who did, or as the base is
// when both did.
//
// Two changes of one line, or of neighbouring ones, stay a conflict even if they are of different words. Git, Mercurial
// and MediaWiki hold it so, and jj has made merging by words a choice that is off: 'the office is closed' with 'now' put
// in by the one and 'not' by the other makes a sentence that nobody wrote, and nobody is asked. Words that fit together
// are offered instead, for the writer to read and to choose (Block.Joined).
//
// Where line breaks mean something, lines alone decide: in code, tables, lists, quotations, headings, front matter,
// formulas, HTML, and before a forced break. Whatever is not plainly a paragraph counts as one of those.

// wordRoom is how many bytes of conflicting lines are compared by words in one merge, wordSteps how many steps each word
// may cost.
const (
	wordRoom  = 128 << 10
	wordSteps = 64
)

// lineKind says how much line breaks mean in a line.
type lineKind byte

const (
	verbatim lineKind = iota // everything is as it has to be: code, tables, front matter
	oneLine                  // words may change, the line stays a line: lists, headings
	prose                    // a line of a paragraph, or an empty one
)

// kinds tells what the lines of a page are. It knows less of Markdown than the parser, costs nothing, and errs towards
// verbatim.
func kinds(text []byte, lines []string) []lineKind {
	body := bytes.TrimPrefix(text, []byte("\ufeff"))
	_, skip := splitMeta(body)
	skip += len(text) - len(body)
	out := make([]lineKind, len(lines))
	fence, until, html, at := "", "", false, 0
	for i, l := range lines {
		at += len(l)
		s := strings.TrimLeft(strings.TrimRight(l, "\r\n"), " \t>")
		switch {
		case at <= skip:
		case fence != "":
			if strings.HasPrefix(s, fence) && strings.Trim(s, fence[:1]+" ") == "" {
				fence = ""
			}
		case until != "":
			if strings.Contains(strings.ToLower(s), until) {
				until = ""
			}
		case strings.TrimSpace(l) == "":
			html = false
			out[i] = prose
		case fenced(s) != "":
			if fence = fenced(s); fence == "$$" && strings.Count(s, "$$") > 1 {
				fence = ""
			}
		case html:
		default:
			if until = rawHTML(s); until == "" {
				html = strings.HasPrefix(s, "<")
				out[i] = kindOf(l, html)
			}
		}
	}
	return out
}

// fenced is what closes the block that a line opens, "" if it opens none.
func fenced(s string) string {
	for _, c := range []string{"`", "~"} {
		if n := len(s) - len(strings.TrimLeft(s, c)); n >= 3 {
			return s[:n]
		}
	}
	if strings.HasPrefix(s, "$$") {
		return "$$"
	}
	return ""
}

// rawHTML is what closes the HTML that a line leaves open, in which line breaks count.
func rawHTML(s string) string {
	s = strings.ToLower(s)
	for _, tag := range []struct{ open, shut string }{
		{"<!--", "-->"}, {"<pre", "</pre"}, {"<script", "</script"}, {"<style", "</style"}, {"<textarea", "</textarea"},
	} {
		if i := strings.LastIndex(s, tag.open); i >= 0 && !strings.Contains(s[i:], tag.shut) {
			return tag.shut
		}
	}
	return ""
}

// kindOf tells what a line outside of all blocks is.
func kindOf(line string, html bool) lineKind {
	s := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if html || strings.ContainsAny(s, "|\t\r") || strings.HasPrefix(s, "    ") {
		return verbatim
	}
	if strings.HasSuffix(s, "  ") || strings.HasSuffix(s, `\`) || !beginsProse(s) {
		return oneLine
	}
	return prose
}

// beginsProse tells whether a line begins as only the line of a paragraph can.
func beginsProse(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsDigit(r):
		rest := strings.TrimLeftFunc(s, unicode.IsDigit)
		return rest == "" || rest[0] != '.' && rest[0] != ')' || len(rest) > 1 && rest[1] != ' '
	case unicode.IsLetter(r):
		return true
	case r == '*' || r == '_':
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, string(r)))
		return unicode.IsLetter(next) || unicode.IsDigit(next)
	case r == '[':
		return !strings.Contains(s, "]:")
	}
	return strings.ContainsRune("\"'(`“”‘’„«»‚", r)
}

// least is the kind of the strictest of the lines.
func least(all ...[]lineKind) lineKind {
	out := prose
	for _, kinds := range all {
		for _, k := range kinds {
			out = min(out, k)
		}
	}
	return out
}

// paragraph tells whether the lines are a paragraph and the whole of it.
func (s *side) paragraph(from, to int) bool {
	blank := func(i int) bool { return i < 0 || i >= len(s.lines) || strings.TrimSpace(s.lines[i]) == "" }
	return from < to && !blank(from) && !blank(to-1) && blank(from-1) && blank(to) && least(s.kinds(from, to)) == prose
}

// take tells whether there is room to compare the words of a region.
func (w *merging) take(r region) bool {
	size := 0
	for _, lines := range [][]string{w.base.lines[r.b0:r.b1], w.mine.lines[r.m0:r.m1], w.theirs.lines[r.t0:r.t1]} {
		if len(lines) == 0 {
			return false // there are no words to compare with
		}
		for _, l := range lines {
			size += len(l)
		}
	}
	if size > w.room {
		return false
	}
	w.room -= size
	return true
}

func (w *merging) kind(r region) lineKind {
	return least(w.base.kinds(r.b0, r.b1), w.mine.kinds(r.m0, r.m1), w.theirs.kinds(r.t0, r.t1))
}

// rewrapped merges a region whose lines collide only because somebody wrapped them anew.
func (w *merging) rewrapped(r region) (lines []string, ok bool) {
	if !w.take(r) || w.kind(r) != prose {
		return nil, false
	}
	b, m, t := cutProse(w.base.lines[r.b0:r.b1]), cutProse(w.mine.lines[r.m0:r.m1]), cutProse(w.theirs.lines[r.t0:r.t1])
	mine, theirs := m.wrappedLike(b), t.wrappedLike(b)
	mineWrapped, theirsWrapped := mine.String() != m.String(), theirs.String() != t.String()
	if !mineWrapped && !theirsWrapped {
		return nil, false
	}
	text := func(p paragraph) []string { return cutLines([]byte(p.String())) }
	lines, ok = cleanly(text(b), text(mine), text(theirs), wordSteps*(len(b)+len(m)+len(t)))
	if !ok {
		return nil, false
	}
	switch {
	case !theirsWrapped:
		lines = text(cutProse(lines).wrappedLike(m))
	case !mineWrapped:
		lines = text(cutProse(lines).wrappedLike(t))
	}
	for _, l := range lines {
		if strings.TrimSpace(l) != "" && kindOf(l, false) != prose {
			return nil, false // a word has come to the begin of a line where it means something else
		}
	}
	return lines, true
}

// joined is the text of a region with the changed words of both sides; "" when they do not fit together.
func (w *merging) joined(r region) string {
	kind := w.kind(r)
	if !w.take(r) || kind == verbatim {
		return ""
	}
	text := func(lines []string) string { return strings.Join(lines, "") }
	b, m, t := text(w.base.lines[r.b0:r.b1]), text(w.mine.lines[r.m0:r.m1]), text(w.theirs.lines[r.t0:r.t1])
	mine, theirs := m, t
	if kind == prose {
		like := cutProse(w.base.lines[r.b0:r.b1])
		mine = cutProse(w.mine.lines[r.m0:r.m1]).wrappedLike(like).String()
		theirs = cutProse(w.theirs.lines[r.t0:r.t1]).wrappedLike(like).String()
	}
	words, ok := cleanly(cutWords(b), cutWords(mine), cutWords(theirs), wordSteps*len(b+m+t))
	if out := text(words); ok && out != m && out != t && out != mine && out != theirs {
		return out
	}
	return ""
}

// paragraph is prose as words with the white space after each. An empty line counts as a word.
type paragraph []struct{ word, gap string }

func cutProse(lines []string) paragraph {
	const space = " \r\n"
	var p paragraph
	add := func(word, gap string) { p = append(p, struct{ word, gap string }{word, gap}) }
	for s := strings.Join(lines, ""); s != ""; {
		word := s
		if end := strings.IndexAny(s, space); end >= 0 {
			word = s[:end]
		}
		rest := strings.TrimLeft(s[len(word):], space)
		gap := s[len(word) : len(s)-len(rest)]
		switch {
		case word == "":
			add(gap, "")
		case strings.Count(gap, "\n") > 1:
			add(word, "")
			add(gap, "")
		default:
			add(word, gap)
		}
		s = rest
	}
	return p
}

func (p paragraph) String() string {
	var b strings.Builder
	for _, w := range p {
		b.WriteString(w.word)
		b.WriteString(w.gap)
	}
	return b.String()
}

func (p paragraph) words() []string {
	out := make([]string, len(p))
	for i, w := range p {
		out[i] = w.word
	}
	return out
}

// wrappedLike has the words of p, with line breaks between words that both have where the other has them.
func (p paragraph) wrappedLike(like paragraph) paragraph {
	out := append(paragraph{}, p...)
	n := number(p.words(), like.words())
	i, j := 0, 0
	same := func(until int) { // up to there in p, words are the same
		for ; i < until; i, j = i+1, j+1 {
			if i+1 < until && p[i].gap != "" && like[j].gap != "" {
				out[i].gap = like[j].gap
			}
		}
	}
	for _, c := range compare(n[0], n[1], wordSteps*(len(p)+len(like))) {
		same(c.a0)
		// What ends the region is nobody's choice.
		out[max(0, c.a0-1):min(c.a1, max(0, len(p)-1))].breakLike(like[max(0, c.b0-1):min(c.b1, max(0, len(like)-1))])
		i, j = c.a1, c.b1
	}
	same(len(p))
	return out
}

// breakLike takes the line breaks of a stretch that has other words: each in its place if there are as many, else the
// first one, at the end, when p has none of its own.
func (p paragraph) breakLike(like paragraph) {
	wrap, own := "", false
	for _, w := range like {
		if w.gap == "" {
			return // beside an empty line
		}
		if wrap == "" && strings.Contains(w.gap, "\n") {
			wrap = w.gap
		}
	}
	for _, w := range p {
		if w.gap == "" {
			return
		}
		own = own || strings.Contains(w.gap, "\n")
	}
	switch {
	case len(p) == 0 || len(like) == 0:
	case len(p) == len(like):
		for i := range p {
			p[i].gap = like[i].gap
		}
	case wrap != "" && !own:
		p[len(p)-1].gap = wrap
	case wrap == "" && own && len(p) == 1:
		p[0].gap = like[0].gap
	}
}
