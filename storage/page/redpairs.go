package page

import (
	"slices"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file finds, for a page shown with its changes (see redline.go), which block of the newer page took the place of
// which of the older one: the pairs that are the most alike, by the words that they share.

// pairKind is what a block must share with the one whose place it took; "" for what is shown whole.
func pairKind(b *block) string {
	switch {
	case b.el == nil || b.el.DataAtom == atom.P:
		return "text"
	case !blockTags[b.el.Data] || b.el.DataAtom == atom.Hr || b.el.DataAtom == atom.Pre && get(b.el, "class") == "diagram":
		return ""
	}
	return b.el.Data
}

// alike is how alike two blocks are, from 0 to 1; 0 also where that is too little for one to have taken the other's place.
func (r *redline) alike(a, b *block) float64 {
	kind := pairKind(a)
	if kind == "" || kind != pairKind(b) || r.work <= 0 {
		return 0
	}
	x, y := r.wordsOf(a), r.wordsOf(b)
	r.work -= len(x) + len(y) + 16
	n := 0
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] < y[j]:
			i++
		case x[i] > y[j]:
			j++
		default:
			n, i, j = n+1, i+1, j+1
		}
	}
	share := 0.0
	if len(x)+len(y) > 0 {
		share = 2 * float64(n) / float64(len(x)+len(y))
	}
	least := .3
	switch kind {
	case "td", "th", "caption", "summary", "figcaption", "thead", "tbody", "tfoot":
		return max(share, .05) // there is one, or their order says it
	case "ul", "ol", "table", "blockquote", "div", "section", "details", "dl", "figure", "nav":
		least = .15
	case "li", "tr", "dd", "dt":
		least = .2
	}
	if share < least {
		return 0
	}
	return share
}

// wordsOf are the first words of a block, and what else it shows.
func (r *redline) wordsOf(b *block) []int {
	if b.words != nil {
		return b.words
	}
	list := []int{}
	var walk func(n *nethtml.Node)
	walk = func(n *nethtml.Node) {
		switch {
		case len(list) >= maxAlike:
		case n.Type == nethtml.TextNode:
			for _, w := range cutWords(n.Data[:min(len(n.Data), 16*maxAlike)]) {
				if meaning(w) > 0 && len(list) < maxAlike {
					list = append(list, r.id("w"+w))
				}
			}
		case n.DataAtom == atom.Img || n.DataAtom == atom.Input:
			list = append(list, r.key(n, false))
		default:
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c)
			}
		}
	}
	for _, n := range b.kids() {
		walk(n)
	}
	slices.Sort(list)
	b.words = list
	return list
}

// pairs are the blocks of a run that took one another's place, in order. Pairs do not cross; of all such pairings it is the
// one whose blocks are most alike, or where that is too much work one that looks near.
func (r *redline) pairs(olds, nows []*block) (all [][2]int) {
	if len(olds) == 0 || len(nows) == 0 {
		return nil
	}
	if len(olds) > redlineRun || len(nows) > redlineRun {
		j := 0
		for i := range olds {
			best, at := 0.0, -1
			from := j
			if len(olds) == len(nows) {
				from = max(j, i) // rows of which each has changed
			}
			for k := from; k < min(len(nows), from+redlineLook); k++ {
				if a := r.alike(olds[i], nows[k]); a > best {
					best, at = a, k
				}
			}
			if at >= 0 {
				all = append(all, [2]int{i, at})
				j = at + 1
			}
		}
		return all
	}
	best := make([][]float64, len(olds)+1)
	for i := range best {
		best[i] = make([]float64, len(nows)+1)
	}
	for i := len(olds) - 1; i >= 0; i-- {
		for j := len(nows) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1], best[i+1][j+1]+r.alike(olds[i], nows[j]))
		}
	}
	for i, j := 0, 0; i < len(olds) && j < len(nows); {
		switch best[i][j] {
		case best[i+1][j]:
			i++
		case best[i][j+1]:
			j++
		default:
			all = append(all, [2]int{i, j})
			i, j = i+1, j+1
		}
	}
	return all
}
