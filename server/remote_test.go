package server

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

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

// A fetch may say much, and not whatever a small packed request unpacks to.
func TestFetchTooLong(t *testing.T) {
	url := start(t).URL + "/wiki.git"
	tip, _, _ := strings.Cut(git(t, "/", "ls-remote", url, "refs/heads/main"), "\t")
	head := "0011command=fetch0001" + "0032want " + tip + "\n"
	for _, tt := range []struct {
		name, line string
		n          int
		status     int
		want       string
	}{
		{"much", "0032have %040x\n", 40_000, 200, "acknowledgments"},
		{"too much", "001fdeepen-not refs/heads/main\n", 600_000, 413, "more than 4 MiB"},
	} {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		io.WriteString(z, head)
		for i := range tt.n {
			if strings.Contains(tt.line, "%") {
				fmt.Fprintf(z, tt.line, i+1)
			} else {
				io.WriteString(z, tt.line)
			}
		}
		io.WriteString(z, "0000")
		z.Close()
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/git-upload-pack", &packed)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		req.Header.Set("Content-Encoding", "gzip")
		req.Header.Set("Git-Protocol", "version=2")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s: %d %.200q, %v", tt.name, res.StatusCode, body, err)
		}
		if kind := res.Header.Get("Content-Type"); tt.status == 413 && !strings.HasPrefix(kind, "text/plain") {
			t.Errorf("%s: %s", tt.name, kind)
		}
	}
}

// line is a connection on which some bytes come every now and then.
type line struct {
	httptest.ResponseRecorder
	due   time.Time
	every time.Duration
	bytes int
	left  int
}

func (l *line) SetReadDeadline(due time.Time) error { l.due = due; return nil }

func (l *line) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	if wait := time.Until(l.due); wait < l.every {
		time.Sleep(wait)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(l.every)
	n := min(l.bytes, l.left, len(p))
	l.left -= n
	return n, nil
}

// A request may take long while enough of it comes; a byte now and then is not enough, nor is it for a fetch to come on
// for ever.
func TestPaceOfRequests(t *testing.T) {
	for _, tt := range []struct {
		name  string
		line  line
		limit time.Duration
		whole bool
	}{
		{"a byte now and then", line{every: 59 * time.Second, bytes: 1, left: 1000}, 0, false},
		{"a short one", line{every: 10 * time.Second, bytes: 100, left: 500}, 0, true},
		{"a slow one", line{every: 5 * time.Second, bytes: 8 << 10, left: 10 << 20}, 0, true},
		{"a slow one that has to end", line{every: 5 * time.Second, bytes: 8 << 10, left: 10 << 20}, 5 * time.Minute, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := tt.line
			in := &asking{c: echo.New().NewContext(httptest.NewRequest("POST", "/", &l), &l)}
			if tt.limit > 0 {
				in.until = time.Now().Add(tt.limit)
			}
			_, err := io.Copy(io.Discard, in)
			if slow := (*badRequest)(nil); tt.whole && err != nil || !tt.whole && (!errors.As(err, &slow) || slow.status != 408) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
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
