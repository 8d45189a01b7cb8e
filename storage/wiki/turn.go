package wiki

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// This file keeps what may be costly from taking the machine. The rules are:
//
//   - Whatever parses, renders, compares or rewrites texts for somebody who waits takes its turn here, unless they are
//     cheap. Those who follow the log parse one page after another, and take none.
//   - The smallest of those that wait is next, so that a page that is merely long does not wait for all the monsters.
//   - Whoever has waited too long, or comes when many wait, is told to come again: ErrCrowded.

// ErrCrowded is returned when too many large pages are asked for at once.
var ErrCrowded = errors.New("too many large pages are asked for at once")

// costlyAtOnce is how many pages that may take long are rendered or rewritten at once, in the whole process: one processor
// stays free for all else.
var costlyAtOnce = max(1, runtime.GOMAXPROCS(0)-1)

var costly = &queue{free: costlyAtOnce}

const (
	cheap      = 16 << 10         // bytes that a page may have that is never waited for, unless it shows others
	maxWait    = 20 * time.Second // for a turn
	maxWaiting = 64               // for a turn, at once: each may hold a text
)

// queue lets so many in at once, the smallest first.
type queue struct {
	mu      sync.Mutex // guards all below
	free    int
	waiting []*waiting // as they came
}

type waiting struct {
	size int
	next chan struct{} // closed when it is let in
}

// enter waits until it may begin. Whoever has entered has to leave.
func (q *queue) enter(ctx context.Context, size int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return nil
	}
	if len(q.waiting) >= maxWaiting {
		q.mu.Unlock()
		return ErrCrowded
	}
	w := &waiting{size: size, next: make(chan struct{})}
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()
	long := time.NewTimer(maxWait)
	defer long.Stop()
	var err error
	select {
	case <-w.next:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-long.C:
		err = ErrCrowded
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.waiting {
		if other == w {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return err
		}
	}
	return nil // let in meanwhile
}

func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.free++
		return
	}
	first := 0
	for i, w := range q.waiting {
		if w.size < q.waiting[first].size {
			first = i
		}
	}
	close(q.waiting[first].next)
	q.waiting = append(q.waiting[:first], q.waiting[first+1:]...)
}

// turn is that of one page among the costly ones. It is taken once, however many pages are shown in it, so that none waits
// for itself.
type turn struct {
	ctx  context.Context
	size int // of the page, in bytes
	held bool
	err  error // why it could not be taken
}

// inTurn does what may be costly with texts of so many bytes together, when it is their turn. The error is ErrCrowded, that
// of the context, or what do returns.
func inTurn(ctx context.Context, size int, do func() error) error {
	t := turn{ctx: ctx, size: size}
	defer t.end()
	if err := t.begin(); err != nil {
		return err
	}
	return do()
}

// begin waits for the turn of a page that is not cheap.
func (t *turn) begin() error {
	if t.size <= cheap {
		return nil
	}
	return t.take()
}

func (t *turn) take() error {
	if !t.held && t.err == nil {
		t.err = costly.enter(t.ctx, t.size)
		t.held = t.err == nil
	}
	return t.err
}

func (t *turn) end() {
	if t.held {
		costly.leave()
	}
}
