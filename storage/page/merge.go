package page

import (
	"bytes"
	"slices"
	"strings"
)

// This file merges. The laws, which are fuzzed:
//
//	Merge(b, b, x) = x, Merge(b, x, b) = x, Merge(b, x, x) = x, all clean
//	sides swapped: clean alike, and the same text if clean
//	a line that both kept is in the result
//
// As in git, changes that touch conflict: two of the same line, of neighbouring lines, two insertions at one place. The
// one exception is a paragraph that somebody has wrapped anew: see rewrap.go.

// Merged is what Merge makes of two edits of one base: the whole text in blocks, in order. It never changes.
type Merged struct {
	Blocks []Block
	eol    string
	mark   string // the byte order mark of both edits, which is in no block
}

// Block is a stretch of a merged text. Its texts are whole lines; only the last of a text may lack its line end.
type Block struct {
	Conflict bool   // both sides changed these lines, and somebody has to choose
	Text     string // what is settled, if there is no conflict

	// What there is to choose from. An empty one means that the lines are not there on that side.
	Base, Mine, Theirs string
	// Joined has the changed words of both sides, where they changed different words of the same text; "" where they did
	// not. It is a proposal for somebody to read, since each change may be right and both together nonsense.
	Joined string

	apart bool // each side is a whole paragraph, and stays one where both are kept
}

// Choice says what is kept where both sides changed the same lines.
type Choice int

// The choices. The first one, which counts where nobody has chosen, loses nothing.
const (
	KeepBoth Choice = iota // mine, then theirs
	KeepMine
	KeepTheirs
	KeepJoined // Block.Joined; both where there is none
)

// Merge merges two edits of one base by lines. Its work is bounded: half a second for texts of a megabyte whose lines
// have all been changed on both sides.
func Merge(base, mine, theirs []byte) Merged {
	mark := []byte("\ufeff")
	marked := bytes.HasPrefix(mine, mark) && bytes.HasPrefix(theirs, mark)
	if marked {
		base, mine, theirs = bytes.TrimPrefix(base, mark), mine[len(mark):], theirs[len(mark):]
	}
	w := merging{
		base: side{text: base, lines: cutLines(base)}, mine: side{text: mine, lines: cutLines(mine)},
		theirs: side{text: theirs, lines: cutLines(theirs)}, room: wordRoom,
	}
	b, m, t := w.base.lines, w.mine.lines, w.theirs.lines
	if marked {
		w.out.mark = string(mark)
	}
	w.out.eol = "\n"
	if len(m) > 0 && strings.HasSuffix(m[0], "\r\n") {
		w.out.eol = "\r\n"
	}
	threeWay(b, m, t, diffWork, func(r region) {
		switch {
		case !r.theirs:
			w.settle(m[r.m0:r.m1])
		case !r.mine || slices.Equal(m[r.m0:r.m1], t[r.t0:r.t1]):
			w.settle(t[r.t0:r.t1])
		default:
			w.both(r)
		}
	})
	w.flush()
	return w.out
}

// Conflicts is how many blocks somebody has to choose in; the text is clean when it is 0.
func (m Merged) Conflicts() int {
	n := 0
	for _, b := range m.Blocks {
		if b.Conflict {
			n++
		}
	}
	return n
}

// Text is the whole text, with one choice for each conflict in order; where none is given both versions are kept.
func (m Merged) Text(choices ...Choice) []byte {
	out := joiner{eol: m.eol}
	out.text.WriteString(m.mark)
	for _, b := range m.Blocks {
		if !b.Conflict {
			out.add(b.Text)
			continue
		}
		choice := KeepBoth
		if len(choices) > 0 {
			choice, choices = choices[0], choices[1:]
		}
		switch {
		case choice == KeepMine:
			out.add(b.Mine)
		case choice == KeepTheirs:
			out.add(b.Theirs)
		case choice == KeepJoined && b.Joined != "":
			out.add(b.Joined)
		default:
			out.add(b.Mine)
			if b.apart {
				out.add(m.eol)
			}
			out.add(b.Theirs)
		}
	}
	return []byte(out.text.String())
}

// Marked is the whole text with both versions of each conflict between git's marks, mine first.
func (m Merged) Marked(mineLabel, theirsLabel string) []byte {
	out := joiner{eol: m.eol}
	out.text.WriteString(m.mark)
	mark := func(sign, label string) {
		out.add(strings.TrimSpace(sign+" "+strings.Join(strings.Fields(label), " ")) + m.eol)
	}
	for _, b := range m.Blocks {
		if !b.Conflict {
			out.add(b.Text)
			continue
		}
		mark("<<<<<<<", mineLabel)
		out.add(b.Mine)
		mark("=======", "")
		out.add(b.Theirs)
		mark(">>>>>>>", theirsLabel)
	}
	return []byte(out.text.String())
}

// joiner puts texts of whole lines together; one that lacks its last line end gets it when another follows.
type joiner struct {
	text strings.Builder
	eol  string
	open bool
}

func (j *joiner) add(s string) {
	if s == "" {
		return
	}
	if j.open {
		j.text.WriteString(j.eol)
	}
	j.text.WriteString(s)
	j.open = !strings.HasSuffix(s, "\n")
}

// region is a stretch of three texts that neither side changed, or one, or both.
type region struct {
	b0, b1, m0, m1, t0, t1 int
	mine, theirs           bool // changed it
}

// threeWay calls f for all stretches of three texts in order. Where a side has changed something, the stretch is that
// change with all changes of the other side that overlap or touch it.
func threeWay(b, m, t []string, work int, f func(region)) {
	n := number(b, m, t)
	left, right := compare(n[0], n[1], work), compare(n[0], n[2], work)
	at := region{}
	for len(left) > 0 || len(right) > 0 {
		lo := len(b)
		if len(left) > 0 {
			lo = left[0].a0
		}
		if len(right) > 0 {
			lo = min(lo, right[0].a0)
		}
		same := lo - at.b1
		at = region{b0: at.b1, b1: lo, m0: at.m1, m1: at.m1 + same, t0: at.t1, t1: at.t1 + same}
		if same > 0 {
			f(at)
		}
		at = region{b0: at.b1, b1: at.b1, m0: at.m1, m1: at.m1, t0: at.t1, t1: at.t1}
		mAt, tAt := at.b1, at.b1 // places in b that at.m1 and at.t1 stand for
		for {
			if len(left) > 0 && left[0].a0 <= at.b1 {
				c := left[0]
				at.b1, at.m1, mAt, at.mine, left = max(at.b1, c.a1), c.b1, c.a1, true, left[1:]
			} else if len(right) > 0 && right[0].a0 <= at.b1 {
				c := right[0]
				at.b1, at.t1, tAt, at.theirs, right = max(at.b1, c.a1), c.b1, c.a1, true, right[1:]
			} else {
				break
			}
		}
		at.m1 += at.b1 - mAt
		at.t1 += at.b1 - tAt
		f(at)
	}
	if at.b1 < len(b) {
		f(region{b0: at.b1, b1: len(b), m0: at.m1, m1: len(m), t0: at.t1, t1: len(t)})
	}
}

// cleanly merges pieces of three texts, if no two changes touch.
func cleanly(b, m, t []string, work int) (out []string, clean bool) {
	clean = true
	threeWay(b, m, t, work, func(r region) {
		switch {
		case !r.theirs:
			out = append(out, m[r.m0:r.m1]...)
		case !r.mine || slices.Equal(m[r.m0:r.m1], t[r.t0:r.t1]):
			out = append(out, t[r.t0:r.t1]...)
		default:
			clean = false
		}
	})
	return out, clean
}

// side is one of the three texts of a merge.
type side struct {
	text  []byte
	lines []string
	marks []lineKind // of the lines, once somebody has asked
}

func (s *side) kinds(from, to int) []lineKind {
	if s.marks == nil {
		s.marks = kinds(s.text, s.lines)
	}
	return s.marks[from:to]
}

// merging is a merge on its way.
type merging struct {
	base, mine, theirs side
	out                Merged
	settled            []string // lines that have not become a block yet
	room               int      // bytes whose words may still be compared
}

func (w *merging) settle(lines []string) { w.settled = append(w.settled, lines...) }

func (w *merging) flush() {
	if len(w.settled) > 0 {
		w.out.Blocks = append(w.out.Blocks, Block{Text: strings.Join(w.settled, "")})
		w.settled = w.settled[:0]
	}
}

// both settles what both sides changed, or leaves it as a conflict. Lines that both made alike at its ends are not in
// dispute.
func (w *merging) both(r region) {
	b, m, t := w.base.lines[r.b0:r.b1], w.mine.lines[r.m0:r.m1], w.theirs.lines[r.t0:r.t1]
	if lines, ok := w.rewrapped(r); ok {
		w.settle(lines)
		return
	}
	head := 0
	for head < len(m) && head < len(t) && m[head] == t[head] {
		head++
	}
	tail := 0
	for tail < len(m)-head && tail < len(t)-head && m[len(m)-1-tail] == t[len(t)-1-tail] {
		tail++
	}
	rest := m[len(m)-tail:]
	w.settle(m[:head])
	w.flush()
	r.m0, r.m1, r.t0, r.t1 = r.m0+head, r.m1-tail, r.t0+head, r.t1-tail
	w.out.Blocks = append(w.out.Blocks, Block{
		Conflict: true,
		Base:     strings.Join(b, ""), Mine: strings.Join(m[head:len(m)-tail], ""), Theirs: strings.Join(t[head:len(t)-tail], ""),
		Joined: w.joined(r),
		apart:  w.mine.paragraph(r.m0, r.m1) && w.theirs.paragraph(r.t0, r.t1),
	})
	w.settle(rest)
}
