package wiki

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file reads the headers of pictures, and remembers them.

// What one page may cost: the bytes of pictures that are read for it and have not been seen before.
const maxLooked = 64 << 20

// maxHeaders is how many headers are remembered for a space.
const maxHeaders = 50_000

// headers remembers what the headers of pictures say. Safe for concurrent use.
type headers struct {
	reading chan struct{} // has one while one is read, so that one file is in memory at a time
	known   *lru.Cache[git.Hash, page.Picture]
}

func newHeaders() *headers {
	h := &headers{reading: make(chan struct{}, 1)}
	h.known, _ = lru.New[git.Hash, page.Picture](maxHeaders) // fails for no size only
	return h
}

// Picture is what the header of a picture says; the zero Picture when the file is none, or is not there.
func (s *Snapshot) Picture(ctx context.Context, p page.Path) page.Picture {
	pic, _ := (&gallery{in: s, left: MaxFile}).look(ctx, p)
	return pic
}

// gallery is the pictures that a page has asked for while it was rendered: its looks depend on them.
type gallery struct {
	in    *Snapshot
	left  int64                  // bytes that may still be read
	asked map[page.Path]git.Hash // zero for none
	seen  map[page.Path]page.Picture
	short bool // some were not looked at
}

// hung is what page.Context.Picture answers.
func (g *gallery) hung(ctx context.Context, p page.Path) page.Picture {
	if pic, ok := g.seen[p]; ok {
		return pic
	}
	pic, blob := g.look(ctx, p)
	g.asked[p], g.seen[p] = blob, pic
	return pic
}

func (g *gallery) look(ctx context.Context, p page.Path) (page.Picture, git.Hash) {
	s := g.in
	e, err := s.lookup(ctx, p)
	if err != nil {
		return page.Picture{}, git.Hash{}
	}
	if pic, ok := s.space.headers.known.Get(e.Hash); ok {
		return pic, e.Hash
	}
	size, err := s.tree.Size(ctx, e)
	if err != nil || size > MaxFile {
		g.short = g.short || ctx.Err() != nil
		return page.Picture{}, e.Hash
	}
	if size > g.left {
		g.short = true
		return page.Picture{}, e.Hash
	}
	g.left -= size
	select {
	case s.space.headers.reading <- struct{}{}:
		defer func() { <-s.space.headers.reading }()
	case <-ctx.Done():
		g.short = true
		return page.Picture{}, e.Hash
	}
	if pic, ok := s.space.headers.known.Get(e.Hash); ok { // somebody else has read it meanwhile
		return pic, e.Hash
	}
	b, err := s.tree.Blob(ctx, e)
	if err != nil {
		g.short = g.short || ctx.Err() != nil
		return page.Picture{}, e.Hash
	}
	pic := page.ReadPicture(b)
	s.space.headers.known.Add(e.Hash, pic)
	return pic, e.Hash
}

// hang tells whether the same pictures hang in the snapshot.
func (s *Snapshot) hang(ctx context.Context, pictures map[page.Path]git.Hash) bool {
	for p, blob := range pictures {
		if e, err := s.lookup(ctx, p); err != nil && !blob.IsZero() || err == nil && e.Hash != blob {
			return false
		}
	}
	return true
}
