package page

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		name, base, mine, theirs, want string
		clean                          bool
	}{
		{"apart", "a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", "A\nb\nc\nD\n", true},
		{"same change", "a\nb\n", "a\nB\n", "a\nB\n", "a\nB\n", true},
		{"same line", "a\nb\n", "a\nB\n", "a\nC\n", "a\n<<<<<<< me\nB\n=======\nC\n>>>>>>> them\n", false},
		{"neighbouring lines", "a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n", "<<<<<<< me\nA\nb\n=======\na\nB\n>>>>>>> them\nc\n", false},
		{"a line between", "a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n", true},
		{"both insert", "a\nb\n", "a\nm\nb\n", "a\nt\nb\n", "a\n<<<<<<< me\nm\n=======\nt\n>>>>>>> them\nb\n", false},
		{"both begin", "", "m\n", "t\n", "<<<<<<< me\nm\n=======\nt\n>>>>>>> them\n", false},
		{"remove and change", "a\nb\nc\n", "a\nc\n", "a\nB\nc\n", "a\n<<<<<<< me\n=======\nB\n>>>>>>> them\nc\n", false},
		{"CRLF", "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n", true},
		{"CRLF conflict", "a\r\n", "b\r\n", "c\r\n", "<<<<<<< me\r\nb\r\n=======\r\nc\r\n>>>>>>> them\r\n", false},
		{"no final newline", "a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC", true},
		{"final newline added", "a\nb\nc", "a\nb\nc\n", "A\nb\nc", "A\nb\nc\n", true},
		{"conflict at an open end", "a", "b", "c", "<<<<<<< me\nb\n=======\nc\n>>>>>>> them\n", false},
		{"same beginning", "a\n", "x\nm\n", "x\nt\n", "x\n<<<<<<< me\nm\n=======\nt\n>>>>>>> them\n", false},
		{"a byte order mark", "\ufeffa\n", "\ufeffm\n", "\ufefft\n", "\ufeff<<<<<<< me\nm\n=======\nt\n>>>>>>> them\n", false},
		{"a mark and a line before", "\ufeffa\n\nb\n", "\ufeffnew\na\n\nb\n", "\ufeffa\n\nB\n", "\ufeffnew\na\n\nB\n", true},
		{"a mark taken away", "\ufeffa\nb\nc\n", "a\nb\nc\n", "\ufeffa\nb\nC\n", "a\nb\nC\n", true},
		{"both empty it", "a\n", "", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			merged := Merge([]byte(tt.base), []byte(tt.mine), []byte(tt.theirs))
			got, clean := merged.Marked("me", "them"), merged.Conflicts() == 0
			if string(got) != tt.want || clean != tt.clean {
				t.Errorf("got %v\n%q\nwant %v\n%q", clean, got, tt.clean, tt.want)
			}
		})
	}
}

func FuzzMerge(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nB\nc\n", "a\nb\nC\n")
	f.Add("a\r\nb", "", "a\r\nb\r\n")
	f.Add("\ufeffa\nb", "\ufeffb", "\ufeff")
	f.Add("a\na\na\nb\n", "a\nb\na\n", "b\na\na\na")
	f.Add("a b\nc d\ne f\n", "a B c\nd e f\n", "a b\nc d\ne F")
	f.Add("a b\n\nc d\ne f g\nh", "a\nb\n\nc d e\nf g h", "a b\n\nc D\ne f g\nH")
	f.Add("```\na b\nc d\n```\n- e f\ng h\n", "```\na b c\nd\n```\n- e f g\nh\n", "```\na B\nc d\n```\n- e f\ng H\n")
	f.Fuzz(func(t *testing.T, base, mine, theirs string) {
		merge := func(b, m, o string) (string, bool) {
			merged := Merge([]byte(b), []byte(m), []byte(o))
			return string(merged.Marked("m", "t")), merged.Conflicts() == 0
		}
		for _, law := range []struct{ name, b, m, t, want string }{
			{"b b x", base, base, theirs, theirs}, {"b x b", base, mine, base, mine}, {"b x x", base, mine, mine, mine},
		} {
			if got, clean := merge(law.b, law.m, law.t); got != law.want || !clean {
				t.Fatalf("%s: got %v %q, want %q", law.name, clean, got, law.want)
			}
		}
		got, clean := merge(base, mine, theirs)
		mirror, same := merge(base, theirs, mine)
		if clean != same || clean && got != mirror {
			t.Fatalf("got %v %q, mirrored %v %q", clean, got, same, mirror)
		}
		// Whoever gives way everywhere gets the other text back where it collides, and the rest merged; a block is whole lines.
		merged := Merge([]byte(base), []byte(mine), []byte(theirs))
		swapped := Merge([]byte(base), []byte(theirs), []byte(mine))
		ours, others := make([]Choice, merged.Conflicts()), make([]Choice, merged.Conflicts())
		for i := range ours {
			ours[i], others[i] = KeepMine, KeepTheirs
		}
		if a, b := merged.Text(ours...), swapped.Text(others...); merged.eol == swapped.eol && string(a) != string(b) {
			t.Fatalf("all mine is %q, mirrored %q", a, b)
		}
		for i, b := range merged.Blocks {
			for _, s := range []string{b.Text, b.Base, b.Mine, b.Theirs, b.Joined} {
				if s != "" && !strings.HasSuffix(s, "\n") && !b.Conflict && i+1 < len(merged.Blocks) {
					t.Fatalf("block %d is no whole lines: %q", i, s)
				}
			}
			if b.Conflict && (b.Text != "" || b.Mine == b.Theirs) || !b.Conflict && b.Text == "" {
				t.Fatalf("block %d is %+v", i, b)
			}
		}

		// What both kept is in the result at least as often as in the side that has it less often.
		count := func(s string) map[string]int {
			m := map[string]int{}
			for _, l := range cutLines([]byte(s)) {
				m[strings.TrimRight(l, "\r\n")]++
			}
			return m
		}
		n := number(cutLines([]byte(base)), cutLines([]byte(mine)), cutLines([]byte(theirs)))
		kept := map[string]int{}
		gone := make([]bool, len(n[0]))
		for _, side := range n[1:] {
			for _, c := range compare(n[0], side, diffWork) {
				for i := c.a0; i < c.a1; i++ {
					gone[i] = true
				}
			}
		}
		for i, l := range cutLines([]byte(base)) {
			if !gone[i] {
				kept[strings.TrimRight(l, "\r\n")]++
			}
		}
		have := count(got)
		for l, want := range kept {
			if have[l] < want {
				t.Fatalf("line %q: got %d, want %d in %q", l, have[l], want, got)
			}
		}
	})
}

func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nB c\nc\nd")
	f.Fuzz(func(t *testing.T, a, b string) {
		old, fresh := cutLines([]byte(a)), cutLines([]byte(b))
		i, j := 0, 0
		var back bytes.Buffer
		for _, h := range Diff([]byte(a), []byte(b)) {
			for ; i < h.OldStart-1; i, j = i+1, j+1 {
				back.WriteString(old[i])
			}
			if j != h.NewStart-1 {
				t.Fatalf("hunk begins at %d, want %d", h.NewStart, j+1)
			}
			for _, l := range h.Lines {
				var text strings.Builder
				for _, s := range l.Spans {
					text.WriteString(s.Text)
				}
				if !l.NoEOL {
					text.WriteByte('\n')
				}
				want := ""
				if l.Op != '+' {
					want = old[i]
					i++
				}
				if l.Op != '-' {
					want = fresh[j]
					j++
					back.WriteString(text.String())
				}
				if text.String() != want {
					t.Fatalf("got line %q, want %q", text.String(), want)
				}
			}
		}
		for ; i < len(old); i++ {
			back.WriteString(old[i])
		}
		if back.String() != b {
			t.Fatalf("got %q, want %q", back.String(), b)
		}
		hunks, old2 := Diff([]byte(a), []byte(b)), []byte(b)
		for i := len(hunks) - 1; i >= 0; i-- {
			old2 = hunks[i].Back(old2)
		}
		if string(old2) != a {
			t.Fatalf("all of %q put back is %q, want %q", b, old2, a)
		}
		removed, added, with := 0, 0, map[[2]int]int{}
		for _, h := range hunks {
			for _, l := range h.Lines {
				switch {
				case l.Op == '-':
					removed++
					with[[2]int{l.Old, l.With}]++
				case l.Op == '+':
					added++
					with[[2]int{l.With, l.New}]++
				case l.With != 0:
					t.Fatalf("a line that is the same took the place of %d", l.With)
				}
			}
		}
		for pair, n := range with {
			if pair[0] != 0 && pair[1] != 0 && n != 2 {
				t.Fatalf("lines %v took one another's place on one side only", pair)
			}
		}
		if r, n := Count([]byte(a), []byte(b)); r != removed || n != added {
			t.Fatalf("%d removed, %d added, want %d, %d", r, n, removed, added)
		}
	})
}

func TestPutBack(t *testing.T) {
	const old, now = "a\n1\n2\n3\n4\n5\n6\n7\nb\nc", "A\n1\n2\n3\n4\n5\n6\n7\nc\nd\n"
	hunks := Diff([]byte(old), []byte(now))
	if len(hunks) != 2 {
		t.Fatalf("%d hunks, want 2", len(hunks))
	}
	for i, want := range []string{"a\n1\n2\n3\n4\n5\n6\n7\nc\nd\n", "A\n1\n2\n3\n4\n5\n6\n7\nb\nc"} {
		if got := hunks[i].Back([]byte(now)); string(got) != want {
			t.Errorf("hunk %d put back: %q, want %q", i+1, got, want)
		}
	}
}

func TestAbove(t *testing.T) {
	const text = "# One #\n\ntext\n```\n# no\n```\n## Two and C#\n#tag\nmore\n"
	above := Above([]byte(text))
	for line, want := range map[int]string{1: "", 2: "One", 6: "One", 7: "One", 8: "Two and C#", 9: "Two and C#", 99: "Two and C#"} {
		if got := above(line); got != want {
			t.Errorf("above line %d stands %q, want %q", line, got, want)
		}
	}
}

func TestDiff(t *testing.T) {
	show := func(hunks []Hunk) string {
		var b strings.Builder
		for _, h := range hunks {
			fmt.Fprintf(&b, "@%d,%d\n", h.OldStart, h.NewStart)
			for _, l := range h.Lines {
				b.WriteByte(l.Op)
				for _, s := range l.Spans {
					if s.Changed {
						b.WriteString("{" + s.Text + "}")
					} else {
						b.WriteString(s.Text)
					}
				}
				b.WriteString("\n")
			}
		}
		return b.String()
	}
	for _, tt := range []struct{ name, a, b, want string }{
		{"same", "a\n", "a\n", ""},
		{"words", "the quick fox\n", "the slow fox\n", "@1,1\n-the {quick} fox\n+the {slow} fox\n"},
		{"too different", "abc def\n", "xyz uvw\n", "@1,1\n-abc def\n+xyz uvw\n"},
		{"insertion before a change", "the quick fox\n", "new\nthe slow fox\n", "@1,1\n-the {quick} fox\n+new\n+the {slow} fox\n"},
		{"context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n", "@2,2\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(Diff([]byte(tt.a), []byte(tt.b))); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestMarked(t *testing.T) {
	for _, tt := range []struct{ name, text, other, want string }{
		{"words", "a\nthe quick fox\nz\n", "a\nthe slow fox\nz\n", "a|the {quick} fox|z|"},
		{"words side by side", "it is in the last week\n", "it is on a first week\n", "it is {in the last} week|"},
		{"a new line", "a\nb\n", "a\n", "a|{b}|"},
		{"nothing alike", "abc def\n", "xyz\n", "{abc def}|"},
		{"only shorter", "the fox\n", "the quick fox\n", "the fox|"},
		{"an empty line", "", "a\n", ""},
		{"CRLF", "a b\r\n", "a c\r\n", "a {b}|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			for _, line := range Marked(tt.text, tt.other) {
				for _, s := range line {
					if s.Changed {
						b.WriteString("{" + s.Text + "}")
					} else {
						b.WriteString(s.Text)
					}
				}
				b.WriteString("|")
			}
			if b.String() != tt.want {
				t.Errorf("got %q, want %q", b.String(), tt.want)
			}
		})
	}
}

// A megabyte of which every line changed is compared in bounded time, whatever its lines have in common.
func TestBoundedWork(t *testing.T) {
	const size = 1 << 20
	pattern := func(mul int) []byte {
		var b bytes.Buffer
		for i := 1; b.Len() < size; i++ {
			fmt.Fprintf(&b, "%d\n", (i*i*mul+i)%997)
		}
		return b.Bytes()
	}
	mixed := func(step int) []byte { // a million lines of two kinds, in no order
		var b bytes.Buffer
		for i := uint32(step); b.Len() < size; i = i*1664525 + 1013904223 {
			b.WriteString([]string{"\n", "a\n"}[i>>30&1])
		}
		return b.Bytes()[:size]
	}
	for name, tt := range map[string][3][]byte{
		"short lines":       {mixed(1), mixed(2), mixed(3)},
		"no line in common": {bytes.Repeat([]byte("a\n"), size/2), bytes.Repeat([]byte("b\n"), size/2), bytes.Repeat([]byte("c\n"), size/2)},
		"shuffled":          {pattern(1), pattern(3), pattern(7)},
		"one line":          {bytes.Repeat([]byte("a b "), size/4), bytes.Repeat([]byte("a c "), size/4), bytes.Repeat([]byte("d "), size/2)},
	} {
		t.Run(name, func(t *testing.T) {
			start := busy(t)
			Merge(tt[0], tt[1], tt[2])
			merged := busy(t) - start
			Diff(tt[0], tt[1])
			t.Logf("merge %v, diff %v", merged, busy(t)-start-merged)
			if busy(t)-start > 30*time.Second {
				t.Errorf("took %v", busy(t)-start)
			}
		})
	}
}
