package wiki

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file brings in what was written elsewhere.

// Imported is what an import has brought in.
type Imported struct {
	Pages, Files int
	Unserved     []string // paths that the repository holds and the wiki does not show, and why
}

// Import brings a git repository (path, URL or bundle) with its whole history, or a folder of files as one change, into
// the data folder as a new space. A wiki that runs with that folder notices the space by itself. The error wraps
// fs.ErrExist when the space is there and has pages: nothing is ever overwritten.
func Import(ctx context.Context, dir, name, source string, by Actor, progress io.Writer, log *slog.Logger) (Imported, error) {
	if err := makeFolder(dir); err != nil {
		return Imported{}, err
	}
	instead, unlock, err := room(ctx, dir, name, log)
	if err != nil {
		return Imported{}, err
	}
	defer unlock()
	var in Imported
	err = place(dir, name, instead, func(tmp string) error {
		if err := git.Import(ctx, tmp, source, signature(by), progress); err != nil {
			return err
		}
		var err error
		in, err = survey(ctx, tmp, log)
		return err
	})
	return in, err
}

// room says whether a space of that name can be made, or be made instead of one that has nothing in it. For the latter
// it takes the data folder until unlock is called: a running wiki would go on with the old one.
func room(ctx context.Context, dir, name string, log *slog.Logger) (instead bool, unlock func() error, err error) {
	free := func() error { return nil }
	if _, err := os.Stat(spacePath(dir, name)); err != nil || !spaceName.MatchString(name) {
		return false, free, nil
	}
	lock, err := lockFolder(dir)
	if errors.Is(err, ErrInUse) {
		return false, free, fmt.Errorf("the space %q is there already, in a wiki that is running: %w", name, fs.ErrExist)
	}
	if err != nil {
		return false, free, err
	}
	repo, err := git.Open(ctx, spacePath(dir, name), log)
	if err != nil {
		return false, free, errors.Join(err, lock.Close())
	}
	head, _ := repo.Head()
	if err := repo.Close(); err != nil || !head.IsZero() {
		return false, free, errors.Join(err, lock.Close(), fmt.Errorf("the space %q has pages: %w", name, fs.ErrExist))
	}
	return true, lock.Close, nil
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
