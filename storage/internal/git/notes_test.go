package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Who pushed stands beside the commit that a push leaves at the tip of the live branch, and goes where the branches go.
func TestPushedBy(t *testing.T) {
	r := newRepo(t)
	saved := put(t, r, "page.md", "one\n")
	url := serve(t, r, letAll)
	dir := clone(t, url)
	inner := work(t, dir, "a.md", "a\n")
	tip := work(t, dir, "b.md", "b\n")
	run(t, dir, "push", "origin", "main", "main:refs/heads/draft")
	hash := func(s string) Hash {
		h, err := ParseHash(s)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	by, err := r.PushedBy(t.Context(), hash(tip))
	if age := time.Since(by.When); err != nil || by.Name != ann.Name || by.Email != ann.Email || age < -time.Minute || age > time.Hour {
		t.Errorf("%+v, %v", by, err)
	}
	for name, h := range map[string]Hash{"saved": saved, "inner": hash(inner)} {
		if by, err := r.PushedBy(t.Context(), h); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %+v, %v", name, by, err)
		}
	}
	for i := range 5 {
		tip = work(t, dir, "b.md", fmt.Sprintln(i))
		run(t, dir, "push", "-q", "origin", "main")
	}
	if n := strings.TrimSpace(run(t, r.dir, "rev-list", "--count", notesRef)); n != "6" {
		t.Errorf("%s notes", n)
	}
	if out := run(t, r.dir, "log", "-1", "--notes=pushes", tip); !strings.Contains(out, "Notes (pushes):") || !strings.Contains(out, "    Pushed-by: Ann Author <ann@example.org>\n") {
		t.Errorf("git log tells %s", out)
	}
	fsck(t, r.dir)

	// A refused push leaves no note, and nobody can push notes.
	work(t, dir, "c.md", "c\n")
	refused := serve(t, r, func(context.Context, Push) ([]string, error) { return nil, errors.New("no") })
	if out, err := tryRun(dir, "push", refused, "main"); err == nil {
		t.Errorf("pushed: %s", out)
	}
	if out, err := tryRun(dir, "push", "--force", url, "main:"+notesRef); err == nil || !strings.Contains(out, "Only branches and tags") {
		t.Errorf("pushed notes: %s", out)
	}
	if n := strings.TrimSpace(run(t, r.dir, "rev-list", "--count", notesRef)); n != "6" {
		t.Errorf("%s notes", n)
	}

	// Mirrors and bundles have them.
	mirror := filepath.Join(t.TempDir(), "mirror.git")
	run(t, "/", "clone", "-q", "--mirror", url, mirror)
	if out := run(t, mirror, "log", "-1", "--notes=pushes", tip); !strings.Contains(out, "Pushed-by: Ann Author") {
		t.Errorf("the mirror tells %s", out)
	}
	refs, err := ReadRefs(t.Context(), r.dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "all"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Bundle(t.Context(), r.dir, refs, file); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back.git")
	if err := Unbundle(t.Context(), back, file.Name(), refs.Live, refs.Head); err != nil {
		t.Fatal(err)
	}
	if by, err := open(t, back).PushedBy(t.Context(), hash(tip)); err != nil || by.Name != ann.Name {
		t.Errorf("after a restore: %+v, %v", by, err)
	}
}
