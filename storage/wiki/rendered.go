package wiki

import (
	"context"
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

// Page reads and renders a page. The result is kept, keyed by the page's bytes and by what its links lead to, so that
// reading it again costs a look-up. The error wraps fs.ErrNotExist when it is not there.
func (s *Snapshot) Page(ctx context.Context, p page.Path) (*Page, error) {
	e, err := s.lookup(ctx, p)
	if err != nil {
		return nil, err
	}
	if s.base != "" {
		return s.render(ctx, p, e)
	}
	key := renderedKey{path: p, blob: e.Hash}
	profile := s.profile()
	kept := s.space.cache.get(key)
	if kept != nil && kept.profile == profile {
		if kept.namesAt == s.namesAt && s.namesAt != 0 && !slices.ContainsFunc(kept.targets, page.Target.Derived) {
			return kept.page, nil
		}
		if slices.Equal(kept.targets, kept.page.Doc.Targets(s.Context())) {
			s.space.cache.put(key, &renderedPage{page: kept.page, namesAt: s.namesAt, profile: profile, targets: kept.targets})
			return kept.page, nil
		}
	}
	out, err := s.render(ctx, p, e)
	if err != nil {
		return nil, err
	}
	s.space.cache.put(key, &renderedPage{page: out, namesAt: s.namesAt, profile: profile, targets: out.Doc.Targets(s.Context())})
	return out, nil
}

func (s *Snapshot) render(ctx context.Context, p page.Path, e git.Entry) (*Page, error) {
	source, err := s.tree.Blob(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p, err)
	}
	doc := page.Parse(p, source)
	return &Page{Path: p, Blob: e.Hash.String(), Source: source, Doc: doc, HTML: doc.HTML(s.Context())}, nil
}

// Doc is what a page says, without its looks. Followers use it: it neither fills nor needs the cache.
func (s *Snapshot) Doc(ctx context.Context, p page.Path) (*page.Doc, error) {
	source, err := s.Read(ctx, p)
	if err != nil {
		return nil, err
	}
	return page.Parse(p, source), nil
}

// rendered keeps the pages that were read last, bounded by an estimate of their bytes.
type rendered struct {
	mu   sync.Mutex // guards all below
	lru  *simplelru.LRU[renderedKey, *renderedPage]
	size int
}

type renderedKey struct {
	path page.Path
	blob [20]byte
}

type renderedPage struct {
	page    *Page
	namesAt uint64 // the set of names that targets were found in
	profile page.Profile
	targets []page.Target
}

// maxRendered bounds what is kept for a space, in bytes.
const maxRendered = 24 << 20

func newRendered() *rendered {
	r := &rendered{}
	r.lru, _ = simplelru.NewLRU(1<<20, func(_ renderedKey, p *renderedPage) { r.size -= p.cost() })
	return r
}

// cost is about what the page holds in memory: a parsed page takes some ten times its source.
func (p *renderedPage) cost() int {
	return 2048 + 10*len(p.page.Source) + len(p.page.HTML) + 150*len(p.targets)
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
