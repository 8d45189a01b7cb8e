package page

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file finds out how a page begins, from what is shown of it: only that knows which of the words in a link are to be
// read.

// maxLead is how many letters a lead has at most.
const maxLead = 300

// Lead is how a page begins, in plain text on one line: its first paragraph, or what else it says first, cut between two
// words after about 300 letters. shown is what Doc.HTML has returned.
func Lead(shown string) string {
	if first := readLead(shown, true); first != "" {
		return first
	}
	return readLead(shown, false)
}

// readLead reads the first paragraph that says something and is in nothing else, or all that there is.
func readLead(shown string, paragraph bool) string {
	in := html.NewTokenizer(strings.NewReader(shown))
	var text strings.Builder
	deep, skip := 0, 0 // how many elements are open, and at which of them what is in it began to be left out
	for text.Len() < 16*maxLead {
		switch in.Next() {
		case html.ErrorToken:
			return beginning(text.String())
		case html.TextToken:
			if skip == 0 && (!paragraph || deep > 0) {
				text.Write(in.Text())
			}
		case html.StartTagToken:
			name, more := in.TagName()
			tag := atom.Lookup(name)
			switch tag {
			case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Wbr, atom.Source:
				text.WriteByte(' ')
				continue // which have no end
			}
			if deep++; skip > 0 {
				continue
			}
			aside := tag == atom.Sup || tag == atom.Annotation || paragraph && deep == 1 && tag != atom.P
			for more && !aside {
				var key, value []byte
				key, value, more = in.TagAttr()
				aside = string(key) == "class" && (string(value) == "anchor" || string(value) == "footnotes")
			}
			if aside {
				skip = deep
			} else if tag != atom.A && tag != atom.Code && tag != atom.Em && tag != atom.Strong && tag != atom.Span {
				text.WriteByte(' ')
			}
		case html.EndTagToken:
			if deep == skip {
				skip = 0
			}
			if deep--; paragraph && deep == 0 && strings.TrimSpace(text.String()) != "" {
				return beginning(text.String())
			}
		}
	}
	return beginning(text.String())
}

// beginning is a text on one line, cut between two words where it is long.
func beginning(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	letters := 0
	for i := range text {
		if letters++; letters > maxLead {
			text = text[:i]
			if end := strings.LastIndexByte(text, ' '); end > len(text)/2 {
				text = text[:end]
			}
			return text + "…"
		}
	}
	return text
}
