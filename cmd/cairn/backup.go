package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"cairn/storage/wiki"
)

// backup writes all there is into one file, which appears when it is whole; it works beside a running wiki.
func backup(ctx context.Context, e *env, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return errors.New("say where to write to: cairn backup FILE, or - for the standard output")
	}
	file, folder := args[0], ""
	if file != "-" {
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s is there already, and a backup overwrites nothing; choose another name", file)
		}
		folder = filepath.Dir(file)
	}
	// What a backup that was killed leaves is one folder, beside the file.
	scratch, err := os.MkdirTemp(folder, ".cairn-backup-")
	if err != nil {
		return fmt.Errorf("nothing can be written there: %w", err)
	}
	defer os.RemoveAll(scratch)
	write := func(to io.Writer) error {
		err := wiki.Backup(ctx, e.Data, to, scratch, version(), e.stderr)
		if errors.Is(err, fs.ErrNotExist) {
			if _, serr := os.Stat(filepath.Join(e.Data, "spaces")); serr != nil {
				return fmt.Errorf("there is no wiki in %s; name its folder with --data", e.Data)
			}
		}
		if err != nil {
			return fmt.Errorf("no backup was made: %w; \"cairn check\" tells whether something is damaged", err)
		}
		return nil
	}
	if file == "-" {
		return write(e.stdout)
	}
	whole := filepath.Join(scratch, "archive")
	if err := writeFile(whole, write); err != nil {
		return err
	}
	// Link, unlike rename, replaces nothing; where a file system has no links, the look above must do.
	err = os.Link(whole, file)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there meanwhile, and a backup overwrites nothing; choose another name", file)
	}
	if err != nil {
		err = os.Rename(whole, file)
	}
	if err == nil {
		err = syncPath(folder)
	}
	if err != nil {
		return fmt.Errorf("no backup was made: %w", err)
	}
	fmt.Fprintf(e.stdout, "Backed up %s to %s.\n", e.Data, file)
	return nil
}

// writeFile makes a file that only this user reads, and returns when it is on disk.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncPath(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// restore makes a data folder of a backup.
func restore(ctx context.Context, e *env, args []string) error {
	if len(args) != 1 {
		return errors.New("say what to restore: cairn restore FILE --data DIR, with a folder that is empty or not there yet")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("nothing was restored: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return fmt.Errorf("nothing was restored: %s is not a file", args[0])
	}
	done, err := wiki.Restore(ctx, e.Data, f, e.stderr)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the data folder %s is not empty, and nothing is overwritten; name one that is empty or not there with --data", e.Data)
	case errors.Is(err, wiki.ErrArchive):
		return fmt.Errorf("nothing was restored from %s: %w", args[0], err)
	case errors.Is(err, wiki.ErrInUse), errors.Is(err, fs.ErrPermission):
		return explainData(e.Data, err)
	case err != nil:
		return fmt.Errorf("nothing was restored: %w", err)
	}
	fmt.Fprintf(e.stdout, "Restored the backup of %s, spaces: %d, into %s. Start it with: cairn serve --data %s\n",
		done.Time.Format("2 January 2006 15:04:05 MST"), done.Spaces, e.Data, e.Data)
	return nil
}
