package wiki

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file saves one file, or says why not and gives every text back.

// Edit is a save that somebody asks for.
type Edit struct {
	Path page.Path
	Text []byte
	Base Rev    // the revision that the writer began from; "" says that there was no such file
	Blob string // instead of Base: the id of the bytes that the writer began from, in full
	Only bool   // refuse with ErrChanged rather than merge when the file is no longer what the writer began from
	Note string // why; "" for a plain default
}

// Saved is what became of a save. It is on disk and in the history.
type Saved struct {
	Rev       Rev
	Blob      string
	Created   bool // the file was not there before
	Merged    bool // somebody else's changes are in it as well
	Unchanged bool // the text was there already: nothing was written

	Left map[page.Path]error // of a move: as in MovePlan, of what was done
}

var (
	// ErrChanged is returned for an Edit with Only whose file is no longer what it began from.
	ErrChanged = errors.New("the file has changed since it was read")
	// ErrTooLarge is returned for a text or a file over the limit.
	ErrTooLarge = errors.New("too large")
	// ErrNotText is returned for a page that is not UTF-8 text.
	ErrNotText = errors.New("a page is text in UTF-8, without NUL characters")
	// ErrReadOnly is returned when the disk has failed: nothing can be saved until the wiki has been started again.
	ErrReadOnly = git.ErrReadOnly
	// ErrBusy is returned to git clients when as many as can be are being served, for a minute.
	ErrBusy = git.ErrBusy
	// ErrLocked is returned when another program holds a space's branch and does not let go.
	ErrLocked = git.ErrLocked
)

// Conflict is a save that cannot be merged: both texts change the same lines, or the file is no longer there, or the
// writer did not know that it is there. Nothing has been saved, and all texts are here.
type Conflict struct {
	Path   page.Path
	Rev    Rev    // what Theirs is from: the base of the next try
	Base   []byte // what the writer began from; nil when unknown
	Mine   []byte
	Theirs []byte // nil when the file has been removed or moved
	Merged []byte // both, with marks where they collide
	Gone   bool   // the file has been removed or moved since
	NoBase bool   // the writer named no base for a file that exists

	// Merge is both in blocks, to choose from: see Settle. It has none for what is gone, or not text.
	Merge page.Merged
}

func (c *Conflict) Error() string {
	switch {
	case c.Gone:
		return fmt.Sprintf("%s has been removed or moved since you began", c.Path)
	case c.NoBase:
		return fmt.Sprintf("%s exists already, and the save does not say which revision it began from", c.Path)
	}
	return fmt.Sprintf("%s: somebody has changed the same lines since you began", c.Path)
}

// The labels of the two sides in a text with marks.
const (
	MineLabel   = "your text"
	TheirsLabel = "saved meanwhile"
)

// Save saves one file: a page, or any other. What came in between is merged by lines. Errors: a *Conflict with all
// texts, a *page.NameError for a name that cannot be stored, ErrChanged, ErrTooLarge, ErrNotText, ErrReadOnly, or one
// that wraps fs.ErrPermission. When it returns without an error the save is on disk; when ctx ends first, it may be.
func (s *Space) Save(ctx context.Context, by Actor, e Edit) (Saved, error) {
	if err := s.mayWrite(by, e.Path); err != nil {
		return Saved{}, err
	}
	if err := checkContent(e.Path, e.Text); err != nil {
		return Saved{}, fmt.Errorf("%s: %w", e.Path, err)
	}
	for {
		saved, err := s.trySave(ctx, by, e)
		if !errors.Is(err, git.ErrMoved) {
			return saved, err
		}
		if ctx.Err() != nil {
			return Saved{}, ctx.Err()
		}
	}
}

// trySave saves onto the head as it is now; git.ErrMoved says that it has moved meanwhile.
func (s *Space) trySave(ctx context.Context, by Actor, e Edit) (Saved, error) {
	head := s.latest()
	change := git.Change{Author: signature(by)}
	edit := git.Edit{Path: string(e.Path), Data: e.Text}
	saved := Saved{}

	there, err := head.lookup(ctx, e.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := s.gone(ctx, head, e); err != nil {
			return Saved{}, err
		}
		if err := checkNew(head, e.Path); err != nil {
			return Saved{}, err
		}
		// A new name is checked against all others, so that the head must be the one that it was checked against.
		change.Onto, change.Exact = head.commit, true
		saved.Created = true
	case err != nil:
		return Saved{}, err
	default:
		theirs, err := head.tree.Blob(ctx, there)
		if err != nil {
			return Saved{}, err
		}
		if edit.Data, saved.Merged, err = s.merge(ctx, head, e, there.Hash, theirs); err != nil {
			return Saved{}, err
		}
		if bytes.Equal(edit.Data, theirs) {
			saved.Unchanged, saved.Rev, saved.Blob = true, head.rev, there.Hash.String()
			return saved, nil
		}
		if err := checkContent(e.Path, edit.Data); err != nil {
			return Saved{}, fmt.Errorf("%s, merged with what was saved meanwhile: %w", e.Path, err)
		}
		edit.Old = there.Hash
	}

	verb := "Change"
	if saved.Created {
		verb = "Write"
	}
	change.Message = note(e.Note, verb+" "+e.Path.Address())
	change.Edits = []git.Edit{edit}
	hash, err := s.repo.Commit(ctx, change)
	if err != nil {
		return Saved{}, fmt.Errorf("save %s: %w", e.Path, err)
	}
	saved.Rev, saved.Blob = revOf(hash), git.BlobHash(edit.Data).String()
	return saved, nil
}

// merge is the text to save when the file is there: the writer's, or the writer's with what came in between.
func (s *Space) merge(ctx context.Context, head *Snapshot, e Edit, now git.Hash, theirs []byte) (text []byte, merged bool, err error) {
	conflict := &Conflict{Path: e.Path, Rev: head.rev, Mine: e.Text, Theirs: theirs}
	base, err := s.base(ctx, e)
	if err == nil && base == now {
		return e.Text, false, nil
	}
	if e.Only && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		return nil, false, fmt.Errorf("%s: %w", e.Path, ErrChanged)
	}
	if err == nil {
		conflict.Base, err = s.repo.Blob(ctx, base) // one that was never stored here is none
	}
	switch {
	case errors.Is(err, errNotThen):
	case errors.Is(err, fs.ErrNotExist):
		conflict.NoBase = true
	case err != nil:
		return nil, false, err
	}
	if !page.IsText(conflict.Base) || !page.IsText(e.Text) || !page.IsText(theirs) {
		return nil, false, conflict // pictures and the like have no lines to merge
	}
	conflict.Merge = page.Merge(conflict.Base, e.Text, theirs)
	if err == nil && conflict.Merge.Conflicts() == 0 {
		return conflict.Merge.Text(), true, nil
	}
	conflict.Merged = conflict.Merge.Marked(MineLabel, TheirsLabel)
	return nil, false, conflict
}

// Settle is the edit that a writer makes of a conflict: what they wrote, merged with the text that they were shown, which
// is that of the revision theirs, with one choice for each block of Conflict.Merge in which both collide. Save takes it
// as any other, based on theirs. An edit that cannot be settled so, because the choices are not about these texts, comes
// back as it was: saving it asks anew.
func (s *Space) Settle(ctx context.Context, by Actor, e Edit, theirs Rev, choices []page.Choice) (Edit, error) {
	base, err := s.Original(ctx, by, e)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return e, err
	}
	var text []byte
	shown, err := s.At(ctx, by, string(theirs))
	if err == nil {
		text, err = shown.Read(ctx, e.Path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	if !page.IsText(base) || !page.IsText(e.Text) || !page.IsText(text) {
		return e, nil
	}
	merged := page.Merge(base, e.Text, text)
	if merged.Conflicts() != len(choices) {
		return e, nil
	}
	e.Text, e.Base, e.Blob = merged.Text(choices...), shown.rev, ""
	return e, nil
}

// Original is the bytes that the writer of an edit began from. The error wraps fs.ErrNotExist when the edit names none
// that are known.
func (s *Space) Original(ctx context.Context, by Actor, e Edit) ([]byte, error) {
	if err := s.mayWrite(by, e.Path); err != nil {
		return nil, err
	}
	hash, err := s.base(ctx, e)
	if err != nil {
		return nil, err
	}
	return s.repo.Blob(ctx, hash)
}

// base is the blob that the writer began from. The error wraps fs.ErrNotExist when the edit names none that is known.
func (s *Space) base(ctx context.Context, e Edit) (git.Hash, error) {
	if e.Blob != "" {
		hash, err := git.ParseHash(e.Blob)
		if err != nil {
			return git.Hash{}, fmt.Errorf("base %q: %w", e.Blob, fs.ErrNotExist)
		}
		return hash, nil
	}
	if e.Base == "" {
		return git.Hash{}, fs.ErrNotExist
	}
	hash, err := git.ParseHash(string(e.Base))
	if err != nil {
		return git.Hash{}, fmt.Errorf("base %q: %w", e.Base, fs.ErrNotExist)
	}
	old, err := s.at(ctx, hash)
	if err != nil {
		return git.Hash{}, err
	}
	entry, err := old.lookup(ctx, e.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return git.Hash{}, errNotThen
	}
	return entry.Hash, err
}

// errNotThen says that the base is known, and had no such file.
var errNotThen = fmt.Errorf("not there at the base: %w", fs.ErrNotExist)

// gone is the answer to a writer whose file has been removed or moved meanwhile; nil when there was none to begin with.
func (s *Space) gone(ctx context.Context, head *Snapshot, e Edit) error {
	if e.Blob == "" {
		if e.Base == "" || e.Base == head.rev {
			return nil
		}
		if _, err := s.base(ctx, e); errors.Is(err, errNotThen) {
			return nil
		}
	}
	if e.Only {
		return fmt.Errorf("%s: %w", e.Path, ErrChanged)
	}
	c := &Conflict{Path: e.Path, Rev: head.rev, Mine: e.Text, Merged: e.Text, Gone: true}
	if hash, err := s.base(ctx, e); err == nil {
		if c.Base, err = s.repo.Blob(ctx, hash); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return c
}

func (s *Space) mayWrite(by Actor, p page.Path) error {
	if !by.CanRead(s.name) {
		return fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	if !by.CanWrite(s.name, p) {
		return fmt.Errorf("%s: %w", p, fs.ErrPermission)
	}
	return nil
}

// checkContent says whether these bytes may be stored at the path.
func checkContent(p page.Path, b []byte) error {
	if len(b) > limitOf(p) {
		return ErrTooLarge
	}
	if p.IsPage() && !page.IsText(b) {
		return ErrNotText
	}
	return nil
}

// limitOf is how many bytes a file may have.
func limitOf(p page.Path) int {
	if p.IsPage() {
		return MaxPage
	}
	return MaxFile
}

// checkNew says whether a file may be made at the path: the name can be stored, and no other is the same but for case.
func checkNew(head *Snapshot, p page.Path) error {
	if err := page.CheckNew(p); err != nil {
		return err
	}
	// One address leads to one thing: a file "a" would hide behind the page "a.md".
	if other, ok := head.Names().Page(string(p)); ok && !p.IsPage() {
		return &page.NameError{Path: p, Reason: "there is a page at %q already; give the file an ending, or another name", Args: []any{other.Address()}}
	}
	if other := page.Path(p.Address()); p.IsPage() && head.Has(other) {
		return &page.NameError{Path: p, Reason: "there is a file %q already; choose another name for the page", Args: []any{other}}
	}
	if twin, ok := head.Names().Twin(p); ok && twin != p {
		return &page.NameError{
			Path:   p,
			Reason: "there is %q already, a name that differs only in capital letters or accents: change that one, or choose another name", Args: []any{twin.Address()},
			Offer: twin,
		}
	}
	return nil
}

func signature(by Actor) git.Signature { return git.Signature{Name: by.Name(), Email: by.Email()} }

// maxNote is how much of a note is kept, in bytes.
const maxNote = 2000

// note is the message of a commit: what the writer typed, in plain lines, or the default.
func note(typed, otherwise string) string {
	typed = strings.ToValidUTF8(strings.ReplaceAll(typed, "\r\n", "\n"), "")
	typed = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, typed))
	for len(typed) > maxNote {
		typed = strings.ToValidUTF8(typed[:maxNote], "")
	}
	if typed == "" {
		return otherwise
	}
	return typed
}
