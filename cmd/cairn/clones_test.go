package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Two hundred clone the wiki at once. Each has it in the end; who is told to come again is told when. Clients that go
// away in between, half-way through what they send or receive, leave no process behind, and saves go on all the while.
func TestManyClones(t *testing.T) { // not beside others, which would have little of the machine
	const clones, leavers = 200, 30
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	wiki, err := startCairn(data, filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer wiki.end(syscall.SIGKILL)
	put := func(page, text string) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), "PUT", wiki.url+"/wiki/"+page+".md", strings.NewReader(text))
		if err != nil {
			return 0, err
		}
		req.Header.Set("If-None-Match", "*")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	for i := range 3 {
		text := make([]byte, 200_000) // does not compress, and takes its time on the way
		for j := range text {
			text[j] = byte('!' + rand.IntN('~'-'!'))
		}
		if status, err := put(fmt.Sprint("Page-", i), string(text)); status != 201 {
			t.Fatal(status, err)
		}
	}
	head, err := git(filepath.Join(data, "spaces", "wiki.git"), "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(head)
	}
	head = strings.TrimSpace(head)
	var cloning, leaving, saving sync.WaitGroup
	var again, saves atomic.Int32
	start, done := make(chan struct{}), make(chan struct{})
	for i := range clones {
		cloning.Go(func() {
			<-start
			n, err := clone(t.Context(), wiki.url+"/wiki.git", filepath.Join(dir, "clones", strconv.Itoa(i)))
			if err != nil {
				t.Errorf("clone %d: %v", i, err)
			}
			again.Add(int32(n))
		})
	}
	for i := range leavers {
		leaving.Go(func() {
			<-start
			if err := leave(wiki.url, head, i); err != nil {
				t.Errorf("client %d that goes away: %v", i, err)
			}
		})
	}
	saving.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			time.Sleep(10 * time.Millisecond) // so that the clones do not grow beyond measure
			n := saves.Add(1)
			if status, err := put(fmt.Sprint("Meanwhile-", n), "saved meanwhile\n"); status != 201 {
				t.Errorf("save %d among the clones: %d %v", n, status, err)
				return
			}
		}
	})
	close(start)
	cloning.Wait()
	leaving.Wait()
	close(done)
	saving.Wait()
	t.Logf("%d clones, told to come again %d times, %d saves meanwhile", clones, again.Load(), saves.Load())

	// The processes of the clients that went away end soon.
	var left []string
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if left = processes(t, data, wiki.server.Process.Pid); len(left) == 0 {
			break
		}
	}
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if status, err := put("Afterwards", "saved afterwards\n"); status != 201 {
		t.Errorf("save after the clones: %d %v", status, err)
	}
	if err := wiki.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	log := wiki.logged()
	if strings.Contains(log, "DATA RACE") || strings.Contains(log, "level=ERROR") || t.Failed() {
		t.Error(log)
	}
}

// clone makes a bare clone, trying again for as long as the wiki says when. It returns how often it was told to.
func clone(ctx context.Context, from, to string) (again int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		cmd := exec.CommandContext(ctx, "git", "clone", "--quiet", "--bare", from, to)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			"GIT_TRACE_CURL=1", "GIT_TRACE_CURL_NO_DATA=1"}
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		if err == nil {
			return again, os.RemoveAll(to)
		}
		lower := bytes.ToLower(out)
		if !bytes.Contains(lower, []byte("error: 503")) || !bytes.Contains(lower, []byte("header: retry-after: ")) {
			return again, fmt.Errorf("%w: %s", err, out)
		}
		again++
		select { // a moment of its own each, so that they do not all come at once
		case <-time.After(time.Duration(rand.IntN(1000)) * time.Millisecond):
		case <-ctx.Done():
			return again, ctx.Err()
		}
	}
}

// leave asks for all there is at a commit and goes away: before the question is whole, before the answer, or in the
// middle of it. What it is told does not matter to it.
func leave(url, commit string, how int) error {
	host := strings.TrimPrefix(url, "http://")
	conn, err := net.DialTimeout("tcp", host, time.Minute)
	if err != nil {
		return err
	}
	defer conn.Close()
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	question := line("command=fetch") + "0001" + line("want "+commit+"\n") + line("done\n") + "0000"
	length := len(question)
	if how%3 == 0 {
		question = question[:length/2]
	}
	fmt.Fprintf(conn, "POST /wiki.git/git-upload-pack HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-git-upload-pack-request\r\n"+
		"Git-Protocol: version=2\r\nContent-Length: %d\r\n\r\n%s", host, length, question)
	if how%3 == 2 {
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		conn.Read(make([]byte, 1))
	}
	return nil
}

// processes are those that work in a folder, or were told to, without the one that serves it. There are none where the
// system does not tell.
func processes(t *testing.T, folder string, server int) (all []string) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range folders {
		if filepath.Base(p) == strconv.Itoa(server) {
			continue
		}
		in, _ := os.Readlink(filepath.Join(p, "cwd"))
		told, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		if strings.HasPrefix(in, folder) || bytes.Contains(told, []byte(folder)) {
			all = append(all, filepath.Base(p)+" "+strings.ReplaceAll(string(told), "\x00", " "))
		}
	}
	return all
}
