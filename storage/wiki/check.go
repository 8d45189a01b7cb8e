package wiki

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file looks whether a data folder is sound. It changes nothing, and works beside a running wiki.

// Health is what Check has found in a space.
type Health struct {
	Space    string
	Pages    int
	Files    int      // others
	Unserved int      // what the wiki does not show, having a name that it takes from nobody, or being a link
	Odd      int      // objects in the history that today's git would write otherwise: no damage
	Wrong    []string // what is wrong, as sentences without their stop; nil: nothing
}

// maxUnread is how many files that cannot be read are named.
const maxUnread = 10

// Check examines the spaces of a data folder, and calls each for every one of them: its whole history, by git, and that
// each file of its newest revision can be read.
func Check(ctx context.Context, dir string, each func(Health)) error {
	names, err := List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		h, err := checkSpace(ctx, dir, name)
		if err != nil {
			return fmt.Errorf("space %s: %w", name, err)
		}
		each(h)
	}
	return nil
}

func checkSpace(ctx context.Context, dir, name string) (Health, error) {
	h := Health{Space: name}
	var unread []string
	found, err := git.Check(ctx, spacePath(dir, name), func(path string, e git.Entry, err error) {
		p, perr := page.ParsePath(path)
		switch {
		case err != nil:
			unread = append(unread, fmt.Sprintf("%q cannot be read (%v)", path, err))
		case perr != nil || !isFile(e):
			h.Unserved++
		case p.IsPage():
			h.Pages++
		default:
			h.Files++
		}
	})
	h.Wrong, h.Odd = found.Wrong, found.Odd
	if more := len(unread) - maxUnread; more > 0 {
		unread = append(unread[:maxUnread], fmt.Sprintf("%d more files cannot be read", more))
	}
	h.Wrong = append(h.Wrong, unread...)
	return h, err
}

// Leftovers are what was being made in a data folder when its maker was cut off, or still is.
func Leftovers(dir string) []string {
	var all []string
	for folder, begin := range map[string]string{filepath.Join(dir, "spaces"): ".new-", dir: ".restore-"} {
		entries, _ := os.ReadDir(folder)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), begin) {
				all = append(all, filepath.Join(folder, e.Name()))
			}
		}
	}
	return all
}

// Rest keeps a wiki from starting with a data folder until release is called, without writing; ErrInUse says that one
// runs.
func Rest(dir string) (release func() error, err error) {
	f, err := os.Open(filepath.Join(dir, "cairn.lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil // none ever has
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f.Close, nil
}
