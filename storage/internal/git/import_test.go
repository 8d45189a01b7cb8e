package git

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestImport(t *testing.T) {
	source := filepath.Join(t.TempDir(), "source")
	run(t, "/", "init", "-q", "-b", "trunk", source)
	work(t, source, "page.md", "page\n")
	run(t, source, "branch", "other")
	run(t, source, "tag", "v1")
	tip := work(t, source, "two.md", "two\n")
	run(t, source, "update-ref", "refs/pull/1/head", "HEAD")
	bundle := filepath.Join(t.TempDir(), "wiki.bundle")
	run(t, source, "bundle", "create", "-q", bundle, "--all")
	headless := filepath.Join(t.TempDir(), "headless.bundle")
	run(t, source, "bundle", "create", "-q", headless, "trunk")
	for _, from := range []string{source, filepath.Join(source, ".git"), bundle, headless, "file://" + source} {
		dir := filepath.Join(t.TempDir(), "new", "wiki.git")
		var told bytes.Buffer
		if err := Import(t.Context(), dir, from, ann, &told); err != nil {
			t.Errorf("%s: %v\n%s", from, err, &told)
			continue
		}
		r := open(t, dir)
		if h, _ := r.Head(); h.String() != tip || r.live.name != "refs/heads/trunk" || read(t, r, "page.md") != "page\n" {
			t.Errorf("%s: head %s of %s, want %s", from, h, r.live.name, tip)
		}
		refs := run(t, dir, "for-each-ref", "--format=%(refname)")
		if from != headless && refs != "refs/heads/other\nrefs/heads/trunk\nrefs/tags/v1\n" {
			t.Errorf("%s: refs %q", from, refs)
		}
		if config, _ := os.ReadFile(filepath.Join(dir, "config")); bytes.Contains(config, []byte("remote")) {
			t.Errorf("config %s", config)
		}
		put(t, r, "three.md", "three\n")
		fsck(t, dir)
		// The ref is ours from now on: when it is lost, that is noticed.
		r.Close()
		os.Remove(filepath.Join(dir, "refs/heads/trunk"))
		if _, err := Open(t.Context(), dir, testLog(t)); err == nil {
			t.Errorf("%s: a lost ref was not noticed", from)
		}
	}
	if err := Import(t.Context(), source, bundle, ann, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("into a folder that is there: %v", err)
	}
}

func TestImportFolder(t *testing.T) {
	source := t.TempDir()
	files := map[string]string{"Home.md": "home\n", "a/b/c d.md": "c", "empty": "", "we\"i\\r\nd\xff.md": "x", "ä.md": "ä", "data": "data 3\nabc\n"}
	for name, text := range files {
		write1(t, source, name, text)
	}
	write1(t, source, "sub/.git/config", "no")
	write1(t, source, ".Git", "no")
	os.Symlink("/etc/passwd", filepath.Join(source, "link"))
	os.Chmod(filepath.Join(source, "data"), 0o755)
	dir := filepath.Join(t.TempDir(), "wiki.git")
	var told bytes.Buffer
	if err := Import(t.Context(), dir, source, ann, &told); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(told.String(), "6 files imported\n3 skipped") {
		t.Errorf("told %q", told.String())
	}
	r := open(t, dir)
	if n := len(paths(t, second(r.Head()))); n != len(files) {
		t.Errorf("%d files", n)
	}
	for name, text := range files {
		if got := read(t, r, name); got != text {
			t.Errorf("%q: %q, want %q", name, got, text)
		}
	}
	if e, _ := second(r.Head()).Lookup(t.Context(), "data"); e.Mode != Exec {
		t.Errorf("mode %o", e.Mode)
	}
	put(t, r, "Home.md", "again")
	fsck(t, dir)
}

func TestImportRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	run(t, "/", "init", "-q", empty)
	text := filepath.Join(t.TempDir(), "text")
	os.WriteFile(text, []byte("no bundle"), 0o666)
	for _, test := range []struct {
		source string
		want   error
	}{
		{t.TempDir(), ErrEmptySource},
		{empty, ErrEmptySource},
		{text, nil},
		{"/nowhere/at/all", fs.ErrNotExist},
		{"--upload-pack=touch /tmp/x", fs.ErrNotExist},
		{"ext::sh -c touch% /tmp/x", fs.ErrInvalid},
		{"ftp://example.org/x", fs.ErrInvalid},
		{"ssh://-oProxyCommand=x/y", fs.ErrInvalid},
		{"file:///nowhere/at/all", nil},
	} {
		parent := t.TempDir()
		err := Import(t.Context(), filepath.Join(parent, "wiki.git"), test.source, ann, nil)
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%q: %v, want %v", test.source, err, test.want)
		}
		if left, _ := os.ReadDir(parent); len(left) > 0 {
			t.Errorf("%q: left %v", test.source, left)
		}
	}
}

func TestChooseBranch(t *testing.T) {
	a, b := blobHash("a").String(), blobHash("b").String()
	for _, test := range []struct{ name, heads, have, want string }{
		{"named", "ref: refs/heads/x\tHEAD\n" + a + "\tHEAD\n", a + " refs/heads/main\n" + a + " refs/heads/x\n", "refs/heads/x"},
		{"by hash", b + "\tHEAD\n", a + " refs/heads/main\n" + b + " refs/heads/x\n", "refs/heads/x"},
		{"by hash, several", a + "\tHEAD\n", a + " refs/heads/b\n" + a + " refs/heads/master\n", "refs/heads/master"},
		{"dangling", "ref: refs/heads/gone\tHEAD\n", a + " refs/heads/b\n" + a + " refs/heads/master\n", "refs/heads/master"},
		{"the only one", "", a + " refs/heads/b\n", "refs/heads/b"},
		{"unclear", "", a + " refs/heads/b\n" + a + " refs/heads/c\n", ""},
		{"none", "", "", ""},
	} {
		if got, _, _ := chooseBranch(test.heads, test.have); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x0012345678901234567890"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := parseTree(data)
		if err != nil {
			return
		}
		for _, e := range tree.entries {
			if e.Name == "\x00" {
				t.Error("NUL in a name")
			}
		}
		again, err := parseTree(tree.encode())
		if err != nil || !slices.Equal(again.entries, tree.entries) {
			t.Errorf("read %v, then %v, %v", tree.entries, again, err)
		}
	})
}
