package wiki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file reads pages, and keeps how they look.

// Page is a page as it is read: its source, what it says, and how it looks in its snapshot.
type Page struct {
	Path   page.Path
	Blob   string
	Source []byte
	Doc    *page.Doc
	HTML   string // sanitised
}

// Page reads and renders a page. The result is kept, keyed by the page's bytes, by what its links lead to, and by the bytes
// of the pages that are shown in it, so that reading it again costs a look-up for each. The error wraps fs.ErrNotExist when
// it is not there.
func (s *Snapshot) Page(ctx context.Context, p page.Path) (*Page, error) {
	e, err := s.lookup(ctx, p)
	if err != nil {
		return nil, err
	}
	if s.base != "" {
		made, _, err := s.render(ctx, p, e)
		if err != nil {
			return nil, err
		}
		return made.page, nil
	}
	key := renderedKey{path: p, blob: e.Hash}
	kept := s.space.cache.get(key)
	for {
		if kept != nil && s.looksSo(ctx, key, kept) {
			return kept.page, nil
		}
		f, first := s.space.cache.join(key)
		if first {
			return s.renderFor(ctx, key, e, f)
		}
		select {
		case <-f.done:
			if f.crowded {
				return nil, ErrCrowded // it has waited long enough, and so have we
			}
			kept = f.made // nil when whoever rendered it left or failed: somebody else does
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// looksSo tells whether what was rendered before is how the page looks in this snapshot.
func (s *Snapshot) looksSo(ctx context.Context, key renderedKey, kept *renderedPage) bool {
	if kept.profile != s.profile() || !s.shows(ctx, kept.embeds) || !s.hang(ctx, kept.pictures) {
		return false
	}
	if kept.namesAt == s.namesAt && s.namesAt != 0 && !kept.derived {
		return true
	}
	in := s.Context().OnePage()
	if !slices.Equal(kept.targets, kept.page.Doc.Targets(in)) || slices.ContainsFunc(kept.within, in.Changed) {
		return false
	}
	if s.space.cache.get(key) == kept {
		again := *kept
		again.namesAt = s.namesAt
		s.space.cache.put(key, &again)
	}
	return true
}

// renderFor renders a page for all who wait for it.
func (s *Snapshot) renderFor(ctx context.Context, key renderedKey, e git.Entry, f *flight) (*Page, error) {
	defer s.space.cache.land(key, f)
	if kept := s.space.cache.get(key); kept != nil && s.looksSo(ctx, key, kept) { // just landed
		f.made = kept
		return kept.page, nil
	}
	made, whole, err := s.render(ctx, key.path, e)
	if err != nil {
		f.crowded = errors.Is(err, ErrCrowded)
		return nil, err
	}
	made.namesAt, made.profile, made.targets = s.namesAt, s.profile(), made.page.Doc.Targets(s.Context())
	made.derived = slices.ContainsFunc(made.targets, page.Target.Derived) ||
		slices.ContainsFunc(made.within, func(r page.Reading) bool { return r.Target.Derived() })
	if whole {
		s.space.cache.put(key, made)
	}
	f.made = made
	return made.page, nil
}

// Preview is a page as it would be in the snapshot if it had this text, without a Blob. It is not kept. It fails
// when ctx ends, and with ErrCrowded.
func (s *Snapshot) Preview(ctx context.Context, p page.Path, text []byte) (made *Page, err error) {
	err = s.unkept(ctx, len(text), func(in page.Context) error {
		doc := page.Parse(p, text)
		made = &Page{Path: p, Source: text, Doc: doc, HTML: doc.HTML(in)}
		return nil
	})
	return made, err
}

// Redline is how a page would look in the snapshot with what has changed between two texts of it; see page.Redline, whose
// error it passes on. It is not kept.
func (s *Snapshot) Redline(ctx context.Context, p page.Path, old, now []byte) (red page.Redlined, err error) {
	err = s.unkept(ctx, len(old)+len(now), func(in page.Context) (err error) {
		red, err = page.Redline(p, old, now, in)
		return err
	})
	return red, err
}

// unkept renders what is not kept, of so many bytes, when it is its turn.
func (s *Snapshot) unkept(ctx context.Context, size int, render func(page.Context) error) error {
	t := turn{ctx: ctx, size: size}
	defer t.end()
	if err := t.begin(); err != nil {
		return err
	}
	in, _ := s.context(ctx)
	source := in.Source
	in.Source = func(p page.Path) ([]byte, bool) {
		if t.take() != nil {
			return nil, false
		}
		return source(p)
	}
	return cmp.Or(render(in), t.err, ctx.Err())
}

// render renders a page, and notes which pages and pictures are shown in it; whole if it may be kept.
func (s *Snapshot) render(ctx context.Context, p page.Path, e git.Entry) (out *renderedPage, whole bool, err error) {
	source, err := s.tree.Blob(ctx, e)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", p, err)
	}
	t := turn{ctx: ctx, size: len(source)}
	defer t.end()
	if err := t.begin(); err != nil {
		return nil, false, err
	}
	doc := page.Parse(p, source)
	in, pictures := s.context(ctx)
	out = &renderedPage{}
	in.Source = func(p page.Path) ([]byte, bool) {
		var b []byte
		e, err := s.lookup(ctx, p)
		if err == nil {
			err = t.take()
		}
		if err == nil {
			b, err = s.tree.Blob(ctx, e)
		}
		if out.embeds == nil {
			out.embeds = map[page.Path]git.Hash{}
		}
		if err != nil {
			e.Hash = git.Hash{} // no bytes have it: next time is another chance
		}
		out.embeds[p] = e.Hash
		return b, err == nil
	}
	html, within, sure := doc.Show(in)
	if err := cmp.Or(t.err, ctx.Err()); err != nil {
		return nil, false, err // what it shows may be missing
	}
	out.page, out.within = &Page{Path: p, Blob: e.Hash.String(), Source: source, Doc: doc, HTML: html}, within
	out.pictures = pictures.asked
	return out, sure && !pictures.short, nil
}

// shows tells whether the pages have these bytes.
func (s *Snapshot) shows(ctx context.Context, embeds map[page.Path]git.Hash) bool {
	for p, hash := range embeds {
		if e, err := s.lookup(ctx, p); err != nil || e.Hash != hash {
			return false
		}
	}
	return true
}

// Doc is what a page says, without its looks.
func (s *Snapshot) Doc(ctx context.Context, p page.Path) (doc *page.Doc, err error) {
	err = s.inTurn(ctx, p, func(source []byte) error {
		doc = page.Parse(p, source)
		return nil
	})
	return doc, err
}

// Doubts are the first doubtful links of a page, at most limit, and whether there are more.
func (s *Snapshot) Doubts(ctx context.Context, p page.Path, limit int) (list []page.Doubt, more bool, err error) {
	size, err := s.Size(ctx, p)
	if err != nil {
		return nil, false, err
	}
	err = s.unkept(ctx, int(size), func(in page.Context) error { // it may read other pages
		source, err := s.Read(ctx, p)
		if err == nil {
			list, more = page.Doubts(p, source, in, limit)
		}
		return err
	})
	return list, more, err
}

// Mend is a page with one link changed, which is found again by its place and by how it is written; see page.Mend. It is
// false when there is no such link, or nothing can be written that leads there.
func (s *Snapshot) Mend(ctx context.Context, p page.Path, source []byte, at int, text string, to page.Path) (mended []byte, ok bool, err error) {
	err = inTurn(ctx, len(source), func() error {
		mended, ok = page.Mend(p, source, s.Context(), at, text, to)
		return nil
	})
	return mended, ok, err
}

// MendPlace is Mend for a link that shall name another place of the page that it leads to; see page.MendPlace.
func (s *Snapshot) MendPlace(ctx context.Context, p page.Path, source []byte, at int, text, name string) (mended []byte, ok bool, err error) {
	err = inTurn(ctx, len(source), func() error {
		mended, ok = page.MendPlace(p, source, s.Context(), at, text, name)
		return nil
	})
	return mended, ok, err
}

// Compare lists what changed between two texts; see page.Diff.
func Compare(ctx context.Context, old, now []byte) (hunks []page.Hunk, err error) {
	err = inTurn(ctx, len(old)+len(now), func() error {
		hunks = page.Diff(old, now)
		return nil
	})
	return hunks, err
}

// inTurn does something with the source of a page when it is its turn. Nothing is held while it waits.
func (s *Snapshot) inTurn(ctx context.Context, p page.Path, do func(source []byte) error) error {
	size, err := s.Size(ctx, p)
	if err != nil {
		return err
	}
	return inTurn(ctx, int(size), func() error {
		source, err := s.Read(ctx, p)
		if err != nil {
			return err
		}
		return do(source)
	})
}

// rendered keeps the pages that were read last, bounded by an estimate of their bytes.
type rendered struct {
	mu      sync.Mutex // guards all below
	lru     *simplelru.LRU[renderedKey, *renderedPage]
	size    int
	flights map[renderedKey]*flight
}

// flight is a page that is being rendered, for all who ask for it meanwhile.
type flight struct {
	done    chan struct{} // closed when the rest is settled
	made    *renderedPage // nil when it came to nothing,
	crowded bool          // as its turn did not come
}

// join gives the flight of a page. Whoever is first has to render it, and land.
func (r *rendered) join(k renderedKey) (f *flight, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f = r.flights[k]
	if first = f == nil; first {
		f = &flight{done: make(chan struct{})}
		r.flights[k] = f
	}
	return f, first
}

func (r *rendered) land(k renderedKey, f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.flights, k)
	close(f.done)
}

type renderedKey struct {
	path page.Path
	blob [20]byte
}

type renderedPage struct {
	page     *Page
	namesAt  uint64 // the set of names that targets were found in
	profile  page.Profile
	targets  []page.Target
	derived  bool                   // targets may change though names do not
	embeds   map[page.Path]git.Hash // what is shown in it,
	within   []page.Reading         // and what the links there mean
	pictures map[page.Path]git.Hash // what the names of pictures stand for
}

// maxRendered bounds what is kept for a space, in bytes.
const maxRendered = 24 << 20

func newRendered() *rendered {
	r := &rendered{flights: map[renderedKey]*flight{}}
	r.lru, _ = simplelru.NewLRU(1<<20, func(_ renderedKey, p *renderedPage) { r.size -= p.cost() })
	return r
}

// cost is about what the page holds in memory: a parsed page takes some ten times its source.
func (p *renderedPage) cost() int {
	return 2048 + 10*len(p.page.Source) + len(p.page.HTML) + 150*len(p.targets) + 100*len(p.embeds) + 300*len(p.within) + 100*len(p.pictures)
}

func (r *rendered) get(k renderedKey) *renderedPage {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, _ := r.lru.Get(k)
	return p
}

func (r *rendered) put(k renderedKey, p *renderedPage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lru.Remove(k)
	if p.cost() > maxRendered/4 {
		return
	}
	r.lru.Add(k, p)
	r.size += p.cost()
	for r.size > maxRendered {
		r.lru.RemoveOldest()
	}
}
