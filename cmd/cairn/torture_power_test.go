package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What was acknowledged survives a power cut, whatever of the rest the disk forgets. The wiki starts again by itself.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			from, clones := t.TempDir(), t.TempDir()
			var all ledger
			var spaces []string
			for round := range powerRounds {
				d := mountDisk(t, from)
				h := launch(t, filepath.Join(d.mount, "data"))
				begin := len(all.lines)
				var group sync.WaitGroup
				group.Go(func() { // a space that somebody makes is no less than a page
					name := fmt.Sprint("space-", round)
					status, _, _ := send("POST", h.url+"/-/api/v1/spaces", fmt.Appendf(nil, `{"name":%q}`, name), "Content-Type: application/json")
					if saved(status) {
						spaces = append(spaces, name)
					}
				})
				h.session(&all, clones, fmt.Sprint(round), func() {
					d.cut()
					h.kill()
				})
				group.Wait()

				from = filepath.Join(t.TempDir(), "remains")
				if err := d.remains(from, l); err != nil {
					t.Fatal(err)
				}
				h = launch(t, filepath.Join(from, "data"))
				h.audit(&all, begin)
				for _, name := range spaces {
					if status, body := h.get("/" + name + "/-/pages"); status != 200 {
						t.Errorf("LOST: the space %s: %d %.200s", name, status, body)
					}
				}
				h.stop()
				if t.Failed() {
					t.Fatalf("in round %d; what was left is in %s", round, keep(t, from))
				}
			}
			h := launch(t, filepath.Join(from, "data"))
			all.report(t, powerRounds, h.audit(&all, 0))
			h.stop()
			checkSays(t, filepath.Join(from, "data"), "")
		})
	}
}

// deeds are what people do to a wiki; each brings a page into being. They answer whether they were told that it is done.
var deeds = map[string]func(h *host, clones, page, text string) (done bool, status int, answer string){
	"form": byDoor("form"),
	"api":  byDoor("api"),
	"put":  byDoor("put"),
	"push": func(h *host, clones, page, text string) (bool, int, string) {
		err := h.push(clones, page, text)
		return err == nil, 0, fmt.Sprint(err)
	},
	"move": func(h *host, _, page, text string) (bool, int, string) {
		if _, _, _, ok := h.now("from-" + page); !ok {
			return false, 0, ""
		}
		status, _, body := send("POST", h.url+"/-/api/v1/spaces/wiki/moves", fmt.Appendf(nil, `{"from":"from-%s","to":%q}`, page, page),
			"Content-Type: application/json")
		return status == 200, status, body
	},
}

func byDoor(door string) func(h *host, _, page, text string) (bool, int, string) {
	return func(h *host, _, page, text string) (bool, int, string) {
		status, body := doors[door](h, page, text+"\n", "", "")
		return saved(status), status, body
	}
}

// at is whether a page is there, with a text.
func (h *host) at(page, text string) bool {
	is, _, _, ok := h.now(page)
	if !ok {
		h.t.Errorf("%s cannot be read", page)
	}
	return is == text+"\n"
}

// The disk gets full at every single call of a save, a push, a move: either it is done, or it is refused with 507 and
// the text handed back and nothing of it is there; and once there is room again it is done, without a restart. One thing
// is git's own: a push may be done though it says that it is not, because it writes the log of HEAD last of all.
func TestDiskFullAtCall(t *testing.T) {
	t.Parallel()
	for _, name := range faultDeeds {
		deed := deeds[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mountDisk(t, t.TempDir())
			h := launch(t, filepath.Join(d.mount, "data"))
			clones := filepath.Join(t.TempDir(), "clone")
			refused, n := 0, 1+rand.IntN(faultStep)
			for ; ; n += faultStep {
				page, text := fmt.Sprint(name, n), fmt.Sprintf("text number %d", n)
				if name == "move" {
					if done, _, body := deeds["put"](h, clones, "from-"+page, text); !done {
						t.Fatalf("before call %d: %s", n, body)
					}
				}
				first := d.fail("data/spaces/", n, syscall.ENOSPC, false)
				done, status, answer := deed(h, clones, page, text)
				d.heal()
				call := fmt.Sprintf("call %d (%s), answered %d", n, first(), status)
				there := h.at(page, text)
				if there != done && (done || name != "push") {
					t.Errorf("%s: done %v, there %v: %s", call, done, there, answer)
				}
				if first() == "" {
					break
				}
				if !there {
					refused++
					if name != "push" && status != 507 {
						t.Errorf("%s: want 507: %s", call, answer)
					}
					if name == "form" && !strings.Contains(answer, text) {
						t.Errorf("%s: the text is not handed back", call)
					}
					if done, status, answer := deed(h, clones, page, text); !done || !h.at(page, text) {
						t.Fatalf("%s: with room again: %d %s", call, status, answer)
					}
				}
			}
			t.Logf("%d calls, each %d. made to fail, refused %d times", n, faultStep, refused)
			if refused == 0 {
				t.Error("nothing was ever refused: nothing has been proved")
			}
			if err := h.ready(readyWithin); err != nil {
				t.Error(err)
			}
			h.stop()
			checkSays(t, h.data, "")
		})
	}
}

// The disk fails, once, at every single call of a save, a push, a move. An fsync that fails is fatal: nothing is saved
// from then on, readyz and the pages say so, and a restart mends it. Whatever else fails is refused, and no more.
func TestDiskFailsAtCall(t *testing.T) {
	t.Parallel()
	for _, name := range faultDeeds {
		deed := deeds[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mountDisk(t, t.TempDir())
			h := launch(t, filepath.Join(d.mount, "data"))
			clones := filepath.Join(t.TempDir(), "clone")
			readOnly, n := 0, 1+rand.IntN(faultStep)
			var done []string
			for ; ; n += faultStep {
				page, text := fmt.Sprint(name, n), fmt.Sprintf("text number %d", n)
				if name == "move" {
					if done, _, body := deeds["put"](h, clones, "from-"+page, text); !done {
						t.Fatalf("before call %d: %s", n, body)
					}
				}
				first := d.fail("data/spaces/", n, syscall.EIO, true)
				ok, status, answer := deed(h, clones, page, text)
				d.heal()
				call := fmt.Sprintf("call %d (%s), answered %d", n, first(), status)
				if there := h.at(page, text); there != ok && (ok || name != "push") {
					t.Errorf("%s: done %v, there %v: %s", call, ok, there, answer)
				}
				if ok {
					done = append(done, page+"\n"+text)
				}
				if first() == "" {
					break
				}
				if !ok && name != "push" && status/100 != 5 {
					t.Errorf("%s: %s", call, answer)
				}
				after := fmt.Sprint("after-", n)
				again, status, answer := deeds["form"](h, clones, after, text)
				fsync := strings.HasPrefix(first(), "fsync")
				// git ends by itself when its own fsync fails, before anything has moved.
				if fsync && again && name != "push" || !fsync && !again {
					t.Errorf("%s: saved again %v: %d %.500s", call, again, status, answer)
				}
				if again {
					done = append(done, after+"\n"+text)
					continue
				}
				readOnly++
				if status != 503 || !strings.Contains(answer, text) {
					t.Errorf("%s: then %d, want 503 and the text: %.500s", call, status, answer)
				}
				if status, body := h.get("/-/readyz"); status != 503 || !strings.Contains(body, `"read_only":{"wiki":`) {
					t.Errorf("%s: readyz %d %s", call, status, body)
				}
				if status, _, body := send("GET", h.url+"/wiki/Home", nil, "Accept: text/html"); status != 200 || !strings.Contains(body, "The disk has failed") {
					t.Errorf("%s: the page does not say that nothing can be saved: %d", call, status)
				}
				h.stop()
				h = launch(t, h.data)
				if ok, status, answer := deeds["form"](h, clones, after, text); !ok {
					t.Errorf("%s: after a restart: %d %.500s", call, status, answer)
				}
			}
			for _, one := range done {
				if page, text, _ := strings.Cut(one, "\n"); !h.at(page, text) {
					t.Errorf("LOST: %s was acknowledged", page)
				}
			}
			t.Logf("%d calls, each %d. made to fail, read-only %d times", n, faultStep, readOnly)
			if readOnly == 0 && faultStep == 1 {
				t.Error("never read-only: nothing has been proved")
			}
			h.stop()
			checkSays(t, h.data, "")
		})
	}
}

// keep moves a folder to where it outlives the test.
func keep(t testing.TB, dir string) string {
	to, err := os.MkdirTemp("", "cairn-torture-")
	if err == nil {
		err = os.Rename(dir, filepath.Join(to, "kept"))
	}
	if err != nil {
		t.Log(err)
	}
	return to
}

// A disk that is really full, derived stores and all. People are told, nothing typed is lost, everything can be read, and
// what is freed is used at once.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("SKIPPED, nothing has been proved: this user may not mount a small file system here (%v)", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	fill := func(left int64) {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ballast, make([]byte, max(0, int64(st.Bavail)*st.Bsize-left)), 0o644); err != nil && left > 0 {
			t.Fatal(err)
		}
	}
	free := func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
	var all ledger
	clone := filepath.Join(t.TempDir(), "clone")
	// What does not compress, on one line.
	long := func(begin string) string {
		text := []byte(begin + " ")
		for len(text) < 9000 {
			text = append(text, byte('a'+rand.IntN(26)))
		}
		return string(text)
	}
	h := launch(t, filepath.Join(dir, "data"))
	for i := range 5 {
		line := fmt.Sprint("before ", i)
		if status, answer := h.add("form", fmt.Sprint("Before", i), line); !saved(status) {
			t.Fatalf("%d %s", status, answer)
		}
		all.add(told{"form", fmt.Sprint("Before", i), line})
	}
	if err := h.push(clone, "Pushed", "one"); err != nil {
		t.Fatal(err)
	}
	all.add(told{"git", "Pushed", "one"})

	fill(60 << 10)
	refused := 0
	for i := range 8 {
		for door := range doors {
			page, line := fmt.Sprint("Full-", door, i), long(door)
			switch status, answer := h.add(door, page, line); {
			case saved(status):
				all.add(told{door, page, line})
			case status != 507 || door == "form" && !strings.Contains(answer, line):
				t.Errorf("%s: %d, want 507 and the text: %.300s", door, status, answer)
			default:
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused: nothing has been proved")
	}
	if err := h.push(clone, "Pushed", long("two")); err == nil {
		t.Error("pushed to a full disk")
	}
	for _, path := range []string{"/wiki/Home", "/wiki/Before1", "/wiki/Before1.md", "/wiki/-/pages", "/wiki/-/changes", "/-/search?q=before"} {
		if status, body := h.get(path); status != 200 {
			t.Errorf("%s on a full disk: %d %.200s", path, status, body)
		}
	}
	if status, body := h.get("/-/readyz"); status != 503 || !strings.Contains(body, "The disk is full") {
		t.Errorf("readyz on a full disk: %d %s", status, body)
	}

	free()
	for door := range doors {
		line := long(door)
		if status, answer := h.add(door, "After-"+door, line); !saved(status) {
			t.Errorf("%s, with room again: %d %.300s", door, status, answer)
		}
		all.add(told{door, "After-" + door, line})
	}
	if err := h.push(clone, "Pushed", "three"); err != nil {
		t.Errorf("push, with room again: %v", err)
	}
	all.add(told{"git", "Pushed", "three"})
	h.stop()

	// It starts on a full disk as well, with or without what is derived, and shows all there is.
	for _, derived := range []bool{true, false} {
		if !derived {
			os.RemoveAll(filepath.Join(h.data, "derived"))
		}
		fill(0)
		var err error
		if h.running, err = startCairn(h.data, filepath.Join(t.TempDir(), "server.log")); err != nil {
			t.Fatal(err)
		}
		h.audit(&all, 0)
		if status, answer := h.add("form", "Full", long("full")); status != 507 {
			t.Errorf("%d, want 507: %.300s", status, answer)
		}
		free()
		line := fmt.Sprint("after ", derived)
		if status, answer := h.add("form", "After", line); !saved(status) {
			t.Errorf("with room again: %d %.300s", status, answer)
		}
		all.add(told{"form", "After", line})
		if !derived {
			if err := h.ready(30 * time.Second); err != nil {
				t.Error(err)
			}
			if status, body := h.get("/-/search?q=before"); status != 200 || !strings.Contains(body, "Before1") {
				t.Errorf("search, with room again: %d", status)
			}
		}
		found := h.audit(&all, 0)
		h.stop()
		t.Logf("%d saves acknowledged, %d found; %d refused", len(all.lines), found, refused)
	}
	checkSays(t, h.data, "")
}
