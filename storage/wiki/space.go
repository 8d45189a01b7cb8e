package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file is a space: its head, its past, and those who follow it.

// Space is one git repository with a door. Safe for concurrent use.
type Space struct {
	name    string
	repo    *git.Repo
	log     *slog.Logger
	cache   *rendered
	folders *folders

	redirects atomic.Pointer[redirects] // that were asked for last

	head     atomic.Pointer[Snapshot] // the newest snapshot that was made
	mu       sync.Mutex               // held while a newer one is made
	nameSets atomic.Uint64            // counts the sets of names that heads have had
	old      *lru.Cache[git.Hash, *Snapshot]
	moments  *lru.Cache[moment, git.Hash]
	blames   *blames
	counts   *counts
	headers  *headers

	hintTime time.Duration // how long a push may be looked at once it is in
	moveTime time.Duration // how long the large pages of a move may be parsed for
}

// maxOld is how many old snapshots are kept for a space, with the folders and names that were asked of them.
const maxOld = 8

func openSpace(ctx context.Context, name, dir string, log *slog.Logger) (*Space, error) {
	log = log.With("space", name)
	repo, err := git.Open(ctx, dir, log)
	if err != nil {
		return nil, err
	}
	s := &Space{name: name, repo: repo, log: log, cache: newRendered(), folders: newFolders(), moments: newMoments(), blames: newBlames(), counts: newCounts(), headers: newHeaders(), hintTime: hintTime, moveTime: moveTime}
	s.old, _ = lru.New[git.Hash, *Snapshot](maxOld) // fails for no size only
	s.latest()
	return s, nil
}

// Name is the space's name in URLs.
func (s *Space) Name() string { return s.name }

// Head is the space as it is now. To an actor who may not read it, the space does not exist: the error wraps
// fs.ErrNotExist.
func (s *Space) Head(by Actor) (*Snapshot, error) {
	if !by.CanRead(s.name) {
		return nil, fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	return s.latest(), nil
}

// At is the space as it was at a revision: a commit id, in full or its first seven digits or more. The error wraps
// fs.ErrNotExist when there is no such revision on the branch that is shown. Its folders are read as they are asked for.
func (s *Space) At(ctx context.Context, by Actor, rev string) (*Snapshot, error) {
	if !by.CanRead(s.name) {
		return nil, fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	hash, err := s.repo.Resolve(ctx, rev)
	if err != nil {
		return nil, fmt.Errorf("revision %q: %w", rev, err)
	}
	head, _ := s.repo.Head()
	if _, seen := s.old.Get(hash); !seen {
		shown, err := s.repo.IsAncestor(ctx, hash, head)
		if err != nil {
			return nil, fmt.Errorf("revision %q: %w", rev, err)
		}
		if !shown {
			return nil, fmt.Errorf("revision %q is on no branch that is shown: %w", rev, fs.ErrNotExist)
		}
	}
	return s.at(ctx, hash)
}

// Commit tells who made a revision, when and why; its Files are not filled in.
func (s *Space) Commit(ctx context.Context, by Actor, rev string) (Commit, error) {
	if !by.CanRead(s.name) {
		return Commit{}, fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	hash, err := s.repo.Resolve(ctx, rev)
	if err != nil {
		return Commit{}, fmt.Errorf("revision %q: %w", rev, err)
	}
	c, err := s.repo.Show(ctx, hash)
	if err != nil {
		return Commit{}, fmt.Errorf("revision %q: %w", rev, err)
	}
	return commitOf(c), nil
}

// Follow calls fn with what came after since, then again whenever the head has moved, until ctx ends or fn fails. The
// first call comes at once, even when nothing is new (then From equals To's Rev), so that fn learns the position. A
// since that is empty, unknown or no longer an ancestor starts from nothing (Delta.From is then "").
func (s *Space) Follow(ctx context.Context, since Rev, fn func(Delta) error) error {
	if since != "" && !s.known(ctx, since) {
		since = ""
	}
	for first := true; ; first = false {
		moved := s.repo.Moved()
		to := s.latest()
		if first || to.rev != since {
			if err := fn(Delta{From: since, To: to}); err != nil {
				return err
			}
			since = to.rev
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// known tells whether a position that somebody remembers still lies on the way to the head.
func (s *Space) known(ctx context.Context, rev Rev) bool {
	hash, err := git.ParseHash(string(rev))
	if err != nil {
		return false
	}
	head, _ := s.repo.Head()
	ok, err := s.repo.IsAncestor(ctx, hash, head)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
		s.log.Warn("compare a follower's position with the head", "rev", rev, "err", err)
	}
	return err == nil && ok
}

// latest is the snapshot of the repository's head. It costs a comparison when the head has not moved, and what has
// changed when it has.
func (s *Space) latest() *Snapshot {
	hash, _ := s.repo.Head()
	if cur := s.head.Load(); cur != nil && cur.commit == hash {
		return cur
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hash, tree := s.repo.Head()
	cur := s.head.Load()
	if cur != nil && cur.commit == hash {
		return cur
	}
	next := s.successor(cur, hash, tree)
	next.seq = 1
	if cur != nil {
		next.seq = cur.seq + 1
	}
	s.head.Store(next)
	return next
}

// successor is the snapshot that follows cur (nil at the start): the same names but for what the trees tell apart. Its
// Seq is not set yet.
func (s *Space) successor(cur *Snapshot, hash git.Hash, tree *git.Tree) *Snapshot {
	next := &Snapshot{space: s, commit: hash, rev: revOf(hash), tree: tree}
	ctx := context.Background() // the head's tree is in memory: nothing here waits
	var from *git.Tree
	names, count := page.NewNames(func(func(page.Path) bool) {}), 0
	if cur != nil {
		from, names, count = cur.tree, cur.names(), cur.pages()
		next.namesAt, next.profile = cur.namesAt, cur.profile
	}
	var added, removed []page.Path
	settings := cur == nil
	for c, err := range git.Diff(ctx, from, tree) {
		if err != nil {
			// A tree in memory that cannot be read is a fault of this program; the old names are the best there is.
			s.log.Error("compare two heads", "err", err)
			break
		}
		was, is := isFile(c.Old), isFile(c.New)
		p, err := page.ParsePath(c.Path)
		if err != nil {
			continue // not served, whoever brought it in
		}
		settings = settings || p == profileFile
		switch {
		case is && !was:
			added = append(added, p)
			count += one(p)
		case was && !is:
			removed = append(removed, p)
			count -= one(p)
		}
	}
	if len(added)+len(removed) > 0 || cur == nil {
		names = names.With(added, removed)
		next.namesAt = s.nameSets.Add(1)
		settings = true
	}
	next.names = func() *page.Names { return names }
	next.pages = func() int { return count }
	if settings {
		profile := next.detectProfile(ctx)
		next.profile = func() page.Profile { return profile }
	}
	return next
}

// one is what a path adds to the count of pages.
func one(p page.Path) int {
	if p.Listed() {
		return 1
	}
	return 0
}

func revOf(h git.Hash) Rev {
	if h.IsZero() {
		return ""
	}
	return Rev(h.String())
}
