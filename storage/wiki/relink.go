package wiki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file writes the links anew for a move (see move.go): it looks at every page of the space, several at once, the
// large ones last and within a bounded time.

// mover looks through the pages of a head for what a move changes.
type mover struct {
	by    Actor
	head  *Snapshot
	moves page.Moves

	mentions *page.Mentions         // nil: any page may have to be changed
	seen     map[page.Path]lookedAt // by an earlier plan of the same move
	now      map[page.Path]lookedAt

	left  time.Duration // for large pages,
	spent atomic.Int64  // of it, in nanoseconds
}

// parse does something with the source of a page, in its turn. The error is ErrNoTime for a large page when too much has
// been spent on others.
func (w *mover) parse(ctx context.Context, size int, do func() error) error {
	return inTurn(ctx, size, func() error {
		if size <= cheap {
			return do()
		}
		if w.spent.Load() >= int64(w.left) {
			return ErrNoTime
		}
		start := time.Now()
		defer func() { w.spent.Add(int64(time.Since(start))) }()
		return do()
	})
}

// lookedAt is what a move does to a page.
type lookedAt struct {
	blob    git.Hash
	text    []byte // nil when it stays as it is
	changed int
	err     error
}

// settle works out what the names are after the move, and what a page must mention to be concerned.
func (w *mover) settle(ctx context.Context) {
	before := w.head.names()
	from, to := slices.Collect(maps.Keys(w.moves.Files)), slices.Collect(maps.Values(w.moves.Files))
	after := before.With(to, from)
	was := make(map[page.Path]page.Path, len(w.moves.Files))
	for p, q := range w.moves.Files {
		was[q] = p
	}
	w.moves.After = w.moves.Before
	w.moves.After.Names = after
	w.moves.After.Profile = page.DetectProfile(after, func(p page.Path) []byte {
		b, err := w.head.Read(ctx, cmp.Or(was[p], p))
		if err != nil {
			return nil
		}
		return b
	})
	if w.moves.After.Profile != w.moves.Before.Profile {
		return
	}
	names := slices.Concat(from, to)
	for _, p := range slices.Concat(from, to) {
		for dir := p.Dir(); dir != ""; dir = page.Path(dir).Dir() {
			if before.HasDir(dir) == after.HasDir(dir) {
				break
			}
			names = append(names, page.Path(dir))
			if strings.EqualFold(dir, "wiki") {
				return // "/wiki/Name" means something else with it
			}
		}
	}
	for dir := range w.moves.Folders {
		names = append(names, page.Path(dir))
	}
	w.mentions = page.NewMentions(names...)
}

// look reads the pages and rewrites those that the move concerns.
func (w *mover) look(ctx context.Context) (map[page.Path]lookedAt, error) {
	var all []page.Path
	for p := range w.head.names().All() {
		if p.IsPage() && p.Served() {
			all = append(all, p)
		}
	}
	found, sizes := make([]lookedAt, len(all)), make([]int, len(all))
	err := w.parallel(ctx, len(all), func(i int) (err error) {
		found[i], sizes[i], err = w.page(ctx, all[i], false)
		return err
	})
	if err != nil {
		return nil, err
	}
	var large []int
	for i, size := range sizes {
		if size > 0 {
			large = append(large, i)
		}
	}
	slices.SortFunc(large, func(i, j int) int { return cmp.Or(sizes[i]-sizes[j], cmp.Compare(all[i], all[j])) })
	err = w.parallel(ctx, len(large), func(i int) (err error) {
		found[large[i]], _, err = w.page(ctx, all[large[i]], true)
		return err
	})
	if err != nil {
		return nil, err
	}
	w.now = make(map[page.Path]lookedAt, len(all))
	touched := map[page.Path]lookedAt{}
	for i, p := range all {
		w.now[p] = found[i]
		if f := found[i]; f.text != nil || f.err != nil {
			touched[p] = f
		}
	}
	return touched, nil
}

// parallel leaves a processor to those who read and save meanwhile.
func (w *mover) parallel(ctx context.Context, n int, do func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	workers := min(costlyAtOnce, n)
	for first := range workers {
		g.Go(func() error {
			for i := first; i < n; i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// page looks at one page. A large one that has to be rewritten is left for later, and its size returned, unless now.
func (w *mover) page(ctx context.Context, p page.Path, now bool) (out lookedAt, later int, err error) {
	e, err := w.head.lookup(ctx, p)
	if err != nil {
		return lookedAt{}, 0, err
	}
	if kept, ok := w.seen[p]; ok && kept.blob == e.Hash {
		return kept, 0, nil
	}
	out = lookedAt{blob: e.Hash}
	src, err := w.head.tree.Blob(ctx, e)
	if errors.Is(err, git.ErrMissing) {
		out.err = err // one damaged page harms one page
		return out, 0, nil
	}
	if err != nil {
		return out, 0, err
	}
	if _, moves := w.moves.Files[p]; !moves && w.mentions != nil && !w.mentions.In(src) {
		return out, 0, nil
	}
	if len(src) > cheap && !now {
		return out, len(src), nil
	}
	var r page.Rewritten
	err = w.parse(ctx, len(src), func() (err error) {
		r, err = page.Rewrite(p, src, w.moves)
		return err
	})
	switch {
	case errors.Is(err, page.ErrIntricate), errors.Is(err, ErrNoTime):
		out.err = err
		return out, 0, nil
	case err != nil:
		return out, 0, err
	case r.Lost > 0:
		out.err = ErrLinksLost
	}
	if r.Changed == 0 {
		return out, 0, nil
	}
	to := w.moves.To(p)
	if !w.by.CanWrite(w.head.Space(), to) {
		out.err = fmt.Errorf("%s: %w", to, fs.ErrPermission)
		return out, 0, nil
	}
	if err := checkContent(to, r.Text); err != nil {
		out.err = err
		return out, 0, nil
	}
	out.text, out.changed = r.Text, r.Changed
	return out, 0, nil
}
