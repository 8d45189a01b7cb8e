package page

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	src := "\ufeff---\r\ntitle: My page\r\ntags: [One, two/three]\r\naliases: a, b c\r\nlang: de_AT\r\ndate: 2024-01-02\r\n---\r\n" +
		"# Other\r\n\r\nText with #tag_x and #12 [[Link|text]] `#code`\r\nmore &amp; \\*\r\n\r\n```\r\ncode\r\n```\r\n## Same\r\n## Same\r\n## Überschrift – 日本\r\n" +
		"<p>raw <b>html</b></p>\r\n"
	d := Parse("a.md", []byte(src))
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"title", d.Title, "My page"},
		{"title heading", d.TitleH1, false},
		{"tags", d.Tags, []string{"One", "two/three", "tag_x"}},
		{"aliases", d.Aliases, []string{"a", "b c"}},
		{"lang", d.Lang, "de-AT"},
		{"meta", d.Meta["date"], "2024-01-02"},
		{"outline", d.Outline, []Heading{{1, "other", "Other"}, {2, "same", "Same"}, {2, "same-1", "Same"}, {2, "überschrift--日本", "Überschrift – 日本"}}},
		{"text", d.Text, "Other\nText with #tag_x and #12 Link text #code\nmore & *\ncode\nSame\nSame\nÜberschrift – 日本\nraw html"},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %#v, want %#v", tt.name, tt.got, tt.want)
		}
	}
	if len(d.Links) != 1 || src[d.Links[0].Start:d.Links[0].End] != "[[Link|text]]" {
		t.Errorf("links: got %+v", d.Links)
	}
}

func TestOwner(t *testing.T) {
	for _, tt := range []struct{ name, in, owner, review string }{
		{"nothing said", "", "", ""},
		{"both", "---\nowner: Ann  Lee\nreview: 2027-05-03\n---\n", "Ann Lee", "2027-05-03"},
		{"two owners", "---\nOwners: [Ann, Bob]\nreview: 2027-05-03T10:00:00Z\n---\n", "Ann, Bob", "2027-05-03"},
		{"not a name, not a day", "---\nowner: {a: b}\nreview: soon\n---\n", "", ""},
		{"no such day", "---\nreview: 2027-02-30\n---\n", "", ""},
	} {
		d := Parse("a.md", []byte(tt.in))
		review := ""
		if !d.Review.IsZero() {
			review = d.Review.Format(time.DateOnly)
		}
		if d.Owner != tt.owner || review != tt.review {
			t.Errorf("%s: got owner %q, review %q, want %q, %q", tt.name, d.Owner, review, tt.owner, tt.review)
		}
	}
}

func TestLead(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"the first paragraph", "# T\n\n## H\n\n> no\n\nA *b*&amp; [[c|d]]<br>\n`e`[^1].\n\nmore\n\n[^1]: note\n", "A b& d e."},
		{"a picture first", "![alt](https://e.example/x.png)\n\nAfter it\n", "After it"},
		{"no paragraph", "## Head\n\n- x\n- y\n", "Head x y"},
		{"a script stays out", "<script>alert(1)</script>\n\n<p>a <b>b", "a b"},
		{"a formula once", "$a$ is", "a is"},
		{"long", strings.Repeat("word ", 80), strings.TrimSpace(strings.Repeat("word ", 60)) + "…"},
		{"without blanks", strings.Repeat("日", 400), strings.Repeat("日", 300) + "…"},
	} {
		if got := Lead(Parse("a.md", []byte(tt.in)).HTML(shown)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTitle(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"file name", "text", "A b"},
		{"first block", "# One *two*\n", "One two"},
		{"not the first block", "x\n\n# One", "A b"},
		{"second level", "## One", "A b"},
		{"setext", "One\n===\n", "One"},
		{"front matter", "---\ntitle: 1\n---\n# One", "1"},
		{"empty front matter", "---\n---\n# One", "One"},
		{"a rule", "---\nOne\n---\n# Two", "A b"},
		{"bad front matter", "---\n: [\n---\n# One", "One"},
	} {
		if got := Parse("x/A-b.md", []byte(tt.in)).Title; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFrontMatter(t *testing.T) {
	many := strings.Builder{}
	for i := range 101 {
		fmt.Fprintf(&many, "k%d: 1\n", i)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"alias", "a: &x 1\nb: *x\n", errMetaAlias.Error()},
		{"merge", "a: {b: 1}\n<<: {c: 1}\n", errMetaAlias.Error()},
		{"tag", "a: !!binary aGk=\n", errMetaAlias.Error()},
		{"keys", many.String(), errMetaKeys.Error()},
		{"size", "a: " + strings.Repeat("x", maxMeta) + "\n", errMetaSize.Error()},
		{"depth", "a: " + strings.Repeat("[", 30) + strings.Repeat("]", 30) + "\n", errMetaDeep.Error()},
		{"not YAML", "a: b: c\n", errMetaYAML.Error()},
		{"good", "a: 1\nb: [x, {c: d}]\n", ""},
	} {
		d := Parse("a.md", []byte("---\n"+tt.in+"---\nbody"))
		if d.MetaErr != tt.want || d.Text != "body" {
			t.Errorf("%s: got %q, %q, want %q", tt.name, d.MetaErr, d.Text, tt.want)
		}
		if shows := strings.Contains(d.HTML(Context{}), strings.Fields(tt.in)[0]); shows != (tt.want != "") {
			t.Errorf("%s: shown is %v", tt.name, shows)
		}
	}
}

func TestDetectProfile(t *testing.T) {
	wikijs := "---\ndateCreated: 1\neditor: markdown\n---\n"
	for _, tt := range []struct {
		name  string
		files []string
		text  string
		want  Profile
	}{
		{"empty", nil, "", Native},
		{"chosen", []string{".cairn.yml", ".obsidian/x"}, "profile: gitea", Gollum},
		{"chosen badly", []string{".cairn.yml", "Home.md"}, "profile: x", Gollum},
		{"obsidian", []string{".obsidian/app.json", "Home.md"}, "", Obsidian},
		{"azure", []string{"a/.order", "Home.md"}, "", Azure},
		{"gollum", []string{"Home.md"}, "", Gollum},
		{"sidebar", []string{"_sidebar.md", "home.md"}, "", Gollum},
		{"wikijs", []string{"home.md"}, wikijs, WikiJS},
		{"otter", []string{"home.md", "a/b.md"}, "", Otter},
		{"native", []string{"home.md", "a/B.md"}, "", Native},
	} {
		if got := DetectProfile(names(tt.files...), func(Path) []byte { return []byte(tt.text) }); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// The guess does not depend on how the names came about, and looks at few files.
func TestDetectProfileOften(t *testing.T) {
	habits := []Path{".order", "a/.order", "Home.md", "_Footer.markdown", ".redirects.gollum", ".obsidian/app.json", "home.md", "Big.md", "a/b.md"}
	n := names()
	for i := range 1 << len(habits) {
		var added, removed []Path
		for j, p := range habits {
			if i>>j&1 == 1 {
				added = append(added, p)
			} else {
				removed = append(removed, p)
			}
		}
		n = n.With(added, removed)
		none := func(Path) []byte { return nil }
		if got, want := DetectProfile(n, none), DetectProfile(names(texts(added)...), none); got != want {
			t.Fatalf("%q: got %s, want %s", added, got, want)
		}
	}
	many := make([]Path, 50_000)
	for i := range many {
		many[i] = Path("d" + strconv.Itoa(i%100) + "/p" + strconv.Itoa(i) + ".md")
	}
	n = NewNames(slices.Values(many))
	reads := 0
	if got := DetectProfile(n, func(Path) []byte { reads++; return []byte("# A\n") }); got != Native || reads > 1+profileSamples {
		t.Errorf("got %s after %d reads", got, reads)
	}
}

func texts(paths []Path) (list []string) {
	for _, p := range paths {
		list = append(list, string(p))
	}
	return list
}

// manyNames is a space of 100,000 pages.
func manyNames() *Names {
	words := strings.Fields("set up guide team notes meeting plan server network printer account holiday rules budget project review")
	var list []Path
	for i := range 100_000 {
		list = append(list, Path(fmt.Sprintf("%s/%s/%s %s %d.md", words[i%16], words[i/16%16], words[i/7%16], words[i/3%16], i)))
	}
	return NewNames(slices.Values(list))
}

func BenchmarkNames(b *testing.B) {
	start := time.Now()
	n := manyNames()
	b.Logf("made in %v", time.Since(start))
	b.Run("With", func(b *testing.B) {
		for b.Loop() {
			n.With([]Path{"guide/a new page.md"}, []Path{"set/set/set set 0.md"})
		}
	})
	b.Run("Like", func(b *testing.B) {
		for b.Loop() {
			n.Like("guide/sevrer network 512", 5)
		}
	})
	b.Run("Resolve", func(b *testing.B) {
		for b.Loop() {
			n.Resolve(Native, "a.md", Link{Wiki: true, A: "team plan 77777"})
		}
	})
}
