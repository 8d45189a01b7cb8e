package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// This file bounds the memory that files take on their way in and out, however many come at once and however slowly.

const (
	maxSending   = 256 << 20 // bytes of large files that are being sent
	maxStoring   = 128 << 20 // bytes of large files that are being stored
	maxSpooled   = 1 << 30   // bytes that have come, of files that are still coming; they lie on disk
	smallFile    = 256 << 10 // bytes; what is smaller is not counted
	roomPatience = 10 * time.Second
)

// errNoRoom is the answer when too many large files are on their way.
var errNoRoom = bad(503, "Many large files are on their way. Try again in a moment.")

// room is a number of bytes that may be held in all.
type room struct {
	*semaphore.Weighted
	size int64
}

func newRoom(size int64) room { return room{semaphore.NewWeighted(size), size} }

// take waits a moment until n bytes are free; what is larger than the room takes all of it. free gives them back.
func (r room) take(ctx context.Context, n int64) (free func(), err error) {
	if n <= smallFile {
		return func() {}, nil
	}
	n = min(n, r.size)
	wait, cancel := context.WithTimeout(ctx, roomPatience)
	defer cancel()
	if err := r.Acquire(wait, n); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errNoRoom
	}
	return func() { r.Release(n) }, nil
}

// sending are the large files that are being sent. All who are sent one file share its bytes. Safe for concurrent use.
type sending struct {
	room room
	mu   sync.Mutex // guards what follows
	held map[string]*sent
}

type sent struct {
	users int           // guarded by sending.mu
	read  chan struct{} // closed when what follows is settled
	bytes []byte
	free  func()
	err   error
}

func newSending() *sending { return &sending{room: newRoom(maxSending), held: map[string]*sent{}} }

// hold gives the bytes of a file, of which the size is known, until done is called. key names those bytes.
func (s *sending) hold(ctx context.Context, key string, size int64, read func(context.Context) ([]byte, error)) (b []byte, done func(), err error) {
	if size <= smallFile {
		b, err := read(ctx)
		return b, func() {}, err
	}
	s.mu.Lock()
	h := s.held[key]
	first := h == nil
	if first {
		h = &sent{read: make(chan struct{}), free: func() {}}
		s.held[key] = h
	}
	h.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if h.users--; h.users == 0 {
			h.free()
			delete(s.held, key)
		}
	}
	given := false
	defer func() { // also when read panics
		if !given {
			leave()
		}
	}()
	if first {
		s.fill(context.WithoutCancel(ctx), h, size, read) // for all, also when whoever came first leaves meanwhile
	}
	select {
	case <-h.read:
	case <-ctx.Done():
		return nil, func() {}, ctx.Err()
	}
	if h.err != nil {
		return nil, func() {}, h.err
	}
	given = true
	return h.bytes, leave, nil
}

// errUnread is what the others are told when reading a file has ended in a panic.
var errUnread = errors.New("the file could not be read")

func (s *sending) fill(ctx context.Context, h *sent, size int64, read func(context.Context) ([]byte, error)) {
	defer close(h.read)
	h.err = errUnread // until it is
	free, err := s.room.take(ctx, size)
	if err != nil {
		h.err = err
		return
	}
	h.free = free
	h.bytes, h.err = read(ctx)
}
