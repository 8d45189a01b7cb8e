package page

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
	"golang.org/x/text/unicode/norm"
)

// This file is what a link to a place in a page leads to: the ids of headings, as GitHub makes them, and the names of blocks,
// as Obsidian has them: " ^name" at the end of a paragraph or list item, or in a paragraph of its own behind what it
// names, for "[[Page#^name]]".

// maxSlug keeps ids readable; a heading may be a whole paragraph.
const maxSlug = 200

// Slug is the id of a heading by GitHub's rule: lower case, all that is alphabetic, marks, digits, "-" and connectors such
// as "_" kept, each space as "-".
func Slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(heading) {
		switch {
		case b.Len() >= maxSlug:
			return b.String()
		case r == ' ' || r == '\n':
			b.WriteByte('-')
		case r == 'İ': // the one letter that becomes two
			b.WriteString("i\u0307")
		case r == '-' || r|0x20 >= 'a' && r|0x20 <= 'z' && r < 0x80 || r >= '0' && r <= '9' || r >= 0x80 && isSlugRune(r) || r == '_':
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func isSlugRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic)
}

// A name has three characters at least, so that "x ^2" stays what it is.
var blockName = regexp.MustCompile(`(?:^|[ \t])(\^[A-Za-z0-9][A-Za-z0-9-]{2,60})$`)

// nameBlock takes the name off the end of a paragraph, and makes it the id of what it names.
func (d *Doc) nameBlock(p ast.Node) {
	if p.Lines() == nil || p.Lines().Len() == 0 {
		return
	}
	last := p.Lines().At(p.Lines().Len() - 1)
	line := bytes.TrimRight(last.Value(d.source), " \t\n")
	if i := bytes.LastIndexByte(line, '^'); i < 0 || len(line)-i > 62 {
		return
	}
	m := blockName.FindSubmatchIndex(line)
	t, ok := p.LastChild().(*ast.Text)
	if m == nil || !ok || t.IsRaw() || t.Segment.Stop != last.Start-last.Padding+len(line) || t.Segment.Len() < m[3]-m[2] {
		return
	}
	id := line[m[2]:m[3]]
	named := p
	switch parent := p.Parent(); {
	case t.Segment.Len() == len(id) && p.FirstChild() == t: // alone in its paragraph
		before := p.PreviousSibling()
		if before == nil || !nameable(before) {
			return
		}
		parent.RemoveChild(parent, p)
		named = before
	case p.Kind() == ast.KindTextBlock:
		named = parent
	}
	if _, has := named.AttributeString("id"); has {
		return
	}
	t.Segment = t.Segment.WithStop(t.Segment.Stop - len(id))
	t.Segment = t.Segment.TrimRightSpace(d.source)
	named.SetAttributeString("id", id)
	d.named = append(d.named, string(id))
}

// nameable tells whether a block that a name follows can have an id.
func nameable(n ast.Node) bool {
	switch n.Kind() {
	case ast.KindParagraph, ast.KindList, ast.KindBlockquote, kindTable, ast.KindFencedCodeBlock, kindCallout:
		return true
	}
	return false
}

// foldPlace is the name of a place, or a fragment, as Places has it: in lower case, with a "-" for all between letters, digits
// and marks, so that it is the same however the wiki that a link was written for makes ids of headings. The name of a block
// begins with "^".
func foldPlace(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFC.String(s[:min(len(s), maxTarget)]) {
		if r < utf8.RuneSelf && !alnum[r] || r >= utf8.RuneSelf && !isSlugRune(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteRune(unicode.ToLower(r))
	}
	if b.Len() > 0 && strings.HasPrefix(s, "^") {
		return "^" + b.String()
	}
	return b.String()
}

// Places are the names that the fragments of links to the page may have, as Place compares them: headings, named blocks and
// HTML, each once, in order. It is false of a page that is shown as its source, for which nobody can tell.
func (d *Doc) Places() ([]string, bool) {
	if d.root == nil {
		return nil, false
	}
	all := make([]string, 0, 2*len(d.Outline)+len(d.named)+2)
	for _, h := range d.Outline {
		all = append(all, foldPlace(h.ID), foldPlace(h.Text))
	}
	if d.TitleH1 {
		all = append(all, foldPlace(d.TitleID), foldPlace(d.Title))
	}
	for _, name := range d.named {
		all = append(all, foldPlace(name))
	}
	slices.Sort(all)
	return slices.Compact(all), true
}

// Place tells whether a page that has these Places has what the fragment of a link to it names. It says so of what a
// browser finds anywhere, and of footnotes.
func Place(fragment string, has func(fold string) bool) bool {
	whole, _, _ := strings.Cut(fragment, ":~:")
	whole = strings.TrimPrefix(whole, "user-content-")
	if strings.EqualFold(whole, "top") || strings.HasPrefix(whole, "fn:") || strings.HasPrefix(whole, "fnref") || strings.HasPrefix(whole, reserved) {
		return true
	}
	for _, f := range []string{whole, unescape(whole)} {
		all := true
		for part := range strings.SplitSeq(f, "#") {
			fold := foldPlace(part)
			all = all && (fold == "" || has(fold))
		}
		if all || has(foldPlace(f)) {
			return true
		}
	}
	return false
}

// writeName writes the id of a named block.
func writeName(b util.BufWriter, n ast.Node) {
	if id, ok := n.AttributeString("id"); ok {
		name, _ := id.([]byte)
		attribute(b, "id", string(name))
	}
}
