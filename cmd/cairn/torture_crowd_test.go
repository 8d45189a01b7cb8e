package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fifty people write one page at once, all from one base, by every door. Whoever is told that it is saved is in the
// history; all others are refused and have both texts in their hands. Nobody is overwritten.
func TestOnePage(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := launch(t, data)
	count := map[string]int{}
	for round := range pageRounds {
		page := fmt.Sprint("One-", round)
		if status, answer := h.add("put", page, "the base"); !saved(status) {
			t.Fatalf("%d %s", status, answer)
		}
		_, rev, blob, _ := h.now(page)
		var clones []string
		for i := range 5 {
			clone := filepath.Join(t.TempDir(), fmt.Sprint(i))
			if out, err := git("/", "clone", "-q", h.url+"/wiki.git", clone); err != nil {
				t.Fatal(out)
			}
			change1(t, filepath.Join(clone, page+".md"), func([]byte) []byte { return []byte(mine(round, "git", i) + "\n") })
			if out, err := git(clone, "commit", "-q", "-a", "-m", "mine"); err != nil {
				t.Fatal(out)
			}
			clones = append(clones, clone)
		}
		var group sync.WaitGroup
		var mu sync.Mutex // guards the two below
		var yes []string
		start := make(chan struct{})
		outcome := func(door, text string, done bool, status any) {
			mu.Lock()
			defer mu.Unlock()
			count[fmt.Sprint(door, " ", status)]++
			if done {
				yes = append(yes, text)
			}
		}
		for door, send := range doors {
			for i := range 15 {
				group.Go(func() {
					<-start
					text := mine(round, door, i)
					status, answer := send(h, page, text+"\n", rev, blob)
					outcome(door, text, saved(status), status)
					if saved(status) {
						return
					}
					var problem struct{ Base, Theirs, Yours, Merged string }
					switch door {
					case "put": // the condition was not met; the sender has the text still
						if status != 412 {
							t.Errorf("%s: %d %.300s", door, status, answer)
						}
					case "api":
						err := json.Unmarshal([]byte(answer), &problem)
						if status != 409 || err != nil || problem.Base != "the base\n" || problem.Yours != text+"\n" ||
							!strings.HasPrefix(problem.Theirs, "mine ") || !strings.Contains(problem.Merged, text) {
							t.Errorf("%s: %d %v %.500s", door, status, err, answer)
						}
					default:
						theirs := strings.ReplaceAll(answer, text, "")
						if status != 409 || theirs == answer || !strings.Contains(theirs, "mine ") {
							t.Errorf("%s: %d, want both texts: %.300s", door, status, answer)
						}
					}
				})
			}
		}
		for i, clone := range clones {
			group.Go(func() {
				<-start
				out, err := git(clone, "push", "origin", "HEAD:main")
				outcome("git", mine(round, "git", i), err == nil, err)
				// Where somebody saves between git's look at the branch and its taking it, the words are git's own.
				if err != nil && !strings.Contains(out, "git pull") && !strings.Contains(out, "cannot lock ref") {
					t.Errorf("push: %v, want to be told what to do: %s", err, out)
				}
			})
		}
		close(start)
		group.Wait()
		log, err := git(filepath.Join(data, "spaces", "wiki.git"), "log", "-p", "--format=", "main", "--", page+".md")
		if err != nil {
			t.Fatal(log)
		}
		if n := strings.Count(log, "\n+mine "); n != len(yes) || n == 0 {
			t.Errorf("%d were told that it is saved, %d are in the history", len(yes), n)
		}
		for _, text := range yes {
			if !strings.Contains(log, "\n+"+text+"\n") {
				t.Errorf("LOST: %s was acknowledged and is not in the history", text)
			}
		}
	}
	t.Logf("%d rounds of 50: %v", pageRounds, count)
	h.stop()
	checkSays(t, data, "")
}

func mine(round int, door string, i int) string { return fmt.Sprintf("mine %d %s %d.", round, door, i) }

// Clients that connect and say nothing, or so slowly that they never come to an end, and readers that do not read, keep
// nobody else from reading and saving; and what they took comes back when they are gone.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	h := launch(t, filepath.Join(t.TempDir(), "data"))
	big := strings.Repeat("A line of a long page, which a reader asks for and does not read.\n", 14_000)
	if status, answer := doors["put"](h, "Big", big, "", ""); !saved(status) {
		t.Fatalf("%d %s", status, answer)
	}
	address := strings.TrimPrefix(h.url, "http://")
	before := h.sockets()
	var conns []net.Conn
	for i := range slowClients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("after %d connections: %v", i, err)
		}
		conns = append(conns, conn)
		switch i % 5 {
		case 0: // says nothing
		case 1: // begins a header
			fmt.Fprintf(conn, "GET /wiki/Home HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		case 2: // begins a body
			fmt.Fprintf(conn, "PUT /wiki/Slow%d.md HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 1000\r\n\r\nslow", i)
		case 3: // does not read
			fmt.Fprintf(conn, "GET /wiki/Big.md HTTP/1.1\r\nHost: x\r\n\r\n")
		case 4: // begins a push
			fmt.Fprintf(conn, "POST /wiki.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n")
		}
	}
	during := 0
	for until := time.Now().Add(3 * time.Second); during < slowClients/2 && time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		during = h.sockets()
	}
	for i := range 20 {
		if status, body := h.get("/wiki/Home"); status != 200 {
			t.Errorf("read beside them: %d %.200s", status, body)
		}
		for door := range doors {
			if status, answer := h.add(door, "Beside-"+door, fmt.Sprint("line ", i)); !saved(status) {
				t.Errorf("save by %s beside them: %d %.200s", door, status, answer)
			}
		}
	}
	if err := h.push(filepath.Join(t.TempDir(), "clone"), "Beside-push", "line"); err != nil {
		t.Errorf("push beside them: %v", err)
	}
	for _, conn := range conns {
		conn.Close()
	}
	client.CloseIdleConnections()
	left := 0
	for until := time.Now().Add(15 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if left = h.sockets(); left <= before+5 {
			break
		}
	}
	if left > before+5 {
		t.Errorf("%d connections before, %d during, still %d when all have gone", before, during, left)
	}
	if during < before+slowClients/2 {
		t.Errorf("only %d connections of %d: nothing has been proved", during, slowClients)
	}
	t.Logf("%d slow clients: %d connections before, %d during, %d after", slowClients, before, during, left)
	h.stop()
}

// sockets is how many connections the wiki has.
func (h *host) sockets() int {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", h.server.Process.Pid))
	if err != nil || len(names) == 0 {
		h.t.Skipf("SKIPPED, nothing has been proved: no /proc (%v)", err)
	}
	n := 0
	for _, name := range names {
		if to, _ := os.Readlink(name); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
