// This file keeps one store open, whatever happens to its files: a store that proves to be damaged is begun anew while
// readers and followers go on, and one that cannot be written is closed until it can. The rules are:
//
//   - Bleve and bbolt may panic on damaged files. Every call that reads them goes through guard.
//   - To open, to follow and to verify depend on the files and on git alone: a panic there is damage.
//   - A question has the words of a guest in it. A panic there may be a fault of ours, which must not be a way to delete
//     the store: it fails that question. It is damage when the store cannot be probed either, or when it happens again;
//     the latter once an hour at most.
//   - Bleve and bbolt may also hang on damaged files, as a panic leaves locks behind. To open and to close have a time
//     limit; what does not return is left where it is. As it may hold its file for ever, what is begun anew has a new name.
//   - What is wrong with the disk is not damage: there is no store then, and from time to time another attempt.
//   - Nothing is deleted or made after close.

package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	// errDamaged is what came of reading a store that is not as it was written.
	errDamaged = errors.New("the store is damaged")
	// errSuspect is an error of a question that may be damage.
	errSuspect = errors.New("the store cannot be read")
	// errNone says that there is no store for now; a question has an empty answer.
	errNone = fmt.Errorf("there is no store: %w", fs.ErrNotExist)
	// errClosed says that the question came too late.
	errClosed = fmt.Errorf("the index is closed: %w", fs.ErrClosed)
	// errAstray says that a delta does not begin where the store is: follow again from there.
	errAstray = errors.New("the store is at another revision")
	// errHeld is no damage: another process works on the store.
	errHeld = errors.New("another process has it open")
	// errStuck is what did not return in time.
	errStuck = errors.New("it hangs")
)

const (
	stuckAfter = 10 * time.Second // of opening or closing a store
	tryAgain   = 10 * time.Second // while there is no store
	room       = 256 << 10        // bytes that a disk must take to be tried again
	sparing    = time.Hour        // between two times that questions alone have a store begun anew
	strikes    = 3                // failures to write, on a disk that takes bytes, that are damage
)

// panicked is a panic that was caught.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprint("panic: ", p.value) }

// maker is how a kind of store is made.
type maker[T io.Closer] struct {
	open   func(path string) (T, error)
	create func(path string) (T, error)         // makes an empty one
	probe  func(T) error                        // reads a little of everything, and nothing that a guest has chosen
	prove  func(ctx context.Context, s T) error // reads everything, behind the readers' backs
	limit  time.Duration                        // of opening and closing
}

// held is a store in a folder. The first has the bare name, the nth that is begun anew "-n" before its extension.
type held[T io.Closer] struct {
	maker[T]
	dir, name string
	log       *slog.Logger
	work      sync.WaitGroup // on what follows, behind the readers' backs

	mu      sync.Mutex // guards what follows
	current *handle[T] // nil while there is none
	least   int        // numbers below belong to damaged stores, or to such as hang
	failed  int        // times that a store could not be written since it was
	spared  time.Time  // when questions alone had a store begun anew
	alive   context.Context
	end     context.CancelFunc // ends alive: another store comes, or none
	closed  bool
	closing chan struct{} // closed by close
}

// handle is one open store.
type handle[T io.Closer] struct {
	store    T
	number   int
	users    sync.WaitGroup // Add only under held.mu, while it is current
	suspects int            // questions that it failed; guarded by held.mu
}

// hold opens the newest store called name in dir, or makes one when there is none or anything but a good one. Only errHeld
// is an error: with any other trouble there is no store until a later attempt.
func hold[T io.Closer](dir, name string, log *slog.Logger, m maker[T]) (*held[T], error) {
	h := &held[T]{maker: m, dir: dir, name: name, log: log, closing: make(chan struct{})}
	h.alive, h.end = context.WithCancel(context.Background())
	to, err := h.obtain()
	switch {
	case errors.Is(err, errHeld):
		h.end()
		return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, name), err)
	case err != nil:
		log.Error("go without a store for now", "err", err)
		h.work.Go(h.retry)
	default:
		h.install(to)
	}
	return h, nil
}

// path is where the store with a number is.
func (h *held[T]) path(number int) string { return numbered(h.dir, h.name, number) }

func numbered(dir, name string, number int) string {
	if number == 0 {
		return filepath.Join(dir, name)
	}
	ext := filepath.Ext(name)
	return filepath.Join(dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), number, ext))
}

// numbers lists the stores called name in dir.
func numbers(dir, name string) []int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var all []int
	ext := filepath.Ext(name)
	for _, e := range entries {
		if e.Name() == name {
			all = append(all, 0)
		}
		stem, ok := strings.CutSuffix(e.Name(), ext)
		digits, ok2 := strings.CutPrefix(stem, strings.TrimSuffix(name, ext)+"-")
		if n, err := strconv.Atoi(digits); ok && ok2 && err == nil && n > 0 && strconv.Itoa(n) == digits {
			all = append(all, n)
		}
	}
	return all
}

// obtain opens the newest store or makes a newer one.
func (h *held[T]) obtain() (*handle[T], error) {
	if err := os.MkdirAll(h.dir, 0o777); err != nil {
		return nil, err
	}
	number := -1
	for _, n := range numbers(h.dir, h.name) {
		number = max(number, n)
	}
	h.mu.Lock()
	least := h.least
	h.mu.Unlock()
	if number >= least {
		store, err := h.attempt(h.open, h.path(number))
		switch {
		case err == nil:
			return &handle[T]{store: store, number: number}, nil
		case errors.Is(err, errHeld), ofDisk(err):
			return nil, err
		case !errors.Is(err, fs.ErrNotExist):
			h.log.Warn("begin a store anew that cannot be opened", "path", h.path(number), "err", err)
		}
	}
	number = max(number+1, least)
	store, err := h.attempt(h.create, h.path(number))
	if err != nil {
		if errors.Is(err, errStuck) {
			h.skip(number)
		} else {
			err = errors.Join(err, os.RemoveAll(h.path(number)))
		}
		return nil, err
	}
	return &handle[T]{store: store, number: number}, nil
}

// skip lets no store up to number be opened again.
func (h *held[T]) skip(number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.least = max(h.least, number+1)
}

// attempt calls open, but does not wait for ever.
func (h *held[T]) attempt(open func(string) (T, error), path string) (store T, err error) {
	type outcome struct {
		store T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = guard(func() (err error) {
			o.store, err = open(path)
			return err
		})
		done <- o
	}()
	select {
	case o := <-done:
		return o.store, o.err
	case <-time.After(h.limit):
		go func() {
			if o := <-done; o.err == nil {
				_ = guard(o.store.Close)
			}
		}()
		return store, fmt.Errorf("%s: %w", path, errStuck)
	}
}

// ofDisk tells whether an error is about the disk, or the rights to it, and not about what is on it.
func ofDisk(err error) bool {
	for _, e := range []error{fs.ErrPermission, syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// install lets everybody use a store, and removes those before it.
func (h *held[T]) install(to *handle[T]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		_ = guard(to.store.Close)
		return
	}
	h.current = to
	h.end()
	h.alive, h.end = context.WithCancel(context.Background())
	for _, n := range numbers(h.dir, h.name) {
		if n < to.number {
			if err := os.RemoveAll(h.path(n)); err != nil {
				h.log.Warn("remove an old store", "err", err)
			}
		}
	}
	alive := h.alive
	to.users.Add(1)
	h.work.Go(func() {
		err := damage(guard(func() error { return h.prove(alive, to.store) }))
		to.users.Done()
		if errors.Is(err, errDamaged) {
			h.drop(to, true, err)
		}
	})
}

// retry tries to have a store until there is one.
func (h *held[T]) retry() {
	for {
		select {
		case <-h.closing:
			return
		case <-time.After(tryAgain):
		}
		if h.recover() {
			return
		}
	}
}

// recover tries once to have a store again.
func (h *held[T]) recover() bool {
	h.mu.Lock()
	there := h.current != nil
	h.mu.Unlock()
	if there {
		return true
	}
	err := writable(h.dir)
	var to *handle[T]
	if err == nil {
		to, err = h.obtain()
	}
	if err != nil {
		h.log.Error("go on without a store", "err", err)
		return false
	}
	h.log.Info("there is a store again", "path", h.path(to.number))
	h.install(to)
	return true
}

// writable tells whether the disk takes some bytes.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "room-*")
	if err != nil {
		return err
	}
	_, err = f.Write(bytes.Repeat([]byte{1}, room))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// drop takes a store out of use, unless that has been done. One that is damaged is begun anew.
func (h *held[T]) drop(of *handle[T], damaged bool, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.current != of {
		return
	}
	h.current = nil
	h.end()
	h.alive, h.end = context.WithCancel(context.Background())
	if damaged {
		h.log.Error("begin a damaged store anew", "err", why)
		h.failed = 0
		h.least = max(h.least, of.number+1)
		h.work.Go(func() {
			if !h.recover() {
				h.retry()
			}
		})
		h.work.Go(func() { _ = h.retire(of) }) // nothing of it is wanted
		return
	}
	h.log.Error("close a store that cannot be written", "err", why)
	h.work.Go(func() {
		if err := h.retire(of); err != nil {
			h.log.Error("close a store that cannot be written", "err", err)
		}
		h.retry()
	})
}

// cannotWrite says that the current store at path failed to write. That is the fault of the disk, unless it goes on.
func (h *held[T]) cannotWrite(path string, err error) {
	h.mu.Lock()
	of := h.current
	ours := !h.closed && of != nil && h.path(of.number) == path
	if ours {
		h.failed++
	}
	failed := h.failed
	h.mu.Unlock()
	if ours {
		h.drop(of, failed >= strikes && writable(h.dir) == nil, err)
	}
}

// wrote says that a store can be written.
func (h *held[T]) wrote() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed = 0
}

// retire closes a store when nobody uses it any more.
func (h *held[T]) retire(of *handle[T]) error {
	done := make(chan error, 1)
	go func() {
		of.users.Wait()
		done <- guard(of.store.Close)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(h.limit):
		h.skip(of.number)
		return fmt.Errorf("close %s: %w", h.path(of.number), errStuck)
	}
}

// take is the current store and its life, for use until users.Done.
func (h *held[T]) take() (*handle[T], context.Context, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, nil, errClosed
	case h.current == nil:
		return nil, nil, errNone
	}
	h.current.users.Add(1)
	return h.current, h.alive, nil
}

// with calls fn with the store, which stays open meanwhile. When fn panics or finds it damaged, it is begun anew.
func (h *held[T]) with(fn func(T) error) error {
	return h.use(func(context.Context) bool { return true }, fn)
}

// within is with for who has begun in that life of the store and must not go on in another: that is errAstray.
func (h *held[T]) within(life context.Context, fn func(T) error) error {
	return h.use(func(alive context.Context) bool { return alive == life }, fn)
}

func (h *held[T]) use(right func(life context.Context) bool, fn func(T) error) error {
	of, alive, err := h.take()
	if err != nil {
		return err
	}
	if !right(alive) {
		of.users.Done()
		return errAstray
	}
	err = damage(guard(func() error { return fn(of.store) }))
	of.users.Done()
	if errors.Is(err, errDamaged) {
		h.drop(of, true, err)
	}
	return err
}

// ask is with for the questions of guests: a panic of fn is damage only when the probe says so too, or the second time.
// An error for damage is errNone as well: by then, that is how it is.
func (h *held[T]) ask(fn func(T) error) error {
	of, _, err := h.take()
	if err != nil {
		return err
	}
	err = guard(func() error { return fn(of.store) })
	p := (*panicked)(nil)
	if errors.As(err, &p) || errors.Is(err, errSuspect) {
		stack := ""
		if p != nil {
			stack = string(p.stack)
		}
		h.log.Error("answer a question", "err", err, "stack", stack)
		if found := guard(func() error { return h.probe(of.store) }); found != nil {
			err = fmt.Errorf("%w: %w", errDamaged, found)
		} else if h.again(of) {
			err = fmt.Errorf("%w: again %w", errDamaged, err)
		}
	}
	of.users.Done()
	if errors.Is(err, errDamaged) {
		h.drop(of, true, err)
		err = fmt.Errorf("%w: %w", errNone, err)
	}
	return err
}

// again counts the questions that a store has failed, and tells whether it is to be begun anew for that.
func (h *held[T]) again(of *handle[T]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	of.suspects++
	if of.suspects < 2 || !h.spared.IsZero() && time.Since(h.spared) < sparing {
		return false
	}
	h.spared = time.Now()
	return true
}

// damage makes a panic errDamaged.
func damage(err error) error {
	if p := (*panicked)(nil); errors.As(err, &p) {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// life ends when another store comes, or none: positions from before mean nothing then.
func (h *held[T]) life() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.alive
}

func (h *held[T]) close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	close(h.closing)
	h.end()
	of := h.current
	h.current = nil
	h.mu.Unlock()
	h.work.Wait()
	if of == nil {
		return nil
	}
	return h.retire(of)
}

// guard turns a panic, also one over a file that is shorter than it says, into an error. A panic with errDamaged is how
// that error leaves a transaction.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if e, ok := r.(error); ok && errors.Is(e, errDamaged) {
			err = e
		} else if r != nil {
			err = &panicked{r, debug.Stack()}
		}
	}()
	return fn()
}
