package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file holds what is pushed to the rules for files, while it lies in quarantine and no lock is held. The rules are:
//
//   - Every commit that is new here is judged, on whatever branch or tag it comes: what is in a history stays there, and a
//     later commit that takes it away does not help.
//   - A commit answers for what differs from its parents. What an imported history held already harms nobody.
//   - A tree object that was found clean is not looked at again, and trees are counted before they are walked: what looks
//     small and is not (a bomb) costs what it weighs.
//   - A pusher is told of many faults at once, each with its path, its commit, and what to do.

const (
	maxOffences = 20             // that a pusher is told of at once
	maxCounted  = 1000           // that are looked for
	maxCommits  = 500_000        // new ones in one push
	maxLooks    = 200_000_000    // entries of trees that are looked at for one push: some seconds
	maxTrees    = 2_000_000      // that are measured for one push: each is kept in mind, in some 100 bytes
	maxTree     = 64 << 20       // bytes of one folder's object: that of maxEntries
	maxMessage  = 64 << 10       // bytes of a commit's message
	maxCommit   = 4 * maxMessage // bytes of a commit or a tag, with signatures
	maxTags     = 10             // tags of tags of tags
	maxFolders  = 32             // folders below each other in what is new
	maxAhead    = 24 * time.Hour // of the clock here, for a commit's date
)

// Pusher is who pushes, and what the push is held to.
type Pusher struct {
	By Signature // recorded beside the push; its When is now

	// Path tells whether a file or a folder may have this path, and how many bytes a file of that name may have. The
	// error's text is for the pusher, without its last stop: what is wrong, and what to do.
	Path func(path string) (limit int64, err error)

	// Check looks at a push that meets all rules, before the door is taken. Lines that it returns go to the pusher as
	// remote: lines; an error refuses the push with its text, line by line.
	Check func(context.Context, Push) ([]string, error)

	// Taken is called when the live branch has moved, durably and for all to see, before the pusher is told so. Its lines
	// go to the pusher as remote: lines. Nobody else waits for it. It may be nil.
	Taken func(ctx context.Context, live RefUpdate) []string
}

// judge refuses what is against the rules, then asks the pusher's Check.
func (p *push) judge(ctx context.Context, quarantine string) ([]string, error) {
	r := p.repo
	objects := r.objects
	var env []string
	if quarantine != "" { // there is none when nothing is sent, as for a removal
		var err error
		if objects, err = openObjects(quarantine, r.objects); err != nil {
			return nil, err
		}
		defer objects.close()
		env = []string{
			"GIT_OBJECT_DIRECTORY=" + quarantine,
			"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + filepath.Join(r.dir, "objects"),
			"GIT_QUARANTINE_PATH=" + quarantine,
		}
	}
	asked := Push{Refs: p.asked.updates, Branch: branchName(r.live.name), objects: objects, dir: r.dir, env: env}
	_, asked.Old = r.Head()
	asked.Live = p.asked.live(r.live.name)
	if asked.Live != nil {
		if err := p.judgeLive(ctx, &asked); err != nil {
			return nil, err
		}
	}
	if err := p.judgeCommits(ctx, &asked); err != nil {
		return nil, incomplete(err)
	}
	if asked.Live != nil {
		err := asked.New.loadLike(ctx, asked.Old)
		if errors.Is(err, ErrTooLarge) {
			return nil, refusal(fmt.Sprintf("What was pushed to %s cannot be taken: %v.", branchName(asked.Live.Name), err))
		}
		if err != nil {
			return nil, incomplete(err)
		}
	}
	lines, err := p.by.Check(ctx, asked)
	var told []string
	for _, line := range lines {
		told = append(told, remark(line)...)
	}
	if err != nil && ctx.Err() == nil {
		err = refusal(err.Error())
	}
	return told, err
}

// live is the update of the live branch, if any.
func (c *commands) live(name string) *RefUpdate {
	i := slices.IndexFunc(c.updates, func(u RefUpdate) bool { return u.Name == name })
	if i < 0 {
		return nil
	}
	return &c.updates[i]
}

func branchName(ref string) string { return strings.TrimPrefix(ref, "refs/heads/") }

// incomplete is what is told of a push that lacks something. Git looks for that, too, but asks us all the same.
func incomplete(err error) error {
	if errors.Is(err, ErrMissing) || exitCode(err) == 128 {
		return fmt.Errorf("%w (%w)", refusal("What was pushed is not whole: it needs something that was not sent. If your clone is shallow, "+
			"run: git fetch --unshallow, else: git fsck; then push again."), err)
	}
	return err
}

// early refuses what needs no look at what is sent.
func (r *Repo) early(ctx context.Context, u *RefUpdate) error {
	if u == nil {
		return nil
	}
	if u.New.IsZero() {
		return refusal(fmt.Sprintf("The branch %s holds the pages and cannot be deleted. To remove pages, push a commit that removes their files.", branchName(u.Name)))
	}
	if tip, _ := r.Head(); u.Old == tip {
		return nil
	}
	// Should git have moved the branch from outside, then the pusher knows it better than we do.
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	if err := r.reload(ctx); err != nil {
		return err
	}
	if tip, _ := r.Head(); u.Old != tip {
		return stale
	}
	return nil
}

// judgeLive makes sure that the live branch moves forward, to a commit.
func (p *push) judgeLive(ctx context.Context, asked *Push) error {
	u := asked.Live
	if err := p.repo.early(ctx, u); err != nil {
		return err
	}
	var err error
	if asked.New, err = treeOf(ctx, asked.objects, u.New); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return refusal(fmt.Sprintf("What was pushed to %s is not a commit.", branchName(u.Name)))
		}
		return err
	}
	if u.Old.IsZero() {
		return nil
	}
	forward, err := isAncestor(ctx, asked.objects, asked.dir, asked.env, u.Old, u.New)
	if err != nil {
		return incomplete(err)
	}
	if !forward {
		return refusal(fmt.Sprintf("This would take away what is on %s already, and there all stays. Run: git pull --rebase, then push again.", branchName(u.Name)))
	}
	return nil
}

// judgeCommits judges all commits that the push brings, and the live branch's new tree as a whole.
func (p *push) judgeCommits(ctx context.Context, asked *Push) error {
	j := judge{
		objects: asked.objects, path: p.by.Path,
		extents: map[Hash]extent{}, clean: map[Hash]bool{}, left: maxLooks, trees: maxTrees,
		latest: uint64(time.Now().Add(maxAhead).Unix()), branch: branchName(p.repo.live.name),
	}
	j.know(asked.Old.root)
	var tips bytes.Buffer
	for _, u := range asked.Refs {
		if u.New.IsZero() {
			continue
		}
		tip, err := j.peel(ctx, u)
		if err != nil {
			return err
		}
		fmt.Fprintln(&tips, tip)
	}
	if tips.Len() == 0 {
		return nil
	}
	commits, err := listCommits(ctx, command{dir: asked.dir, env: asked.env, stdin: &tips, args: []string{"--not", "--all", "--not", "--stdin"}})
	if err != nil {
		return err
	}
	for _, c := range slices.Backward(commits) { // oldest first
		if err := j.commit(ctx, c, true); err != nil {
			return err
		}
	}
	if u := asked.Live; u != nil && p.repo.live.others() {
		// What was on another branch is new to this one: all later commits would have its date, and Log will compare it.
		between := []string{u.New.String()}
		if !u.Old.IsZero() {
			between = append(between, "^"+u.Old.String())
		}
		commits, err := listCommits(ctx, command{dir: asked.dir, env: asked.env, args: between})
		if err != nil {
			return err
		}
		for _, c := range commits {
			if err := j.commit(ctx, c, false); err != nil {
				return err
			}
		}
		if asked.New.root != nil && len(j.found) == 0 {
			var old []Hash
			if asked.Old.root != nil {
				old = []Hash{asked.Old.root.hash}
			}
			if err := j.folder(ctx, asked.New.root.hash, old, "", 0, u.New); err != nil {
				return err
			}
		}
	}
	return j.verdict()
}

// dated is a commit and its committer's date, as git tells it.
type dated struct {
	hash Hash
	when uint64
}

// listCommits is git rev-list, newest first. What is no date is later than any: git reads it in its own way.
func listCommits(ctx context.Context, c command) ([]dated, error) {
	c.args = append([]string{"rev-list", "--timestamp"}, c.args...)
	var all []dated
	err := c.lines(ctx, func(line string) error {
		if len(all) == maxCommits {
			return refusal(fmt.Sprintf("More than %d new commits in one push. Push an older one of them first: git push origin COMMIT:BRANCH.", maxCommits))
		}
		seconds, name, _ := strings.Cut(line, " ")
		h, err := ParseHash(name)
		if err != nil {
			return err
		}
		when, err := strconv.ParseUint(seconds, 10, 64)
		if err != nil {
			when = 1<<64 - 1
		}
		all = append(all, dated{h, when})
		return nil
	})
	return all, err
}

// judge looks at the commits of one push.
type judge struct {
	objects *objects
	path    func(string) (int64, error)
	latest  uint64 // date that a commit may have
	branch  string // the live one's name
	extents map[Hash]extent
	clean   map[Hash]bool // trees that are without fault wherever they stand
	left    int           // entries that may still be looked at
	trees   int           // trees that may still be measured
	found   []string      // offences, as sentences
	more    int           // that are not kept
}

// extent is how much a folder holds: as folder's total and height.
type extent struct{ total, height int }

// know takes over what is known of a tree in memory.
func (j *judge) know(n *node) {
	if n == nil {
		return
	}
	f := n.loaded.Load()
	if f == nil || f.total == 0 {
		return
	}
	if _, ok := j.extents[n.hash]; ok {
		return
	}
	j.extents[n.hash] = extent{f.total, f.height}
	for _, kid := range f.kids {
		j.know(kid)
	}
}

// peel finds the commit that a branch or tag leads to.
func (j *judge) peel(ctx context.Context, u RefUpdate) (Hash, error) {
	h := u.New
	for range maxTags {
		k, err := j.objects.kindOf(ctx, h)
		if errors.Is(err, fs.ErrNotExist) {
			return h, fmt.Errorf("%s: %w", h, ErrMissing)
		}
		if err != nil {
			return h, err
		}
		if k == kindCommit {
			return h, nil
		}
		if k != kindTag {
			break
		}
		if err := j.small(ctx, h); err != nil {
			return h, err
		}
		data, err := j.objects.readNamed(ctx, kindTag, h)
		if err != nil {
			return h, err
		}
		line, _, _ := strings.Cut(string(data), "\n")
		if h, err = ParseHash(strings.TrimPrefix(line, "object ")); err != nil {
			break
		}
	}
	return h, refusal(fmt.Sprintf("%s does not lead to a commit. Only commits can be pushed here.", told(u.Name)))
}

// small refuses a commit or tag that is too large to be looked at.
func (j *judge) small(ctx context.Context, h Hash) error {
	size, err := j.objects.size(ctx, h)
	if err == nil && size > maxCommit {
		return refusal(fmt.Sprintf("The commit or tag %.8s has %d KiB; with its message and signature it may have %d. Shorten it, and push again.", h, size>>10, maxCommit>>10))
	}
	return err
}

// commit judges one commit: its date and how large its tree is; with all, also its message and what it changes.
func (j *judge) commit(ctx context.Context, c dated, all bool) error {
	if c.when > j.latest {
		return refusal(fmt.Sprintf("Commit %.8s is dated more than a day ahead of the clock here. Set your clock, "+
			"run: git rebase --force-rebase origin/%s, then push again.", c.hash, j.branch))
	}
	if err := j.small(ctx, c.hash); err != nil {
		return err
	}
	raw, err := j.read(ctx, c.hash)
	if err != nil {
		return err
	}
	_, err = j.measure(ctx, raw.tree, 0)
	if errors.Is(err, ErrTooLarge) {
		return refusal(fmt.Sprintf("Commit %.8s cannot be taken: %v.", c.hash, err))
	}
	if err != nil || !all {
		return err
	}
	if n := len(raw.message); n > maxMessage {
		j.offence(fmt.Sprintf("Commit %.8s has a message of %d KiB; at most %d KiB are kept. Shorten it with git commit --amend or git rebase -i.", c.hash, n>>10, maxMessage>>10))
	}
	var olds []Hash
	for _, parent := range raw.parents {
		before, err := j.read(ctx, parent)
		if err != nil {
			return err
		}
		olds = append(olds, before.tree)
	}
	return j.folder(ctx, raw.tree, olds, "", 0, c.hash)
}

func (j *judge) read(ctx context.Context, h Hash) (rawCommit, error) {
	data, err := j.objects.readNamed(ctx, kindCommit, h)
	if err != nil {
		return rawCommit{}, err
	}
	c, err := parseCommit(data)
	if err != nil {
		return c, fmt.Errorf("commit %s: %w", h, err)
	}
	return c, nil
}

// tree reads a folder's object, and counts its entries as looked at.
func (j *judge) tree(ctx context.Context, h Hash) (treeReader, error) {
	if h == emptyTree {
		return treeReader{}, nil
	}
	size, err := j.objects.size(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return treeReader{}, fmt.Errorf("tree %s: %w", h, ErrMissing)
	}
	if err == nil && size > maxTree {
		err = tooLarge("folder", maxTree)
	}
	if err != nil {
		return treeReader{}, err
	}
	data, err := j.objects.readNamed(ctx, kindTree, h)
	return treeReader{data}, err
}

// look counts an entry that is looked at.
func (j *judge) look() error {
	if j.left--; j.left < 0 {
		return errTooMuch
	}
	return nil
}

const errTooMuch = refusal("There is too much in this push to look at at once. Push an older one of its commits first: git push origin COMMIT:BRANCH.")

// measure finds how large a tree is, within the bounds of Tree.Load, without keeping it.
func (j *judge) measure(ctx context.Context, h Hash, depth int) (extent, error) {
	if known, ok := j.extents[h]; ok {
		return known, nil
	}
	if depth > maxDepth {
		return extent{}, fmt.Errorf("tree deeper than %d folders: %w", maxDepth, ErrTooLarge)
	}
	if j.trees--; j.trees < 0 {
		return extent{}, errTooMuch
	}
	entries, err := j.tree(ctx, h)
	if err != nil {
		return extent{}, err
	}
	all := extent{total: 1}
	for {
		e, ok, err := entries.next()
		if err != nil {
			return extent{}, fmt.Errorf("tree %s: %w", h, err)
		}
		if !ok {
			break
		}
		if err := j.look(); err != nil {
			return extent{}, err
		}
		all.total++
		if e.mode == Dir {
			below, err := j.measure(ctx, e.hash, depth+1)
			if err != nil {
				return extent{}, err
			}
			all.total += below.total
			all.height = max(all.height, below.height+1)
		}
		if all.total > maxEntries {
			return extent{}, fmt.Errorf("tree of more than %d entries: %w", maxEntries, ErrTooLarge)
		}
	}
	if depth+all.height > maxDepth {
		return extent{}, fmt.Errorf("tree deeper than %d folders: %w", maxDepth, ErrTooLarge)
	}
	j.extents[h] = all
	return all, nil
}

// folder judges what a folder has that none of the old ones, which stood in its place, had. It has been measured.
func (j *judge) folder(ctx context.Context, h Hash, olds []Hash, at string, depth int, commit Hash) error {
	if j.clean[h] || slices.Contains(olds, h) {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := j.tree(ctx, h)
	if err != nil {
		return err
	}
	before := make([]treeReader, len(olds))
	for i, old := range olds {
		if before[i], err = j.tree(ctx, old); err != nil {
			return err
		}
	}
	faults := j.more + len(j.found)
	for {
		e, ok, err := entries.next()
		if err != nil {
			return fmt.Errorf("tree %s: %w", h, err)
		}
		if !ok {
			break
		}
		if err := j.look(); err != nil {
			return err
		}
		same := false
		var below []Hash
		for i := range before {
			old, ok := before[i].seek(e)
			same = same || ok && old.mode == e.mode && old.hash == e.hash
			if ok && old.mode == Dir && e.mode == Dir {
				below = append(below, old.hash)
			}
		}
		if same {
			continue
		}
		if err := j.entry(ctx, e, below, at, depth, commit); err != nil {
			return err
		}
		if j.more+len(j.found) > maxCounted {
			return nil
		}
	}
	if len(olds) == 0 && j.more+len(j.found) == faults {
		j.clean[h] = true
	}
	return nil
}

// entry judges one entry that is new in its place.
func (j *judge) entry(ctx context.Context, e treeEntry, below []Hash, at string, depth int, commit Hash) error {
	path := at + string(e.name)
	fault := func(format string, args ...any) {
		j.offence(fmt.Sprintf("%s (commit %.8s) ", told(path), commit) + fmt.Sprintf(format, args...))
	}
	switch e.mode {
	case File, Exec, Dir:
	case Link:
		fault("is a link to another file. Links are not kept: put the file itself there, or remove it.")
		return nil
	case Sub:
		fault("is a repository inside this one (a submodule). Those are not kept: put its files there, or remove it.")
		return nil
	default:
		fault("has the mode %o. Only plain files and folders are kept: write it anew with today's git.", e.mode)
		return nil
	}
	limit, err := j.path(path)
	if err != nil {
		fault("cannot be in the wiki. %v.", err)
		return nil
	}
	if e.mode == Dir {
		if extent := j.extents[e.hash]; len(below) == 0 && depth+1+extent.height >= maxFolders {
			fault("has folders more than %d deep. Move what is in them further up.", maxFolders)
			return nil
		}
		return j.folder(ctx, e.hash, below, path+"/", depth+1, commit)
	}
	size, err := j.objects.size(ctx, e.hash)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("blob %s: %w", e.hash, ErrMissing)
	}
	if err == nil && size > limit {
		fault("has %s, and may have at most %s. Make it smaller, or keep it elsewhere.", inUnits(size), inUnits(limit))
	}
	return err
}

func inUnits(n int64) string {
	if n < 16<<20 {
		return fmt.Sprintf("%d KiB", (n+1<<10-1)>>10)
	}
	return fmt.Sprintf("%.3g MiB", float64(n)/(1<<20))
}

func (j *judge) offence(text string) {
	if len(j.found) < maxOffences {
		j.found = append(j.found, text)
	} else {
		j.more++
	}
}

// verdict is nil, or the refusal with all that was found.
func (j *judge) verdict() error {
	lines := j.found
	switch {
	case len(lines) == 0:
		return nil
	case j.more+len(lines) > maxCounted:
		lines = append(lines, "… and many more.")
	case j.more > 0:
		lines = append(lines, fmt.Sprintf("… and %d more.", j.more))
	}
	lines = append(lines, "Nothing was taken. Each new commit counts, not only the last one. To make one of all that is mended: "+
		"git reset --soft origin/"+j.branch+", mend it, git commit, and push again.")
	return refusal(strings.Join(lines, "\n"))
}
