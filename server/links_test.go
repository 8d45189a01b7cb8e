package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
)

// TestLinksTable asks the API what the links of the resolver's own table lead to, in real spaces: each link must lead where
// the table says, and be among the links of what it leads to.
func TestLinksTable(t *testing.T) {
	b, err := os.ReadFile("../storage/page/testdata/links.json")
	if err != nil {
		t.Fatal(err)
	}
	var worlds []struct {
		Files   []string
		Moved   map[string]string
		Called  map[string][]string
		Folders map[string]string
		Cases   [][5]string
	}
	if err := json.Unmarshal(b, &worlds); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	web, _ := startIn(t, dir)
	spaces := 0
	for _, w := range worlds {
		groups := map[[2]string][][5]string{} // by profile and page
		for _, c := range w.Cases {
			groups[[2]string{c[1], c[2]}] = append(groups[[2]string{c[1], c[2]}], c)
		}
		for key, cases := range groups {
			texts := map[string]string{".cairn.yml": "profile: " + key[0] + "\n"}
			for _, f := range w.Files {
				texts[f] = "x\n"
			}
			aliases := map[string]string{}
			for name, pages := range w.Called {
				for _, p := range pages {
					aliases[p] += "- " + strconv.Quote(name) + "\n"
				}
			}
			for p, list := range aliases {
				if texts[p] != "" {
					texts[p] = "---\naliases:\n" + list + "---\nx\n"
				}
			}
			table := ""
			for _, names := range []map[string]string{w.Moved, w.Folders} {
				for from, to := range names {
					table += from + ": " + to + "\n"
				}
			}
			if table != "" {
				texts[".redirects.gollum"] = "---\n" + table
			}
			texts[key[1]] = strings.TrimSuffix(texts[key[1]], "x\n")
			for _, c := range cases {
				if strings.Contains(c[3], "[[") {
					texts[key[1]] += c[3] + "\n\n"
				} else {
					texts[key[1]] += "[x](<" + c[3] + ">)\n\n"
				}
			}
			spaces++
			name := "s" + strconv.Itoa(spaces)
			importFiles(t, dir, name, texts)
			testLinks(t, web.URL, name, key[1], slices.Collect(maps.Keys(texts)), cases)
		}
	}
}

// The tables of redirects that other wikis keep hold for addresses as well.
func TestRedirects(t *testing.T) {
	dir := t.TempDir()
	web, _ := startIn(t, dir)
	importFiles(t, dir, "old", map[string]string{
		"Home.md": "x", "guide/Set up.md": "x", "pic.png": "x",
		".redirects.gollum": "---\nBegin.md: guide/Set up.md\nHome.md: guide\na/b: Begin.md\n", ".gitlab/redirects.yml": "docs: guide\nold.png: pic.png\n",
	})
	followed(t, web.URL, "old")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for address, want := range map[string]string{
		"Begin": "/old/guide/Set%20up", "a/b": "/old/guide/Set%20up", "docs": "/old/guide/", "docs/": "/old/guide/", "old.png": "/old/pic.png", "Home": "", "c": "",
	} {
		res, err := client.Get(web.URL + "/old/" + address)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Location"); got != want || (res.StatusCode == 301) != (want != "") {
			t.Errorf("%s: %d to %q, want %q", address, res.StatusCode, got, want)
		}
	}
}

func importFiles(t *testing.T, dir, space string, texts map[string]string) {
	t.Helper()
	src := t.TempDir()
	for name, text := range texts {
		at := filepath.Join(src, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := wiki.Import(t.Context(), dir, space, src, accounts.Visitor("Ann"), io.Discard, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

type linksAnswer struct {
	Out, In []struct {
		Path, URL string
		Exists    bool
	}
}

func linksOf(t *testing.T, base, space, address string) (a linksAnswer) {
	t.Helper()
	res, err := http.Get(base + "/-/api/v1/spaces/" + space + "/links" + strings.TrimPrefix(page.URL("", page.Path(address)), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil || res.StatusCode != 200 {
		t.Fatalf("links of %s: %d, %v", address, res.StatusCode, err)
	}
	return a
}

// followed waits until the index has met a space that was made beside the server, and has read it.
func followed(t *testing.T, base, space string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		linksOf(t, base, space, "Home") // so that the wiki looks for the space
		res, err := http.Get(base + "/-/readyz")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == 200 && strings.Contains(string(b), `"space":"`+space+`"`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the space %s is not followed: %s", space, b)
		}
	}
}

func testLinks(t *testing.T, base, space, from string, files []string, cases [][5]string) {
	followed(t, base, space)
	want := map[string]bool{}
	for _, c := range cases {
		target := strings.TrimRight(c[4], "?!")
		switch kind, rest, _ := strings.Cut(target, ":"); kind {
		case "url":
			want[rest] = true
			continue
		case "dir":
			continue
		case "red":
			if rest != "" {
				want["missing "+page.Path(rest).Address()] = true
			}
			continue
		}
		// What follows the longest file of that name is a fragment.
		file := ""
		for _, f := range files {
			if strings.HasPrefix(target, f) && len(f) > len(file) {
				file = f
			}
		}
		if file == "" {
			t.Fatalf("%s: there is no %q", c[0], target)
		}
		want[page.Path(file).Address()] = true
		if file == from {
			continue
		}
		back := false
		for _, l := range linksOf(t, base, space, page.Path(file).Address()).In {
			back = back || l.Path == page.Path(from).Address()
		}
		if !back {
			t.Errorf("%s: %s on %s is not among the links to %s (%s)", c[0], c[3], from, file, c[1])
		}
	}
	got := map[string]bool{}
	for _, l := range linksOf(t, base, space, page.Path(from).Address()).Out {
		s := l.Path + l.URL
		if !l.Exists {
			s = "missing " + s
		}
		got[s] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s with %q: %s links to\n%q, want\n%q", cases[0][1], files, from, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}
