package server

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// A page that is asked for again comes from what is kept, packed or not, and never when something in it has changed.
func TestKept(t *testing.T) {
	web, w := startIn(t, t.TempDir())
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	ask := func(method, path, body string, header ...string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(method, web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var from io.Reader = res.Body
		switch coding := res.Header.Get("Content-Encoding"); {
		case method != "GET" || res.StatusCode != 200:
		case coding == "gzip":
			if from, err = gzip.NewReader(res.Body); err != nil {
				t.Fatal(err)
			}
		case coding == "br":
			from = brotli.NewReader(res.Body)
		}
		b, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	put := func(path, text string) {
		t.Helper()
		if res, body := ask("PUT", path, text, "If-None-Match", "*"); res.StatusCode != 201 {
			t.Fatalf("PUT %s: %d %s", path, res.StatusCode, body)
		}
		ready(t, web.URL)
	}
	put("/wiki/A.md", "See [[B]].")
	var bodies []string
	for _, encoding := range []string{"", "gzip", "br", "", "gzip", "br"} {
		res, body := ask("GET", "/wiki/A", "", "Accept-Encoding", encoding)
		if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != encoding || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%q: %d %v", encoding, res.StatusCode, res.Header)
		}
		if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") || !strings.Contains(vary, "Cookie") {
			t.Errorf("Vary: %q", vary)
		}
		bodies = append(bodies, res.Header.Get("ETag")+body)
	}
	for _, b := range bodies {
		if b != bodies[0] {
			t.Errorf("answers differ:\n%s\n%s", bodies[0], b)
		}
	}
	tag, _, _ := strings.Cut(bodies[0], "<")
	res, body := ask("GET", "/wiki/A", "", "If-None-Match", tag)
	if res.StatusCode != 304 || body != "" {
		t.Errorf("with its tag: %d %q", res.StatusCode, body)
	}
	if res, body := ask("HEAD", "/wiki/A", ""); res.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %d %q", res.StatusCode, body)
	}

	// What is kept in one language is not for who reads another.
	for _, want := range []struct{ accept, cookie, lang string }{
		{"fr", "", "fr"}, {"en", "", "en"}, {"fr-CA, en;q=0.5", "", "fr"}, {"en", "cairn_language=ZnI", "fr"}, {"fr", "cairn_language=ZW4", "en"}, {"", "", "en"},
	} {
		for range 2 {
			res, body := ask("GET", "/wiki/A", "", "Accept-Language", want.accept, "Cookie", want.cookie, "If-None-Match", tag)
			if same := want.lang == "en"; same != (res.StatusCode == 304) || !same && !strings.Contains(body, `<html lang="`+want.lang+`"`) {
				t.Errorf("%v: %d %.100s", want, res.StatusCode, body)
			}
			if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") {
				t.Errorf("Vary: %q", vary)
			}
		}
	}

	// Another page is written: the link is no longer one to an unwritten page, and the new page knows who links to it.
	put("/wiki/B.md", "# Bee")
	if _, now := ask("GET", "/wiki/A", ""); strings.HasSuffix(bodies[0], now) || !strings.Contains(now, `href="/wiki/B"`) {
		t.Error("an old answer after a save")
	}
	// A notice is told once, and to nobody else.
	for range 2 {
		ask("GET", "/wiki/B", "")
	}
	const notice = "cairn_notice=c3VjY2VzcwpTYXZlZC4" // "success\nSaved."
	if _, body := ask("GET", "/wiki/B", "", "Cookie", notice); !strings.Contains(body, "Saved.") {
		t.Error("the notice is not told")
	}
	if _, body := ask("GET", "/wiki/B", ""); strings.Contains(body, "Saved.") {
		t.Error("the notice is told to somebody else")
	}
	// Another space stands in every page's menu.
	if _, err := w.Create(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	ready(t, web.URL)
	if _, body := ask("GET", "/wiki/B", ""); !strings.Contains(body, `href="/second/"`) {
		t.Error("an old answer after another space was made")
	}
}
