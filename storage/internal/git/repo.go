package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// settings is the config of every repository here, besides what git init writes.
var settings = []string{
	// git must not tidy up by itself: see Maintain.
	"gc.auto=0",
	"receive.autogc=false",
	"maintenance.auto=false",
	"core.logAllRefUpdates=always",
	"core.fsync=all",
	"core.fsyncMethod=fsync",
	// What arrives stays one pack, so that it can be fsynced and read as one.
	"transfer.unpackLimit=1",
	"uploadpack.allowFilter=true",
	// Old histories have these; they harm nobody.
	"receive.fsckObjects=true",
	"receive.fsck.zeroPaddedFilemode=ignore",
	"receive.fsck.missingSpaceBeforeDate=ignore",
	"receive.fsck.badTimezone=ignore",
	fmt.Sprintf("receive.maxInputSize=%d", maxPush),
}

// maxPush is how many bytes of pack one push may have.
const maxPush = 1 << 30

// Repo is an open bare repository. Safe for concurrent use.
type Repo struct {
	dir     string
	log     *slog.Logger
	live    ref
	objects *objects
	disk    disk
	maxPush int64

	// door is held, by being full, by the one who may move a branch. It guards head's being replaced.
	door chan struct{}
	head atomic.Pointer[head]

	maintaining sync.Mutex // guards what follows
	rested      time.Time  // before that nothing is maintained

	mu      sync.Mutex // guards what follows
	waiting []*request
	pushes  int           // receive-packs that run
	moved   chan struct{} // closed at the next move, and then another
	broken  error         // why nothing may be written any more
	trouble error         // what the disk said to the last write, when that may pass by itself
}

// head is one moment of the live branch.
type head struct {
	hash Hash
	tree *Tree
	when int64 // the commit's time, in Unix seconds
}

// Init makes an empty bare repository at dir, durably. Its live branch is main, and has no commits. What stands at dir
// must be an empty folder or nothing, else the error wraps fs.ErrExist.
func Init(ctx context.Context, dir string) error {
	return build(dir, func(at string) error { return initAt(ctx, at, "main") })
}

// initAt makes the repository without fsync.
func initAt(ctx context.Context, dir, branch string) error {
	c := command{args: []string{"init", "--quiet", "--bare", "--template=", "--initial-branch=" + branch, "--end-of-options", dir}}
	if err := c.run(ctx); err != nil {
		return err
	}
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		c := command{dir: dir, args: []string{"config", key, value}}
		if err := c.run(ctx); err != nil {
			return err
		}
	}
	r := ref{dir: dir, name: "refs/heads/" + branch}
	if err := os.MkdirAll(filepath.Dir(r.log()), 0o777); err != nil {
		return err
	}
	return os.WriteFile(r.log(), nil, 0o666)
}

// build makes a folder under another name, fsyncs it and puts it in its place, so that it is there whole or not at all.
func build(dir string, make func(at string) error) error {
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return fmt.Errorf("%s: %w", dir, fs.ErrExist)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	at, err := os.MkdirTemp(parent, ".new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(at)
	if err := os.Chmod(at, 0o755); err != nil {
		return err
	}
	if err := make(at); err != nil {
		return err
	}
	if err := syncAll(at); err != nil {
		return err
	}
	if err := os.Rename(at, dir); err != nil {
		return err
	}
	return realDisk.path(parent)
}

// syncAll fsyncs a folder with all in it.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		return realDisk.path(path)
	})
}

// Open opens the repository at dir, which nobody else may be writing to. It mends what a crash may have left and tells
// log; it reads the head's whole tree before it returns. A repository without commits is fine; one whose live branch
// cannot be found although it has commits is an error.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Repo, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	name, err := liveBranch(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	r := &Repo{
		dir: dir, log: log, disk: realDisk, maxPush: maxPush,
		door: make(chan struct{}, 1), moved: make(chan struct{}),
	}
	r.live = ref{dir: dir, name: name, disk: r.disk}
	if err := r.start(ctx); err != nil {
		if r.objects != nil {
			r.objects.close()
		}
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return r, nil
}

func (r *Repo) start(ctx context.Context) error {
	if err := r.sweep(); err != nil {
		return err
	}
	if err := r.writeHook(); err != nil {
		return err
	}
	var err error
	if r.objects, err = openObjects(filepath.Join(r.dir, "objects"), nil); err != nil {
		return err
	}
	if err := r.mendPacks(ctx); err != nil {
		return err
	}
	readable := func(h Hash) bool {
		tree, err := treeOf(ctx, r.objects, h)
		if err == nil {
			_, err = tree.ReadDir(ctx, "")
		}
		return err == nil
	}
	tip, done, err := r.live.settle(ctx, readable, len(*r.objects.packs.Load()) > 0)
	if err != nil {
		return err
	}
	if done != "" {
		r.log.WarnContext(ctx, "branch mended", "repo", r.dir, "ref", r.live.name, "rev", tip, "how", done)
	}
	h, err := r.loadHead(ctx, tip, nil)
	if err != nil {
		return err
	}
	r.head.Store(h)
	return r.startLog(tip)
}

// mendPacks makes anew the indexes that cannot be used or are missing. What cannot be mended is told and left as it is:
// it harms only the pages that are in it.
func (r *Repo) mendPacks(ctx context.Context) error {
	bad := r.objects.spoilt()
	packs, err := filepath.Glob(filepath.Join(escapeGlob(r.dir), "objects/pack/pack-*.pack"))
	if err != nil {
		return err
	}
	// All at once: git trusts an index without looking at its checksum, and would stumble over those still to be mended.
	for path := range bad {
		if err := os.Remove(path + ".idx"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, pack := range packs {
		path := strings.TrimSuffix(pack, ".pack")
		why := bad[path]
		if _, err := os.Stat(path + ".idx"); errors.Is(err, fs.ErrNotExist) && why == nil {
			why = err
		}
		if why == nil {
			continue
		}
		r.log.WarnContext(ctx, "a pack has no sound index: it is made anew, which takes a while when the pack is large", "pack", pack, "why", why)
		err := r.reindex(ctx, path)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch {
		case err == nil:
		case mayPass(err), strings.Contains(err.Error(), syscall.ENOSPC.Error()): // git's words for it
			return fmt.Errorf("the index of %s cannot be made now, start again when the disk can be written to: %w", pack, err)
		default:
			r.log.ErrorContext(ctx, "a pack cannot be read; the pages in it are missing until it is brought back from a backup", "pack", pack, "err", err)
		}
	}
	return r.objects.scan()
}

// reindex makes a pack's index anew, durably.
func (r *Repo) reindex(ctx context.Context, path string) error {
	made := filepath.Join(filepath.Dir(path), tmpPrefix+"idx_mended")
	defer os.Remove(made)
	c := command{dir: r.dir, args: []string{"index-pack", "-o", made, path + ".pack"}}
	if err := c.run(ctx); err != nil {
		return err
	}
	if err := r.disk.path(made); err != nil {
		return err
	}
	if err := os.Rename(made, path+".idx"); err != nil {
		return err
	}
	return r.disk.path(filepath.Dir(path))
}

// sweep removes what a process that was killed has left.
func (r *Repo) sweep() error {
	var old []string
	for _, pattern := range []string{
		"objects/pack/" + tmpPrefix + "*",
		"objects/pack/tmp_*", // git's
		"objects/pack/.tmp-*",
		"objects/tmp_objdir-*",
		"objects/incoming-*", // quarantines of older gits
		"HEAD.lock", "packed-refs.lock", "config.lock",
	} {
		names, err := filepath.Glob(filepath.Join(escapeGlob(r.dir), pattern))
		if err != nil {
			return err
		}
		old = append(old, names...)
	}
	kept, err := filepath.Glob(filepath.Join(escapeGlob(r.dir), "objects/pack/pack-*.keep"))
	if err != nil {
		return err
	}
	for _, path := range kept {
		// git's own, for as long as a push lasts. What somebody else has written is meant to stay.
		if b, err := os.ReadFile(path); err == nil && bytes.HasPrefix(b, []byte("receive-pack ")) {
			old = append(old, path)
		}
	}
	err = filepath.WalkDir(filepath.Join(r.dir, "refs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".lock") {
			old = append(old, path) // git allows no branch of such a name
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(old)
	for _, path := range slices.Compact(old) {
		r.log.Warn("left by a crash, removed", "path", path)
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// beginPush counts a push; end is told how git ended. A git that was stopped just when it began may leave its quarantine.
// It is removed once no other push runs, for the names do not tell whose they are.
func (r *Repo) beginPush() (end func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushes++
	return func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.pushes--; r.pushes > 0 || err == nil {
			return
		}
		left, _ := filepath.Glob(filepath.Join(escapeGlob(r.dir), "objects/tmp_objdir-*"))
		for _, path := range left {
			if err := os.RemoveAll(path); err != nil {
				r.log.Warn("quarantine stays until the next start", "path", path, "err", err)
			}
		}
	}
}

// startLog gives the live branch a reflog when it has none, so that a lost ref is noticed from now on.
func (r *Repo) startLog(tip Hash) error {
	if _, err := os.Stat(r.live.log()); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if tip.IsZero() {
		return nil // as good as before: nothing can be lost
	}
	return r.live.appendLog(Hash{}, tip, Signature{Name: "cairn", Email: "cairn@localhost", When: time.Now()}, "found")
}

// Close waits for a change that is being written, then ends the repository's use. Readers and writers that come later
// get errors that wrap fs.ErrClosed.
func (r *Repo) Close() error {
	r.door <- struct{}{}
	defer func() { <-r.door }()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil || !errors.Is(r.broken, fs.ErrClosed) {
		r.broken = fmt.Errorf("%s: %w", r.dir, fs.ErrClosed)
		close(r.moved)
		r.objects.close()
	}
	return nil
}

// Head is the live branch's commit and its tree, which lies in memory: no file is read. Before the first commit the
// hash is zero and the tree empty.
func (r *Repo) Head() (Hash, *Tree) {
	h := r.head.Load()
	return h.hash, h.tree
}

// Moved is closed when the head moves next, or the repository is closed. Ask for it before Head, then none is missed.
func (r *Repo) Moved() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

// Tree is the tree of any commit. The error wraps fs.ErrNotExist when there is no such commit. That a commit's tree is
// not stored is found, as ErrMissing, when the tree is read.
func (r *Repo) Tree(ctx context.Context, commit Hash) (*Tree, error) {
	if h := r.head.Load(); commit == h.hash {
		return h.tree, nil
	}
	return treeOf(ctx, r.objects, commit)
}

func treeOf(ctx context.Context, o *objects, commit Hash) (*Tree, error) {
	data, err := o.readAs(ctx, kindCommit, commit)
	if err != nil {
		return nil, err
	}
	raw, err := parseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", commit, err)
	}
	return newTree(o, raw.tree), nil
}

func newTree(o *objects, hash Hash) *Tree {
	if hash == emptyTree || hash.IsZero() {
		return &Tree{from: o}
	}
	return &Tree{from: o, root: &node{hash: hash}}
}

// Blob is a file's bytes, by a hash that may come from anywhere. Do not change them. The error wraps fs.ErrNotExist when
// there is no such blob, and ErrTooLarge when it is larger than 256 MiB. For the entry of a tree use Tree.Blob, which
// tells what is missing from what never was.
func (r *Repo) Blob(ctx context.Context, h Hash) ([]byte, error) {
	return r.objects.readAs(ctx, kindBlob, h)
}

// Has reports whether an object of any kind is stored. It is not read: it may be damaged.
func (r *Repo) Has(h Hash) bool {
	if r.objects.has(h) {
		return true
	}
	return r.objects.scan() == nil && r.objects.has(h) // git may have put it elsewhere meanwhile
}

// Resolve finds the commit that rev names: 40 hexadecimal digits, or at least 7 that begin only one commit's name. No
// other syntax of git's is understood. The error wraps fs.ErrNotExist.
func (r *Repo) Resolve(ctx context.Context, rev string) (Hash, error) {
	missing := fmt.Errorf("revision %.60q: %w", rev, fs.ErrNotExist)
	rev = strings.ToLower(rev)
	if len(rev) < 7 || len(rev) > 40 || strings.Trim(rev, "0123456789abcdef") != "" {
		return Hash{}, missing
	}
	if h, err := ParseHash(rev); err == nil {
		_, err = r.objects.readAs(ctx, kindCommit, h)
		return h, err
	}
	var commit Hash
	for _, h := range r.objects.withPrefix(rev, 100) {
		k, _, err := r.objects.read(ctx, h)
		if err != nil {
			return Hash{}, err
		}
		if k != kindCommit {
			continue
		}
		if !commit.IsZero() {
			return Hash{}, fmt.Errorf("revision %q is the beginning of several: %w", rev, fs.ErrNotExist)
		}
		commit = h
	}
	if commit.IsZero() {
		return Hash{}, missing
	}
	return commit, nil
}

// loadHead reads a commit with its whole tree, taking over what equals the tree before.
func (r *Repo) loadHead(ctx context.Context, hash Hash, before *Tree) (*head, error) {
	if hash.IsZero() {
		return &head{tree: newTree(r.objects, emptyTree)}, nil
	}
	data, err := r.objects.readNamed(ctx, kindCommit, hash) // by a ref
	if err != nil {
		return nil, err
	}
	raw, err := parseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", hash, err)
	}
	tree := newTree(r.objects, raw.tree)
	if err := tree.loadLike(ctx, before); err != nil {
		return nil, err
	}
	return &head{hash: hash, tree: tree, when: raw.committer.When.Unix()}, nil
}

// publish makes a new head visible to all. The door is held.
func (r *Repo) publish(h *head) {
	r.head.Store(h)
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.moved)
	r.moved = make(chan struct{})
}

// reload reads where the branch is on disk and publishes that. The door is held.
func (r *Repo) reload(ctx context.Context) error {
	now := r.head.Load()
	if err := r.objects.scan(); err != nil {
		return err
	}
	tip, err := r.live.read()
	if errors.Is(err, fs.ErrNotExist) && now.hash.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	if tip == now.hash {
		return nil
	}
	h, err := r.loadHead(ctx, tip, now.tree)
	if err != nil {
		return err
	}
	r.publish(h)
	return nil
}

// enter waits for the door.
func (r *Repo) enter(ctx context.Context) error {
	select {
	case r.door <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *Repo) leave() { <-r.door }

// writable is nil, or why nothing may be written.
func (r *Repo) writable() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// diagnose looks at what became of a write. A disk that has failed makes the repository read-only; one that is full, or
// takes nothing at the moment, is remembered until something could be written.
func (r *Repo) diagnose(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.trouble = nil
	case errors.Is(err, errSync):
		if r.broken == nil {
			r.broken = fmt.Errorf("%w: %w", ErrReadOnly, err)
			r.log.Error("fsync failed: read-only until opened anew", "repo", r.dir, "err", err)
		}
		return r.broken
	case mayPass(err):
		r.trouble = err
	}
	return err
}

// mayPass reports whether an error is of the disk's, and of a kind that goes away without us.
func mayPass(err error) bool {
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// Trouble is why nothing can be saved, as far as the last write tells; nil when that went well. It wraps ErrReadOnly
// when it lasts until the repository is opened anew, else what the disk said: syscall.ENOSPC and the like. That goes
// away with the next save that goes well, or by Maintain, which tries.
func (r *Repo) Trouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return cmp.Or(r.broken, r.trouble)
}

// probe finds out whether the disk takes again what it would not take before: as much as a large page.
func (r *Repo) probe() error {
	f, err := os.CreateTemp(filepath.Join(r.dir, "objects", "pack"), tmpPrefix+"probe_*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, 1<<20)); err != nil {
		return err
	}
	return r.disk.file(f)
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}
