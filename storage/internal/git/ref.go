package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// This file reads and moves the live branch's ref as git does. The rules are:
//
//   - A ref moves by NAME.lock, made exclusively: whoever holds it may compare and replace, nobody else.
//   - The reflog's line is written before the ref, so the reflog always knows at least as much as the ref.
//   - A ref that is gone is an error, a ref that is spoilt is mended from the reflog. A wiki is never taken for new
//     because one small file is missing.

const (
	lockPatience = 2 * time.Second // how long another's lock is waited for
	lockStep     = 10 * time.Millisecond
)

// ErrLocked is returned when another process holds the branch's lock file and does not give it back.
var ErrLocked = errors.New("another process holds the branch's lock")

// errGarbage is a ref file that does not hold a hash.
var errGarbage = errors.New("not a hash")

// ref is one branch of a repository on disk.
type ref struct {
	dir  string // the repository
	name string // refs/heads/…
	disk disk
}

func (r ref) path() string { return filepath.Join(r.dir, filepath.FromSlash(r.name)) }
func (r ref) log() string  { return filepath.Join(r.dir, "logs", filepath.FromSlash(r.name)) }
func (r ref) lock() string { return r.path() + ".lock" }

// liveBranch is the branch that HEAD names.
func liveBranch(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil {
		return "", err
	}
	name, ok := strings.CutPrefix(strings.TrimSpace(string(b)), "ref:")
	name = strings.TrimSpace(name)
	if !ok || !strings.HasPrefix(name, "refs/heads/") || !fs.ValidPath(name) {
		return "", fmt.Errorf("HEAD names no branch: %.100q", b)
	}
	return name, nil
}

// read returns the commit that the ref names: from its own file, else from packed-refs. The error wraps fs.ErrNotExist
// when there is none, errGarbage when the file holds something else.
func (r ref) read() (Hash, error) {
	b, err := os.ReadFile(r.path())
	if err == nil {
		h, err := ParseHash(strings.TrimSpace(string(b)))
		if err != nil || h.IsZero() {
			return Hash{}, fmt.Errorf("%s: %w: %.60q", r.name, errGarbage, b)
		}
		return h, nil
	}
	// A folder of branches may stand where the branch would be (ENOTDIR, EISDIR): then it is not there.
	if st, serr := os.Stat(r.path()); !errors.Is(err, fs.ErrNotExist) && (serr != nil || !st.IsDir()) {
		return Hash{}, err
	}
	f, err := os.Open(filepath.Join(r.dir, "packed-refs"))
	if err != nil {
		return Hash{}, fmt.Errorf("%s: %w", r.name, err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if hash, name, ok := strings.Cut(lines.Text(), " "); ok && name == r.name {
			h, err := ParseHash(hash)
			if err != nil {
				return Hash{}, fmt.Errorf("%s in packed-refs: %w: %.60q", r.name, errGarbage, hash)
			}
			return h, nil
		}
	}
	if err := lines.Err(); err != nil {
		return Hash{}, err
	}
	return Hash{}, fmt.Errorf("%s: %w", r.name, fs.ErrNotExist)
}

// hold takes the ref's lock file and compares what the ref names with old (zero: it must not exist). It waits a while
// for another's lock, then fails with ErrLocked; a ref that names something else is ErrMoved.
func (r ref) hold(old Hash) (*refLock, error) {
	if err := os.MkdirAll(filepath.Dir(r.path()), 0o777); err != nil {
		return nil, err
	}
	var f *os.File
	for until := time.Now().Add(lockPatience); ; time.Sleep(lockStep) {
		var err error
		f, err = os.OpenFile(r.lock(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, r.lock())
		}
	}
	l := &refLock{ref: r, old: old, file: f}
	r.clearWay()
	now, err := r.read()
	if errors.Is(err, fs.ErrNotExist) && old.IsZero() {
		err = nil
	}
	if errors.Is(err, fs.ErrNotExist) && !old.IsZero() {
		err = fmt.Errorf("%s: %w", r.name, errLost)
	}
	if err == nil && now != old {
		err = fmt.Errorf("%s is at %s: %w", r.name, now, ErrMoved)
	}
	if err != nil {
		l.drop()
		return nil, err
	}
	return l, nil
}

// clearWay removes folders without a file where the ref and its log belong: git leaves them behind when it refuses a
// branch below this one.
func (r ref) clearWay() {
	for _, path := range []string{r.path(), r.log()} {
		var folders []string
		filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				folders = append(folders, path)
			}
			return err
		})
		for _, path := range slices.Backward(folders) {
			os.Remove(path) // which leaves what holds something
		}
	}
}

// refLock is a held lock file: drop it or move the ref.
type refLock struct {
	ref  ref
	old  Hash
	file *os.File
	gone bool
}

// drop lets the lock go, if that has not been done.
func (l *refLock) drop() {
	if l.gone {
		return
	}
	l.gone = true
	l.file.Close()
	os.Remove(l.ref.lock())
}

// move makes the ref name new, durably, and lets the lock go, whatever happens.
func (l *refLock) move(new Hash, by Signature, message string) error {
	defer l.drop()
	if err := l.prepare(new, by, message); err != nil {
		return err
	}
	if err := os.Rename(l.ref.lock(), l.ref.path()); err != nil {
		return err
	}
	l.gone = true
	return l.ref.disk.path(filepath.Dir(l.ref.path()))
}

func (l *refLock) prepare(new Hash, by Signature, message string) error {
	if _, err := l.file.WriteString(new.String() + "\n"); err != nil {
		return err
	}
	if err := l.ref.disk.file(l.file); err != nil {
		return err
	}
	if err := l.file.Close(); err != nil {
		return err
	}
	return l.ref.appendLog(l.old, new, by, message)
}

// appendLog adds a line to the reflog. It is not fsynced: after a power cut the ref itself is right, and the log is only
// asked when it is not.
func (r ref) appendLog(old, new Hash, by Signature, message string) error {
	if err := os.MkdirAll(filepath.Dir(r.log()), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(r.log(), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	title, _, _ := strings.Cut(message, "\n")
	line := fmt.Sprintf("%s %s %s\t%s\n", old, new, by.line(), strings.TrimSpace(title))
	// A line torn by a crash must not swallow this one.
	if st, err := f.Stat(); err != nil {
		return err
	} else if st.Size() > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], st.Size()-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = "\n" + line
		}
	}
	_, err = f.WriteString(line)
	return err
}

// logLine is a line of the reflog.
type logLine struct{ old, new Hash }

// readLog reads the reflog, oldest first; lines that make no sense are passed over. The error wraps fs.ErrNotExist when
// there is no reflog.
func (r ref) readLog() ([]logLine, error) {
	f, err := os.Open(r.log())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []logLine
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if fields := bytes.SplitN(line, []byte(" "), 3); len(fields) == 3 && len(line) > 0 && line[len(line)-1] == '\n' {
			old, err1 := ParseHash(string(fields[0]))
			new, err2 := ParseHash(string(fields[1]))
			if err1 == nil && err2 == nil && !new.IsZero() {
				lines = append(lines, logLine{old, new})
			}
		}
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// errLost is a ref that must have been there.
var errLost = errors.New("the branch's ref is missing although the repository has commits: restore it, for example from logs/")

// settle finds out at start where the branch is, and mends it when it can: the zero Hash is a repository without
// commits. readable tells whether a commit can be read. done tells what was mended, if anything.
func (r ref) settle(ctx context.Context, readable func(Hash) bool, stored bool) (tip Hash, done string, err error) {
	r.clearWay()
	tip, err = r.read()
	spoilt := errors.Is(err, errGarbage)
	if err == nil && readable(tip) {
		return tip, "", nil
	}
	if err == nil {
		return Hash{}, "", fmt.Errorf("%s names %s, which cannot be read", r.name, tip)
	}
	if !spoilt && !errors.Is(err, fs.ErrNotExist) {
		return Hash{}, "", err
	}
	lines, err := r.readLog()
	if errors.Is(err, fs.ErrNotExist) {
		// No reflog: not a repository that we have written to. See the package comment.
		if spoilt {
			return Hash{}, "", fmt.Errorf("%s is spoilt and has no reflog to mend it from", r.name)
		}
		if stored && !r.others() {
			return Hash{}, "", fmt.Errorf("%s: %w", r.name, errLost)
		}
		return Hash{}, "", nil
	}
	if err != nil {
		return Hash{}, "", err
	}
	for i := len(lines) - 1; i >= 0; i-- {
		// A missing ref with a past was there and is lost. One without is a first save that did not come to its end.
		if !spoilt && !lines[i].old.IsZero() {
			return Hash{}, "", fmt.Errorf("%s: %w", r.name, errLost)
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if !readable(lines[i].new) {
			continue
		}
		return lines[i].new, "set from the reflog", r.mend(lines[i].new, spoilt)
	}
	if spoilt && len(lines) > 0 {
		return Hash{}, "", fmt.Errorf("%s is spoilt and no commit of its reflog can be read", r.name)
	}
	if spoilt {
		return Hash{}, "spoilt ref of a repository without commits removed", os.Remove(r.path())
	}
	return Hash{}, "", nil
}

// mend writes the ref anew. Nobody else runs at that time.
func (r ref) mend(h Hash, spoilt bool) error {
	if spoilt {
		if err := os.Remove(r.path()); err != nil {
			return err
		}
	}
	now, err := r.read() // an older one may stand in packed-refs
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lock, err := r.hold(now)
	if err != nil {
		return err
	}
	return lock.move(h, Signature{Name: "cairn", Email: "cairn@localhost", When: time.Now()}, "mended at start")
}

// others reports whether the repository has any other branch or tag. The notes on pushes are none: they come with the
// live branch.
func (r ref) others() bool {
	found := false
	filepath.WalkDir(filepath.Join(r.dir, "refs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && path != r.path() && !strings.HasSuffix(path, "/"+notesRef) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	packed, _ := os.ReadFile(filepath.Join(r.dir, "packed-refs"))
	for line := range strings.Lines(string(packed)) {
		_, name, ok := strings.Cut(strings.TrimSpace(line), " refs/")
		found = found || ok && "refs/"+name != r.name && "refs/"+name != notesRef
	}
	return found
}
