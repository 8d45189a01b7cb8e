package git

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

type checker = func(context.Context, Push) ([]string, error)

func letAll(context.Context, Push) ([]string, error) { return nil, nil }

// pusherOf is somebody who may push files of any name, of a mebibyte.
func pusherOf(check checker) Pusher {
	return Pusher{By: ann, Check: check, Path: func(path string) (int64, error) {
		if strings.ContainsAny(path, "\\\x01") || !utf8.ValidString(path) {
			return 0, errors.New("A path cannot contain that. Rename it")
		}
		return 1 << 20, nil
	}}
}

// flusher hands on each write at once, as the server does.
type flusher struct{ http.ResponseWriter }

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

// serve serves a repository as a git host does, and returns its address.
func serve(t testing.TB, r *Repo, check checker) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		protocol := q.Header.Get("Git-Protocol")
		in := io.Reader(q.Body)
		if q.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if in, err = gzip.NewReader(in); err != nil {
				t.Error(err)
				return
			}
		}
		var err error
		switch {
		case strings.HasSuffix(q.URL.Path, "/info/refs"):
			service := q.FormValue("service")
			w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
			err = r.Advertise(q.Context(), service, protocol, w)
		case strings.HasSuffix(q.URL.Path, "/git-upload-pack"):
			w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
			err = r.UploadPack(q.Context(), protocol, in, w)
		case strings.HasSuffix(q.URL.Path, "/git-receive-pack"):
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
			err = r.ReceivePack(q.Context(), protocol, in, flusher{w}, pusherOf(check))
		}
		if err != nil {
			t.Logf("%s: %v", q.URL.Path, err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/wiki.git"
}

// clone clones into a new folder.
func clone(t testing.TB, url string, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	run(t, "/", append([]string{"clone", "-q", url, dir}, args...)...)
	return dir
}

// work commits one file in a clone.
func work(t testing.TB, dir, path, text string) string {
	t.Helper()
	full := filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "add", "-A")
	run(t, dir, "commit", "-q", "-m", "work on "+path)
	return strings.TrimSpace(run(t, dir, "rev-parse", "HEAD"))
}

// noTrace fails the test when a refused push has left something.
func noTrace(t *testing.T, r *Repo, commit string) {
	t.Helper()
	if out, err := tryRun(r.dir, "cat-file", "-e", commit); err == nil {
		t.Errorf("refused commit %s is stored: %s", commit, out)
	}
	if left, _ := filepath.Glob(r.dir + "/objects/tmp_objdir*"); len(left) > 0 {
		t.Errorf("quarantine left: %v", left)
	}
}

func TestCloneAndPush(t *testing.T) {
	for _, protocol := range []string{"0", "1", "2"} {
		t.Run("protocol "+protocol, func(t *testing.T) {
			r := newRepo(t)
			var seen Push
			url := serve(t, r, func(ctx context.Context, p Push) ([]string, error) {
				seen = p
				for path, e := range p.New.All(ctx) {
					b, err := p.Blob(ctx, e.Hash)
					if size, serr := p.Size(ctx, e.Hash); err != nil || serr != nil || size != int64(len(b)) {
						return nil, fmt.Errorf("%s: %d of %d bytes, %v, %v", path, len(b), size, err, serr)
					}
				}
				return []string{fmt.Sprintf("a hint about %d", len(p.Refs)), "ok", "no"}, nil
			})
			version := []string{"-c", "protocol.version=" + protocol}
			// A push to a wiki without commits.
			dir := clone(t, url, version...)
			run(t, dir, "checkout", "-q", "-B", "main")
			work(t, dir, "a/one.md", "one\n")
			tip := work(t, dir, "two.md", "two\n")
			out := run(t, dir, append(version, "push", "origin", "main")...)
			if !strings.Contains(out, "remote: a hint about 1") || !strings.Contains(out, "remote: ok") {
				t.Errorf("no hint in %s", out)
			}
			if seen.Live == nil || seen.Live.New.String() != tip || !seen.Old.Hash().IsZero() {
				t.Errorf("push seen as %+v", seen)
			}
			if h, _ := r.Head(); h.String() != tip || read(t, r, "a/one.md") != "one\n" {
				t.Errorf("head %s, want %s", h, tip)
			}
			// Saves and pushes in turn.
			put(t, r, "saved.md", "saved\n")
			run(t, dir, append(version, "pull", "-q", "--rebase", "origin", "main")...)
			tip = work(t, dir, "three.md", "three\n")
			run(t, dir, append(version, "push", "origin", "main")...)
			if read(t, r, "saved.md") != "saved\n" || read(t, r, "three.md") != "three\n" {
				t.Error("not both are there")
			}
			put(t, r, "three.md", "four\n")
			again := clone(t, url, version...)
			if b, _ := os.ReadFile(filepath.Join(again, "three.md")); string(b) != "four\n" {
				t.Errorf("cloned %q", b)
			}
			shallow := clone(t, url, append(version, "--depth=1")...)
			if n := strings.TrimSpace(run(t, shallow, "rev-list", "--count", "HEAD")); n != "1" {
				t.Errorf("shallow clone has %s commits", n)
			}
			if protocol == "2" { // before it, a client may not ask for the blobs that it left out
				clone(t, url, append(version, "--filter=blob:none")...)
			}
			fsck(t, r.dir)
			if lines, err := r.live.readLog(); err != nil || len(lines) != 4 || lines[2].new.String() != tip {
				t.Errorf("reflog %v, %v", lines, err)
			}
		})
	}
}

func TestPushRefused(t *testing.T) {
	r := newRepo(t)
	base := put(t, r, "page.md", "one\n")
	var refuse error
	url := serve(t, r, func(context.Context, Push) ([]string, error) { return []string{"before"}, refuse })
	dir := clone(t, url)
	n := 0
	push := func(name, want string, args ...string) {
		t.Helper()
		n++
		tip := work(t, dir, "mine.md", fmt.Sprintln(name, n))
		head, _ := r.Head()
		out, err := tryRun(dir, append([]string{"push", "origin"}, args...)...)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, want %q in %s", name, err, want, out)
		}
		if now, _ := r.Head(); now != head {
			t.Errorf("%s: head moved to %s", name, now)
		}
		noTrace(t, r, tip)
	}
	refuse = errors.New("page.md is a link\nand that is not allowed\x1b[31m")
	push("check", "remote: page.md is a link", "main")
	push("check", "remote: and that is not allowed[31m", "main")
	refuse = nil
	push("another namespace", "Only branches and tags", "main:refs/notes/x")
	push("replacement", "Only branches and tags", "main:refs/replace/"+base.String())
	push("several, one bad", "cannot begin with a hyphen", "main:refs/heads/fine", "main:refs/heads/-x")
	push("all or none", "Only branches and tags", "--atomic", "main:refs/heads/fine", "main:refs/changes/1")
	if out, err := tryRun(dir, "push", "origin", ":main"); err == nil || !strings.Contains(out, "cannot be deleted") {
		t.Errorf("deleted: %s", out)
	}
	put(t, r, "page.md", "two\n")
	push("forced", "This would take away what is on main already, and there all stays. Run: git pull --rebase, then push again.", "--force", "main")
	// Between the advertisement and the push somebody saves: the client cannot know.
	run(t, dir, "pull", "-q", "--rebase", "origin", "main")
	busy := 0
	slow := serve(t, r, func(context.Context, Push) ([]string, error) {
		busy++
		put(t, r, "busy.md", fmt.Sprint(busy)) // saves go on while a push is looked at
		return nil, nil
	})
	run(t, dir, "remote", "set-url", "origin", slow)
	tip := work(t, dir, "mine.md", "overtaken\n")
	if out, err := tryRun(dir, "push", "origin", "main"); err == nil || !strings.Contains(out, string(stale)) {
		t.Errorf("overtaken: %v, %s", err, out)
	}
	noTrace(t, r, tip)
	if busy != 1 || read(t, r, "busy.md") != "1" {
		t.Errorf("%d saves", busy)
	}
	fsck(t, r.dir)
}

func TestPushElsewhere(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	url := serve(t, r, func(_ context.Context, p Push) ([]string, error) {
		if p.Live != nil {
			return nil, errors.New("live")
		}
		return nil, nil
	})
	dir := clone(t, url)
	work(t, dir, "draft.md", "draft\n")
	run(t, dir, "push", "origin", "main:draft/deep")
	run(t, dir, "tag", "-a", "v1", "-m", "v1")
	run(t, dir, "push", "origin", "v1")
	run(t, dir, "commit", "-q", "--amend", "-m", "another")
	run(t, dir, "push", "--force", "origin", "main:draft/deep")
	run(t, dir, "push", "origin", ":draft/deep")
	run(t, dir, "push", "origin", "main:other")
	if now, _ := r.Head(); now != head {
		t.Errorf("head moved to %s", now)
	}
	if out := run(t, r.dir, "for-each-ref", "--format=%(refname)"); out != "refs/heads/main\nrefs/heads/other\nrefs/tags/v1\n" {
		t.Errorf("refs %q", out)
	}
	// A tag is no commit, a commit of the other branch is one.
	if _, err := r.Resolve(t.Context(), strings.TrimSpace(run(t, dir, "rev-parse", "v1"))); err == nil {
		t.Error("a tag resolved")
	}
	if _, err := r.Resolve(t.Context(), strings.TrimSpace(run(t, dir, "rev-parse", "--short=9", "main"))); err != nil {
		t.Error(err)
	}
	fsck(t, r.dir)
	r.Close()
	open(t, r.dir)
}

// A push to another branch of a new wiki leaves the live one unborn, and that is not taken for a loss.
func TestPushElsewhereFirst(t *testing.T) {
	r := newRepo(t)
	url := serve(t, r, letAll)
	dir := clone(t, url)
	work(t, dir, "a", "a")
	run(t, dir, "push", "origin", "HEAD:refs/heads/other")
	r.Close()
	r = open(t, r.dir)
	if h, _ := r.Head(); !h.IsZero() {
		t.Errorf("head %s", h)
	}
	put(t, r, "a", "b")
	fsck(t, r.dir)
}

// Bytes that are no push, and a pusher who goes away, change nothing and hold nothing.
func TestPushBroken(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	var out bytes.Buffer
	half := head.String() + " " + strings.Repeat("1", 40) + " refs/heads/main\x00 report-status side-band-64k"
	half = fmt.Sprintf("%04x%s0000PACK\x00\x00\x00\x02", len(half)+4, half)
	for _, in := range []string{"", "0000", "garbage", strings.Repeat("x", 1<<20), half} {
		if err := r.ReceivePack(t.Context(), "", strings.NewReader(in), &out, pusherOf(letAll)); err != nil {
			t.Logf("%.20q: %v", in, err)
		}
	}
	// A client that stops in the middle: its ctx ends.
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	in, stop := io.Pipe()
	go stop.Write([]byte(half))
	context.AfterFunc(ctx, func() { stop.CloseWithError(ctx.Err()) })
	// Whether git gets to report the missing half before it is ended is a race that either may win.
	if err := r.ReceivePack(ctx, "", in, &out, pusherOf(letAll)); err != nil {
		t.Log(err)
	}
	if h, _ := r.Head(); h != head || strings.Contains(out.String(), "ok refs/") {
		t.Errorf("half a push moved %s to %s, and was told %q", head, h, out.String())
	}
	if left, _ := filepath.Glob(r.dir + "/objects/tmp_objdir*"); len(left) > 0 {
		t.Errorf("quarantine left: %v", left)
	}
	put(t, r, "page.md", "two\n")
	fsck(t, r.dir)
}

// A pusher who goes away once git was told ok has pushed; nothing stays locked.
func TestPushLeaves(t *testing.T) {
	r := newRepo(t)
	put(t, r, "page.md", "one\n")
	dir := clone(t, serve(t, r, letAll))
	for i := range 8 {
		work(t, dir, "page.md", fmt.Sprint(i))
		ctx, cancel := context.WithCancel(t.Context())
		url := serve(t, r, func(context.Context, Push) ([]string, error) {
			time.AfterFunc(time.Duration(i)*3*time.Millisecond, cancel)
			return nil, nil
		})
		cmd := exec.CommandContext(ctx, "git", "push", "-q", url, "main")
		cmd.Dir, cmd.Env = dir, environ()
		cmd.Run()
		cancel()
		put(t, r, fmt.Sprintf("beside/%d", i), "x")
		head, _ := r.Head()
		if got := strings.TrimSpace(run(t, r.dir, "rev-parse", "main")); got != head.String() {
			t.Errorf("ref %s, head %s", got, head)
		}
		run(t, dir, "pull", "-q", "--rebase", "origin", "main")
	}
	fsck(t, r.dir)
}

// A hook that git would pass over must not let pushes in unseen.
func TestPushWithoutHook(t *testing.T) {
	r := newRepo(t)
	path := filepath.Join(r.hooks(), "pre-receive")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.ReceivePack(t.Context(), "", strings.NewReader("0000"), io.Discard, pusherOf(letAll)); err == nil {
		t.Error("a push without a hook")
	}
}

func TestAdvertise(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a", "a")
	for _, test := range []struct{ service, protocol, want string }{
		{"git-upload-pack", "", "001e# service=git-upload-pack\n0000"},
		{"git-receive-pack", "version=1", "001f# service=git-receive-pack\n0000000eversion 1\n"},
		{"git-upload-pack", "version=2", "000eversion 2\n"},
		{"git-upload-pack", "version=1:version=2", "000eversion 2\n"},
		{"git-upload-pack", "version=2\nLD_PRELOAD=x", "001e# service=git-upload-pack\n0000"},
	} {
		var out bytes.Buffer
		if err := r.Advertise(t.Context(), test.service, test.protocol, &out); err != nil || !strings.HasPrefix(out.String(), test.want) {
			t.Errorf("%s %q: %v, %.60q, want %q", test.service, test.protocol, err, out.String(), test.want)
		}
	}
	if err := r.Advertise(t.Context(), "git-shell", "", io.Discard); err == nil {
		t.Error("another service")
	}
}

// A client on a slow line has the end of what git wrote long after git has ended.
func TestSlowFetch(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "a.md", "a page\n")
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	question := line("command=fetch") + "0001" + line("want "+head.String()+"\n") + line("done\n") + "0000"
	var answer bytes.Buffer
	slow := slowWriter(func(p []byte) (int, error) {
		time.Sleep(3 * time.Second)
		return answer.Write(p)
	})
	if err := r.UploadPack(t.Context(), "version=2", strings.NewReader(question), slow); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(answer.Bytes(), []byte("PACK")) || !bytes.HasSuffix(answer.Bytes(), []byte("0000")) {
		t.Errorf("%q", answer.Bytes())
	}
}

type slowWriter func([]byte) (int, error)

func (w slowWriter) Write(p []byte) (int, error) { return w(p) }

// Who fetches or pushes by way of a proxy is answered when all that it sends has come: the proxy may not listen before.
func TestAnswerWaits(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "a.md", "a page\n")
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	question := line("command=fetch") + "0001" + line("want "+head.String()+"\n") + line("done\n") + "0000"
	answerWaits(t, r.dir, question, "PACK", func(in io.Reader, out io.Writer) error { return r.UploadPack(t.Context(), "version=2", in, out) })

	pack := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00") // of no objects
	sum := sha1.Sum(pack)
	zero := strings.Repeat("0", 40)
	tag := line(zero+" "+head.String()+" refs/tags/one\x00report-status side-band-64k") + "0000" + string(pack) + string(sum[:])
	refuse := func(context.Context, Push) ([]string, error) { return nil, errors.New("not today") }
	answerWaits(t, r.dir, tag, "not today", func(in io.Reader, out io.Writer) error {
		return r.ReceivePack(t.Context(), "", in, out, pusherOf(refuse))
	})
}

// answerWaits fails when serve answers a question before it has ended, or without saying what is wanted.
func answerWaits(t *testing.T, dir, question, want string, serve func(io.Reader, io.Writer) error) {
	t.Helper()
	answered := make(chan struct{})
	var once sync.Once
	var answer bytes.Buffer
	in := io.MultiReader(strings.NewReader(question), reader(func([]byte) (int, error) {
		// Git has said all when it has ended; then that takes a moment to be heard.
		for until := time.Now().Add(time.Minute); len(gits(dir)) > 0 && time.Now().Before(until); {
			time.Sleep(10 * time.Millisecond)
		}
		select {
		case <-answered:
			t.Error("answered before the question had ended")
		case <-time.After(time.Second):
		}
		return 0, io.EOF
	}))
	out := slowWriter(func(p []byte) (int, error) {
		once.Do(func() { close(answered) })
		return answer.Write(p)
	})
	if err := serve(in, out); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(answer.Bytes(), []byte(want)) {
		t.Errorf("%q, want %s", answer.Bytes(), want)
	}
}

// What a fetch may compute is bounded before git hears a word, and when its question cannot be read to the end, git ends.
func TestFetchBroken(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a.md", "a page\n")
	limits := ""
	gone := errors.New("gone")
	in := io.MultiReader(strings.NewReader("0012command=fetch\n"), reader(func([]byte) (int, error) {
		for _, pid := range gits(r.dir) {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
			limits += string(b)
		}
		return 0, gone
	}))
	var out bytes.Buffer
	if err := r.UploadPack(t.Context(), "version=2", in, &out); !errors.Is(err, gone) || out.Len() > 0 {
		t.Errorf("%v, answered %q", err, out.String())
	}
	if left := gits(r.dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	if _, err := os.Stat("/proc/self/limits"); err != nil {
		t.Skip("no /proc")
	}
	for _, want := range []string{fmt.Sprintf("Max cpu time +%d ", maxFetchSeconds), fmt.Sprintf("Max data size +%d ", maxFetchMemory)} {
		if !regexp.MustCompile(want).MatchString(limits) {
			t.Errorf("want %s in %s", want, limits)
		}
	}
}

// A question to which the answer is longer than what can be held back comes to its end.
func TestLongNegotiation(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "a.md", "a page\n")
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	var question strings.Builder
	question.WriteString(line("want "+head.String()+" multi_ack_detailed side-band-64k\n") + "0000")
	for range 20_000 { // each is acknowledged by a line of its own
		question.WriteString(line("have " + head.String() + "\n"))
	}
	question.WriteString("0000")
	var answer bytes.Buffer
	if err := r.UploadPack(t.Context(), "", strings.NewReader(question.String()), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Len() < 2*maxHeld {
		t.Errorf("an answer of %d bytes, want more than fits", answer.Len())
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// The branch is moved on disk while the wiki runs. Who has fetched that can push.
func TestPushAfterMoveFromOutside(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a.md", "a page\n")
	outside := clone(t, r.dir)
	work(t, outside, "b.md", "from outside\n")
	run(t, outside, "push", "-q")
	url := serve(t, r, letAll)
	dir := clone(t, url)
	tip := work(t, dir, "c.md", "from a pusher\n")
	run(t, dir, "push", "-q")
	if now, _ := r.Head(); now.String() != tip {
		t.Errorf("at %s, want %s", now, tip)
	}
	if got := read(t, r, "b.md"); got != "from outside\n" {
		t.Errorf("%q", got)
	}
}

// A push that is refused for one of its branches is refused for all of them, and each is told why.
func TestRefusedForOne(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a.md", "a page\n")
	dir := clone(t, serve(t, r, letAll))
	cmd := exec.Command("git", "-C", dir, "push", "origin", "main:refs/heads/-one", "main:refs/heads/two", "main:refs/tags/three")
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Count(string(out), "[remote rejected]") != 3 || strings.Contains(string(out), "failed to report status") {
		t.Errorf("%v: %s", err, out)
	}
	if refs := run(t, r.dir, "for-each-ref", "--format=%(refname)"); strings.Contains(refs, "two") || strings.Contains(refs, "three") {
		t.Errorf("taken all the same: %s", refs)
	}
}
