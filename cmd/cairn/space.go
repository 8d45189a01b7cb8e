package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"runtime/debug"

	"cairn/search"
	"cairn/storage/accounts"
	"cairn/storage/wiki"
)

// This file makes, imports and lists spaces, drops what is derived, and tells the version.

// quiet logs what somebody at a terminal has to know.
func quiet(e *env) *slog.Logger {
	return slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// importSpace brings in a repository or a folder as a new space. A wiki that runs with the same data folder shows it at
// once.
func importSpace(ctx context.Context, e *env, args []string) error {
	if len(args) != 1 || e.Space == "" {
		return errors.New("say what to import and what to call it: cairn import SOURCE --space NAME")
	}
	in, err := wiki.Import(ctx, e.Data, e.Space, args[0], accounts.Visitor(e.Author), e.stderr, quiet(e))
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("there is a space %q with pages already; nothing was changed. Choose another name", e.Space)
	case errors.Is(err, wiki.ErrName):
		return err
	case errors.Is(err, fs.ErrPermission):
		return explainData(e.Data, err)
	case err != nil:
		return fmt.Errorf("nothing was imported: %w", err)
	}
	for i, u := range in.Unserved {
		if i == 20 {
			fmt.Fprintf(e.stderr, "… and %d more\n", len(in.Unserved)-i)
			break
		}
		fmt.Fprintf(e.stderr, "kept, but not shown: %s\n", u)
	}
	fmt.Fprintf(e.stdout, "Imported %s into the space %s of %s.\n", holds(in.Pages, in.Files), e.Space, e.Data)
	return nil
}

// space makes and lists spaces; it works beside a running wiki.
func space(ctx context.Context, e *env, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "add":
		err := wiki.Create(ctx, e.Data, args[1], quiet(e))
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("there is a space %q already", args[1])
		}
		if errors.Is(err, fs.ErrPermission) {
			return explainData(e.Data, err)
		}
		if err == nil {
			fmt.Fprintf(e.stdout, "Made the space %s in %s.\n", args[1], e.Data)
		}
		return err
	case len(args) == 1 && args[0] == "list":
		names, err := wiki.List(e.Data)
		if err != nil {
			return fmt.Errorf("there is no wiki in %s; name its folder with --data", e.Data)
		}
		for _, name := range names {
			fmt.Fprintln(e.stdout, name)
		}
		return nil
	}
	return errors.New("say what to do: cairn space add NAME, or cairn space list")
}

// reindex drops what is derived; the next start builds it again.
func reindex(_ context.Context, e *env, _ []string) error {
	unlock, err := wiki.Lock(e.Data)
	if err != nil {
		return explainData(e.Data, err)
	}
	defer unlock()
	if err := search.Remove(filepath.Join(e.Data, "derived")); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Dropped. The next start of the wiki builds the index again; pages can be read and written meanwhile.")
	return nil
}

// version is the release, or the revision that the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	if v == "" {
		v = "devel"
	}
	return v
}

func printVersion(_ context.Context, e *env, _ []string) error {
	info, _ := debug.ReadBuildInfo()
	fmt.Fprintf(e.stdout, "cairn %s %s\n", version(), info.GoVersion)
	return nil
}
