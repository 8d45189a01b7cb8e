package page

import (
	"bytes"
	"unicode/utf8"
)

// IsText tells whether bytes are text as a page is: a form can give it back as it was, and it has lines to merge.
func IsText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// Adopt gives a text that comes back from a browser's form the bytes of the file that it was made from. A form knows one
// line ending (CRLF) and no byte order mark; so that a save changes only the lines that the writer changed, all others keep
// the ending that they had, those in place of a line get that line's, new ones the one most used in the file, and a byte
// order mark stays. For a new file (original is empty) lines end in LF.
func Adopt(original, text []byte) []byte {
	var out []byte
	if bom := []byte("\ufeff"); bytes.HasPrefix(original, bom) {
		original, text = original[len(bom):], bytes.TrimPrefix(text, bom)
		out = append(out, bom...)
	}
	old, typed := splitEnded(original), splitEnded(text)
	usual := usualEnding(old)
	put := func(l endedLine) {
		if n := len(out); n > 0 && out[n-1] == '\r' && len(l.text) == 0 && bytes.HasPrefix(l.ending, []byte("\n")) {
			out = append(out, '\n') // else both would be one line end
		}
		out = append(append(out, l.text...), l.ending...)
	}
	at := 0 // in old
	for _, c := range compareNear(keysOfLines(old), keysOfLines(typed)) {
		for ; at < c.a0; at++ {
			put(old[at])
		}
		for i, l := range typed[c.b0:c.b1] {
			switch {
			case len(l.ending) == 0:
			case c.a0+i < c.a1 && len(old[c.a0+i].ending) > 0: // in place of a line: as that one
				l.ending = old[c.a0+i].ending
			default:
				l.ending = usual
			}
			put(l)
		}
		at = c.a1
	}
	for ; at < len(old); at++ {
		put(old[at])
	}
	return out
}

// compareNear compares as compare does, but of several ways to pair equal lines it takes the one that leaves lines where
// they are: those that both texts begin and end with, and between them line by line where that pairs as many.
func compareNear(a, b []string) []change {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	a, b = a[head:len(a)-tail], b[head:len(b)-tail]
	numbers := number(a, b)
	changes := compare(numbers[0], numbers[1], diffWork)
	if len(a) == len(b) {
		paired := len(a)
		for _, c := range changes {
			paired -= c.a1 - c.a0
		}
		var still []change
		for i := range a {
			switch last := len(still) - 1; {
			case a[i] == b[i]:
				paired--
			case last >= 0 && still[last].a1 == i:
				still[last].a1, still[last].b1 = i+1, i+1
			default:
				still = append(still, change{i, i + 1, i, i + 1})
			}
		}
		if paired <= 0 {
			changes = still
		}
	}
	for i := range changes {
		c := &changes[i]
		*c = change{c.a0 + head, c.a1 + head, c.b0 + head, c.b1 + head}
	}
	return changes
}

// keysOfLines are lines as a form knows them: ended, or not.
func keysOfLines(lines []endedLine) []string {
	keys := make([]string, len(lines))
	for i, l := range lines {
		keys[i] = string(l.text)
		if len(l.ending) > 0 {
			keys[i] += "\n"
		}
	}
	return keys
}

// endedLine is a line of text and what ends it: LF, CRLF, CR, or nothing at the end of the file.
type endedLine struct{ text, ending []byte }

func splitEnded(b []byte) []endedLine {
	var lines []endedLine
	for len(b) > 0 {
		end := bytes.IndexAny(b, "\r\n")
		if end < 0 {
			return append(lines, endedLine{text: b})
		}
		n := 1
		if b[end] == '\r' && end+1 < len(b) && b[end+1] == '\n' {
			n = 2
		}
		lines = append(lines, endedLine{text: b[:end], ending: b[end : end+n]})
		b = b[end+n:]
	}
	return lines
}

func usualEnding(lines []endedLine) []byte {
	count := map[string]int{}
	for _, l := range lines {
		count[string(l.ending)]++
	}
	best := "\n"
	for _, ending := range []string{"\r\n", "\r"} {
		if count[ending] > count[best] {
			best = ending
		}
	}
	return []byte(best)
}
