// Package git keeps files and their history on one branch of a bare repository. It alone knows go-git and the git
// binary, and knows nothing of pages, users or what a name may look like.
//
// A Repo is an open repository. Its live branch is whatever HEAD names; the commit there is the head, and the head's
// Tree lies in memory. Everything that moves the live branch passes one door: Commit (a Change made of Edits) and
// ReceivePack (a Push) both wait for it, compare, write, and publish the new head. Readers never wait.
//
// Bundle and Check read a repository that may be in use by another process, without opening it; Unbundle makes one.
//
// # Bytes on disk
//
// The folder is an ordinary bare repository, which git itself may read at any time:
//
//	HEAD                          ref: refs/heads/main (or whatever an imported repository had)
//	config                        see settings: no garbage collection of git's own, fsync of everything
//	refs/heads/main               moved by main.lock, compare, write, fsync, rename, fsync of the folder
//	logs/refs/heads/main          one line a move, written before the rename; the ref is mended from it. It exists,
//	                              empty, before the first commit: so a lost ref is told from one never written
//	refs/notes/pushes             git notes: who pushed what the live branch was moved to; see notes.go
//	objects/pack/pack-*.pack,idx  one pair for each batch of changes, until Maintain rolls them up
//	objects/pack/pack-*.bitmap    beside a pack that once held everything: git counts clones with it
//	objects/pack/tmp_cairn_*      a pack being written; removed by Open
//	cairn-hooks/pre-receive       asks the server over two inherited descriptors; written by Open
//
// A batch costs five fsyncs: pack, idx, their folder, the ref's lock file, the ref's folder. A failed fsync is never
// tried again: the repository is read-only from then on (ErrReadOnly).
//
// It does not lock the repository against a second process: the data folder's lock does that. Should git move the
// branch from outside all the same, the next change notices and its writers are told ErrMoved.
package git

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// ErrMoved is returned by Commit when the branch or a file is no longer what the change was made for: look again.
var ErrMoved = errors.New("the branch has moved")

// ErrReadOnly is returned, wrapping its cause, by whatever writes after the disk has failed to keep what it was given.
// It lasts until the repository is opened anew.
var ErrReadOnly = errors.New("the repository is read-only, because its disk failed")

// ErrTooLarge is returned for an object or a tree that is beyond what is held in memory.
var ErrTooLarge = errors.New("more than the git store holds in memory")

// ErrMissing is returned when a commit or a tree names an object that is not there, or is of another kind. It never
// wraps fs.ErrNotExist: damage must not look like a page that nobody has written. What the caller names by a hash of
// its own, and is not there, is fs.ErrNotExist.
var ErrMissing = errors.New("object is missing: the repository is damaged")

// Hash names an object; the zero Hash names none.
type Hash [20]byte

// ParseHash reads 40 hexadecimal digits; anything else wraps fs.ErrInvalid.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return Hash{}, fmt.Errorf("hash %.60q: %w", s, fs.ErrInvalid)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("hash %.60q: %w", s, fs.ErrInvalid)
	}
	return h, nil
}

// String is the hash as 40 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h names no object.
func (h Hash) IsZero() bool { return h == Hash{} }

// Mode is a tree entry's mode as git writes it. Other values than these are carried as they are.
type Mode uint32

const (
	Dir  Mode = 0o040000
	File Mode = 0o100644
	Exec Mode = 0o100755
	Link Mode = 0o120000
	Sub  Mode = 0o160000
)

// Entry is one name in a folder.
type Entry struct {
	Name string // last segment; any bytes but NUL
	Mode Mode
	Hash Hash
}

// TreeChange is one file that differs between two trees.
type TreeChange struct {
	Path     string
	Old, New Entry // zero Entry on the side where it is missing
}

// Signature is who and when.
type Signature struct {
	Name, Email string
	When        time.Time // UTC, whole seconds when read from git
}

// Edit replaces one file. Old is the blob that it replaces (zero: must not exist yet); with Remove it removes that.
// Removals of a change are done before its other edits, so a file may make way for a folder of its name.
type Edit struct {
	Path   string // segments joined by '/'
	Old    Hash
	Data   []byte
	Same   Hash // instead of Data: a blob that is already stored (moves)
	Mode   Mode // 0: keep, or File for a new one
	Remove bool
}

// Change is what Commit writes: edits, and who makes them why. No path may occur twice.
type Change struct {
	Onto    Hash // when set, the head must be exactly this; each Edit's Old is compared in any case
	Exact   bool // Onto counts also when it is zero: there must be no commit yet
	Edits   []Edit
	Author  Signature // When zero: now. The committer's date is never before the parent's
	Message string
	Moved   []Move // what the edits move, so that Log need not guess it from what files have in common
}

// Commit is a commit as Log and Show tell it.
type Commit struct {
	Hash    Hash
	Parents []Hash
	Author  Signature
	When    time.Time // committer's, UTC
	Message string    // without newlines at its end, and without what Moved holds
	Moved   []Move    // what its writer says has moved
	Files   []FileChange

	foreign bool // Show has it as it is stored: in an encoding other than UTF-8
}

// FileChange is what a commit did to one file. Kind is 'A', 'M', 'D' or 'R' (renamed From, perhaps changed as well).
// For a merge, only files that differ from every parent are told; Old is then the first parent's.
type FileChange struct {
	Kind     byte
	Path     string
	From     string
	Old, New Hash
}
