package wiki

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// Imported is what an import has brought in.
type Imported struct {
	Pages, Files int
	Unserved     []string // paths that the repository holds and the wiki does not show, and why
}

// Import brings a git repository (path, URL or bundle) with its whole history, or a folder of files as one change, into
// the data folder as a new space. A wiki that runs with that folder notices the space by itself. The error wraps
// fs.ErrExist when the space is there and has pages: nothing is ever overwritten.
func Import(ctx context.Context, dir, name, source string, by Actor, progress io.Writer, log *slog.Logger) (Imported, error) {
	if err := os.MkdirAll(filepath.Join(dir, "spaces"), 0o755); err != nil {
		return Imported{}, err
	}
	if err := makeRoom(ctx, dir, name, log); err != nil {
		return Imported{}, err
	}
	var in Imported
	err := place(dir, name, func(tmp string) error {
		if err := git.Import(ctx, tmp, source, signature(by), progress); err != nil {
			return err
		}
		var err error
		in, err = survey(ctx, tmp, log)
		return err
	})
	return in, err
}

// makeRoom removes a space that has nothing in it, so that one can be imported in its place. It needs the data folder
// for itself: a running wiki would go on with the old one.
func makeRoom(ctx context.Context, dir, name string, log *slog.Logger) error {
	if _, err := os.Stat(spacePath(dir, name)); err != nil || !spaceName.MatchString(name) {
		return nil
	}
	taken := fmt.Errorf("the space %q has pages already: %w", name, fs.ErrExist)
	lock, err := lockFolder(dir)
	if errors.Is(err, ErrInUse) {
		return taken
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	repo, err := git.Open(ctx, spacePath(dir, name), log)
	if err != nil {
		return err
	}
	head, _ := repo.Head()
	if err := repo.Close(); err != nil {
		return err
	}
	if !head.IsZero() {
		return taken
	}
	return os.RemoveAll(spacePath(dir, name))
}

// survey counts what came in.
func survey(ctx context.Context, dir string, log *slog.Logger) (Imported, error) {
	repo, err := git.Open(ctx, dir, log)
	if err != nil {
		return Imported{}, err
	}
	defer repo.Close()
	var in Imported
	_, tree := repo.Head()
	for name, e := range tree.All(ctx) {
		p, err := page.ParsePath(name)
		switch {
		case err != nil:
			in.Unserved = append(in.Unserved, fmt.Sprintf("%q: %v", name, err))
		case !isFile(e):
			in.Unserved = append(in.Unserved, fmt.Sprintf("%q: a link or a repository inside", name))
		case p.IsPage():
			in.Pages++
		default:
			in.Files++
		}
	}
	return in, nil
}
