package page

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A paragraph that somebody has wrapped anew merges as if nobody had, and nothing else does.
func TestMergeRewrapped(t *testing.T) {
	const base = "The office opens at nine\nand closes at five. On\nFridays it closes at four,\nso that all can go home.\n"
	for _, tt := range []struct{ name, base, mine, theirs, want string }{
		{"mine only wrapped", base,
			"The office opens at nine and closes at five.\nOn Fridays it closes at four, so that all can go home.\n",
			"The office opens at nine\nand closes at six. On\nFridays it closes at four,\nso that all can go home.\n",
			"The office opens at nine and closes at six.\nOn Fridays it closes at four, so that all can go home.\n"},
		{"mine wrapped and changed elsewhere", base,
			"The small office opens\nat nine and closes at\nfive. On Fridays it\ncloses at four, so that\nall can go home.\n",
			"The office opens at nine\nand closes at five. On\nFridays it closes at four,\nso that everybody can go home.\n",
			"The small office opens\nat nine and closes at\nfive. On Fridays it\ncloses at four, so that\neverybody can go home.\n"},
		{"both wrapped", base,
			"The small office opens at nine and closes\nat five. On Fridays it closes at four, so that all can go home.\n",
			"The office opens\nat nine and closes at five. On Fridays it closes at four, so\nthat everybody can go home.\n",
			"The small office opens at nine\nand closes at five. On\nFridays it closes at four,\nso that everybody can go home.\n"},
		{"both wrapped alike", "a b c d\ne f g h\n", "a b\nc d\ne f\ng h\n", "a b\nc d\ne f\ng h\n", "a b\nc d\ne f\ng h\n"},
		{"the same line, wrapped", base,
			"The small office\nopens at nine and closes at five. On Fridays it closes at four,\nso that all can go home.\n",
			"The office opens at ten\nand closes at five. On\nFridays it closes at four,\nso that all can go home.\n", ""},
		{"neighbouring lines, wrapped", base,
			"The small office opens at nine and closes at five.\nOn Fridays it closes at four, so that all can go home.\n",
			"The office opens at nine\nand closes at six. On\nFridays it closes at four,\nso that all can go home.\n", ""},
		{"not wrapped", "one two three\n", "one 2 three\n", "one two 3\n", ""},
		{"a word removed at the end of a line", "a b c\nd e f\ng h i\n", "a b\nd e f g h i\n", "a b c\nd e f\ng h I\n", "a b\nd e f g h I\n"},
		{"CRLF", "a b\r\nc d\r\ne f\r\n", "a b c\r\nd e f\r\n", "a b\r\nc d\r\ne F\r\n", "a b c\r\nd e F\r\n"},
		{"no final newline", "a b\nc d\ne f", "a b c\nd e f", "a b\nc d\ne F", "a b c\nd e F"},
		{"over two paragraphs", "a b\nc d\n\ne f\ng h\n", "a b c d\n\ne f g h\n", "a b\nc D\n\ne F\ng h\n", "a b c D\n\ne F g h\n"},
		{"paragraphs put together", "a b\nc d\n\ne f\ng h\n", "a b c d e f g h\n", "a b\nc D\n\ne F\ng h\n", ""},
		{"code", "```\na b\nc d\n```\n", "```\na b c\nd\n```\n", "```\na b\nc D\n```\n", ""},
		{"code on one side only", "a b\nc d\ne f\n", "```\na b c d\ne f\n```\n", "a b\nc d\ne F\n", ""},
		{"code by tabs", "\ta b\n\tc d\n\te f\n", "\ta b c d\n\te f\n", "\ta b\n\tc d\n\te F\n", ""},
		{"front matter", "---\na: b\nc: d\n---\n", "---\na: b c: d\n---\n", "---\na: b\nc: D\n---\n", ""},
		{"table", "a | b\n--|--\nc | d\n", "a | b --|-- c | d\n", "a | b\n--|--\nc | D\n", ""},
		{"list", "- a b\n- c d\n- e f\n", "- a b - c d\n- e f\n", "- a b\n- c d\n- e F\n", ""},
		{"numbered", "1. a b\n2. c d\n3. e f\n", "1. a b 2. c d\n3. e f\n", "1. a b\n2. c d\n3. e F\n", ""},
		{"quotation", "> a b\n> c d\n> e f\n", "> a b > c d\n> e f\n", "> a b\n> c d\n> e F\n", ""},
		{"HTML", "<pre>\na b\nc d\ne f\n</pre>\n", "<pre>\na b c d\ne f\n</pre>\n", "<pre>\na b\nc d\ne F\n</pre>\n", ""},
		{"formula", "$$\na b\nc d\ne f\n$$\n", "$$\na b c d\ne f\n$$\n", "$$\na b\nc d\ne F\n$$\n", ""},
		{"forced break", "a b  \nc d\ne f\n", "a b c d\ne f\n", "a b  \nc d\ne F\n", ""},
		{"heading", "# a b\nc d\ne f\n", "# a b c d\ne f\n", "# a b\nc d\ne F\n", ""},
		{"a line would become a list", "a b\nc - d\ne f\n", "a b c\n- d e f\n", "a b\nc - d\ne F\n", ""},
		{"no spaces to break at", "你好\n世界\n再见\n", "你好世界\n再见\n", "你好\n世界\n再見\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, sides := range [][2]string{{tt.mine, tt.theirs}, {tt.theirs, tt.mine}} {
				got := Merge([]byte(tt.base), []byte(sides[0]), []byte(sides[1]))
				switch {
				case tt.want == "" && got.Conflicts() == 0:
					t.Errorf("got %q, want a conflict", got.Text())
				case tt.want != "" && (got.Conflicts() != 0 || string(got.Text()) != tt.want):
					t.Errorf("got %q, want %q", got.Marked("me", "them"), tt.want)
				}
			}
		})
	}
}

// Whatever lines two people change and however they wrap: what collides is what would collide without wrapping, and no
// word is lost.
func TestMergeRewrappedAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		lines := make([][]string, 3+r.IntN(6))
		for i := range lines {
			for j := range 1 + r.IntN(7) {
				lines[i] = append(lines[i], fmt.Sprintf("w%dx%d", i, j))
			}
		}
		one, other := r.IntN(len(lines)), r.IntN(len(lines))
		write := func(wrap bool, changed ...int) string {
			var b strings.Builder
			width := 5 + r.IntN(60)
			for i, words := range lines {
				words = slices.Clone(words)
				for _, n := range changed {
					if n == i {
						words[len(words)/2] += fmt.Sprintf("new%dof%d", n, len(changed))
					}
				}
				for j, w := range words {
					b.WriteString(w)
					end := j == len(words)-1
					if wrap {
						end = b.Len()-strings.LastIndex(b.String(), "\n") > width
					}
					b.WriteString(map[bool]string{true: "\n", false: " "}[end])
				}
			}
			return strings.TrimSpace(b.String()) + "\n"
		}
		mineWraps := r.IntN(3) > 0
		base, mine, theirs := write(false), write(mineWraps, one), write(!mineWraps || r.IntN(2) > 0, other, other+100)
		got := Merge([]byte(base), []byte(mine), []byte(theirs))
		text := string(got.Text())
		if got.Conflicts() > 0 != (one-other <= 1 && other-one <= 1) {
			t.Fatalf("lines %d and %d changed: %d conflicts\n%s\n%s\n%s", one, other, got.Conflicts(), base, mine, theirs)
		}
		if got.Conflicts() == 0 {
			want := strings.Fields(base)
			for _, side := range []string{mine, theirs} {
				for i, w := range strings.Fields(side) {
					if strings.Contains(w, "new") {
						want[i] = w
					}
				}
			}
			if !slices.Equal(strings.Fields(text), want) {
				t.Fatalf("got %q, want the words %q", text, want)
			}
		}
	}
}

func TestMergeBlocks(t *testing.T) {
	for _, tt := range []struct {
		name, base, mine, theirs           string
		both, keepMine, keepTheirs, joined string
	}{
		{"a line in the middle", "a\nb\nc\n", "a\nB\nc\n", "a\nC\nc\n", "a\nB\nC\nc\n", "a\nB\nc\n", "a\nC\nc\n", ""},
		{"a whole paragraph", "a\n\nb\n\nc\n", "a\n\nB\n\nc\n", "a\n\nC\n\nc\n", "a\n\nB\n\nC\n\nc\n", "a\n\nB\n\nc\n", "a\n\nC\n\nc\n", ""},
		{"removed", "a\nb\nc\n", "a\nc\n", "a\nB\nc\n", "a\nB\nc\n", "a\nc\n", "a\nB\nc\n", ""},
		{"no final newline", "a\nb", "a\nB", "a\nC", "a\nB\nC", "a\nB", "a\nC", ""},
		{"other words", "the big red dog\n", "the small red dog\n", "the big red cat\n",
			"the small red dog\n\nthe big red cat\n", "the small red dog\n", "the big red cat\n", "the small red cat\n"},
		{"other words in a list", "- the big red dog\n", "- the small red dog\n", "- the big red cat\n",
			"- the small red dog\n- the big red cat\n", "- the small red dog\n", "- the big red cat\n", "- the small red cat\n"},
		{"other words, wrapped", "the big red dog\nbarks\n", "the small\nred dog barks\n", "the big red cat\nbarks\n",
			"the small\nred dog barks\n\nthe big red cat\nbarks\n", "the small\nred dog barks\n", "the big red cat\nbarks\n", "the small red cat\nbarks\n"},
		{"other words of code", "```\nif a == b {\n```\n", "```\nif x == b {\n```\n", "```\nif a == y {\n```\n",
			"```\nif x == b {\nif a == y {\n```\n", "```\nif x == b {\n```\n", "```\nif a == y {\n```\n", ""},
		{"the same words", "one two\n", "one 2\n", "one zwei\n", "one 2\n\none zwei\n", "one 2\n", "one zwei\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Merge([]byte(tt.base), []byte(tt.mine), []byte(tt.theirs))
			if m.Conflicts() != 1 {
				t.Fatalf("%d conflicts: %q", m.Conflicts(), m.Marked("me", "them"))
			}
			if tt.joined == "" {
				tt.joined = tt.both
			}
			for choice, want := range map[Choice]string{KeepBoth: tt.both, KeepMine: tt.keepMine, KeepTheirs: tt.keepTheirs, KeepJoined: tt.joined} {
				if got := string(m.Text(choice)); got != want {
					t.Errorf("choice %d: got %q, want %q", choice, got, want)
				}
			}
			if got := string(m.Text()); got != tt.both {
				t.Errorf("without a choice: got %q, want %q", got, tt.both)
			}
		})
	}
	m := Merge([]byte("a\n-\nb\n-\nc\n"), []byte("A\n-\nB\n-\nC\n"), []byte("1\n-\n2\n-\n3\n"))
	if got, want := string(m.Text(KeepMine, KeepTheirs)), "A\n-\n2\n-\nC\n3\n"; got != want {
		t.Errorf("block by block: got %q, want %q", got, want)
	}
}

// BenchmarkMerge merges two edits of a page of 5 KB, and texts of a megabyte of which every line has been changed on
// both sides, in several ways.
func BenchmarkMerge(b *testing.B) {
	text := func(size int, line func(i int) string) []byte {
		var b bytes.Buffer
		for i := 0; b.Len() < size; i++ {
			b.WriteString(line(i))
		}
		return b.Bytes()
	}
	words := func(i int, changed string) string {
		return fmt.Sprintf("Line %d of the page says %s in the usual words,\n", i, changed)
	}
	changeAt := func(at int, to string) func(int) string {
		return func(i int) string {
			if i == at {
				return words(i, to)
			}
			return words(i, "so")
		}
	}
	every := func(to string) func(int) string { return func(i int) string { return words(i, to) } }
	rewrap := func(text []byte, width int) []byte {
		var out bytes.Buffer
		at := 0
		for _, w := range bytes.Fields(text) {
			if at > 0 && at+len(w) > width {
				out.WriteByte('\n')
				at = 0
			} else if at > 0 {
				out.WriteByte(' ')
			}
			out.Write(w)
			at += len(w) + 1
		}
		out.WriteByte('\n')
		return out.Bytes()
	}
	shuffled := func(mul int) func(int) string {
		return func(i int) string { return fmt.Sprintf("%d\n", (i*i*mul+i)%997) }
	}
	paragraphs := func(to string) func(int) string { return func(i int) string { return words(i, to) + "\n" } }
	const page, large = 5 << 10, 1 << 20
	for _, bm := range []struct {
		name               string
		base, mine, theirs []byte
	}{
		{"5KB/apart", text(page, every("so")), text(page, changeAt(10, "this")), text(page, changeAt(50, "that"))},
		{"5KB/conflict", text(page, every("so")), text(page, changeAt(10, "this")), text(page, changeAt(10, "that"))},
		{"5KB/rewrapped", text(page, every("so")), rewrap(text(page, changeAt(10, "this")), 50), rewrap(text(page, changeAt(50, "that")), 70)},
		{"5KB/all", text(page, every("so")), text(page, every("this")), text(page, every("that"))},
		{"1MB/all", text(large, every("so")), text(large, every("this")), text(large, every("that"))},
		{"1MB/paragraphs", text(large, paragraphs("so")), text(large, paragraphs("this")), text(large, paragraphs("that"))},
		{"1MB/rewrapped", text(large, every("so")), rewrap(text(large, every("this")), 50), rewrap(text(large, every("that")), 70)},
		{"1MB/shuffled", text(large, shuffled(1)), text(large, shuffled(3)), text(large, shuffled(7))},
	} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				Merge(bm.base, bm.mine, bm.theirs).Marked("me", "them")
			}
		})
	}
}
