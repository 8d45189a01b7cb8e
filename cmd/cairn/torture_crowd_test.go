package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
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
				if err != nil && !strings.Contains(out, "git pull") {
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
