package wiki_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// texts saves pages and files, each as new.
func texts(t testing.TB, s *wiki.Space, files map[page.Path]string) {
	t.Helper()
	for p, text := range files {
		if _, err := s.Save(t.Context(), ann, wiki.Edit{Path: p, Text: []byte(text)}); err != nil {
			t.Fatalf("save %s: %v", p, err)
		}
	}
}

func TestMoveLinks(t *testing.T) {
	_, s := open(t, t.TempDir())
	texts(t, s, map[page.Path]string{
		"guide/Install.md":      "# Install\n\n![x](shot.png) ![y](shared.png) ![z](Install/own.png) [back](../Index.md) [[Use]]\n",
		"guide/Use.md":          "See [install](Install.md#top), [[Install|it]], ![y](shared.png).\r\n",
		"Index.md":              "[[Install]] `[[Install]]` [i](guide/Install) <a href=\"guide/Install.md\">i</a>\n",
		"Other.md":              "nothing of it\n",
		"guide/shot.png":        "1",
		"guide/shared.png":      "2",
		"guide/Install/own.png": "3",
	})
	before := head(t, s)
	move := wiki.Moving{From: "guide/Install.md", To: "start/Set up.md"}
	plan, err := s.PlanMove(t.Context(), ann, move)
	if err != nil {
		t.Fatal(err)
	}
	var moved, pages []string
	for _, f := range plan.Moved {
		moved = append(moved, fmt.Sprintf("%s > %s", f.From, f.Path))
	}
	for _, f := range plan.Pages {
		pages = append(pages, fmt.Sprintf("%s %d", f.Path, plan.Links[f.Path]))
	}
	if want := []string{"guide/Install.md > start/Set up.md", "guide/Install/own.png > start/Set up/own.png", "guide/shot.png > start/shot.png"}; !slices.Equal(moved, want) {
		t.Errorf("moves %q, want %q", moved, want)
	}
	if want := []string{"Index.md 3", "guide/Use.md 2"}; !slices.Equal(pages, want) {
		t.Errorf("changes %q, want %q", pages, want)
	}
	if len(plan.Left) > 0 || plan.Links["start/Set up.md"] != 2 {
		t.Errorf("left %v, links %v", plan.Left, plan.Links)
	}
	if head(t, s).Rev() != before.Rev() {
		t.Error("a plan has written something")
	}
	saved, err := s.Move(t.Context(), ann, move)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[page.Path]string{
		"start/Set up.md": "# Install\n\n![x](shot.png) ![y](../guide/shared.png) ![z](Set%20up/own.png) [back](../Index.md) [[Use]]\n",
		"guide/Use.md":    "See [install](../start/Set%20up.md#top), [[Set up|it]], ![y](shared.png).\r\n",
		"Index.md":        "[[Set up]] `[[Install]]` [i](start/Set%20up) <a href=\"start/Set%20up.md\">i</a>\n",
		"Other.md":        "nothing of it\n",
		"start/shot.png":  "1",
	} {
		if got := read(t, s, p); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
	if h := head(t, s); h.Has("guide/Install.md") || h.Has("guide/shot.png") || !h.Has("guide/shared.png") {
		t.Error("what went and what stayed is wrong")
	}
	if _, err := s.Undo(t.Context(), ann, wiki.Undoing{Revs: []string{string(saved.Rev)}}); err != nil {
		t.Fatal(err)
	}
	for c, err := range head(t, s).Changes(t.Context(), before) {
		t.Errorf("after the undo %s differs (%v)", c.Path, err)
	}
}

func TestMoveFolder(t *testing.T) {
	_, s := open(t, t.TempDir())
	texts(t, s, map[page.Path]string{
		"a/One.md":    "[two](b/Two.md) [top](../Top.md) [new](New.md)",
		"a/b/Two.md":  "[[One]] [one](../One.md)",
		"a/pic.png":   "x",
		"Top.md":      "[one](a/One.md) ![](a/pic.png) [[a/b/Two]] [folder](a/b/) [new](a/New.md)",
		"c/Other.md":  "x",
		"Unlinked.md": "a b",
	})
	for name, m := range map[string]wiki.Moving{
		"into itself":      {From: "a", To: "a/b/c", Folder: true},
		"onto another":     {From: "a", To: "c", Folder: true},
		"a bad name":       {From: "a", To: "x:y", Folder: true},
		"onto a file":      {From: "a", To: "Top.md", Folder: true},
		"below a file":     {From: "a", To: "Top.md/x", Folder: true},
		"page below page":  {From: "Unlinked.md", To: "Top.md/x.md"},
		"page onto folder": {From: "a/pic.png", To: "c"},
	} {
		var bad *page.NameError
		if _, err := s.PlanMove(t.Context(), ann, m); !errors.As(err, &bad) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := s.PlanMove(t.Context(), ann, wiki.Moving{From: "nowhere", To: "x", Folder: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "a", To: "A", Folder: true}); err != nil {
		t.Fatalf("to other capitals: %v", err)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "A", To: "deep/er", Folder: true, Note: "tidy"}); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[page.Path]string{
		"deep/er/One.md":   "[two](b/Two.md) [top](../../Top.md) [new](New.md)",
		"deep/er/b/Two.md": "[[One]] [one](../One.md)",
		"Top.md":           "[one](deep/er/One.md) ![](deep/er/pic.png) [[deep/er/b/Two]] [folder](deep/er/b/) [new](deep/er/New.md)",
		"Unlinked.md":      "a b",
	} {
		if got := read(t, s, p); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}

// While others save, a move still loses no link and no save.
func TestMoveMeanwhile(t *testing.T) {
	_, s := open(t, t.TempDir())
	texts(t, s, map[page.Path]string{"Old.md": "x", "P0.md": "[[Old]]", "P1.md": "[[Old]]", "P2.md": "-"})
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() {
			p := page.Path(fmt.Sprintf("P%d.md", i))
			for n := range 15 {
				h := head(t, s)
				text, err := h.Read(t.Context(), p)
				if err == nil {
					_, err = s.Save(t.Context(), bob, wiki.Edit{Path: p, Base: h.Rev(), Text: append(text, fmt.Sprintf("\n\n[[Old]] %d\n", n)...)})
				}
				var clash *wiki.Conflict
				if err != nil && !errors.As(err, &clash) {
					t.Error(err)
				}
			}
		})
	}
	saved, err := s.Move(t.Context(), ann, wiki.Moving{From: "Old.md", To: "New.md"})
	if err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	at, err := s.At(t.Context(), ann, string(saved.Rev))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []page.Path{"P0.md", "P1.md", "P2.md"} {
		text, err := at.Read(t.Context(), p)
		if err != nil || strings.Contains(string(text), "[[Old]]") {
			t.Errorf("%s right after the move: %q %v", p, text, err)
		}
	}
}

// A page that is too intricate to be parsed is left alone and named.
func TestMoveIntricate(t *testing.T) {
	_, s := open(t, t.TempDir())
	hostile := strings.Repeat("> ", 100) + "[[Old]]\n"
	texts(t, s, map[page.Path]string{"Old.md": "x", "Hostile.md": hostile, "Good.md": "[[Old]]"})
	plan, err := s.PlanMove(t.Context(), ann, wiki.Moving{From: "Old.md", To: "New.md"})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(plan.Left["Hostile.md"], page.ErrIntricate) || len(plan.Left) != 1 || len(plan.Pages) != 1 {
		t.Errorf("left %v, changes %v", plan.Left, plan.Pages)
	}
	saved, err := s.Move(t.Context(), ann, wiki.Moving{From: "Old.md", To: "New.md"})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(saved.Left["Hostile.md"], page.ErrIntricate) || len(saved.Left) != 1 {
		t.Errorf("left %v", saved.Left)
	}
	if got := read(t, s, "Hostile.md"); got != hostile {
		t.Errorf("became %q", got)
	}
}

// A move that changes what kind of wiki the space is taken for keeps all links.
func TestMoveProfile(t *testing.T) {
	w, first := open(t, t.TempDir())
	if got := head(t, first).Profile(); got != page.Native {
		t.Fatalf("a new wiki is %s", got)
	}
	s, err := w.Create(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	texts(t, s, map[page.Path]string{"Home.md": "z", "A.md": "[[A|B]]", "B.md": "x", "c/A.md": "y", "c/d.md": "[[A]]"})
	if got := head(t, s).Profile(); got != page.Gollum {
		t.Fatalf("the profile is %s", got)
	}
	if _, err := s.Move(t.Context(), ann, wiki.Moving{From: "Home.md", To: "Start here.md"}); err != nil {
		t.Fatal(err)
	}
	if got := head(t, s).Profile(); got != page.Native {
		t.Fatalf("the profile is %s", got)
	}
	if got := read(t, s, "c/d.md"); got != "[[c/A]]" {
		t.Errorf("got %q", got)
	}
}

// BenchmarkMove moves a page that every page of 10,000 links to; beside it, reading all pages once.
// The name that is offered in place of a taken one has its ending, or none.
func TestMoveTaken(t *testing.T) {
	_, s := open(t, t.TempDir())
	texts(t, s, map[page.Path]string{"LICENSE": "1", "old/LICENSE": "2", "a.png": "3", "old/a.png": "4", "Use.md": "5", "old/Use.md": "6"})
	for to, want := range map[page.Path]page.Path{"LICENSE": "LICENSE 2", "a.png": "a 2.png", "Use.md": "Use 2.md"} {
		_, err := s.PlanMove(t.Context(), ann, wiki.Moving{From: "old/" + to, To: to})
		var name *page.NameError
		if !errors.Is(err, fs.ErrExist) || !errors.As(err, &name) || name.Offer != want {
			t.Errorf("%s: %v, want the offer %q", to, err, want)
		}
	}
}

func BenchmarkMove(b *testing.B) {
	dir := b.TempDir()
	var files []string
	filler := strings.Repeat("Some words about the work, with a [link](https://example.org/) and `code`.\n\n", 55)
	for i := range 10_000 {
		files = append(files, fmt.Sprintf("f%d/g%d/Page %d.md", i%20, i%7, i), fmt.Sprintf("# Page %d\n\nSee [[Target page]] and [it](../../Target%%20page.md).\n\n%s", i, filler))
	}
	s := imported(b, dir, append(files, "Target page.md", "# Target\n"))
	h, err := s.Head(ann)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			for p := range h.Names().All() {
				if _, err := h.Read(b.Context(), p); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("plan linked", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.PlanMove(b.Context(), ann, wiki.Moving{From: "Target page.md", To: "x/Goal.md"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plan not linked", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.PlanMove(b.Context(), ann, wiki.Moving{From: "f1/g1/Page 1.md", To: "x/Goal.md"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("move", func(b *testing.B) {
		from, to := page.Path("Target page.md"), page.Path("x/Goal.md")
		for b.Loop() {
			if _, err := s.Move(b.Context(), ann, wiki.Moving{From: from, To: to}); err != nil {
				b.Fatal(err)
			}
			from, to = to, from
		}
	})
}

// imported is a wiki made of a folder of files: names and texts, one after the other.
func imported(t testing.TB, dir string, files []string) *wiki.Space {
	t.Helper()
	src := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		at := filepath.Join(src, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	if _, err := wiki.Import(t.Context(), dir, "old", src, ann, io.Discard, log); err != nil {
		t.Fatal(err)
	}
	w, err := wiki.Open(t.Context(), dir, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s, err := w.Space(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
