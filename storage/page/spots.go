package page

import (
	"sort"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
)

// This file finds where in a page's bytes its links say what they lead to.

// spot is a link with the places of its two sides in the parsed source; one that is not Wiki has only the first.
type spot struct {
	link Link
	a, b span
	how  writing
	cell bool // in a table, where a pipe is written "\|"
}

// span is some bytes of the parsed source.
type span struct{ start, end int }

// writing is how a target is written.
type writing byte

const (
	inBrackets writing = iota // [[target]]
	inParens                  // [text](target), [text]: target
	inAngles                  // [text](<target>)
	inQuotes                  // <a href="target">
	inBare                    // <a href=target>
)

// spots are the links of the page whose places are known, in the order of the tree. Links by reference have the place of
// their definition.
func (d *Doc) spots() []spot {
	var all []spot
	if d.root == nil {
		return nil
	}
	_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			all = d.destinationSpot(all, n.Destination, false)
		case *ast.Image:
			all = d.destinationSpot(all, n.Destination, true)
		case *wikiLink:
			if n.link.A != "_TOC_" {
				all = append(all, d.wikiSpot(n))
			}
		case *ast.HTMLBlock, *ast.RawHTML:
			all = d.htmlSpots(all, n)
		}
		return ast.WalkContinue, nil
	})
	return all
}

// destinationSpot adds a Markdown link. The parser gives destinations as they stand in the source: the place is where
// the one slice begins in the other.
func (d *Doc) destinationSpot(all []spot, to []byte, embed bool) []spot {
	l := Link{A: destination(to), Embed: embed}
	start := cap(d.source) - cap(to)
	end := start + len(to)
	if l.A == "" || start < 1 || end > len(d.source) || &d.source[start] != &to[0] {
		return all
	}
	how := inParens
	if d.source[start-1] == '<' {
		how = inAngles
	}
	return append(all, spot{link: l, a: span{start, end}, how: how})
}

func (d *Doc) wikiSpot(n *wikiLink) spot {
	s := spot{link: n.link, how: inBrackets}
	s.link.Start, s.link.End = 0, 0
	for up := n.Parent(); up != nil; up = up.Parent() {
		s.cell = s.cell || up.Kind() == kindCell
	}
	start := n.start + strings.Index(string(d.source[n.start:n.end]), "[[") + 2 + n.skip
	end := start + strings.LastIndex(string(d.source[start:n.end]), "]]")
	rest := span{start, end}
	s.a, rest = d.cutPipe(rest, s.cell)
	s.b, _ = d.cutPipe(rest, s.cell)
	return s
}

// cutPipe parts a span at its first pipe; before has no spaces around it.
func (d *Doc) cutPipe(s span, cell bool) (before, after span) {
	before, after = s, span{s.end, s.end}
	for i := s.start; i < s.end; i++ {
		escaped := i > s.start && d.source[i-1] == '\\'
		if d.source[i] != '|' || escaped && !cell {
			continue
		}
		before.end, after.start = i, i+1
		if escaped {
			before.end--
		}
		break
	}
	return d.trim(before), after
}

func (d *Doc) trim(s span) span {
	text := string(d.source[s.start:s.end])
	s.start += len(text) - len(strings.TrimLeft(text, " \t\n"))
	s.end = s.start + len(strings.TrimSpace(text))
	return s
}

// htmlSpots adds the links and images of the author's own HTML that Links has.
func (d *Doc) htmlSpots(all []spot, n ast.Node) []spot {
	raw := d.rawText(n)
	if !strings.Contains(raw, "<") || len(d.raw) == 0 {
		return all
	}
	z := html.NewTokenizer(strings.NewReader(raw))
	lines := piecesOf(n)
	at := 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return all
		}
		tag := z.Raw()
		start := at
		at += len(tag)
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		key := ""
		switch name, _ := z.TagName(); string(name) {
		case "a":
			key = "href"
		case "img", "image":
			key = "src"
		default:
			continue
		}
		from, to, ok := attributePlace(raw[start:at], key)
		if !ok {
			continue
		}
		place, ok := lines.inSource(start+from, start+to)
		if !ok {
			continue
		}
		how := inBare
		if q := raw[start+from-1]; q == '"' || q == '\'' {
			how = inQuotes
		}
		place = d.trim(place)
		l := Link{A: strings.TrimSpace(html.UnescapeString(string(d.source[place.start:place.end]))), Embed: key == "src"}
		if d.raw[l] {
			all = append(all, spot{link: l, a: place, how: how})
		}
	}
}

// attributePlace is where the value of a tag's first attribute of a name stands in the tag.
func attributePlace(tag, name string) (start, end int, ok bool) {
	i := 1
	for i < len(tag) && !strings.ContainsRune(" \t\n\f/>", rune(tag[i])) {
		i++
	}
	for i < len(tag) {
		for i < len(tag) && strings.ContainsRune(" \t\n\f/", rune(tag[i])) {
			i++
		}
		key := i
		for i < len(tag) && !strings.ContainsRune(" \t\n\f/>=", rune(tag[i])) {
			i++
		}
		found := strings.EqualFold(tag[key:i], name)
		for i < len(tag) && strings.ContainsRune(" \t\n\f", rune(tag[i])) {
			i++
		}
		if i == len(tag) || tag[i] == '>' {
			return 0, 0, false
		}
		if tag[i] != '=' {
			if i == key {
				i++
			}
			if found {
				return 0, 0, false
			}
			continue
		}
		i++
		for i < len(tag) && strings.ContainsRune(" \t\n\f", rune(tag[i])) {
			i++
		}
		if i == len(tag) {
			return 0, 0, false
		}
		start = i
		if q := tag[i]; q == '"' || q == '\'' {
			start++
			size := strings.IndexByte(tag[start:], q)
			if size < 0 {
				return 0, 0, false
			}
			end = start + size
			i = end + 1
		} else {
			for i < len(tag) && !strings.ContainsRune(" \t\n\f>", rune(tag[i])) {
				i++
			}
			end = i
		}
		if found {
			return start, end, true
		}
	}
	return 0, 0, false
}

// pieces are the runs of bytes in the source that rawText is made of, in order.
type pieces []piece

// piece is one of them: where it begins in rawText, and where it stands in the source, behind so many spaces.
type piece struct {
	at, padding int
	span
}

func piecesOf(n ast.Node) pieces {
	var all pieces
	at := 0
	add := func(s text.Segment) {
		all = append(all, piece{at, s.Padding, span{s.Start, s.Stop}})
		at += s.Padding + s.Stop - s.Start
	}
	switch n := n.(type) {
	case *ast.HTMLBlock:
		for i := range n.Lines().Len() {
			add(n.Lines().At(i))
		}
		if n.HasClosure() {
			add(n.ClosureLine)
		}
	case *ast.RawHTML:
		for i := range n.Segments.Len() {
			add(n.Segments.At(i))
		}
	}
	return all
}

// inSource is where some bytes of rawText stand in the source: they must be on one line.
func (all pieces) inSource(start, end int) (span, bool) {
	i := sort.Search(len(all), func(i int) bool { return all[i].at > start }) - 1
	if i < 0 {
		return span{}, false
	}
	by := all[i].start - all[i].at - all[i].padding
	in := span{start + by, end + by}
	return in, in.start >= all[i].start && in.end <= all[i].end
}

// part is the side of a link that is its target: the text as the parser read it, and where that stands.
func (s spot) part(second bool) (text string, at span) {
	if !s.link.Wiki {
		return s.link.A, s.a
	}
	a, b := s.link.parts()
	if second {
		return b, s.b
	}
	return a, s.a
}

// read is what the parser makes of some bytes of a target.
func (h writing) read(raw string) string {
	switch h {
	case inBrackets:
		return strings.ReplaceAll(raw, `\|`, "|")
	case inQuotes, inBare:
		return html.UnescapeString(raw)
	}
	return destination([]byte(raw))
}
