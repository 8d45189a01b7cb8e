package git

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// This file keeps a repository that is written to for years quick to read and to clone. The rules are:
//
//   - Nobody waits. git writes a new pack beside the old ones, readers are led to it, then the old ones go. Clones that
//     run have them open or find their objects in the new one.
//   - A pack is removed only when we have seen each of its objects in the pack that git has just made of it and others,
//     or read it from an older one; and the new one is fsynced with its folder. Whether anybody needs
//     an object is never asked: a pack whose ref is just about to move looks unneeded.
//   - What it costs grows with what was written since, not with time: an idle wiki is left alone.

const (
	maxPacks     = 50               // that may pile up before they are rolled up
	minIndexed   = 2000             // objects from which on a bitmap is worth its file
	maintainRest = 10 * time.Minute // after a maintenance that failed, for what failed it may last
)

// Maintain rolls small packs up into larger ones when there are more than 50, writes all anew as one pack with a bitmap
// (with which clones are counted quickly) whenever a quarter has been added to the last one, and tells git's
// commit-graph of the new commits. Nothing to do costs a look at a file's status. One at a time: a second call returns
// at once.
//
// While the disk is in Trouble that may pass, it only looks whether it has passed.
func (r *Repo) Maintain(ctx context.Context) error {
	if !r.maintaining.TryLock() {
		return nil
	}
	defer r.maintaining.Unlock()
	if trouble := r.Trouble(); trouble != nil {
		if errors.Is(trouble, ErrReadOnly) || r.diagnose(r.probe()) != nil {
			return nil // both have been told when they came
		}
		r.log.InfoContext(ctx, "the disk can be written to again", "repo", r.dir, "was", trouble)
	}
	due, whole := r.due()
	if !due || time.Now().Before(r.rested) {
		return nil
	}
	err := r.repack(ctx, whole)
	if h, _ := r.Head(); err == nil && !h.IsZero() {
		graph := command{
			dir: r.dir, idle: true,
			args: []string{"commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"},
		}
		err = graph.run(ctx)
	}
	if err != nil {
		r.rested = time.Now().Add(maintainRest)
	}
	return err
}

// due reports whether packs should be rolled up, and whether all of them. Those that somebody has asked git to leave alone
// stay whatever is done: they are no reason to do it again.
func (r *Repo) due() (due, whole bool) {
	packs := slices.DeleteFunc(slices.Clone(*r.objects.packs.Load()), (*pack).spared)
	whole = growth(packs)
	return whole || len(packs) > maxPacks, whole
}

// growth reports whether so much has been added since all was one pack with a bitmap that it should be again.
func growth(packs []*pack) bool {
	total, indexed := 0, 0
	for _, p := range packs {
		total += p.count
		if _, err := os.Stat(p.path + ".bitmap"); err == nil {
			indexed = max(indexed, p.count)
		}
	}
	return total >= minIndexed && total-indexed > indexed/4
}

// spared reports whether somebody has asked git to leave the pack alone.
func (p *pack) spared() bool {
	_, err := os.Stat(p.path + ".keep")
	return err == nil
}

// repack has git write a new pack, of all or of the small ones, and removes those that it makes redundant.
func (r *Repo) repack(ctx context.Context, whole bool) error {
	start := time.Now()
	before := *r.objects.packs.Load()
	dir := filepath.Join(r.dir, "objects", "pack")
	var err error
	if whole {
		err = r.packAll(ctx, dir)
	} else {
		c := command{dir: r.dir, idle: true, args: []string{"repack", "--geometric=2", "-l", "-n", "-q", "--no-write-bitmap-index"}}
		err = c.run(ctx)
	}
	// Also when git was killed half-way: it may have added a pack.
	if err := errors.Join(err, r.objects.scan()); err != nil {
		return err
	}
	for _, p := range *r.objects.packs.Load() {
		if slices.Contains(before, p) {
			continue
		}
		if err := errors.Join(r.disk.path(p.path+".pack"), r.disk.path(p.path+".idx")); err != nil {
			return r.diagnose(err)
		}
	}
	if err := r.diagnose(r.disk.path(dir)); err != nil {
		return err
	}
	removed, err := r.objects.thin(ctx, before)
	if due, _ := r.due(); due && removed == 0 && err == nil {
		err = errors.New("rolling up made no pack redundant") // not to be tried again every few seconds
	}
	r.log.InfoContext(ctx, "packs rolled up", "repo", r.dir, "all", whole, "before", len(before), "removed", removed, "took", time.Since(start))
	return err
}

// packAll has git write one pack of everything: what git repack does with -a -d -k, without its removing. It is made
// under a name that Open sweeps away. What was one pack before may come out as the same one, byte for byte, since its name
// is the sum of its bytes: then it stays, and gets its bitmap.
func (r *Repo) packAll(ctx context.Context, dir string) error {
	made := filepath.Join(dir, tmpPrefix+"all")
	var name bytes.Buffer
	c := command{
		dir: r.dir, idle: true, stdout: &name,
		args: []string{
			"pack-objects", "--all", "--keep-unreachable", "--non-empty", "--local", "--delta-base-offset",
			"--write-bitmap-index", "--quiet", made,
		},
	}
	defer func() {
		left, _ := filepath.Glob(escapeGlob(made) + "*")
		for _, path := range left {
			os.Remove(path)
		}
	}()
	if err := c.run(ctx); err != nil {
		return err
	}
	hash := strings.TrimSpace(name.String())
	for _, ext := range []string{".pack", ".rev", ".bitmap", ".idx"} { // git looks for indexes, so that comes last
		to := filepath.Join(dir, "pack-"+hash+ext)
		if _, err := os.Stat(to); err == nil {
			continue
		}
		err := os.Rename(made+"-"+hash+ext, to)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// thin removes those of the old packs whose objects are all in packs that stay, the small ones first. Readers that have
// them open read on.
func (o *objects) thin(ctx context.Context, old []*pack) (removed int, err error) {
	stay := *o.packs.Load()
	fresh := slices.DeleteFunc(slices.Clone(stay), func(p *pack) bool { return slices.Contains(old, p) })
	for _, p := range slices.Backward(old) { // they lie largest first
		others := slices.DeleteFunc(slices.Clone(stay), func(q *pack) bool { return q == p })
		if len(others) == len(stay) || !o.within(ctx, p, fresh, others) {
			continue
		}
		if p.spared() {
			continue
		}
		stay = others
		removed++
		// The index first: git looks for indexes and then expects their packs.
		for _, ext := range []string{".idx", ".pack", ".rev", ".bitmap"} {
			if rerr := os.Remove(p.path + ext); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}
	return removed, errors.Join(err, o.scan())
}

// within reports whether each object of p is in a fresh pack, or can be read from one of the others.
func (o *objects) within(ctx context.Context, p *pack, fresh, others []*pack) bool {
	for i := range p.count {
		h := p.name(i)
		if slices.ContainsFunc(fresh, func(q *pack) bool { _, ok := q.offset(h); return ok }) {
			continue
		}
		if ctx.Err() != nil || !slices.ContainsFunc(others, func(q *pack) bool { return o.sound(q, h) }) {
			return false
		}
	}
	return true
}

// sound reports whether the object can be read from the pack.
func (o *objects) sound(p *pack, h Hash) bool {
	off, ok := p.offset(h)
	if !ok {
		return false
	}
	k, data, err := o.at(p, off, 0)
	return err == nil && hashObject(k, data) == h
}
