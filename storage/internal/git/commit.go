package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// This file is the door for changes. Commit puts its change in a queue and waits for the door. Whoever gets it takes
// all that waits, applies each to the tree that the one before left, writes one pack, moves the ref once, and answers
// all. So sixteen writers pay for one set of fsyncs, and each is still judged by itself.

const maxBatch = 64 << 20 // bytes of files after which the rest waits for the next batch

// errBroken is told to writers whose batch ended by a panic. Their changes may have been written or not.
var errBroken = errors.New("the change was broken off half-way")

// request is one waiting change. Its writer reads hash and err once done is closed.
type request struct {
	ctx      context.Context
	change   Change
	size     int
	done     chan struct{}
	answered bool // for who holds the door
	hash     Hash
	err      error
}

func (q *request) answer(h Hash, err error) {
	q.hash, q.err, q.answered = h, err, true
	close(q.done)
}

// Commit applies a change to the live branch and returns the commit, which is durable and visible by then. A change that
// changes nothing makes no commit; the head is returned.
//
// The error is ErrMoved when Onto is not the head or a file is not what its edit says; it wraps fs.ErrExist when a file
// and a folder would have one name, fs.ErrInvalid for a name that git cannot hold, ErrReadOnly when the disk has failed.
// A ctx that ends before the change's turn leaves nothing behind; later, the outcome is waited for and told.
func (r *Repo) Commit(ctx context.Context, c Change) (Hash, error) {
	q := &request{ctx: ctx, change: c, done: make(chan struct{})}
	for _, e := range c.Edits {
		q.size += len(e.Data)
	}
	r.mu.Lock()
	if r.broken != nil {
		defer r.mu.Unlock()
		return Hash{}, r.broken
	}
	r.waiting = append(r.waiting, q)
	r.mu.Unlock()

	for {
		select {
		case <-q.done:
			return q.hash, q.err
		case r.door <- struct{}{}:
			r.next(context.WithoutCancel(ctx))
		case <-ctx.Done():
			if r.withdraw(q) {
				return Hash{}, context.Cause(ctx)
			}
			<-q.done
			return q.hash, q.err
		}
	}
}

// next writes the next batch and gives the door back, whatever happens: a panic here may end one request of a server
// that goes on.
func (r *Repo) next(ctx context.Context) {
	defer r.leave()
	all := r.take()
	defer func() {
		for _, q := range all {
			if !q.answered {
				q.answer(Hash{}, errBroken)
			}
		}
	}()
	r.batch(ctx, all)
}

// take takes what waits, at most maxBatch of it. The door is held.
func (r *Repo) take() []*request {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, size := 0, 0
	for n < len(r.waiting) && (n == 0 || size+r.waiting[n].size <= maxBatch) {
		size += r.waiting[n].size
		n++
	}
	taken := slices.Clone(r.waiting[:n])
	r.waiting = slices.Delete(r.waiting, 0, n)
	return taken
}

// withdraw takes a request out of the queue, unless a batch has it already.
func (r *Repo) withdraw(q *request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.waiting, q)
	if i >= 0 {
		r.waiting = slices.Delete(r.waiting, i, i+1)
	}
	return i >= 0
}

// batch writes all requests as one and answers them. The door is held.
func (r *Repo) batch(ctx context.Context, all []*request) {
	b := batch{repo: r, tip: r.head.Load(), stored: map[Hash]bool{}}
	start := b.tip
	var accepted []*request
	for _, q := range all {
		hash, err := Hash{}, q.ctx.Err()
		if err == nil {
			hash, err = b.add(ctx, q.change)
		} else {
			err = context.Cause(q.ctx)
		}
		if err != nil {
			q.answer(Hash{}, err)
			continue
		}
		q.hash = hash
		accepted = append(accepted, q)
	}
	var err error
	if b.tip != start {
		if err = r.writable(); err == nil {
			err = r.diagnose(r.write(ctx, start, &b))
		}
		if errors.Is(err, ErrMoved) {
			err = cmp.Or(r.reload(ctx), err)
		}
	}
	for _, q := range accepted {
		if err != nil {
			q.hash = Hash{}
		}
		q.answer(q.hash, err)
	}
}

// write makes a batch durable and visible.
func (r *Repo) write(ctx context.Context, start *head, b *batch) error {
	lock, err := r.live.hold(start.hash)
	if err != nil {
		return err
	}
	defer lock.drop()
	path, err := writePack(r.disk, filepath.Join(r.dir, "objects", "pack"), b.objects)
	if err == nil {
		err = r.objects.add(path)
	}
	if err != nil {
		return err
	}
	if err := lock.move(b.tip.hash, b.by, "commit: "+b.message); err != nil {
		return err
	}
	r.publish(b.tip)
	return nil
}

// batch is a chain of commits being made on top of the head.
type batch struct {
	repo    *Repo
	tip     *head
	objects []object
	stored  map[Hash]bool // blobs of this batch
	by      Signature     // of the last commit
	message string
}

// add chains one change. When it is refused the batch stays as it was.
func (b *batch) add(ctx context.Context, c Change) (Hash, error) {
	if (c.Exact || !c.Onto.IsZero()) && c.Onto != b.tip.hash {
		return Hash{}, ErrMoved
	}
	writes, made, err := b.writes(ctx, c.Edits)
	if err != nil {
		return Hash{}, err
	}
	e := editor{tree: b.tip.tree}
	root, err := e.apply(ctx, b.tip.tree.root, writes)
	if err != nil {
		return Hash{}, err
	}
	tree := &Tree{from: b.repo.objects, root: root}
	if tree.Hash() == b.tip.tree.Hash() {
		return b.tip.hash, nil
	}
	made = append(made, e.made...)
	name := tree.Hash()
	if root == nil {
		name = emptyTree
		made = append(made, object{emptyTree, kindTree, nil})
	}
	// Commit times never go backwards, even if somebody's clock was wrong. When it was written is told as it is.
	now := time.Now()
	by, when := c.Author, max(now.Unix(), b.tip.when)
	if by.When.IsZero() {
		by.When = now
	}
	data := encodeCommit(name, b.tip.hash, by, when, c.Message+movedTrailer(c.Moved))
	commit := object{hashObject(kindCommit, data), kindCommit, data}

	b.objects = append(b.objects, made...)
	b.objects = append(b.objects, commit)
	for _, o := range made {
		b.stored[o.hash] = true
	}
	b.tip = &head{hash: commit.hash, tree: tree, when: when}
	b.by, b.message = by, c.Message
	b.by.When = time.Unix(when, 0)
	return commit.hash, nil
}

// writes compares the edits with the tip and makes their blobs, sorted as editor wants them.
func (b *batch) writes(ctx context.Context, edits []Edit) (writes []write, made []object, err error) {
	for _, e := range edits {
		if err := checkPath(e.Path); err != nil {
			return nil, nil, err
		}
		now, err := b.tip.tree.Lookup(ctx, e.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		if now.Mode == Dir {
			now = Entry{} // a folder is no file; whether it makes way is seen later
		}
		if now.Hash != e.Old {
			return nil, nil, fmt.Errorf("%q: %w", e.Path, ErrMoved)
		}
		w := write{path: e.Path, remove: e.Remove}
		switch {
		case e.Remove && e.Old.IsZero():
			return nil, nil, fmt.Errorf("remove %q, which is not there: %w", e.Path, fs.ErrInvalid)
		case e.Remove:
		case !e.Same.IsZero():
			if err := b.isBlob(ctx, e.Same); err != nil {
				return nil, nil, fmt.Errorf("%q: %w", e.Path, err)
			}
			w.entry.Hash = e.Same
		default:
			o := object{hashObject(kindBlob, e.Data), kindBlob, e.Data}
			if !b.stored[o.hash] && !b.repo.objects.readable(o.hash) {
				made = append(made, o)
			}
			w.entry.Hash = o.hash
		}
		w.entry.Mode = cmp.Or(e.Mode, now.Mode, File)
		if w.entry.Mode == Dir {
			return nil, nil, fmt.Errorf("%q as a folder: %w", e.Path, fs.ErrInvalid)
		}
		writes = append(writes, w)
	}
	slices.SortFunc(writes, func(a, b write) int { return comparePaths(a.path, b.path) })
	for i := range writes[min(1, len(writes)):] {
		if writes[i].path == writes[i+1].path {
			return nil, nil, fmt.Errorf("%q twice in one change: %w", writes[i].path, fs.ErrInvalid)
		}
	}
	return writes, made, nil
}

func (b *batch) isBlob(ctx context.Context, h Hash) error {
	if b.stored[h] {
		return nil
	}
	// Not read: a change that brings back ten thousand files would hold the door for a second.
	k, err := b.repo.objects.kindOf(ctx, h)
	if err == nil && k != kindBlob {
		err = fmt.Errorf("blob %s is a %s: %w", h, k, fs.ErrNotExist)
	}
	return err
}

// comparePaths sorts a folder's contents right behind a file of its name.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

// checkPath refuses what git refuses in a tree. Whether a name is a good one is for the caller.
func checkPath(path string) error {
	if len(path) > 4096 || strings.Count(path, "/") >= maxDepth {
		return fmt.Errorf("path %.100q… is too long or too deep: %w", path, fs.ErrInvalid)
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.ContainsRune(name, 0) {
			return fmt.Errorf("path %q: %w", path, fs.ErrInvalid)
		}
	}
	return nil
}
