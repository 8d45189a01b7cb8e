package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var ann = Signature{Name: "Ann Author", Email: "ann@example.org"}

// testLog sends what is logged to the test.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, nil))
}

type testWriter struct{ testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.Helper()
	w.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

func newDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "wiki.git")
	if err := Init(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *Repo {
	t.Helper()
	r, err := Open(t.Context(), dir, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func newRepo(t testing.TB) *Repo { t.Helper(); return open(t, newDir(t)) }

// run runs git as a person would, in a folder.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryRun(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryRun(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = environ("GIT_AUTHOR_DATE=1700000000 +0200", "GIT_COMMITTER_DATE=1700000001 +0200", "GIT_PROTOCOL_FROM_USER=1",
		"GIT_AUTHOR_NAME=Bob", "GIT_AUTHOR_EMAIL=bob@example.org")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// fsck fails the test unless git finds the repository whole.
func fsck(t testing.TB, dir string) {
	t.Helper()
	out := run(t, dir, "fsck", "--full", "--strict", "--no-dangling")
	if strings.Contains(out, "error") || strings.Contains(out, "missing") {
		t.Errorf("fsck: %s", out)
	}
}

func blobHash(data string) Hash { return hashObject(kindBlob, []byte(data)) }

// put saves one file, whatever was there.
func put(t testing.TB, r *Repo, path, data string) Hash {
	t.Helper()
	_, tree := r.Head()
	e, _ := tree.Lookup(t.Context(), path)
	h, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: path, Old: e.Hash, Data: []byte(data)}}, Author: ann, Message: "put " + path})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// read is a file's text at the head, or "".
func read(t testing.TB, r *Repo, path string) string {
	t.Helper()
	_, tree := r.Head()
	e, err := tree.Lookup(t.Context(), path)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Blob(t.Context(), e.Hash)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func paths(t testing.TB, tree *Tree) []string {
	var all []string
	for p := range tree.All(t.Context()) {
		all = append(all, p)
	}
	return all
}

func TestEmpty(t *testing.T) {
	r := newRepo(t)
	h, tree := r.Head()
	if !h.IsZero() || tree == nil || len(paths(t, tree)) != 0 || !tree.Hash().IsZero() {
		t.Fatalf("head %s, tree %v", h, tree)
	}
	if _, err := tree.Lookup(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lookup: %v", err)
	}
	if e, err := tree.ReadDir(t.Context(), ""); err != nil || len(e) != 0 {
		t.Errorf("ReadDir: %v, %v", e, err)
	}
	for range r.Log(t.Context(), Hash{}, h) {
		t.Error("a commit in an empty repository")
	}
	if _, err := r.Blob(t.Context(), blobHash("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Blob: %v", err)
	}
	if err := Init(t.Context(), r.dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Init twice: %v", err)
	}
}

func TestCommit(t *testing.T) {
	r := newRepo(t)
	moved := r.Moved()
	one := put(t, r, "Home.md", "hello\n")
	select {
	case <-moved:
	default:
		t.Error("Moved did not tell")
	}
	two := put(t, r, "a/b/c.md", "c\n")
	three := put(t, r, "a.md", "a\n")
	put(t, r, "a/b/d.md", "d\n")
	if got, want := paths(t, second(r.Head())), []string{"Home.md", "a.md", "a/b/c.md", "a/b/d.md"}; !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
	if got := read(t, r, "a/b/c.md"); got != "c\n" {
		t.Errorf("read %q", got)
	}
	// Saved again as it is: no commit.
	before, _ := r.Head()
	if h := put(t, r, "a.md", "a\n"); h != before {
		t.Errorf("a change of nothing made %s", h)
	}
	// Removing the last file of a folder removes the folder, and all folders that held only that.
	h, err := r.Commit(t.Context(), Change{Author: ann, Edits: []Edit{
		{Path: "a/b/c.md", Old: blobHash("c\n"), Remove: true}, {Path: "a/b/d.md", Old: blobHash("d\n"), Remove: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second(r.Head()).Lookup(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder still there: %v", err)
	}
	// The old trees are still there, loaded as they are asked for.
	old, err := r.Tree(t.Context(), two)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := paths(t, old), []string{"Home.md", "a/b/c.md"}; !slices.Equal(got, want) {
		t.Errorf("old paths %q, want %q", got, want)
	}
	if c, err := r.Show(t.Context(), three); err != nil || c.Parents[0] != two || c.Message != "put a.md" || c.Author.Name != ann.Name {
		t.Errorf("Show: %+v, %v", c, err)
	}
	var hashes []Hash
	for c, err := range r.Log(t.Context(), one, h) {
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, c.Hash)
	}
	if len(hashes) != 4 || hashes[0] != two || hashes[3] != h {
		t.Errorf("log %v", hashes)
	}
	// Everything away, and something again.
	put(t, r, "z", "z")
	if _, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "z", Old: blobHash("z"), Remove: true}, {Path: "a.md", Old: blobHash("a\n"), Remove: true},
		{Path: "Home.md", Old: blobHash("hello\n"), Remove: true}}}); err != nil {
		t.Fatal(err)
	}
	put(t, r, "z", "z")
	fsck(t, r.dir)
	head, _ := r.Head()
	if got := strings.TrimSpace(run(t, r.dir, "rev-parse", "main")); got != head.String() {
		t.Errorf("git says %s, want %s", got, head)
	}
	r.Close()
	if again, _ := open(t, r.dir).Head(); again != head {
		t.Errorf("reopened at %s, want %s", again, head)
	}
	if _, err := r.Commit(t.Context(), Change{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func second(_ Hash, t *Tree) *Tree { return t }

func TestCommitRefusals(t *testing.T) {
	r := newRepo(t)
	base := put(t, r, "dir/page.md", "one\n")
	put(t, r, "file", "f")
	head, _ := r.Head()
	one := blobHash("one\n")
	for _, test := range []struct {
		name string
		c    Change
		want error
	}{
		{"onto an old head", Change{Onto: base, Edits: []Edit{{Path: "x", Data: []byte("x")}}}, ErrMoved},
		{"new, but there", Change{Edits: []Edit{{Path: "dir/page.md", Data: []byte("x")}}}, ErrMoved},
		{"old, but another", Change{Edits: []Edit{{Path: "dir/page.md", Old: blobHash("zero"), Data: []byte("x")}}}, ErrMoved},
		{"old, but gone", Change{Edits: []Edit{{Path: "gone", Old: one, Data: []byte("x")}}}, ErrMoved},
		{"remove what is gone", Change{Edits: []Edit{{Path: "gone", Old: one, Remove: true}}}, ErrMoved},
		{"remove nothing", Change{Edits: []Edit{{Path: "gone", Remove: true}}}, fs.ErrInvalid},
		{"file where a folder is", Change{Edits: []Edit{{Path: "dir", Data: []byte("x")}}}, fs.ErrExist},
		{"folder where a file is", Change{Edits: []Edit{{Path: "file/x", Data: []byte("x")}}}, fs.ErrExist},
		{"one path twice", Change{Edits: []Edit{{Path: "x", Data: []byte("x")}, {Path: "x", Data: []byte("y")}}}, fs.ErrInvalid},
		{"both in one change", Change{Edits: []Edit{{Path: "x", Data: []byte("x")}, {Path: "x/y", Data: []byte("y")}}}, fs.ErrExist},
		{"same, but not stored", Change{Edits: []Edit{{Path: "x", Same: blobHash("nowhere")}}}, fs.ErrNotExist},
		{"same, but a commit", Change{Edits: []Edit{{Path: "x", Same: base}}}, fs.ErrNotExist},
		{"empty path", Change{Edits: []Edit{{Path: "", Data: []byte("x")}}}, fs.ErrInvalid},
		{"dots", Change{Edits: []Edit{{Path: "a/../b", Data: []byte("x")}}}, fs.ErrInvalid},
		{"git's own", Change{Edits: []Edit{{Path: "a/.GIT/hooks", Data: []byte("x")}}}, fs.ErrInvalid},
		{"slash at the end", Change{Edits: []Edit{{Path: "a/", Data: []byte("x")}}}, fs.ErrInvalid},
		{"too deep", Change{Edits: []Edit{{Path: strings.Repeat("a/", 70) + "b", Data: []byte("x")}}}, fs.ErrInvalid},
	} {
		if _, err := r.Commit(t.Context(), test.c); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if now, _ := r.Head(); now != head {
		t.Errorf("a refused change moved the head to %s", now)
	}
	// A file may make way for a folder of its name, and the other way round, and a.md between them is left alone.
	put(t, r, "file.md", "m")
	if _, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "file/in", Same: one}, {Path: "file", Old: blobHash("f"), Remove: true},
		{Path: "dir", Data: []byte("d")}, {Path: "dir/page.md", Old: one, Remove: true}}}); err == nil {
		if got, want := paths(t, second(r.Head())), []string{"dir", "file.md", "file/in"}; !slices.Equal(got, want) {
			t.Errorf("paths %q, want %q", got, want)
		}
	} else if !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	head, _ = r.Head()
	if _, err := r.Commit(ctx, Change{Edits: []Edit{{Path: "never", Data: []byte("x")}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if now, _ := r.Head(); now != head {
		t.Error("a cancelled change was made")
	}
	fsck(t, r.dir)
}

func TestConcurrent(t *testing.T) {
	r := newRepo(t)
	put(t, r, "same", "0")
	var group sync.WaitGroup
	const writers, rounds = 16, 12
	won := make([]int, writers)
	for w := range writers {
		group.Go(func() {
			for i := range rounds {
				text := fmt.Sprintf("%d/%d\n", w, i)
				put(t, r, fmt.Sprintf("own/%d.md", w), text)
				if got := read(t, r, fmt.Sprintf("own/%d.md", w)); got != text {
					t.Errorf("read %q behind %q", got, text)
				}
				_, tree := r.Head()
				e, _ := tree.Lookup(t.Context(), "same")
				_, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "same", Old: e.Hash, Data: []byte(text)}}, Author: ann})
				if err == nil {
					won[w]++
				} else if !errors.Is(err, ErrMoved) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	all := 1 + writers*rounds
	for _, n := range won {
		all += n
	}
	head, _ := r.Head()
	if got := strings.TrimSpace(run(t, r.dir, "rev-list", "--count", head.String())); got != fmt.Sprint(all) {
		t.Errorf("%s commits, want %d", got, all)
	}
	packs := len(*r.objects.packs.Load())
	if packs >= all {
		t.Errorf("%d packs for %d commits: nothing was written together", packs, all)
	}
	t.Logf("%d commits in %d packs", all, packs)
	last := time.Time{}
	for c, err := range r.Log(t.Context(), Hash{}, head) {
		if err != nil {
			t.Fatal(err)
		}
		if c.When.Before(last) {
			t.Errorf("time goes backwards at %s", c.Hash)
		}
		last = c.When
	}
	fsck(t, r.dir)
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("CAIRN_TEST_WRITER"); dir != "" {
		writer(dir)
		return
	}
	if dir := os.Getenv("CAIRN_TEST_PUSHER"); dir != "" {
		pusher(dir)
		return
	}
	os.Exit(m.Run())
}
