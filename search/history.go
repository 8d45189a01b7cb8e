// This file answers what happened: to one page, and to a whole space. The rules are:
//
//   - A snapshot bounds the answer: commits after its revision do not count. When the log does not know the revision yet,
//     all that it knows counts.
//   - The last change of a folder is the newest that the log knows, which may be newer than the snapshot by a moment.
//   - The history of a page goes on under the name it had before a move. As each step goes further back, it ends.
//   - A page that was removed and written again has one history. A page that was moved away and another that was written
//     under its name later have two.

package search

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"strings"
	"time"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// Change is what one commit did to one page.
type Change struct {
	Rev   wiki.Rev
	Kind  byte // 'A', 'M', 'D', or 'R': moved From to Path
	Path  page.Path
	From  page.Path // 'R' only
	Blob  string    // "" when the page is not at Path, or not there, after it
	By    string
	Email string
	When  time.Time // UTC
	Note  string    // the whole message
}

// History is the changes of a page, newest first.
type History struct {
	Changes []Change
	Next    string // where the next part begins; "" at the end
	Behind  bool   // the log had not reached the snapshot in time: newer changes may be missing
}

// Recent is the commits of a space, newest first.
type Recent struct {
	Commits []Commit
	Next    string // where the next part begins; "" at the end
	Behind  bool   // the log had not reached the snapshot in time: newer commits may be missing
}

// Commit is a commit as Recent lists it. Files holds at most MaxFiles of its changes, More counts the others.
type Commit struct {
	wiki.Commit
	More int
}

// MaxFiles is how many files of one commit Recent lists.
const MaxFiles = 500

// Removal is how a page went away.
type Removal struct {
	Change          // the commit that removed it
	Before wiki.Rev // the last revision that wrote the page: it has the text to offer again
	Text   string   // the blob of that text
}

const (
	defaultPart = 50  // entries, when none are asked for
	maxPart     = 500 // entries in one answer
	maxMoves    = 64  // moves that Moved looks through
	maxAuthors  = 50  // of one page, for Query.By
	maxEntries  = 500 // of one page that are read for them
)

// History lists at most limit changes of p up to the snapshot, newest first, and goes on under the names it had before.
// before is "" or the Next of an earlier part; an error wraps fs.ErrInvalid when it is neither. A page that the log does
// not know has no changes.
func (x *Index) History(ctx context.Context, in *wiki.Snapshot, p page.Path, before string, limit int) (History, error) {
	from, err := parseCursor(before)
	if err != nil {
		return History{}, err
	}
	if before != "" && from.name == "" {
		return History{}, fmt.Errorf("cursor %q: %w", before, fs.ErrInvalid)
	}
	h := History{Behind: !x.reached(ctx, x.trail, in)}
	err = x.trail.view(in.Space(), func(b book) error {
		at := cursor{p, b.bound(in)}
		if before != "" {
			at = cursor{from.name, min(from.below, at.below)}
		}
		for e, err := range b.entries(at.name, at.below, before == "") {
			if err != nil {
				return err
			}
			if len(h.Changes) == size(limit) {
				h.Next = cursor{e.name, e.seq + 1}.String()
				return nil
			}
			c, err := b.change(e)
			if err != nil {
				return err
			}
			h.Changes = append(h.Changes, c)
		}
		return nil
	})
	h.Behind = h.Behind || errors.Is(err, errNone)
	return h, ignoreUnknown(err)
}

// Recent lists at most limit commits of the space up to the snapshot, newest first; before as for History.
func (x *Index) Recent(ctx context.Context, in *wiki.Snapshot, before string, limit int) (Recent, error) {
	from, err := parseCursor(before)
	if err != nil {
		return Recent{}, err
	}
	r := Recent{Behind: !x.reached(ctx, x.trail, in)}
	err = x.trail.view(in.Space(), func(b book) error {
		below := min(b.bound(in), b.next(), from.below)
		first := below - min(below, uint64(size(limit)))
		for seq := below; seq > first; seq-- {
			c, err := decodeCommit(b.commit.Get(number(seq - 1)))
			if err != nil {
				return err
			}
			r.Commits = append(r.Commits, c)
		}
		if first > 0 {
			r.Next = cursor{"", first}.String()
		}
		return nil
	})
	r.Behind = r.Behind || errors.Is(err, errNone)
	return r, ignoreUnknown(err)
}

// Last is the last change of p up to the snapshot. The error wraps fs.ErrNotExist when the log knows none.
func (x *Index) Last(ctx context.Context, in *wiki.Snapshot, p page.Path) (Change, error) {
	x.reached(ctx, x.trail, in)
	return x.trail.last(in, p)
}

// Lasts are the last changes of the names in a folder, in their order: of a page or a file up to the snapshot, of a folder
// in whatever is below. Rev is "" where the log knows none. It costs a look-up for each.
func (x *Index) Lasts(ctx context.Context, in *wiki.Snapshot, names []wiki.Child) ([]Change, error) {
	x.reached(ctx, x.trail, in)
	all := make([]Change, len(names))
	err := x.trail.view(in.Space(), func(b book) error {
		below := b.bound(in)
		for i, c := range names {
			last, err := b.lastOf(c, below)
			if ignoreUnknown(err) != nil {
				return err
			}
			all[i] = last
		}
		return nil
	})
	return all, ignoreUnknown(err)
}

func (l book) lastOf(c wiki.Child, below uint64) (Change, error) {
	if !c.Folder {
		e, err := l.newest(c.Path, below)
		if err != nil {
			return Change{}, err
		}
		return l.change(e)
	}
	v := l.folder.Get([]byte(c.Path))
	if len(v) != 8 {
		return Change{}, fmt.Errorf("changes of %s: %w", c.Path, fs.ErrNotExist)
	}
	return l.change(entry{name: c.Path, seq: binary.BigEndian.Uint64(v), kind: 'M'})
}

func (t *trail) last(in *wiki.Snapshot, p page.Path) (c Change, err error) {
	err = t.view(in.Space(), func(b book) error {
		e, err := b.newest(p, b.bound(in))
		if err == nil {
			c, err = b.change(e)
		}
		return err
	})
	return c, err
}

// Moved tells where a path that is gone leads now, over all moves since; false when it is not gone or leads nowhere.
func (x *Index) Moved(ctx context.Context, in *wiki.Snapshot, p page.Path) (to page.Path, ok bool, err error) {
	if in.Has(p) {
		return "", false, nil
	}
	x.reached(ctx, x.trail, in)
	err = x.trail.view(in.Space(), func(b book) (err error) {
		to, err = b.whither(in, p)
		return err
	})
	return to, to != "", ignoreUnknown(err)
}

// whither is where a path that is gone leads now; "" when nowhere.
func (l book) whither(in *wiki.Snapshot, p page.Path) (page.Path, error) {
	below := l.bound(in)
	seen := map[page.Path]bool{}
	for len(seen) < maxMoves && !seen[p] {
		seen[p] = true
		e, err := l.newest(p, below)
		if err != nil || e.kind != kindAway {
			return "", ignoreUnknown(err)
		}
		if p = e.other; in.Has(p) {
			return p, nil
		}
	}
	return "", nil
}

// MovedFolder tells where a folder that is gone leads now: to where a file of it is, as deep below as it was, if that is so
// of one of the first of its files.
func (x *Index) MovedFolder(ctx context.Context, in *wiki.Snapshot, dir string) (to string, ok bool, err error) {
	if dir == "" || in.Names().HasDir(dir) {
		return "", false, nil
	}
	x.reached(ctx, x.trail, in)
	err = x.trail.view(in.Space(), func(b book) (err error) {
		to, err = b.folderWhither(in, dir)
		return err
	})
	return to, to != "", ignoreUnknown(err)
}

func (l book) folderWhither(in *wiki.Snapshot, dir string) (string, error) {
	prefix := []byte(dir + "/")
	c := l.page.Cursor()
	k, _ := c.Seek(prefix)
	for range maxMoves {
		name, _, ok := bytes.Cut(k, []byte{0})
		if !ok || !bytes.HasPrefix(name, prefix) {
			return "", nil
		}
		q, err := l.whither(in, page.Path(name))
		if err != nil {
			return "", err
		}
		if to, ok := strings.CutSuffix(string(q), "/"+string(name[len(prefix):])); ok && to != "" && in.Names().HasDir(to) {
			return to, nil
		}
		k, _ = c.Seek(append(bytes.Clone(name), 1)) // the next name: no name has a byte so low
	}
	return "", nil
}

// Deleted tells how a path that is gone was removed, and which revision still has it. The error wraps fs.ErrNotExist
// when it is there, was moved away or never was.
func (x *Index) Deleted(ctx context.Context, in *wiki.Snapshot, p page.Path) (r Removal, err error) {
	missing := fmt.Errorf("a removal of %s: %w", p, fs.ErrNotExist)
	if in.Has(p) {
		return Removal{}, missing
	}
	x.reached(ctx, x.trail, in)
	err = x.trail.view(in.Space(), func(b book) error {
		for e, err := range b.entries(p, b.bound(in), true) {
			switch {
			case err != nil:
				return err
			case e.kind == kindAway:
				return missing
			case r.Kind == 0 && e.kind != 'D':
				return missing // made again: the log is behind or ahead
			case r.Kind == 0:
				if r.Change, err = b.change(e); err != nil {
					return err
				}
			case e.kind != 'D':
				c, err := b.change(e)
				r.Before, r.Text = c.Rev, e.blob
				return err
			}
		}
		return missing
	})
	return r, err
}

// facts is what the log knows of a page, for its document.
func (t *trail) facts(in *wiki.Snapshot, p page.Path) (f facts) {
	read := 0
	known := map[string]bool{}
	err := t.view(in.Space(), func(b book) error {
		for e, err := range b.entries(p, b.bound(in), true) {
			if err != nil {
				return err
			}
			c, err := b.change(e)
			if err != nil {
				return err
			}
			if f.when.IsZero() {
				f.when = c.When
			}
			if !known[c.By] {
				known[c.By] = true
				f.by = append(f.by, c.By)
			}
			if read++; read == maxEntries || len(f.by) == maxAuthors {
				return nil
			}
		}
		return nil
	})
	if ignoreUnknown(err) != nil {
		t.log.Warn("index a page without its authors", "space", in.Space(), "path", p, "err", err)
	}
	return f
}

// bound is the number of the first commit that the snapshot does not have.
func (l book) bound(in *wiki.Snapshot) uint64 {
	if seq, ok := l.seq(in.Rev()); ok {
		return seq + 1
	}
	return math.MaxUint64
}

// newest is the newest entry of a name below a number; the error wraps fs.ErrNotExist when there is none.
func (l book) newest(p page.Path, below uint64) (entry, error) {
	if below > 0 {
		k, v := l.page.Cursor().Seek(entryKey(p, below-1))
		if len(k) == len(p)+9 && string(k[:len(p)]) == string(p) && k[len(p)] == 0 {
			return decodeEntry(p, k, unseal(k, v))
		}
	}
	return entry{}, fmt.Errorf("changes of %s: %w", p, fs.ErrNotExist)
}

// entries yields the history of the page that has the name p before the commit below, newest first. fresh says that it is
// read from its beginning: only there may it begin with the page being moved away.
func (l book) entries(p page.Path, below uint64, fresh bool) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for first := fresh; ; first = false {
			e, err := l.newest(p, below)
			if errors.Is(err, fs.ErrNotExist) || err == nil && e.kind == kindAway && !first {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
			below = e.seq
			if e.kind == 'R' {
				p = e.other
			}
		}
	}
}

// change is an entry with what its commit says.
func (l book) change(e entry) (Change, error) {
	c, _, err := decodeHead(l.commit.Get(number(e.seq)))
	if err != nil {
		return Change{}, err
	}
	h := Change{Rev: c.Rev, Kind: e.kind, Path: e.name, From: e.other, Blob: e.blob,
		By: c.Author, Email: c.Email, When: c.When, Note: c.Note}
	if e.kind == kindAway {
		h.Kind, h.Path, h.From = 'R', e.other, e.name
	}
	return h, nil
}

// ignoreUnknown drops the error that says that the log knows nothing of it: the answer is then empty.
func ignoreUnknown(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func size(limit int) int {
	if limit <= 0 {
		return defaultPart
	}
	return min(limit, maxPart)
}

func number(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// cursor is a place in a list: the entries of name before the commit below.
type cursor struct {
	name  page.Path // "" in Recent
	below uint64
}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(append(binary.AppendUvarint(nil, c.below), c.name...))
}

// parseCursor reads what String wrote; "" is before everything.
func parseCursor(s string) (cursor, error) {
	if s == "" {
		return cursor{below: math.MaxUint64}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	below, n := binary.Uvarint(b)
	if err != nil || n <= 0 {
		return cursor{}, fmt.Errorf("cursor %q: %w", s, fs.ErrInvalid)
	}
	c := cursor{below: below}
	if len(b) > n {
		if c.name, err = page.ParsePath(string(b[n:])); err != nil {
			return cursor{}, fmt.Errorf("cursor %q: %w", s, err)
		}
	}
	return c, nil
}
