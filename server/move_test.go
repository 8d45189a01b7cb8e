package server

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cairn/storage/accounts"
	"cairn/storage/wiki"
)

// Moves are planned one at a time, whoever comes when many wait is told so and loses no text, and pages are read and saved
// meanwhile.
func TestManyMoves(t *testing.T) {
	web, w := startIn(t, t.TempDir())
	s := web.Config.Handler.(*Server)
	space, err := w.Space(t.Context(), wiki.First)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := space.Save(t.Context(), accounts.Visitor("Ann"), wiki.Edit{Path: "Old.md", Text: []byte("Text.\n")}); err != nil {
		t.Fatal(err)
	}
	move := func(form url.Values) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest("POST", web.URL+"/wiki/-/move/Old", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	for range 1 + maxMoves {
		if !s.moves.TryAcquire(1) {
			t.Fatal("there is no room for that many moves")
		}
	}
	for _, form := range []url.Values{{"to": {"New"}, "note": {"Tidy up"}}, {"to": {"New"}, "note": {"Tidy up"}, "show": {"yes"}}} {
		res, body := move(form)
		if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(body, errManyMoves.Error()) ||
			!strings.Contains(body, `value="New"`) || !strings.Contains(body, "Tidy up") {
			t.Errorf("%s, again after %q: %s", res.Status, res.Header.Get("Retry-After"), body)
		}
	}
	res, err := http.Get(web.URL + "/wiki/Old")
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 200 {
		t.Errorf("a page meanwhile: %s", res.Status)
	}
	s.moves.Release(1 + maxMoves)

	// One that waits has its turn.
	if err := s.moving.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	moved := make(chan int)
	go func() {
		res, _ := move(url.Values{"to": {"New"}})
		moved <- res.StatusCode
	}()
	s.moving.Release(1)
	if status := <-moved; status != 303 {
		t.Errorf("a move that waited: %d", status)
	}
}
