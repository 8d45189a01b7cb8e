package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestMend(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string // the page's text behind Open; "" for an error
	}{
		{"whole", func(t *testing.T, dir string) {}, "two"},
		{"empty ref", func(t *testing.T, dir string) { write1(t, dir, "refs/heads/main", "") }, "two"},
		{"half a ref", func(t *testing.T, dir string) { write1(t, dir, "refs/heads/main", "deadbeef") }, "two"},
		{"zeros", func(t *testing.T, dir string) { write1(t, dir, "refs/heads/main", strings.Repeat("\x00", 41)) }, "two"},
		{"empty ref and a torn reflog", func(t *testing.T, dir string) {
			write1(t, dir, "refs/heads/main", "")
			log, _ := os.ReadFile(filepath.Join(dir, "logs/refs/heads/main"))
			write1(t, dir, "logs/refs/heads/main", string(log)+string(log[:70]))
		}, "two"},
		{"empty ref and a reflog of what never was", func(t *testing.T, dir string) {
			write1(t, dir, "refs/heads/main", "")
			log, _ := os.ReadFile(filepath.Join(dir, "logs/refs/heads/main"))
			write1(t, dir, "logs/refs/heads/main", string(log)+strings.Repeat("1", 40)+" "+strings.Repeat("2", 40)+" a <b> 1 +0000\tx\n")
		}, "two"},
		{"stale locks and rubbish", func(t *testing.T, dir string) {
			write1(t, dir, "refs/heads/main.lock", "")
			write1(t, dir, "packed-refs.lock", "")
			write1(t, dir, "objects/pack/tmp_cairn_pack_123", "x")
			write1(t, dir, "objects/tmp_objdir-incoming-1/pack/x", "x")
		}, "two"},
		{"packed", func(t *testing.T, dir string) { run(t, dir, "pack-refs", "--all") }, "two"},
		{"ref gone", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "refs/heads/main")) }, ""},
		{"ref and reflog gone", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "refs/heads/main"))
			os.Remove(filepath.Join(dir, "logs/refs/heads/main"))
		}, ""},
		{"ref empty and reflog gone", func(t *testing.T, dir string) {
			write1(t, dir, "refs/heads/main", "")
			os.Remove(filepath.Join(dir, "logs/refs/heads/main"))
		}, ""},
		{"ref of what never was", func(t *testing.T, dir string) {
			write1(t, dir, "refs/heads/main", strings.Repeat("1", 40)+"\n")
		}, ""},
		{"HEAD of nothing", func(t *testing.T, dir string) { write1(t, dir, "HEAD", "") }, ""},
		{"another branch", func(t *testing.T, dir string) {
			run(t, dir, "branch", "-m", "main", "trunk/deep")
		}, "two"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepo(t)
			put(t, r, "page", "one")
			put(t, r, "page", "two")
			r.Close()
			test.spoil(t, r.dir)
			again, err := Open(t.Context(), r.dir, testLog(t))
			if test.want == "" {
				if err == nil {
					t.Fatal("opened")
				}
				t.Log(err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if got := read(t, again, "page"); got != test.want {
				t.Errorf("page %q, want %q", got, test.want)
			}
			put(t, again, "page", "three")
			if !strings.Contains(test.name, "never was") { // fsck complains of such a reflog, rightly
				fsck(t, r.dir)
			}
			for _, pattern := range []string{"objects/pack/tmp_*", "objects/tmp_*", "*.lock", "refs/heads/*.lock"} {
				if left, _ := filepath.Glob(filepath.Join(r.dir, pattern)); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
			}
		})
	}
}

func write1(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	os.MkdirAll(filepath.Dir(path), 0o777)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A first save that was killed between the reflog's line and the ref is no lost ref.
func TestMendFirstSave(t *testing.T) {
	r := newRepo(t)
	put(t, r, "page", "one")
	r.Close()
	os.Remove(filepath.Join(r.dir, "refs/heads/main"))
	if got := read(t, open(t, r.dir), "page"); got != "one" {
		t.Errorf("page %q", got)
	}
	// And before the reflog's line.
	r = newRepo(t)
	put(t, r, "page", "one")
	r.Close()
	os.Remove(filepath.Join(r.dir, "refs/heads/main"))
	os.Truncate(filepath.Join(r.dir, "logs/refs/heads/main"), 0)
	r = open(t, r.dir)
	if h, _ := r.Head(); !h.IsZero() {
		t.Errorf("head %s", h)
	}
	put(t, r, "page", "two")
	fsck(t, r.dir)
}

func TestMovedOutside(t *testing.T) {
	r := newRepo(t)
	one := put(t, r, "page", "one")
	put(t, r, "page", "two")
	run(t, r.dir, "update-ref", "refs/heads/main", one.String())
	_, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "page", Old: blobHash("two"), Data: []byte("three")}}})
	if !errors.Is(err, ErrMoved) {
		t.Fatalf("error %v", err)
	}
	if h, _ := r.Head(); h != one || read(t, r, "page") != "one" {
		t.Errorf("head %s, want %s", h, one)
	}
	put(t, r, "page", "three")
	fsck(t, r.dir)
}

func TestLocked(t *testing.T) {
	r := newRepo(t)
	put(t, r, "page", "one")
	write1(t, r.dir, "refs/heads/main.lock", "")
	change := Change{Edits: []Edit{{Path: "page", Old: blobHash("one"), Data: []byte("two")}}}
	if _, err := r.Commit(t.Context(), change); !errors.Is(err, ErrLocked) {
		t.Fatalf("error %v", err)
	}
	// The lock is not ours to remove; once it is gone the save goes on.
	lock := r.live.lock()
	if _, err := os.Stat(lock); err != nil {
		t.Error(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { os.Remove(lock) })
	if _, err := r.Commit(t.Context(), change); err != nil {
		t.Error(err)
	}
	fsck(t, r.dir)
}

// An fsync that fails is never tried again; a full disk is something else.
func TestDiskFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		cause  error
		at     int64 // the fsync that fails
		sticky bool
	}{
		{"pack", syscall.EIO, 1, true},
		{"index", syscall.EIO, 2, true},
		{"pack folder", syscall.EIO, 3, true},
		{"ref", syscall.EIO, 4, true},
		{"ref folder", syscall.EIO, 5, true},
		{"full at the pack", syscall.ENOSPC, 1, false},
		{"full at the index", syscall.ENOSPC, 2, false},
		{"full at the ref", syscall.ENOSPC, 4, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepo(t)
			put(t, r, "page", "one")
			var n atomic.Int64
			r.disk.sync = func(f *os.File) error {
				if n.Add(1) == test.at {
					return &fs.PathError{Op: "sync", Path: f.Name(), Err: test.cause}
				}
				return f.Sync()
			}
			r.live.disk = r.disk
			change := Change{Edits: []Edit{{Path: "page", Old: blobHash("one"), Data: []byte("two")}}}
			_, err := r.Commit(t.Context(), change)
			if !errors.Is(err, test.cause) || errors.Is(err, ErrReadOnly) != test.sticky {
				t.Fatalf("error %v", err)
			}
			if read(t, r, "page") != "one" {
				t.Error("what is not durable is shown")
			}
			left, _ := filepath.Glob(filepath.Join(r.dir, "objects/pack/tmp_*"))
			if _, err := os.Stat(r.live.lock()); err == nil || len(left) > 0 {
				t.Errorf("left: %v, lock %v", left, err)
			}
			if err := r.Trouble(); !errors.Is(err, test.cause) || errors.Is(err, ErrReadOnly) != test.sticky {
				t.Errorf("trouble: %v", err)
			}
			_, err = r.Commit(t.Context(), change)
			if errors.Is(err, ErrReadOnly) != test.sticky || err != nil != test.sticky {
				t.Errorf("again: %v", err)
			}
			calls := n.Load()
			if err := r.Maintain(t.Context()); err != nil || r.Trouble() != nil != test.sticky {
				t.Errorf("maintained: %v, trouble %v", err, r.Trouble())
			}
			if test.sticky && n.Load() != calls {
				t.Error("a disk that failed was tried again")
			}
			if err := r.ReceivePack(t.Context(), "", strings.NewReader(""), nil, pusherOf(letAll)); errors.Is(err, ErrReadOnly) != test.sticky {
				t.Errorf("push: %v", err)
			}
			r.Close()
			r = open(t, r.dir)
			if now := read(t, r, "page"); now == "" {
				t.Error("page gone")
			}
			fsck(t, r.dir)
		})
	}
}

// A really full disk, where a file system can be mounted.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=400k"); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	if err := Init(t.Context(), filepath.Join(dir, "w")); err != nil {
		t.Fatal(err)
	}
	r := open(t, filepath.Join(dir, "w"))
	put(t, r, "page", "one")
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte(i * i >> 7 * i >> 3)
	}
	copy(big, fmt.Sprint(time.Now()))
	for i := range big[:len(big)-20] {
		big[i+20] ^= byte(hashObject(kindBlob, big[i:i+20])[0])
	}
	if _, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "big", Data: big}}}); !errors.Is(err, syscall.ENOSPC) || errors.Is(err, ErrReadOnly) {
		t.Errorf("error %v", err)
	}
	if err := r.Maintain(t.Context()); err != nil || !errors.Is(r.Trouble(), syscall.ENOSPC) {
		t.Errorf("maintained: %v, trouble %v", err, r.Trouble())
	}
	put(t, r, "page", "two") // a small one has room
	if err := r.Trouble(); err != nil {
		t.Errorf("trouble after a save: %v", err)
	}
	if _, err := r.Commit(t.Context(), Change{Edits: []Edit{{Path: "big", Data: big}}}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	if err := r.Maintain(t.Context()); err != nil || r.Trouble() != nil {
		t.Errorf("with room: maintained: %v, trouble %v", err, r.Trouble())
	}
	fsck(t, r.dir)
}

// Folders that git has left where the branch belongs are no reason not to save, nor not to open.
func TestFoldersInTheWay(t *testing.T) {
	dir := newDir(t)
	r := open(t, dir)
	way := func() {
		for _, path := range []string{r.live.path(), r.live.log()} {
			os.Remove(path) // the ref is packed
			if err := os.MkdirAll(filepath.Join(path, "x", "y"), 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	way()
	head := put(t, r, "a.md", "first")
	put(t, r, "a.md", "second")
	run(t, dir, "pack-refs", "--all")
	way()
	if got := put(t, r, "a.md", "third"); got == head || read(t, r, "a.md") != "third" {
		t.Error("not saved")
	}
	run(t, dir, "pack-refs", "--all")
	way()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, open(t, dir), "a.md"); got != "third" {
		t.Errorf("opened with %q", got)
	}
}
