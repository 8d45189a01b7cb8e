package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manyFiles makes a bare repository of so many commits, each of one page.
func manyFiles(t testing.TB, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "source.git")
	if out, err := git("/", "init", "-q", "--bare", "--initial-branch=main", dir); err != nil {
		t.Fatal(out)
	}
	var in bytes.Buffer
	for i := range n {
		text := strings.Repeat(fmt.Sprintf("Page %d, a line of many. %x\n", i, rand.Uint64()), 40)
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Ann <ann@example.org> %d +0000\ndata 4\npage\nM 644 inline page-%d.md\ndata %d\n%s\n",
			1700000000+i, i, len(text), text)
	}
	cmd := exec.Command("git", "-C", dir, "fast-import", "--quiet")
	cmd.Stdin = &in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return dir
}

// cairn runs a command, which is killed at some moment of the time that it usually takes. It answers how that ended.
func cairn(usual time.Duration, args ...string) (done bool, out string) {
	cmd := exec.Command("cairn", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return false, err.Error()
	}
	if usual > 0 {
		kill := time.AfterFunc(time.Duration(rand.Int64N(int64(usual))), func() { cmd.Process.Kill() })
		defer kill.Stop()
	}
	return cmd.Wait() == nil, said.String()
}

// An import, a backup or a restore that is killed at any moment leaves nothing half: what it makes is there whole, or not
// at all; and done again it succeeds.
func TestKillWork(t *testing.T) {
	t.Parallel()
	const pages = 120
	source := manyFiles(t, pages)
	data := filepath.Join(t.TempDir(), "data")
	h := launch(t, data)
	run := func(args ...string) time.Duration {
		t.Helper()
		begin := time.Now()
		if done, out := cairn(0, args...); !done {
			t.Fatalf("cairn %v: %s", args, out)
		}
		return time.Since(begin)
	}
	// whole tells whether a space is there, and fails the test when it is there in part.
	whole := func(data, space string) bool {
		t.Helper()
		repo := filepath.Join(data, "spaces", space+".git")
		if _, err := os.Stat(repo); err != nil {
			return false
		}
		if out, err := git(repo, "fsck", "--full", "--strict", "--no-dangling"); err != nil {
			t.Errorf("%s: %s", repo, out)
		}
		if out, err := git(repo, "rev-list", "--count", "main"); err != nil || strings.TrimSpace(out) != fmt.Sprint(pages) {
			t.Errorf("%s: %v, %s commits of %d", repo, err, out, pages)
		}
		return true
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "first.tar")
	usual := map[string]time.Duration{
		"import": run("import", source, "--space", "first", "--data", data),
		"backup": run("backup", file, "--data", data),
	}
	usual["restore"] = run("restore", file, "--data", filepath.Join(dir, "first"))
	count := map[string]int{}
	for round := range workRounds {
		name := fmt.Sprint("space-", round)
		done, out := cairn(usual["import"], "import", source, "--space", name, "--data", data)
		there := whole(data, name)
		if done && !there {
			t.Errorf("LOST: an import said %s", out)
		}
		if !there {
			run("import", source, "--space", name, "--data", data)
			count["import killed"]++
		}
		if status, body := h.get("/" + name + "/page-119.md"); status != 200 || !strings.HasPrefix(body, "Page 119") {
			t.Errorf("the imported page: %d %.200s", status, body)
		}

		file := filepath.Join(dir, name+".tar")
		if done, _ := cairn(usual["backup"], "backup", file, "--data", data); !done {
			count["backup killed"]++
		}
		if _, err := os.Stat(file); err != nil {
			run("backup", file, "--data", data)
		}

		to := filepath.Join(dir, name)
		if done, _ := cairn(usual["restore"], "restore", file, "--data", to); !done {
			count["restore killed"]++
			if _, err := os.Stat(filepath.Join(to, "spaces")); err != nil {
				run("restore", file, "--data", to)
			}
		}
		if !whole(to, "first") || !whole(to, name) {
			t.Error("a space is missing from what was restored")
		}
		checkSays(t, to, "")
		os.RemoveAll(to)
		os.Remove(file)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d rounds: %v", workRounds, count)
	h.stop()
	checkSays(t, data, "")
	h = launch(t, data)
	h.stop()
}

// tidies tells whether a git process rolls up the packs of a data folder at this moment.
func tidies(data string) bool {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		if b, _ := os.ReadFile(name); bytes.Contains(b, []byte(data)) && (bytes.Contains(b, []byte("\x00repack\x00")) || bytes.Contains(b, []byte("\x00pack-objects\x00"))) {
			return true
		}
	}
	return false
}

// Kill -9 in the middle of maintenance costs nothing either.
func TestKillMaintenance(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skipf("SKIPPED, nothing has been proved: no /proc (%v)", err)
	}
	data := filepath.Join(t.TempDir(), "data")
	var all ledger
	killed := 0
	// On a busy machine it may come and go unseen: then once more.
	for round := 0; round < workRounds || killed == 0 && round < workRounds+4; round++ {
		h := launch(t, data)
		killing, done := make(chan struct{}), make(chan struct{})
		written := done
		go func() {
			defer close(done)
			for i := range 60 { // more packs than may pile up
				page, line := fmt.Sprint("P", i%7), fmt.Sprintf("line %d %d", round, i)
				status, answer := h.add("put", page, line)
				if saved(status) {
					all.add(told{"put", page, line})
					continue
				}
				select {
				case <-killing:
				default:
					t.Errorf("%d %s", status, answer)
				}
				return
			}
		}()
		// Maintenance does not wait until all is written.
		var late <-chan time.Time
		for over := false; !over; {
			if tidies(data) {
				time.Sleep(time.Duration(rand.Int64N(int64(100 * time.Millisecond))))
				killed++
				break
			}
			select {
			case <-written:
				written, late = nil, time.After(2*tidyPause)
			case <-late:
				over = true
			case <-time.After(time.Millisecond):
			}
		}
		close(killing)
		h.kill()
		<-done
		h = launch(t, data)
		h.audit(&all, 0)
		h.stop()
		if t.Failed() {
			t.Fatalf("in round %d; what was left is in %s", round, keep(t, data))
		}
	}
	h := launch(t, data)
	all.report(t, workRounds, h.audit(&all, 0))
	h.stop()
	checkSays(t, data, "")
	t.Logf("killed in the middle of maintenance %d times of %d", killed, workRounds)
	if killed == 0 {
		t.Error("never in the middle: nothing has been proved")
	}
}
