package git

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Whatever is wrong in a new commit is told with its path, its commit and what to do, on whichever ref it comes and also
// when a later commit takes it away; and nothing of it stays.
func TestJudge(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	_, now := r.Head()
	text := object{blobHash("text"), kindBlob, []byte("text")}
	large := object{blobHash(strings.Repeat("x", 1<<20+1)), kindBlob, []byte(strings.Repeat("x", 1<<20+1))}
	page := Entry{"page.md", File, blobHash("one\n")}
	deep := tree(Entry{"f", File, text.hash})
	deeps := []object{deep}
	for range 32 {
		deep = tree(Entry{"d", Dir, deep.hash})
		deeps = append(deeps, deep)
	}
	folder := tree(Entry{"in\\side", File, text.hash}, Entry{"ok", File, text.hash})
	tag := func(of Hash, kind string) object {
		data := fmt.Appendf(nil, "object %s\ntype %s\ntag v1\ntagger A <a@a> 1700000000 +0000\n\ntext\n", of, kind)
		return object{hashObject(kindTag, data), kindTag, data}
	}
	for _, test := range []struct {
		name    string
		entry   Entry
		more    []object
		message string
		want    []string
	}{
		{name: "link", entry: Entry{"passwd", Link, text.hash}, want: []string{`"passwd" (commit `, "is a link", "remove it"}},
		{name: "submodule", entry: Entry{"sub", Sub, head}, want: []string{`"sub"`, "a submodule"}},
		{name: "mode", entry: Entry{"wide", 0o100664, text.hash}, want: []string{`"wide"`, "mode 100664"}},
		{name: "name", entry: Entry{"a\\b", File, text.hash}, want: []string{`"a\\b"`, "cannot contain that. Rename it."}},
		{name: "control", entry: Entry{"a\x01", File, text.hash}, want: []string{`"a\x01"`}},
		{name: "no UTF-8", entry: Entry{"a\xff", File, text.hash}, want: []string{`"a\xff"`}},
		{name: "name of a folder", entry: Entry{"a\\b", Dir, folder.hash}, more: []object{folder}, want: []string{`"a\\b"`}},
		{name: "name below", entry: Entry{"sub", Dir, folder.hash}, more: []object{folder}, want: []string{`"sub/in\\side"`}},
		{name: "size", entry: Entry{"large", File, large.hash}, more: []object{large}, want: []string{`"large"`, "has 1025 KiB, and may have at most 1024 KiB"}},
		{name: "depth", entry: Entry{"d", Dir, deep.hash}, more: deeps, want: []string{`"d"`, "more than 32 deep"}},
		{name: "message", message: strings.Repeat("m", 70<<10), want: []string{"message of 70 KiB", "--amend"}},
		{name: "commit", message: strings.Repeat("m", 300<<10), want: []string{"KiB", "Shorten it"}},
	} {
		entries := []Entry{page}
		if test.entry.Name != "" {
			entries = append(entries, test.entry)
			slices.SortFunc(entries, compareEntries)
		}
		root := tree(entries...)
		bad := commitOf(root.hash, test.message, head)
		gone := commitOf(now.Hash(), "gone again", bad.hash)
		merge := commitOf(now.Hash(), "merged", head, bad.hash)
		noted := tag(gone.hash, "commit")
		pack := packOf(t, append([]object{text, root, bad, gone, merge, noted}, test.more...)...)
		before := inventory(t, r.dir)
		for name, update := range map[string]string{
			"live":            moveLine(head, bad.hash, "refs/heads/main"),
			"live, gone":      moveLine(head, gone.hash, "refs/heads/main"),
			"live, merged":    moveLine(head, merge.hash, "refs/heads/main"),
			"branch":          moveLine(Hash{}, gone.hash, "refs/heads/draft"),
			"tag":             moveLine(Hash{}, bad.hash, "refs/tags/v1"),
			"tag with a text": moveLine(Hash{}, noted.hash, "refs/tags/v1"),
		} {
			told, err := rawPush(t, r, letAll, pkt(update+"\x00"+capable, "")+pack)
			for _, want := range append(test.want, bad.hash.String()[:8]) {
				if err != nil || !strings.Contains(told.text, want) || strings.Contains(told.report, "ok refs/") || !strings.Contains(told.report, "\nng refs/") && !strings.Contains(told.report, "ng refs/") {
					t.Errorf("%s on %s: %v, want %q in %+v", test.name, name, err, want, told)
				}
			}
			if after := inventory(t, r.dir); !slices.Equal(before, after) {
				t.Errorf("%s on %s has left a trace: %v", test.name, name, after)
				before = after
			}
		}
	}

	// What leads to no commit is none of the wiki's.
	root := tree(Entry{"passwd", Link, text.hash})
	for name, o := range map[string]object{"tree": root, "blob": text, "tag of a tree": tag(root.hash, "tree")} {
		told, err := rawPush(t, r, letAll, pkt(moveLine(Hash{}, o.hash, "refs/tags/v1")+"\x00"+capable, "")+packOf(t, root, text, o))
		if err != nil || !strings.Contains(told.text, "does not lead to a commit") {
			t.Errorf("%s: %v, %+v", name, err, told)
		}
	}
	fsck(t, r.dir)
}

// A pusher is told of twenty faults, and how many more there are; the first stands beside the ref.
func TestJudgeMany(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	text := object{blobHash("text"), kindBlob, []byte("text")}
	for _, test := range []struct {
		n    int
		want string
	}{{25, "… and 5 more."}, {3000, "… and many more."}} {
		var entries []Entry
		for i := range test.n {
			entries = append(entries, Entry{fmt.Sprintf("%06d", i), Link, text.hash})
		}
		root := tree(entries...)
		bad := commitOf(root.hash, "bad", head)
		told, err := rawPush(t, r, letAll, pkt(moveLine(head, bad.hash, "refs/heads/main")+"\x00"+capable, "")+packOf(t, text, root, bad))
		if err != nil || strings.Count(told.text, "is a link") != maxOffences || !strings.Contains(told.text, test.want) ||
			!strings.Contains(told.text, "git reset --soft origin/main") {
			t.Errorf("%v, told %s", err, told.text)
		}
		if !strings.Contains(told.report, fmt.Sprintf("ng refs/heads/main %q (commit %.8s) is a link", "000000", bad.hash)) {
			t.Errorf("report %q", told.report)
		}
	}
}

// What an imported history holds is nobody's fault who pushes beside it; but it is not brought elsewhere, nor in by a
// commit that was stored, though nothing led to it.
func TestJudgeOnlyNew(t *testing.T) {
	r := newRepo(t)
	link := object{blobHash("/etc/passwd"), kindBlob, []byte("/etc/passwd")}
	text := object{blobHash("text"), kindBlob, []byte("text")}
	folder := tree(Entry{"link", Link, link.hash}, Entry{"page.md", File, text.hash})
	root := tree(Entry{"old", Dir, folder.hash})
	imported := commitOf(root.hash, "imported")
	store(t, r, link, text, folder, root, imported)
	run(t, r.dir, "update-ref", "refs/heads/main", imported.hash.String())
	if err := r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	push := func(name string, tree Hash, ok bool, objects ...object) object {
		t.Helper()
		head, _ := r.Head()
		c := commitOf(tree, name, head)
		told, err := rawPush(t, r, letAll, pkt(moveLine(head, c.hash, "refs/heads/main")+"\x00"+capable, "")+packOf(t, append(objects, c)...))
		if got := strings.Contains(told.report, "ok refs/heads/main"); err != nil || got != ok {
			t.Errorf("%s: %v, told %+v", name, err, told)
		}
		return c
	}
	next := tree(Entry{"link", Link, link.hash}, Entry{"more.md", File, text.hash}, Entry{"page.md", File, text.hash})
	beside := tree(Entry{"old", Dir, next.hash})
	push("beside", beside.hash, true, next, beside)
	moved := tree(Entry{"new", Dir, next.hash})
	push("moved", moved.hash, false, moved)
	changed := tree(Entry{"link", Link, text.hash}, Entry{"page.md", File, text.hash})
	other := tree(Entry{"old", Dir, changed.hash})
	push("changed", other.hash, false, changed, other)
	twice := tree(Entry{"new", Dir, folder.hash}, Entry{"old", Dir, next.hash})
	push("copied", twice.hash, false, twice)

	// A bad commit beside a good one in a pack: nothing leads to it until a second push, which sends nothing.
	head, _ := r.Head()
	bad := commitOf(twice.hash, "bad", head)
	good := tree(Entry{"old", Dir, next.hash}, Entry{"z.md", File, text.hash})
	push("with something bad beside", good.hash, true, good, bad, twice)
	told, err := rawPush(t, r, letAll, pkt(moveLine(Hash{}, bad.hash, "refs/heads/draft")+"\x00"+capable, "")+packOf(t))
	if err != nil || !strings.Contains(told.report, "ng refs/heads/draft") || !strings.Contains(told.text, "is a link") {
		t.Errorf("stored before: %v, %+v", err, told)
	}
	// A branch that was imported with such things cannot be merged, for the wiki would show them.
	run(t, r.dir, "update-ref", "refs/heads/imported", bad.hash.String())
	head, _ = r.Head()
	now, err := treeOf(t.Context(), r.objects, head)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		tree Hash
		ok   bool
	}{"with it": {twice.hash, false}, "without it": {now.Hash(), true}} {
		c := commitOf(test.tree, "merge "+name, head, bad.hash)
		told, err := rawPush(t, r, letAll, pkt(moveLine(head, c.hash, "refs/heads/main")+"\x00"+capable, "")+packOf(t, c))
		if got := strings.Contains(told.report, "ok refs/heads/main"); err != nil || got != test.ok {
			t.Errorf("merged %s: %v, told %+v", name, err, told)
		}
	}
}

// What is small and unpacks to much is counted, not walked; each folder is looked at once, however often it occurs.
func TestJudgeBombs(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	text := object{blobHash("text"), kindBlob, []byte("text")}
	bomb := func(leaf Entry, levels, each int) []object {
		inner := tree(leaf)
		objects := []object{text}
		for range levels {
			objects = append(objects, inner)
			var entries []Entry
			for i := range each {
				entries = append(entries, Entry{fmt.Sprintf("%06d", i), Dir, inner.hash})
			}
			inner = tree(entries...)
		}
		return append(objects, inner)
	}
	for name, objects := range map[string][]object{
		"files": bomb(Entry{"f", File, text.hash}, 25, 10),
		"links": bomb(Entry{"f", Link, text.hash}, 25, 10),
		"wide":  bomb(Entry{"f", File, text.hash}, 1, maxEntries/2+1),
		"deep":  bomb(Entry{"f", File, text.hash}, 70, 1),
	} {
		bad := commitOf(objects[len(objects)-1].hash, "bad", head)
		good := commitOf(tree().hash, "gone", bad.hash)
		before := inventory(t, r.dir)
		told, err := rawPush(t, r, letAll, pkt(moveLine(Hash{}, good.hash, "refs/heads/draft")+"\x00"+capable, "")+packOf(t, append(objects, bad, good, tree())...))
		if err != nil || !strings.Contains(told.text, fmt.Sprintf("Commit %.8s cannot be taken", bad.hash)) {
			t.Errorf("%s: %v, told %+v", name, err, told)
		}
		if after := inventory(t, r.dir); !slices.Equal(before, after) {
			t.Errorf("%s has left a trace: %v", name, after)
		}
	}

	// The same folder of ten thousand files in each of a hundred places, and in each of a hundred commits.
	var entries []Entry
	for i := range 10_000 {
		entries = append(entries, Entry{fmt.Sprintf("%06d.md", i), File, text.hash})
	}
	folder := tree(entries...)
	objects := []object{text, folder}
	at := head
	for i := range 100 {
		entries = entries[:0]
		for j := range 50 {
			entries = append(entries, Entry{fmt.Sprintf("%06d", i+j), Dir, folder.hash})
		}
		root := tree(entries...)
		c := commitOf(root.hash, "more", at)
		objects, at = append(objects, root, c), c.hash
	}
	looks := 0
	p := pusherOf(letAll)
	path := p.Path
	p.Path = func(s string) (int64, error) { looks++; return path(s) }
	var out bytes.Buffer
	in := pkt(moveLine(head, at, "refs/heads/main")+"\x00"+capable, "") + packOf(t, objects...)
	if err := r.ReceivePack(t.Context(), "", strings.NewReader(in), &out, p); err != nil || !strings.Contains(bands(t, out.String()).report, "ok refs/heads/main") {
		t.Errorf("%v, told %q", err, out.String())
	}
	if looks > 20_000 {
		t.Errorf("%d paths looked at", looks)
	}
}

// What is kept in mind of a push is bounded: no more trees are measured than may be, and those that are known cost nothing.
func TestJudgeManyTrees(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a/one.md", "one\n")
	put(t, r, "b/two.md", "two\n")
	_, now := r.Head()
	j := judge{objects: r.objects, extents: map[Hash]extent{}, left: maxLooks, trees: 2} // there are three
	if _, err := j.measure(t.Context(), now.Hash(), 0); err != error(errTooMuch) {
		t.Errorf("measured more than may be: %v", err)
	}
	j = judge{objects: r.objects, extents: map[Hash]extent{}, left: maxLooks, trees: 3}
	for range 2 {
		if _, err := j.measure(t.Context(), now.Hash(), 0); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkJudge is a push of 10,000 new files in 100 folders, without what git does.
func BenchmarkJudge(b *testing.B) {
	r := benchRepo(b)
	head, tree := r.Head()
	p := &push{repo: r, by: pusherOf(letAll), asked: commands{updates: []RefUpdate{{Name: "refs/heads/draft", New: head}}}}
	for b.Loop() {
		j := judge{objects: r.objects, path: p.by.Path, extents: map[Hash]extent{}, clean: map[Hash]bool{}, left: maxLooks, trees: maxTrees, latest: uint64(time.Now().Unix()) + 1}
		if _, err := j.measure(context.Background(), tree.Hash(), 0); err != nil {
			b.Fatal(err)
		}
		if err := j.folder(context.Background(), tree.Hash(), nil, "", 0, head); err != nil || j.verdict() != nil {
			b.Fatal(err, j.verdict())
		}
	}
}
