package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// blamed writes runs as "name of the commit:lines".
func blamed(runs []Written, names map[Hash]string) string {
	var all []string
	for _, w := range runs {
		all = append(all, fmt.Sprintf("%s:%d", names[w.By], w.Lines))
	}
	return strings.Join(all, " ")
}

func TestBlame(t *testing.T) {
	dir := newDir(t)
	at := filepath.Join(t.TempDir(), "work")
	run(t, "/", "clone", "-q", dir, at)
	run(t, at, "checkout", "-q", "-B", "main")
	names := map[Hash]string{}
	name := func(n string) {
		h, err := ParseHash(strings.TrimSpace(run(t, at, "rev-parse", "HEAD")))
		if err != nil {
			t.Fatal(err)
		}
		names[h] = n
	}
	save := func(n, path, text string) { work(t, at, path, text); name(n) }

	body := strings.Repeat("one line that stays\n", 10)
	save("first", "a.md", body)
	save("crlf", "crlf.md", "one\r\ntwo\r\n")
	save("crlf2", "crlf.md", "one\r\nTWO\r\n")
	save("open", "open.md", "one\ntwo")
	save("open2", "open.md", "one\ntwo\nthree")
	save("bytes", "bytes.md", "\xff\xfe\n\x00\n")
	save("empty", "empty.md", "")
	save("odd", "-p.md", "x\n")
	save("odd2", ":(glob)*.md", "y\n")
	save("odd3", "a\n\"b\tä.md", "z\n")
	save("large", "large.md", strings.Repeat("x\n", maxBlamed/2+1))
	// Moved, and moved back and changed on another branch that is merged.
	run(t, at, "mv", "a.md", "b.md")
	run(t, at, "commit", "-q", "-m", "moved")
	name("moved")
	run(t, at, "checkout", "-q", "-b", "side")
	save("side", "b.md", "from the side\n"+body)
	run(t, at, "checkout", "-q", "main")
	save("main", "b.md", body+"from main\n")
	run(t, at, "merge", "-q", "-m", "merge", "side")
	name("merge")
	// People whom git lets be anybody, and a subject that is longer than any buffer.
	work(t, at, ".mailmap", "Somebody Else <else@example.org> <bob@example.org>\n")
	run(t, at, "-c", "user.name=x", "commit", "-q", "--allow-empty", "--author", "0123456789012345678901234567890123456789 1 1 1 <filename x>", "-m", "x")
	save("", "c.md", "c\n")
	run(t, at, "commit", "-q", "--amend", "-m", strings.Repeat("filename ", 10000))
	name("long")
	run(t, at, "push", "-q", "origin", "main")
	r := open(t, dir)
	head, _ := r.Head()

	for _, test := range []struct{ path, want string }{
		{"b.md", "side:1 first:10 main:1"},
		{"crlf.md", "crlf:1 crlf2:1"},
		{"open.md", "open:1 open2:2"},
		{"bytes.md", "bytes:2"},
		{"empty.md", ""},
		{"-p.md", "odd:1"},
		{":(glob)*.md", "odd2:1"},
		{"a\n\"b\tä.md", "odd3:1"},
		{"c.md", "long:1"},
	} {
		got, err := r.Blame(t.Context(), head, test.path)
		if err != nil || blamed(got, names) != test.want {
			t.Errorf("%q: %s, %v; want %s", test.path, blamed(got, names), err, test.want)
		}
	}
	for _, test := range []struct {
		commit Hash
		path   string
		want   error
	}{
		{head, "a.md", fs.ErrNotExist},
		{head, "none.md", fs.ErrNotExist},
		{head, "--version", fs.ErrNotExist},
		{head, "", fs.ErrNotExist},
		{head, "large.md", ErrTooLarge},
		{blobHash("nothing"), "b.md", fs.ErrNotExist},
		{Hash{}, "b.md", fs.ErrNotExist},
	} {
		if got, err := r.Blame(t.Context(), test.commit, test.path); !errors.Is(err, test.want) {
			t.Errorf("%s %q: %v, %v; want %v", test.commit, test.path, got, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Blame(ctx, head, "b.md"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBlameParser(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	names := map[Hash]string{}
	for _, n := range []string{a, b} {
		h, _ := ParseHash(n)
		names[h] = n[:1]
	}
	for _, test := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"out of order", a + " 1 3 1\nfilename x\n" + b + " 1 1 2\nauthor x\nfilename y\n", "b:2 a:1"},
		{"neighbours", a + " 9 2 1\nfilename x\n" + a + " 1 1 1\nfilename x\n", "a:2"},
		{"like a run", a + " 1 1 1\nsummary " + b + " 1 1 1\nauthor " + b + "\nfilename x\n", "a:1"},
		{"cut short", a + " 1 1 1\nfilename x", "error"},
		{"cut shorter", a + " 1 1 1\n", "error"},
		{"a gap", a + " 1 2 1\nfilename x\n", "error"},
		{"twice", a + " 1 1 1\nfilename x\n" + b + " 1 1 1\nfilename x\n", "error"},
		{"no lines", a + " 1 1 0\nfilename x\n", "error"},
		{"fewer", a + " 1 1 -1\nfilename x\n", "error"},
		{"no commit", "x 1 1 1\nfilename x\n", "error"},
		{"no number", a + " 1 x 1\nfilename x\n", "error"},
		{"something else", "fatal: x\n", "error"},
	} {
		for _, step := range []int{1, 7, 1 << 20} { // however it comes out of the pipe
			var p blameParser
			var err error
			for part := range slices.Chunk([]byte(test.in), step) {
				if _, err = p.Write(part); err != nil {
					break
				}
			}
			var runs []Written
			if err == nil {
				runs, err = p.written()
			}
			got := blamed(runs, names)
			if err != nil {
				got = "error"
			}
			if got != test.want {
				t.Errorf("%s, %d bytes at a time: %q, %v; want %q", test.name, step, got, err, test.want)
			}
		}
	}
}

func TestAsOf(t *testing.T) {
	dir := newDir(t)
	at := filepath.Join(t.TempDir(), "work")
	run(t, "/", "clone", "-q", dir, at)
	run(t, at, "checkout", "-q", "-B", "main")
	first := work(t, at, "a.md", "a\n") // at 1700000001
	run(t, at, "push", "-q", "origin", "main")
	r := open(t, dir)
	head, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "b.md", Data: []byte("b")}}, Author: ann, Message: "now"})
	if err != nil {
		t.Fatal(err)
	}
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		tip  Hash
		when time.Time
		want string
	}{
		{head, time.Unix(1700000000, 0), ""},
		{head, time.Unix(1700000001, 0), first},
		{head, time.Unix(1700000001, 0).In(time.FixedZone("", 7200)), first},
		{head, time.Unix(1700000002, 0), first},
		{head, time.Unix(12345, 0), ""},
		{head, time.Time{}, ""},
		{head, far, head.String()},
		{Hash{}, far, ""},
	} {
		got, err := r.AsOf(t.Context(), test.tip, test.when)
		switch {
		case test.want == "" && !errors.Is(err, fs.ErrNotExist):
			t.Errorf("%v: %s, %v; want none", test.when, got, err)
		case test.want != "" && (err != nil || got.String() != test.want):
			t.Errorf("%v: %s, %v; want %s", test.when, got, err, test.want)
		}
	}
}
