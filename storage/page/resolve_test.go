package page

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
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

// world is a wiki of testdata/links.json: the files that there are, and what links in it mean. Each case has a name, a
// profile, the page that the link is on, the link ("[[…]]" or a Markdown destination), and what it leads to: "path",
// "red:path", "dir:folder" or "url:…", then "#fragment", "?" when others would do as well, and "!" when the side of the
// pipe that is there was taken against the profile.
type world struct {
	Files   []string
	Moved   map[Path]Path     // names that files had, and have
	Called  map[string][]Path // titles and aliases
	Folders map[string]string // names that folders had, and have
	Cases   [][5]string
}

func (w world) also() Also {
	return Also{
		Moved: func(key string) (list []Move) {
			for from, to := range w.Moved {
				if slices.Contains(PathKeys(from), key) {
					list = append(list, Move{from, to})
				}
			}
			return list
		},
		Called: func(fold string) (list []Path) {
			for name, pages := range w.Called {
				if Fold(name) == fold {
					list = append(list, pages...)
				}
			}
			return list
		},
		Folder: func(dir string) (string, bool) {
			to, ok := w.Folders[dir]
			return to, ok
		},
	}
}

func worlds(t *testing.T) []world {
	b, err := os.ReadFile("testdata/links.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []world
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// written is the link of a case.
func written(s string) Link {
	if strings.Contains(s, "[[") {
		return wiki(s)
	}
	return Link{A: s}
}

func (t Target) String() string {
	s := string(t.Path)
	switch {
	case t.External != "":
		s = "url:" + t.External
	case t.IsDir:
		s = "dir:" + t.Dir
	case !t.Found:
		s = "red:" + s
	}
	if t.Fragment != "" {
		s += "#" + t.Fragment
	}
	if t.Ambiguous {
		s += "?"
	}
	if t.Against {
		s += "!"
	}
	return s
}

func TestResolve(t *testing.T) {
	for _, w := range worlds(t) {
		n := names(w.Files...)
		for _, c := range w.Cases {
			t.Run(c[0], func(t *testing.T) {
				in := Context{Names: n, Profile: Profile(c[1]), Also: w.also()}
				if got := in.Resolve(Path(c[2]), written(c[3])).String(); got != c[4] {
					t.Errorf("%s on %s: got %q, want %q", c[3], c[2], got, c[4])
				}
			})
		}
	}
}

// Where very many have one name, what is found is the same as where few have.
func TestCrowd(t *testing.T) {
	few := []string{"a/Set-up.md", "b/set up.md", "c/Set-up.markdown", "d/SET-UP.png", "e/Set-up/README.md", "deep/f/docs/Set-up.md", "g/docs/set_up.md"}
	many := slices.Clone(few)
	for i := range 500 {
		many = append(many, "x/y/"+strconv.Itoa(i)+"/z/longer/docs/Set-Up.md", "x/y/"+strconv.Itoa(i)+"/z/longer/docs/set-up.PNG")
	}
	n, m := names(few...), names(many...)
	for _, pr := range []Profile{Native, Gollum} {
		for _, s := range []string{"Set-up", "set up", "set_up", "Set-up.md", "Set-up.markdown", "SET-UP.png", "d/SET-UP.png", "docs/Set-up",
			"docs/set_up", "docs/set up.md", "f/docs/Set-up", "Set-up/", "docs/Set-up.md"} {
			l := Link{Wiki: true, A: s}
			want, got := n.Resolve(pr, "Home.md", l), m.Resolve(pr, "Home.md", l)
			want.Ambiguous, got.Ambiguous = false, false
			if got != want {
				t.Errorf("%s [[%s]]: got %v, want %v", pr, s, got, want)
			}
		}
	}
	if got := m.Resolve(Native, "Home.md", Link{Wiki: true, A: "Set-Up"}); !got.Ambiguous || got.Path != "x/y/0/z/longer/docs/Set-Up.md" {
		t.Errorf("got %v", got)
	}
	looked := 0
	for range m.candidates(inBase, "set-up", "Set-up", true) {
		looked++
	}
	if looked > 100 {
		t.Errorf("looked at %d of %d", looked, m.Len())
	}
}

// A page that asks for crowd after crowd gets as many as it may, and a set of names keeps as many as it may.
func TestCrowdsOfPage(t *testing.T) {
	var all []string
	for i := range 4000 {
		all = append(all, strings.Repeat("z/", 3+i%20)+strconv.Itoa(i)+strings.Repeat("/z", 8)+"/Set-up.md")
	}
	n := names(all...)
	var links strings.Builder
	for depth := range 480 {
		links.WriteString("[[" + strings.Repeat("z/", depth+1) + "Set-up]]\n")
	}
	d := Parse("Home.md", []byte(links.String()))
	for i, to := range d.Targets(Context{Names: n, Profile: Native}) {
		if want := i < 8; to.Found != want {
			t.Errorf("with %d folders: %v, want found %v", i+1, to, want)
		}
	}
	if got := n.crowds.kept.Len(); got > maxDepth {
		t.Errorf("%d crowds for paths that are %d deep", got, maxDepth)
	}

	// With a purse that is nearly empty no more is made, and what has been is still known.
	m := names(all...)
	few := m.forPage()
	few.purse.left = 1
	ask := func(name string) Target { return few.Resolve(Native, "Home.md", Link{Wiki: true, A: name}) }
	if !ask("z/Set-up").Found || few.short() {
		t.Error("the first crowd was not given")
	}
	ask("z/z/Set-up")
	if !few.short() || m.crowds.kept.Len() != 1 {
		t.Errorf("short is %v with %d crowds", few.short(), m.crowds.kept.Len())
	}
	if !ask("z/Set-up").Found {
		t.Error("a crowd that was given is forgotten")
	}

	c := newCrowds()
	for i := range 100 {
		c.put(crowdKey{fold: strconv.Itoa(i)}, &crowd{cost: maxCrowds / 10})
	}
	if c.kept.Len() != 10 || c.get(crowdKey{fold: "99"}) == nil {
		t.Errorf("%d crowds are kept", c.kept.Len())
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
