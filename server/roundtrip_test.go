package server

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
)

// foreign are files as other programs write them.
var foreign = map[string]string{
	"Home.md":                          "# Home\n\none\ntwo\nthree\n",
	"crlf.md":                          "# Windows\r\n\r\none\r\ntwo\r\nthree\r\n",
	"mixed.md":                         "# Both\r\n\none\r\ntwo\nthree\r\nfour\n",
	"bom.md":                           "\ufeff# Marked\n\none\ntwo\nthree\n",
	"bom crlf.md":                      "\ufeff---\r\ntitle: Marked\r\n---\r\none\r\ntwo\r\nthree",
	"no end.md":                        "# No end\n\none\ntwo\nthree",
	"crlf no end.md":                   "one\r\ntwo\r\nthree",
	"spaces.md":                        "# Spaces  \n\none  \ntwo\t\nthree \u00a0\n\n\n\n",
	"lines above.md":                   "\n\n\none\ntwo\nthree\n",
	"cafe\u0301/Re\u0301sume\u0301.md": "# Re\u0301sume\u0301\n\none\ntwo\nthree\n",
	"odd.md":                           "one \u2028 \u200b\u202e \x0b \x0c \x1b\ntwo 🪨 </textarea><b>\nthree &amp; &lt;\n",
	"old mac.md":                       "one\rtwo\rthree\nfour\n",
	"folder/a:b?.md":                   "one\ntwo\nthree\n",
	"one line.md":                      "one",
	"empty.md":                         "",
	"latin 1.md":                       "caf\xe9\none\ntwo\nthree\n",
	"nul.md":                           "a\x00b\none\n",
	"bytes.dat":                        "\x00\xff\r\n\r\x1a\x00",
	"run.sh":                           "#!/bin/sh\r\n",
	".hidden/settings.json":            "{\r\n}",
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// A wiki that comes from elsewhere is read page by page, and cloned: not one byte differs. Then one line of each page is
// changed in the form, as a browser sends it, and no other line changes.
func TestRoundTrip(t *testing.T) {
	from := t.TempDir()
	for name, text := range foreign {
		file := filepath.Join(from, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(from, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("Home.md", filepath.Join(from, "link.md")); err != nil {
		t.Fatal(err)
	}
	run(t, from, "init", "-q", "-b", "trunk")
	run(t, from, "-c", "core.autocrlf=false", "add", "--all")
	run(t, from, "commit", "-q", "-m", "Begin")
	tree := run(t, from, "rev-parse", "HEAD^{tree}")

	dir := t.TempDir()
	if _, err := wiki.Import(t.Context(), dir, "old", from, accounts.Visitor("Ann"), io.Discard, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	web, w := startIn(t, dir)
	space, err := w.Space(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	head := func() *wiki.Snapshot {
		t.Helper()
		head, err := space.Head(accounts.Visitor("Ann"))
		if err != nil {
			t.Fatal(err)
		}
		return head
	}
	for p := range head().Names().All() {
		if status, _ := getPage(t, web.URL+page.URL("old", p)); status != 200 && p.Served() {
			t.Errorf("%s: %d", p, status)
		}
	}
	clone := t.TempDir()
	run(t, clone, "clone", "-q", web.URL+"/old.git", ".")
	if got := run(t, clone, "rev-parse", "HEAD^{tree}"); got != tree {
		t.Errorf("the clone has the tree %s, the wiki came with %s:\n%s", got, tree, run(t, clone, "ls-tree", "-r", "HEAD"))
	}
	for name, want := range foreign {
		if got, err := os.ReadFile(filepath.Join(clone, name)); err != nil || string(got) != want {
			t.Errorf("%s comes back as %q, %v", name, got, err)
		}
	}

	// In the form.
	for name, was := range foreign {
		p := page.Path(name)
		if !p.Listed() || !strings.Contains(was, "one") || name == "latin 1.md" || name == "nul.md" {
			continue
		}
		edit := web.URL + "/old/-/edit/" + escape(p.Address())
		form := formOf(t, edit)
		if strings.Contains(form.Get("text"), "\ufeff") {
			t.Errorf("the form of %s has a byte order mark in it", name)
		}
		form.Set("text", strings.ReplaceAll(strings.Replace(form.Get("text"), "one", "ONE", 1), "\n", "\r\n"))
		res, err := http.PostForm(edit, form)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		got, err := head().Read(t.Context(), p)
		if want := strings.Replace(was, "one", "ONE", 1); err != nil || string(got) != want {
			t.Errorf("%s is %q, want %q; %d, %v", name, got, want, res.StatusCode, err)
		}
	}
	run(t, clone, "pull", "-q")
	for _, line := range strings.Split(run(t, clone, "diff", "--numstat", tree, "HEAD"), "\n") {
		if !strings.HasPrefix(line, "1\t1\t") {
			t.Errorf("more than a line has changed: %s", line)
		}
	}

	// What is no text in UTF-8 would be spoilt by a browser: it is not offered.
	for _, name := range []string{"latin 1.md", "nul.md"} {
		edit := web.URL + "/old/-/edit/" + escape(page.Path(name).Address())
		if status, b := getPage(t, edit); status != 415 || bytes.Contains(b, []byte("<textarea")) {
			t.Errorf("the editor of %s: %d\n%s", name, status, b)
		}
	}
}

// A byte order mark stays where it is, at the beginning of the file, also when something is written above all else, and
// when two do so.
func TestMarkStaysFirst(t *testing.T) {
	web := start(t)
	put := func(name, text string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "PUT", web.URL+"/wiki/"+name+".md", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", "*")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != 201 {
			t.Fatalf("put %s: %s", name, res.Status)
		}
	}
	send := func(form url.Values) (int, string) {
		t.Helper()
		form.Set("text", strings.ReplaceAll(form.Get("text"), "\n", "\r\n"))
		req, err := http.NewRequestWithContext(t.Context(), "POST", web.URL+"/wiki/-/edit/Marked", strings.NewReader(form.Encode()))
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
		return res.StatusCode, string(b)
	}
	source := func() string {
		t.Helper()
		_, b := getPage(t, web.URL+"/wiki/Marked.md")
		return string(b)
	}
	put("Marked", "\ufeff# Title\r\n\r\nbody\r\n")
	first, second := formOf(t, web.URL+"/wiki/-/edit/Marked"), formOf(t, web.URL+"/wiki/-/edit/Marked")
	first.Set("text", "Intro\n\n"+first.Get("text"))
	if status, _ := send(first); status != 303 || source() != "\ufeffIntro\r\n\r\n# Title\r\n\r\nbody\r\n" {
		t.Errorf("%d, %q", status, source())
	}
	second.Set("text", "Another\n\n"+second.Get("text"))
	status, b := send(second)
	if status != 409 || strings.Contains(b, "\ufeff") {
		t.Errorf("%d, and a mark in the choice: %v", status, strings.Contains(b, "\ufeff"))
	}
	_, theirs, _ := strings.Cut(b, `name="theirs" value="`)
	theirs, _, _ = strings.Cut(theirs, `"`)
	second.Set("theirs", theirs)
	second.Set("places", "1")
	second.Set("rest", "both")
	status, b = send(second)
	if got := source(); status != 303 || strings.LastIndex(got, "\ufeff") != 0 || !strings.Contains(got, "Another") || !strings.Contains(got, "Intro") {
		t.Errorf("%d, %q\n%s", status, got, b)
	}
}

// The form takes whatever page PUT takes.
func TestFormTakesAnyPage(t *testing.T) {
	web := start(t)
	for name, of := range map[string]string{"lines": "\n", "letters": "é", "signs": "%"} {
		text := strings.Repeat(of, wiki.MaxPage/len(of))
		for _, more := range []string{"", "x"} {
			form := url.Values{"text": {strings.ReplaceAll(text+more, "\n", "\r\n")}, "base": {""}, "note": {strings.Repeat("n", 1000)}}
			res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).PostForm(
				web.URL+"/wiki/-/edit/"+name+more, form)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if want := 303 + 110*len(more); res.StatusCode != want {
				t.Errorf("a page of %q, and %q: %s, want %d", of, more, res.Status, want)
			}
		}
	}
}

func getPage(t *testing.T, url string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b
}

// formOf is the editor's form as a browser reads it.
func formOf(t *testing.T, at string) url.Values {
	t.Helper()
	status, b := getPage(t, at)
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil || status >= 500 {
		t.Fatal(status, err)
	}
	form := url.Values{"action": {"save"}}
	for n := range doc.Descendants() {
		name := ""
		value := ""
		for _, a := range n.Attr {
			switch a.Key {
			case "name":
				name = a.Val
			case "value":
				value = a.Val
			}
		}
		switch {
		case n.Data == "textarea" && name == "text":
			text := ""
			if n.FirstChild != nil {
				text = n.FirstChild.Data
			}
			form.Set("text", text)
		case n.Data == "input" && name == "base":
			form.Set("base", value)
		}
	}
	if !form.Has("text") || form.Get("base") == "" {
		t.Fatalf("%s has no text or no base", at)
	}
	return form
}
