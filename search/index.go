// This file opens the stores, keeps them following the spaces, and lets readers wait for them.

package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

const (
	patience = 300 * time.Millisecond // how long a reader waits for a store to reach its snapshot

	lookAround = 2 * time.Second // between looks for spaces that another process has made

	firstPause, longestPause = time.Second, time.Minute // between attempts to follow a space

	restAfter = 30 * time.Millisecond // at most, between a round and the next: see followOnce
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
	// position is the revision that the store has reached in a space, "" for none, and the one that a move was on the way
	// to when it was cut short, "" when none was.
	position(space string) (at, toward wiki.Rev, err error)
	// clear forgets a space.
	clear(ctx, life context.Context, space string) error
	// move brings a space from d.From, where it is or a move to d.To has been cut short, to d.To.
	move(ctx, life context.Context, d wiki.Delta) error
	// verify looks whether the store holds what it should at its position; errAstray says that it did not and was cleared.
	verify(ctx, life context.Context, in *wiki.Snapshot) error
}

// Open opens the stores in dir (<data>/derived) or makes them. A store that is damaged or of another make is deleted and
// built again by Run; while the disk takes none there is none, and answers are empty. Only that another process holds
// them is an error.
func Open(dir string, log *slog.Logger) (*Index, error) {
	x := &Index{log: log, spaces: map[string]*wiki.Space{}, places: map[placeKey]*place{}}
	var err error
	if x.words, err = openWords(dir, log); err != nil {
		return nil, err
	}
	if x.trail, err = openTrail(dir, log); err != nil {
		return nil, errors.Join(err, x.words.close())
	}
	x.words.settled, x.words.facts, x.words.touched = x.settled, x.trail.facts, x.trail.touched
	return x, nil
}

// Remove deletes what Open made in dir, so that all is built again. No process may have it open.
func Remove(dir string) error {
	var err error
	for _, name := range []string{"words", "log.db"} {
		for _, n := range numbers(dir, name) {
			err = errors.Join(err, os.RemoveAll(numbered(dir, name, n)))
		}
	}
	return err
}

// Close closes the stores. End Run first; who asks afterwards gets an error that wraps fs.ErrClosed.
func (x *Index) Close() error { return errors.Join(x.words.close(), x.trail.close()) }

// Run follows every space of w, also those that appear later, by whatever process, until ctx ends, and then returns nil.
// What goes wrong with one space is logged, shown by Status and tried again.
func (x *Index) Run(ctx context.Context, w *wiki.Wiki) error {
	g, ctx := errgroup.WithContext(ctx)
	again := time.NewTicker(lookAround)
	defer again.Stop()
	for {
		added := w.Added()
		for _, s := range x.meet(w.Spaces(ctx)) {
			for _, st := range []store{x.trail, x.words} {
				g.Go(func() error {
					x.follow(ctx, s, st)
					return nil
				})
			}
		}
		select {
		case <-added:
		case <-again.C: // w.Spaces costs a stat
		case <-ctx.Done():
			x.forget()
			return g.Wait()
		}
	}
}

// meet notes the spaces, all at once, and gives those that are new.
func (x *Index) meet(spaces []*wiki.Space) (news []*wiki.Space) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range spaces {
		if x.spaces[s.Name()] == nil {
			news = append(news, s)
		}
		x.spaces[s.Name()] = s
	}
	return news
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
		var mended <-chan struct{} // when there is another store, or none, before the next attempt
		begun := time.Now()
		err := x.followOnce(ctx, life, s, st, at, log)
		switch {
		case ctx.Err() != nil:
			return
		case life.Err() != nil || errors.Is(err, errAstray):
			at.begin() // somebody began the store anew
		default:
			at.fail(err)
			mended = life.Done()
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
		case <-mended:
		case <-ctx.Done():
		}
		pause = min(2*pause, longestPause)
	}
}

func (x *Index) followOnce(ctx, life context.Context, s *wiki.Space, st store, at *place, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	since, err := resume(ctx, life, s, st)
	if err != nil {
		return err
	}
	first := true
	return s.Follow(ctx, since, func(d wiki.Delta) error {
		start := time.Now()
		var err error
		switch {
		case d.From == "":
			if first && d.To.Rev() != "" {
				at.begin()
			}
			if err = st.clear(ctx, life, s.Name()); err == nil {
				err = st.move(ctx, life, d)
			}
		case d.From == d.To.Rev():
			err = st.verify(ctx, life, d.To)
		default:
			err = st.move(ctx, life, d)
		}
		first = false
		if err != nil {
			return fmt.Errorf("from %q to %q: %w", d.From, d.To.Rev(), err)
		}
		at.reach(d.To)
		took := time.Since(start)
		log.Debug("followed the space", "rev", d.To.Rev(), "took", took)
		// While many save, the disk and the processor are theirs first: what comes in the meantime is followed together.
		select {
		case <-time.After(min(3*took, restAfter)):
		case <-ctx.Done():
		}
		return nil
	})
}

// resume is where to follow a space from. A move that was cut short is done to its end first, to where it was on the way
// and not to where the head is now: what it wrote for a page that has been changed back since is in no other difference.
// When that revision, or the one before it, is unknown by now, the space begins from nothing.
func resume(ctx, life context.Context, s *wiki.Space, st store) (wiki.Rev, error) {
	since, toward, err := st.position(s.Name())
	if err != nil || since == "" || toward == "" {
		return since, err
	}
	_, err = s.At(ctx, follower{}, string(since))
	var to *wiki.Snapshot
	if err == nil {
		to, err = s.At(ctx, follower{}, string(toward))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	}
	if err := st.move(ctx, life, wiki.Delta{From: since, To: to}); err != nil {
		return "", fmt.Errorf("resume from %q to %q: %w", since, toward, err)
	}
	return toward, nil
}

// settled waits until the log has reached the head of the space.
func (x *Index) settled(ctx context.Context, space string) error {
	x.mu.Lock()
	s := x.spaces[space]
	x.mu.Unlock()
	if s == nil {
		return errors.New("nobody follows the space")
	}
	head, err := s.Head(follower{})
	if err != nil {
		return err
	}
	if !x.place(space, x.trail.name()).await(ctx, head, true) {
		return cmp.Or(ctx.Err(), errors.New("the log does not get on"))
	}
	return nil
}

// Status tells how far each store has come, by space and store. It lists every store of every space that Run knows, also
// those that have not begun; only while Run does not run it is empty.
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
	ctx, cancel := patient(ctx)
	defer cancel()
	return x.place(in.Space(), st.name()).await(ctx, in, false)
}

// Reached reports whether the log (history, links, tags) has come as far as the snapshot. It does not wait.
func (x *Index) Reached(in *wiki.Snapshot) bool {
	st := x.place(in.Space(), x.trail.name()).status()
	return st.Seq > 0 && st.Seq >= in.Seq()
}

// errPatience ends the wait of a reader who has waited as long as readers do.
var errPatience = errors.New("waited long enough")

func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, patience, errPatience)
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
	vain     uint64        // the lowest Seq that a reader has waited for in vain since the last change; 0 if none has
	err      error         // of the last attempt
	wake     chan struct{} // closed and replaced at each change
}

func (p *place) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	p.vain = 0
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

// await waits until the place has reached the snapshot, ctx ends or something goes wrong, and tells whether it has. Only
// who is stubborn waits for a store that is being built from nothing, or for a snapshot like that, or one still newer, for
// which a reader has waited in vain since the store moved last: the waits of one request, and of many, do not add up.
func (p *place) await(ctx context.Context, in *wiki.Snapshot, stubborn bool) bool {
	for {
		p.mu.Lock()
		there := p.seq > 0 && p.seq >= in.Seq()
		vain := p.vain > 0 && p.vain <= max(in.Seq(), 1)
		hopeless := p.err != nil || (p.building || vain) && !stubborn
		wake := p.wake
		p.mu.Unlock()
		if there || hopeless {
			return there
		}
		select {
		case <-wake:
		case <-ctx.Done():
			if context.Cause(ctx) == errPatience {
				p.gaveUp(wake, in)
			}
			return false
		}
	}
}

// gaveUp notes that a reader has waited in vain, unless the place has changed in the meantime.
func (p *place) gaveUp(wake chan struct{}, in *wiki.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wake != wake {
		return
	}
	if seq := max(in.Seq(), 1); p.vain == 0 || seq < p.vain {
		p.vain = seq
	}
}
