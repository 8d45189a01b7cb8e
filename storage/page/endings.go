package page

import "bytes"

// Adopt gives a text that comes back from a browser's form the bytes of the file that it was made from. A form knows one
// line ending (CRLF) and no byte order mark; so that a save changes only the lines that the writer changed, the lines
// before and after the changed ones keep the ending that they had, changed ones get the one most used in the file, and
// a byte order mark stays. For a new file (original is empty) lines end in LF.
func Adopt(original, text []byte) []byte {
	var out []byte
	if bom := []byte("\ufeff"); bytes.HasPrefix(original, bom) {
		original, text = original[len(bom):], bytes.TrimPrefix(text, bom)
		out = append(out, bom...)
	}
	old, typed := splitEnded(original), splitEnded(text)
	head := 0
	for head < len(old) && head < len(typed) && old[head].same(typed[head]) {
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(typed)-head && old[len(old)-1-tail].same(typed[len(typed)-1-tail]) {
		tail++
	}
	usual := usualEnding(old)
	for i, l := range typed {
		switch {
		case i < head:
			l = old[i]
		case i >= len(typed)-tail:
			l = old[len(old)-len(typed)+i]
		case len(l.ending) > 0:
			l.ending = usual
		}
		out = append(append(out, l.text...), l.ending...)
	}
	return out
}

// endedLine is a line of text and what ends it: LF, CRLF, CR, or nothing at the end of the file.
type endedLine struct{ text, ending []byte }

func (l endedLine) same(m endedLine) bool {
	return bytes.Equal(l.text, m.text) && (len(l.ending) > 0) == (len(m.ending) > 0)
}

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
