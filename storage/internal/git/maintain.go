package git

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"
)

// maxPacks is how many packs may pile up.
const maxPacks = 50

// Maintain rolls small packs up into larger ones when there are more than 50, and tells git's commit-graph of the new
// commits. Readers go on; writers wait for the rolling up (less than a second for fifty batches). Nothing is removed
// but packs whose objects are all in another: a geometric repack does not judge what is still needed.
//
// While the disk is in Trouble that may pass, it only looks whether it has passed.
func (r *Repo) Maintain(ctx context.Context) error {
	if trouble := r.Trouble(); trouble != nil {
		if errors.Is(trouble, ErrReadOnly) || r.diagnose(r.probe()) != nil {
			return nil // both have been told when they came
		}
		r.log.InfoContext(ctx, "the disk can be written to again", "repo", r.dir, "was", trouble)
	}
	if len(*r.objects.packs.Load()) <= maxPacks {
		return nil
	}
	if err := r.repack(ctx); err != nil {
		return err
	}
	if h, _ := r.Head(); h.IsZero() {
		return nil
	}
	graph := command{dir: r.dir, args: []string{"commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"}}
	return graph.run(ctx)
}

// repack holds the door: a pack whose ref has not moved yet must not be looked at by git.
func (r *Repo) repack(ctx context.Context) error {
	c := command{dir: r.dir, args: []string{"repack", "--geometric=2", "-d", "-l", "-q", "--no-write-bitmap-index"}}
	// The slot before the door: a process in a slot waits for nobody, so it comes; the other way round saves would wait
	// for it, too.
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.writable(); err != nil {
		return err
	}
	start := time.Now()
	before := *r.objects.packs.Load()
	err = c.runHere(ctx)
	// Also when git was killed half-way: it may have changed the packs.
	err = errors.Join(err, r.objects.scan())
	for _, p := range *r.objects.packs.Load() {
		if err == nil && !slices.Contains(before, p) {
			err = errors.Join(r.disk.path(p.path+".pack"), r.disk.path(p.path+".idx"))
		}
	}
	if err == nil {
		err = r.disk.path(filepath.Join(r.dir, "objects", "pack"))
	}
	r.log.InfoContext(ctx, "packs rolled up", "repo", r.dir, "before", len(before), "after", len(*r.objects.packs.Load()), "took", time.Since(start))
	return r.diagnose(err)
}
