package page

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file offers names that are close to one that does not exist. First every name is scored by the pairs of bytes
// that it shares with the wanted one, which costs some nanoseconds a byte; then the best few are looked at closely.

const (
	likeCandidates = 64
	likeLongest    = 200 // bytes of a name that are compared
)

type scored struct {
	path  Path
	name  string
	score float64
}

// Like lists at most limit pages whose names are close to the address, best first: what a 404 offers.
func (n *Names) Like(address string, limit int) []Path {
	want := looseBase(stripExt(strings.Trim(address, "/")))
	want = want[:min(len(want), likeLongest)]
	if want == "" || limit <= 0 {
		return nil
	}
	var pairs [1 << 10]uint64
	total := 0
	eachPair(want, func(h uint16) {
		pairs[h>>6] |= 1 << (h & 63)
		total++
	})

	// rough keeps the best candidates; once full it is cut back to them each time that it has doubled.
	var rough []scored
	floor := 0.3
	byScore := func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), better(a.path, b.path))
	}
	for _, run := range n.base.runs {
		for _, e := range run {
			name := e.key[:min(len(e.key), likeLongest)]
			if name == "" {
				continue
			}
			shared, size := 0, len(name)+1
			if 2*float64(min(size, total)) <= floor*float64(size+total) {
				continue // even if it shared all its pairs
			}
			prev := uint16(0)
			for i := range len(name) {
				h := prev<<8 | uint16(name[i])
				shared += int(pairs[h>>6] >> (h & 63) & 1)
				prev = uint16(name[i])
			}
			h := prev << 8
			shared += int(pairs[h>>6] >> (h & 63) & 1)
			score := 2 * float64(shared) / float64(size+total)
			if score <= floor || !e.path.IsPage() || e.path.Hidden() || !e.path.Served() {
				continue
			}
			rough = append(rough, scored{e.path, name, score})
			if len(rough) == 2*likeCandidates {
				slices.SortFunc(rough, byScore)
				rough = rough[:likeCandidates]
				floor = rough[likeCandidates-1].score
			}
		}
	}

	dir := loose(dirOf(address))
	for i := range rough {
		r := &rough[i]
		longer := max(utf8.RuneCountInString(want), utf8.RuneCountInString(r.name))
		typos := 1 - float64(distance(want, r.name))/float64(longer)
		r.score = max(typos, contained(want, r.name))
		if loose(r.path.Dir()) == dir {
			r.score += 0.05
		}
	}
	slices.SortFunc(rough, byScore)
	var out []Path
	for _, r := range rough {
		if len(out) == limit || r.score < 0.5 {
			break
		}
		if !slices.Contains(out, r.path) {
			out = append(out, r.path)
		}
	}
	return out
}

// eachPair calls f for each pair of neighbouring bytes, with a zero byte at either end.
func eachPair(s string, f func(uint16)) {
	prev := uint16(0)
	for i := range len(s) {
		f(prev<<8 | uint16(s[i]))
		prev = uint16(s[i])
	}
	f(prev << 8)
}

// contained scores the share of the words of the shorter name that the longer one has, up to 0.9.
func contained(a, b string) float64 {
	x, y := strings.FieldsFunc(a, isDash), strings.FieldsFunc(b, isDash)
	if len(x) > len(y) {
		x, y = y, x
	}
	same, size := 0, 0
	for _, w := range x {
		size += len(w)
		if slices.Contains(y, w) {
			same += len(w)
		}
	}
	if size < 3 {
		return 0
	}
	return 0.9 * float64(same) / float64(size)
}

func isDash(r rune) bool { return r == '-' || r == '.' || r == ',' }

// distance is the number of runes to insert, remove, replace or swap with their neighbour that make a of b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
