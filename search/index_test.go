package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// actor may do everything.
type actor string

func (a actor) Name() string                  { return string(a) }
func (a actor) Email() string                 { return string(a) + "@example.org" }
func (actor) CanRead(string) bool             { return true }
func (actor) CanWrite(string, page.Path) bool { return true }
func (actor) CanManage(string) bool           { return true }

// house is a wiki with an index that follows it.
type house struct {
	t     *testing.T
	ctx   context.Context
	dir   string
	wiki  *wiki.Wiki
	space *wiki.Space
	index *Index
	stop  func()
}

func build(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, ctx: t.Context(), dir: t.TempDir()}
	var err error
	if h.wiki, err = wiki.Open(h.ctx, h.dir, quiet(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.wiki.Close() })
	if h.space, err = h.wiki.Space(h.ctx, "wiki"); err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(func() { h.stop() })
	h.catchUp()
	return h
}

func (h *house) derived(name ...string) string {
	return filepath.Join(append([]string{h.dir, "derived"}, name...)...)
}

// start opens the index and lets it follow; h.stop ends that.
func (h *house) start() {
	h.t.Helper()
	x, err := Open(h.derived(), quiet(h.t))
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := x.Run(ctx, h.wiki); err != nil {
			h.t.Error("Run:", err)
		}
	})
	h.index = x
	h.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err := x.Close(); err != nil {
			h.t.Error("Close:", err)
		}
	})
}

// catchUp waits until everything has been followed.
func (h *house) catchUp() {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all := h.index.Status()
		if len(all) > 0 && !slices.ContainsFunc(all, func(s Status) bool { return s.Behind > 0 || s.Err != nil }) {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("does not catch up: %+v", all)
		}
	}
}

func (h *house) head() *wiki.Snapshot {
	h.t.Helper()
	s, err := h.space.Head(actor("Ann"))
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func path(s string) page.Path {
	p, err := page.ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

func (h *house) save(by actor, p, text string) wiki.Rev {
	h.t.Helper()
	e := wiki.Edit{Path: path(p), Text: []byte(text), Note: "write " + p}
	if head := h.head(); head.Has(e.Path) {
		e.Base = head.Rev()
	}
	saved, err := h.space.Save(h.ctx, by, e)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved.Rev
}

func (h *house) move(from, to string) wiki.Rev {
	h.t.Helper()
	saved, err := h.space.Move(h.ctx, actor("Bob"), path(from), path(to), "")
	if err != nil {
		h.t.Fatal(err)
	}
	return saved.Rev
}

func (h *house) remove(p string) wiki.Rev {
	h.t.Helper()
	saved, err := h.space.Remove(h.ctx, actor("Bob"), path(p), "", "")
	if err != nil {
		h.t.Fatal(err)
	}
	return saved.Rev
}

// find lists the paths found, which must be up to date.
func (h *house) find(q Query) string {
	h.t.Helper()
	r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head()}, q)
	if err != nil {
		h.t.Fatal(err)
	}
	if r.Behind {
		h.t.Errorf("%+v: the words are behind", q)
	}
	var paths []string
	for _, hit := range r.Hits {
		paths = append(paths, string(hit.Path))
	}
	return strings.Join(paths, " ")
}

func (h *house) backlinks(p string) string {
	h.t.Helper()
	paths, err := h.index.Backlinks(h.ctx, h.head(), path(p))
	if err != nil {
		h.t.Fatal(err)
	}
	return join(paths)
}

func join(paths []page.Path) string {
	s := make([]string, len(paths))
	for i, p := range paths {
		s[i] = string(p)
	}
	return strings.Join(s, " ")
}

// history lists kind and path of the changes, read part by part.
func (h *house) history(in *wiki.Snapshot, p string, part int) string {
	h.t.Helper()
	var all []string
	for before := ""; ; {
		r, err := h.index.History(h.ctx, in, path(p), before, part)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, c := range r.Changes {
			all = append(all, fmt.Sprintf("%c:%s", c.Kind, c.Path))
		}
		if before = r.Next; before == "" {
			return strings.Join(all, " ")
		}
	}
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestFollow(t *testing.T) {
	h := build(t)
	h.save("Ann", "install.md", "# Install\n\nHow to set up the zebra. See [guide](guide/a.md).\n")
	check(t, "a saved page", h.find(Query{Text: "zebra"}), "install.md")
	h.save("Zoë", "install.md", "# Install\n\nHow to set up the giraffe.\n")
	check(t, "the old text", h.find(Query{Text: "zebra"}), "")
	check(t, "the new text", h.find(Query{Text: "giraffe"}), "install.md")
	check(t, "by its second author", h.find(Query{By: "zoe"}), "install.md")
	check(t, "by its first author", h.find(Query{Text: "install", By: "Ann"}), "install.md")
	check(t, "since an hour", h.find(Query{Text: "giraffe", Since: time.Now().Add(-time.Hour)}), "install.md")
	check(t, "since tomorrow", h.find(Query{Text: "giraffe", Since: time.Now().Add(24 * time.Hour)}), "")
	h.move("install.md", "setup/Über uns.md")
	check(t, "a moved page", h.find(Query{Text: "giraffe"}), "setup/Über uns.md")
	h.save("Ann", "_Sidebar.md", "giraffe")
	check(t, "bars are not found", h.find(Query{Text: "giraffe"}), "setup/Über uns.md")
	h.remove("setup/Über uns.md")
	check(t, "a removed page", h.find(Query{Text: "giraffe"}), "")
	h.save("Ann", "suche.md", "搜索引擎")
	check(t, "CJK", h.find(Query{Text: "引擎"}), "suche.md")

	h.catchUp()
	for _, s := range h.index.Status() {
		if s.Rev != h.head().Rev() || s.Seq != s.Head {
			t.Errorf("status %+v, head %s", s, h.head().Rev())
		}
	}
	other, err := h.wiki.Create(h.ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Save(h.ctx, actor("Ann"), wiki.Edit{Path: path("x.md"), Text: []byte("secret giraffe")}); err != nil {
		t.Fatal(err)
	}
	in, err := other.Head(actor("Ann"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head(), in}, Query{Text: "giraffe"})
	if err != nil || r.Total != 1 || r.Hits[0].Space != "other" || r.Behind {
		t.Errorf("in a new space: %+v, %v", r, err)
	}
	check(t, "not in the others", h.find(Query{Text: "giraffe"}), "")
}

func TestFindShows(t *testing.T) {
	h := build(t)
	h.save("Ann", "x.md", "# <img src=x onerror=alert(1)>\n\nThe `<script>` of the okapi.\n")
	r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head()}, Query{Text: "okapi script"})
	if err != nil || len(r.Hits) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	hit := r.Hits[0]
	if !strings.Contains(shown(hit.Snippet), "<[script]> of the [okapi]") {
		t.Errorf("snippet %q", shown(hit.Snippet))
	}
	if hit.By != "Ann" || time.Since(hit.When) > time.Minute || hit.Score <= 0 {
		t.Errorf("hit %+v", hit)
	}
	if r, err := h.index.Find(h.ctx, nil, Query{Text: "okapi"}); err != nil || r.Total != 0 {
		t.Errorf("in no space: %+v, %v", r, err)
	}
	if r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head()}, Query{}); err != nil || r.Total != 0 {
		t.Errorf("nothing asked: %+v, %v", r, err)
	}
}

func TestHistory(t *testing.T) {
	h := build(t)
	text := strings.Repeat("a line of text that stays\n", 20)
	h.save("Ann", "a.md", text)
	second := h.save("Bob", "a.md", text+"more\n")
	h.move("a.md", "b.md")
	h.save("Ann", "b.md", text+"more and more\n")
	h.move("b.md", "dir/c.md")
	h.save("Eve", "a.md", "another page altogether")
	before := h.head()
	removed := h.remove("a.md")
	now := h.head()

	for _, part := range []int{1, 2, 100} {
		check(t, "history over moves", h.history(now, "dir/c.md", part), "R:dir/c.md M:b.md R:b.md M:a.md A:a.md")
		check(t, "history of a name used twice", h.history(now, "a.md", part), "D:a.md A:a.md")
		check(t, "history of a page that was moved", h.history(now, "b.md", part), "R:dir/c.md M:b.md R:b.md M:a.md A:a.md")
	}
	check(t, "history up to a snapshot", h.history(before, "a.md", 100), "A:a.md")
	check(t, "history of nothing", h.history(now, "nothing.md", 100), "")
	old, err := h.space.At(h.ctx, actor("Ann"), string(second))
	if err != nil {
		t.Fatal(err)
	}
	check(t, "history at an old revision", h.history(old, "a.md", 100), "M:a.md A:a.md")

	to, ok, err := h.index.Moved(h.ctx, now, path("b.md"))
	if to != "dir/c.md" || !ok || err != nil {
		t.Errorf("b.md moved to %q, %v, %v", to, ok, err)
	}
	if to, ok, err := h.index.Moved(h.ctx, now, path("dir/c.md")); ok || to != "" || err != nil {
		t.Errorf("dir/c.md moved to %q, %v, %v", to, ok, err)
	}
	if to, ok, err := h.index.Moved(h.ctx, now, path("never.md")); ok || to != "" || err != nil {
		t.Errorf("never.md moved to %q, %v, %v", to, ok, err)
	}

	gone, err := h.index.Deleted(h.ctx, now, path("a.md"))
	if err != nil || gone.Rev != removed || gone.Before != before.Rev() || gone.By != "Bob" || gone.Text == "" {
		t.Errorf("deleted: %+v, %v", gone, err)
	}
	for _, p := range []string{"b.md", "dir/c.md", "never.md"} {
		if _, err := h.index.Deleted(h.ctx, now, path(p)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s deleted: %v", p, err)
		}
	}
	last, err := h.index.Last(h.ctx, now, path("dir/c.md"))
	if err != nil || last.By != "Bob" || last.Kind != 'R' || last.From != "b.md" || last.When.IsZero() {
		t.Errorf("last: %+v, %v", last, err)
	}
	if _, err := h.index.Last(h.ctx, now, path("never.md")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("last of nothing: %v", err)
	}

	// Back and forth: no loop, and the newest answer.
	h.move("dir/c.md", "b.md")
	h.move("b.md", "a.md")
	h.move("a.md", "dir/c.md")
	for _, p := range []string{"a.md", "b.md"} {
		if to, _, err := h.index.Moved(h.ctx, h.head(), path(p)); to != "dir/c.md" || err != nil {
			t.Errorf("%s moved to %q, %v", p, to, err)
		}
	}
	if got := h.history(h.head(), "dir/c.md", 3); !strings.HasSuffix(got, "R:dir/c.md M:b.md R:b.md M:a.md A:a.md") || strings.Count(got, "R:") != 5 {
		t.Errorf("history over a circle: %s", got)
	}
	if _, err := h.index.History(h.ctx, now, path("a.md"), "no cursor", 1); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a bad cursor: %v", err)
	}
}

func TestRecent(t *testing.T) {
	h := build(t)
	first := len(recent(h, 100))
	var want []wiki.Rev
	for i := range 7 {
		want = append(want, h.save("Ann", fmt.Sprintf("p%d.md", i), "text"))
	}
	slices.Reverse(want)
	for _, part := range []int{1, 3, 100} {
		got := recent(h, part)
		if len(got) != first+7 {
			t.Fatalf("%d commits, want %d", len(got), first+7)
		}
		for i, c := range got[:7] {
			if c.Rev != want[i] || len(c.Files) != 1 || c.Files[0].Kind != 'A' || c.Author != "Ann" || c.Note == "" {
				t.Errorf("commit %d: %+v", i, c)
			}
		}
	}
}

func recent(h *house, part int) (all []Commit) {
	h.t.Helper()
	for before := ""; ; {
		r, err := h.index.Recent(h.ctx, h.head(), before, part)
		if err != nil || r.Behind {
			h.t.Fatal(r.Behind, err)
		}
		all = append(all, r.Commits...)
		if before = r.Next; before == "" {
			return all
		}
	}
}

func TestBacklinks(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "See [[Target]] and [[Target|again]].")
	h.save("Ann", "b.md", "See [it](dir/target.md) and <https://example.org/target>.")
	h.save("Ann", "c.md", "Nothing.")
	check(t, "to a page that is not there", h.backlinks("dir/target.md"), "b.md")
	h.save("Ann", "Target.md", "Me: [[Target]].")
	check(t, "to a page made later", h.backlinks("Target.md"), "a.md")
	h.save("Ann", "c.md", "Now [[target]].")
	check(t, "from a page changed", h.backlinks("Target.md"), "a.md c.md")
	h.save("Ann", "a.md", "No more.")
	check(t, "from a page changed back", h.backlinks("Target.md"), "c.md")
	h.remove("c.md")
	check(t, "from a page removed", h.backlinks("Target.md"), "")
	h.save("Ann", "dir/target.md", "The other.")
	check(t, "to the other", h.backlinks("dir/target.md"), "b.md")
	h.move("dir/target.md", "Über/Käse.md")
	h.save("Ann", "d.md", "[[Über/Käse]] and [k](Über/K%C3%A4se.md)")
	check(t, "to a name that is not ASCII", h.backlinks("Über/Käse.md"), "d.md")
}

func TestTags(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "---\ntags: [Ops, Über]\n---\ntext")
	h.save("Ann", "b.md", "---\ntags: [ops]\n---\ntext")
	h.save("Ann", "c.md", "---\ntags: [ops]\n---\ntext")
	h.save("Ann", "d.md", "---\ntags: [ops2]\n---\ntext")
	tagged, err := h.index.Tagged(h.ctx, h.head(), "OPS")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "tagged", join(tagged), "a.md b.md c.md")
	h.save("Ann", "b.md", "no tags")
	h.remove("c.md")
	tags, err := h.index.Tags(h.ctx, h.head())
	if err != nil {
		t.Fatal(err)
	}
	check(t, "tags", fmt.Sprint(tags), "[{Ops 1} {ops2 1} {Über 1}]")
	check(t, "found by tag", h.find(Query{Tag: "ops"}), "a.md")
}

func TestRestart(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi. [[b]]")
	h.save("Bob", "b.md", "---\ntags: [x]\n---\nThe quagga.")
	h.move("b.md", "c.md")
	answers := func() string {
		h.t.Helper()
		h.catchUp()
		tagged, err := h.index.Tagged(h.ctx, h.head(), "x")
		if err != nil {
			t.Error(err)
		}
		to, _, err := h.index.Moved(h.ctx, h.head(), path("b.md"))
		if err != nil {
			t.Error(err)
		}
		return strings.Join([]string{h.find(Query{Text: "okapi quagga"}), h.find(Query{By: "bob"}), h.backlinks("b.md"),
			h.history(h.head(), "c.md", 10), join(tagged), string(to), fmt.Sprint(len(recent(h, 10)))}, " | ")
	}
	want := answers()
	each := func(change func(file string) error) func() {
		return func() {
			err := filepath.WalkDir(h.derived(), func(file string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				return change(file)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	zap := func(change func(file string) error) func() {
		return each(func(file string) error {
			if filepath.Ext(file) != ".zap" {
				return nil
			}
			return change(file)
		})
	}
	truncate := func(file string) error {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		return os.Truncate(file, info.Size()/2)
	}
	empty := func(file string) error { return os.Truncate(file, 0) }
	garbage := func(file string) error {
		return os.WriteFile(file, []byte(strings.Repeat("garbage ", 4096)), 0o666)
	}
	// open calls fn with the stores while nobody follows.
	open := func(fn func(*Index) error) func() {
		return func() {
			x, err := Open(h.derived(), quiet(t))
			if err == nil {
				err = errors.Join(fn(x), x.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	bogus := []byte(strings.Repeat("0123456789", 4))
	only := func(name string, change func(string) error) func() {
		return func() {
			if err := change(h.derived(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name  string
		spoil func()
	}{
		{"nothing", func() {}},
		{"saved meanwhile", func() {
			h.save("Ann", "a.md", "The okapi again. [[b]]")
			want = strings.Replace(want, "| 4", "| 5", 1)
		}},
		{"all removed", func() {
			if err := Remove(h.derived()); err != nil {
				t.Fatal(err)
			}
		}},
		{"words removed", only("words", os.RemoveAll)},
		{"log removed", only("log.db", os.Remove)},
		{"log empty", only("log.db", empty)},
		{"log cut off", only("log.db", truncate)},
		{"log garbage", only("log.db", garbage)},
		{"segments removed", zap(os.Remove)},
		{"segments cut off", zap(truncate)},
		{"segments garbage", zap(garbage)},
		{"root empty", only("words/store/root.bolt", empty)},
		{"meta garbage", only("words/index_meta.json", garbage)},
		{"positions unknown", open(func(x *Index) error {
			return errors.Join(
				x.words.with(func(idx bleve.Index) error { return idx.SetInternal([]byte(revKey+"wiki"), bogus) }),
				x.trail.update(x.trail.life(), "wiki", func(b book) error { return b.at.Put(keyRev, bogus) }))
		})},
		{"positions lost", open(func(x *Index) error {
			return errors.Join(
				x.words.with(func(idx bleve.Index) error { return idx.DeleteInternal([]byte(revKey + "wiki")) }),
				x.trail.update(x.trail.life(), "wiki", func(b book) error { return b.at.Delete(keyRev) }))
		})},
		{"a page lost", open(func(x *Index) error {
			return x.words.with(func(idx bleve.Index) error { return idx.Delete("wiki/a.md") })
		})},
		{"another make", open(func(x *Index) error {
			return x.words.with(func(idx bleve.Index) error { return idx.SetInternal([]byte(schemaKey), bogus) })
		})},
		{"all cut off", each(truncate)},
		{"all empty", each(empty)},
	}
	for _, tt := range tests {
		h.stop()
		tt.spoil()
		h.start()
		check(t, tt.name, answers(), want)
	}
}

// What is damaged while it is open is begun anew.
func TestDamagedWhileOpen(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi. [[b]]")
	h.catchUp()
	boom := func() error { panic("boom") }
	for _, with := range []func() error{
		func() error { return h.index.trail.view("wiki", func(book) error { return boom() }) },
		func() error { return h.index.words.with(func(bleve.Index) error { return boom() }) },
	} {
		if err := with(); !errors.Is(err, errDamaged) {
			t.Errorf("got %v", err)
		}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head()}, Query{Text: "okapi", By: "Ann"})
		if err == nil && r.Total == 1 && h.backlinks("b.md") == "a.md" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not built anew: %+v, %v, %+v", r, err, h.index.Status())
		}
	}
}

func TestHeldByAnother(t *testing.T) {
	dir := t.TempDir()
	x, err := Open(dir, quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if _, err := Open(dir, quiet(t)); !errors.Is(err, errHeld) {
		t.Errorf("opened twice: %v", err)
	}
}

func TestBehind(t *testing.T) {
	h := build(t)
	h.stop() // nobody follows any more
	x, err := Open(h.derived(), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	h.save("Ann", "a.md", "The okapi.")
	start := time.Now()
	r, err := x.Find(h.ctx, []*wiki.Snapshot{h.head()}, Query{Text: "okapi"})
	if err != nil || !r.Behind || r.Total != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if took := time.Since(start); took < patience || took > 3*patience {
		t.Errorf("waited %s", took)
	}
}
