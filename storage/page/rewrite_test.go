package page

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// moves are what links see of files that move, and of a folder when both names end with "/".
func moves(n *Names, pr Profile, from, to string) Moves {
	m := Moves{Files: map[Path]Path{}, Folders: map[string]string{}}
	if dir, ok := strings.CutSuffix(from, "/"); ok {
		m.Folders[dir] = strings.TrimSuffix(to, "/")
		for p := range n.Under(dir) {
			m.Files[p] = Path(to + string(p[len(from):]))
		}
	} else {
		m.Files[Path(from)] = Path(to)
	}
	after := n.With(slices.Collect(maps.Values(m.Files)), slices.Collect(maps.Keys(m.Files)))
	m.Before, m.After = Context{Names: n, Profile: pr}, Context{Names: after, Profile: pr}
	return m
}

// Where a name ends that has escapes is found by trying, which is bounded for a page.
func TestEndOf(t *testing.T) {
	hostile := strings.Repeat("./&#46;/", 100)
	for _, tt := range []struct {
		how       writing
		raw, name string
		want      int
		tries     int
	}{
		{inParens, "x Old.md", "Old.md", 8, 0}, // as it stands: no try
		{inParens, "x O&#108;d.md#p", "Old.md", 13, 1000},
		{inQuotes, "x a&amp;b?c", "a&b", 9, 1000},
		{inParens, "x " + hostile, inParens.read(hostile), 802, 1 << 20},
		{inParens, "x " + hostile, inParens.read(hostile), -1, 1000},
		{inParens, "x " + hostile, "./../../?", -1, 20_000}, // longer than the name, soon
	} {
		tries := tt.tries
		if got := tt.how.endOf(tt.raw, 2, tt.name, &tries); got != tt.want {
			t.Errorf("%s in %s: %d, want %d", tt.name, tt.raw, got, tt.want)
		}
		if tries < -len(tt.raw) {
			t.Errorf("%s: %d bytes more than were allowed", tt.raw, -tries)
		}
	}
}

func TestRewrite(t *testing.T) {
	files := []string{"Home.md", "guide/README.md", "guide/Set up.md", "guide/deep/Note.md", "other/Note.md", "Set-Down.md",
		"pics/a b.png", "guide/pic.png", "Old.md", "team/Home.md", "t/x.md", "Über.md", "a&b.md",
		"How-to guide.md", "a+b [c].md"}
	for _, tt := range []struct {
		name, from, to string // the move
		at             string
		pr             Profile
		in, want       string
	}{
		{"nothing moves", "Old.md", "Old.md", "Home.md", Native, "[[Old]] [x](Old.md)", "[[Old]] [x](Old.md)"},
		{"bare", "Old.md", "New.md", "Home.md", Native, "a [[Old]] [[Old|text]] [[old.md#part|t]] b", "a [[New]] [[New|text]] [[New.md#part|t]] b"},
		{"bare into a folder", "Old.md", "x/New one.md", "Home.md", Native, "[[Old]]", "[[New one]]"},
		{"still found", "Old.md", "x/Old.md", "Home.md", Native, "[[Old]] [x](Old.md) [y](/Old)", "[[Old]] [x](x/Old.md) [y](/x/Old)"},
		{"text first", "Old.md", "New.md", "Home.md", Gollum, "[[text|Old]] [[ text | Old#x ]]", "[[text|New]] [[ text | New#x ]]"},
		{"against the profile", "Old.md", "New.md", "Home.md", Native, "[[text|Old]]", "[[text|New]]"},
		{"taken name", "Old.md", "x/Note.md", "Home.md", Native, "[[Old]]", "[[x/Note]]"},
		{"captured", "Old.md", "Note.md", "Home.md", Native, "[[Note]] and [[Old]]", "[[other/Note]] and [[Note]]"},
		{"embedded", "Old.md", "New.md", "Home.md", Native, "![[Old]] ![[Old#Part|x]] ![[Old#^block]] [[include:Old]] [[include: Old ]]", "![[New]] ![[New#Part|x]] ![[New#^block]] [[include:New]] [[include: New ]]"},
		{"in a table", "Old.md", "New.md", "Home.md", Native, "|a|\n|-|\n|[[Old\\|text]] [[text\\|Old]]|\n", "|a|\n|-|\n|[[New\\|text]] [[text\\|New]]|\n"},
		{"code is no link", "Old.md", "New.md", "Home.md", Native, "`[[Old]]` [[Old]] `[x](Old.md)`\n\n    [[Old]]\n\n```\n[[Old]]\n```\n", "`[[Old]]` [[New]] `[x](Old.md)`\n\n    [[Old]]\n\n```\n[[Old]]\n```\n"},
		{"escaped is no link", "Old.md", "New.md", "Home.md", Native, `\[[Old]] '[[Old]] <!-- [[Old]] -->`, `\[[Old]] '[[Old]] <!-- [[Old]] -->`},
		{"Markdown", "Old.md", "x/New one.md", "guide/Set up.md", Native, `[a](../Old.md) [b](../Old "t") [c](<../Old.md>) ![d](../Old.md#p)`, `[a](../x/New%20one.md) [b](../x/New%20one "t") [c](<../x/New one.md>) ![d](../x/New%20one.md#p)`},
		{"rooted", "Old.md", "x/New.md", "guide/Set up.md", Native, "[a](/Old) [[/Old]] [b](/wiki/Old)", "[a](/x/New) [[/x/New]] [b](/wiki/x/New)"},
		{"dotted", "Old.md", "x/New.md", "Home.md", Native, "[a](./Old.md) [[./Old]]", "[a](./x/New.md) [[./x/New]]"},
		{"definition", "Old.md", "x/New.md", "Home.md", Native, "[a] [b][a] [a][]\n\n[a]: Old.md \"t\"\n[c]:\n  Old.md\n\n[c]", "[a] [b][a] [a][]\n\n[a]: x/New.md \"t\"\n[c]:\n  x/New.md\n\n[c]"},
		{"picture", "pics/a b.png", "p/c.png", "guide/Set up.md", Native, "![x](../pics/a%20b.png) ![[a b.png|300]] [[a b.png|alt=x]] ![x](<../pics/a b.png> 't')", "![x](../p/c.png) ![[c.png|300]] [[c.png|alt=x]] ![x](<../p/c.png> 't')"},
		{"query", "pics/a b.png", "p/c.png", "Home.md", Native, "![x](pics/a%20b.png?width=30)", "![x](p/c.png?width=30)"},
		{"encoded stays encoded", "guide/Set up.md", "guide/Set it up.md", "Home.md", Native, "[x](guide/Set%20up.md) [[Set%20up]] [[Set up]] [[set-up]]", "[x](guide/Set%20it%20up.md) [[Set%20it%20up]] [[Set it up]] [[Set-it-up]]"},
		{"spaces for hyphens", "Set-Down.md", "Sit-Down.md", "Home.md", Gollum, "[[Set Down]]", "[[Sit Down]]"},
		{"HTML", "Old.md", "x/New.md", "guide/Set up.md", Native, "<a href=\"../Old.md\">x</a> and <img src='../Old.md' alt=x>\n\n<div title=\"a href='../Old.md'\">\n<a class=y href=../Old.md>x</a>\n</div>\n", "<a href=\"../x/New.md\">x</a> and <img src='../x/New.md' alt=x>\n\n<div title=\"a href='../Old.md'\">\n<a class=y href=../x/New.md>x</a>\n</div>\n"},
		{"quoted", "Old.md", "x/New.md", "Home.md", Native, "> - [[Old]]\n>   [a](Old.md)\n>\n>   <a href=Old.md>x</a>\n", "> - [[New]]\n>   [a](x/New.md)\n>\n>   <a href=x/New.md>x</a>\n"},
		{"line endings and a mark", "Old.md", "New.md", "Home.md", Native, "\ufeffx\r\n[[Old]]\r\n[a](Old.md)  \r\n\r\n[b]: Old.md\r\n[b]", "\ufeffx\r\n[[New]]\r\n[a](New.md)  \r\n\r\n[b]: New.md\r\n[b]"},
		{"front matter stays", "Old.md", "New.md", "Home.md", Native, "---\na: '[[Old]]'\n---\n[[Old]]", "---\na: '[[Old]]'\n---\n[[New]]"},
		{"to another folder", "guide/Set up.md", "x/y/Set up.md", "guide/Set up.md", Native, "[a](deep/Note.md) ![b](pic.png) [[Note]] [[./deep/Note]] [c](README) [d](#x) [[#x]] [e](../Home.md) [f](Set%20up.md)",
			"[a](../../guide/deep/Note.md) ![b](../../guide/pic.png) [[Note]] [[../../guide/deep/Note]] [c](../../guide/README) [d](#x) [[#x]] [e](../../Home.md) [f](Set%20up.md)"},
		{"what is not written yet", "guide/Set up.md", "x/Set up.md", "guide/Set up.md", Native, "[a](New.md) [[New]] [[x/New]]", "[a](../guide/New.md) [[New]] [[x/New]]"},
		{"what no file is called", "guide/Set up.md", "x/Set up.md", "guide/Set up.md", Native, "[[Boss]] [[Anna Smith|the boss]] ![[Boss#part]] [[include:Boss]] [[Boss.md]] [[./Boss]] [[../Boss]] [a](Boss)",
			"[[Boss]] [[Anna Smith|the boss]] ![[Boss#part]] [[include:Boss]] [[Boss.md]] [[../guide/Boss]] [[../Boss]] [a](../guide/Boss)"},
		{"folder", "guide/", "manual/", "Home.md", Native, "[a](guide/Set%20up.md) [[guide/Set up]] [[Set up]] [b](guide/) [[guide]] [c](guide) [[deep/Note]] [d](guide/New.md) [e](guide/deep)",
			"[a](manual/Set%20up.md) [[manual/Set up]] [[Set up]] [b](manual/) [[manual]] [c](manual) [[deep/Note]] [d](manual/New.md) [e](manual/deep)"},
		{"within a folder that moves", "guide/", "a/manual/", "guide/Set up.md", Native, "[a](deep/Note.md) [[./deep/Note]] [b](New.md) [c](../Home.md) [[guide/deep/Note|x]]", "[a](deep/Note.md) [[./deep/Note]] [b](New.md) [c](../../Home.md) [[a/manual/deep/Note|x]]"},
		{"home of a folder", "team/Home.md", "staff/Home.md", "t/x.md", Native, "[[team]] [a](../team/) [[/team/Home]]", "[[staff]] [a](../staff/) [[/staff/Home]]"},
		{"home no longer", "team/Home.md", "team/All.md", "t/x.md", Native, "[[team]] [a](../team/)", "[[All]] [a](../team/All)"},
		{"wikijs", "t/x.md", "t/y.md", "Home.md", WikiJS, "[a](../t/x) [b](/t/x)", "[a](../t/y) [b](/t/y)"},
		{"not ASCII", "Über.md", "Für.md", "Home.md", Native, "[a](%C3%9Cber.md) [b](Über.md) [[Über]] [[über]]", "[a](F%C3%BCr.md) [b](Für.md) [[Für]] [[Für]]"},
		{"entities and backslashes", "a&b.md", "c.md", "Home.md", Native, `[a](a&amp;b.md) [b](a\&b.md) [c](a&b.md)`, `[a](c.md) [b](c.md) [c](c.md)`},
		{"a name that needs care", "Old.md", "A (b) & c.md", "Home.md", Native, "[a](Old.md) [b](<Old.md>) [[Old]] <a href=\"Old.md\">", "[a](A%20%28b%29%20%26%20c.md) [b](<A%20%28b%29%20%26%20c.md>) [[A (b) & c]] <a href=\"A%20%28b%29%20%26%20c.md\">"},
		{"included", "Old.md", "x/New.md", "Home.md", Gollum, "[[include:Old]] [[include:/Old.md]]", "[[include:New]] [[include:/x/New.md]]"},
		{"a number sign", "Old.md", "C#.md", "Home.md", Native, "[a](Old.md#x) [[Old#x]] [[Old]]", "[a](C%23.md#x) [[C##x]] [[C#]]"},
		{"a hyphen is no space", "How-to guide.md", "Big guide.md", "Home.md", Native, "[x](How-to%20guide.md) [x](How-to-guide.md) [x](How_to_guide.md) [[How-to guide]] [[How to guide]]", "[x](Big%20guide.md) [x](Big-guide.md) [x](Big_guide.md) [[Big guide]] [[Big guide]]"},
		{"nor is a plus", "a+b [c].md", "50% & co #1.md", "Home.md", Native, "[x](a+b%20%5Bc%5D.md) [x](a+b+%5Bc%5D.md)", "[x](50%25%20%26%20co%20%231.md) [x](50%25+%26+co+%231.md)"},
		{"hyphens among spaces", "How-to guide.md", "Make-do and mend.md", "Home.md", Native, "[[How-to guide]] [[How to guide]] [x](How%20to-guide.md)", "[[Make-do and mend]] [[Make do and mend]] [x](Make-do-and-mend.md)"},
		{"a percent sign", "Old.md", "50%.md", "Home.md", Native, "[a](Old.md) [b](<Old.md>) [[Old]] <a href=Old.md>x</a> <a href=\"Old.md\">x</a>", "[a](50%25.md) [b](<50%25.md>) [[50%]] <a href=50%25.md>x</a> <a href=\"50%25.md\">x</a>"},
		{"a name that looks encoded", "Old.md", "a%20b.md", "Home.md", Native, "[a](Old.md) [b](./Old) [[Old]]", "[a](a%2520b.md) [b](./a%2520b) [[a%20b]]"},
		{"an attribute without quotes", "Old.md", "a=b.md", "Home.md", Native, "<a href=Old.md>u</a> <a href='Old.md'>u</a>\n\n[z](Old.md) [[Old]]", "<a href=a%3Db.md>u</a> <a href='a=b.md'>u</a>\n\n[z](a=b.md) [[a=b]]"},
		{"a page that would be taken for a picture", "Old.md", "cat.png.md", "Home.md", Native, "![[Old]]\n\n![[Old#Part]] [[Old|text]] [a](Old)", "![[cat.png.md]]\n\n![[cat.png#Part]] [[cat.png.md|text]] [a](cat.png)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := moves(names(files...), tt.pr, tt.from, tt.to)
			got, err := Rewrite(Path(tt.at), []byte(tt.in), m)
			if err != nil || got.Lost > 0 {
				t.Errorf("lost %d: %v", got.Lost, err)
			}
			if string(got.Text) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got.Text, tt.want)
			}
		})
	}
}

// An edit that the page around it does not bear is left out, and no other.
func TestRewriteMost(t *testing.T) {
	src := []byte(strings.Repeat("[a](Old.md) ", 40) + "BAD " + strings.Repeat("[a](Old.md) ", 60))
	bad := bytes.Index(src, []byte("BAD"))
	d := Parse("Home.md", src)
	var edits []edit
	for _, s := range d.spots() {
		edits = append(edits, edit{s.a, "a=b.md"})
	}
	edits = append(edits, edit{span{bad, bad + 3}, "[x](y)"})
	text, failed := d.changeMost(src, edits)
	if want := strings.ReplaceAll(string(src), "Old.md", "a=b.md"); failed != 1 || string(text) != want {
		t.Errorf("%d failed:\n%s", failed, text)
	}
	if text, failed := d.changeMost(src, edits[100:]); failed != 1 || !bytes.Equal(text, src) {
		t.Errorf("%d failed alone:\n%s", failed, text)
	}
}

// Whatever a link of the table leads to, it still leads there when that has moved, wherever to, and when the page has.
func TestRewriteTable(t *testing.T) {
	for _, w := range worlds(t) {
		n := names(w.Files...)
		for _, c := range w.Cases {
			in := Context{Names: n, Profile: Profile(c[1])}
			from, l := Path(c[2]), written(c[3])
			src := []byte(c[3])
			if !l.Wiki {
				src = []byte("[x](<" + c[3] + ">)")
			}
			list := map[Path]bool{from: n.Has(from)}
			if target := in.Resolve(from, l); target.Found && target.Path != "" {
				list[target.Path] = true
			}
			for p, there := range list {
				if !there {
					continue
				}
				for _, to := range []Path{"Away" + p[len(p.Address()):], "x y/z/Away" + p[len(p.Address()):], "other/" + Path(p.Base())} {
					if n.Has(to) {
						continue
					}
					m := moves(n, in.Profile, string(p), string(to))
					checkRewrite(t, from, src, m)
				}
			}
		}
	}
}

// checkRewrite rewrites a page and tells what is wrong with that.
func checkRewrite(t *testing.T, at Path, src []byte, m Moves) {
	t.Helper()
	got, err := Rewrite(at, src, m)
	if err != nil {
		if !bytes.Equal(got.Text, src) {
			t.Fatalf("%v, and yet %q became %q", err, src, got.Text)
		}
		return
	}
	before, after := Parse(at, src), Parse(m.To(at), got.Text)
	if alone := parseLinks(at, src).spots(); !slices.Equal(alone, before.spots()) {
		t.Fatalf("%q has the links %v, parsed for them alone %v", src, before.spots(), alone)
	}
	old, now := before.spots(), after.spots()
	if len(old) != len(now) {
		t.Fatalf("%q has %d links, %q has %d", src, len(old), got.Text, len(now))
	}
	lost, turned := 0, false
	was, is := asker{m.Before.Names, m.Before.Profile, at, Also{}}, asker{m.After.Names, m.After.Profile, m.To(at), Also{}}
	// Beside the targets, all bytes are the same.
	rest := func(d *Doc, spots []spot) string {
		var b strings.Builder
		from := 0
		for i, s := range spots {
			_, place := s.part(was.read(old[i].link).second)
			if place.start < from {
				continue
			}
			b.Write(d.source[from:place.start])
			b.WriteByte(0)
			from = place.end
		}
		return b.String() + string(d.source[from:])
	}
	for i, s := range old {
		before := was.read(s.link)
		want, bound := m.want(s.link, before)
		r := is.read(now[i].link)
		turned = turned || r.second != before.second // the other side leads there now
		if bound && (!same(r.Target, want) || hides(old[i].link, now[i].link, want)) {
			lost++
		}
	}
	if lost > got.Lost {
		t.Fatalf("%v: %q became %q: %d links are lost, %d were told", m.Files, src, got.Text, lost, got.Lost)
	}
	if lost == 0 && !turned && rest(before, old) != rest(after, now) {
		t.Fatalf("%v: %q became %q", m.Files, src, got.Text)
	}
}

// A link by a title, an alias or a former name leads to the same page wherever the pages have moved, as long as no file has
// got that name.
func TestRewriteCalled(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	dirs, bases := []string{"", "d/", "d/e/", "people/", "x y/"}, []string{"anna", "Home", "Old page", "r", "plan", "Boss of it"}
	led := 0
	for range 5000 {
		var files []string
		for range 2 + r.IntN(6) {
			files = append(files, pick(dirs...)+pick(bases...)+".md")
		}
		n := names(files...)
		called, former := map[string][]Path{}, map[string][]Move{}
		for range 1 + r.IntN(4) {
			p := Path(pick(files...))
			called[Fold(pick("Boss", "Anna Smith", "TCP & IP", "Who decides?"))] = []Path{p}
			gone := Path(pick(dirs...) + pick("Legacy", "Old one") + ".md")
			former[looseBase(stripExt(string(gone)))] = []Move{{gone, p}}
		}
		at := pick(files...)
		var text strings.Builder
		for range 4 {
			text.WriteString(pick("", "!") + "[[" + pick("", "", "text|") + pick("Boss", "boss", "Anna Smith", "Legacy", "old one", "Old-one.md", "TCP & IP") + pick("", "#part", "|text") + "]] ")
		}
		from, to := pick(files...), pick(dirs...)+pick("new", "e/New one", "Boss", "r")+".md"
		if pick("page", "folder") == "folder" && Path(from).Dir() != "" {
			from, to = Path(from).Dir()+"/", pick("q/", "z/q/", "x z/")
		}
		if n.Has(Path(to)) || n.HasDir(strings.TrimSuffix(to, "/")) || strings.HasPrefix(to, from) {
			continue
		}
		m := moves(n, Profile(pick(string(Native), string(Gollum), string(Obsidian))), from, to)
		got, err := Rewrite(Path(at), []byte(text.String()), m)
		if err != nil {
			t.Fatal(err)
		}
		also := func(to func(Path) Path) Also {
			return Also{
				Called: func(fold string) (list []Path) {
					for _, p := range called[fold] {
						list = append(list, to(p))
					}
					return list
				},
				Moved: func(key string) (list []Move) {
					for _, mv := range former[key] {
						list = append(list, Move{mv.From, to(mv.To)})
					}
					return list
				},
			}
		}
		names := asker{m.Before.Names, m.Before.Profile, Path(at), Also{}}
		namesAfter := asker{m.After.Names, m.After.Profile, m.To(Path(at)), Also{}}
		was, is := names, namesAfter
		was.also, is.also = also(func(p Path) Path { return p }), also(m.To)
		before, after := Parse(Path(at), []byte(text.String())).spots(), Parse(m.To(Path(at)), got.Text).spots()
		for i, s := range before {
			want := was.read(s.link)
			if !want.Found || names.read(s.link).Found || namesAfter.read(s.link).Found {
				continue // by the name of a file
			}
			led++
			if t2 := is.read(after[i].link); !t2.Found || t2.Path != m.To(want.Path) {
				t.Fatalf("%v, %s to %s: %q on %s led to %s, and %q leads to %s", files, from, to, text.String(), at, want.Path, got.Text, t2.Path)
			}
		}
	}
	if led < 1000 {
		t.Errorf("only %d links led anywhere", led)
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("Home.md\nguide/Set up.md\nguide/README.md\nOld.md", "Old.md", "x/New one.md", "Home.md", "[[Old]] [a](Old.md) <a href=Old.md>\n\n[b]: <Old.md>\n|a|\n|-|\n|[[x\\|Old]]|", byte(0))
	f.Add("Home.md\nguide/Set up.md\nguide/README.md\nOld.md", "guide/", "x/y/", "guide/Set up.md", "[[README]] [a](../Old.md) ![x](./README.md#x) [b](..) \r\n> [[guide]]", byte(1))
	f.Add("C#.md\na%2Fb.md\ncafe\u0301.md\n2000 x.-.md", "C#.md", "D&amp;.md", "a%2Fb.md", "[[C#]] [[caf\u00e9|C#]] [[a/b]] [x](C%23.md) [x](C&#35;.md)", byte(2))
	f.Add("C#.md", "C#.md", "0.md", "a.md", "[[0|C#]]", byte(1))
	f.Fuzz(func(t *testing.T, files, from, to, at, src string, pr byte) {
		var list []Path
		for s := range strings.SplitSeq(files, "\n") {
			if p, err := ParsePath(s); err == nil {
				list = append(list, p)
			}
		}
		n := NewNames(slices.Values(list))
		page, err := ParsePath(at)
		if err != nil {
			return
		}
		fromDir, toDir := strings.HasSuffix(from, "/"), strings.HasSuffix(to, "/")
		a, err := ParsePath(strings.TrimSuffix(from, "/"))
		b, err2 := ParsePath(strings.TrimSuffix(to, "/"))
		if err != nil || err2 != nil || fromDir != toDir || n.Has(b) || n.HasDir(string(b)) || strings.HasPrefix(string(b), string(a)+"/") || !fromDir && (!n.Has(a) || a.IsPage() != b.IsPage()) {
			return
		}
		for dir := b.Dir(); dir != ""; dir = dirOf(dir) {
			if n.Has(Path(dir)) {
				return
			}
		}
		if len(src) > 4096 {
			return
		}
		checkRewrite(t, page, []byte(src), moves(n, []Profile{Native, Gollum, Obsidian, WikiJS}[pr%4], from, to))
	})
}
