package page

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestMentions(t *testing.T) {
	for _, tt := range []struct {
		file, text string
		want       bool
	}{
		{"guide/Set up.md", "[[Set up]]", true},
		{"guide/Set up.md", "[x](guide/set-up.md#part)", true},
		{"guide/Set up.md", "[x](Set%20up)", true},
		{"guide/Set up.md", "[x](%53et%2520up)", true},
		{"guide/Set up.md", "[x][r]\n\n[r]: SET_UP", true},
		{"guide/Set up.md", "<a href='S&#101;t up'>", true},
		{"guide/Set up.md", "[x](&#83;et%20up)", true},
		{"guide/Set up.md", "Nothing of the kind is set here, nor [[Home]].", false},
		{"guide/Set up.md", "[[Set it up]] [[Set]] and [[Up]] up set", false},
		{"guide/Set up.md", "Set [[set set up]]", true}, // the last words of a name
		{"guide/Setup.md", "Nothing of the kind is set up here, nor [[Home]].", false},
		{"guide/Setup.md", "[[Setups]] and [[MySetup]]", false},
		{"caf\u00e9.md", "[[Cafe\u0301]]", true},
		{"caf\u00e9.md", "[[CAF%C3%89]]", true},
		{"caf\u00e9.md", "[[Cafe]] \u00e9", false},
		{"Stra\u00dfe.md", "[[STRASSE]]", true},
		{"find.md", "[[\ufb01nd]]", true},
		{"日本.md", "[[日本]]", true},
		{"日本.md", "[[\u3000日本\u3000]]", true},
		{"日本.md", "日本語のページです。", false},
		{"a≠b.md", "[[a=\u0338b]]", true},
		{"guide/README.md", "[x](guide)", true},
		{"guide/README.md", "[x](..)", true},
		{"guide/README.md", "[x](./)", true},
		{"README.md", "[x](/)", true},
		{"README.md", "[x](/wiki/#part)", true},
		{"guide/Home.md", "Plain (text). With a https://example.org/ and and/or: `x`. The end.", false},
		{"!.md", "[[a]]", true},
		{"pics/Plan A.png", "![[plan a.PNG|300]]", true},
	} {
		p, err := ParsePath(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewMentions(p).In([]byte(tt.text)); got != tt.want {
			t.Errorf("%q in %q: got %v, want %v", tt.file, tt.text, got, tt.want)
		}
	}
	if NewMentions().In([]byte("[[a]]")) {
		t.Error("nothing is mentioned")
	}
}

// What the table folds is folded alike in any company.
func TestSimpleFolds(t *testing.T) {
	low := simpleFolds()
	var simple []rune
	for r, to := range low {
		if to != 0 {
			simple = append(simple, rune(r))
		}
	}
	for r := rune(0x4E00); r <= 0xD7A3; r++ {
		if r <= 0x9FFF || r >= 0xAC00 {
			simple = append(simple, r)
		}
	}
	for i, r := range simple {
		word := string([]rune{r, simple[(i*7919+1)%len(simple)], 'K', simple[(i*104729+3)%len(simple)]})
		f := follower{m: &Mentions{longest: 100, names: step{next: map[string]*step{caseless(word): {end: true}}}}}
		if !f.foreign([]byte(word)) {
			t.Fatalf("%+q is not found as %+q", word, caseless(word))
		}
	}
	if len(simple) < 35_000 || low['Ж'] != 'ж' || low['ß'] != 0 || low['\u0301'] != 0 {
		t.Errorf("%d letters are simple", len(simple))
	}
}

// A page that links to a file mentions it, whatever there is besides.
func FuzzMentions(f *testing.F) {
	f.Add("guide/README.md\nguide/Set up.md\na%2Fb.md\nC#.md", "x.md", "[a](..) [[Set up#x|y]] [[a/b]] ![](C#.md)")
	f.Add("Home.md\na.md\na/Home.md", "b.md", "[x](/wiki/.) [x](/wiki/#part) [y](/) <a href='a/'>")
	f.Add("2000 x.-.md\nSet%2Dup.md\nK.M\u212ad", "x.md", "[[Set-up|2000 x]] | [[k\\|y]] |\n|-|\n")
	f.Add("a&b.md\na_b.md\ng.png", "x.md", "[x](a&amp;b.md) [y](a\\_b.md) ![i](&#103;.png?w=3) <img src='&#103.png'>\n\n[r]: &#x67;.png\n[r]")
	f.Add("caf\u00e9.md\nStra\u00dfe.md\na≠b.md\n日本.md", "x.md", "[[Cafe\u0301]] [[STRASSE]] [[a=\u0338b]] [[\u3000日本]] [x](%E6%97%A5%E6%9C%AC)")
	f.Add("100%FFa.md\na%67.md\n\ufffd.md", "x.md", "[[100%FFa]] [[a%2567]] [[\x00]] [x](\xff.md)")
	f.Fuzz(func(t *testing.T, files, from, text string) {
		var list []Path
		for s := range strings.SplitSeq(files, "\n") {
			if p, err := ParsePath(s); err == nil {
				list = append(list, p)
			}
		}
		at, err := ParsePath(from)
		if err != nil {
			return
		}
		n := NewNames(slices.Values(list))
		for _, l := range Parse(at, []byte(text)).Links {
			for _, pr := range []Profile{Native, Gollum, WikiJS} {
				to := n.Resolve(pr, at, l)
				// "#part" and "?x" lead to the page that they are on, which is no mention of it.
				if to.Path == "" || !to.Found || to.Path == at {
					continue
				}
				if !NewMentions(to.Path).In([]byte(text)) {
					t.Fatalf("%q leads to %q, which it does not mention: %+v", text, to.Path, l)
				}
			}
		}
	})
}

func BenchmarkMentions(b *testing.B) {
	for name, line := range map[string]string{
		"english": "The quick brown fox jumps over the lazy dog, see [[Set up]] or [the guide](guide/Start%20here.md). ",
		"russian": "Съешь же ещё этих мягких французских булок, да выпей чаю, см. [[Настройка]]. ",
		"chinese": "快速的棕色狐狸跳过了懒狗，请参见[[设置]]。这是一个较长的句子，没有空格。",
	} {
		text := []byte(strings.Repeat(line, 5000/len(line)))
		var gone []Path
		for i := range 100 {
			gone = append(gone, Path(fmt.Sprintf("guide/Gone page%d.md", i)), Path(fmt.Sprintf("Старая%d.md", i)))
		}
		m := NewMentions(gone...)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if m.In(text) {
					b.Fatal("mentioned")
				}
			}
		})
	}
}
