package wiki

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file keeps who wrote which line.

// Written is a run of lines that one change wrote.
type Written struct {
	By    Commit // without its Files; Note is its first line only
	First int    // the number of the first line, from 1
	Lines []string
}

// Blame tells which change last wrote each line of a file, in the order of the file; lines come without their ends and
// as valid UTF-8. git needs some ten milliseconds and more for it, the longer the history: at most ten seconds. What it
// said is kept for each path and revision, of the newest few. The error wraps fs.ErrNotExist when the file is not there,
// and ErrTooLarge over 1 MiB.
func (s *Snapshot) Blame(ctx context.Context, p page.Path) ([]Written, error) {
	text, err := s.Read(ctx, p)
	if err != nil {
		return nil, err
	}
	runs, err := s.blamed(ctx, p)
	if err != nil {
		return nil, err
	}
	all := make([]Written, len(runs))
	next := 1
	for i, r := range runs {
		all[i] = Written{By: r.by, First: next}
		for range r.lines {
			line, rest, _ := bytes.Cut(text, []byte("\n"))
			all[i].Lines = append(all[i].Lines, strings.ToValidUTF8(string(bytes.TrimSuffix(line, []byte("\r"))), "\uFFFD"))
			text = rest
		}
		next += r.lines
	}
	return all, nil
}

// blameKey is what an answer hangs on: a path and a revision, and so the file's bytes.
type blameKey struct {
	path   page.Path
	commit git.Hash
}

type blameRun struct {
	by    Commit
	lines int
}

// How many answers are kept for a space, and of how many runs each may be.
const (
	maxBlames    = 64
	maxBlameRuns = 10_000
)

type blames = lru.Cache[blameKey, []blameRun]

func newBlames() *blames {
	b, _ := lru.New[blameKey, []blameRun](maxBlames) // fails for no size only
	return b
}

func (s *Snapshot) blamed(ctx context.Context, p page.Path) ([]blameRun, error) {
	key := blameKey{p, s.commit}
	if kept, ok := s.space.blames.Get(key); ok {
		return kept, nil
	}
	told, err := s.space.repo.Blame(ctx, s.commit, string(p))
	if errors.Is(err, git.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if err != nil {
		return nil, err
	}
	runs := make([]blameRun, len(told))
	seen := map[git.Hash]Commit{}
	for i, w := range told {
		by, ok := seen[w.By]
		if !ok {
			c, err := s.space.repo.Show(ctx, w.By)
			if err != nil {
				return nil, fmt.Errorf("who wrote %s: %w", p, err)
			}
			by = commitOf(c)
			by.Note = by.Subject()
			seen[w.By] = by
		}
		runs[i] = blameRun{by: by, lines: w.Lines}
	}
	if len(runs) <= maxBlameRuns {
		s.space.blames.Add(key, runs)
	}
	return runs, nil
}
