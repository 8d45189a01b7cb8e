package page

import (
	"bytes"
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file is the wall between HTML that an author wrote and a reader's browser, in three steps:
//
//  1. parse as a browser would and write again, so that every tag is closed and none closes ours
//  2. on that tree, drop elements with all they hold where another parser begins (SVG, MathML, style, templates),
//     and say what attributes must be rather than may be: rel on links abroad, disabled on check boxes, ids that
//     are not ours
//  3. bluemonday, with a list of what may stay
//
// Scripts, styles, forms and frames are not on the list; a frame becomes a link to what it would have shown. Classes are those that we write.

// sanitise gives safe HTML; an error if the text is nested deeper than the parser goes.
func (w *writer) sanitise(raw []byte) (string, error) {
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(bytes.NewReader(raw), context)
	if err != nil {
		return "", err
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	w.clean(root)
	var out bytes.Buffer
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if err := html.Render(&out, n); err != nil {
			return "", err
		}
	}
	safe := policy().SanitizeBytes(out.Bytes())
	if len(safe) > 2*maxOutput {
		return "", errors.New("output too long")
	}
	return w.land(string(safe)), nil
}

// clean goes over the children of a node.
func (w *writer) clean(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch {
		case n.DataAtom == atom.Iframe && n.Namespace == "" && n.Type == html.ElementNode:
			if link := unframed(n); link != nil && !inside(n, atom.A) {
				parent.InsertBefore(link, n)
			}
			parent.RemoveChild(n)
		case n.Type == html.CommentNode || n.Type == html.DoctypeNode, n.Type == html.ElementNode && w.dropped(n):
			parent.RemoveChild(n)
		case n.Type == html.ElementNode:
			w.cleanAttributes(n)
			w.clean(n)
		}
		n = next
	}
}

// dropped tells whether an element goes with all that it holds.
func (w *writer) dropped(n *html.Node) bool {
	if n.Namespace != "" || strings.HasPrefix(n.Data, markPrefix) && !w.isMark(n.Data) {
		return true
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Svg, atom.Math, atom.Object, atom.Embed, atom.Applet, atom.Template,
		atom.Noscript, atom.Noembed, atom.Noframes, atom.Plaintext, atom.Xmp, atom.Title, atom.Textarea, atom.Select,
		atom.Frameset, atom.Frame, atom.Base, atom.Link, atom.Meta, atom.Button:
		return true
	case atom.Input:
		return !strings.EqualFold(get(n, "type"), "checkbox")
	}
	return false
}

// inside tells whether an element stands in another of that kind.
func inside(n *html.Node, kind atom.Atom) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.DataAtom == kind {
			return true
		}
	}
	return false
}

func (w *writer) cleanAttributes(n *html.Node) {
	if id := get(n, "id"); id != "" && !(w.prefix != "" && strings.HasPrefix(id, w.prefix)) {
		set(n, "id", w.prefix+ownID(id))
	}
	switch n.DataAtom {
	case atom.A:
		if name := get(n, "name"); name != "" && get(n, "id") == "" {
			set(n, "id", w.prefix+ownID(name))
		}
		if href := strings.TrimSpace(get(n, "href")); isExternal(href) {
			set(n, "rel", "nofollow ugc noopener")
		} else {
			remove(n, "rel")
			if w.prefix != "" && strings.HasPrefix(href, "#") && !strings.HasPrefix(href, "#"+w.prefix) {
				set(n, "href", w.in.URL(w.doc.Path)+href)
			}
			w.resolveAttribute(n, "href", href)
		}
	case atom.Img:
		t := w.resolveAttribute(n, "src", strings.TrimSpace(get(n, "src")))
		for _, side := range []string{"width", "height"} {
			if px, err := strconv.Atoi(strings.TrimSuffix(get(n, side), "px")); err == nil && px > 0 {
				set(n, side, strconv.Itoa(min(px, maxPixels)))
			} else if get(n, side) != "" && !strings.HasSuffix(get(n, side), "%") {
				remove(n, side)
			}
		}
		w.leaveRoom(n, t)
		set(n, "loading", "lazy")
	case atom.Video, atom.Audio:
		if isExternal(strings.TrimSpace(get(n, "src"))) {
			remove(n, "src") // the policy lets none be loaded
		} else {
			w.resolveAttribute(n, "src", strings.TrimSpace(get(n, "src")))
		}
	case atom.Input:
		set(n, "disabled", "")
	}
}

// resolveAttribute resolves an address in the author's own HTML, if Parse saw it there: so Doc.Links is all that a
// page's looks depend on. What we wrote is never relative, so it is left alone.
func (w *writer) resolveAttribute(n *html.Node, key, ref string) Target {
	l := Link{A: ref, Embed: key == "src"}
	if !w.doc.raw[l] || ref[0] == '#' || isExternal(ref) {
		return Target{}
	}
	t := w.resolve(l)
	if t.Found {
		ref, _, _ = w.reference(l, t)
		set(n, key, ref)
	}
	return t
}

// leaveRoom says both sides of a picture of which the author says one or none.
func (w *writer) leaveRoom(n *html.Node, t Target) {
	p := w.pictureOf(t)
	width, errW := strconv.Atoi(cmp.Or(get(n, "width"), "0"))
	height, errH := strconv.Atoi(cmp.Or(get(n, "height"), "0"))
	if p.Format == "" || errW != nil || errH != nil {
		return // not known, or in percent
	}
	width, height, _ = p.fit(width, height)
	set(n, "width", strconv.Itoa(width))
	set(n, "height", strconv.Itoa(height))
}

func get(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func set(n *html.Node, key, val string) {
	remove(n, key)
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: val})
}

func remove(n *html.Node, key string) {
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Key != key {
			kept = append(kept, a)
		}
	}
	n.Attr = kept
}

// policy is the list of what may stay, made once.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	exactly := func(s string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + s + `)$`) }
	p := bluemonday.NewPolicy()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")

	p.AllowElements("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "br", "hr", "wbr", "blockquote", "pre", "code", "kbd",
		"samp", "var", "em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "small", "mark", "q", "cite", "dfn",
		"abbr", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr",
		"th", "td", "details", "summary", "figure", "figcaption", "ruby", "rt", "rp", "bdi", "bdo", "section", "nav", "a")
	p.AllowNoAttrs().OnElements("span")
	p.AllowNoAttrs().OnElementsMatching(regexp.MustCompile(`^` + markPrefix + `[0-9a-f]{32}-[0-9]+$`))

	p.AllowAttrs("id").Matching(regexp.MustCompile(`^[^\s"'<>]{1,300}$`)).Globally()
	p.AllowAttrs("title").Globally()
	p.AllowAttrs("lang").Matching(langTag).Globally()
	p.AllowAttrs("dir").Matching(exactly(`ltr|rtl|auto`)).Globally()
	p.AllowAttrs("align").Matching(exactly(`left|right|center|justify`)).OnElements("p", "div", "h1", "h2", "h3", "h4", "h5",
		"h6", "img", "table", "th", "td", "tr")
	p.AllowAttrs("colspan", "rowspan").Matching(exactly(`[0-9]{1,3}`)).OnElements("th", "td")
	p.AllowAttrs("start", "value").Matching(exactly(`-?[0-9]{1,9}`)).OnElements("ol", "li")
	p.AllowAttrs("type").Matching(exactly(`[1aAiI]`)).OnElements("ol")
	p.AllowAttrs("open").Matching(exactly(`|open`)).OnElements("details")
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")

	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(exactly(`nofollow ugc noopener`)).OnElements("a")
	p.AllowAttrs("aria-label").Matching(exactly(`Link to this section`)).OnElements("a")
	p.AllowAttrs("role").Matching(exactly(`doc-noteref|doc-backlink|doc-endnotes`)).OnElements("a", "div", "section")
	p.AllowAttrs("data-frame").Matching(exactly(frameAddress)).OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("src", "aria-label").OnElements("video", "audio")
	p.AllowAttrs("controls", "preload").Matching(exactly(`|metadata`)).OnElements("video", "audio")
	p.AllowAttrs("width", "height").Matching(exactly(`[0-9]{1,4}|[0-9]{1,2}%|100%`)).OnElements("img")
	p.AllowAttrs("loading").Matching(exactly(`lazy`)).OnElements("img")
	p.AllowAttrs("type").Matching(exactly(`(?i)checkbox`)).OnElements("input")
	p.AllowAttrs("aria-label").Matching(exactly(`Done|Not done`)).OnElements("input")
	p.AllowAttrs("disabled", "checked").Matching(exactly(`|disabled|checked`)).OnElements("input")

	p.AllowAttrs("class").Matching(exactly(`anchor|film|missing|whole|footnote-ref|footnote-backref`)).OnElements("a")
	p.AllowAttrs("class").Matching(exactly(`[a-z][a-z0-9]{0,3}`)).OnElements("span")
	p.AllowAttrs("class").Matching(exactly(`chroma|diagram`)).OnElements("pre")
	p.AllowAttrs("data-kind").Matching(exactly(`[a-z0-9]{1,20}`)).OnElements("pre")
	p.AllowAttrs("class").Matching(exactly(`language-[A-Za-z0-9_+#.-]{1,40}`)).OnElements("code")
	p.AllowAttrs("class").Matching(exactly(`callout (?:note|tip|important|warning|caution|quote)|footnotes|notice`)).OnElements("div")
	p.AllowAttrs("class").Matching(exactly(`callout (?:note|tip|important|warning|caution|quote)`)).OnElements("details")
	p.AllowAttrs("class").Matching(exactly(`callout-title`)).OnElements("p", "summary")
	p.AllowAttrs("class").Matching(exactly(`toc`)).OnElements("nav")
	return p
})

// maySay tells whether a tag could be that of a link, an image, a video or a sound, or have a name.
func maySay(tag []byte) bool { return len(tag) > 3 && tag[0] == '<' && bytes.IndexByte(tag, '=') > 0 }

// readHTML collects the links and images of raw HTML, and the names in it. It gives the text without tags, and without what
// no reader sees.
func (d *Doc) readHTML(raw string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(raw))
	hidden := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if hidden == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, more := z.TagName()
			switch string(tag) {
			case "script", "style":
				hidden++
			}
			d.readAttributes(z, string(tag), more)
		case html.EndTagToken:
			if name, _ := z.TagName(); hidden > 0 && (string(name) == "script" || string(name) == "style") {
				hidden--
			}
		}
	}
}

// readAttributes collects what the attributes of the tokenizer's tag say; of several of one name the first counts, as in a
// browser.
func (d *Doc) readAttributes(z *html.Tokenizer, tag string, more bool) {
	var href, src, id *string
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		var to **string
		switch string(key) {
		case "href":
			to = &href
		case "src":
			to = &src
		case "id", "name":
			if string(key) == "name" && tag != "a" {
				continue
			}
			to = &id
		default:
			continue
		}
		if *to == nil {
			text := string(value)
			*to = &text
		}
	}
	switch {
	case tag == "a" && href != nil:
		d.addRaw(*href, false)
	case (tag == "img" || tag == "image" || tag == "video" || tag == "audio") && src != nil:
		d.addRaw(*src, true)
	}
	if id != nil && len(d.named) < maxRaw {
		d.named = append(d.named, *id)
	}
}
