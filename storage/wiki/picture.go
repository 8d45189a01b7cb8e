package wiki

import (
	"context"
	"sync"

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
	reading sync.Mutex // held while one is read, so that one file is in memory at a time
	known   *lru.Cache[git.Hash, page.Picture]
}

func newHeaders() *headers {
	h := &headers{}
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
	left  int64 // bytes that may still be read
	asked []asked
	short bool // some were not looked at
}

type asked struct {
	path page.Path
	blob git.Hash // zero for none
}

// hung is what page.Context.Picture answers.
func (g *gallery) hung(ctx context.Context, p page.Path) page.Picture {
	pic, blob := g.look(ctx, p)
	g.asked = append(g.asked, asked{p, blob})
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
		return page.Picture{}, e.Hash
	}
	if size > g.left {
		g.short = true
		return page.Picture{}, e.Hash
	}
	g.left -= size
	s.space.headers.reading.Lock()
	defer s.space.headers.reading.Unlock()
	b, err := s.tree.Blob(ctx, e)
	if err != nil {
		return page.Picture{}, e.Hash
	}
	pic := page.ReadPicture(b)
	s.space.headers.known.Add(e.Hash, pic)
	return pic, e.Hash
}

// hang tells whether the same pictures hang in the snapshot.
func (s *Snapshot) hang(ctx context.Context, pictures []asked) bool {
	for _, a := range pictures {
		if e, err := s.lookup(ctx, a.path); err != nil && !a.blob.IsZero() || err == nil && e.Hash != a.blob {
			return false
		}
	}
	return true
}
