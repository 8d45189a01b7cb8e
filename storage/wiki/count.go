package wiki

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file counts how much changed from one text of a page to the next. What it has counted is kept, since the same two
// texts always differ as much.

// Step is two texts of a page that follow one another, by the ids of their bytes; "" is none.
type Step struct{ Old, Now string }

// Count is how many lines a step removed and added.
type Count struct {
	Removed, Added int
	Known          bool // it was not too much to be counted
}

// How much is counted at once, in bytes of all texts, and how many answers are kept for a space.
const (
	maxCounting = 2 << 20
	maxCounts   = 16 << 10
)

type counts = lru.Cache[[2]git.Hash, Count]

func newCounts() *counts {
	c, _ := lru.New[[2]git.Hash, Count](maxCounts) // fails for no size only
	return c
}

// Counts are how much each of some steps changed, in their order. Steps that name no text of the space are not known, nor
// are those for which there is no room left in the budget of a call.
func (s *Snapshot) Counts(ctx context.Context, steps []Step) ([]Count, error) {
	all := make([]Count, len(steps))
	texts := map[git.Hash][]byte{}
	room := maxCounting
	read := func(h git.Hash) ([]byte, bool) {
		if h.IsZero() {
			return nil, true
		}
		if b, seen := texts[h]; seen {
			return b, true
		}
		if room <= 0 {
			return nil, false
		}
		b, err := s.space.repo.Blob(ctx, h)
		if room -= len(b); err != nil || room < 0 {
			return nil, false
		}
		texts[h] = b
		return b, true
	}
	for i, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var key [2]git.Hash
		var wrong error
		for j, id := range []string{step.Old, step.Now} {
			if id == "" {
				continue
			}
			if key[j], wrong = git.ParseHash(id); wrong != nil {
				break
			}
		}
		if wrong != nil {
			continue
		}
		if kept, ok := s.space.counts.Get(key); ok {
			all[i] = kept
			continue
		}
		old, ok := read(key[0])
		if !ok {
			continue
		}
		now, ok := read(key[1])
		if !ok {
			continue
		}
		all[i].Removed, all[i].Added = page.Count(old, now)
		all[i].Known = true
		s.space.counts.Add(key, all[i])
	}
	return all, nil
}
