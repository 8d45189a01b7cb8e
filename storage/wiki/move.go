package wiki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file moves files and folders, and keeps the links to them. The rules are:
//
//   - It is one commit: files get other names, and in every page of the space the links that would then lead elsewhere
//     are written otherwise (see page.Rewrite). It is made of one head, by reading the pages and no index, outside of
//     the door; when the head has moved meanwhile it is made again, of what has changed.
//   - A page is parsed only when its bytes mention one of the names (see page.Mentions).
//   - What a page shows or links to and nobody else uses goes with it, when it lies beside the page or in the folder
//     that has the page's name.
//   - A page that cannot be rewritten stays as it is, and is named. So is a large one where larger or as large ones have
//     taken all the time that there is for them: the smallest come first.

// Moving asks for a file or a folder to get another name.
type Moving struct {
	From, To page.Path
	Folder   bool   // both are folders: all that is in the one goes to the other
	Retitle  bool   // of a page that begins with its name as a heading, that heading changes as well
	Note     string // why; "" for a plain default
}

// MovePlan is what a move would do to a space.
type MovePlan struct {
	Head     *Snapshot           // what it was made of
	Moved    []FileChange        // what gets another name, by the new one; all are 'R'
	Pages    []FileChange        // pages that stay where they are and of which links change, by path; all are 'M'
	Links    map[page.Path]int   // how many links change, of those pages and of those that move, by the name afterwards
	Left     map[page.Path]error // pages with links that could not be kept, and why
	Note     string              // what stands in the history unless somebody says more
	Retitled bool                // the page's heading changes as well

	edits []git.Edit
	seen  map[page.Path]lookedAt
	asked map[page.Path]page.Path // what might have gone along,
	uses  map[page.Path]usedBy    // and what pages use of it
}

// ErrLinksLost is why a page is in MovePlan.Left of which some links cannot be written so that they go on leading where
// they lead.
var ErrLinksLost = errors.New("nothing can be written that leads there")

// ErrNoTime is why a page is in MovePlan.Left that is large, and before which other large pages took too long.
var ErrNoTime = errors.New("other large pages took too long")

// moveTime is how long the large pages of a move may be parsed for.
const moveTime = 10 * time.Second

// taken is a name that something has.
type taken struct{ *page.NameError }

func (t taken) Unwrap() []error { return []error{t.NameError, fs.ErrExist} }

// PlanMove tells what a move would do now. The errors are those of Move.
func (s *Space) PlanMove(ctx context.Context, by Actor, m Moving) (*MovePlan, error) {
	if err := s.mayWrite(by, m.From); err != nil {
		return nil, err
	}
	return s.planMove(ctx, by, s.latest(), m, nil)
}

// Move gives a file or a folder another name in one change, and changes the links to it; its history goes with it. The
// error is a *page.NameError when the new name cannot be, which wraps fs.ErrExist as well when something has it; it wraps
// fs.ErrNotExist when nothing is there, and fs.ErrPermission.
func (s *Space) Move(ctx context.Context, by Actor, m Moving) (Saved, error) {
	var last *MovePlan
	saved, err := s.change(ctx, by, []page.Path{m.From, m.To}, func(head *Snapshot) (git.Change, error) {
		plan, err := s.planMove(ctx, by, head, m, last)
		if err != nil {
			return git.Change{}, err
		}
		last = plan
		return git.Change{Onto: head.commit, Exact: true, Edits: plan.edits, Message: note(m.Note, plan.Note), Moved: []git.Move{m.whole()}}, nil
	})
	if err == nil && !saved.Unchanged {
		saved.Left = last.Left
	}
	return saved, err
}

// whole is the move as the history keeps it: pages are often changed in it, and must be known again.
func (m Moving) whole() git.Move {
	if m.Folder {
		return git.Move{From: string(m.From) + "/", To: string(m.To) + "/"}
	}
	return git.Move{From: string(m.From), To: string(m.To)}
}

// planMove makes a plan of one head. What an earlier plan has found out about pages that are the same since is taken over.
func (s *Space) planMove(ctx context.Context, by Actor, head *Snapshot, m Moving, last *MovePlan) (*MovePlan, error) {
	files, err := head.moving(ctx, m)
	if err != nil {
		return nil, err
	}
	plan := &MovePlan{Head: head, Links: map[page.Path]int{}, Left: map[page.Path]error{}, Note: "Move " + m.From.Address() + " to " + m.To.Address()}
	if m.Folder {
		plan.Note = fmt.Sprintf("Move %s/ to %s/", m.From, m.To)
	}
	if m.From == m.To {
		return plan, nil
	}
	if last != nil && (last.Head.namesAt != head.namesAt || head.namesAt == 0 || last.Head.profile() != head.profile()) {
		last = nil
	}
	w := &mover{by: by, head: head, left: s.moveTime, moves: page.Moves{Before: head.Context(), Files: files}}
	if m.Folder {
		w.moves.Folders = map[string]string{string(m.From): string(m.To)}
	} else if m.From.IsPage() {
		if err := w.takeAlong(ctx, m, plan, last); err != nil {
			return nil, err
		}
	}
	for from, to := range files {
		for _, p := range []page.Path{from, to} {
			if err := s.mayWrite(by, p); err != nil {
				return nil, err
			}
		}
	}
	w.settle(ctx)
	if last != nil && maps.Equal(w.moves.Files, last.files()) {
		w.seen = last.seen
	}
	pages, err := w.look(ctx)
	if err != nil {
		return nil, err
	}
	plan.seen = w.now
	for from, to := range files {
		there, err := head.lookup(ctx, from)
		if err != nil {
			return nil, err
		}
		edit := git.Edit{Path: string(to), Same: there.Hash, Mode: there.Mode}
		if r := pages[from]; r.text != nil {
			edit.Same, edit.Data = git.Hash{}, r.text
		}
		if m.Retitle && from == m.From {
			if text, ok := head.retitled(ctx, m, edit.Data); ok {
				edit.Same, edit.Data = git.Hash{}, text
				plan.Retitled = true
			}
		}
		plan.edits = append(plan.edits, git.Edit{Path: string(from), Old: there.Hash, Remove: true}, edit)
		plan.Moved = append(plan.Moved, FileChange{Kind: 'R', Path: to, From: from, Blob: there.Hash.String()})
	}
	for p, r := range pages {
		to := w.moves.To(p)
		if r.err != nil {
			plan.Left[to] = r.err
		}
		if r.changed > 0 {
			plan.Links[to] = r.changed
		}
		if r.text == nil || p != to {
			continue
		}
		plan.Pages = append(plan.Pages, FileChange{Kind: 'M', Path: p, Blob: r.blob.String()})
		plan.edits = append(plan.edits, git.Edit{Path: string(p), Old: r.blob, Data: r.text})
	}
	byPath := func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) }
	slices.SortFunc(plan.Moved, byPath)
	slices.SortFunc(plan.Pages, byPath)
	return plan, nil
}

// retitled is the text of a page that moves, or what is made of it for its links, under its new name.
func (s *Snapshot) retitled(ctx context.Context, m Moving, text []byte) ([]byte, bool) {
	if text == nil {
		var err error
		if text, err = s.Read(ctx, m.From); err != nil {
			return nil, false
		}
	}
	if m.Folder || !m.From.IsPage() || page.Parse(m.From, text).Title != m.From.Title() {
		return nil, false
	}
	text, ok := page.Retitle(m.From, text, m.To.Title())
	return text, ok && checkContent(m.To, text) == nil
}

func (p *MovePlan) files() map[page.Path]page.Path {
	all := make(map[page.Path]page.Path, len(p.Moved))
	for _, f := range p.Moved {
		all[f.From] = f.Path
	}
	return all
}

// moving lists the files that a move takes along by its words alone, and where to, if all of them can have those names.
func (s *Snapshot) moving(ctx context.Context, m Moving) (map[page.Path]page.Path, error) {
	files := map[page.Path]page.Path{}
	names := s.names()
	if !m.Folder {
		if _, err := s.lookup(ctx, m.From); err != nil {
			return nil, err
		}
		if m.From == m.To {
			return files, nil
		}
		if m.From.IsPage() != m.To.IsPage() {
			return nil, &page.NameError{Path: m.To, Reason: "a page stays a page: its new name ends like its old one"}
		}
		if names.Has(m.To) {
			return nil, taken{&page.NameError{Path: m.To, Reason: "there is %q already", Args: []any{m.To.Address()}, Offer: s.free(m.To)}}
		}
		if err := page.CheckNew(m.To); err != nil {
			return nil, err
		}
		files[m.From] = m.To
		return files, s.fits(files)
	}
	from, to := string(m.From), string(m.To)
	switch {
	case !names.HasDir(from):
		return nil, fmt.Errorf("folder %s: %w", from, fs.ErrNotExist)
	case from == to:
		return files, nil
	case strings.HasPrefix(to, from+"/"):
		return nil, &page.NameError{Path: m.To, Reason: "a folder cannot go into itself"}
	case names.HasDir(to):
		return nil, taken{&page.NameError{Path: m.To, Reason: "there is a folder %q already", Args: []any{to}, Offer: s.freeFolder(path.Join(to, m.From.Base()))}}
	}
	if err := page.CheckNew(m.To + "/x.md"); err != nil {
		var name *page.NameError
		if errors.As(err, &name) {
			name.Path, name.Offer = m.To, page.Path(name.Offer.Dir())
		}
		return nil, err
	}
	for p := range names.Under(from) {
		q, err := page.ParsePath(to + string(p[len(from):]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		files[p] = q
	}
	return files, s.fits(files)
}

// fits says whether files can get these names, when all of them move at once.
func (s *Snapshot) fits(files map[page.Path]page.Path) error {
	after := s.names().With(slices.Collect(maps.Values(files)), slices.Collect(maps.Keys(files)))
	for _, p := range slices.Sorted(maps.Values(files)) {
		no := func(reason page.Reason, args ...any) error {
			return &page.NameError{Path: p, Reason: reason, Args: args, Offer: s.free(p)}
		}
		if after.HasDir(string(p)) {
			return no("there is a folder %q already", p)
		}
		for dir := p.Dir(); dir != ""; dir = page.Path(dir).Dir() {
			if after.Has(page.Path(dir)) {
				return &page.NameError{Path: p, Reason: "there is a file %q, and no folder can have its name", Args: []any{dir}}
			}
		}
		if twin, ok := after.Twin(p); ok {
			return no("there is %q already, a name that differs only in capital letters or accents", twin.Address())
		}
		if other, ok := after.Page(string(p)); ok && !p.IsPage() {
			return no("there is a page at %q already", other.Address())
		}
		if other := page.Path(p.Address()); p.IsPage() && after.Has(other) {
			return no("there is a file %q already", other)
		}
	}
	return nil
}

// free is a name like this one that nothing has; "" if none is found soon.
func (s *Snapshot) free(p page.Path) page.Path {
	ext := path.Ext(p.Base())
	stem := strings.TrimSuffix(string(p), ext)
	for i := 2; i < 100; i++ {
		q, err := page.ParsePath(fmt.Sprintf("%s %d%s", stem, i, ext))
		if err == nil && !s.names().HasDir(string(q)) && !s.names().Has(q) && checkNew(s, q) == nil {
			return q
		}
	}
	return ""
}

func (s *Snapshot) freeFolder(dir string) page.Path {
	p, err := page.ParsePath(dir)
	if err != nil || s.names().HasDir(dir) || s.names().Has(p) || page.CheckNew(p+"/x.md") != nil {
		return ""
	}
	return p
}

// usedBy is which files a page uses; those that are asked about are among them.
type usedBy struct {
	blob  git.Hash
	files []page.Path
}

// takeAlong adds to a page's move the files that it alone uses and that lie where its files do. It notes in the plan what
// it finds, and takes over what the last one has found when the names are the same.
func (w *mover) takeAlong(ctx context.Context, m Moving, plan, last *MovePlan) error {
	var uses []page.Path
	err := w.head.inTurn(ctx, m.From, func(src []byte) error {
		uses = page.Uses(m.From, src, w.moves.Before)
		return nil
	})
	if err != nil {
		return err
	}
	own := m.From.Address() + "/"
	along := map[page.Path]page.Path{}
	for _, p := range uses {
		to := page.Path("")
		switch {
		case p.IsPage():
			continue
		case strings.HasPrefix(string(p), own):
			to = page.Path(m.To.Address() + "/" + string(p[len(own):]))
		case p.Dir() == m.From.Dir():
			to = page.Path(path.Join(m.To.Dir(), p.Base()))
		}
		if to == "" || to == p || w.head.Has(to) || !w.by.CanWrite(w.head.Space(), p) {
			continue
		}
		if _, err := page.ParsePath(string(to)); err != nil || page.CheckNew(to) != nil {
			continue
		}
		along[p] = to
	}
	if len(along) == 0 {
		return nil
	}
	// Whoever else mentions one of them is asked whether it is meant.
	mentions := page.NewMentions(slices.Collect(maps.Keys(along))...)
	var others []page.Path
	for p := range w.head.names().All() {
		if p.IsPage() && p.Served() && p != m.From {
			others = append(others, p)
		}
	}
	var known map[page.Path]usedBy
	if last != nil && maps.Equal(last.asked, along) {
		known = last.uses
	}
	used := make([]usedBy, len(others))
	err = w.parallel(ctx, len(others), func(i int) error {
		e, err := w.head.lookup(ctx, others[i])
		if err != nil {
			return err
		}
		if kept, ok := known[others[i]]; ok && kept.blob == e.Hash {
			used[i] = kept
			return nil
		}
		src, err := w.head.tree.Blob(ctx, e)
		if err != nil {
			return ignoreMissing(err)
		}
		used[i].blob = e.Hash
		if mentions.In(src) {
			err = w.parse(ctx, len(src), func() error {
				used[i].files = page.Uses(others[i], src, w.moves.Before)
				return nil
			})
			if errors.Is(err, ErrNoTime) { // it may use them all
				used[i].files, err = slices.Collect(maps.Keys(along)), nil
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	plan.asked, plan.uses = maps.Clone(along), make(map[page.Path]usedBy, len(others))
	for i, u := range used {
		plan.uses[others[i]] = u
		for _, p := range u.files {
			delete(along, p)
		}
	}
	maps.Copy(w.moves.Files, along)
	if w.head.fits(w.moves.Files) != nil {
		for p := range along {
			delete(w.moves.Files, p)
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, git.ErrMissing) {
		return nil
	}
	return err
}
