package wiki

import (
	"cmp"
	"context"
	"slices"

	"cairn/storage/page"
)

// This file compares two moments of a space: what a push brought, or any stretch of its history.

// Stretch is what lies between two revisions.
type Stretch struct {
	From, To *Snapshot    // From is nil for the beginning
	Files    []FileChange // what differs, by path; with 'R' for what the commits moved
	Commits  []Commit     // what To has and From has not, parents before children
	More     bool         // there are more commits, which are not told
}

// maxStretch is how many commits a Stretch tells; files that later ones moved are told as removed and written.
const maxStretch = 1000

// Between compares two revisions, an empty from being the beginning. The error wraps fs.ErrNotExist when one of them is
// on no branch that is shown.
func (s *Space) Between(ctx context.Context, by Actor, from, to string) (*Stretch, error) {
	out := &Stretch{}
	var err error
	if out.To, err = s.At(ctx, by, to); err != nil {
		return nil, err
	}
	if from != "" {
		if out.From, err = s.At(ctx, by, from); err != nil {
			return nil, err
		}
	}
	d := Delta{To: out.To}
	if out.From != nil {
		d.From = out.From.rev
	}
	moved := moves{}
	for c, err := range d.Commits(ctx) {
		if err != nil {
			return nil, err
		}
		if len(out.Commits) == maxStretch {
			out.More = true
			break
		}
		moved.add(c)
		c.Files = nil
		out.Commits = append(out.Commits, c)
	}
	files := map[page.Path]FileChange{}
	for f, err := range out.To.Changes(ctx, out.From) {
		if err != nil {
			return nil, err
		}
		files[f.Path] = f
	}
	for p, was := range moved {
		if files[p].Kind == 'A' && files[was].Kind == 'D' {
			f := files[p]
			f.Kind, f.From = 'R', was
			files[p] = f
			delete(files, was)
		}
	}
	for _, f := range files {
		out.Files = append(out.Files, f)
	}
	slices.SortFunc(out.Files, func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// moves are the files that commits moved, one after the other: where each is, and where it was at first.
type moves map[page.Path]page.Path

func (m moves) add(c Commit) {
	for _, f := range c.Files {
		if f.Kind != 'R' {
			continue
		}
		first := f.From
		if earlier, ok := m[first]; ok {
			delete(m, first)
			first = earlier
		}
		m[f.Path] = first
	}
}
