package server

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cairn/storage/accounts"
	"cairn/storage/wiki"
)

// git runs git as somebody who has no settings of their own.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=Petra",
		"GIT_AUTHOR_EMAIL=petra@example.org", "GIT_COMMITTER_NAME=Petra", "GIT_COMMITTER_EMAIL=petra@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Whoever pushes goes by the name that their git tells, whatever the commits say; without one they are a visitor.
func TestPushedByName(t *testing.T) {
	web, w := startIn(t, t.TempDir())
	space, err := w.Space(t.Context(), wiki.First)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, "/", "clone", "-q", web.URL+"/wiki.git", dir)
	for name, want := range map[string]string{"Nora": "Nora", "": "Visitor", "A <b>\x01": "A b"} {
		git(t, dir, "commit", "-q", "--allow-empty", "-m", "Pushed by "+want)
		args := []string{"push", "-q", "origin", "HEAD"}
		if name != "" {
			args = append([]string{"-c", "http.extraHeader=Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(name+":whatever"))}, args...)
		}
		git(t, dir, args...)
		got, err := space.PushedBy(t.Context(), accounts.Visitor(""), wiki.Rev(git(t, dir, "rev-parse", "HEAD")))
		if err != nil || got.By != want || got.When.IsZero() {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
}

// A request may come packed under either of gzip's names, and under no other.
func TestGitPacked(t *testing.T) {
	url := start(t).URL + "/wiki.git/git-upload-pack"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "0014command=ls-refs\n0000")
	z.Close()
	for encoding, want := range map[string]int{"gzip": 200, "x-gzip": 200, "deflate": 415} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url, io.MultiReader(bytes.NewReader(packed.Bytes()))) // in chunks
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		req.Header.Set("Content-Encoding", encoding)
		req.Header.Set("Git-Protocol", "version=2")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want || want == 200 && !strings.Contains(string(body), " refs/heads/main\n") {
			t.Errorf("%s: %d %q, %v", encoding, res.StatusCode, body, err)
		}
	}
}

// The bundle is the space, and git begins a clone with it; archives are not packed.
func TestBundle(t *testing.T) {
	url := start(t).URL + "/wiki.git"
	res, err := http.Get(url + "/bundle")
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res.Status, err)
	}
	file := filepath.Join(t.TempDir(), "wiki.bundle")
	if err := os.WriteFile(file, bundle, 0o666); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, "/", "clone", "-q", file, dir)
	if _, err := os.Stat(filepath.Join(dir, "Home.md")); err != nil {
		t.Error(err)
	}
	if got, want := git(t, dir, "rev-parse", "HEAD"), git(t, dir, "ls-remote", "-q", url, "refs/heads/main"); !strings.HasPrefix(want, got) {
		t.Errorf("the bundle has %s, the wiki %s", got, want)
	}
	for _, method := range []string{"GET", "POST"} {
		address := url + "/info/refs?service=git-upload-archive"
		if method == "POST" {
			address = url + "/git-upload-archive"
		}
		req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 403 || !strings.Contains(string(body), "--depth 1") {
			t.Errorf("%s: %s %s", address, res.Status, body)
		}
	}
}
