package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// history makes a repository of all kinds of commits with git itself and opens it.
func history(t *testing.T) *Repo {
	dir := newDir(t)
	work1 := filepath.Join(t.TempDir(), "work")
	run(t, "/", "clone", "-q", dir, work1)
	run(t, work1, "checkout", "-q", "-B", "main")
	run(t, work1, "commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "")
	text := strings.Repeat("a line of text that is long enough\n", 20)
	work(t, work1, "old name.md", text)
	run(t, work1, "mv", "old name.md", "new\tname \"ä\n.md")
	run(t, work1, "commit", "-q", "-m", "renamed\n\n:100644 not a file\n\nend\n")
	run(t, work1, "checkout", "-q", "-b", "side", "HEAD~1")
	work(t, work1, "both.md", "side\n")
	run(t, work1, "checkout", "-q", "main")
	work(t, work1, "both.md", "main\n")
	tryRun(work1, "merge", "side", "-m", "merge") // in conflict
	work(t, work1, "both.md", "both\n")
	run(t, work1, "checkout", "-q", "--orphan", "other")
	run(t, work1, "rm", "-qrf", ".")
	work(t, work1, "root2.md", "second root\n")
	run(t, work1, "checkout", "-q", "main")
	run(t, work1, "merge", "-q", "--allow-unrelated-histories", "-m", "two roots", "other")
	if err := os.Symlink("/etc/passwd", filepath.Join(work1, "link")); err != nil {
		t.Fatal(err)
	}
	run(t, work1, "add", "-A")
	run(t, work1, "-c", "user.name=  O'Neil \"x\" \xff : |  ", "commit", "-q", "--author", "W\xc3\xa9ird : \"O'N\" \\ <we ird@x>", "-m", "bytes \xff\xfe and \x01")
	run(t, work1, "rm", "-q", "root2.md")
	run(t, work1, "commit", "-q", "-m", "removed")
	run(t, work1, "push", "-q", "origin", "main")
	return open(t, dir)
}

// What is told without git is what git tells.
func TestShortLog(t *testing.T) {
	r := history(t)
	head, _ := r.Head()
	text := func(i int) []byte {
		return []byte(strings.Repeat(fmt.Sprintf("line %d of a page that is moved\n", i), 5) + strings.Repeat("the same\n", 20))
	}
	var edits [][]Edit
	for i := range 6 {
		edits = append(edits, []Edit{{Path: fmt.Sprintf("a/%d.md", i), Data: text(i)}, {Path: fmt.Sprintf("a.%d", i), Data: text(i)}})
	}
	blob := func(i int) Hash { return blobHash(string(text(i))) }
	edits = append(edits,
		[]Edit{{Path: "a/0.md", Old: blob(0), Remove: true}, {Path: "b/zero.md", Same: blob(0)}},
		[]Edit{{Path: "a/1.md", Old: blob(1), Remove: true}, {Path: "b/one.md", Data: append(text(1), "and more\n"...)}},
		[]Edit{{Path: "a/2.md", Old: blob(2), Data: []byte("other\n")}, {Path: "a.3", Old: blob(3), Remove: true}},
		[]Edit{{Path: "a/3.md", Old: blob(3), Same: blob(3), Mode: Exec}},
		[]Edit{{Path: "a/4.md", Old: blob(4), Remove: true}, {Path: "a/4.md/within.md", Same: blob(4)}},
		[]Edit{{Path: "a/5.md", Old: blob(5), Remove: true}, {Path: "said/to be.md", Data: []byte("another text\n")}},
	)
	since := head
	for i, e := range edits {
		c := Change{Edits: e, Author: ann, Message: fmt.Sprint("change ", i)}
		if e[1%len(e)].Path == "said/to be.md" {
			c.Moved = []Move{{"elsewhere/", "nowhere/"}, {"a/5.md", "said/to be.md"}}
		}
		if _, err := r.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	head, _ = r.Head()
	short, err := r.shortLog(t.Context(), since, head)
	if err != nil || len(short) != len(edits) {
		t.Fatalf("%d commits, %v", len(short), err)
	}
	i := 0
	for c, err := range r.rawLog(t.Context(), since, head) {
		if err != nil {
			t.Fatal(err)
		}
		findMoves(t.Context(), r.objects, &c)
		if got, want := fmt.Sprintf("%+v", short[i]), fmt.Sprintf("%+v", c); got != want {
			t.Errorf("%d:\n%s\ngit tells\n%s", i, got, want)
		}
		i++
	}
	if i != len(short) {
		t.Errorf("git tells of %d", i)
	}
	// Merges, and what is not on the way, are left to git.
	if short, err := r.shortLog(t.Context(), Hash{1}, head); short != nil || err != nil {
		t.Errorf("from nowhere: %v, %v", short, err)
	}
	// So is what is written in another encoding.
	_, tree := r.Head()
	data := fmt.Appendf(nil, "tree %s\nparent %s\nauthor J\xf6rg <j@x> 1 +0000\ncommitter J\xf6rg <j@x> 1 +0000\n"+
		"encoding ISO-8859-1\n\nGr\xfc\xdfe\n", tree.Hash(), head)
	o := object{hashObject(kindCommit, data), kindCommit, data}
	store(t, r, o)
	for c, err := range r.Log(t.Context(), head, o.hash) {
		if err != nil || c.Author.Name != "Jörg" || c.Message != "Grüße" {
			t.Errorf("in Latin-1: %+v, %v", c, err)
		}
	}
}

func TestLog(t *testing.T) {
	r := history(t)
	head, _ := r.Head()
	var all []Commit
	var got []string
	for c, err := range r.Log(t.Context(), Hash{}, head) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		line := fmt.Sprintf("%d %q", len(c.Parents), c.Message)
		for _, f := range c.Files {
			line += fmt.Sprintf(" %c %q %q", f.Kind, f.Path, f.From)
			if f.Kind == 'A' != f.Old.IsZero() || f.Kind == 'D' != f.New.IsZero() {
				t.Errorf("%s: hashes of %+v", c.Message, f)
			}
		}
		got = append(got, line)
		if s, err := r.Show(t.Context(), c.Hash); err != nil || s.Message != c.Message || s.Author != c.Author || !s.When.Equal(c.When) || !slices.Equal(s.Parents, c.Parents) {
			t.Errorf("Show tells %+v, Log %+v, %v", s, c, err)
		}
	}
	want := []string{
		`0 ""`,
		`1 "work on old name.md" A "old name.md" ""`,
		`1 "work on both.md" A "both.md" ""`,
		`1 "renamed\n\n:100644 not a file\n\nend" R "new\tname \"ä\n.md" "old name.md"`,
		`1 "work on both.md" A "both.md" ""`,
		`2 "work on both.md" M "both.md" ""`,
		`0 "work on root2.md" A "root2.md" ""`,
		`2 "two roots"`,
		`1 "bytes ÿþ and \x01" A "link" ""`,
		`1 "removed" D "root2.md" ""`,
	}
	slices.Sort(got) // topological order leaves a choice
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("log\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	seen := map[Hash]bool{}
	for _, c := range all {
		for _, p := range c.Parents {
			if !seen[p] {
				t.Errorf("%s comes before its parent", c.Message)
			}
		}
		seen[c.Hash] = true
		if want := time.Unix(1700000000, 0).UTC(); c.Author.When != want {
			t.Errorf("author date %v, want %v", c.Author.When, want)
		}
		if want := time.Unix(1700000001, 0).UTC(); c.When != want {
			t.Errorf("committer date %v, want %v", c.When, want)
		}
	}
	weird := all[slices.IndexFunc(all, func(c Commit) bool { return strings.HasPrefix(c.Message, "bytes") })]
	if weird.Author.Email != "we ird@x" || weird.Author.Name != "Wéird : \"O'N" {
		t.Errorf("author %+v", weird.Author)
	}
	// From a commit on; broken off; of what is not there; of a context that has ended.
	n := 0
	for range r.Log(t.Context(), all[len(all)-3].Hash, head) {
		n++
	}
	if n != 2 {
		t.Errorf("%d commits since", n)
	}
	for range r.Log(t.Context(), Hash{}, head) {
		break
	}
	for _, err := range r.Log(t.Context(), blobHash("none"), head) {
		if err == nil {
			t.Error("a commit since nowhere")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range r.Log(ctx, Hash{}, head) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// Commits that git would not write today are told as well as can be, and do not upset those beside them.
func TestLogStrange(t *testing.T) {
	r := newRepo(t)
	tip := put(t, r, "a", "a")
	tree := second(r.Head()).Hash().String()
	heads := []string{
		"author No Email\ncommitter No Email\n\nx",
		"author \xff\xfe <a@b> 99999999999999999999 +0000\ncommitter <> -5 +9999\n\n\xff\xfe\n",
		"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding ISO-8859-1\ngpgsig -----\n x\n -----\n\nf\xfcr\n",
		"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n" + strings.Repeat("long ", 100000),
		"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000",
	}
	for _, rest := range heads {
		data := []byte("tree " + tree + "\nparent " + tip.String() + "\n" + rest)
		o := object{hashObject(kindCommit, data), kindCommit, data}
		store(t, r, o)
		tip = o.hash
	}
	n := 0
	for c, err := range r.Log(t.Context(), Hash{}, tip) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Show(t.Context(), c.Hash); err != nil {
			t.Error(err)
		}
		n++
	}
	if n != len(heads)+1 {
		t.Errorf("%d commits, want %d", n, len(heads)+1)
	}
}

func TestLineClean(t *testing.T) {
	for _, test := range []struct {
		in   Signature
		want string
	}{
		{Signature{Name: "Ann", Email: "a@b"}, "Ann <a@b> 0 +0000"},
		{Signature{Name: " <A>\nnn\x00. ", Email: "a <b>@c"}, "Ann <ab@c> 0 +0000"},
		{Signature{}, "nobody <> 0 +0000"},
		{Signature{Name: "Zoë", Email: "ä@b"}, "Zoë <ä@b> 0 +0000"},
	} {
		test.in.When = time.Unix(0, 0)
		if got := test.in.line(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.in, got, test.want)
		}
		back := parseSignature(test.in.line())
		if again := back.line(); again != test.want {
			t.Errorf("%+v: read again %q, want %q", test.in, again, test.want)
		}
	}
}

// What a commit says of itself is written as it was given, and git reads it the same.
func TestCommitRoundTrip(t *testing.T) {
	r := newRepo(t)
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	h, err := r.Commit(t.Context(), Change{
		Author: Signature{Name: "Zoë <x>", Email: "z@e", When: when}, Message: "title\n\nbody \x00\xff\n\n\n",
		Edits: []Edit{{Path: "run.sh", Data: []byte("x"), Mode: Exec}, {Path: "empty", Data: nil}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Show(t.Context(), h)
	if err != nil || c.Author.Name != "Zoë x" || !c.Author.When.Equal(when) || c.Message != "title\n\nbody \uFFFD" {
		t.Errorf("%+v, %v", c, err)
	}
	if e, err := second(r.Head()).Lookup(t.Context(), "run.sh"); err != nil || e.Mode != Exec {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := second(r.Head()).Lookup(t.Context(), "empty"); err != nil || e.Hash != blobHash("") {
		t.Errorf("%+v, %v", e, err)
	}
	put(t, r, "run.sh", "y")
	if e, _ := second(r.Head()).Lookup(t.Context(), "run.sh"); e.Mode != Exec {
		t.Errorf("mode not kept: %+v", e)
	}
	fsck(t, r.dir)
}

func TestResolve(t *testing.T) {
	r := newRepo(t)
	h := put(t, r, "a", "a")
	for _, test := range []struct {
		rev string
		ok  bool
	}{
		{h.String(), true}, {h.String()[:7], true}, {strings.ToUpper(h.String()[:12]), true},
		{h.String()[:6], false}, {"main", false}, {"HEAD", false}, {h.String() + "^", false}, {"--help", false}, {"", false},
		{blobHash("a").String(), false}, {blobHash("a").String()[:10], false}, {strings.Repeat("0", 40), false}, {"fffffff", false},
	} {
		got, err := r.Resolve(t.Context(), test.rev)
		if err == nil != test.ok || test.ok && got != h {
			t.Errorf("%q: %s, %v", test.rev, got, err)
		}
	}
}

// A commit's message says what was moved, and loses nothing else by that.
func TestMoved(t *testing.T) {
	moved := []Move{{"a/", "ü \"b\"/"}, {"x\ny.md", "z.md"}}
	message := "Move it\n\nBecause.\nMoved: \"c\"" + movedTrailer(moved)
	if text, got := cutMoved(message); text != "Move it\n\nBecause.\nMoved: \"c\"" || !slices.Equal(got, moved) {
		t.Errorf("%q, %q", text, got)
	}
	for _, message := range []string{"", "Moved: \"a\" \"b\"", "Say\nMoved: \"a\" \"b\"", "Say\n\nMoved: \"a\"", "Say\n\nMoved: \"a\" \"\"", "Say\n\nMoved: a b"} {
		if text, got := cutMoved(message); text != message || got != nil {
			t.Errorf("%q: %q, %q", message, text, got)
		}
	}
	for path, want := range map[string]string{"a/b/c.md": "ü \"b\"/b/c.md", "a": "", "ab/c.md": "", "x\ny.md": "z.md", "x\ny.md/z": ""} {
		if got := newPath(moved, path); got != want {
			t.Errorf("%q is now %q, want %q", path, got, want)
		}
	}
}

// Moves finds what Log finds, and of files with the same bytes the one that keeps its name.
func TestMoves(t *testing.T) {
	r := newRepo(t)
	text := strings.Repeat("a line that stays\n", 20)
	for path, data := range map[string]string{"a.md": text, "b/same.md": "same", "c/other.md": "same", "stays.md": "x"} {
		put(t, r, path, data)
	}
	_, old := r.Head()
	_, err := r.Commit(t.Context(), Change{Edits: []Edit{
		{Path: "a.md", Old: blobHash(text), Remove: true}, {Path: "d/a.md", Data: []byte(text + "and one\n")},
		{Path: "b/same.md", Old: blobHash("same"), Remove: true}, {Path: "c/other.md", Old: blobHash("same"), Remove: true},
		{Path: "d/other.md", Data: []byte("same")}, {Path: "d/same.md", Data: []byte("same")},
		{Path: "stays.md", Old: blobHash("x"), Data: []byte("y")}, {Path: "new.md", Data: []byte("new\n")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, tree := r.Head()
	var changes []TreeChange
	for c, err := range Diff(t.Context(), old, tree) {
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, c)
	}
	want := map[string]string{"d/a.md": "a.md", "d/same.md": "b/same.md", "d/other.md": "c/other.md"}
	if got := r.Moves(t.Context(), changes, nil); !maps.Equal(got, want) {
		t.Errorf("moves %v, want %v", got, want)
	}
	sub, err := tree.Sub(t.Context(), "d")
	if err != nil || !slices.Equal(paths(t, sub), []string{"a.md", "other.md", "same.md"}) {
		t.Errorf("the folder is %v, %v", paths(t, sub), err)
	}
	for _, none := range []string{"e", "new.md", "d/a.md/x"} {
		if sub, err := tree.Sub(t.Context(), none); err != nil || !sub.Hash().IsZero() {
			t.Errorf("%s is %v, %v", none, sub.Hash(), err)
		}
	}
	// A blob is told from another object without being read, in packs of git's making, too.
	run(t, r.dir, "repack", "-adq")
	if err := r.objects.scan(); err != nil {
		t.Fatal(err)
	}
	head, _ := r.Head()
	for h, want := range map[Hash]kind{head: kindCommit, tree.Hash(): kindTree, blobHash("same"): kindBlob, blobHash(text): kindBlob} {
		if k, err := r.objects.kindOf(t.Context(), h); err != nil || k != want {
			t.Errorf("%s is a %s, %v; want %s", h, k, err, want)
		}
	}
	for _, h := range []Hash{tree.Hash(), head, {1}} {
		_, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "x", Same: h}}})
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file made of %s: %v", h, err)
		}
	}
}
