// This file opens the stores, keeps them following the spaces, and lets readers wait for them.

package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

const (
	patience = 300 * time.Millisecond // how long a reader waits for a store to reach its snapshot

	firstPause, longestPause = time.Second, time.Minute // between attempts to follow a space
)

// Index is the derived stores of one data folder. Its methods are safe for concurrent use.
type Index struct {
	log   *slog.Logger
	words *words
	trail *trail

	mu     sync.Mutex // guards what follows
	spaces map[string]*wiki.Space
	places map[placeKey]*place
}

// store is what follow needs of words and trail.
type store interface {
	name() string
	life() context.Context // ends when the store is begun anew
	position(space string) (wiki.Rev, error)
	// apply moves the store on; errAstray says that d.From is not its position.
	apply(ctx context.Context, d wiki.Delta) error
}

// Open opens the stores in dir (<data>/derived) or makes them. A store that is damaged or of another make is deleted
// and built again by Run; only a dir that cannot be written, or that another process holds, is an error.
func Open(dir string, log *slog.Logger) (*Index, error) {
	x := &Index{log: log, spaces: map[string]*wiki.Space{}, places: map[placeKey]*place{}}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	var err error
	if x.words, err = openWords(filepath.Join(dir, "words"), log); err != nil {
		return nil, err
	}
	if x.trail, err = openTrail(filepath.Join(dir, "log.db"), log); err != nil {
		return nil, errors.Join(err, x.words.close())
	}
	x.words.settled = func(ctx context.Context, in *wiki.Snapshot) {
		x.place(in.Space(), x.trail.name()).await(ctx, in, true)
	}
	x.words.facts = x.trail.facts
	return x, nil
}

// Remove deletes what Open made in dir, so that all is built again. No process may have it open.
func Remove(dir string) error {
	return errors.Join(os.RemoveAll(filepath.Join(dir, "words")), os.RemoveAll(filepath.Join(dir, "log.db")))
}

// Close closes the stores. End Run first.
func (x *Index) Close() error { return errors.Join(x.words.close(), x.trail.close()) }

// Run follows every space of w, also those that appear later, until ctx ends, and then returns nil. What goes wrong
// with one space is logged, shown by Status and tried again.
func (x *Index) Run(ctx context.Context, w *wiki.Wiki) error {
	g, ctx := errgroup.WithContext(ctx)
	for {
		added := w.Added()
		for _, s := range w.Spaces(ctx) {
			if !x.meet(s) {
				continue
			}
			for _, st := range []store{x.trail, x.words} {
				g.Go(func() error {
					x.follow(ctx, s, st)
					return nil
				})
			}
		}
		select {
		case <-added:
		case <-ctx.Done():
			x.forget()
			return g.Wait()
		}
	}
}

// meet notes a space and tells whether it is new.
func (x *Index) meet(s *wiki.Space) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, known := x.spaces[s.Name()]
	x.spaces[s.Name()] = s
	return !known
}

func (x *Index) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.spaces)
}

// follow keeps one store on the heels of one space until ctx ends.
func (x *Index) follow(ctx context.Context, s *wiki.Space, st store) {
	log := x.log.With("space", s.Name(), "store", st.name())
	at := x.place(s.Name(), st.name())
	pause := firstPause
	for ctx.Err() == nil {
		life := st.life()
		begun := time.Now()
		err := x.followOnce(ctx, life, s, st, at, log)
		switch {
		case ctx.Err() != nil:
			return
		case life.Err() != nil || errors.Is(err, errAstray):
			at.begin() // somebody began the store anew
		default:
			at.fail(err)
			log.Error("follow the space", "rev", at.rev(), "err", err)
		}
		if time.Since(begun) > longestPause {
			pause = firstPause
		}
		if errors.Is(err, errAstray) && pause == firstPause {
			pause = 2 * firstPause // the first time at once
			continue
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longestPause)
	}
}

func (x *Index) followOnce(ctx, life context.Context, s *wiki.Space, st store, at *place, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	since, err := st.position(s.Name())
	if err != nil {
		return err
	}
	first := true
	return s.Follow(ctx, since, func(d wiki.Delta) error {
		start := time.Now()
		if first && d.From == "" && d.To.Rev() != "" {
			at.begin()
		}
		first = false
		if err := st.apply(ctx, d); err != nil {
			return fmt.Errorf("from %q to %q: %w", d.From, d.To.Rev(), err)
		}
		at.reach(d.To)
		log.Debug("followed the space", "rev", d.To.Rev(), "took", time.Since(start))
		return nil
	})
}

// Status tells how far each store has come, by space and store; empty before Run.
func (x *Index) Status() []Status {
	x.mu.Lock()
	spaces := slices.Collect(maps.Values(x.spaces))
	x.mu.Unlock()
	var all []Status
	for _, s := range spaces {
		head, err := s.Head(follower{})
		for _, st := range []store{x.trail, x.words} {
			status := x.place(s.Name(), st.name()).status()
			status.Space, status.Store = s.Name(), st.name()
			if err != nil {
				status.Err = err
			} else {
				status.Head = head.Seq()
				status.Behind = status.Head - min(status.Head, status.Seq)
			}
			all = append(all, status)
		}
	}
	slices.SortFunc(all, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Store, b.Store))
	})
	return all
}

// Status is how far one store has followed one space.
type Status struct {
	Space  string
	Store  string   // "words" or "log"
	Rev    wiki.Rev // reached
	Seq    uint64   // reached, 0 when nothing has been reached since the start
	Head   uint64   // the Seq of the space's head
	Behind uint64   // heads still to go; at least 1 until the first has been reached
	Err    error    // why it does not get on, nil when it does
}

// follower is the actor that looks at heads: it may read all and write nothing.
type follower struct{}

func (follower) Name() string                    { return "search" }
func (follower) Email() string                   { return "" }
func (follower) CanRead(string) bool             { return true }
func (follower) CanWrite(string, page.Path) bool { return false }
func (follower) CanManage(string) bool           { return false }

// reached waits until the store has reached the snapshot, but not for long, and tells whether it has.
func (x *Index) reached(ctx context.Context, st store, in *wiki.Snapshot) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return x.place(in.Space(), st.name()).await(ctx, in, false)
}

type placeKey struct{ space, store string }

func (x *Index) place(space, store string) *place {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := placeKey{space, store}
	if x.places[k] == nil {
		x.places[k] = &place{wake: make(chan struct{})}
	}
	return x.places[k]
}

// place is how far one store has followed one space in this process.
type place struct {
	mu       sync.Mutex // guards what follows
	at       wiki.Rev
	seq      uint64        // 0 until a head has been reached
	building bool          // from nothing
	err      error         // of the last attempt
	wake     chan struct{} // closed and replaced at each change
}

func (p *place) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	close(p.wake)
	p.wake = make(chan struct{})
}

func (p *place) begin()         { p.change(func() { p.at, p.seq, p.building, p.err = "", 0, true, nil }) }
func (p *place) fail(err error) { p.change(func() { p.err = err }) }

func (p *place) reach(to *wiki.Snapshot) {
	p.change(func() { p.at, p.seq, p.building, p.err = to.Rev(), to.Seq(), false, nil })
}

func (p *place) rev() wiki.Rev {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *place) status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Status{Rev: p.at, Seq: p.seq, Err: p.err}
}

// await waits until the place has reached the snapshot, ctx ends or something goes wrong, and tells whether it has.
// Only who is stubborn waits for a store that is being built from nothing.
func (p *place) await(ctx context.Context, in *wiki.Snapshot, stubborn bool) bool {
	for {
		p.mu.Lock()
		there := p.seq > 0 && p.seq >= in.Seq()
		hopeless := p.err != nil || p.building && !stubborn
		wake := p.wake
		p.mu.Unlock()
		if there || hopeless {
			return there
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return false
		}
	}
}
