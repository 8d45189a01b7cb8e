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
		{"both empty it", "a\n", "", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, clean := Merge([]byte(tt.base), []byte(tt.mine), []byte(tt.theirs), "me", "them")
			if string(got) != tt.want || clean != tt.clean {
				t.Errorf("got %v\n%q\nwant %v\n%q", clean, got, tt.clean, tt.want)
			}
		})
	}
}

func FuzzMerge(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nB\nc\n", "a\nb\nC\n")
	f.Add("a\r\nb", "", "a\r\nb\r\n")
	f.Add("a\na\na\nb\n", "a\nb\na\n", "b\na\na\na")
	f.Fuzz(func(t *testing.T, base, mine, theirs string) {
		merge := func(b, m, o string) (string, bool) {
			got, clean := Merge([]byte(b), []byte(m), []byte(o), "m", "t")
			return string(got), clean
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
	})
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
			start := time.Now()
			Merge(tt[0], tt[1], tt[2], "m", "t")
			merged := time.Since(start)
			Diff(tt[0], tt[1])
			t.Logf("merge %v, diff %v", merged, time.Since(start)-merged)
			if time.Since(start) > 30*time.Second {
				t.Errorf("took %v", time.Since(start))
			}
		})
	}
}
