// This file keeps one store open, whatever happens to its files: a store that proves to be damaged is deleted and begun
// anew while readers and followers go on. The rules are:
//
//   - Bleve and bbolt may panic on damaged files. Every call that reads them goes through guard.
//   - To open, to follow and to verify depend on the files and on git alone: a panic there is damage.
//   - A question has the words of a guest in it. A panic there may be a fault of ours, which must not be a way to delete
//     the store: it fails that question, and is damage only when the store cannot be probed either.
//   - Nothing is deleted or made after close.

package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
)

var (
	// errDamaged is what came of reading a store that is not as it was written.
	errDamaged = errors.New("the store is damaged")
	// errClosed says that the question came too late.
	errClosed = fmt.Errorf("the index is closed: %w", fs.ErrClosed)
	// errAstray says that a delta does not begin where the store is: follow again from there.
	errAstray = errors.New("the store is at another revision")
	// errHeld is no damage: another process works on the store.
	errHeld = errors.New("another process has it open")
)

// panicked is a panic that was caught.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprint("panic: ", p.value) }

// held is an open store at a path.
type held[T io.Closer] struct {
	path   string
	log    *slog.Logger
	create func(path string) (T, error) // makes an empty one
	probe  func(T) error                // reads a little of everything, and nothing that a guest has chosen

	mu     sync.RWMutex // held for writing while the store is replaced; guards what follows
	store  T
	open   bool
	closed bool
	alive  context.Context // ends when the store is replaced
	end    context.CancelFunc
}

// hold opens the store at path with open, or makes it with create when open finds none or anything but a good one.
func hold[T io.Closer](path string, log *slog.Logger, open, create func(path string) (T, error), probe func(T) error) (*held[T], error) {
	h := &held[T]{path: path, log: log, create: create, probe: probe}
	h.alive, h.end = context.WithCancel(context.Background())
	err := guard(func() (err error) {
		h.store, err = open(path)
		return err
	})
	switch {
	case err == nil:
		h.open = true
		return h, nil
	case errors.Is(err, errHeld):
		h.end()
		return nil, fmt.Errorf("open %s: %w", path, err)
	case !errors.Is(err, os.ErrNotExist):
		log.Warn("begin a store anew that cannot be opened", "err", err)
	}
	if err := h.anew(); err != nil {
		h.end()
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	return h, nil
}

// anew sets an empty store. The caller holds h.mu or is alone.
func (h *held[T]) anew() error {
	if err := os.RemoveAll(h.path); err != nil {
		return err
	}
	return guard(func() (err error) {
		h.store, err = h.create(h.path)
		h.open = err == nil
		return err
	})
}

// with calls fn with the store, which stays open meanwhile. When fn panics or finds it damaged, it is begun anew.
func (h *held[T]) with(fn func(T) error) error {
	h.mu.RLock()
	return h.unlock(damage(h.run(fn)))
}

// within is with for who has begun in that life of the store and must not go on in another: that is errAstray.
func (h *held[T]) within(life context.Context, fn func(T) error) error {
	h.mu.RLock()
	if h.alive != life {
		return h.unlock(errAstray)
	}
	return h.unlock(damage(h.run(fn)))
}

// ask is with for the questions of guests: a panic of fn is damage only when the probe says so too.
func (h *held[T]) ask(fn func(T) error) error {
	h.mu.RLock()
	err := h.run(fn)
	if p := (*panicked)(nil); errors.As(err, &p) {
		h.log.Error("answer a question", "err", err, "stack", string(p.stack))
		if found := h.run(h.probe); found != nil {
			err = fmt.Errorf("%w: %w", errDamaged, found)
		}
	}
	return h.unlock(err)
}

// damage makes a panic errDamaged.
func damage(err error) error {
	if p := (*panicked)(nil); errors.As(err, &p) {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// run needs h.mu for reading.
func (h *held[T]) run(fn func(T) error) error {
	switch {
	case h.closed:
		return errClosed
	case !h.open:
		return errDamaged
	}
	return guard(func() error { return fn(h.store) })
}

// unlock lets go of h.mu for reading and mends what err says.
func (h *held[T]) unlock(err error) error {
	alive := h.alive
	h.mu.RUnlock()
	if errors.Is(err, errDamaged) {
		h.replace(alive, err)
	}
	return err
}

// replace begins the store anew, unless somebody has done so since alive.
func (h *held[T]) replace(alive context.Context, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.alive != alive || alive.Err() != nil && h.open {
		return
	}
	h.log.Error("begin a damaged store anew", "err", why)
	h.end()
	h.shut()
	h.alive, h.end = context.WithCancel(context.Background())
	if err := h.anew(); err != nil {
		h.log.Error("begin a damaged store anew", "err", err)
	}
}

// life ends when the store is begun anew: positions from before mean nothing then.
func (h *held[T]) life() context.Context {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.alive
}

func (h *held[T]) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.end()
	return h.shut()
}

func (h *held[T]) shut() error {
	if !h.open {
		return nil
	}
	h.open = false
	return guard(h.store.Close)
}

// guard turns a panic, also one over a file that is shorter than it says, into an error.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{r, debug.Stack()}
		}
	}()
	return fn()
}
