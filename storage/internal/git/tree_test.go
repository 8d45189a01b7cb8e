package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestDiff(t *testing.T) {
	r := newRepo(t)
	commit := func(edits ...Edit) *Tree {
		t.Helper()
		h, err := r.Commit(t.Context(), Change{Edits: edits})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := r.Tree(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	add := func(path string) Edit { return Edit{Path: path, Data: []byte(path)} }
	remove := func(path string) Edit { return Edit{Path: path, Old: blobHash(path), Remove: true} }
	one := commit(add("a"), add("b/c"), add("b/d/e"), add("b.md"), add("z"))
	two := commit(remove("a"), add("a/x"), Edit{Path: "b/d/e", Old: blobHash("b/d/e"), Data: []byte("new")}, add("b-c"), remove("z"))
	for _, test := range []struct {
		name     string
		from, to *Tree
		want     string
	}{
		{"forth", one, two, "-a +a/x +b-c ~b/d/e -z"},
		{"back", two, one, "+a -a/x -b-c ~b/d/e +z"},
		{"same", two, two, ""},
		{"from nothing", nil, one, "+a +b.md +b/c +b/d/e +z"},
		{"to nothing", one, nil, "-a -b.md -b/c -b/d/e -z"},
	} {
		// Lazily and from memory; both must tell the same.
		for _, to := range []*Tree{test.to, lazy(test.to)} {
			var got []string
			for c, err := range Diff(t.Context(), lazy(test.from), to) {
				if err != nil {
					t.Fatal(err)
				}
				sign := "~"
				if c.Old.Hash.IsZero() {
					sign = "+"
				} else if c.New.Hash.IsZero() {
					sign = "-"
				}
				got = append(got, sign+c.Path)
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
	}
	fsck(t, r.dir)
}

// lazy is the tree with nothing loaded.
func lazy(t *Tree) *Tree {
	if t == nil {
		return nil
	}
	return newTree(t.from, t.Hash())
}

// store writes objects as they are, sense or not.
func store(t *testing.T, r *Repo, objects ...object) {
	t.Helper()
	path, err := writePack(r.disk, filepath.Join(r.dir, "objects", "pack"), objects)
	if err == nil {
		err = r.objects.add(path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func tree(entries ...Entry) object {
	data := (&folder{entries: entries}).encode()
	return object{hashObject(kindTree, data), kindTree, data}
}

// A tree of 10^30 files is an error, quickly, and can still be looked into.
func TestTreeBomb(t *testing.T) {
	r := newRepo(t)
	blob := object{blobHash("x"), kindBlob, []byte("x")}
	objects := []object{blob}
	inner := tree(Entry{"f", File, blob.hash})
	for range 30 {
		objects = append(objects, inner)
		var entries []Entry
		for i := range 10 {
			entries = append(entries, Entry{fmt.Sprint(i), Dir, inner.hash})
		}
		inner = tree(entries...)
	}
	deep := tree(Entry{"f", File, blob.hash})
	for range 100 {
		objects = append(objects, deep)
		deep = tree(Entry{"d", Dir, deep.hash})
	}
	store(t, r, append(objects, inner, deep)...)
	for _, h := range []Hash{inner.hash, deep.hash} {
		if err := newTree(r.objects, h).Load(t.Context()); !errors.Is(err, ErrTooLarge) {
			t.Errorf("loaded: %v", err)
		}
	}
	if _, err := newTree(r.objects, inner.hash).Lookup(t.Context(), strings.Repeat("7/", 30)+"f"); err != nil {
		t.Error(err)
	}
	if _, err := newTree(r.objects, deep.hash).Lookup(t.Context(), strings.Repeat("d/", 100)+"f"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Trees that git would not make are carried as they are.
func TestStrangeTrees(t *testing.T) {
	r := newRepo(t)
	blob := object{blobHash("x"), kindBlob, []byte("x")}
	sub := tree(Entry{"in", File, blob.hash})
	strange := tree(Entry{"..", File, blob.hash}, Entry{".git", Link, blob.hash}, Entry{"a", 0o100664, blob.hash}, Entry{"a", Dir, sub.hash},
		Entry{"new\nline\xff", File, blob.hash}, Entry{"sub", Sub, blob.hash})
	store(t, r, blob, sub, strange)
	tree := newTree(r.objects, strange.hash)
	if got, want := paths(t, tree), []string{"..", ".git", "a", "a/in", "new\nline\xff", "sub"}; !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
	e := editor{tree: tree}
	root, err := e.apply(t.Context(), tree.root, []write{{path: "a/two", entry: Entry{Mode: File, Hash: blob.hash}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(t, &Tree{from: r.objects, root: root}), []string{"..", ".git", "a", "a/in", "a/two", "new\nline\xff", "sub"}; !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
	for _, bad := range []string{"x", "100644 a", "100644 a\x00short", "9 a\x0012345678901234567890", "100644a\x0012345678901234567890"} {
		if _, err := parseTree([]byte(bad)); err == nil {
			t.Errorf("%q is a tree", bad)
		}
	}
}

// A damaged object is an error of its own, and no other's.
func TestDamaged(t *testing.T) {
	r := newRepo(t)
	text := strings.Repeat("some text ", 50)
	put(t, r, "one", text+"1")
	put(t, r, "two", text+"2")
	for _, p := range *r.objects.packs.Load() {
		if off, ok := p.offset(blobHash(text + "1")); ok {
			os.Chmod(p.path+".pack", 0o644)
			f, err := os.OpenFile(p.path+".pack", os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteAt([]byte{0xff, 0xff, 0xff}, off+10)
			f.Close()
		}
	}
	if b, err := r.Blob(t.Context(), blobHash(text+"1")); err == nil {
		t.Errorf("read %q", b)
	}
	if read(t, r, "two") != text+"2" {
		t.Error("the other one is lost")
	}
	put(t, r, "three", "3")
	// Whoever still has its text and writes it again brings it back.
	put(t, r, "four", text+"1")
	if read(t, r, "four") != text+"1" || read(t, r, "one") != text+"1" {
		t.Error("what was written again cannot be read")
	}
}

// forget empties the cache.
func forget(r *Repo) {
	c := r.objects.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Purge()
}

// Readers never notice that git repacks, nor loose objects, nor packs of git's making with deltas in them.
func TestRepackUnderReaders(t *testing.T) {
	r := newRepo(t)
	text := strings.Repeat("a line that all pages share\n", 40)
	var want []string
	for i := range 60 {
		want = append(want, fmt.Sprintf("%s%d\n", text, i))
		put(t, r, "page", want[i])
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				forget(r)
				text := want[i%len(want)]
				if b, err := r.Blob(t.Context(), blobHash(text)); err != nil || string(b) != text {
					t.Errorf("%d: %v", i, err)
					return
				}
			}
		})
	}
	for i := range 3 {
		if err := r.Maintain(t.Context()); err != nil {
			t.Error(err)
		}
		run(t, r.dir, "repack", "-adfq", "--depth=50")
		put(t, r, "page", fmt.Sprintf("more %d", i))
	}
	close(stop)
	readers.Wait()
	head, _ := r.Head()
	loose := strings.TrimSpace(run(t, r.dir, "commit-tree", "-m", "loose", head.String()+"^{tree}"))
	if _, err := r.Resolve(t.Context(), loose[:10]); err != nil {
		t.Error(err)
	}
	r.Close()
	r = open(t, r.dir)
	for i, text := range want {
		if b, err := r.Blob(t.Context(), blobHash(text)); err != nil || string(b) != text {
			t.Errorf("%d: %v", i, err)
		}
		if n, err := r.objects.size(t.Context(), blobHash(text)); err != nil || n != int64(len(text)) {
			t.Errorf("%d: size %d, %v", i, n, err)
		}
	}
	fsck(t, r.dir)
}

func TestMaintain(t *testing.T) {
	r := newRepo(t)
	for i := range 60 {
		put(t, r, fmt.Sprintf("%d.md", i), fmt.Sprint(i))
	}
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 20 {
			put(t, r, fmt.Sprintf("beside/%d.md", i), fmt.Sprint(i))
		}
	})
	if err := r.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	if n := len(*r.objects.packs.Load()); n > 40 {
		t.Errorf("%d packs", n)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "objects/info/commit-graphs")); err != nil {
		t.Error(err)
	}
	for i := range 20 {
		if read(t, r, fmt.Sprintf("beside/%d.md", i)) != fmt.Sprint(i) {
			t.Errorf("page %d is lost", i)
		}
	}
	fsck(t, r.dir)
}

// A large repository gets one pack with a bitmap. What is saved later is rolled up beside it, until it is a quarter. What
// nobody needs, or somebody keeps, stays.
func TestMaintainWhole(t *testing.T) {
	r := newRepo(t)
	fill := func(name string, n int) {
		t.Helper()
		var edits []Edit
		for i := range n {
			edits = append(edits, Edit{Path: fmt.Sprintf("%s/%d.md", name, i), Data: fmt.Appendf(nil, "%s %d", name, i)})
		}
		if _, err := r.Commit(t.Context(), Change{Edits: edits}); err != nil {
			t.Fatal(err)
		}
	}
	maintain := func() (packs, bitmaps []string) {
		t.Helper()
		if err := r.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		packs, _ = filepath.Glob(filepath.Join(r.dir, "objects/pack/*.pack"))
		bitmaps, _ = filepath.Glob(filepath.Join(r.dir, "objects/pack/*.bitmap"))
		if n := len(*r.objects.packs.Load()); n != len(packs) {
			t.Errorf("%d packs known, %d there", n, len(packs))
		}
		return packs, bitmaps
	}
	put(t, r, "kept.md", "kept")
	kept, _ := filepath.Glob(filepath.Join(r.dir, "objects/pack/*.pack"))
	if err := os.WriteFile(strings.TrimSuffix(kept[0], ".pack")+".keep", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	fill("a", minIndexed)
	lost, err := writePack(realDisk, filepath.Join(r.dir, "objects/pack"), []object{{blobHash("not yet named"), kindBlob, []byte("not yet named")}})
	if err == nil {
		err = r.objects.add(lost)
	}
	if err != nil {
		t.Fatal(err)
	}
	packs, bitmaps := maintain()
	if len(packs) != 2 || len(bitmaps) != 1 {
		t.Fatalf("packs %v, bitmaps %v", packs, bitmaps)
	}
	if b, err := r.Blob(t.Context(), blobHash("not yet named")); err != nil || string(b) != "not yet named" {
		t.Errorf("a blob that no commit has yet: %q, %v", b, err)
	}
	for i := range maxPacks {
		put(t, r, "page", fmt.Sprint(i))
	}
	packs, again := maintain()
	if len(packs) > maxPacks/2 || !slices.Equal(again, bitmaps) {
		t.Errorf("packs %v, bitmaps %v", packs, again)
	}
	fill("b", minIndexed/4)
	packs, again = maintain()
	if len(packs) != 2 || len(again) != 1 || slices.Equal(again, bitmaps) {
		t.Errorf("packs %v, bitmaps %v", packs, again)
	}
	fsck(t, r.dir)
	for i := range minIndexed {
		if read(t, r, fmt.Sprintf("a/%d.md", i)) != fmt.Sprintf("a %d", i) {
			t.Fatalf("page %d is lost", i)
		}
	}
}

// A pack that somebody keeps, however large, is no reason to pack all anew each time.
func TestMaintainKept(t *testing.T) {
	r := newRepo(t)
	var edits []Edit
	for i := range minIndexed {
		edits = append(edits, Edit{Path: fmt.Sprintf("%d.md", i), Data: fmt.Append(nil, i)})
	}
	if _, err := r.Commit(t.Context(), Change{Edits: edits}); err != nil {
		t.Fatal(err)
	}
	before := *r.objects.packs.Load()
	if err := os.WriteFile(before[0].path+".keep", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := r.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := *r.objects.packs.Load(); !slices.Equal(now, before) {
		t.Errorf("%d packs, want the one that is kept", len(now))
	}
}

// What comes as one pack, as an import does, gets its bitmap, and is then left alone.
func TestMaintainOnePack(t *testing.T) {
	r := newRepo(t)
	var edits []Edit
	for i := range minIndexed {
		edits = append(edits, Edit{Path: fmt.Sprintf("%d.md", i), Data: fmt.Append(nil, i)})
	}
	if _, err := r.Commit(t.Context(), Change{Edits: edits}); err != nil {
		t.Fatal(err)
	}
	run(t, r.dir, "-c", "repack.writeBitmaps=false", "repack", "-adfq")
	r.Close()
	r = open(t, r.dir)
	before := *r.objects.packs.Load()
	for range 2 {
		if err := r.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now := *r.objects.packs.Load()
	if len(before) != 1 || len(now) != 1 {
		t.Fatalf("%d packs, and %d before", len(now), len(before))
	}
	for _, path := range []string{now[0].path + ".bitmap", filepath.Join(r.dir, "objects/info/commit-graphs")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "objects/pack/"+tmpPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	fsck(t, r.dir)
}

// An index that is damaged or gone is made anew at start; a pack that is cut off harms only what is missing of it, and
// nothing is removed that only it and a damaged one have.
func TestDamagedPacks(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a.md", strings.Repeat("a", 5000))
	first := (*r.objects.packs.Load())[0].path
	put(t, r, "b.md", "b")
	second := (*r.objects.packs.Load())[1].path
	put(t, r, "c.md", "c")
	r.Close()
	if err := os.Truncate(first+".idx", 1000); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(second + ".idx"); err != nil {
		t.Fatal(err)
	}
	r = open(t, r.dir)
	if read(t, r, "b.md") != "b" || len(read(t, r, "a.md")) != 5000 {
		t.Error("not mended")
	}
	fsck(t, r.dir)

	// The blob is the pack's first object: of it nothing is left, of the tree and the commit neither.
	r.Close()
	if err := os.Truncate(first+".pack", 20); err != nil {
		t.Fatal(err)
	}
	r = open(t, r.dir)
	if read(t, r, "b.md") != "b" || read(t, r, "c.md") != "c" {
		t.Error("others are harmed")
	}
	if b, err := r.Blob(t.Context(), blobHash(strings.Repeat("a", 5000))); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is lost: %q, %v", b, err)
	}
	put(t, r, "d.md", "d")

	// A sound copy of what the damaged pack has lost must outlive maintenance.
	sound, err := writePack(realDisk, filepath.Join(r.dir, "objects/pack"), []object{{blobHash(strings.Repeat("a", 5000)), kindBlob, []byte(strings.Repeat("a", 5000))}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.objects.add(sound); err != nil {
		t.Fatal(err)
	}
	if n, err := r.objects.thin(t.Context(), *r.objects.packs.Load()); n > 0 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	if len(read(t, r, "a.md")) != 5000 {
		t.Error("the sound copy is not read")
	}
}
