package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// This file keeps who pushed. A commit's author is whoever its writer says; who sent it here is another fact, and ours.
// The rules are:
//
//   - It is a git note on refs/notes/pushes, so that git log --notes=pushes shows it and mirrors and backups have it.
//     Nobody can push that ref.
//   - Only the commit that a push leaves at the tip of the live branch has one: a push of ten thousand commits costs one
//     note. Those that came with it lie between it and the live branch before.
//   - It is written with the door held, right after the branch has moved. After a crash in between, the push is in and
//     nobody stands beside it.
//
// A note reads:
//
//	Pushed-by: Ann Author <ann@example.org>
//	Pushed-at: 2026-01-31T12:00:00Z

// notesRef is where notes are.
const notesRef = "refs/notes/pushes"

// PushedBy is who pushed the commit to the live branch, and when. The error wraps fs.ErrNotExist when nobody did: it was
// saved here, imported, came as one of several in a push, or was not the last of them.
func (r *Repo) PushedBy(ctx context.Context, commit Hash) (Signature, error) {
	tip, err := r.notes().read()
	if err != nil {
		return Signature{}, err
	}
	tree, err := treeOf(ctx, r.objects, tip)
	if err != nil {
		return Signature{}, err
	}
	e, err := tree.Lookup(ctx, notePath(commit))
	if err != nil {
		return Signature{}, err
	}
	b, err := tree.Blob(ctx, e)
	if err != nil {
		return Signature{}, err
	}
	return parseNote(string(b)), nil
}

func (r *Repo) notes() ref { return ref{dir: r.dir, name: notesRef, disk: r.disk} }

// notePath is where a commit's note lies: in 256 folders, so that one more costs little however many there are.
func notePath(commit Hash) string {
	s := commit.String()
	return s[:2] + "/" + s[2:]
}

func formatNote(by Signature) string {
	who := by.line()
	return fmt.Sprintf("Pushed-by: %s\nPushed-at: %s\n", who[:strings.LastIndexByte(who, '>')+1], by.When.UTC().Format(time.RFC3339))
}

// parseNote reads what formatNote has written, as well as can be: git can write notes, too.
func parseNote(text string) Signature {
	var by Signature
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Pushed-by":
			sig := parseSignature(value)
			by.Name, by.Email = sig.Name, sig.Email
		case "Pushed-at":
			by.When, _ = time.Parse(time.RFC3339, value)
		}
	}
	return by
}

// note writes durably who has pushed a commit. The door is held.
func (r *Repo) note(ctx context.Context, commit Hash, by Signature) error {
	at := r.notes()
	old, err := at.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	before := newTree(r.objects, emptyTree)
	if !old.IsZero() {
		if before, err = treeOf(ctx, r.objects, old); err != nil {
			return err
		}
	}
	lock, err := at.hold(old)
	if err != nil {
		return err
	}
	defer lock.drop()
	text := []byte(formatNote(by))
	blob := object{hashObject(kindBlob, text), kindBlob, text}
	e := editor{tree: before}
	root, err := e.apply(ctx, before.root, []write{{path: notePath(commit), entry: Entry{Mode: File, Hash: blob.hash}}})
	if err != nil {
		return err
	}
	data := encodeCommit(root.hash, old, by, by.When.Unix(), "Note who has pushed "+commit.String()[:8])
	noted := object{hashObject(kindCommit, data), kindCommit, data}
	path, err := writePack(r.disk, filepath.Join(r.dir, "objects", "pack"), append(e.made, blob, noted))
	if err == nil {
		err = r.objects.add(path)
	}
	if err != nil {
		return err
	}
	if err := lock.move(noted.hash, by, "push"); err != nil || !old.IsZero() {
		return err
	}
	return r.disk.path(filepath.Join(r.dir, "refs")) // which has a new folder
}
