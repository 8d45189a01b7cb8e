package wiki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file tells somebody who has pushed, and who looks at the push later, what it did that may not have been meant. The
// rules are:
//
//   - It is told of what is on disk and published, before the pusher is told that the push is in. So it is bounded: by
//     hintTime, after which it says what it has not looked at, and by maxHints lines.
//   - It reads the pages and no index. A page that has not changed is parsed only when it mentions what went away.
//   - Whatever pages and names say is hostile: nothing but visible text reaches the pusher's terminal.

const (
	hintTime = 2 * time.Second
	maxHints = 10  // lines
	maxShown = 60  // letters of a name in a line
	maxDated = 100 // commits that are looked at for their dates alone
)

// The kinds of hints, in the order in which they are told.
const (
	hintMoved   = iota // a file has a new name
	hintBroken         // a link leads nowhere any more
	hintOldName        // a link names a file by the name that it had
	hintMissing        // a new link leads nowhere
	hintMeta           // front matter cannot be read
	hintName           // a new name makes trouble elsewhere
	hintDate           // a commit's date is not believed
	hintKinds
)

// hints looks at what lies between two heads.
type hints struct {
	old, new *Snapshot
	from     moves
	to       map[page.Path]page.Path // of files that were moved: old name to new
	told     [hintKinds][]string
	looked   int // pages whose links were looked at
	pages    int // of how many
}

// hints are lines for who has moved the head from what it was to another commit; see is the address where that can be
// seen.
func (s *Space) hints(ctx context.Context, was *Snapshot, to git.Hash, see string) (lines []string) {
	defer func() {
		if v := recover(); v != nil { // the push is in, and its pusher must hear that
			s.log.ErrorContext(ctx, "hints for a push", "from", was.rev, "to", to, "panic", v, "stack", string(debug.Stack()))
			lines = []string{"See what changed: " + see}
		}
	}()
	return append(s.lookBack(ctx, was, to, maxHints-1), "See what changed: "+see)
}

// Hints tells what a push did that may not have been meant, as its pusher was told it: at most ten lines. from is what the
// head was before, to what it was afterwards. It has its turn among what is costly, and takes two seconds at most, with the
// wait for that; what is not looked at for that is said. The error wraps fs.ErrNotExist for a revision that is not shown.
func (s *Space) Hints(ctx context.Context, by Actor, from, to Rev) ([]string, error) {
	was, err := s.At(ctx, by, string(from))
	if err != nil {
		return nil, err
	}
	now, err := s.At(ctx, by, string(to))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.hintTime)
	defer cancel()
	t := turn{ctx: ctx}
	defer t.end()
	t.take() // when it is not had in time, nothing is looked at
	return s.lookBack(ctx, was, now.commit, maxHints), nil
}

// lookBack makes at most so many lines of what lies between two heads.
func (s *Space) lookBack(ctx context.Context, was *Snapshot, to git.Hash, limit int) []string {
	ctx, cancel := context.WithTimeout(ctx, s.hintTime)
	defer cancel()
	h := &hints{old: was, from: moves{}, to: map[page.Path]page.Path{}}
	now, err := s.at(ctx, to)
	if err == nil {
		h.new = now
		err = h.look(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "hints for a push", "from", was.rev, "to", to, "err", err)
	}
	var last []string
	switch {
	case err == nil:
	case ctx.Err() == nil:
		last = append(last, "Some pages cannot be read here, so links were not looked at; tell whoever runs the wiki.")
	case h.looked > 0:
		last = append(last, fmt.Sprintf("Links were looked at in %d of %d pages; the rest would take too long.", h.looked, h.pages))
	default:
		last = append(last, "Links were not looked at; that would take too long.")
	}
	return append(h.lines(limit-len(last)), last...)
}

// lines shares out what lines there are among the kinds.
func (h *hints) lines(left int) []string {
	var shown [hintKinds]int
	for again := true; again; {
		again = false
		for kind, all := range h.told {
			if shown[kind] < len(all) && left > 0 {
				shown[kind]++
				left--
				again = true
			}
		}
	}
	var lines []string
	for kind, all := range h.told {
		for i, line := range all[:shown[kind]] {
			if n := len(all) - shown[kind]; i == shown[kind]-1 && n > 0 {
				line = strings.TrimSuffix(line, ".") + fmt.Sprintf("; and %d more like this", n)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func (h *hints) tell(kind int, format string, args ...any) {
	for i, a := range args {
		args[i] = visible(fmt.Sprint(a))
	}
	h.told[kind] = append(h.told[kind], fmt.Sprintf(format, args...))
}

// visible is a text that a terminal shows as it stands: one line of bounded length, without anything that steers a
// terminal, hides, or turns the direction of what follows.
func visible(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n':
			r = ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			r = '?'
		}
		if n++; n > maxShown {
			b.WriteString("...")
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (h *hints) look(ctx context.Context) error {
	var gone, come, changed []page.Path
	for c, err := range git.Diff(ctx, h.old.tree, h.new.tree) {
		if err != nil {
			return err
		}
		p, err := page.ParsePath(c.Path)
		if err != nil || !p.Served() {
			continue
		}
		switch was, is := isFile(c.Old), isFile(c.New); {
		case was && !is:
			gone = append(gone, p)
		case is && !was:
			come = append(come, p)
		case is:
			changed = append(changed, p)
		}
	}
	h.lookAtNames(come)
	if err := h.lookAtCommits(ctx, len(gone) > 0 && len(come) > 0); err != nil {
		return err
	}
	changed = slices.DeleteFunc(append(changed, come...), func(p page.Path) bool { return !p.IsPage() })
	slices.Sort(changed)
	if h.pages = len(changed); len(gone) > 0 {
		h.pages = countPages(h.new.names())
	}
	for _, p := range changed {
		if err := h.lookAtPage(ctx, p); err != nil {
			return err
		}
	}
	return h.lookAtOthers(ctx, gone, changed)
}

// lookAtNames tells of new names that cannot be had everywhere.
func (h *hints) lookAtNames(come []page.Path) {
	paired := map[page.Path]bool{}
	for _, p := range come {
		if twin, ok := h.new.names().Twin(p); ok && !paired[p] {
			paired[twin] = true
			h.tell(hintName, "%s and %s differ in case or accents alone: Windows and macOS can have only one of them", p, twin)
		}
		var bad *page.NameError
		if err := page.CheckNew(p); errors.As(err, &bad) {
			// The reason is ours, and may be longer than a name.
			h.told[hintName] = append(h.told[hintName], visible(string(p))+": "+bad.Error())
		}
	}
}

// lookAtCommits finds dates that are not believed in the first commits; with moves also, in all of them, what was moved as
// those find it who follow the history: commit by commit.
func (h *hints) lookAtCommits(ctx context.Context, moves bool) error {
	n := 0
	for c, err := range (Delta{From: h.old.rev, To: h.new}).Commits(ctx) {
		if err != nil {
			return err
		}
		if !c.claimed.IsZero() {
			h.tell(hintDate, "Commit %.8s says that it was written on %s, which is not believed: the wiki shows %s", c.Rev, day(c.claimed), day(c.When))
		}
		if n++; !moves && n == maxDated {
			break
		}
		h.from.add(c)
	}
	for p, was := range h.from {
		if !h.old.Has(was) || h.new.Has(was) || !h.new.Has(p) || h.old.Has(p) {
			delete(h.from, p)
			continue
		}
		h.to[was] = p
	}
	for _, was := range slices.Sorted(maps.Keys(h.to)) {
		h.tell(hintMoved, "Renamed: %s -> %s (the old address leads there)", was.Address(), h.to[was].Address())
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// lookAtPage looks at a page that the push has written.
func (h *hints) lookAtPage(ctx context.Context, p page.Path) error {
	text, err := h.new.Read(ctx, p)
	if err != nil {
		return err
	}
	doc := page.Parse(p, text)
	if doc.MetaErr != "" {
		h.told[hintMeta] = append(h.told[hintMeta], visible(p.Address())+": "+doc.MetaErr)
	}
	was := p
	if first, ok := h.from[p]; ok {
		was = first
	}
	had := map[page.Link]bool{}
	oldText, err := h.old.Read(ctx, was)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		for _, l := range page.Parse(was, oldText).Links {
			had[written(l)] = true
		}
	}
	h.lookAtLinks(doc, was, func(l page.Link) bool { return had[l] })
	h.looked++
	return ctx.Err()
}

// lookAtOthers looks at the pages that the push has not written: their links to what went away.
func (h *hints) lookAtOthers(ctx context.Context, gone, changed []page.Path) error {
	if len(gone) == 0 {
		return nil
	}
	// A link may also name a folder that went away with all that was in it.
	folders := map[page.Path]bool{}
	for _, p := range gone {
		for dir := p.Dir(); dir != "" && !folders[page.Path(dir)] && !h.new.names().HasDir(dir); dir = page.Path(dir).Dir() {
			folders[page.Path(dir)] = true
		}
	}
	for dir := range folders {
		gone = append(gone, dir)
	}
	mentions := page.NewMentions(gone...)
	for name, e := range h.new.tree.All(ctx) {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := page.ParsePath(name)
		if err != nil || !isFile(e) || !p.IsPage() || !p.Served() {
			continue
		}
		if _, ok := slices.BinarySearch(changed, p); ok {
			continue
		}
		text, err := h.new.tree.Blob(ctx, e)
		if err != nil {
			return err
		}
		if mentions.In(text) {
			h.lookAtLinks(page.Parse(p, text), p, func(page.Link) bool { return true })
		}
		h.looked++
	}
	return ctx.Err()
}

// lookAtLinks tells of the links of a page that lead nowhere. was is the name that the page had before; had tells
// whether it had the link.
func (h *hints) lookAtLinks(doc *page.Doc, was page.Path, had func(page.Link) bool) {
	seen := map[string]bool{}
	then, here := h.old.Context().OnePage(), h.new.Context().OnePage()
	for _, l := range doc.Links {
		now := here.Resolve(doc.Path, l)
		if now.Found || now.External != "" {
			continue
		}
		kind, target, note := hintMissing, nowhere(now, l), ""
		if had(written(l)) {
			before := then.Resolve(was, l)
			if !before.Found {
				continue // nor did it then
			}
			kind = hintBroken
			if target = before.Path.Address(); before.IsDir {
				target = before.Dir + "/"
			}
			if to, ok := h.to[before.Path]; ok {
				kind, note = hintOldName, to.Address()
			}
		}
		if seen[target] {
			continue
		}
		seen[target] = true
		switch kind {
		case hintBroken:
			h.tell(kind, "Broken link: %s -> %s", doc.Path.Address(), target)
		case hintOldName:
			h.tell(kind, "Link to an old name: %s -> %s, which is now %s", doc.Path.Address(), target, note)
		default:
			noun := "page"
			if now.Path != "" && !now.Path.IsPage() {
				noun = "file"
			}
			h.tell(kind, "New link, but no %s of that name: %s -> %s", noun, doc.Path.Address(), target)
		}
	}
}

// written is a link without where it stands.
func written(l page.Link) page.Link {
	l.Start, l.End = 0, 0
	return l
}

// nowhere is what a link would lead to, or as much as can be said of one that can lead to nothing.
func nowhere(t page.Target, l page.Link) string {
	if t.Path != "" {
		return t.Path.Address()
	}
	return cmp.Or(strings.TrimSpace(l.A), strings.TrimSpace(l.B))
}
