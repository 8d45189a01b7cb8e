package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"cairn/search"
	"cairn/storage/wiki"
)

// check looks whether the data folder is sound, says what is wrong and how to mend it, and changes nothing; it works
// beside a running wiki.
func check(ctx context.Context, e *env, args []string) error {
	wrong := 0
	err := wiki.Check(ctx, e.Data, func(h wiki.Health) {
		if len(h.Wrong) > 0 {
			wrong++
			fmt.Fprintf(e.stdout, "%s: WRONG: %s. To mend it: %s\n", h.Space, strings.Join(h.Wrong, "; "), mendSpace(e.Data, h.Space))
			return
		}
		fmt.Fprintf(e.stdout, "%s: ok, %s", h.Space, holds(h.Pages, h.Files))
		if h.Unserved > 0 {
			fmt.Fprintf(e.stdout, "; kept but not shown, as links or by their names: %d", h.Unserved)
		}
		if h.Odd > 0 {
			fmt.Fprintf(e.stdout, "; written in an old way, which is harmless: %d objects", h.Odd)
		}
		fmt.Fprintln(e.stdout)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no wiki in %s; name its folder with --data", e.Data)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user cannot read the data folder %s (%w); run it as the user who runs the wiki", e.Data, err)
	case err != nil:
		return err
	}
	for _, path := range wiki.Leftovers(e.Data) {
		fmt.Fprintf(e.stdout, "left over: %s is being made, or was when its maker was cut off; if nothing is running, delete it\n", path)
	}
	if derived, err := checkDerived(ctx, e); err != nil {
		wrong++
		fmt.Fprintf(e.stdout, "index: WRONG: %s. To mend it: run \"cairn reindex --data %s\"; it is built again from the pages\n", oneLine(err), e.Data)
	} else {
		fmt.Fprintf(e.stdout, "index: %s\n", derived)
	}
	if wrong > 0 {
		return errors.New("not all is well, see above")
	}
	return nil
}

// checkDerived says how the derived stores are. Beside a running wiki, which watches over them itself, nobody else can
// look into them.
func checkDerived(ctx context.Context, e *env) (string, error) {
	release, err := wiki.Rest(e.Data)
	if errors.Is(err, wiki.ErrInUse) {
		return "in use by the wiki that is running; its /-/readyz tells how it is", nil
	}
	if err != nil {
		return "", err
	}
	defer release()
	return "ok; no wiki is running with this folder", search.Check(ctx, filepath.Join(e.Data, "derived"))
}

func mendSpace(data, space string) string {
	path := filepath.Join(data, "spaces", space+".git")
	return fmt.Sprintf("end the wiki, move %s away and keep it, and put in its place the same folder of a backup that \"cairn restore\" has unpacked elsewhere, "+
		"or bring in a clone with \"cairn import CLONE --space %s --data %s\"", path, space, data)
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// holds says how much there is in a space.
func holds(pages, files int) string {
	return many(pages, "page") + " and " + many(files, "other file")
}

func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
