package wiki

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file shows a space as it was. An old snapshot costs its names when it is first asked for links or pages: about
// what the start of the wiki costs for the space. The newest few old ones are kept (see maxOld), so that looking around
// in one costs a page's own rendering for each view, whatever the number of pages. A day costs one more process of git,
// the first time after the head has moved.

// AsOf is the space as it was at a time: after the last change at or before it, by the clocks of those who made the
// changes. The error wraps fs.ErrNotExist when all changes are later.
func (s *Space) AsOf(ctx context.Context, by Actor, when time.Time) (*Snapshot, error) {
	if !by.CanRead(s.name) {
		return nil, fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	head, _ := s.repo.Head()
	key := moment{head, when.Unix()}
	hash, ok := s.moments.Get(key)
	if !ok {
		var err error
		if hash, err = s.repo.AsOf(ctx, head, when); err != nil {
			return nil, err
		}
		s.moments.Add(key, hash)
	}
	return s.at(ctx, hash)
}

// moment is a time as it is seen from a head.
type moment struct {
	head git.Hash
	unix int64
}

// maxMoments is how many times are remembered with their commits.
const maxMoments = 256

func newMoments() *lru.Cache[moment, git.Hash] {
	m, _ := lru.New[moment, git.Hash](maxMoments) // fails for no size only
	return m
}

// Under is the snapshot as it looks at another address than the space's own: the links of its pages stay below base,
// such as "/go/-/at/2026-01-31". Pages under a base are rendered anew each time.
func (s *Snapshot) Under(base string) *Snapshot {
	moved := *s
	moved.base = base
	return &moved
}

// Root is the address of the space, or the snapshot's base, with "/" at its end.
func (s *Snapshot) Root() string { return s.URL("") }

// URL is the address of a file or page, below Root.
func (s *Snapshot) URL(p page.Path) string {
	return page.Context{Space: s.space.name, Base: s.base}.URL(p)
}
