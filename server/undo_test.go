package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cairn/search"
	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
)

// A change of more pages than a form names is undone on all of them, also where they have been moved since.
func TestUndoManyMoved(t *testing.T) {
	web, w := startIn(t, t.TempDir())
	s, err := w.Space(t.Context(), wiki.First)
	if err != nil {
		t.Fatal(err)
	}
	by := accounts.Visitor("Ann")
	must := func(saved wiki.Saved, err error) wiki.Saved {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return saved
	}
	const pages = maxPlanned + 10
	name := func(i int) page.Path { return page.Path(fmt.Sprintf("many/P%02d.md", i)) }
	var first, last wiki.Saved
	for i := range pages {
		first = must(s.Save(t.Context(), by, wiki.Edit{Path: name(i), Text: fmt.Appendf(nil, "page %d\n\nold\n", i)}))
	}
	for i := range pages {
		last = must(s.Save(t.Context(), by, wiki.Edit{Path: name(i), Base: first.Rev, Text: fmt.Appendf(nil, "page %d\n\nnew\n", i)}))
	}
	change := must(s.Restore(t.Context(), by, wiki.Restoration{Rev: string(first.Rev), Seen: last.Rev}))
	for i := range pages {
		must(s.Move(t.Context(), by, wiki.Moving{From: name(i), To: "moved/" + page.Path(name(i).Base())}))
	}
	if body := get(t, web, "/wiki/-/undo/"+string(change.Rev)); strings.Contains(body, "deleted since") || !strings.Contains(body, fmt.Sprint(pages, " pages change")) {
		t.Errorf("all have been moved:\n%s", body)
	}

	// Of those that are in the way only as many are named.
	for i := range pages {
		p := page.Path("moved/" + name(i).Base())
		head, err := s.Head(by)
		if err != nil {
			t.Fatal(err)
		}
		blob, _ := head.Blob(t.Context(), p)
		must(s.Remove(t.Context(), by, p, blob, ""))
	}
	body := get(t, web, "/wiki/-/undo/"+string(change.Rev))
	if n := strings.Count(body, "deleted since"); n != maxPlanned || !strings.Contains(body, "and 10 more") {
		t.Errorf("%d named:\n%s", n, body)
	}
}

// get is the body of an answer that must be 200.
func get(t *testing.T, web *httptest.Server, path string) string {
	t.Helper()
	res, err := http.Get(web.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %s, %v", path, res.Status, err)
	}
	return string(body)
}

// What takes too long to plan is given up, with a sentence; nothing is written.
func TestUndoTooLarge(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	w, err := wiki.Open(t.Context(), t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	index, err := search.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(index.Close(), w.Close()); err != nil {
			t.Error(err)
		}
	})
	s, err := New(Config{Wiki: w, Index: index, Log: log, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	space, err := w.Space(t.Context(), wiki.First)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := space.Save(t.Context(), accounts.Visitor("Ann"), wiki.Edit{Path: "P.md", Text: []byte("text\n")})
	if err != nil {
		t.Fatal(err)
	}
	s.planTime = time.Nanosecond
	web := httptest.NewServer(s)
	defer web.Close()
	rev := string(saved.Rev)
	for _, test := range []struct{ method, path, form, want string }{
		{"GET", "/wiki/-/undo/" + rev, "", "This change is too large to be undone here"},
		{"POST", "/wiki/-/undo/" + rev, "name=Ann", "This change is too large to be undone here"},
		{"GET", "/wiki/-/restore/?rev=" + rev, "", "too much to be restored here at once"},
		{"POST", "/wiki/-/restore/", "name=Ann&base=" + rev + "&rev=" + rev, "too much to be restored here at once"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, web.URL+test.path, strings.NewReader(test.form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 413 || !strings.Contains(string(body), test.want) {
			t.Errorf("%s %s: %s, %v\n%s", test.method, test.path, res.Status, err, body)
		}
	}
	if head, err := space.Head(accounts.Visitor("Ann")); err != nil || head.Rev() != saved.Rev {
		t.Errorf("something was written: %v", err)
	}
}
