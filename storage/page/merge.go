package page

import (
	"slices"
	"strings"
)

// This file merges. The laws, which are fuzzed:
//
//	Merge(b, b, x) = x, Merge(b, x, b) = x, Merge(b, x, x) = x, all clean
//	sides swapped: clean alike, and the same text if clean
//	a line that both kept is in the result
//
// As in git, changes that touch conflict: two of the same line, of neighbouring lines, two insertions at one place.

// Merge merges two edits of one base by lines. When both changed the same lines, clean is false and text holds both
// versions between git's conflict marks, mine first, labelled by mineLabel and theirsLabel.
func Merge(base, mine, theirs []byte, mineLabel, theirsLabel string) (text []byte, clean bool) {
	b, m, t := cutLines(base), cutLines(mine), cutLines(theirs)
	n := number(b, m, t)
	left, right := compare(n[0], n[1], diffWork), compare(n[0], n[2], diffWork)
	out := merged{eol: "\n", mine: mineLabel, theirs: theirsLabel, clean: true}
	if len(m) > 0 && strings.HasSuffix(m[0], "\r\n") {
		out.eol = "\r\n"
	}
	at, ml, tl := 0, 0, 0 // how far the result has come in base, mine, theirs
	for len(left) > 0 || len(right) > 0 {
		// A region is a change with all changes of the other side that overlap or touch it.
		lo := len(b)
		if len(left) > 0 {
			lo = left[0].a0
		}
		if len(right) > 0 {
			lo = min(lo, right[0].a0)
		}
		hi := lo
		mEnd, tEnd := ml+lo-at, tl+lo-at
		m0, t0 := mEnd, tEnd
		mAt, tAt := lo, lo // places in base that mEnd and tEnd stand for
		mChanged, tChanged := false, false
		for {
			if len(left) > 0 && left[0].a0 <= hi {
				c := left[0]
				hi, mEnd, mAt, mChanged, left = max(hi, c.a1), c.b1, c.a1, true, left[1:]
			} else if len(right) > 0 && right[0].a0 <= hi {
				c := right[0]
				hi, tEnd, tAt, tChanged, right = max(hi, c.a1), c.b1, c.a1, true, right[1:]
			} else {
				break
			}
		}
		mEnd, tEnd = mEnd+hi-mAt, tEnd+hi-tAt
		out.add(b[at:lo])
		switch ours, other := m[m0:mEnd], t[t0:tEnd]; {
		case !tChanged:
			out.add(ours)
		case !mChanged:
			out.add(other)
		default:
			out.both(ours, other)
		}
		at, ml, tl = hi, mEnd, tEnd
	}
	out.add(b[at:])
	return []byte(out.text.String()), out.clean
}

type merged struct {
	text              strings.Builder
	eol, mine, theirs string
	clean             bool
	open              bool // the last line has no end
}

func (o *merged) add(lines []string) {
	for _, s := range lines {
		if o.open {
			o.text.WriteString(o.eol)
		}
		o.text.WriteString(s)
		o.open = !strings.HasSuffix(s, "\n")
	}
}

// both adds what both sides made of one region. Lines that both made alike at its ends are not in dispute.
func (o *merged) both(mine, theirs []string) {
	head := 0
	for head < len(mine) && head < len(theirs) && mine[head] == theirs[head] {
		head++
	}
	o.add(mine[:head])
	mine, theirs = mine[head:], theirs[head:]
	if slices.Equal(mine, theirs) {
		return
	}
	tail := 0
	for tail < len(mine) && tail < len(theirs) && mine[len(mine)-1-tail] == theirs[len(theirs)-1-tail] {
		tail++
	}
	o.clean = false
	o.mark("<<<<<<<", o.mine)
	o.add(mine[:len(mine)-tail])
	o.mark("=======", "")
	o.add(theirs[:len(theirs)-tail])
	o.mark(">>>>>>>", o.theirs)
	o.add(mine[len(mine)-tail:])
}

func (o *merged) mark(sign, label string) {
	label = strings.Join(strings.Fields(label), " ")
	o.add([]string{strings.TrimSpace(sign+" "+label) + o.eol})
}
