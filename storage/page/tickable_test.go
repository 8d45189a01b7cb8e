package page

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTickable(t *testing.T) {
	in := "- [ ] buy **milk** & \"bread\"\n- [x] <b>bake</b>\n  - [ ] within\n- [ ]\n\n<input type=checkbox data-line=1>\n\n" +
		"`<input aria-label=\"Done\" data-line=\"9\" disabled=\"\" type=\"checkbox\"/>`\n"
	got := Tickable(Parse("a.md", []byte(in)).HTML(shown), "/x/-/tick/a", "b1")
	for _, want := range []string{
		`<button class="box" type="submit" role="checkbox" aria-checked="false" aria-label="buy milk &amp; &#34;bread&#34;" id="cairn-box-1" form="cairn-tick" name="done" value="1"></button> buy`,
		`aria-checked="true" aria-label="bake" id="cairn-box-2" form="cairn-tick" name="open" value="2"></button>`,
		`aria-label="within" id="cairn-box-3"`,
		`<form id="cairn-tick" method="post" action="/x/-/tick/a"><input type="hidden" name="base" value="b1"/></form>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "<button"); n != 4 {
		t.Errorf("%d buttons, want 4:\n%s", n, got)
	}
	if plain := "<p>no tasks</p>\n"; Tickable(plain, "/x", "b1") != plain {
		t.Error("a page without tasks is changed")
	}
}

func TestFollow(t *testing.T) {
	const old = "# List\n\n- [ ] a\n- [ ] b\n- [ ] c\n\nend\n"
	for _, tt := range []struct {
		name, now string
		line, at  int // 0 is refused
	}{
		{"nothing changed", old, 4, 4},
		{"lines above", "new\n\n" + old, 4, 6},
		{"lines below", old + "new\n", 4, 4},
		{"far above", "new\n" + strings.Repeat("x\n", 20) + old, 5, 26},
		{"a line taken away above", "# List\n\n- [ ] b\n- [ ] c\n\nend\n", 4, 3},
		{"the neighbours ticked", "# List\n\n- [x] a\n- [ ] b\n- [x] c\n\nend\n", 4, 4},
		{"ticked meanwhile", "# List\n\n- [ ] a\n- [x] b\n- [ ] c\n\nend\n", 4, 4},
		{"ticked, and lines around it changed", "# List\n\n- [ ] A\n- new\n- [x] b\n- [ ] C\n\nend\n", 4, 5},
		{"moved below another task", "# List\n\n- [ ] a\n  - [ ] b\n- [ ] c\n\nend\n", 4, 4},
		{"all ticked", "# List\n\n- [x] a\n- [x] b\n- [x] c\n\nend\n", 5, 5},
		{"gone", "# List\n\n- [ ] a\n- [ ] c\n\nend\n", 4, 0},
		{"changed", "# List\n\n- [ ] a\n- [ ] bb\n- [ ] c\n\nend\n", 4, 0},
		{"all gone", "", 4, 0},
		{"no such line", old, 0, 0},
	} {
		got, ok := Follow([]byte(old), []byte(tt.now), tt.line)
		if ok != (tt.at > 0) || ok && got != tt.at {
			t.Errorf("%s: line %d, %v, want %d", tt.name, got, ok, tt.at)
		}
	}
}

// Equal tasks side by side are told apart by where they stand, whichever of them are ticked meanwhile and whatever is written
// around them.
func TestFollowEqual(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r"} {
		for _, around := range []string{"", "new" + end} {
			for _, task := range []string{"- [ ] buy", "- [ ]", "  * [ ] a", "> - [ ] a"} {
				const n = 5
				old := "# List" + end + strings.Repeat(task+end, n) + "end" + end
				for ticked := range 1 << n {
					var now strings.Builder
					now.WriteString(around + "# List" + end)
					for i := range n {
						if ticked>>i&1 == 1 {
							now.WriteString(strings.Replace(task, "[ ]", "[x]", 1) + end)
						} else {
							now.WriteString(task + end)
						}
					}
					now.WriteString("end" + end + around)
					for line := 2; line < 2+n; line++ {
						want := line + min(1, len(around))
						if got, ok := Follow([]byte(old), []byte(now.String()), line); !ok || got != want {
							t.Fatalf("line %d of %q is %d, %v of %q, want %d", line, old, got, ok, now.String(), want)
						}
					}
				}
			}
		}
	}
}

// A page of nothing but other lines than before is followed in one pass.
func TestFollowMany(t *testing.T) {
	start := busy(t)
	if _, ok := Follow(bytes.Repeat([]byte("b\n"), 500_000), bytes.Repeat([]byte("a\n"), 500_000), 1); ok {
		t.Error("found")
	}
	if took := busy(t) - start; took > time.Minute { // minutes, if each line is looked for from the beginning
		t.Errorf("took %v", took)
	}
}

// FuzzFollow holds that what is ticked after following says what was pressed, whatever the texts.
func FuzzFollow(f *testing.F) {
	f.Add([]byte("- [ ] a\n- [ ] b\n"), []byte("x\n- [ ] a\n- [x] b\n"), 2)
	f.Add([]byte("- [ ] a\r- [ ] b\r"), []byte("- [ ] a\r\n"), 2)
	f.Fuzz(func(t *testing.T, old, now []byte, line int) {
		at, ok := Follow(old, now, line)
		if ok && !bytes.Equal(unticked(lineText(old, line)), unticked(lineText(now, at))) {
			t.Errorf("line %d became line %d, which says something else", line, at)
		}
		TaskText(old, line)
	})
}
