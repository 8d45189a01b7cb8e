package wiki_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
)

var ann, bob = accounts.Visitor("Ann"), accounts.Visitor("Bob")

func open(t *testing.T, dir string) (*wiki.Wiki, *wiki.Space) {
	t.Helper()
	w, err := wiki.Open(t.Context(), dir, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s, err := w.Space(t.Context(), wiki.First)
	if err != nil {
		t.Fatal(err)
	}
	return w, s
}

func head(t *testing.T, s *wiki.Space) *wiki.Snapshot {
	t.Helper()
	h, err := s.Head(ann)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func save(t *testing.T, s *wiki.Space, p page.Path, text string, base wiki.Rev) wiki.Saved {
	t.Helper()
	saved, err := s.Save(t.Context(), ann, wiki.Edit{Path: p, Text: []byte(text), Base: base})
	if err != nil {
		t.Fatalf("save %s: %v", p, err)
	}
	return saved
}

func read(t *testing.T, s *wiki.Space, p page.Path) string {
	t.Helper()
	b, err := head(t, s).Read(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSave(t *testing.T) {
	_, s := open(t, t.TempDir())
	first := save(t, s, "Plans.md", "one\n\ntwo\n\nthree\n", "")
	if !first.Created || first.Merged || first.Unchanged {
		t.Errorf("a new page is %+v", first)
	}
	if blob, ok := head(t, s).Blob(t.Context(), "Plans.md"); !ok || blob != first.Blob {
		t.Errorf("the head has blob %s, the save told %s", blob, first.Blob)
	}
	same := save(t, s, "Plans.md", "one\n\ntwo\n\nthree\n", first.Rev)
	if !same.Unchanged || same.Rev != head(t, s).Rev() {
		t.Errorf("the same text again is %+v", same)
	}

	second := save(t, s, "Plans.md", "ONE\n\ntwo\n\nthree\n", first.Rev)
	merged := save(t, s, "Plans.md", "one\n\ntwo\n\nTHREE\n", first.Rev)
	if !merged.Merged || read(t, s, "Plans.md") != "ONE\n\ntwo\n\nTHREE\n" {
		t.Errorf("merged is %+v: %q", merged, read(t, s, "Plans.md"))
	}
	// Sent twice, it is saved once.
	again := save(t, s, "Plans.md", "one\n\ntwo\n\nTHREE\n", first.Rev)
	if !again.Unchanged {
		t.Errorf("the same save again is %+v", again)
	}

	for _, test := range []struct {
		name string
		edit wiki.Edit
		want func(error) bool
	}{
		{"same line", wiki.Edit{Text: []byte("uno\n\ntwo\n\nthree\n"), Base: first.Rev}, func(err error) bool {
			var c *wiki.Conflict
			return errors.As(err, &c) && !c.Gone && !c.NoBase && string(c.Base) == "one\n\ntwo\n\nthree\n" &&
				string(c.Mine) == "uno\n\ntwo\n\nthree\n" && strings.HasPrefix(string(c.Theirs), "ONE") && c.Rev == merged.Rev &&
				strings.Contains(string(c.Merged), "<<<<<<< your text\nuno\n=======\nONE\n>>>>>>> saved meanwhile\n")
		}},
		{"no base", wiki.Edit{Text: []byte("mine")}, func(err error) bool {
			var c *wiki.Conflict
			return errors.As(err, &c) && c.NoBase && strings.Contains(string(c.Merged), "mine") && strings.Contains(string(c.Merged), "THREE")
		}},
		{"unknown base", wiki.Edit{Text: []byte("mine"), Base: "0123456789012345678901234567890123456789"}, func(err error) bool {
			var c *wiki.Conflict
			return errors.As(err, &c) && c.NoBase
		}},
		{"garbled base", wiki.Edit{Text: []byte("mine"), Base: "HEAD~1"}, func(err error) bool {
			var c *wiki.Conflict
			return errors.As(err, &c) && c.NoBase
		}},
		{"unknown blob", wiki.Edit{Text: []byte("mine"), Blob: "0123456789012345678901234567890123456789"}, func(err error) bool {
			var c *wiki.Conflict
			return errors.As(err, &c) && c.NoBase
		}},
		{"stale blob, no merge", wiki.Edit{Text: []byte("mine"), Blob: second.Blob, Only: true}, is(wiki.ErrChanged)},
		{"too large", wiki.Edit{Text: make([]byte, wiki.MaxPage+1), Base: merged.Rev}, is(wiki.ErrTooLarge)},
		{"NUL", wiki.Edit{Text: []byte("a\x00b"), Base: merged.Rev}, is(wiki.ErrNotText)},
		{"not UTF-8", wiki.Edit{Text: []byte("a\xffb"), Base: merged.Rev}, is(wiki.ErrNotText)},
		{"a twin", wiki.Edit{Path: "plans.md", Text: []byte("x")}, isNameError("Plans.md")},
		{"a device", wiki.Edit{Path: "aux.md", Text: []byte("x")}, isNameError("")},
		{"in a file", wiki.Edit{Path: "Plans.md/x.md", Text: []byte("x")}, is(fs.ErrExist)},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := head(t, s).Rev()
			if test.edit.Path == "" {
				test.edit.Path = "Plans.md"
			}
			_, err := s.Save(t.Context(), ann, test.edit)
			if err == nil || !test.want(err) {
				t.Errorf("got %#v", err)
			}
			if head(t, s).Rev() != before {
				t.Error("something was saved")
			}
		})
	}
}

// What a writer has chosen is saved, whatever has happened since; what was not chosen between these texts is asked anew.
func TestSettle(t *testing.T) {
	_, s := open(t, t.TempDir())
	base := save(t, s, "Plans.md", "one\r\n-\r\ntwo\r\n-\r\nthree\r\n", "")
	theirs := save(t, s, "Plans.md", "ONE\r\n-\r\nTWO\r\n-\r\nthree\r\n", base.Rev)
	edit := wiki.Edit{Path: "Plans.md", Text: []byte("uno\r\n-\r\ndue\r\n-\r\nthree\r\n"), Base: base.Rev}
	_, err := s.Save(t.Context(), bob, edit)
	var c *wiki.Conflict
	if !errors.As(err, &c) || c.Merge.Conflicts() != 2 || c.Rev != theirs.Rev {
		t.Fatalf("got %v", err)
	}
	save(t, s, "Plans.md", "ONE\r\n-\r\nTWO\r\n-\r\nTHREE\r\n", theirs.Rev) // and somebody saves again

	for _, choices := range [][]page.Choice{nil, {page.KeepMine}, {page.KeepMine, page.KeepMine, page.KeepMine}} {
		if same, err := s.Settle(t.Context(), bob, edit, c.Rev, choices); err != nil || !reflect.DeepEqual(same, edit) {
			t.Errorf("%d choices: got %+v, %v", len(choices), same, err)
		}
	}
	for _, rev := range []wiki.Rev{"", "no revision", "0123456789012345678901234567890123456789"} {
		if same, err := s.Settle(t.Context(), bob, edit, rev, make([]page.Choice, 2)); err != nil || !reflect.DeepEqual(same, edit) {
			t.Errorf("against %q: got %+v, %v", rev, same, err)
		}
	}

	settled, err := s.Settle(t.Context(), bob, edit, c.Rev, []page.Choice{page.KeepTheirs, page.KeepBoth})
	if err != nil || settled.Base != theirs.Rev {
		t.Fatalf("got %+v, %v", settled, err)
	}
	saved, err := s.Save(t.Context(), bob, settled)
	if err != nil || !saved.Merged {
		t.Fatalf("got %+v, %v", saved, err)
	}
	if got, want := read(t, s, "Plans.md"), "ONE\r\n-\r\ndue\r\nTWO\r\n-\r\nTHREE\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func isNameError(offer page.Path) func(error) bool {
	return func(err error) bool {
		var n *page.NameError
		return errors.As(err, &n) && (offer == "" || n.Offer == offer)
	}
}

func TestMoveRemoveRestore(t *testing.T) {
	_, s := open(t, t.TempDir())
	written := save(t, s, "a/Old.md", "text\n", "")
	save(t, s, "Other.md", "other\n", "")

	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a/Old.md", To: "Other.md"}); !isNameError("Other 2.md")(err) {
		t.Errorf("move onto another: %v", err)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a/Old.md", To: "other.md"}); !isNameError("other 2.md")(err) {
		t.Errorf("move onto a twin: %v", err)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "Nobody.md", To: "x.md"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("move of nothing: %v", err)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a/Old.md", To: "a/old.md"}); err != nil {
		t.Errorf("move to other capitals: %v", err)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a/old.md", To: "b/New.md", Note: "better"}); err != nil {
		t.Fatal(err)
	}
	if h := head(t, s); h.Has("a/old.md") || !h.Has("b/New.md") || h.IsFolder(t.Context(), "a") {
		t.Error("not moved")
	}

	blob, _ := head(t, s).Blob(t.Context(), "b/New.md")
	if _, err := s.Remove(t.Context(), ann, "b/New.md", "0123456789012345678901234567890123456789", ""); !errors.Is(err, wiki.ErrChanged) {
		t.Errorf("remove another blob: %v", err)
	}
	moved := head(t, s).Rev()
	if _, err := s.Remove(t.Context(), ann, "b/New.md", blob, ""); err != nil {
		t.Fatal(err)
	}
	// Who still had it open gets the text back and is told.
	var c *wiki.Conflict
	_, err := s.Save(t.Context(), bob, wiki.Edit{Path: "b/New.md", Text: []byte("mine"), Base: moved})
	if !errors.As(err, &c) || !c.Gone || string(c.Mine) != "mine" || string(c.Base) != "text\n" {
		t.Errorf("save of what is gone: %+v, %v", c, err)
	}
	// A base that never had the file is the same as none.
	if _, err := s.Save(t.Context(), bob, wiki.Edit{Path: "b/Never.md", Text: []byte("new"), Base: moved}); err != nil {
		t.Errorf("save of a new page onto a revision: %v", err)
	}

	if _, err := s.Restore(t.Context(), ann, wiki.Restoration{Path: "b/New.md", Rev: string(moved)}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "b/New.md"); got != "text\n" {
		t.Errorf("restored %q", got)
	}
	if _, err := s.Restore(t.Context(), ann, wiki.Restoration{Path: "b/New.md", Rev: string(written.Rev)}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("restore of what was not there: %v", err)
	}
	again, err := s.Restore(t.Context(), ann, wiki.Restoration{Path: "b/New.md", Rev: string(moved)[:8]})
	if err != nil || !again.Unchanged {
		t.Errorf("restore of the same: %+v, %v", again, err)
	}
}

// Fifty people save one page from one base, each another line: whatever is acknowledged is in the page, the rest have
// every text in their hands.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	_, s := open(t, dir)
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf("line %d", i), "")
	}
	base := save(t, s, "Page.md", strings.Join(lines, "\n"), "")
	var mu sync.Mutex
	var acked []string
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			mine := slices.Clone(lines)
			at := 2 * (i / 2) // two people a line: one of them collides
			mine[at] = fmt.Sprintf("written by %d", i)
			_, err := s.Save(t.Context(), bob, wiki.Edit{Path: "Page.md", Text: []byte(strings.Join(mine, "\n")), Base: base.Rev})
			var c *wiki.Conflict
			switch {
			case err == nil:
				mu.Lock()
				acked = append(acked, mine[at])
				mu.Unlock()
			case !errors.As(err, &c) || !strings.Contains(string(c.Merged), mine[at]):
				t.Errorf("writer %d: %v", i, err)
			}
		})
		wg.Go(func() { // others write other pages
			if _, err := s.Save(t.Context(), ann, wiki.Edit{Path: page.Path(fmt.Sprintf("other/%d.md", i)), Text: []byte("x")}); err != nil {
				t.Errorf("page %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if len(acked) != 25 {
		t.Errorf("%d saves were acknowledged, want one a line", len(acked))
	}
	text := read(t, s, "Page.md")
	for _, line := range acked {
		if !strings.Contains(text, line) {
			t.Errorf("%q was acknowledged and is not there", line)
		}
	}
	if n := head(t, s).PageCount(); n != 52 {
		t.Errorf("%d pages, want 52", n)
	}
	if out, err := exec.Command("git", "-C", filepath.Join(dir, "spaces/wiki.git"), "fsck", "--full", "--strict").CombinedOutput(); err != nil {
		t.Errorf("fsck: %v: %s", err, out)
	}
}

// A twin cannot come to be, however many try at once.
func TestTwinsAtOnce(t *testing.T) {
	w, first := open(t, t.TempDir())
	empty, err := w.Create(t.Context(), "empty")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*wiki.Space{first, empty} {
		twins(t, s)
	}
	if n := head(t, first).PageCount(); n != 2 { // and Home
		t.Errorf("%d pages, want 2", n)
	}
	if n := head(t, empty).PageCount(); n != 1 {
		t.Errorf("%d pages in a space that was empty, want 1", n)
	}
}

func twins(t *testing.T, s *wiki.Space) {
	var wg sync.WaitGroup
	for i := range 16 {
		name := []byte("twin")
		for bit := range 4 {
			if i>>bit&1 == 1 {
				name[bit] -= 'a' - 'A'
			}
		}
		wg.Go(func() {
			s.Save(t.Context(), ann, wiki.Edit{Path: page.Path(name) + ".md", Text: []byte("x")})
		})
	}
	wg.Wait()
}

func TestSnapshotStands(t *testing.T) {
	_, s := open(t, t.TempDir())
	save(t, s, "a.md", "one", "")
	old := head(t, s)
	save(t, s, "a.md", "two", old.Rev())
	save(t, s, "b.md", "b", "")
	if b, err := old.Read(t.Context(), "a.md"); err != nil || string(b) != "one" {
		t.Errorf("the old snapshot reads %q, %v", b, err)
	}
	if old.Has("b.md") || !head(t, s).Has("b.md") || head(t, s).Seq() <= old.Seq() {
		t.Error("the old snapshot has moved")
	}
	at, err := s.At(t.Context(), ann, string(old.Rev()))
	if err != nil || at.Has("b.md") || !at.Has("a.md") || at.PageCount() != 2 {
		t.Errorf("At: %v", err)
	}
	for _, rev := range []string{"", "main", "HEAD", "--help", "0123456789012345678901234567890123456789", strings.Repeat("a", 5000)} {
		if _, err := s.At(t.Context(), ann, rev); err == nil {
			t.Errorf("revision %.20q is there", rev)
		}
	}
}

func TestFollow(t *testing.T) {
	_, s := open(t, t.TempDir())
	save(t, s, "a.md", "one\n", "")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	deltas := make(chan wiki.Delta)
	go s.Follow(ctx, "", func(d wiki.Delta) error {
		deltas <- d
		return nil
	})
	tell := func(d wiki.Delta) string {
		var out []string
		for c, err := range d.Changes(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(c.Kind)+" "+string(c.Path))
		}
		slices.Sort(out)
		for c, err := range d.Commits(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range c.Files {
				out = append(out, fmt.Sprintf("%s: %c %s<%s", c.Subject(), f.Kind, f.Path, f.From))
			}
		}
		return strings.Join(out, "; ")
	}
	if got, want := tell(<-deltas), "A .cairn.yml; A Home.md; A a.md; Begin the wiki: A .cairn.yml<; Begin the wiki: A Home.md<; Write a: A a.md<"; got != want {
		t.Errorf("from nothing: %s, want %s", got, want)
	}
	before := head(t, s).Rev()
	if _, err := s.Move(ctx, ann, wiki.Moving{From: "a.md", To: "b.md"}); err != nil {
		t.Fatal(err)
	}
	d := <-deltas
	if got, want := tell(d), "A b.md; D a.md; Move a to b: R b.md<a.md"; got != want || d.From != before {
		t.Errorf("a move: %s, want %s", got, want)
	}

	// A position that is known goes on from there, even when nothing is new; one that is not begins anew.
	for since, want := range map[wiki.Rev]wiki.Rev{before: before, d.To.Rev(): d.To.Rev(), "0123456789012345678901234567890123456789": "", "x": ""} {
		stop := errors.New("stop")
		err := s.Follow(ctx, since, func(d wiki.Delta) error {
			if d.From != want {
				t.Errorf("since %.8q goes on from %.8q", since, d.From)
			}
			return stop
		})
		if err != stop {
			t.Errorf("Follow: %v", err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	w, s := open(t, dir)
	save(t, s, "Kept.md", "kept", "")
	log := slog.New(slog.DiscardHandler)
	if _, err := wiki.Open(t.Context(), dir, log); !errors.Is(err, wiki.ErrInUse) {
		t.Errorf("a second wiki: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A space that cannot be opened does not keep the others from opening.
	if err := os.Mkdir(filepath.Join(dir, "spaces/broken.git"), 0o755); err != nil {
		t.Fatal(err)
	}
	w, s = open(t, dir)
	if read(t, s, "Kept.md") != "kept" {
		t.Error("not kept")
	}
	if _, err := w.Space(t.Context(), "broken"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the broken space: %v", err)
	}
	if _, err := w.Space(t.Context(), "../wiki"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a space outside: %v", err)
	}
}

func TestImportBeside(t *testing.T) {
	dir := t.TempDir()
	w, _ := open(t, dir)
	src := t.TempDir()
	for name, text := range map[string]string{"Home.md": "home", "a/b.md": "b", "pic.png": "png"} {
		p := filepath.Join(src, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	added := w.Added()
	in, err := wiki.Import(t.Context(), dir, "team", src, ann, io.Discard, log)
	if err != nil || in.Pages != 2 || in.Files != 1 {
		t.Fatalf("imported %+v, %v", in, err)
	}
	s, err := w.Space(t.Context(), "team")
	if err != nil || read(t, s, "a/b.md") != "b" {
		t.Errorf("the space beside: %v", err)
	}
	select {
	case <-added:
	default:
		t.Error("nobody was told of the space")
	}
	for _, name := range []string{"team", "wiki"} {
		if _, err := wiki.Import(t.Context(), dir, name, src, ann, io.Discard, log); !errors.Is(err, fs.ErrExist) {
			t.Errorf("import over %s: %v", name, err)
		}
	}
	for _, name := range []string{"", "../x", "A", "-a", strings.Repeat("a", 64)} {
		if _, err := wiki.Import(t.Context(), dir, name, src, ann, io.Discard, log); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("import as %q: %v", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "spaces/.new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestChildren(t *testing.T) {
	_, s := open(t, t.TempDir())
	for _, p := range []page.Path{"Page 10.md", "page 9.md", "Äpfel.md", "b/x.md", "_Sidebar.md", "pic.png"} {
		save(t, s, p, "x", "")
	}
	h := head(t, s)
	children, err := h.Children(t.Context(), "")
	var got []string
	for _, c := range children {
		got = append(got, string(c.Path))
	}
	if want := []string{"Äpfel.md", "b", "Home.md", "page 9.md", "Page 10.md", "pic.png"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("children are %q, want %q (%v)", got, want, err)
	}
	for _, p := range []page.Path{"sorted/Plan B.md", "sorted/Plan.md", "sorted/Step-10.md", "sorted/Step-2.md", "sorted/step-3/x.md", "sorted/plan a.md"} {
		save(t, s, p, "x", "")
	}
	children, err = head(t, s).Children(t.Context(), "sorted")
	got = nil
	for _, c := range children {
		got = append(got, c.Path.Base())
	}
	if want := []string{"Plan.md", "plan a.md", "Plan B.md", "Step-2.md", "step-3", "Step-10.md"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("children are %q, want %q (%v)", got, want, err)
	}
	around, before, after, err := h.Around(t.Context(), "", "Page 10.md", 3)
	if err != nil || len(around) != 3 || around[2].Path != "Page 10.md" || before != 2 || after != 0 {
		t.Errorf("around is %v, %d before, %d after, %v", around, before, after, err)
	}
	if list, next := h.Pages("", 2); len(list) != 2 || next != list[1] {
		t.Errorf("pages are %v, %q", list, next)
	}
}

// A folder is in the tree of pages for as long as there is a page somewhere below it.
func TestTreeOfPages(t *testing.T) {
	_, s := open(t, t.TempDir())
	tree := func(dir string) string {
		t.Helper()
		list, _, _, err := head(t, s).Around(t.Context(), dir, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range list {
			names = append(names, string(c.Path))
		}
		return strings.Join(names, " ")
	}
	remove := func(p page.Path) {
		t.Helper()
		if _, err := s.Remove(t.Context(), ann, p, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	save(t, s, "uploads/2026/cat.png", "x", "")
	save(t, s, "uploads/_Sidebar.md", "x", "")
	save(t, s, "guide/deep/er/Page.md", "x", "")
	if got := tree(""); got != "guide Home.md" {
		t.Errorf("with files alone it is %q", got)
	}
	save(t, s, "uploads/2026/Page.md", "x", "")
	if got := tree("") + "|" + tree("uploads") + "|" + tree("uploads/2026"); got != "guide Home.md uploads|uploads/2026|uploads/2026/Page.md" {
		t.Errorf("with a page it is %q", got)
	}
	save(t, s, "Other.md", "x", "")
	save(t, s, "guide/pic.png", "x", "")
	if got := tree("") + "|" + tree("guide"); got != "guide Home.md Other.md uploads|guide/deep" {
		t.Errorf("after other saves it is %q", got)
	}
	remove("uploads/2026/Page.md")
	remove("guide/deep/er/Page.md")
	if got := tree(""); got != "Home.md Other.md" {
		t.Errorf("without the pages it is %q", got)
	}
}
