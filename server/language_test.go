package server

import (
	"go/constant"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/tools/go/packages"

	"cairn/storage/page"
	"cairn/web"
)

// Nothing that the interface says is left in English for who reads French: no text and no label of the main views is one
// that the catalogue translates.
func TestFrench(t *testing.T) {
	b, err := os.ReadFile("../web/locales/fr.po")
	if err != nil {
		t.Fatal(err)
	}
	english := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^msgid ("[A-Za-z].*")\nmsgstr (".*")$`).FindAllStringSubmatch(string(b), -1) {
		if said, err := strconv.Unquote(m[1]); err == nil && m[1] != m[2] && !strings.Contains(said, "%") {
			english[said] = true
		}
	}
	if len(english) < 200 {
		t.Fatalf("the catalogue has only %d texts", len(english))
	}
	at, _ := startIn(t, t.TempDir())
	put := func(path, text string) {
		t.Helper()
		req, _ := http.NewRequest("PUT", at.URL+path, strings.NewReader(text))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode > 299 {
			t.Fatalf("PUT %s: %d", path, res.StatusCode)
		}
	}
	put("/wiki/Guide/Un.md", "# Premier\n\nVoir [[Deux]] et [[Trois]]. #sujet\n\n- [ ] une case\n")
	put("/wiki/Deux.md", "Retour : [[Un]].\n")
	put("/wiki/note.txt", "un fichier")
	ready(t, at.URL)
	for _, path := range []string{
		"/wiki/Guide/Un", "/wiki/Guide/", "/wiki/Personne", "/wiki/-/new", "/wiki/-/edit/Guide/Un", "/wiki/-/move/Guide/Un", "/wiki/-/move/Guide/",
		"/wiki/-/move/Guide/Un?to=Autre", "/wiki/-/delete/Guide/Un", "/wiki/-/history/Guide/Un", "/wiki/-/diff/Guide/Un", "/wiki/-/blame/Guide/Un", "/wiki/-/at/", "/wiki/-/pages",
		"/wiki/-/changes", "/wiki/-/tags", "/wiki/-/tags/sujet", "/wiki/-/files", "/wiki/-/files/Guide/Un", "/wiki/-/upload/Guide/Un", "/wiki/-/links", "/wiki/-/links/Guide/Un",
		"/-/search?q=premier&space=wiki", "/-/search?q=rien", "/-/nowhere",
	} {
		req, _ := http.NewRequest("GET", at.URL+path, nil)
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Accept-Language", "fr")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(body), `<html lang="fr"`) {
			t.Errorf("%s is not in French: %d %v", path, res.StatusCode, err)
		}
		doc, err := html.Parse(strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			said := []string{n.Data}
			for _, a := range n.Attr {
				if a.Key == "aria-label" || a.Key == "title" || a.Key == "placeholder" || a.Key == "alt" {
					said = append(said, a.Val)
				}
			}
			for i, s := range said {
				if s = strings.TrimSpace(s); english[s] && (i > 0 || n.Type == html.TextNode) {
					t.Errorf("%s says %q", path, s)
				}
			}
		}
	}
}

// Every reason of a lower room why a name cannot be had is known here, so that the catalogues have it.
func TestReasons(t *testing.T) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax}, "cairn/storage/page", "cairn/storage/wiki", "cairn/server")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		for _, v := range p.TypesInfo.Types {
			if v.Value == nil || v.Type.String() != "cairn/storage/page.Reason" {
				continue
			}
			if reason := constant.StringVal(v.Value); reason != "" {
				given[reason] = true
			}
		}
	}
	if len(given) < 20 {
		t.Fatalf("only %d reasons were found", len(given))
	}
	for _, r := range reasons {
		if !given[string(r)] {
			t.Errorf("nobody gives the reason %q", r)
		}
		delete(given, string(r))
	}
	for r := range given {
		t.Errorf("reasons lacks %q", r)
	}
	name := &page.NameError{Reason: "%q is a page, not a file: write it with New page, or give it another ending", Args: []any{"a.md"}}
	for tag, want := range map[string]string{
		"en": `"a.md" is a page, not a file: write it with New page, or give it another ending.`,
		"fr": "« a.md » est une page, pas un fichier : écrivez-la avec Nouvelle page, ou donnez une autre extension.",
	} {
		got := explain(name).in(web.InLanguage(t.Context(), tag))
		if strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
