package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The files torture_*_test.go prove that nothing is lost. They run the real program and the real git, do to them what
// happens to programs and disks, and compare what is there afterwards with a ledger, kept outside, of what writers were
// told is saved. With the build tag torture they do it for about an hour, else for seconds:
//
//	torture_test.go         the ledger and its writers; kill -9 at a random moment
//	torture_work_test.go    kill -9 of an import, a backup, a restore, or in the middle of maintenance
//	torture_disk_test.go    a file system that loses what was not fsynced, gets full, or fails at the n-th call
//	torture_power_test.go   the power fails; the disk is full; the disk fails
//	torture_damage_test.go  single files are damaged
//	torture_crowd_test.go   fifty people write one page at once; clients that are slow, by the thousand
//
// What a machine cannot do (mount a file system) is skipped, and says so.

// told is a line of the ledger: somebody was told that a line of text is in a page.
type told struct{ door, page, line string }

// ledger is what writers were told. Pages only grow in these tests: each save adds a line, so a line that is missing
// later is a lost save.
type ledger struct {
	mu    sync.Mutex // guards what follows
	lines []told
}

func (l *ledger) add(t told) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, t)
}

func (l *ledger) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// host is a running wiki of a test.
type host struct {
	*running
	t    testing.TB
	data string
}

// launch starts the wiki, which must be ready within ten seconds, without a hand.
func launch(t testing.TB, data string) *host {
	t.Helper()
	h := &host{t: t, data: data}
	var err error
	begin := time.Now()
	if h.running, err = startCairn(data, filepath.Join(t.TempDir(), "server.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.end(syscall.SIGKILL) })
	if err := h.ready(readyWithin - time.Since(begin)); err != nil {
		t.Fatal(err)
	}
	return h
}

// kill ends the wiki as kill -9 does, and looks into its log.
func (h *host) kill() {
	h.t.Helper()
	h.end(syscall.SIGKILL)
	h.sound()
}

// stop ends the wiki as it should be ended.
func (h *host) stop() {
	h.t.Helper()
	if err := h.end(syscall.SIGTERM); err != nil {
		h.t.Error(err)
	}
	h.sound()
}

var unsound = regexp.MustCompile(`(?m)^(?:WARNING: DATA RACE|panic: |fatal error: |.*msg=panic ).*$`)

// sound fails the test when the wiki's log tells of a race or a panic.
func (h *host) sound() {
	h.t.Helper()
	if found := unsound.FindString(h.logged()); found != "" {
		h.t.Errorf("the wiki logged %q in %s", found, h.logged())
	}
}

var client = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
}

// send sends a request, and returns its status (0: no answer), header and body.
func send(method, to string, body []byte, header ...string) (int, http.Header, string) {
	req, err := http.NewRequest(method, to, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err.Error()
	}
	for _, h := range header {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return res.StatusCode, res.Header, string(b)
}

func (h *host) get(path string) (int, string) {
	status, _, body := send("GET", h.url+path, nil)
	return status, body
}

// now is a page's text, the revision and the blob; all empty when it is not there.
func (h *host) now(page string) (text, rev, blob string, ok bool) {
	status, header, body := send("GET", h.url+"/wiki/"+page+".md", nil)
	if status == 404 {
		return "", "", "", true
	}
	return body, header.Get("Cairn-Revision"), strings.Trim(header.Get("ETag"), `"`), status == 200
}

// The doors, each sending a text that is based on what was read. They answer with the status.
var doors = map[string]func(h *host, page, text, rev, blob string) (int, string){
	"form": func(h *host, page, text, rev, _ string) (int, string) {
		form := url.Values{"text": {text}, "base": {rev}, "name": {"Webster"}}
		status, _, body := send("POST", h.url+"/wiki/-/edit/"+page, []byte(form.Encode()),
			"Content-Type: application/x-www-form-urlencoded", "Accept: text/html")
		return status, body
	},
	"api": func(h *host, page, text, rev, _ string) (int, string) {
		b, _ := json.Marshal(map[string]string{"text": text, "base": rev})
		status, _, body := send("PUT", h.url+"/-/api/v1/spaces/wiki/pages/"+page, b, "Content-Type: application/json")
		return status, body
	},
	"put": func(h *host, page, text, _, blob string) (int, string) {
		condition := `If-Match: "` + blob + `"`
		if blob == "" {
			condition = "If-None-Match: *"
		}
		status, _, body := send("PUT", h.url+"/wiki/"+page+".md", []byte(text), condition)
		return status, body
	},
}

// saved tells whether a status says so.
func saved(status int) bool { return status == 303 || status/100 == 2 }

// add adds a line to a page by a door, once.
func (h *host) add(door, page, line string) (status int, answer string) {
	text, rev, blob, ok := h.now(page)
	if !ok {
		return 0, ""
	}
	return doors[door](h, page, text+line+"\n", rev, blob)
}

// git runs git as a person would, in a folder. It is not started there: see disk.
func git(dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=Petra", "GIT_AUTHOR_EMAIL=petra@example.org", "GIT_COMMITTER_NAME=Petra",
		"GIT_COMMITTER_EMAIL=petra@example.org", "LC_ALL=C", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=gc.auto", "GIT_CONFIG_VALUE_0=0"}
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// push adds a line to a page by a clone and a push, once. The clone is made when need be.
func (h *host) push(clone, page, line string) error {
	if _, err := os.Stat(filepath.Join(clone, ".git", "HEAD")); err != nil {
		os.RemoveAll(clone)
		if out, err := git("/", "clone", "-q", h.url+"/wiki.git", clone); err != nil {
			return fmt.Errorf("clone: %w: %s", err, out)
		}
	}
	for _, args := range [][]string{{"remote", "set-url", "origin", h.url + "/wiki.git"}, {"fetch", "-q", "origin"}, {"reset", "-q", "--hard", "origin/main"}} {
		if out, err := git(clone, args...); err != nil {
			return fmt.Errorf("git %v: %w: %s", args, err, out)
		}
	}
	f, err := os.OpenFile(filepath.Join(clone, page+".md"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	f.Close()
	if err != nil {
		return err
	}
	for _, args := range [][]string{{"add", "-A"}, {"commit", "-q", "-m", "Add " + line}, {"push", "-q", "origin", "HEAD:main"}} {
		if out, err := git(clone, args...); err != nil {
			return fmt.Errorf("git %v: %w: %s", args, err, out)
		}
	}
	return nil
}

// session lets four writers by the web and two by git write, each on pages of its own and on one that all share, and
// enters into the ledger what they are told. At some moment after the first has been told something it calls befall, then
// it stops them.
func (h *host) session(l *ledger, clones, name string, befall func()) {
	begin, from := time.Now(), len(l.lines)
	stop := make(chan struct{})
	stopped := func() bool {
		select {
		case <-stop:
			return true
		default:
			return false
		}
	}
	go func() {
		defer close(stop)
		for l.len() == from && time.Since(begin) < 10*time.Second {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(sessionTime))))
		befall()
	}()
	var group sync.WaitGroup
	shared := "Shared-" + name
	for w, door := range []string{"form", "form", "api", "put"} {
		group.Go(func() {
			for i := 0; !stopped(); i++ {
				// By fits and starts, for a push is refused whenever somebody has saved since it was begun.
				for time.Since(begin)%time.Second > 250*time.Millisecond && !stopped() {
					time.Sleep(10 * time.Millisecond)
				}
				page := fmt.Sprintf("%s-%d-%s-%d", door, w, name, i/20)
				if i%3 == 0 {
					page = shared
				}
				line := fmt.Sprintf("%s %d %s %d", door, w, name, i)
				if status, _ := h.add(door, page, line); saved(status) {
					l.add(told{door, page, line})
				}
			}
		})
	}
	for w := range 2 {
		group.Go(func() {
			for i := 0; !stopped(); i++ {
				page := fmt.Sprintf("git-%d-%s", w, name)
				if i%3 == 2 {
					page = shared
				}
				line := fmt.Sprintf("git %d %s %d", w, name, i)
				if h.push(filepath.Join(clones, fmt.Sprint(w)), page, line) == nil {
					l.add(told{"git", page, line})
				}
			}
		})
	}
	group.Wait()
}

// audit compares the wiki with the ledger from an entry on, and returns how many of them it has found: each line is to be
// in its page and in the page's history, and git finds the repository whole.
func (h *host) audit(l *ledger, from int) int {
	h.t.Helper()
	repo := filepath.Join(h.data, "spaces", "wiki.git")
	// Beside a wiki that runs, git's fsck may miss packs that have just been rolled up: then it looks again.
	for try := 0; ; try++ {
		out, err := git(repo, "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
		if err == nil && !strings.Contains(out, "error") {
			break
		}
		if try == 3 {
			h.t.Errorf("fsck: %v: %s", err, out)
			break
		}
		time.Sleep(time.Second)
	}
	log, err := git(repo, "log", "-p", "-m", "--format=", "--no-renames", "main")
	if err != nil {
		h.t.Fatalf("%v: %.500s", err, log)
	}
	written := map[string]bool{}
	page := ""
	for line := range strings.SplitSeq(log, "\n") {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			page = strings.TrimSuffix(name, ".md")
		} else if added, ok := strings.CutPrefix(line, "+"); ok {
			written[page+"\n"+added] = true
		}
	}
	pages := map[string][]string{}
	found := 0
	for _, one := range l.lines[from:] {
		lines, ok := pages[one.page]
		if !ok {
			status, text := h.get("/wiki/" + one.page + ".md")
			if status != 200 {
				h.t.Errorf("%s: status %d: %.200s", one.page, status, text)
			}
			lines = strings.Split(text, "\n")
			pages[one.page] = lines
		}
		switch {
		case !slices.Contains(lines, one.line):
			h.t.Errorf("LOST: %+v was acknowledged and is not in the page", one)
		case !written[one.page+"\n"+one.line]:
			h.t.Errorf("LOST: %+v was acknowledged and is not in the history", one)
		default:
			found++
		}
	}
	return found
}

// report says how many were told, by which door.
func (l *ledger) report(t testing.TB, rounds, found int) {
	t.Helper()
	by := map[string]int{}
	for _, one := range l.lines {
		by[one.door]++
	}
	t.Logf("%d rounds, %d saves acknowledged %v, %d found", rounds, len(l.lines), by, found)
	if len(l.lines) < rounds {
		t.Errorf("only %d saves were acknowledged in %d rounds: nothing has been proved", len(l.lines), rounds)
	}
}

// What was acknowledged survives kill -9 at any moment, and the wiki starts again by itself.
func TestKill(t *testing.T) {
	t.Parallel()
	data, clones := filepath.Join(t.TempDir(), "data"), t.TempDir()
	var l ledger
	for round := range killRounds {
		h := launch(t, data)
		from := len(l.lines)
		h.session(&l, clones, fmt.Sprint(round), h.kill)
		h = launch(t, data)
		h.audit(&l, from)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		h.kill()
	}
	h := launch(t, data)
	l.report(t, killRounds, h.audit(&l, 0))
	h.stop()
	checkSays(t, data, "")
}

// checkSays runs cairn check, which must name what is wrong; "" for nothing.
func checkSays(t testing.TB, data, wrong string) {
	t.Helper()
	out, err := exec.Command("cairn", "check", "--data", data).CombinedOutput()
	if (err != nil) != (wrong != "") || !strings.Contains(string(out), wrong) {
		t.Errorf("cairn check: %v, want %q in:\n%s", err, wrong, out)
	}
}
