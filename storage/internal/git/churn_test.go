package git

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Maintenance never shows: saves, pushes, clones and readers go on beside it, none of them misses an object, and at the
// end git finds the repository whole and each save that was acknowledged is in it.
func TestChurn(t *testing.T) {
	r := newRepo(t)
	for i := range maxPacks {
		put(t, r, "first.md", fmt.Sprint("first ", i))
	}
	url := serve(t, r, letAll)
	begin := time.Now()
	var pushed, cloned, readers, maintained atomic.Int64
	// On a machine that is busy otherwise, until each has happened once.
	goOn := func() bool {
		happened := pushed.Load() > 0 && cloned.Load() > 0 && maintained.Load() > 0
		return !t.Failed() && (time.Since(begin) < churnTime || !happened && time.Since(begin) < churnTime+4*time.Minute)
	}
	var group sync.WaitGroup
	var mu sync.Mutex // guards told
	told := map[string]string{}
	tell := func(path, text string) {
		mu.Lock()
		defer mu.Unlock()
		told[path] = text
	}

	for w := range 4 { // each on files of its own, which it writes again and again
		group.Go(func() {
			for i := 0; goOn(); i++ {
				path, text := fmt.Sprintf("saved/%d/%d.md", w, i%300), fmt.Sprintf("%d %d %d", w, i, rand.Uint64())
				_, tree := r.Head()
				e, _ := tree.Lookup(t.Context(), path)
				if _, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: path, Old: e.Hash, Data: []byte(text)}}, Author: ann}); err != nil {
					t.Errorf("save: %v", err)
					return
				}
				tell(path, text)
				// A pause in which a push may come through: for as long as it takes once the time is over.
				for (time.Since(begin)%time.Second > time.Second/4 || time.Since(begin) > churnTime) && goOn() {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	for p := range 2 {
		dir := clone(t, url)
		group.Go(func() {
			for i := 0; goOn(); i++ {
				path, text := fmt.Sprintf("pushed-%d-%d.md", p, i%20), fmt.Sprint("pushed ", rand.Uint64())
				for _, args := range [][]string{{"fetch", "-q", "origin"}, {"reset", "-q", "--hard", "origin/main"}} {
					if out, err := tryRun(dir, args...); err != nil {
						t.Errorf("git %v: %v %s", args, err, out)
						return
					}
				}
				if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o666); err != nil {
					t.Error(err)
				}
				tryRun(dir, "add", "-A")
				tryRun(dir, "commit", "-q", "-m", path)
				out, err := tryRun(dir, "push", "-q", "origin", "HEAD:main")
				switch {
				case err == nil:
					tell(path, text)
					pushed.Add(1)
				case !strings.Contains(out, "git pull") && !strings.Contains(out, "cannot lock ref"):
					t.Errorf("push: %v %s", err, out)
				}
			}
		})
	}
	group.Go(func() {
		for goOn() {
			dir := filepath.Join(t.TempDir(), "clone")
			if out, err := tryRun("/", "clone", "-q", "--mirror", url, dir); err != nil {
				t.Errorf("clone: %v %s", err, out)
				return
			}
			if out, err := tryRun(dir, "fsck", "--full", "--connectivity-only", "--no-dangling"); err != nil {
				t.Errorf("a clone: %v %s", err, out)
			}
			cloned.Add(1)
			os.RemoveAll(dir)
		}
	})
	for range 2 {
		group.Go(func() {
			var heads []Hash
			for goOn() {
				head, tree := r.Head()
				for path, e := range tree.All(t.Context()) {
					if rand.IntN(20) > 0 {
						continue
					}
					if _, err := tree.Blob(t.Context(), e); err != nil {
						t.Errorf("read %s: %v", path, err)
						return
					}
					readers.Add(1)
				}
				heads = append(heads, head)
				for range 5 {
					old, err := r.Tree(t.Context(), heads[rand.IntN(len(heads))])
					if err == nil {
						err = old.Load(t.Context())
					}
					if err != nil {
						t.Errorf("an old tree: %v", err)
						return
					}
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	group.Go(func() {
		for goOn() {
			before := len(*r.objects.packs.Load())
			if err := r.Maintain(t.Context()); err != nil {
				t.Errorf("maintain: %v", err)
				return
			}
			if len(*r.objects.packs.Load()) < before {
				maintained.Add(1)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	group.Wait()

	head, tree := r.Head()
	found := 0
	for path, text := range told {
		e, err := tree.Lookup(t.Context(), path)
		if err != nil {
			t.Errorf("LOST: %s: %v", path, err)
			continue
		}
		if b, err := tree.Blob(t.Context(), e); err != nil || string(b) != text {
			t.Errorf("LOST: %s is %q, want %q: %v", path, b, text, errors.Unwrap(err))
			continue
		}
		found++
	}
	fsck(t, r.dir)
	t.Logf("%s commits, %d pushes, %d clones, %d reads, packs rolled up %d times; %d files told, %d found",
		strings.TrimSpace(run(t, r.dir, "rev-list", "--count", head.String())), pushed.Load(), cloned.Load(), readers.Load(), maintained.Load(), len(told), found)
	if pushed.Load() == 0 || cloned.Load() == 0 || maintained.Load() == 0 {
		t.Error("something has never happened beside the rest: nothing has been proved")
	}
}
