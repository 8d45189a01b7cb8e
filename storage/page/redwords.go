package page

import (
	"fmt"
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file compares the words of two paragraphs, with what is around each: a word that became bold is another word. What
// comes out has the elements of the newer paragraph, and those of the older one around what was taken out of it.

// maxRedWords is how many words, spaces and signs of two paragraphs are compared.
const maxRedWords = 20_000

// token is a word, a run of spaces or a sign; or an element that is shown whole, such as a picture.
type token struct {
	text   string
	atom   *nethtml.Node   // instead of text
	around []*nethtml.Node // elements, the outermost first
	key    int
}

func (t token) blank() bool { return t.atom == nil && meaning(t.text) == 0 }

// tokens cuts nodes into tokens.
func (r *redline) tokens(nodes []*nethtml.Node, verbatim bool) []token {
	var all []token
	var walk func(n *nethtml.Node, around []*nethtml.Node, in int)
	walk = func(n *nethtml.Node, around []*nethtml.Node, in int) {
		switch {
		case n.Type == nethtml.TextNode:
			for _, w := range cutWords(n.Data) {
				key := w
				if !verbatim {
					key = squeezed(w)
				}
				all = append(all, token{text: w, around: around, key: r.id(fmt.Sprintf("k%d %s", in, key))})
			}
		case n.Type != nethtml.ElementNode:
		case n.FirstChild == nil || n.Namespace != "" || n.DataAtom == atom.Ruby || r.isBlock(n):
			all = append(all, token{atom: n, around: around, key: r.id(fmt.Sprintf("a%d %d", in, r.key(n, verbatim)))})
		default:
			within := append(slices.Clip(around), n)
			in = r.id(fmt.Sprintf("i%d %s", in, tagOf(n)))
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c, within, in)
			}
		}
	}
	for _, n := range nodes {
		walk(n, nil, 0)
	}
	return all
}

// words writes what two lists of inline nodes have in common and what not.
func (r *redline) words(to *nethtml.Node, olds, nows []*nethtml.Node, verbatim bool) {
	x, y := r.tokens(olds, verbatim), r.tokens(nows, verbatim)
	changes := []change{{0, len(x), 0, len(y)}}
	if len(x)+len(y) <= maxRedWords && r.work > 0 {
		changes = r.readable(x, y)
	}
	w := redWriter{r: r, to: to}
	i, j := 0, 0
	for _, c := range changes {
		for ; i < c.a0; i, j = i+1, j+1 {
			w.same(x[i], y[j])
		}
		for ; i < c.a1; i++ {
			w.gone(x[i])
		}
		for ; j < c.b1; j++ {
			w.new(y[j])
		}
	}
	for ; j < len(y); i, j = i+1, j+1 {
		w.same(x[i], y[j])
	}
	w.flush()
}

// readable are the changes between two lists of tokens, put together where only a space is between them; all in one where
// there is little in common.
func (r *redline) readable(x, y []token) []change {
	keys := func(all []token) []int {
		list := make([]int, len(all))
		for i, t := range all {
			list[i] = t.key
		}
		return list
	}
	weigh := func(all []token) (n int) {
		for _, t := range all {
			if t.atom != nil {
				n += 4
			}
			n += meaning(t.text)
		}
		return n
	}
	bare := func(all []token) bool { return !slices.ContainsFunc(all, func(t token) bool { return !t.blank() }) }
	changes := r.compare(keys(x), keys(y))
	kept := weigh(x)
	for _, c := range changes {
		kept -= weigh(x[c.a0:c.a1])
	}
	if 4*kept < max(weigh(x), weigh(y)) {
		return []change{{0, len(x), 0, len(y)}}
	}
	var out []change
	for _, c := range changes {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if bare(x[last.a1:c.a0]) && !bare(x[last.a0:c.a1]) && !bare(y[last.b0:c.b1]) {
				last.a1, last.b1 = c.a1, c.b1
				continue
			}
		}
		out = append(out, c)
	}
	for i := range out {
		c := &out[i]
		for c.a0 < c.a1 && c.b0 < c.b1 && x[c.a1-1].key == y[c.b1-1].key {
			c.a1, c.b1 = c.a1-1, c.b1-1
		}
		for c.a0 < c.a1 && c.b0 < c.b1 && x[c.a0].key == y[c.b0].key {
			c.a0, c.b0 = c.a0+1, c.b0+1
		}
	}
	return out
}

// redWriter writes tokens one after another, each within what is around it.
type redWriter struct {
	r    *redline
	to   *nethtml.Node
	open []*openElement
	mark *nethtml.Node // the <ins> or <del> that is open within all of them; nil for none
	text *nethtml.Node // what is written to, and
	data strings.Builder
}

// openElement is an element that is being written, and those that it stands for on the two sides; nil for none yet.
type openElement struct {
	el, old, now *nethtml.Node
	tag          string
}

func (w *redWriter) same(old, now token) {
	w.within(now.around, false)
	for i, n := range old.around {
		w.open[i].old = n
	}
	w.put(now, w.mark != nil, 0)
}

func (w *redWriter) gone(t token) {
	if t.atom != nil {
		strip(t.atom)
	}
	w.put(t, w.within(t.around, true), atom.Del)
}

func (w *redWriter) new(t token) { w.put(t, w.within(t.around, false), atom.Ins) }

// within opens what is around a token, and shuts what is not; it tells whether that has changed anything.
func (w *redWriter) within(around []*nethtml.Node, gone bool) (moved bool) {
	n := 0
	for n < len(w.open) && n < len(around) {
		o := w.open[n]
		side := &o.now
		if gone {
			side = &o.old
		}
		if *side == nil && o.tag == tagOf(around[n]) {
			*side = around[n]
		}
		if *side != around[n] {
			break
		}
		n++
	}
	moved = n < len(w.open) || n < len(around)
	w.open = w.open[:n]
	for _, a := range around[n:] {
		o := &openElement{el: shell(a), tag: tagOf(a)}
		if gone {
			o.old = a
			stripOne(o.el)
		} else {
			o.now = a
			if w.r.opened[a] {
				remove(o.el, "id")
			}
			w.r.opened[a] = true
		}
		w.top().AppendChild(o.el)
		w.open = append(w.open, o)
	}
	return moved
}

func (w *redWriter) top() *nethtml.Node {
	if len(w.open) > 0 {
		return w.open[len(w.open)-1].el
	}
	return w.to
}

// put writes a token in <ins>, <del> or neither: the one that is open, unless it is another or something has moved.
func (w *redWriter) put(t token, moved bool, op atom.Atom) {
	at := w.top()
	if op == 0 {
		w.mark = nil
	} else {
		if w.mark == nil || moved || w.mark.DataAtom != op {
			w.mark = &nethtml.Node{Type: nethtml.ElementNode, Data: op.String(), DataAtom: op}
			at.AppendChild(w.mark)
		}
		at = w.mark
	}
	if t.atom != nil {
		w.flush()
		w.r.append(at, t.atom)
		return
	}
	if w.text == nil || w.text.Parent != at || at.LastChild != w.text {
		w.flush()
		w.text = &nethtml.Node{Type: nethtml.TextNode}
		at.AppendChild(w.text)
	}
	w.data.WriteString(t.text)
}

// flush ends the text that is being written.
func (w *redWriter) flush() {
	if w.text != nil {
		w.text.Data = w.data.String()
		w.text = nil
		w.data.Reset()
	}
}
