package wiki

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"cairn/storage/internal/git"
)

// This file writes all that a data folder holds into one archive, beside a running wiki, and makes a data folder of one.
// An archive is a tar of these files, in this order and no others:
//
//	cairn-backup.json    what is in it, see backup
//	spaces/NAME.bundle   a git bundle of a space with all its branches and tags, which git clones; none for a space
//	                     that has nothing in it
//	manifest.json        name, size and SHA-256 of each file before it
//
// A space is as it was at one moment, its refs being read once. Nothing but one copy of a bundle is kept meanwhile.

const (
	backupFormat = 1
	backupFile   = "cairn-backup.json"
	manifestFile = "manifest.json"
	maxList      = 64 << 20 // bytes of either JSON
)

// ErrArchive is wrapped by what Restore returns for a file that is no whole, sound archive.
var ErrArchive = errors.New("it is damaged, or no backup")

// backup is the first file of an archive.
type backup struct {
	Format int           `json:"format"`
	Time   time.Time     `json:"time"`
	Cairn  string        `json:"cairn"` // the version that made it
	Spaces []backupSpace `json:"spaces"`
}

type backupSpace struct {
	Name   string `json:"name"`
	Branch string `json:"branch"`           // the live one
	Head   string `json:"head,omitempty"`   // where that was; "" before the first commit
	Bundle string `json:"bundle,omitempty"` // the file in the archive; "" for nothing in it
}

// manifest is the last file of an archive.
type manifest struct {
	Files []archived `json:"files"`
}

type archived struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Backup writes an archive of the data folder dir, which a wiki may be running with. scratch is a folder for a moment's
// files, as large as twice the largest space; version is the program's. Progress is a line a space. Each space is
// unpacked once on the way, so that what has been written without an error can be restored.
func Backup(ctx context.Context, dir string, to io.Writer, scratch, version string, progress io.Writer) error {
	names, err := List(dir)
	if err != nil {
		return err
	}
	all := make([]git.Refs, len(names))
	b := backup{Format: backupFormat, Time: time.Now().UTC().Truncate(time.Second), Cairn: version, Spaces: []backupSpace{}}
	for i, name := range names {
		err := again(ctx, func() (err error) {
			all[i], err = git.ReadRefs(ctx, spacePath(dir, name))
			return err
		})
		if err != nil {
			return fmt.Errorf("space %s: %w", name, err)
		}
		s := backupSpace{Name: name, Branch: strings.TrimPrefix(all[i].Live, "refs/heads/"), Head: string(revOf(all[i].Head))}
		if len(all[i].All) > 0 {
			s.Bundle = bundleName(name)
		}
		b.Spaces = append(b.Spaces, s)
	}
	a := archive{tar: tar.NewWriter(to), time: b.Time}
	if err := a.addJSON(backupFile, b); err != nil {
		return err
	}
	for i, s := range b.Spaces {
		if s.Bundle == "" {
			fmt.Fprintf(progress, "%s: nothing in it yet\n", s.Name)
			continue
		}
		size, err := a.addSpace(ctx, spacePath(dir, s.Name), all[i], s.Bundle, scratch)
		if err != nil {
			return fmt.Errorf("space %s: %w", s.Name, err)
		}
		fmt.Fprintf(progress, "%s: %s at %.12s, %d KiB\n", s.Name, s.Branch, cmp.Or(s.Head, "no commit"), (size+1023)>>10)
	}
	if err := a.addJSON(manifestFile, manifest{a.files}); err != nil {
		return err
	}
	return a.tar.Close()
}

func bundleName(space string) string { return "spaces/" + space + ".bundle" }

// again calls fn a second time when it fails: a wiki that runs may have rolled up what fn was reading.
func again(ctx context.Context, fn func() error) error {
	err := fn()
	if err == nil || ctx.Err() != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	return fn()
}

// archive is an archive that is being written.
type archive struct {
	tar   *tar.Writer
	time  time.Time
	files []archived
}

func (a *archive) add(name string, size int64, from io.Reader) error {
	header := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.time}
	if err := a.tar.WriteHeader(&header); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(a.tar, sum), from, size); err != nil {
		return err
	}
	a.files = append(a.files, archived{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (a *archive) addJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return a.add(name, int64(len(b)), bytes.NewReader(b))
}

// addSpace goes by way of a file: a tar tells the size of what comes before it comes.
func (a *archive) addSpace(ctx context.Context, repo string, refs git.Refs, name, scratch string) (int64, error) {
	path := filepath.Join(scratch, "bundle")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer os.Remove(path)
	defer f.Close()
	err = again(ctx, func() error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		if err := git.Bundle(ctx, repo, refs, f); err != nil {
			return err
		}
		return git.Prove(ctx, filepath.Join(scratch, "proof.git"), path, refs)
	})
	if err != nil {
		return 0, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, err
	}
	return size, a.add(name, size, f)
}

// Restored is what a backup held.
type Restored struct {
	Spaces int
	Time   time.Time // when the backup was made
}

// Restore makes a data folder of an archive. The folder must be empty or not there, else the error wraps fs.ErrExist; it
// wraps ErrArchive when the archive is not sound, which is found out before anything is written. When Restore fails
// nothing of a wiki stands in the folder.
func Restore(ctx context.Context, dir string, from io.ReadSeeker, progress io.Writer) (done Restored, err error) {
	if err := vacant(dir); err != nil {
		return Restored{}, err
	}
	look := func(backupSpace, io.Reader) error { return nil }
	if _, err := readArchive(from, look); err != nil {
		return Restored{}, err
	}
	_, missing := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Restored{}, err
	}
	defer func() {
		if err != nil && missing != nil {
			os.Remove(dir)
		}
	}()
	lock, err := lockFolder(dir)
	if err != nil {
		return Restored{}, err
	}
	defer func() {
		if err != nil {
			os.Remove(lock.Name())
		}
		lock.Close()
	}()
	if err := vacant(dir); err != nil { // somebody may have been faster
		return Restored{}, err
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".restore-*"))
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return Restored{}, err
		}
	}
	work, err := os.MkdirTemp(dir, ".restore-")
	if err != nil {
		return Restored{}, err
	}
	defer os.RemoveAll(work)
	if err := os.Mkdir(filepath.Join(work, "spaces"), 0o755); err != nil {
		return Restored{}, err
	}
	// The hashes are compared once more on the way: the file may be another by now.
	b, err := readArchive(from, func(s backupSpace, r io.Reader) error { return restoreSpace(ctx, work, s, r, progress) })
	if err != nil {
		return Restored{}, err
	}
	if err := syncFolder(filepath.Join(work, "spaces")); err != nil {
		return Restored{}, err
	}
	if err := os.Rename(filepath.Join(work, "spaces"), filepath.Join(dir, "spaces")); err != nil {
		return Restored{}, err
	}
	err = errors.Join(syncFolder(dir), syncFolder(filepath.Dir(filepath.Clean(dir))))
	return Restored{len(b.Spaces), b.Time}, err
}

// vacant is nil when a folder holds nothing but what a restore that was cut off has left, or is not there.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != "cairn.lock" && !strings.HasPrefix(name, ".restore-") {
			return fmt.Errorf("%s: %w", filepath.Join(dir, name), fs.ErrExist)
		}
	}
	return nil
}

func restoreSpace(ctx context.Context, work string, s backupSpace, r io.Reader, progress io.Writer) error {
	file := ""
	var head git.Hash
	if s.Bundle != "" {
		file = filepath.Join(work, "bundle")
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer os.Remove(file)
		if _, err := io.Copy(f, r); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if s.Head != "" {
		var err error
		if head, err = git.ParseHash(s.Head); err != nil {
			return err
		}
	}
	if err := git.Unbundle(ctx, spacePath(work, s.Name), file, "refs/heads/"+s.Branch, head); err != nil {
		return fmt.Errorf("%w: space %s: %w", ErrArchive, s.Name, err)
	}
	fmt.Fprintf(progress, "%s: %s at %.12s\n", s.Name, s.Branch, cmp.Or(s.Head, "no commit"))
	return nil
}

var revision = regexp.MustCompile(`^[0-9a-f]{40}$`)

// readArchive reads an archive from its beginning to its end and compares everything with the manifest. each is called
// for every space, with its bundle if it has one, before it is known whether that is what was written.
func readArchive(from io.ReadSeeker, each func(backupSpace, io.Reader) error) (backup, error) {
	size, err := from.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = from.Seek(0, io.SeekStart)
	}
	if err != nil {
		return backup{}, err
	}
	a := opened{tar: tar.NewReader(from), size: size}
	var b backup
	if err := a.nextJSON(backupFile, &b); err != nil {
		return backup{}, err
	}
	if err := b.check(); err != nil {
		return backup{}, err
	}
	for _, s := range b.Spaces {
		if s.Bundle == "" {
			if err := each(s, nil); err != nil {
				return backup{}, err
			}
			continue
		}
		if err := a.next(s.Bundle, func(r io.Reader) error { return each(s, r) }); err != nil {
			return backup{}, err
		}
	}
	found := a.files
	var m manifest
	if err := a.nextJSON(manifestFile, &m); err != nil {
		return backup{}, err
	}
	for i, f := range found {
		switch {
		case i >= len(m.Files) || m.Files[i].Name != f.Name:
			return backup{}, fmt.Errorf("%w: its manifest does not name %s", ErrArchive, f.Name)
		case m.Files[i] != f:
			return backup{}, fmt.Errorf("%w: %s is not what its manifest says", ErrArchive, f.Name)
		}
	}
	if len(m.Files) > len(found) {
		return backup{}, fmt.Errorf("%w: %.100q is missing", ErrArchive, m.Files[len(found)].Name)
	}
	if h, err := a.tar.Next(); err == nil {
		return backup{}, fmt.Errorf("%w: %.100q comes after its end", ErrArchive, h.Name)
	} else if err != io.EOF {
		return backup{}, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	return b, nil
}

// check judges what the first file says: whatever names something on disk is of a form that can do no harm.
func (b *backup) check() error {
	if b.Format != backupFormat {
		return fmt.Errorf("%w: it has format %d, and this cairn reads format %d only", ErrArchive, b.Format, backupFormat)
	}
	var names []string
	for _, s := range b.Spaces {
		switch {
		case !spaceName.MatchString(s.Name):
			return fmt.Errorf("%w: no space can be called %.100q", ErrArchive, s.Name)
		case slices.Contains(names, s.Name):
			return fmt.Errorf("%w: it has the space %s twice", ErrArchive, s.Name)
		case s.Bundle != "" && s.Bundle != bundleName(s.Name):
			return fmt.Errorf("%w: the space %s cannot be in %.100q", ErrArchive, s.Name, s.Bundle)
		case !fs.ValidPath(s.Branch) || strings.ContainsAny(s.Branch, " \x00\n\\"):
			return fmt.Errorf("%w: no branch can be called %.100q", ErrArchive, s.Branch)
		case s.Head != "" && (!revision.MatchString(s.Head) || s.Bundle == ""):
			return fmt.Errorf("%w: the space %s cannot be at %.100q", ErrArchive, s.Name, s.Head)
		}
		names = append(names, s.Name)
	}
	return nil
}

// opened is an archive that is being read.
type opened struct {
	tar   *tar.Reader
	size  int64
	files []archived
}

// next reads the file that must come next, whole.
func (a *opened) next(name string, fn func(io.Reader) error) error {
	h, err := a.tar.Next()
	switch {
	case err == io.EOF:
		return fmt.Errorf("%w: it ends where %s should come", ErrArchive, name)
	case err != nil:
		return fmt.Errorf("%w: where %s should come: %w", ErrArchive, name, err)
	case h.Name != name || h.Typeflag != tar.TypeReg:
		return fmt.Errorf("%w: %.100q comes where %s should", ErrArchive, h.Name, name)
	case h.Size > a.size: // a sparse file
		return fmt.Errorf("%w: %s is larger than all", ErrArchive, name)
	}
	sum := sha256.New()
	in := &counted{r: io.TeeReader(a.tar, sum)}
	if err := fn(in); err != nil && in.err == nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("%w: it ends within %s: %w", ErrArchive, name, err)
	}
	a.files = append(a.files, archived{name, in.n, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (a *opened) nextJSON(name string, v any) error {
	return a.next(name, func(r io.Reader) error {
		dec := json.NewDecoder(io.LimitReader(r, maxList))
		dec.DisallowUnknownFields()
		if err := dec.Decode(v); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
		}
		if _, err := dec.Token(); err != io.EOF {
			return fmt.Errorf("%w: %s goes on after its end", ErrArchive, name)
		}
		return nil
	})
}

// counted counts what is read, and keeps the error that ended it.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
