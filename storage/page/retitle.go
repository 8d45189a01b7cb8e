package page

import (
	"bytes"
	"strings"
)

// Retitle gives a page another first heading, when that heading is its title and is written on a line of its own as "# Title"
// or underlined; no other byte changes. It is false when there is no such heading, or when the title could not be written so
// that it reads as it is.
func Retitle(at Path, src []byte, title string) ([]byte, bool) {
	doc := Parse(at, src)
	if !doc.TitleH1 || title == "" || strings.ContainsAny(title, "\r\n") {
		return nil, false
	}
	for start := 0; start < len(src); {
		end := len(src)
		if i := bytes.IndexByte(src[start:], '\n'); i >= 0 {
			end = start + i
		}
		line := strings.TrimRight(string(src[start:end]), "\r \t")
		if words, at := headed(line); words == doc.Title {
			made := append(append(append([]byte(nil), src[:start+at]...), title...), src[start+at+len(words):]...)
			if now := Parse(doc.Path, made); now.TitleH1 && now.Title == title {
				return made, true
			}
		}
		start = end + 1
	}
	return nil, false
}

// headed is what a line says as a heading, and where in the line.
func headed(line string) (words string, at int) {
	rest := strings.TrimLeft(line, " #\t\ufeff")
	at = len(line) - len(rest)
	if plain := strings.TrimRight(rest, "#"); plain != rest && strings.HasSuffix(plain, " ") {
		rest = strings.TrimRight(plain, " ")
	}
	return rest, at
}
