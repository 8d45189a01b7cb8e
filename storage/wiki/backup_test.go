package wiki_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// part is a file of an archive.
type part struct {
	header tar.Header
	data   []byte
}

// archiveOf is a backup of a wiki with two spaces, one of them empty, in parts.
func archiveOf(t *testing.T) []part {
	t.Helper()
	dir := t.TempDir()
	w, s := open(t, dir)
	save(t, s, "Page.md", "text\n", "")
	if _, err := w.Create(t.Context(), "empty"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := wiki.Backup(t.Context(), dir, &out, t.TempDir(), "test", io.Discard); err != nil {
		t.Fatal(err)
	}
	var parts []part
	for in := tar.NewReader(&out); ; {
		h, err := in.Next()
		if err == io.EOF {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part{*h, b})
	}
}

// pack writes parts as they are.
func pack(t *testing.T, parts []part) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, p := range parts {
		if p.header.Typeflag == tar.TypeReg {
			p.header.Size = int64(len(p.data))
		}
		if err := w.WriteHeader(&p.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// seal makes the manifest fit the other parts, as somebody who means harm would.
func seal(t *testing.T, parts []part) []part {
	t.Helper()
	type file struct {
		Name   string `json:"name"`
		Size   int    `json:"size"`
		SHA256 string `json:"sha256"`
	}
	var files []file
	last := len(parts) - 1
	for _, p := range parts[:last] {
		sum := sha256.Sum256(p.data)
		files = append(files, file{p.header.Name, len(p.data), hex.EncodeToString(sum[:])})
	}
	b, err := json.Marshal(map[string]any{"files": files})
	if err != nil {
		t.Fatal(err)
	}
	parts[last].data = b
	return parts
}

func TestRestoreRefuses(t *testing.T) {
	good := archiveOf(t)
	if len(good) != 3 {
		t.Fatalf("%d files in the archive, want 3", len(good))
	}
	swap := func(i int, old, new string) func([]part) []part {
		return func(p []part) []part {
			if !bytes.Contains(p[i].data, []byte(old)) {
				t.Fatalf("%s has no %q", p[i].header.Name, old)
			}
			p[i].data = bytes.ReplaceAll(p[i].data, []byte(old), []byte(new))
			return p
		}
	}
	sealed := func(fn func([]part) []part) func([]part) []part {
		return func(p []part) []part { return seal(t, fn(p)) }
	}
	rename := func(name string) func([]part) []part {
		return func(p []part) []part {
			p[1].header.Name = name
			return p
		}
	}
	var head string
	for line := range strings.Lines(string(good[0].data)) {
		if _, rest, ok := strings.Cut(line, `"head": "`); ok {
			head = rest[:40]
		}
	}
	tests := []struct {
		name   string
		change func([]part) []part
		want   string
	}{
		{"a flipped byte", func(p []part) []part { p[1].data[len(p[1].data)/2] ^= 1; return p }, "not what its manifest says"},
		{"a flipped byte and a manifest that fits", sealed(func(p []part) []part { p[1].data[len(p[1].data)-30] ^= 1; return p }), "space wiki"},
		{"another time", swap(0, `"time": "2`, `"time": "3`), "not what its manifest says"},
		{"no manifest", func(p []part) []part { return p[:2] }, "ends where manifest.json"},
		{"no bundle", func(p []part) []part { return slices.Delete(p, 1, 2) }, `"manifest.json" comes where spaces/wiki.bundle`},
		{"no list", func(p []part) []part { return p[1:] }, "comes where cairn-backup.json"},
		{"nothing", func(p []part) []part { return nil }, "ends where cairn-backup.json"},
		{"a bundle more", sealed(func(p []part) []part { return slices.Insert(p, 2, p[1]) }), "comes where manifest.json"},
		{"something after the end", func(p []part) []part { return append(p, p[1]) }, "after its end"},
		{"another format", sealed(swap(0, `"format": 1`, `"format": 2`)), "format 2"},
		{"a field that nobody knows", sealed(swap(0, `"format": 1`, `"format": 1, "accounts": "x"`)), "accounts"},
		{"a path that leads out", sealed(rename("../wiki.bundle")), "comes where spaces/wiki.bundle"},
		{"an absolute path", sealed(rename("/spaces/wiki.bundle")), "comes where spaces/wiki.bundle"},
		{"a path by another way", sealed(rename("spaces/./wiki.bundle")), "comes where spaces/wiki.bundle"},
		{"a link", sealed(func(p []part) []part {
			p[1].header.Typeflag, p[1].header.Linkname, p[1].header.Size, p[1].data = tar.TypeSymlink, "/etc/passwd", 0, nil
			return p
		}), "comes where spaces/wiki.bundle"},
		{"a space that leads out", sealed(swap(0, `"name": "wiki"`, `"name": "../wiki"`)), "no space can be called"},
		{"a space with capitals", sealed(swap(0, `"name": "wiki"`, `"name": "Wiki"`)), "no space can be called"},
		{"a space twice", sealed(swap(0, `"name": "empty"`, `"name": "wiki"`)), "twice"},
		{"a bundle of another space", sealed(swap(0, `spaces/wiki.bundle`, `spaces/empty.bundle`)), "cannot be in"},
		{"a branch that leads out", sealed(swap(0, `"branch": "main"`, `"branch": "../../main"`)), "no branch can be called"},
		{"a branch that git takes from nobody", sealed(swap(0, `"branch": "main"`, `"branch": "-x..y"`)), "space"},
		{"a branch that is not there", sealed(swap(0, `"branch": "main"`, `"branch": "other"`)), "is not in it"},
		{"another head", sealed(swap(0, head, strings.Repeat("1", 40))), "not at 1111"},
		{"a head that is none", sealed(swap(0, head, "HEAD")), "cannot be at"},
		{"a bundle that needs other objects", sealed(swap(1, "# v2 git bundle\n", "# v2 git bundle\n-"+head+" x\n")), "space wiki"},
		{"a bundle of version 3", sealed(swap(1, "# v2 git bundle\n", "# v3 git bundle\n@filter=blob:none\n")), "version 2"},
		{"a ref that leads out", sealed(swap(1, "refs/heads/main", "refs/heads/../x")), "space wiki"},
		{"a ref that is git's own", sealed(swap(1, "refs/heads/main", "refs/heads/a.lock")), "space wiki"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parts := slices.Clone(good)
			for i := range parts {
				parts[i].data = bytes.Clone(parts[i].data)
			}
			data := pack(t, test.change(parts))
			for _, there := range []bool{false, true} {
				dir := filepath.Join(t.TempDir(), "data")
				if there {
					if err := os.Mkdir(dir, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				_, err := wiki.Restore(t.Context(), dir, bytes.NewReader(data), io.Discard)
				if !errors.Is(err, wiki.ErrArchive) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("restore: %v, want %q", err, test.want)
				}
				if names, err := os.ReadDir(dir); there != (err == nil) || len(names) > 0 {
					t.Errorf("left in the folder: %v, %v", names, err)
				}
			}
		})
	}
	t.Run("cut anywhere", func(t *testing.T) {
		data := pack(t, good)
		for n := 0; n < len(data)-1024; n += 97 { // without the two blocks of zeros at its end it is whole
			dir := filepath.Join(t.TempDir(), "data")
			_, err := wiki.Restore(t.Context(), dir, bytes.NewReader(data[:n]), io.Discard)
			if !errors.Is(err, wiki.ErrArchive) && n < len(data)-1024-512 {
				t.Errorf("cut to %d bytes of %d: %v", n, len(data), err)
			}
		}
	})
}

func TestRestoreOverwritesNothing(t *testing.T) {
	data := pack(t, archiveOf(t))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "note"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := wiki.Restore(t.Context(), dir, bytes.NewReader(data), io.Discard); !errors.Is(err, fs.ErrExist) {
		t.Errorf("into a folder with a file: %v", err)
	}
	dir = t.TempDir()
	if _, err := wiki.Restore(t.Context(), dir, bytes.NewReader(data), io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := wiki.Restore(t.Context(), dir, bytes.NewReader(data), io.Discard); !errors.Is(err, fs.ErrExist) {
		t.Errorf("twice: %v", err)
	}
	w, s := open(t, dir)
	if got := read(t, s, "Page.md"); got != "text\n" {
		t.Errorf("the page has %q", got)
	}
	if e, err := w.Space(t.Context(), "empty"); err != nil {
		t.Error(err)
	} else if rev := head(t, e).Rev(); rev != "" {
		t.Errorf("the empty space is at %q", rev)
	}
	save(t, s, "More.md", "more\n", "")
}

// While many save, with packs rolled up in between, each backup is whole, has every save that was acknowledged before it
// began, and never lacks the branch that moves.
func TestBackupBesideSaves(t *testing.T) {
	dir := t.TempDir()
	_, s := open(t, dir)
	var mu sync.Mutex // guards last
	var last wiki.Saved
	end := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-end:
					return
				default:
				}
				saved, err := s.Save(t.Context(), ann, wiki.Edit{Path: page.Path(fmt.Sprintf("%d/%d.md", i, n)), Text: []byte("x")})
				if err != nil {
					t.Errorf("save: %v", err)
					return
				}
				mu.Lock()
				last = saved
				mu.Unlock()
				if n%25 == 0 {
					if err := s.Maintain(t.Context()); err != nil {
						t.Errorf("maintain: %v", err)
					}
				}
			}
		})
	}
	defer wg.Wait()
	defer close(end)
	for range 5 {
		mu.Lock()
		acked := last.Rev
		mu.Unlock()
		var out bytes.Buffer
		if err := wiki.Backup(t.Context(), dir, &out, t.TempDir(), "test", io.Discard); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "data")
		if _, err := wiki.Restore(t.Context(), to, bytes.NewReader(out.Bytes()), io.Discard); err != nil {
			t.Fatal(err)
		}
		repo := filepath.Join(to, "spaces/wiki.git")
		if acked != "" {
			if out, err := exec.Command("git", "-C", repo, "merge-base", "--is-ancestor", string(acked), "main").CombinedOutput(); err != nil {
				t.Errorf("%s was acknowledged and is not in the backup: %v: %s", acked, err, out)
			}
		}
		err := wiki.Check(t.Context(), to, func(h wiki.Health) {
			if len(h.Wrong) > 0 || h.Pages == 0 {
				t.Errorf("restored: %+v", h)
			}
		})
		if err != nil {
			t.Error(err)
		}
		err = wiki.Check(t.Context(), dir, func(h wiki.Health) {
			if len(h.Wrong) > 0 || h.Pages == 0 {
				t.Errorf("beside saves: %+v", h)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// Damage is told by the name of the page that it harms, and never copied into a backup.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	w, s := open(t, dir)
	random := make([]byte, 4000) // does not compress: there is a byte to flip
	for i, sum := 0, sha256.Sum256(nil); i < len(random); i++ {
		if random[i] = "0123456789abcdef"[sum[i%32]>>4]; i%32 == 31 {
			sum = sha256.Sum256(sum[:])
		}
	}
	save(t, s, "Harmed.md", string(random), "")
	w.Close()
	packs, err := filepath.Glob(filepath.Join(dir, "spaces/wiki.git/objects/pack/*.pack"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range packs {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 1800 { // the page's
			b[len(b)/2] ^= 0x10
			if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, b, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	found := false
	err = wiki.Check(t.Context(), dir, func(h wiki.Health) {
		found = strings.Contains(strings.Join(h.Wrong, "\n"), `"Harmed.md" cannot be read`) && h.Pages == 1
		if !found {
			t.Errorf("check: %+v", h)
		}
	})
	if err != nil || !found {
		t.Error(err, found)
	}
	if err := wiki.Backup(t.Context(), dir, io.Discard, t.TempDir(), "test", io.Discard); err == nil {
		t.Error("a damaged space was backed up")
	}
}
