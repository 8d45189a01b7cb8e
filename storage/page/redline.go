package page

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"strconv"
	"strings"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file shows a page with what has changed in it since an older text: as it looks, what was taken out in <del>, what
// was put in in <ins>. It compares what the two texts became, not the texts, so that new line breaks in a paragraph are
// no change, and a word that became bold is one. The laws, which are fuzzed:
//
//	without <del> it has the words of the newer page, without <ins> those of the older one
//	a browser reads it as it was written: each tag is closed where it stands
//	no id is there twice
//
// It moves, copies and wraps elements that the sanitiser has let through, and writes no other: <ins>, <del>, <s> and <u>
// are such. Blocks are aligned by what they hold, then those that took another's place by how alike they are, down to
// paragraphs, items and cells, whose words are compared. The work is bounded.

// ErrTooMuch says that two texts are too large, or nested too deep, to be compared as a page.
var ErrTooMuch = errors.New("there is too much on the page for it to be compared as a page")

const (
	maxRedline  = 2 << 20 // bytes of HTML of both pages
	redlineWork = 8 << 20 // steps of all comparisons of a page; beyond it what has changed is shown whole
	redlineRun  = 48      // blocks of a run for which the best pairs are sought
	redlineLook = 8       // otherwise, how far a block may be from the one whose place it took
	redlineNear = 2       // blocks around a change that are worth seeing
	redlineLong = 4       // blocks that are worth hiding
	maxAlike    = 200     // words of a block by which it is known
	maxMetaText = 300     // characters of a value of the front matter
)

// Redlined is a page with what has changed in it.
type Redlined struct {
	Parts []RedPart // in the order of the page
	Meta  []MetaChange
}

// RedPart is some blocks of a page, sanitised as Doc.HTML is.
type RedPart struct {
	HTML string
	Same int // how many blocks that are the same, and far from any change; 0 where it is worth seeing
}

// HTML is the whole page.
func (r Redlined) HTML() string {
	var b strings.Builder
	for _, p := range r.Parts {
		b.WriteString(p.HTML)
	}
	return b.String()
}

// MetaChange is an entry of the front matter that has changed; a text is "" where it is not there.
type MetaChange struct{ Name, Old, Now string }

// Redline shows the page at a path with what has changed between two of its texts, both in the same context. The title is
// shown where a heading of the page gives it. The error is ErrTooMuch where that would cost too much.
func Redline(at Path, old, now []byte, in Context) (Redlined, error) {
	was, is := Parse(at, old), Parse(at, now)
	parts, err := redlined(titled(was)+was.HTML(in), titled(is)+is.HTML(in))
	return Redlined{parts, metaChanges(was, is)}, err
}

// titled is the heading that a page is shown without.
func titled(d *Doc) string {
	if !d.TitleH1 {
		return ""
	}
	return "<h2>" + html.EscapeString(d.Title) + "</h2>\n"
}

func metaChanges(old, now *Doc) []MetaChange {
	if old.MetaErr != "" || now.MetaErr != "" {
		return nil // shown as text
	}
	names := map[string]bool{}
	for _, m := range []map[string]any{old.Meta, now.Meta} {
		for name := range m {
			names[name] = true
		}
	}
	var all []MetaChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, b := metaText(old.Meta[name]), metaText(now.Meta[name]); a != b {
			all = append(all, MetaChange{name, short(a), short(b)})
		}
	}
	return all
}

func short(s string) string {
	if r := []rune(s); len(r) > maxMetaText {
		return string(r[:maxMetaText]) + "…"
	}
	return s
}

// metaText is a value in words.
func metaText(v any) string {
	var list []string
	switch v := v.(type) {
	case nil:
	case []any:
		for _, one := range v {
			list = append(list, metaText(one))
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			list = append(list, name+": "+metaText(v[name]))
		}
	default:
		return fmt.Sprint(v)
	}
	return strings.Join(list, ", ")
}

// redlined compares the HTML of two pages.
func redlined(old, now string) ([]RedPart, error) {
	if len(old)+len(now) > maxRedline {
		return nil, ErrTooMuch
	}
	r := &redline{
		ids: map[string]int{}, keys: map[*nethtml.Node]int{}, blocky: map[*nethtml.Node]bool{},
		kept: map[*nethtml.Node]bool{}, opened: map[*nethtml.Node]bool{}, work: redlineWork,
	}
	a, err := bodyOf(old)
	if err != nil {
		return nil, ErrTooMuch
	}
	b, err := bodyOf(now)
	if err != nil {
		return nil, ErrTooMuch
	}
	out := &nethtml.Node{Type: nethtml.ElementNode, Data: "div", DataAtom: atom.Div}
	r.diff(out, r.blocks(a), r.blocks(b))
	return r.parts(slices.Collect(out.ChildNodes()))
}

// parts writes the blocks of a page, long stretches that are the same apart.
func (r *redline) parts(all []*nethtml.Node) (parts []RedPart, err error) {
	write := func(nodes []*nethtml.Node, same int) {
		var b strings.Builder
		for _, n := range nodes {
			err = cmp.Or(err, nethtml.Render(&b, n))
			b.WriteByte('\n')
		}
		if len(nodes) > 0 {
			parts = append(parts, RedPart{b.String(), same})
		}
	}
	shown := 0 // up to here all is written
	for i := 0; i < len(all); i++ {
		end := i
		for end < len(all) && r.kept[all[end]] {
			end++
		}
		from, to := i, end
		if i > 0 {
			from += redlineNear
		}
		if end < len(all) {
			to -= redlineNear
		}
		if to-from >= redlineLong && (i > 0 || end < len(all)) {
			write(all[shown:from], 0)
			write(all[from:to], to-from)
			shown = to
		}
		i = max(i, end)
	}
	write(all[shown:], 0)
	if err != nil {
		return nil, ErrTooMuch
	}
	return parts, nil
}

// bodyOf is a page as a tree, without what is nothing that somebody wrote.
func bodyOf(page string) (*nethtml.Node, error) {
	context := &nethtml.Node{Type: nethtml.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := nethtml.ParseFragment(strings.NewReader(page), context)
	if err != nil {
		return nil, err
	}
	root := &nethtml.Node{Type: nethtml.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	prepare(root)
	return root, nil
}

// prepare leaves out anchors and the widths of columns, and gives what the author marked as inserted or deleted other
// names: here those say what has changed.
func prepare(parent *nethtml.Node) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		if n.Type == nethtml.ElementNode {
			switch n.DataAtom {
			case atom.Del:
				n.Data, n.DataAtom = "s", atom.S
			case atom.Ins:
				n.Data, n.DataAtom = "u", atom.U
			case atom.Input:
				remove(n, "data-line")
			}
			if n.DataAtom == atom.Colgroup || n.DataAtom == atom.Col || n.DataAtom == atom.A && get(n, "class") == "anchor" {
				parent.RemoveChild(n)
			} else {
				prepare(n)
			}
		}
		n = next
	}
}

// redline is two pages being compared.
type redline struct {
	ids    map[string]int         // numbers of what is alike
	keys   map[*nethtml.Node]int  // of nodes with all that they hold
	blocky map[*nethtml.Node]bool // elements that are blocks, or hold some
	kept   map[*nethtml.Node]bool // blocks that are the same on both sides
	opened map[*nethtml.Node]bool // elements of the newer page whose id has been written
	work   int
}

func (r *redline) id(s string) int {
	n, ok := r.ids[s]
	if !ok {
		n = len(r.ids)
		r.ids[s] = n
	}
	return n
}

// block is what is aligned: an element, or a run of text and inline elements between two blocks.
type block struct {
	el    *nethtml.Node   // nil for a run
	run   []*nethtml.Node // nil for an element
	key   int
	words []int // sorted, once somebody has asked
}

// kids are the nodes whose words the block has.
func (b *block) kids() []*nethtml.Node {
	if b.el == nil {
		return b.run
	}
	return slices.Collect(b.el.ChildNodes())
}

var blockTags = func() map[string]bool {
	m := map[string]bool{}
	for _, tag := range strings.Fields(`p h1 h2 h3 h4 h5 h6 div hr blockquote pre ul ol li dl dt dd table caption thead tbody tfoot
		tr th td details summary figure figcaption section nav`) {
		m[tag] = true
	}
	return m
}()

func (r *redline) isBlock(n *nethtml.Node) bool {
	if n.Type != nethtml.ElementNode || n.Namespace != "" {
		return false
	}
	is, known := r.blocky[n]
	if !known {
		is = blockTags[n.Data] || r.holdsBlocks(n)
		r.blocky[n] = is
	}
	return is
}

func (r *redline) holdsBlocks(n *nethtml.Node) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if r.isBlock(c) {
			return true
		}
	}
	return false
}

// key numbers a node with all that it holds but ids: equal numbers look alike.
func (r *redline) key(n *nethtml.Node, verbatim bool) int {
	k, known := r.keys[n]
	if known {
		return k
	}
	var b strings.Builder
	switch {
	case n.Type == nethtml.TextNode && verbatim:
		b.WriteString("v" + n.Data)
	case n.Type == nethtml.TextNode:
		b.WriteString("t" + squeezed(n.Data))
	default:
		b.WriteString("e" + tagOf(n))
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			fmt.Fprintf(&b, "\x00%d", r.key(c, verbatim || n.DataAtom == atom.Pre))
		}
	}
	k = r.id(b.String())
	r.keys[n] = k
	return k
}

// squeezed has one space where there are several, or line ends.
func squeezed(s string) string {
	var b strings.Builder
	space := false
	for _, c := range s {
		if is := strings.ContainsRune(" \t\n\f\r", c); is {
			space = true
			continue
		} else if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(c)
	}
	if space {
		b.WriteByte(' ')
	}
	return b.String()
}

// tagOf is an element without what it holds, and without its id.
func tagOf(n *nethtml.Node) string {
	var b strings.Builder
	b.WriteString(n.Namespace + ":" + n.Data)
	for _, a := range n.Attr {
		if a.Key != "id" {
			b.WriteString("\x01" + a.Namespace + ":" + a.Key + "=" + a.Val)
		}
	}
	return b.String()
}

// blocks are the children of an element, those that stand in a line together.
func (r *redline) blocks(parent *nethtml.Node) []*block {
	var all []*block
	var run []*nethtml.Node
	end := func() {
		if run = trimmed(run); len(run) > 0 {
			b := &block{run: run}
			key := "r"
			for _, n := range run {
				key += "\x00" + strconv.Itoa(r.key(n, false))
			}
			b.key = r.id(key)
			all = append(all, b)
		}
		run = nil
	}
	for c := parent.FirstChild; c != nil; c = c.NextSibling {
		if r.isBlock(c) {
			end()
			all = append(all, &block{el: c, key: r.key(c, false)})
		} else {
			run = append(run, c)
		}
	}
	end()
	return all
}

// trimmed is a run without the white space at its ends, which is not shown.
func trimmed(run []*nethtml.Node) []*nethtml.Node {
	const space = " \t\n\f\r"
	for len(run) > 0 && run[0].Type == nethtml.TextNode {
		if run[0].Data = strings.TrimLeft(run[0].Data, space); run[0].Data != "" {
			break
		}
		run = run[1:]
	}
	for len(run) > 0 && run[len(run)-1].Type == nethtml.TextNode {
		last := run[len(run)-1]
		if last.Data = strings.TrimRight(last.Data, space); last.Data != "" {
			break
		}
		run = run[:len(run)-1]
	}
	return run
}

// diff writes the blocks of both sides to an element.
func (r *redline) diff(to *nethtml.Node, olds, nows []*block) {
	keys := func(all []*block) []int {
		list := make([]int, len(all))
		for i, b := range all {
			list[i] = b.key
		}
		return list
	}
	i, j := 0, 0
	for _, c := range r.compare(keys(olds), keys(nows)) {
		for ; j < c.b0; j++ {
			r.same(to, nows[j])
		}
		i = c.a0
		for _, pair := range r.pairs(olds[c.a0:c.a1], nows[c.b0:c.b1]) {
			for ; i < c.a0+pair[0]; i++ {
				r.whole(to, olds[i], atom.Del)
			}
			for ; j < c.b0+pair[1]; j++ {
				r.whole(to, nows[j], atom.Ins)
			}
			r.change(to, olds[i], nows[j])
			i, j = i+1, j+1
		}
		for ; i < c.a1; i++ {
			r.whole(to, olds[i], atom.Del)
		}
		for ; j < c.b1; j++ {
			r.whole(to, nows[j], atom.Ins)
		}
	}
	for ; j < len(nows); j++ {
		r.same(to, nows[j])
	}
}

// compare is compare within the work that is left.
func (r *redline) compare(a, b []int) []change {
	small := map[int]int{}
	again := func(list []int) []int {
		out := make([]int, len(list))
		for i, n := range list {
			k, ok := small[n]
			if !ok {
				k = len(small)
				small[n] = k
			}
			out[i] = k
		}
		return out
	}
	cost := (len(a) + len(b)) * 16
	r.work -= cost
	return compare(again(a), again(b), max(0, min(4*cost, r.work)))
}

// append puts a node at the end of an element.
func (r *redline) append(to, n *nethtml.Node) {
	if n.Parent != nil {
		n.Parent.RemoveChild(n)
	}
	to.AppendChild(n)
}

// begin parts a run from another that has become its neighbour.
func (r *redline) begin(to *nethtml.Node) {
	if last := to.LastChild; last != nil && !r.isBlock(last) {
		to.AppendChild(&nethtml.Node{Type: nethtml.TextNode, Data: "\n"})
	}
}

func (r *redline) same(to *nethtml.Node, b *block) {
	if b.el != nil {
		r.append(to, b.el)
		r.kept[b.el] = true
		return
	}
	r.begin(to)
	for _, n := range b.run {
		r.append(to, n)
	}
}

// whole writes a block that is on one side only.
func (r *redline) whole(to *nethtml.Node, b *block, op atom.Atom) {
	if op == atom.Del {
		for _, n := range b.kids() {
			strip(n)
		}
		if b.el != nil {
			stripOne(b.el)
		}
	}
	mark := &nethtml.Node{Type: nethtml.ElementNode, Data: op.String(), DataAtom: op}
	if b.el == nil {
		r.begin(to)
		to.AppendChild(mark)
		for _, n := range b.run {
			r.append(mark, n)
		}
		return
	}
	switch b.el.DataAtom {
	case atom.Thead, atom.Tbody, atom.Tfoot, atom.Tr:
		el := shell(b.el)
		to.AppendChild(el)
		for _, one := range r.blocks(b.el) {
			r.whole(el, one, op)
		}
	case atom.Li, atom.Td, atom.Th, atom.Dd, atom.Dt, atom.Caption, atom.Summary, atom.Figcaption:
		el := shell(b.el)
		set(el, "class", map[atom.Atom]string{atom.Ins: "added", atom.Del: "removed"}[op])
		to.AppendChild(el)
		for _, n := range b.kids() {
			r.append(mark, n)
		}
		if mark.FirstChild != nil {
			el.AppendChild(mark)
		}
	default:
		set(mark, "class", "block")
		r.blocky[mark] = true
		to.AppendChild(mark)
		r.append(mark, b.el)
	}
}

// shell is an element without what it holds.
func shell(n *nethtml.Node) *nethtml.Node {
	return &nethtml.Node{Type: n.Type, Data: n.Data, DataAtom: n.DataAtom, Namespace: n.Namespace, Attr: slices.Clone(n.Attr)}
}

// strip takes from what is gone what would be there twice, or would do more than be seen: ids, pictures from elsewhere that
// the page does not load any more, diagrams to be drawn.
func strip(n *nethtml.Node) {
	stripOne(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		strip(c)
	}
}

func stripOne(n *nethtml.Node) {
	if n.Type != nethtml.ElementNode {
		return
	}
	remove(n, "id")
	switch n.DataAtom {
	case atom.Img:
		if isExternal(get(n, "src")) {
			set(n, "src", "data:,")
		}
	case atom.Pre:
		if get(n, "class") == "diagram" {
			remove(n, "class")
		}
	case atom.Li:
		remove(n, "value")
	}
}

// change writes a block that took another's place.
func (r *redline) change(to *nethtml.Node, old, now *block) {
	if now.el == nil {
		r.begin(to)
		r.words(to, old.kids(), now.run, false)
		return
	}
	el := shell(now.el)
	to.AppendChild(el)
	r.blocky[el] = true
	switch verbatim := now.el.DataAtom == atom.Pre; {
	case old.el == nil || verbatim:
		r.words(el, old.kids(), now.kids(), verbatim)
	default:
		r.diff(el, r.blocks(old.el), r.blocks(now.el))
	}
}
