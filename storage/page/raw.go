package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
)

// This file finds the HTML that an author wrote. A page is divided into parts: blocks without such HTML, which we write
// ourselves, and blocks with it, which pass the sanitiser: from a tag that opens something up to the block in which it
// is closed again, so that "<details>" may have paragraphs of Markdown in it. Where a part ends changes how it looks, never
// whether it is safe, as each comes out with all its tags closed.
//
// Tags that say nothing but their name, and are closed in the same line of thought, are no reason for that: <br>, <kbd>x</kbd>.

// part is some blocks of a page that follow one another.
type part struct {
	first, last ast.Node
	mixed       bool // they hold HTML of the author's
}

// maxMixed is how often the sanitiser is called for a page; each call has its price.
const maxMixed = 500

// divide parts the page; raw is all HTML in it but simple tags, in the order of the text.
func (d *Doc) divide(raw []ast.Node) {
	var open unclosed
	mixedParts := 0
	for n := d.root.FirstChild(); n != nil; n = n.NextSibling() {
		mixed := len(open.names) > 0
		for len(raw) > 0 && topOf(raw[0]) == n {
			mixed = true
			if tag, ok := raw[0].(*ast.RawHTML); ok {
				first := tag.Segments.At(0)
				open.tag(tagName(first.Value(d.source)))
			} else {
				open.read(d.rawText(raw[0]))
			}
			raw = raw[1:]
		}
		if last := len(d.parts) - 1; last >= 0 && d.parts[last].mixed == mixed {
			d.parts[last].last = n
		} else {
			d.parts = append(d.parts, part{n, n, mixed})
			if mixed {
				mixedParts++
			}
		}
	}
	if mixedParts > maxMixed {
		d.parts = []part{{d.root.FirstChild(), d.root.LastChild(), true}}
	}
}

// topOf is the block of the page itself that a node is in.
func topOf(n ast.Node) ast.Node {
	for n.Parent() != nil && n.Parent().Kind() != ast.KindDocument {
		n = n.Parent()
	}
	return n
}

// rawText is HTML as the author wrote it.
func (d *Doc) rawText(n ast.Node) string {
	var b strings.Builder
	switch n := n.(type) {
	case *ast.HTMLBlock:
		writeLines(&b, n, d.source)
		if n.HasClosure() {
			b.Write(n.ClosureLine.Value(d.source))
		}
	case *ast.RawHTML:
		b.Write(n.Segments.Value(d.source))
	}
	return b.String()
}

// unclosed is the elements that the author's tags have left open.
type unclosed struct {
	names []string
	count map[string]int
}

// read follows the tags of some HTML.
func (u *unclosed) read(raw string) {
	z := html.NewTokenizer(strings.NewReader(raw))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			name, _ := z.TagName()
			u.tag(string(name), false)
		case html.EndTagToken:
			name, _ := z.TagName()
			u.tag(string(name), true)
		}
	}
}

// tag follows one tag. Elements that a browser closes by itself are not waited for.
func (u *unclosed) tag(name string, end bool) {
	if !end {
		switch name {
		case "", "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
			"p", "li", "dt", "dd":
			return
		}
		if u.count == nil {
			u.count = map[string]int{}
		}
		u.names = append(u.names, name)
		u.count[name]++
		return
	}
	for u.count[name] > 0 {
		last := u.names[len(u.names)-1]
		u.names = u.names[:len(u.names)-1]
		u.count[last]--
		if last == name {
			return
		}
	}
}

// tagName is the name of the tag that a text begins with, "" for a comment and the like.
func tagName(tag []byte) (name string, end bool) {
	tag = tag[1:]
	if len(tag) > 0 && tag[0] == '/' {
		tag, end = tag[1:], true
	}
	size := bytes.IndexAny(tag, " \t\n/>")
	if size < 0 {
		size = len(tag)
	}
	if size == 0 || tag[0] == '!' || tag[0] == '?' {
		return "", false
	}
	return strings.ToLower(string(tag[:size])), end
}

// simpleNames are elements that may be written without any attribute and hold no blocks.
var simpleNames = strings.Fields("kbd samp var sub sup b i u s em strong small mark ins del q cite dfn code")

// simpleTags tells whether all HTML right in a piece of text is simple: tags of simpleNames that are closed in order,
// line breaks and comments.
func (d *Doc) simpleTags(parent ast.Node) bool {
	var open []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		raw, ok := n.(*ast.RawHTML)
		if !ok {
			continue
		}
		switch name, end, ok := d.simpleTag(raw); {
		case !ok:
			return false
		case name == "" || name == "br" || name == "wbr":
		case !end:
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name:
			return false
		default:
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

// simpleTag reads a tag without attributes; the name of a comment is "".
func (d *Doc) simpleTag(n *ast.RawHTML) (name string, end, ok bool) {
	first := n.Segments.At(0)
	tag := first.Value(d.source)
	if bytes.HasPrefix(tag, []byte("<!--")) {
		return "", false, true
	}
	if n.Segments.Len() > 1 || len(tag) > 12 {
		return "", false, false
	}
	name = strings.ToLower(string(bytes.Trim(tag, "<> ")))
	if name == "br" || name == "br/" || name == "br /" {
		return "br", false, true
	}
	if name == "wbr" {
		return "wbr", false, true
	}
	name, end = strings.CutPrefix(name, "/")
	return name, end, slices.Contains(simpleNames, name)
}

func (w *writer) htmlBlock(b util.BufWriter, n *ast.HTMLBlock, entering bool) (ast.WalkStatus, error) {
	if entering && w.mixed {
		b.WriteString(w.doc.rawText(n))
	}
	return ast.WalkContinue, nil
}

func (w *writer) rawHTML(b util.BufWriter, n *ast.RawHTML, entering bool) (ast.WalkStatus, error) {
	switch {
	case !entering:
	case w.doc.simple[n.Parent()]:
		if name, end, _ := w.doc.simpleTag(n); end {
			b.WriteString("</" + name + ">")
		} else if name != "" {
			b.WriteString("<" + name + ">")
		}
	case w.mixed:
		b.WriteString(w.doc.rawText(n))
	}
	return ast.WalkSkipChildren, nil
}

// markPrefix begins the name of the element that marks the place of an island.
const markPrefix = "x-"

// island writes HTML of ours that the sanitiser would not let pass, such as formulas. It must be safe, and whole. Where
// the author's HTML is around it, a mark takes its place until that has been sanitised; nobody can write such a mark, as
// its name is made of the page's own bytes.
func (w *writer) island(b util.BufWriter, safe string) {
	if !w.mixed {
		b.WriteString(safe)
		return
	}
	if w.mark == "" {
		sum := sha256.Sum256(w.doc.source)
		w.mark = markPrefix + hex.EncodeToString(sum[:16]) + "-"
	}
	name := w.mark + strconv.Itoa(len(w.islands))
	w.islands = append(w.islands, safe)
	b.WriteString("<" + name + "></" + name + ">")
}

func (w *writer) isMark(name string) bool { return w.mark != "" && strings.HasPrefix(name, w.mark) }

// land puts the islands into their places.
func (w *writer) land(safe string) string {
	if w.mark == "" {
		return safe
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(safe, "<"+w.mark)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, after, _ := strings.Cut(after, ">")
		if i, err := strconv.Atoi(number); err == nil && i < len(w.islands) {
			b.WriteString(w.islands[i])
		}
		safe = strings.TrimPrefix(after, "</"+w.mark+number+">")
	}
}
