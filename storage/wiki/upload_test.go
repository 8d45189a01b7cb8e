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

func upload(t *testing.T, s *wiki.Space, at page.Path, files ...wiki.File) wiki.Uploaded {
	t.Helper()
	up, err := s.Upload(t.Context(), ann, at, files, "")
	if err != nil {
		t.Fatal(err)
	}
	return up
}

func TestUpload(t *testing.T) {
	_, s := open(t, t.TempDir())
	if _, err := s.Remove(t.Context(), ann, "Home.md", "", ""); err != nil { // it makes the space one of Gollum's
		t.Fatal(err)
	}
	save(t, s, "Plans.md", "# Plans\n", "")
	file := func(name, data string) wiki.File { return wiki.File{Name: name, Data: []byte(data)} }
	for _, tt := range []struct {
		at    page.Path
		files []wiki.File
		want  []page.Path
		kept  bool // no change was needed
	}{
		{"guide/Page.md", []wiki.File{file("cat.png", "one")}, []page.Path{"guide/cat.png"}, false},
		{"guide/Other.md", []wiki.File{file("cat.png", "one")}, []page.Path{"guide/cat.png"}, true},
		{"guide/Page.md", []wiki.File{file("cat.png", "two")}, []page.Path{"guide/cat-1.png"}, false},
		{"guide/Page.md", []wiki.File{file("cat.png", "two")}, []page.Path{"guide/cat-1.png"}, true},
		{"guide/Page.md", []wiki.File{file("Cat.png", "three")}, []page.Path{"guide/Cat-2.png"}, false},
		{"guide/Page.md", []wiki.File{file("a.txt", "1"), file("a.txt", "2"), file("A.txt", "3"), file("a.txt", "1"), file("cafe\u0301.txt", "4"), file("caf\u00e9.txt", "5")},
			[]page.Path{"guide/a.txt", "guide/a-1.txt", "guide/A-2.txt", "guide/a.txt", "guide/cafe\u0301.txt", "guide/caf\u00e9-1.txt"}, false},
		{"Home.md", []wiki.File{file("../../guide", "x")}, []page.Path{"guide-1"}, false}, // a folder has that name
		{"Home.md", []wiki.File{file("Plans", "x")}, []page.Path{"Plans-1"}, false},       // a page has that address
		{"Home.md", []wiki.File{file("\u202ecod.exe", "x")}, []page.Path{"cod.exe"}, false},
	} {
		before := head(t, s).Rev()
		up := upload(t, s, tt.at, tt.files...)
		if !slices.Equal(up.Paths, tt.want) {
			t.Errorf("%s of %v: stored as %q, want %q", tt.at, tt.files, up.Paths, tt.want)
		}
		if kept := before == head(t, s).Rev(); kept != tt.kept || up.Unchanged != kept || up.Rev != head(t, s).Rev() {
			t.Errorf("%s of %v: changed nothing: %v, want %v; %+v", tt.at, tt.files, kept, tt.kept, up)
		}
		for i, p := range up.Paths {
			if got := read(t, s, p); got != string(tt.files[i].Data) {
				t.Errorf("%s is %q", p, got)
			}
		}
	}
	if size, err := head(t, s).Size(t.Context(), "guide/cat-1.png"); size != 3 || err != nil {
		t.Errorf("size %d, %v", size, err)
	}
	var name *page.NameError
	if _, err := s.Upload(t.Context(), ann, "Home.md", []wiki.File{file("notes.md", "PK\x03\x04")}, ""); !errors.As(err, &name) {
		t.Errorf("a page as a file: %v", err)
	}
	if _, err := s.Upload(t.Context(), ann, "Home.md", []wiki.File{{Name: "big", Data: make([]byte, wiki.MaxFile+1)}}, ""); !errors.Is(err, wiki.ErrTooLarge) {
		t.Errorf("a file over the limit: %v", err)
	}
	if _, err := head(t, s).Size(t.Context(), "nowhere.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("size of what is not there: %v", err)
	}
}

// A space keeps its files where the wiki that it comes from would.
func TestUploadFolder(t *testing.T) {
	dir, from := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"Page.md": "hello\n", ".obsidian/app.json": `{"attachmentFolderPath":"Files/Pictures"}`, "guide/.obsidian/app.json": "{}", "other/Page.md": "x\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := wiki.Import(t.Context(), dir, "vault", from, ann, io.Discard, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "Home.md"), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(from, ".obsidian")); err != nil {
		t.Fatal(err)
	}
	if _, err := wiki.Import(t.Context(), dir, "gollum", from, ann, io.Discard, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	w, native := open(t, dir)
	if up := upload(t, native, "guide/Page.md", wiki.File{Name: "a.png", Data: []byte("a")}); up.Paths[0] != "guide/a.png" {
		t.Errorf("native: %q", up.Paths)
	}
	gollum, err := w.Space(t.Context(), "gollum")
	if err != nil {
		t.Fatal(err)
	}
	if up := upload(t, gollum, "guide/Page.md", wiki.File{Name: "a.png", Data: []byte("a")}); up.Paths[0] != "uploads/a.png" {
		t.Errorf("gollum: %q", up.Paths)
	}
	vault, err := w.Space(t.Context(), "vault")
	if err != nil {
		t.Fatal(err)
	}
	if up := upload(t, vault, "other/Page.md", wiki.File{Name: "a.png", Data: []byte("a")}); up.Paths[0] != "Files/Pictures/a.png" {
		t.Errorf("a vault: %q", up.Paths)
	}
	if _, err := vault.Remove(t.Context(), ann, "Files/Pictures/a.png", "", ""); err != nil {
		t.Fatal(err)
	}
	save(t, vault, "Files", "not a folder", "")
	if up := upload(t, vault, "other/Page.md", wiki.File{Name: "a.png", Data: []byte("a")}); up.Paths[0] != "other/a.png" {
		t.Errorf("a vault whose folder is a file: %q", up.Paths)
	}
}

// Of many who upload one name at once, everybody's bytes stay.
func TestUploadAtOnce(t *testing.T) {
	_, s := open(t, t.TempDir())
	const n = 12
	paths := make([]page.Path, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			up, err := s.Upload(t.Context(), ann, "Home.md", []wiki.File{{Name: "screenshot.png", Data: fmt.Append(nil, i%(n-2))}}, "")
			if err != nil {
				t.Error(err)
				return
			}
			paths[i] = up.Paths[0]
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for i, p := range paths {
		if got, want := read(t, s, p), fmt.Sprint(i%(n-2)); got != want {
			t.Errorf("upload %d is %q at %s", i, got, p)
		}
	}
	stored := 0
	for p := range head(t, s).Names().All() {
		if strings.Contains(string(p), "screenshot") {
			stored++
		}
	}
	if stored > n || stored < n-2 {
		t.Errorf("%d files for %d different uploads of %d", stored, n-2, n)
	}
}
