package page

import "strings"

// This file compares two texts by lines: Myers' algorithm in linear space, after the lines that both ends share are set
// aside. The work is bounded: where the budget is used up, a region counts as changed as a whole.

// change says that lines a0 to a1 of the one text became lines b0 to b1 of the other.
type change struct{ a0, a1, b0, b1 int }

// diffWork is how many steps comparing two texts may take: less than a tenth of a second.
const diffWork = 12 << 20

// cutLines cuts a text after each "\n"; the last line may lack it.
func cutLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// number gives equal lines of all texts the same number, so that comparing them costs nothing.
func number(texts ...[]string) [][]int {
	seen := map[string]int{}
	out := make([][]int, len(texts))
	for i, lines := range texts {
		out[i] = make([]int, len(lines))
		for j, s := range lines {
			n, ok := seen[s]
			if !ok {
				n = len(seen)
				seen[s] = n
			}
			out[i][j] = n
		}
	}
	return out
}

type differ struct {
	a, b     []int
	forth    []int // furthest x on each diagonal, from the start
	back     []int // and from the end
	work     int
	changedA []bool
	changedB []bool
}

// compare lists the changes that make b of a, in order, none touching the next.
func compare(a, b []int, work int) []change {
	changedA, changedB := make([]bool, len(a)), make([]bool, len(b))
	// Lines that the other side does not have are changed, whatever way is found through the rest.
	restA, restB := common(a, b, changedA), common(b, a, changedB)
	size := len(restA) + len(restB) + 3
	d := &differ{
		a: pick(a, restA), b: pick(b, restB), work: work,
		forth: make([]int, size), back: make([]int, size),
		changedA: make([]bool, len(restA)), changedB: make([]bool, len(restB)),
	}
	d.region(0, len(d.a), 0, len(d.b))
	for i, c := range d.changedA {
		changedA[restA[i]] = c
	}
	for i, c := range d.changedB {
		changedB[restB[i]] = c
	}
	var out []change
	for i, j := 0, 0; i < len(a) || j < len(b); {
		if i < len(a) && j < len(b) && !changedA[i] && !changedB[j] {
			i++
			j++
			continue
		}
		c := change{a0: i, b0: j}
		for i < len(a) && changedA[i] {
			i++
		}
		for j < len(b) && changedB[j] {
			j++
		}
		c.a1, c.b1 = i, j
		out = append(out, c)
	}
	return out
}

// common lists the places in a whose lines b has too, and marks the others.
func common(a, b []int, changed []bool) []int {
	last := -1
	for _, n := range b {
		last = max(last, n)
	}
	has := make([]bool, last+1)
	for _, n := range b {
		has[n] = true
	}
	var at []int
	for i, n := range a {
		if n <= last && has[n] {
			at = append(at, i)
		} else {
			changed[i] = true
		}
	}
	return at
}

func pick(a, at []int) []int {
	out := make([]int, len(at))
	for i, p := range at {
		out[i] = a[p]
	}
	return out
}

// region marks what changed between a[a0:a1] and b[b0:b1].
func (d *differ) region(a0, a1, b0, b1 int) {
	for {
		for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
			a0++
			b0++
		}
		for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
			a1--
			b1--
		}
		if a0 == a1 || b0 == b1 {
			d.mark(a0, a1, b0, b1)
			return
		}
		x, y, ok := d.middle(a0, a1, b0, b1)
		if !ok || x == a0 && y == b0 || x == a1 && y == b1 {
			d.mark(a0, a1, b0, b1)
			return
		}
		d.region(a0, x, b0, y)
		a0, b0 = x, y
	}
}

func (d *differ) mark(a0, a1, b0, b1 int) {
	for ; a0 < a1; a0++ {
		d.changedA[a0] = true
	}
	for ; b0 < b1; b0++ {
		d.changedB[b0] = true
	}
}

// middle is a point on a shortest way through the region, found from both ends at once; false if that would take more
// than is left of the budget. A diagonal k is x-y. forth holds the furthest x from the start on each, back the nearest
// from the end; beyond the diagonals reached so far stands a value that no way continues.
func (d *differ) middle(a0, a1, b0, b1 int) (x, y int, ok bool) {
	const far = int(^uint(0) >> 1)
	n, m := a1-a0, b1-b0
	a, b := d.a[a0:a1], d.b[b0:b1]
	delta := n - m
	odd := delta&1 != 0
	f, g, at := d.forth, d.back, m+1 // f[k+at] is for diagonal k
	fmin, fmax, gmin, gmax := 0, 0, delta, delta
	f[at], g[delta+at] = 0, n
	for {
		if d.work -= fmax - fmin + gmax - gmin + 4; d.work < 0 {
			return 0, 0, false
		}
		fmin, fmax = widen(f, at, fmin, fmax, -m, n, -1)
		for k := fmax; k >= fmin; k -= 2 {
			i := max(f[at+k-1]+1, f[at+k+1])
			for i < n && i-k >= 0 && i-k < m && a[i] == b[i-k] {
				i++
			}
			f[at+k] = i
			if odd && k >= gmin && k <= gmax && g[at+k] <= i {
				return a0 + i, b0 + i - k, i <= n && i >= k && i-k <= m
			}
		}
		gmin, gmax = widen(g, at, gmin, gmax, -m, n, far)
		for k := gmax; k >= gmin; k -= 2 {
			i := min(g[at+k-1], g[at+k+1]-1)
			for i > 0 && i <= n && i-k > 0 && i-k <= m && a[i-1] == b[i-k-1] {
				i--
			}
			g[at+k] = i
			if !odd && k >= fmin && k <= fmax && i <= f[at+k] {
				return a0 + i, b0 + i - k, i >= 0 && i >= k && i-k <= m
			}
		}
	}
}

// widen adds a diagonal on either side, or at the edge of the region takes one away.
func widen(v []int, at, lo, hi, least, most, none int) (int, int) {
	if lo > least {
		lo--
		v[at+lo-1] = none
	} else {
		lo++
	}
	if hi < most {
		hi++
		v[at+hi+1] = none
	} else {
		hi--
	}
	return lo, hi
}
