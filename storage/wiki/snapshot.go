package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"sync"
	"time"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file is a space at one moment, and what lies between two.

// Snapshot is a space at one moment: immutable, so that whoever holds one sees one truth. Safe for concurrent use.
type Snapshot struct {
	space   *Space
	commit  git.Hash
	rev     Rev
	tree    *git.Tree
	seq     uint64
	names   func() *page.Names // made once
	namesAt uint64             // tells sets of names apart; 0 for snapshots that never were the head
	profile func() page.Profile
	pages   func() int
	base    string // of addresses, when it is not the space's own: see Under
	also    page.Also
}

// at is the snapshot of any commit; what it holds is read as it is asked for.
func (s *Space) at(ctx context.Context, hash git.Hash) (*Snapshot, error) {
	if cur := s.latest(); cur.commit == hash {
		return cur, nil
	}
	if old, ok := s.old.Get(hash); ok {
		return old, nil
	}
	tree, err := s.repo.Tree(ctx, hash)
	if err != nil {
		return nil, err
	}
	old := &Snapshot{space: s, commit: hash, rev: revOf(hash), tree: tree}
	old.names = sync.OnceValue(func() *page.Names { return page.NewNames(paths(context.Background(), tree)) })
	old.pages = sync.OnceValue(func() int { return countPages(old.names()) })
	old.profile = sync.OnceValue(func() page.Profile { return old.detectProfile(context.Background()) })
	s.old.Add(hash, old)
	return old, nil
}

// Space is the name of the space.
func (s *Snapshot) Space() string { return s.space.name }

// Rev is the revision; "" while the space is empty.
func (s *Snapshot) Rev() Rev { return s.rev }

// Seq is the position among the heads that this process has seen of the space, higher for later ones. It is 0 for a
// snapshot that never was the head here.
func (s *Snapshot) Seq() uint64 { return s.seq }

// Names are the paths of the files, with the look-ups that addresses and links need.
func (s *Snapshot) Names() *page.Names { return s.names() }

// Profile is the kind of wiki that the space comes from; it decides what doubtful links mean.
func (s *Snapshot) Profile() page.Profile { return s.profile() }

// Context is what one page of this snapshot is rendered against.
func (s *Snapshot) Context() page.Context {
	in, _ := s.context(context.Background())
	return in
}

func (s *Snapshot) context(ctx context.Context) (page.Context, *gallery) {
	source := func(p page.Path) ([]byte, bool) {
		b, err := s.Read(ctx, p)
		return b, err == nil
	}
	g := &gallery{in: s, left: maxLooked, asked: map[page.Path]git.Hash{}, seen: map[page.Path]page.Picture{}}
	return page.Context{
		Space: s.space.name, Base: s.base, Names: s.names(), Profile: s.profile(), Also: s.also, Source: source,
		Picture: func(p page.Path) page.Picture { return g.hung(ctx, p) },
	}, g
}

// With is the snapshot with names beside those of its files: what links mean that no file answers. Only views have them.
func (s *Snapshot) With(also page.Also) *Snapshot {
	more := *s
	more.also = also
	return &more
}

// redirects are the tables of one snapshot, and of each later one with the same names and tables.
type redirects struct {
	namesAt uint64
	commit  git.Hash // for a snapshot that never was the head
	blobs   [len(page.RedirectTables)]git.Hash
	tables  page.Redirects
}

// Redirects are the redirects that the space has brought along from another wiki; a table of more than page.MaxTable bytes
// is not read. Those of its own history are not among them: see search.Index. Asking again for the same costs a look-up.
func (s *Snapshot) Redirects(ctx context.Context) page.Redirects {
	next := redirects{namesAt: s.namesAt}
	if s.namesAt == 0 {
		next.commit = s.commit
	}
	var entries []git.Entry
	whole := true // nothing failed that may go well another time
	for i, p := range page.RedirectTables {
		e, err := s.lookup(ctx, p)
		if err != nil {
			whole = whole && errors.Is(err, fs.ErrNotExist)
			continue
		}
		next.blobs[i] = e.Hash
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return page.Redirects{}
	}
	if kept := s.space.redirects.Load(); kept != nil && kept.namesAt == next.namesAt && kept.commit == next.commit && kept.blobs == next.blobs {
		return kept.tables
	}
	var tables [][]byte
	for _, e := range entries {
		size, err := s.tree.Size(ctx, e)
		if err == nil && size > page.MaxTable {
			continue
		}
		var b []byte
		if err == nil {
			b, err = s.tree.Blob(ctx, e)
		}
		if err != nil {
			whole = false
			continue
		}
		tables = append(tables, b)
	}
	next.tables = page.NewRedirects(s.names(), tables...)
	if whole {
		s.space.redirects.Store(&next)
	}
	return next.tables
}

// Has tells whether the file is there.
func (s *Snapshot) Has(p page.Path) bool { return s.names().Has(p) }

// Blob is the id of the file's bytes; false when it is not there.
func (s *Snapshot) Blob(ctx context.Context, p page.Path) (string, bool) {
	e, err := s.tree.Lookup(ctx, string(p))
	if err != nil || !isFile(e) {
		return "", false
	}
	return e.Hash.String(), true
}

// Read gives the file's bytes, which the caller must not change. The error wraps fs.ErrNotExist when it is not there.
func (s *Snapshot) Read(ctx context.Context, p page.Path) ([]byte, error) {
	e, err := s.lookup(ctx, p)
	if err != nil {
		return nil, err
	}
	b, err := s.tree.Blob(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p, err)
	}
	return b, nil
}

// Size is how many bytes the file has. The error wraps fs.ErrNotExist when it is not there.
func (s *Snapshot) Size(ctx context.Context, p page.Path) (int64, error) {
	e, err := s.lookup(ctx, p)
	if err != nil {
		return 0, err
	}
	n, err := s.tree.Size(ctx, e)
	if err != nil {
		return 0, fmt.Errorf("size of %s: %w", p, err)
	}
	return n, nil
}

func (s *Snapshot) lookup(ctx context.Context, p page.Path) (git.Entry, error) {
	e, err := s.tree.Lookup(ctx, string(p))
	if err == nil && !isFile(e) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return git.Entry{}, fmt.Errorf("%s: %w", p, err)
	}
	return e, nil
}

// Changes yields the files that differ from an earlier snapshot of the same space, each once; all of them when from is nil.
func (s *Snapshot) Changes(ctx context.Context, from *Snapshot) iter.Seq2[FileChange, error] {
	return func(yield func(FileChange, error) bool) {
		var old *git.Tree
		if from != nil {
			old = from.tree
		}
		for c, err := range git.Diff(ctx, old, s.tree) {
			if err != nil {
				yield(FileChange{}, err)
				return
			}
			p, err := page.ParsePath(c.Path)
			if err != nil {
				continue // not served
			}
			change := FileChange{Path: p}
			switch was, is := isFile(c.Old), isFile(c.New); {
			case was && is:
				change.Kind, change.Blob = 'M', c.New.Hash.String()
			case is:
				change.Kind, change.Blob = 'A', c.New.Hash.String()
			case was:
				change.Kind = 'D'
			default:
				continue // a link or a submodule
			}
			if !yield(change, nil) {
				return
			}
		}
	}
}

// profileFile is where a space may say what wiki it comes from.
const profileFile = page.Path(".cairn.yml")

func (s *Snapshot) detectProfile(ctx context.Context) page.Profile {
	return page.DetectProfile(s.names(), func(p page.Path) []byte {
		b, err := s.Read(ctx, p)
		if err != nil {
			return nil
		}
		return b
	})
}

// isFile tells whether an entry is a file that is served: symbolic links and submodules are not.
func isFile(e git.Entry) bool { return e.Mode == git.File || e.Mode == git.Exec }

// paths yields the files of a tree whose names can be served.
func paths(ctx context.Context, t *git.Tree) iter.Seq[page.Path] {
	return func(yield func(page.Path) bool) {
		for name, e := range t.All(ctx) {
			if !isFile(e) {
				continue
			}
			if p, err := page.ParsePath(name); err == nil && !yield(p) {
				return
			}
		}
	}
}

// FileChange is what happened to one file.
type FileChange struct {
	Kind byte      // 'A' written, 'M' changed, 'D' removed, or 'R' moved from From and perhaps changed as well
	Path page.Path // where it is now; where it was, when removed
	From page.Path // only for 'R'
	Blob string    // the id of its bytes; "" when removed
}

// Commit is one change in the history.
type Commit struct {
	Rev     Rev
	Parents []Rev
	Author  string
	Email   string
	When    time.Time // when it was made, UTC: see dated
	Note    string    // its whole message
	Files   []FileChange

	claimed time.Time // what its author's date says, when that is not believed
}

// Subject is the first line of the note, at most some 200 bytes of it.
func (c Commit) Subject() string {
	line, _, _ := strings.Cut(strings.TrimSpace(c.Note), "\n")
	line = strings.TrimSpace(line)
	if short := cut(line, maxSubject); short != line {
		return strings.TrimSpace(short) + "…"
	}
	return line
}

// What is told of a commit, in bytes: git itself knows no limits.
const (
	maxMessage = 64 << 10
	maxSubject = 200
)

// cut is the first bytes of a text, whole letters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// earliest is before anything that a wiki could hold was written.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// dated is when a change was made, in UTC, as people are told: by its author's date, since what was rebased or brought
// along was written before it was committed. Anybody can claim any: a date after the commit's own, or before there were
// wikis, is not believed, and the commit's own counts, which the door has looked at. Nothing is from the future.
func dated(c git.Commit) (when time.Time, believed bool) {
	when, believed = c.Author.When, true
	if when.Before(earliest) || when.After(c.When.Add(24*time.Hour)) {
		when, believed = c.When, false
	}
	if now := time.Now(); when.After(now) {
		when = now
	}
	return when.UTC().Truncate(time.Second), believed
}

func commitOf(c git.Commit) Commit {
	valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") } // git holds any bytes
	out := Commit{
		Rev: revOf(c.Hash), Author: valid(c.Author.Name), Email: valid(c.Author.Email),
		Note: valid(cut(c.Message, maxMessage)),
	}
	var believed bool
	if out.When, believed = dated(c); !believed {
		out.claimed = c.Author.When
	}
	for _, p := range c.Parents {
		out.Parents = append(out.Parents, revOf(p))
	}
	for _, f := range c.Files {
		p, err := page.ParsePath(f.Path)
		if err != nil {
			continue // not served
		}
		change := FileChange{Kind: f.Kind, Path: p, Blob: string(revOf(f.New))}
		if f.Kind == 'R' {
			if change.From, err = page.ParsePath(f.From); err != nil {
				change.Kind = 'A'
			}
		}
		out.Files = append(out.Files, change)
	}
	return out
}

// Delta is what came after a follower's position.
type Delta struct {
	From Rev       // the follower's position; "" when it starts from nothing
	To   *Snapshot // the head that it reaches with this delta
}

// Changes yields the net difference, each file once; in no particular order.
func (d Delta) Changes(ctx context.Context) iter.Seq2[FileChange, error] {
	from, err := d.from(ctx)
	if err != nil {
		return func(yield func(FileChange, error) bool) { yield(FileChange{}, err) }
	}
	return d.To.Changes(ctx, from)
}

func (d Delta) from(ctx context.Context) (*Snapshot, error) {
	if d.From == "" {
		return nil, nil
	}
	hash, err := git.ParseHash(string(d.From))
	if err != nil {
		return nil, err
	}
	return d.To.space.at(ctx, hash)
}

// Commits yields the commits after From up to To, parents before children.
func (d Delta) Commits(ctx context.Context) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if d.From == d.To.rev {
			return
		}
		var since git.Hash
		if d.From != "" {
			var err error
			if since, err = git.ParseHash(string(d.From)); err != nil {
				yield(Commit{}, err)
				return
			}
		}
		for c, err := range d.To.space.repo.Log(ctx, since, d.To.commit) {
			if err != nil {
				yield(Commit{}, err)
				return
			}
			if !yield(commitOf(c), nil) {
				return
			}
		}
	}
}
