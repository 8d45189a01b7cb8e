package server

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// What the wiki does not serve is shown by no address of it, now or as it was.
func TestUnserved(t *testing.T) {
	web := start(t)
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, "/", "clone", "-q", web.URL+"/wiki.git", dir)
	for _, name := range []string{".obsidian/Home.md", ".obsidian/plugin.md", ".cairn/x.md"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("# Secret\n\nkey: 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "Settings")
	git(t, dir, "push", "-q", "origin", "HEAD")
	ready(t, web.URL)
	rev := git(t, dir, "rev-parse", "HEAD")
	for _, of := range []string{".obsidian/", ".obsidian/plugin", ".obsidian/plugin.md", ".obsidian/Home", ".cairn/x"} {
		for _, address := range []string{
			"/wiki/" + of, "/wiki/" + of + "?rev=" + rev, "/wiki/-/at/" + rev + "/" + of, "/wiki/-/move/" + of, "/wiki/-/edit/" + of,
			"/wiki/-/restore/" + of + "?rev=" + rev, "/wiki/-/diff/" + of + "?to=" + rev, "/wiki/-/history/" + of, "/wiki/-/blame/" + of,
			"/-/api/v1/spaces/wiki/pages/" + of,
		} {
			for _, accept := range []string{"text/html", "*/*"} {
				req, err := http.NewRequestWithContext(t.Context(), "GET", web.URL+address, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Accept", accept)
				res, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != 404 {
					t.Errorf("%s (%s): %s, want 404", address, accept, res.Status)
				}
			}
		}
	}
}
