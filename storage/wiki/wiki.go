// Package wiki is the wiki itself: its spaces, what they look like at one moment, and the one door by which they change.
//
// The nouns: a [Wiki] is the spaces in one data folder. A [Space] is one git repository with a door. A [Snapshot] is a
// space at one moment, immutable, and what every reader holds for the length of a request. An [Edit] is a save that
// somebody asks for; it becomes one commit, is merged, or comes back as a [Conflict] with all texts. A [Plan] is what a
// restore or an undo of many files would do, before it is done; a [MovePlan] is what a move would, with the links that
// change for it. A [Delta] is what came after a position, for those who
// follow the log. An [Actor] is whoever asks.
//
// On disk, below the data folder:
//
//	cairn.lock         held (flock) by the process that runs the wiki
//	spaces/NAME.git    one bare repository a space; its bytes are those of package git
//	spaces/.new-*      a space being made or imported; renamed into place when whole, swept after a day when not
//	incoming/*         what is being uploaded, until it is whole; the files have no names, and what a crash leaves is swept
//	.restore-*         all spaces of a backup being restored; spaces/ appears when they are whole
//
// [Backup] writes all of it into one file, whose bytes backup.go tells; [Restore] makes a data folder of that; [Check] looks
// whether one is sound. A running wiki does not notice.
//
// It renders nothing for a request, and reads nothing that is derived: a write depends on git alone.
package wiki

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// First is the space that is there from the first start.
const First = "wiki"

// What the door takes at most, in bytes.
const (
	MaxPage = 1 << 20  // a page
	MaxFile = 32 << 20 // any other file
)

// Actor is whoever asks. The door asks the actor, so that no handler can forget to.
type Actor interface {
	Name() string
	Email() string
	CanRead(space string) bool
	CanWrite(space string, p page.Path) bool
	CanManage(space string) bool
}

// Rev names a revision of a space: the id of a commit, in full. "" is before the first.
type Rev string

// ErrInUse is returned by Open when another process runs the wiki in the same data folder.
var ErrInUse = errors.New("another cairn is running with this data folder")

// ErrName is returned for a name that no space can have; it wraps fs.ErrInvalid.
var ErrName error = nameError{}

type nameError struct{}

func (nameError) Error() string {
	return "the name of a space has small letters, digits and hyphens, 63 at most, and begins with a letter or a digit"
}

func (nameError) Unwrap() error { return fs.ErrInvalid }

// Wiki is the spaces in one data folder. Safe for concurrent use.
type Wiki struct {
	dir  string // the data folder
	log  *slog.Logger
	lock *os.File

	listing sync.Mutex // held while the folder of spaces is listed; guards seen
	seen    time.Time  // its modification time then

	mu     sync.Mutex        // guards all below
	spaces map[string]*Space // nil once closed
	broken map[string]error  // spaces that could not be opened, and why
	added  chan struct{}     // closed when a space has been added
}

//go:embed home.md
var homePage []byte

var spaceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Open opens the wiki in a data folder, which it makes if need be, together with the first space. It returns ErrInUse
// when another process holds the folder. A space that cannot be opened does not keep the others from opening.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Wiki, error) {
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	w := &Wiki{dir: dir, log: log, lock: lock, spaces: map[string]*Space{}, broken: map[string]error{}, added: make(chan struct{})}
	w.sweep()
	if _, err := os.Stat(w.path(First)); errors.Is(err, fs.ErrNotExist) {
		if err := create(ctx, dir, First, homePage, log); err != nil {
			w.Close()
			return nil, fmt.Errorf("make the first space: %w", err)
		}
	}
	w.list(ctx)
	return w, nil
}

// lockFolder takes the data folder for this process. The kernel lets go of it when the process ends, however it ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "cairn.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// Close closes every space and lets go of the data folder.
func (w *Wiki) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, s := range w.spaces {
		errs = append(errs, s.repo.Close())
	}
	w.spaces = nil
	return errors.Join(append(errs, w.lock.Close())...)
}

// Space is the space of that name. The error wraps fs.ErrNotExist when there is none; any other tells why the space,
// which is there, could not be opened.
func (w *Wiki) Space(ctx context.Context, name string) (*Space, error) {
	if s := w.get(name); s != nil {
		return s, nil
	}
	if !spaceName.MatchString(name) {
		return nil, fmt.Errorf("space %q: %w", name, fs.ErrNotExist)
	}
	w.list(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.spaces[name]; s != nil {
		return s, nil
	}
	if err := w.broken[name]; err != nil {
		return nil, fmt.Errorf("open space %q: %v", name, err) // not %w: the space is there, though its files may not be
	}
	return nil, fmt.Errorf("space %q: %w", name, fs.ErrNotExist)
}

// Spaces are all spaces that could be opened, the first one first, then by name.
func (w *Wiki) Spaces(ctx context.Context) []*Space {
	w.list(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*Space, 0, len(w.spaces))
	for _, s := range w.spaces {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Space) int {
		if (a.name == First) != (b.name == First) {
			if a.name == First {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// Broken are the spaces that could not be opened, and why.
func (w *Wiki) Broken() map[string]error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.broken)
}

// Added is closed when a space comes to light that was not there before; then Added gives a new channel. A space may
// be made by another process (an import beside a running wiki): it comes to light when somebody asks for it or for all.
func (w *Wiki) Added() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.added
}

// Create makes an empty space. The error wraps fs.ErrExist when there is one of that name, and fs.ErrInvalid when no
// space can be called that.
func (w *Wiki) Create(ctx context.Context, name string) (*Space, error) {
	if err := Create(ctx, w.dir, name, w.log); err != nil {
		return nil, err
	}
	return w.Space(ctx, name)
}

// Create makes an empty space in a data folder, whether a wiki runs with it or not: a running one notices it.
func Create(ctx context.Context, dir, name string, log *slog.Logger) error {
	if err := makeFolder(dir); err != nil {
		return err
	}
	return create(ctx, dir, name, nil, log)
}

// List is the names of the spaces in a data folder.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "spaces"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".git"); ok && spaceName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// Lock takes a data folder, so that no wiki runs with it until unlock is called; ErrInUse says that one does.
func Lock(dir string) (unlock func() error, err error) {
	f, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// list opens the spaces on disk that are not open yet. It costs one stat when nothing has changed. One caller lists at a
// time; nobody who only wants a space that is open waits for it.
func (w *Wiki) list(ctx context.Context) {
	w.listing.Lock()
	defer w.listing.Unlock()
	dir := filepath.Join(w.dir, "spaces")
	info, err := os.Stat(dir)
	if err != nil || info.ModTime().Equal(w.seen) {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.log.Error("list spaces", "err", err)
		return
	}
	// Opening outlives the request that happens to notice the space.
	ctx = context.WithoutCancel(ctx)
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".git")
		if !ok || !spaceName.MatchString(name) || w.get(name) != nil {
			continue
		}
		s, err := openSpace(ctx, name, w.path(name), w.log)
		if err != nil {
			w.log.Error("open space", "space", name, "err", err)
		}
		w.add(name, s, err)
	}
	w.seen = info.ModTime()
}

// get is the space of that name, if it is open.
func (w *Wiki) get(name string) *Space {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spaces[name]
}

// add keeps a space that has been opened, or why it could not be.
func (w *Wiki) add(name string, s *Space, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.broken[name] = err
	case w.spaces == nil: // closed meanwhile
		s.repo.Close()
	default:
		delete(w.broken, name)
		w.spaces[name] = s
		close(w.added)
		w.added = make(chan struct{})
	}
}

func (w *Wiki) path(name string) string { return spacePath(w.dir, name) }

func spacePath(dir, name string) string { return filepath.Join(dir, "spaces", name+".git") }

// Spool makes a file in the data folder for what is on its way, such as an upload. It has no name, so that nothing is left
// of it once it is closed, however the program ends.
func (w *Wiki) Spool() (*os.File, error) {
	dir := filepath.Join(w.dir, incoming)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// incoming is the folder of what is being uploaded.
const incoming = "incoming"

// sweep removes what a creation, an import or an upload that was cut off has left.
func (w *Wiki) sweep() {
	os.RemoveAll(filepath.Join(w.dir, incoming))
	left, _ := filepath.Glob(filepath.Join(w.dir, "spaces", ".new-*"))
	for _, dir := range left {
		// An import may be at work beside us; a day is longer than any takes.
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			w.log.Info("remove what an interrupted import left", "folder", dir)
			os.RemoveAll(dir)
		}
	}
}

// create makes a space beside the others and renames it into place when it is whole.
func create(ctx context.Context, dir, name string, home []byte, log *slog.Logger) error {
	return place(dir, name, false, func(tmp string) error {
		if err := git.Init(ctx, tmp); err != nil {
			return err
		}
		if home == nil {
			return nil
		}
		repo, err := git.Open(ctx, tmp, log)
		if err != nil {
			return err
		}
		_, err = repo.Commit(ctx, git.Change{
			Edits: []git.Edit{
				{Path: "Home.md", Data: home},
				// By its Home alone the wiki would be taken for one of Gollum's.
				{Path: string(profileFile), Data: []byte("profile: " + string(page.Native) + "\n")},
			},
			Author:  git.Signature{Name: "Cairn", Email: "cairn@cairn.invalid"},
			Message: "Begin the wiki",
		})
		return errors.Join(err, repo.Close())
	})
}

// place lets fill make a repository in a new folder, and gives that the space's name when it is done; with instead, in
// place of a space that has nothing in it.
func place(dir, name string, instead bool, fill func(tmp string) error) error {
	if !spaceName.MatchString(name) {
		return ErrName
	}
	spaces, final := filepath.Join(dir, "spaces"), spacePath(dir, name)
	if _, err := os.Stat(final); err == nil && !instead {
		return fmt.Errorf("space %q: %w", name, fs.ErrExist)
	}
	tmp, err := os.MkdirTemp(spaces, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	repo := filepath.Join(tmp, "repo.git")
	if err := fill(repo); err != nil {
		return err
	}
	if instead {
		if err := os.Rename(final, filepath.Join(tmp, "empty.git")); err != nil {
			return err
		}
	}
	// Rename refuses to replace a folder that has something in it: of two who make one space, one wins.
	if err := os.Rename(repo, final); err != nil {
		if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("space %q: %w", name, fs.ErrExist)
		}
		return err
	}
	return syncFolder(spaces)
}

// makeFolder makes a data folder with its folder of spaces, if need be, so that a power cut does not take it away with
// all that is saved in it.
func makeFolder(dir string) error {
	dir = filepath.Join(dir, "spaces")
	var parents []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncFolder(parent); err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
