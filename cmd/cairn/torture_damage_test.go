package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lies is where an object lies in a repository: the pack, and the bytes in it.
type lies struct {
	pack       string // without extension
	begin, end int64
}

// find finds an object, which must be in one pack only.
func find(t testing.TB, repo, object string) lies {
	t.Helper()
	packs, _ := filepath.Glob(filepath.Join(repo, "objects/pack/*.idx"))
	for _, idx := range packs {
		out, err := git(repo, "verify-pack", "-v", idx)
		if err != nil {
			t.Fatal(out)
		}
		for line := range strings.SplitSeq(out, "\n") {
			f := strings.Fields(line) // name, kind, size, size in the pack, offset
			if len(f) >= 5 && f[0] == object {
				size, _ := strconv.ParseInt(f[3], 10, 64)
				begin, _ := strconv.ParseInt(f[4], 10, 64)
				return lies{strings.TrimSuffix(idx, ".idx"), begin, begin + size}
			}
		}
	}
	t.Fatalf("no pack has %s", object)
	return lies{}
}

// harms are ways to damage an object where it lies. The first bytes of an object say what it is, the others are
// compressed.
var harms = map[string]func(b []byte, l lies) []byte{
	"flip": func(b []byte, l lies) []byte {
		b[l.begin+3+rand.Int64N(l.end-l.begin-3)] ^= 1 << rand.IntN(8)
		return b
	},
	"zero": func(b []byte, l lies) []byte {
		clear(b[l.begin+2 : l.end])
		return b
	},
	"noise": func(b []byte, l lies) []byte {
		for i := l.begin; i < l.end; i++ {
			b[i] = byte(rand.IntN(256))
		}
		return b
	},
	"cut off": func(b []byte, l lies) []byte { return b[:(l.begin+l.end)/2] },
}

func change1(t testing.TB, file string, how func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		os.Remove(file) // packs are not writable
		err = os.WriteFile(file, how(b), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func hashOf(t testing.TB, repo, what string) string {
	t.Helper()
	out, err := git(repo, "rev-parse", what)
	if err != nil {
		t.Fatal(out)
	}
	return strings.TrimSpace(out)
}

// One damaged object harms what needs it, and nothing else: that is answered by a sentence, cairn check tells of it, and
// pages are saved as before.
func TestDamagedObject(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "data")
	h := launch(t, whole)
	const pages = 8
	for version := range 3 {
		for i := range pages {
			var text strings.Builder
			fmt.Fprintf(&text, "needle-%d-%d", version, i)
			for range 300 {
				fmt.Fprintf(&text, " %x", rand.Uint32())
			}
			if status, answer := h.add("form", fmt.Sprint("in/P", i), text.String()); !saved(status) {
				t.Fatalf("%d %s", status, answer)
			}
		}
	}
	h.stop()
	repo := filepath.Join(whole, "spaces", "wiki.git")
	harmed := map[string]int{}
	for _, test := range []struct {
		name   string
		object string
		page   string // what fails; all others do not
	}{
		{"a page", "HEAD:in/P3.md", "/wiki/in/P3"},
		{"an old text", "HEAD~12:in/P3.md", "/wiki/in/P3?rev=" + hashOf(t, repo, "HEAD~12")},
		{"an old folder", "HEAD~12:in", "/wiki/in/P3?rev=" + hashOf(t, repo, "HEAD~12")},
		{"an old tree", "HEAD~12^{tree}", "/wiki/in/P3?rev=" + hashOf(t, repo, "HEAD~12")},
		{"an old change", "HEAD~12", "/wiki/in/P3?rev=" + hashOf(t, repo, "HEAD~12")},
	} {
		for harm, how := range harms { // in no order
			if harmed[test.name]++; harmed[test.name] > spoilWays {
				break
			}
			t.Run(test.name+"/"+harm, func(t *testing.T) {
				for range spoilRounds {
					data := filepath.Join(t.TempDir(), "data")
					if err := os.CopyFS(data, os.DirFS(whole)); err != nil {
						t.Fatal(err)
					}
					if rand.IntN(2) == 0 {
						os.RemoveAll(filepath.Join(data, "derived"))
					}
					repo := filepath.Join(data, "spaces", "wiki.git")
					object := hashOf(t, repo, test.object)
					at := find(t, repo, object)
					change1(t, at.pack+".pack", func(b []byte) []byte { return how(b, at) })
					checkSays(t, data, "wiki: WRONG")
					h := &host{t: t, data: data}
					var err error
					if h.running, err = startCairn(data, filepath.Join(t.TempDir(), "server.log")); err != nil {
						t.Fatal(err)
					}
					for i := range pages {
						path := fmt.Sprint("/wiki/in/P", i)
						status, _, body := send("GET", h.url+path, nil, "Accept: text/html")
						if good := status == 200 && strings.Contains(body, fmt.Sprint("needle-2-", i)); good != (path != test.page) {
							t.Errorf("%s: %d %.300s", path, status, body)
						}
					}
					status, _, body := send("GET", h.url+test.page, nil, "Accept: text/html")
					if status/100 != 5 || !strings.Contains(body, "<main") {
						t.Errorf("%s: %d, want a page that says what is the matter: %.300s", test.page, status, body)
					}
					for _, path := range []string{"/wiki/-/pages", "/wiki/in/P4.md", "/-/healthz"} {
						if status, body := h.get(path); status != 200 {
							t.Errorf("%s: %d %.300s", path, status, body)
						}
					}
					if status, answer := h.add("form", "in/P4", "more"); !saved(status) {
						t.Errorf("save another page: %d %.300s", status, answer)
					}
					if status, answer := h.add("form", "New", "more"); !saved(status) {
						t.Errorf("save a new page: %d %.300s", status, answer)
					}
					if test.name == "a page" && harm != "cut off" { // that takes the change along, and with it what came before
						form := url.Values{"rev": {hashOf(t, repo, "main~14")}, "base": {hashOf(t, repo, "main")}}.Encode()
						status, _, answer := send("POST", h.url+"/wiki/-/restore/in/P3", []byte(form), "Content-Type: application/x-www-form-urlencoded", "Accept: text/html")
						if !saved(status) {
							t.Errorf("bring an older text back: %d %.600s", status, answer)
						}
					}
					h.stop()
					if t.Failed() {
						t.Fatalf("what was left is in %s", keep(t, data))
					}
				}
			})
		}
	}

}

// The index of a pack can be made anew from the pack: it is, and nobody notices.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := launch(t, data)
	var all ledger
	for round := range 2 * spoilRounds {
		for i := range 5 {
			page, line := fmt.Sprint("P", i), fmt.Sprint("line ", round)
			if status, answer := h.add("form", page, line); !saved(status) {
				t.Fatalf("%d %s", status, answer)
			}
			all.add(told{"form", page, line})
		}
		h.stop()
		indexes, _ := filepath.Glob(filepath.Join(data, "spaces/wiki.git/objects/pack/*.idx"))
		for _, idx := range indexes {
			b, err := os.ReadFile(idx)
			if err != nil {
				t.Fatal(err)
			}
			whole := lies{"", 0, int64(len(b))}
			switch rand.IntN(5) {
			case 0:
				change1(t, idx, func(b []byte) []byte { return harms["flip"](b, whole) })
			case 1:
				change1(t, idx, func(b []byte) []byte { return harms["zero"](b, whole) })
			case 2:
				change1(t, idx, func(b []byte) []byte { return harms["cut off"](b, whole) })
			case 3:
				os.Remove(idx)
			}
		}
		h = launch(t, data)
		h.audit(&all, 0)
	}
	all.report(t, 2*spoilRounds, h.audit(&all, 0))
	h.stop()
	checkSays(t, data, "")
}

// What is derived may be damaged in any way: the wiki starts, builds it again, and answers as before.
func TestDamagedDerived(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "data")
	h := launch(t, whole)
	for i := range 12 {
		text := fmt.Sprintf("A needle, number %d, linked from [[P%d]] #tag%d", i, (i+1)%12, i%3)
		if status, answer := h.add("form", fmt.Sprint("P", i), text); !saved(status) {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if err := h.ready(readyWithin); err != nil {
		t.Fatal(err)
	}
	answers := func(h *host) map[string]string {
		all := map[string]string{}
		for _, path := range []string{"search?q=needle", "search?q=number+7", "spaces/wiki/history/P3", "spaces/wiki/changes", "spaces/wiki/links/P4", "spaces/wiki/links/Home"} {
			status, body := h.get("/-/api/v1/" + path)
			all[path] = fmt.Sprint(status, " ", took.ReplaceAllString(body, ""))
		}
		return all
	}
	want := answers(h)
	h.stop()
	var files []string
	filepath.WalkDir(filepath.Join(whole, "derived"), func(path string, e os.DirEntry, _ error) error {
		if !e.IsDir() {
			rel, _ := filepath.Rel(whole, path)
			files = append(files, rel)
		}
		return nil
	})
	if len(files) < 3 {
		t.Fatalf("only %v is derived", files)
	}
	tried := 0
	for range 4 * spoilRounds {
		data := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(data, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		var done []string
		for _, i := range rand.Perm(len(files))[:1+rand.IntN(2)] {
			file := filepath.Join(data, files[i])
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			harm := "remove"
			if n := rand.IntN(len(harms) + 1); n < len(harms) && len(b) > 4 {
				harm = slices.Sorted(maps.Keys(harms))[n]
				change1(t, file, func(b []byte) []byte { return harms[harm](b, lies{"", 0, int64(len(b))}) })
			} else {
				os.Remove(file)
			}
			done = append(done, harm+" "+files[i])
		}
		// The second time because Bleve may go back to older files beside the damaged ones, and then not know them again.
		for _, when := range []string{"started", "started again"} {
			h := launch(t, data)
			// What is found to be damaged only when it is read is built again then, a moment later.
			var got map[string]string
			for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
				if got = answers(h); maps.Equal(got, want) {
					break
				}
			}
			for path, answer := range want {
				if got[path] != answer {
					t.Errorf("%v, %s: %s is\n%s, want\n%s", done, when, path, got[path], answer)
				}
			}
			h.stop()
		}
		tried++
		if t.Failed() {
			t.Fatalf("what was left is in %s", keep(t, data))
		}
	}
	t.Logf("%d times damaged, %d times as before", tried, tried)
}

// took is what of an answer may differ.
var took = regexp.MustCompile(`"took_ms":[0-9.]+,?`)
