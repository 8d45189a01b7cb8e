package page

import (
	"slices"
	"strings"
	"testing"
)

func names(paths ...string) *Names {
	var list []Path
	for _, s := range paths {
		p, err := ParsePath(s)
		if err != nil {
			panic(err)
		}
		list = append(list, p)
	}
	return NewNames(slices.Values(list))
}

// wiki makes the link that stands between the brackets.
func wiki(s string) Link {
	l := Link{Wiki: true}
	if l.Embed = strings.HasPrefix(s, "!"); l.Embed {
		s = s[1:]
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "[["), "]]")
	l.A, l.B, l.Piped = splitPipe(s, false)
	return l
}

func TestResolve(t *testing.T) {
	issue := []string{"Home.md", "test/Page-Name-1.md", "test/Page Name 2.md", "test/page-name-3.md", "C#.md", "Munchen.md"}
	both := []string{"Home.md", "A.md", "B.md"}
	folders := []string{"Home.md", "guide/README.md", "guide/Set up.md", "guide/deep/Note.md", "other/Note.md", "empty/pic.png", "Lone.md", "Lone/x.md"}
	tests := []struct {
		name  string
		files []string
		pr    Profile
		from  string
		link  string // "[[…]]", or a Markdown destination
		want  string // path, "red:path", "dir:folder", "url:…", and "#fragment"
	}{
		{"full exact", issue, Native, "", "[[/test/Page-Name-1]]", "test/Page-Name-1.md"},
		{"bare exact", issue, Native, "", "[[Page-Name-1]]", "test/Page-Name-1.md"},
		{"full spaces for hyphens", issue, Native, "", "[[/test/Page Name 1]]", "test/Page-Name-1.md"},
		{"bare spaces for hyphens", issue, Gollum, "", "[[Page Name 1]]", "test/Page-Name-1.md"},
		{"full hyphens for spaces", issue, Native, "", "[[/test/Page-Name-2]]", "test/Page Name 2.md"},
		{"bare hyphens for spaces", issue, Gollum, "", "[[Page-Name-2]]", "test/Page Name 2.md"},
		{"full spaces", issue, Native, "", "[[/test/Page Name 2]]", "test/Page Name 2.md"},
		{"bare spaces", issue, Native, "", "[[Page Name 2]]", "test/Page Name 2.md"},
		{"case and space", issue, Native, "", "[[Page Name 3]]", "test/page-name-3.md"},
		{"case", issue, Native, "", "[[Page-Name-3]]", "test/page-name-3.md"},
		{"C#", issue, Native, "", "[[C#]]", "C#.md"},
		{"C# with a fragment", issue, Native, "", "[[C##Part]]", "C#.md#Part"},
		{"umlaut is no u", issue, Native, "", "[[München]]", "red:München.md"},

		{"both exist, native", both, Native, "", "[[A|B]]", "A.md"},
		{"both exist, obsidian", both, Obsidian, "", "[[A|B]]", "A.md"},
		{"both exist, gollum", both, Gollum, "", "[[A|B]]", "B.md"},
		{"both exist, otter", both, Otter, "", "[[A|B]]", "B.md"},
		{"none exists, native", both, Native, "", "[[X|Y]]", "red:X.md"},
		{"none exists, gollum", both, Gollum, "", "[[X|Y]]", "red:Y.md"},
		{"only the second exists", both, Native, "", "[[some text|B]]", "B.md"},
		{"only the first exists", both, Gollum, "", "[[A|some text]]", "A.md"},
		{"second pipe", both, Native, "", "[[A|text|more]]", "A.md"},
		{"URL first", both, Gollum, "", "[[https://x.y/|A]]", "url:https://x.y/"},
		{"URL second", both, Native, "", "[[A|https://x.y/]]", "url:https://x.y/"},
		{"no scheme that runs", both, Native, "", "[[javascript:alert(1)]]", "red:javascript:alert(1).md"},
		{"image and options", []string{"a/pic.png"}, Gollum, "", "[[a/pic.png|alt=x, width=3px]]", "a/pic.png"},
		{"text and image", []string{"a/pic.png"}, Gollum, "", "[[see|a/pic.png]]", "a/pic.png"},

		{"two headings", []string{"Note.md"}, Obsidian, "", "[[Note#H1#H2]]", "Note.md#H1#H2"},
		{"last hash", []string{"A#B.md"}, Native, "", "[[A#B#part]]", "A#B.md#part"},
		{"same page", folders, Native, "guide/Set up.md", "[[#part]]", "guide/Set up.md#part"},
		{"normal form D on disk", []string{"cafe\u0301.md"}, Native, "", "[[caf\u00e9]]", "cafe\u0301.md"},
		{"normal form C on disk", []string{"caf\u00e9.md"}, Native, "", "[[cafe\u0301]]", "caf\u00e9.md"},
		{"upper", []string{"Foo.md", "foo.md"}, Native, "", "[[Foo]]", "Foo.md"},
		{"lower", []string{"Foo.md", "foo.md"}, Native, "", "[[foo]]", "foo.md"},
		{"neither case", []string{"Foo.md", "foo.md"}, Native, "", "[[FOO]]", "Foo.md?"},
		{"gitea slash", []string{"a%2Fb.md"}, Gollum, "", "[[a/b]]", "a%2Fb.md"},
		{"gitea slash as written", []string{"a%2Fb.md", "a/b.md"}, Gollum, "", "[[a%2Fb]]", "a%2Fb.md"},
		{"gitea hyphens", []string{"2000-01-02 meeting.-.md"}, Gollum, "", "[[2000-01-02 meeting]]", "2000-01-02 meeting.-.md"},
		{"azure hyphen", []string{"Set%2Dup-guide.md"}, Azure, "", "[[Set-up guide]]", "Set%2Dup-guide.md"},
		{"azure hyphen as written", []string{"Set%2Dup-guide.md"}, Azure, "", "Set%2Dup-guide.md", "Set%2Dup-guide.md"},
		{"decoded", []string{"Set up.md"}, Native, "", "Set%20up.md", "Set up.md"},
		{"undecoded first", []string{"100%25.md", "100%.md"}, Native, "", "[[100%25]]", "100%25.md"},

		{"folder", folders, Native, "", "[[guide]]", "guide/README.md"},
		{"folder with a slash", folders, Native, "", "guide/", "guide/README.md"},
		{"folder by case", folders, Native, "", "[[Guide]]", "guide/README.md"},
		{"page before folder", folders, Native, "", "[[Lone]]", "Lone.md"},
		{"folder without a home", folders, Native, "", "[[empty]]", "dir:empty"},
		{"up", folders, Native, "guide/deep/Note.md", "[[..]]", "guide/README.md"},
		{"top", folders, Native, "guide/deep/Note.md", "/", "Home.md"},
		{"above the top", folders, Native, "guide/Set up.md", "[[../../Home]]", "red:"},
		{"relative", folders, Native, "guide/deep/Note.md", "[[../Set up]]", "guide/Set up.md"},
		{"here only", folders, Native, "guide/deep/Note.md", "[[./Home]]", "red:guide/deep/Home.md"},
		{"end of a path", folders, Native, "", "[[deep/Note]]", "guide/deep/Note.md"},
		{"ambiguous name", folders, Native, "", "[[Note]]", "other/Note.md?"},
		{"near name, gollum", folders, Gollum, "guide/deep/x.md", "[[Note]]", "guide/deep/Note.md"},
		{"top first, native", []string{"N.md", "a/N.md"}, Native, "a/x.md", "[[N]]", "N.md"},
		{"folder first, gollum", []string{"N.md", "a/N.md"}, Gollum, "a/x.md", "[[N]]", "a/N.md"},
		{"page before file", []string{"Notes", "NOTES.md"}, Native, "", "[[notes]]", "NOTES.md"},
		{"file with its extension", []string{"x.PDF", "x.pdf.md"}, Native, "", "[[x.pdf]]", "x.pdf.md"},
		{"never served", []string{".obsidian/a.md"}, Native, "", "[[a]]", "red:a.md"},

		{"markdown", folders, Native, "guide/Set up.md", "deep/Note.md#x", "guide/deep/Note.md#x"},
		{"markdown without extension", folders, Native, "guide/Set up.md", "deep/Note", "guide/deep/Note.md"},
		{"markdown, the top at last", folders, Gollum, "guide/Set up.md", "other/Note", "other/Note.md"},
		{"markdown, not anywhere", folders, Native, "", "Note", "red:Note.md"},
		{"markdown query", folders, Native, "", "empty/pic.png?width=30", "empty/pic.png"},
		{"markdown scheme", folders, Native, "", "tel:+1", "url:tel:+1"},
		{"as hosts have it", folders, Native, "guide/Set up.md", "/wiki/Home#x", "Home.md#x"},
		{"as hosts have it, below", folders, Gollum, "", "/wiki/guide/Set-up", "guide/Set up.md"},
		{"as hosts have it, a folder", folders, Native, "", "/wiki/guide/", "guide/README.md"},
		{"as hosts have it, the top", folders, Native, "", "/wiki/#x", "Home.md#x"},
		{"as hosts have it, red", folders, Native, "guide/Set up.md", "/wiki/New-one", "red:New-one.md"},
		{"as hosts have it, no name", folders, Native, "", "/wiki/", "red:wiki.md"},
		{"as hosts have it, nothing", folders, Native, "", "/wiki", "red:wiki.md"},
		{"as hosts have it, in brackets", folders, Native, "", "[[/wiki/Home]]", "red:wiki/Home.md"},
		{"not from the top", folders, Native, "", "wiki/Home", "red:wiki/Home.md"},
		{"a folder wiki", []string{"X.md", "wiki/Y.md"}, Native, "", "/wiki/X", "red:wiki/X.md"},
		{"a folder Wiki", []string{"X.md", "Wiki/X.md"}, Native, "", "/wiki/X", "Wiki/X.md"},
		{"a page wiki", []string{"wiki.md", "X.md"}, Native, "", "/wiki/X", "X.md"},
		{"a page wiki itself", []string{"wiki.md"}, Native, "", "/wiki/", "wiki.md"},
		{"wikijs", []string{"a/b.md", "a/b/c.md", "a/c.md"}, WikiJS, "a/b.md", "c", "a/b/c.md"},
		{"not wikijs", []string{"a/b.md", "a/b/c.md", "a/c.md"}, Native, "a/b.md", "c", "a/c.md"},

		{"red, folder as written", folders, Native, "guide/Set up.md", "[[x/New]]", "red:x/New.md"},
		{"red, in the folder", folders, Native, "guide/Set up.md", "[[New one]]", "red:guide/New one.md"},
		{"red, hyphens", []string{"a-b.md", "c-d.md"}, Gollum, "a-b.md", "[[New one]]", "red:New-one.md"},
		{"red file", folders, Native, "", "[[new.pdf]]", "red:new.pdf"},
		{"red, no path", folders, Native, "", "[[.git/x]]", "red:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from := Path(tt.from)
			if from == "" {
				from = "Home.md"
			}
			l := Link{A: tt.link}
			if strings.Contains(tt.link, "[[") {
				l = wiki(tt.link)
			}
			target := names(tt.files...).Resolve(tt.pr, from, l)
			got := string(target.Path)
			switch {
			case target.External != "":
				got = "url:" + target.External
			case target.IsDir:
				got = "dir:" + target.Dir
			case !target.Found:
				got = "red:" + got
			}
			if target.Fragment != "" {
				got += "#" + target.Fragment
			}
			if target.Ambiguous {
				got += "?"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever a link resolves to shares a key with it.
func FuzzKeys(f *testing.F) {
	f.Add("guide/README.md\nguide/Set up.md\na%2Fb.md\nC#.md", "guide/Set up.md", "..", "x", true)
	f.Add("a/b/Home.md\na/b.md\nstart.md", "a/b/Home.md", "b/", "Start", false)
	f.Add("2000 x.-.md\nSet%2Dup.md\nK.M\u212ad", "x.md", "Set-up", "k", true)
	f.Add("pic.png\nindex.md", "a.md", "./pic.png?x", "", false)
	f.Add("Home.md\na.md\na/Home.md", "x.md", "/wiki/#part", "", false)
	f.Add("Home.md\na.md\na/Home.md", "x.md", "/wiki/.", "", false)
	f.Add("Home.md\na.md\na/Home.md", "x.md", "/wiki/a/..", "", false)
	f.Fuzz(func(t *testing.T, files, from, a, b string, isWiki bool) {
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
		l := Link{Wiki: isWiki, A: a, B: b, Piped: isWiki && b != ""}
		for _, pr := range []Profile{Native, Gollum, WikiJS} {
			target := n.Resolve(pr, at, l)
			if target.Path == "" || !target.Found || target.Path == at {
				if target.Path != "" {
					if _, err := ParsePath(string(target.Path)); err != nil {
						t.Fatalf("%q is no path: %v", target.Path, err)
					}
				}
				continue
			}
			keys := l.Keys()
			if !slices.ContainsFunc(PathKeys(target.Path), func(k string) bool { return slices.Contains(keys, k) }) {
				t.Fatalf("%+v leads to %q (%q), but has keys %q", l, target.Path, PathKeys(target.Path), keys)
			}
		}
	})
}

func TestNames(t *testing.T) {
	n := names("Home.md", "README.md", "guide/index.md", "guide/Set up.md", "guide/Set up.markdown", "_sidebar.md", "guide/deep/x.md",
		"team.md", "team/a.md", "x.markdown", "caf\u00e9.md")
	home := func(dir string) Path { p, _ := n.Home(dir); return p }
	page := func(a string) Path { p, _ := n.Page(a); return p }
	near := func(a string) Path { p, _ := n.Near(a); return p }
	bar := func(dir string) Path { p, _ := n.Bar("_Sidebar", dir); return p }
	twin := func(a string) Path { p, _ := n.Twin(Path(a)); return p }
	for _, tt := range []struct {
		name      string
		got, want Path
	}{
		{"home", home(""), "Home.md"},
		{"home of a folder", home("guide"), "guide/index.md"},
		{"page beside the folder", home("team"), "team.md"},
		{"no home", home("guide/deep"), ""},
		{"page", page("guide/Set up"), "guide/Set up.md"},
		{"page with another extension", page("x"), "x.markdown"},
		{"page in another case", page("home"), ""},
		{"near", near("Guide/set-up"), "guide/Set up.md"},
		{"nearest bar", bar("guide/deep"), "_sidebar.md"},
		{"twin in case", twin("HOME.md"), "Home.md"},
		{"twin in form", twin("cafe\u0301.md"), "caf\u00e9.md"},
		{"itself is no twin", twin("Home.md"), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	for dir, want := range map[string][]Path{
		"": {"Home.md", "README.md"}, "guide": {"guide/index.md"}, "team": {"team.md"}, "guide/deep": nil,
	} {
		got := n.Homes(dir)
		if first, ok := n.Home(dir); !slices.Equal(got, want) || ok != (len(got) > 0) || ok && first != got[0] {
			t.Errorf("homes of %q: got %q and first %q, want %q", dir, got, first, want)
		}
	}
	if got := slices.Collect(n.After("guide/index.md")); len(got) != 3 || got[0] != "team.md" {
		t.Errorf("after guide/index.md: got %q", got)
	}
	if got := n.Like("guide/Sett up", 3); len(got) == 0 || got[0].Address() != "guide/Set up" {
		t.Errorf("like: got %q", got)
	}
}

// With leads to the same set as starting anew.
func TestNamesWith(t *testing.T) {
	n := names()
	want := map[Path]bool{}
	for i := range 3000 {
		p := Path(strings.Repeat("d/", i%3) + "Page " + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i*7%26)) + ".md")
		q := Path("Page " + string(rune('a'+i*3%26)) + string(rune('a'+i/13%26)) + "a.md")
		n = n.With([]Path{p}, []Path{q})
		delete(want, q)
		want[p] = true
	}
	if n.Len() != len(want) {
		t.Fatalf("got %d, want %d", n.Len(), len(want))
	}
	fresh := NewNames(n.All())
	tallies := func(n *Names) [6]int {
		return [6]int{n.count, n.hyphens, n.spaces, n.orders, n.gollum, n.upper}
	}
	if tallies(fresh) != tallies(n) {
		t.Errorf("tallies differ: %d, %d", tallies(fresh), tallies(n))
	}
	for p := range n.All() {
		if got, ok := n.Near(strings.ToUpper(p.Address())); !want[p] || !ok || got != p {
			t.Fatalf("near %q: got %q", p, got)
		}
	}
	for _, s := range []sorted{n.all, n.whole, n.base, n.tail} {
		last := entry{}
		for _, run := range s.runs {
			for _, e := range run {
				if last.path != "" && s.order(last, e) >= 0 {
					t.Fatalf("%v before %v", last, e)
				}
				last = e
			}
		}
	}
}
