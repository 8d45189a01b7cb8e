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
	bolt "go.etcd.io/bbolt"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

func init() { saveEvery = 20 * time.Millisecond }

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

func (h *house) derived() string { return filepath.Join(h.dir, "derived") }

// store is the path of the newest store of a name, and of something in it.
func (h *house) store(name string) string {
	name, rest, _ := strings.Cut(name, "/")
	return filepath.Join(numbered(h.derived(), name, slices.Max(append(numbers(h.derived(), name), 0))), rest)
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
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
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
	saved, err := h.space.Move(h.ctx, actor("Bob"), wiki.Moving{From: path(from), To: path(to)})
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

// settle waits for a store longer than readers do, since the machine may be busy; but not for ever.
func (h *house) settle(store string, in *wiki.Snapshot) {
	ctx, cancel := context.WithTimeout(h.ctx, time.Minute)
	defer cancel()
	h.index.place(in.Space(), store).await(ctx, in, true)
}

// find lists the paths found, which must be up to date.
func (h *house) find(q Query) string {
	h.t.Helper()
	in := h.head()
	h.settle(h.index.words.name(), in)
	r, err := h.index.Find(h.ctx, []*wiki.Snapshot{in}, q)
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
	in := h.head()
	h.settle(h.index.trail.name(), in)
	paths, _, err := h.index.Backlinks(h.ctx, in, path(p), 100)
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
	h.settle(h.index.words.name(), in)
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
	check(t, "to a name that is not ASCII", h.backlinks("Über/Käse.md"), "b.md d.md")
}

func TestBacklinksOfMany(t *testing.T) {
	h := build(t)
	h.save("Ann", "dir/target.md", "x")
	h.save("Ann", "target.md", "y")
	for i := range 6 {
		link := "[[target]]"
		if i%2 == 1 {
			link = "[it](dir/target.md)"
		}
		h.save("Ann", fmt.Sprintf("p%d.md", i), link)
	}
	for _, tt := range []struct {
		limit int
		want  string
		more  bool
	}{{1, "p0.md", true}, {2, "p0.md p2.md", true}, {3, "p0.md p2.md p4.md", false}, {9, "p0.md p2.md p4.md", false}} {
		got, more, err := h.index.Backlinks(h.ctx, h.head(), path("target.md"), tt.limit)
		if join(got) != tt.want || more != tt.more || err != nil {
			t.Errorf("%d: got %q, %v, %v, want %q, %v", tt.limit, join(got), more, err, tt.want, tt.more)
		}
	}
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
			if err := change(h.store(name)); err != nil {
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
		{"on the way to the unknown", open(func(x *Index) error {
			return errors.Join(
				x.words.with(func(idx bleve.Index) error {
					return errors.Join(idx.Delete("wiki/a.md"), idx.SetInternal([]byte(towardKey+"wiki"), bogus))
				}),
				x.trail.update(x.trail.life(), "wiki", func(b book) error { return b.at.Put(keyToward, bogus) }))
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

// What is damaged while it is open is begun anew; a panic over somebody's question alone is no damage.
func TestDamagedWhileOpen(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi. [[b]]")
	h.catchUp()
	words, trail := h.index.words.held, h.index.trail.held
	boom := func() error { panic("boom") }
	ask := []func() error{
		func() error { return trail.ask(func(*bolt.DB) error { return boom() }) },
		func() error { return words.ask(func(bleve.Index) error { return boom() }) },
	}
	lives := []context.Context{trail.life(), words.life()}
	for i, ask := range ask {
		if err := ask(); err == nil || errors.Is(err, errDamaged) || lives[i].Err() != nil {
			t.Errorf("a question that panics: %v, life %v", err, lives[i].Err())
		}
	}
	healed := func() {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head()}, Query{Text: "okapi", By: "Ann"})
			if err == nil && r.Total == 1 && h.backlinks("b.md") == "a.md" {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("not built anew: %+v, %v, %+v", r, err, h.index.Status())
			}
		}
	}
	for i, with := range []func() error{
		func() error { return trail.with(func(*bolt.DB) error { return boom() }) },
		func() error { return words.with(func(bleve.Index) error { return boom() }) },
	} {
		if err := with(); !errors.Is(err, errDamaged) || lives[i].Err() == nil {
			t.Errorf("a follower that panics: %v, life %v", err, lives[i].Err())
		}
	}
	healed()
	h.stop()
	h.start()
	h.catchUp()
	words = h.index.words.held
	life := words.life()
	words.probe = func(bleve.Index) error { return errors.New("the probe fails") }
	err := words.ask(func(bleve.Index) error { return boom() })
	if !errors.Is(err, errDamaged) || life.Err() == nil {
		t.Errorf("a question that panics over a damaged store: %v, life %v", err, life.Err())
	}
	healed()
}

// Who asks after Close is told so, and deletes nothing.
func TestClosed(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi. [[b]]")
	h.catchUp()
	h.stop()
	in := h.head()
	for range 2 {
		_, err := h.index.Find(h.ctx, []*wiki.Snapshot{in}, Query{Text: "okapi"})
		_, _, err2 := h.index.Backlinks(h.ctx, in, path("b.md"), 1)
		if !errors.Is(err, fs.ErrClosed) || !errors.Is(err2, fs.ErrClosed) {
			t.Errorf("after Close: %v, %v", err, err2)
		}
	}
	x, err := Open(h.derived(), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for _, st := range []store{x.trail, x.words} {
		// Words that a busy disk has not taken by the end are indexed again.
		if at, _, err := st.position("wiki"); at != in.Rev() && st.name() != "words" || err != nil {
			t.Errorf("%s is at %q, %v", st.name(), at, err)
		}
	}
}

// cut opens the stores while nobody follows, and lets the words go on their way to the head until n pages have been read.
func (h *house) cut(n int) {
	h.t.Helper()
	x, err := Open(h.derived(), quiet(h.t))
	if err != nil {
		h.t.Fatal(err)
	}
	defer x.Close()
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	x.words.settled = func(context.Context, string) error { return nil }
	x.words.facts = func(*wiki.Snapshot, page.Path) facts {
		if n--; n == 0 {
			cancel()
		}
		return facts{}
	}
	since, err := resume(ctx, x.words.life(), h.space, x.words)
	if err == nil {
		err = x.words.move(ctx, x.words.life(), wiki.Delta{From: since, To: h.head()})
	}
	if !errors.Is(err, context.Canceled) {
		h.t.Fatalf("a move that is cut short: %v", err)
	}
	if _, toward, err := x.words.position("wiki"); toward == "" || err != nil {
		h.t.Fatalf("nothing was written before the cut: %v", err)
	}
}

// A move of the words that was cut short leaves nothing, whatever happened to its pages before the next.
func TestResume(t *testing.T) {
	h := build(t)
	h.save("Ann", "old0.md", "okapi")
	h.save("Ann", "old1.md", "okapi")
	h.catchUp()
	h.stop()
	big := "\n\n```\n" + strings.Repeat(strings.Repeat("; ", 500)+"\n", maxBatchBytes/3/1001-1) + "```\n"
	each := func(fn func(p string)) {
		for i := range 7 {
			fn(fmt.Sprintf("new%d.md", i))
		}
	}
	each(func(p string) { h.save("Ann", p, "quagga "+big) })
	for i := range 2 {
		h.save("Ann", fmt.Sprintf("old%d.md", i), "zebra "+big)
	}
	h.cut(7)
	each(func(p string) { h.remove(p) })
	for i := range 6 {
		h.save("Ann", fmt.Sprintf("other%d.md", i), "giraffe "+big)
	}
	h.cut(9 + 5) // the first move is done again, the second cut short
	h.remove("other0.md")
	h.remove("other1.md")
	for i := range 2 {
		h.save("Ann", fmt.Sprintf("old%d.md", i), "okapi")
	}
	h.start()
	h.catchUp()
	check(t, "what was taken back", h.find(Query{Text: "quagga zebra"}), "")
	check(t, "what stays", h.find(Query{Text: "okapi"}), "old0.md old1.md")
	check(t, "what is new", h.find(Query{Text: "giraffe"}), "other2.md other3.md other4.md other5.md")
	var n uint64
	err := h.index.words.with(func(idx bleve.Index) (err error) {
		n, err = idx.DocCount()
		return err
	})
	if want := h.head().PageCount(); n != uint64(want) || err != nil {
		t.Errorf("%d documents, want %d; %v", n, want, err)
	}
	for _, st := range []store{h.index.trail, h.index.words} {
		if at, toward, err := st.position("wiki"); at != h.head().Rev() || toward != "" || err != nil {
			t.Errorf("%s is at %q on the way to %q, %v", st.name(), at, toward, err)
		}
	}
}

// What the log cannot tell yet is waited for, and what it tells is not only of pages with another text.
func TestFacts(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi.")
	h.catchUp()
	h.stop()
	at := h.head().Rev()
	h.save("Bob", "a.md", "The quagga.")
	h.save("Cleo", "a.md", "The okapi.")

	x, err := Open(h.derived(), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	x.meet([]*wiki.Space{h.space})
	x.place("wiki", x.trail.name()).fail(errors.New("the log is ill"))
	was, _, err := x.words.position("wiki") // at, unless there was no time to write the words before the end
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.ctx, time.Minute)
	defer cancel()
	if err := x.words.move(ctx, x.words.life(), wiki.Delta{From: at, To: h.head()}); err == nil || ctx.Err() != nil {
		t.Errorf("moved while the log is ill: %v", err)
	}
	if got, _, err := x.words.position("wiki"); got != was || err != nil {
		t.Errorf("the position moved from %s to %s, %v", was, got, err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}

	h.start()
	h.catchUp()
	check(t, "who changed it", h.find(Query{Text: "okapi", By: "Bob"}), "a.md")
	check(t, "who changed it back", h.find(Query{Text: "okapi", By: "Cleo"}), "a.md")
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
	in := h.head()
	for i, want := range []time.Duration{patience, 0} {
		start := time.Now()
		r, err := x.Find(h.ctx, []*wiki.Snapshot{in}, Query{Text: "okapi"})
		if err != nil || !r.Behind || r.Total != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if took := time.Since(start); took < want {
			t.Errorf("question %d waited %s", i, took)
		}
	}
	// Of the questions of one view only the first waits, until the store moves.
	at := x.place("wiki", x.trail.name())
	start := time.Now()
	if _, _, err := x.Backlinks(h.ctx, in, path("a.md"), 1); err != nil || time.Since(start) < patience {
		t.Errorf("the first question waited %s: %v", time.Since(start), err)
	}
	for range 4 {
		if at.await(h.ctx, in, false) { // it would never end if it waited
			t.Error("the log has moved")
		}
	}
	at.reach(in)
	h.save("Ann", "a.md", "The okapi again.")
	start = time.Now()
	if x.reached(h.ctx, x.trail, h.head()) || time.Since(start) < patience {
		t.Errorf("waited %s after the store had moved", time.Since(start))
	}
	if !x.reached(h.ctx, x.trail, in) {
		t.Error("an older snapshot, which has been reached, is said to be behind")
	}
}

// A space that another process has made comes to light without anybody asking for it.
func TestSpaceOfAnother(t *testing.T) {
	h := build(t)
	if err := wiki.Create(h.ctx, h.dir, "other", quiet(t)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(3 * lookAround); ; time.Sleep(20 * time.Millisecond) {
		stores := 0
		for _, s := range h.index.Status() {
			if s.Space == "other" {
				stores++
			}
		}
		if stores == 2 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not noticed: %+v", h.index.Status())
		}
	}
}

// The spaces that Run knows are listed from the beginning, with what is behind.
func TestStatus(t *testing.T) {
	h := build(t)
	h.stop()
	x, err := Open(h.derived(), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if all := x.Status(); len(all) != 0 {
		t.Errorf("before Run: %+v", all)
	}
	other, err := h.wiki.Create(h.ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	if news := x.meet([]*wiki.Space{h.space, other}); len(news) != 2 {
		t.Errorf("%d new spaces", len(news))
	}
	all := x.Status()
	if len(all) != 4 || slices.ContainsFunc(all, func(s Status) bool { return s.Behind == 0 }) {
		t.Errorf("of two spaces that nobody has begun to follow: %+v", all)
	}
}
