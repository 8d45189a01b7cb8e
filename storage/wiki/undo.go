package wiki

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file takes changes back and leaves what came after them: for each file that a change touched, a merge of what it
// was before the change with what it is now, on the base of what the change made of it. The newest change is taken back
// first. A file where that collides with something later is left alone.

// Undoing asks for changes to be taken back, all in one.
type Undoing struct {
	Revs   []string                // the changes; in any order
	Now    map[page.Path]page.Path // where files are that have been moved since, as far as the asker knows
	Others bool                    // undo what does not collide, rather than nothing
	Note   string                  // why; "" for a plain default
}

// Collided says why an undo wrote nothing.
type Collided struct {
	Files []Collision
}

func (c *Collided) Error() string {
	return fmt.Sprintf("%d files have been changed since in the same places, %s among them", len(c.Files), c.Files[0].Path)
}

// ErrMerge is returned for the undo of a commit that brings two lines of commits together: what it did itself cannot be
// told from what those did.
var ErrMerge = errors.New("a commit with several parents cannot be undone; undo those that it brought")

// PlanUndo tells what an undo would do now: also when it collides, or has nothing left to do. The errors are those of
// Undo, without these two.
func (s *Space) PlanUndo(ctx context.Context, by Actor, u Undoing) (*Plan, error) {
	changes, err := s.changesOf(ctx, by, u.Revs)
	if err != nil {
		return nil, err
	}
	return s.planUndo(ctx, by, s.latest(), changes, u)
}

// Undo takes changes back by one commit. The error is a *Collided when later changes are in the way, ErrNothing when
// there is nothing left of them, ErrMerge; it wraps fs.ErrNotExist for a revision that is not shown, and
// fs.ErrPermission.
func (s *Space) Undo(ctx context.Context, by Actor, u Undoing) (Saved, error) {
	changes, err := s.changesOf(ctx, by, u.Revs)
	if err != nil {
		return Saved{}, err
	}
	return s.carryOut(ctx, by, u.Note, func(head *Snapshot) (*Plan, error) {
		plan, err := s.planUndo(ctx, by, head, changes, u)
		switch {
		case err != nil:
			return nil, err
		case len(plan.Collided) > 0 && (!u.Others || len(plan.Files) == 0):
			return nil, &Collided{plan.Collided}
		case len(plan.Files) == 0:
			return nil, ErrNothing
		}
		return plan, nil
	})
}

// oneChange is a commit and what it did.
type oneChange struct {
	git.Commit
	files []touched
}

// touched is what a change did to a file: from is where it was, to is where it was then; "" where it was not.
type touched struct {
	from, to page.Path
	old, new content
}

// changesOf reads changes, the newest first.
func (s *Space) changesOf(ctx context.Context, by Actor, revs []string) ([]oneChange, error) {
	var all []oneChange
	known := map[git.Hash]bool{}
	for _, rev := range revs {
		in, err := s.At(ctx, by, rev)
		if err != nil {
			return nil, err
		}
		if known[in.commit] {
			continue
		}
		known[in.commit] = true
		c := oneChange{}
		if c.Commit, err = s.repo.Show(ctx, in.commit); err != nil {
			return nil, err
		}
		if c.files, err = s.touchedBy(ctx, in, c.Parents); err != nil {
			return nil, fmt.Errorf("revision %q: %w", rev, err)
		}
		all = append(all, c)
	}
	if len(all) < 2 {
		return all, nil
	}
	order := sorter{space: s, place: map[git.Hash]int{}}
	for _, c := range all {
		if err := order.visit(ctx, c.Hash, c.When); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b oneChange) int {
		return cmp.Or(b.When.Compare(a.When), order.place[b.Hash]-order.place[a.Hash])
	})
	return all, nil
}

// sorter puts commits in their order: by the committer's clock, which does not go back on one branch, and within a second
// by the graph. Where a clock was wrong all the same, changes may collide that need not; nothing is lost by it.
type sorter struct {
	space *Space
	place map[git.Hash]int // parents have lower ones
	last  int
}

// maxSecond is how many commits of one second are looked at: imported histories may have all in one.
const maxSecond = 10_000

func (o *sorter) visit(ctx context.Context, h git.Hash, second time.Time) error {
	if _, seen := o.place[h]; seen || len(o.place) > maxSecond {
		return nil
	}
	c, err := o.space.repo.Show(ctx, h)
	if err != nil || !c.When.Equal(second) {
		return err
	}
	o.place[h] = 0
	for _, p := range c.Parents {
		if err := o.visit(ctx, p, second); err != nil {
			return err
		}
	}
	o.last++
	o.place[h] = o.last
	return nil
}

func (s *Space) touchedBy(ctx context.Context, in *Snapshot, parents []git.Hash) ([]touched, error) {
	before := new(git.Tree)
	switch len(parents) {
	case 0:
	case 1:
		var err error
		if before, err = s.repo.Tree(ctx, parents[0]); err != nil {
			return nil, err
		}
	default:
		return nil, ErrMerge
	}
	var changes []git.TreeChange
	for c, err := range git.Diff(ctx, before, in.tree) {
		if err != nil {
			return nil, err
		}
		if _, err := page.ParsePath(c.Path); err == nil && served(c) {
			changes = append(changes, c)
		}
	}
	commit, err := s.repo.Show(ctx, in.commit)
	if err != nil {
		return nil, err
	}
	moves := s.repo.Moves(ctx, changes, commit.Moved)
	if err := ctx.Err(); err != nil {
		return nil, err // not all moves have been found
	}
	gone := map[string]git.Entry{}
	for _, from := range moves {
		gone[from] = git.Entry{}
	}
	for _, c := range changes {
		if _, moved := gone[c.Path]; moved {
			gone[c.Path] = c.Old
		}
	}
	var files []touched
	for _, c := range changes {
		if _, moved := gone[c.Path]; moved {
			continue
		}
		p := page.Path(c.Path)
		f := touched{from: p, to: p, old: contentOf(c.Old), new: contentOf(c.New)}
		if from, moved := moves[c.Path]; moved {
			f.from, f.old = page.Path(from), contentOf(gone[from])
		}
		files = append(files, f)
	}
	return files, nil
}

func (s *Space) planUndo(ctx context.Context, by Actor, head *Snapshot, changes []oneChange, u Undoing) (*Plan, error) {
	w := undoer{space: s, head: head, moved: u.Now, files: map[page.Path]content{}, stuck: map[page.Path]Why{}}
	for _, c := range changes {
		for _, f := range c.files {
			if err := w.undo(ctx, f); err != nil {
				return nil, err
			}
		}
	}
	w.leaveStuck()
	plan, taken, err := s.newPlan(ctx, by, head, w.files)
	for err == nil && len(taken) > 0 { // what is left out may take others along
		for p, other := range taken {
			w.stuck[p] = other.why
		}
		w.leaveStuck()
		plan, taken, err = s.newPlan(ctx, by, head, w.files)
	}
	if err != nil {
		return nil, err
	}
	plan.tellMoves(w.pairs)
	for _, p := range slices.Sorted(maps.Keys(w.stuck)) {
		plan.Collided = append(plan.Collided, Collision{p, w.stuck[p]})
	}
	plan.Missing = w.missing
	plan.Note = undoNote(changes)
	return plan, nil
}

func undoNote(changes []oneChange) string {
	if len(changes) == 1 {
		c := commitOf(changes[0].Commit)
		return fmt.Sprintf("Undo \"%s\" by %s (%.10s)", c.Subject(), c.Author, c.Rev)
	}
	return fmt.Sprintf("Undo %d changes", len(changes))
}

// undoer takes changes back, one file after another.
type undoer struct {
	space *Space
	head  *Snapshot
	moved map[page.Path]page.Path
	files map[page.Path]content // as they shall be
	stuck map[page.Path]Why
	pairs [][2]page.Path // names that belong together: a move taken back

	missing []page.Path // what a change wrote, and is not there
}

// now is what a file has after what was undone so far.
func (w *undoer) now(ctx context.Context, p page.Path) (content, error) {
	if c, ok := w.files[p]; ok {
		return c, nil
	}
	e, err := w.head.lookup(ctx, p)
	if errors.Is(err, fs.ErrNotExist) {
		return content{}, nil
	}
	return contentOf(e), err
}

// undo takes back what one change did to one file.
func (w *undoer) undo(ctx context.Context, f touched) error {
	if err := ctx.Err(); err != nil {
		return err // what is in memory already is read without asking
	}
	at := f.to
	now, err := w.now(ctx, at)
	if err != nil {
		return err
	}
	if other, ok := w.moved[at]; ok && now.hash.IsZero() && !f.new.hash.IsZero() {
		at = other
		if now, err = w.now(ctx, at); err != nil {
			return err
		}
	}
	there, was := !now.hash.IsZero(), !f.old.hash.IsZero()
	if !there && !f.new.hash.IsZero() && f.from == f.to {
		w.missing = append(w.missing, at)
	}
	back := f.old
	switch {
	case f.from != f.to:
		return w.moveBack(ctx, f, at, now)
	case now.hash == f.new.hash:
	case now.hash == f.old.hash || !was && !there:
		return nil // it is like that already
	case f.new.hash.IsZero():
		w.stuck[at] = WhyTaken
		return nil
	case !there:
		w.stuck[at] = WhyGone
		return nil
	case !was:
		w.stuck[at] = WhyChanged // to delete it would delete what came later
		return nil
	default:
		var clean bool
		if back, clean, err = w.merge(ctx, f, now); err != nil {
			return err
		}
		if !clean {
			w.stuck[at] = WhyChanged
			return nil
		}
	}
	w.files[at] = back
	return nil
}

// moveBack gives a file, which is at a path now, the name back that it had before the change.
func (w *undoer) moveBack(ctx context.Context, f touched, at page.Path, now content) error {
	before, err := w.now(ctx, f.from)
	if err != nil {
		return err
	}
	w.pairs = append(w.pairs, [2]page.Path{f.from, at})
	switch {
	case now.hash.IsZero() && before.hash == f.old.hash:
		return nil
	case now.hash.IsZero():
		w.stuck[at], w.missing = WhyGone, append(w.missing, at)
		return nil
	case !before.hash.IsZero():
		w.stuck[f.from] = WhyTaken
		return nil
	}
	back, clean := f.old, true
	switch {
	case now.hash == f.new.hash:
	case f.old.hash == f.new.hash:
		back = now
	default:
		if back, clean, err = w.merge(ctx, f, now); err != nil {
			return err
		}
	}
	if !clean {
		w.stuck[at] = WhyChanged
		return nil
	}
	w.files[at], w.files[f.from] = content{}, back
	return nil
}

// merge is what a file has now without what the change did to it.
func (w *undoer) merge(ctx context.Context, f touched, now content) (content, bool, error) {
	var texts [3][]byte
	for i, c := range []content{f.new, f.old, now} {
		if texts[i] = c.data; texts[i] == nil {
			var err error
			if texts[i], err = w.space.repo.Blob(ctx, c.hash); err != nil {
				return content{}, false, fmt.Errorf("undo a change of %s: %w", f.to, err)
			}
		}
		if len(texts[i]) > MaxPage || !page.IsText(texts[i]) {
			return content{}, false, nil // pictures and the like have no lines
		}
	}
	merged := page.Merge(texts[0], texts[1], texts[2])
	if merged.Conflicts() > 0 {
		return content{}, false, nil
	}
	text := merged.Text()
	out := content{hash: git.BlobHash(text), mode: now.mode, data: text}
	if now.mode == f.new.mode {
		out.mode = f.old.mode
	}
	if bytes.Equal(text, texts[2]) {
		out.data, out.hash = now.data, now.hash
	}
	return out, true, nil
}

// leaveStuck takes the files that collide out of the plan, with those that they were moved from or to.
func (w *undoer) leaveStuck() {
	for again := true; again; {
		again = false
		for _, p := range w.pairs {
			for i := range p {
				if _, ok := w.stuck[p[i]]; !ok {
					continue
				}
				if _, had := w.files[p[1-i]]; had {
					delete(w.files, p[1-i])
					w.stuck[p[1-i]], again = w.stuck[p[i]], true
				}
			}
		}
	}
	for p := range w.stuck {
		delete(w.files, p)
	}
}

// tellMoves makes one change of a file that goes and one that comes, where a move is taken back.
func (p *Plan) tellMoves(pairs [][2]page.Path) {
	at := map[page.Path]int{}
	for i, f := range p.Files {
		at[f.Path] = i
	}
	for _, pair := range pairs {
		come, ok := at[pair[0]]
		goes, also := at[pair[1]]
		if ok && also && p.Files[come].Kind == 'A' && p.Files[goes].Kind == 'D' {
			p.Files[come].Kind, p.Files[come].From = 'R', pair[1]
			p.Files[goes].Kind = 0
		}
	}
	p.Files = slices.DeleteFunc(p.Files, func(f FileChange) bool { return f.Kind == 0 })
}
