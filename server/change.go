package server

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file deletes pages, files and folders (/go/-/delete/guide/), and says first what that will do.

func (s *Server) askDelete(c echo.Context) error {
	if in, dir, err := s.folder(c); dir != "" {
		if err != nil {
			return err
		}
		return s.html(c, 200, s.deleteFolderView(c, in, dir, writing{base: in.Rev()}))
	}
	in, p, err := s.here(c)
	if err != nil {
		return err
	}
	return s.html(c, 200, s.deleteView(c, in, p, writing{base: in.Rev()}))
}

func (s *Server) deleteView(c echo.Context, in at, p page.Path, w writing) web.Delete {
	backlinks, _, err := s.Index.Backlinks(c.Request().Context(), in.Snapshot, p, 200)
	if err != nil {
		s.Log.Warn("backlinks", "space", in.Space(), "path", p, "err", err)
	}
	v := web.Delete{
		Frame: s.formFrame(c, in, p, say(c, "Delete %s", p.Title())),
		Form:  s.form(c, in, p, "delete", w),
		Path:  p.Address(), File: !p.IsPage(), Backlinks: links(in, backlinks),
	}
	v.Form.Usual = "Delete " + p.Address()
	if dir := p.Dir(); dir != "" && p.IsPage() {
		v.Folder = &web.Link{Label: dir, URL: app(in.Space(), "delete", page.Path(dir)) + "/"}
	}
	return v
}

func (s *Server) remove(c echo.Context) error {
	if in, dir, err := s.folder(c); dir != "" {
		if err != nil {
			return err
		}
		return s.removeFolder(c, in, dir)
	}
	in, p, err := s.here(c)
	if err != nil {
		return err
	}
	form, err := fields(c)
	if err != nil {
		return err
	}
	w := writing{note: form.Get("note"), name: form.Get("name"), base: wiki.Rev(form.Get("base"))}
	// What has changed since the writer looked is not deleted unseen.
	blob := ""
	if old, err := in.space.At(c.Request().Context(), in.by, string(w.base)); err == nil {
		blob, _ = old.Blob(c.Request().Context(), p)
	}
	if blob == "" {
		w.failed, w.base = bad(428, "The form does not say which revision of the page you have seen. Look at the page again; if you still want to delete it, press the button once more."), in.Rev()
		return s.html(c, 428, s.deleteView(c, in, p, w))
	}
	saved, err := in.space.Remove(c.Request().Context(), s.signed(c, w.name), p, blob, w.note)
	if err != nil {
		w.failed, w.base = err, in.Rev()
		if errors.Is(err, wiki.ErrChanged) {
			w.failed = bad(409, "Somebody has changed the page since you looked. Look at it again; if you still want to delete it, press the button once more.")
		}
		return s.html(c, explain(w.failed).status, s.deleteView(c, in, p, w))
	}
	s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Deleted %q.", brief(p)))
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p))
}

// folder is the folder that the address names by the "/" at its end; "" if it names none.
func (s *Server) folder(c echo.Context) (in at, dir page.Path, err error) {
	address, err := target(c)
	name, ok := strings.CutSuffix(address, "/")
	if err != nil || !ok || name == "" {
		return at{}, "", nil // whoever looks for a page tells
	}
	if in, err = s.in(c); err == nil {
		_, err = page.ParsePath(name)
	}
	if err == nil && !in.IsFolder(c.Request().Context(), name) {
		err = fmt.Errorf("%s: %w", address, fs.ErrNotExist)
	}
	return in, page.Path(name), err
}

// maxAsked is of how many files in a folder it is asked who links to them.
const maxAsked = 200

func (s *Server) deleteFolderView(c echo.Context, in at, dir page.Path, w writing) web.DeleteFolder {
	v := web.DeleteFolder{
		Frame: s.frame(c, in, dir+"/x", say(c, "Delete the folder %s", dir.Base())), Path: string(dir),
		Form: s.form(c, in, dir, "delete", w),
	}
	v.NoIndex = true
	v.Crumbs = crumbs(in, dir)
	v.Form.URL, v.Form.Cancel = app(in.Space(), "delete", dir)+"/", in.URL(dir)+"/"
	v.Form.Usual = "Delete " + string(dir) + "/"
	outside := map[page.Path]bool{}
	for p := range in.Names().Under(string(dir)) {
		if !p.Served() {
			v.Files++
			continue
		}
		if p.IsPage() {
			v.Pages++
		} else {
			v.Files++
		}
		if len(v.First) < maxPlanned {
			v.First = append(v.First, web.PageLink{Title: strings.TrimPrefix(p.Address(), string(dir)+"/"), URL: in.URL(p)})
		}
		if v.Pages+v.Files > maxAsked {
			v.MoreLinks = true
			continue
		}
		from, more, err := s.Index.Backlinks(c.Request().Context(), in.Snapshot, p, maxAsked)
		if err != nil {
			s.Log.Warn("backlinks", "space", in.Space(), "path", p, "err", err)
		}
		v.MoreLinks = v.MoreLinks || more || err != nil
		for _, q := range from {
			if !strings.HasPrefix(string(q), string(dir)+"/") {
				outside[q] = true
			}
		}
	}
	v.More = v.Pages + v.Files - len(v.First)
	all := slices.Sorted(maps.Keys(outside))
	v.MoreLinks = v.MoreLinks || len(all) > maxPlanned
	v.Backlinks = links(in, all[:min(len(all), maxPlanned)])
	return v
}

func (s *Server) removeFolder(c echo.Context, in at, dir page.Path) error {
	form, err := fields(c)
	if err != nil {
		return err
	}
	w := writing{note: form.Get("note"), name: form.Get("name"), base: wiki.Rev(form.Get("base"))}
	var saved wiki.Saved
	if w.base == "" {
		err = bad(428, "The form does not say what you have seen. Look at what will go; if you still want it, press the button once more.")
	} else {
		saved, err = in.space.RemoveFolder(c.Request().Context(), s.signed(c, w.name), dir, w.base, w.note)
	}
	if err != nil {
		w.failed = err
		if errors.Is(err, wiki.ErrChanged) {
			w.failed = bad(409, "Somebody has changed something in this folder since you looked, so nothing has been deleted. Look at what is in it now; if you still want to delete it, press the button once more.")
		}
		if head, err := in.space.Head(in.by); err == nil {
			in.Snapshot = head
		}
		w.base = in.Rev()
		return s.html(c, explain(w.failed).status, s.deleteFolderView(c, in, dir, w))
	}
	s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Deleted the folder %q with all in it.", brief(dir)))
	to := "/" + in.Space() + "/"
	if head, err := in.space.Head(in.by); err == nil && dir.Dir() != "" && head.IsFolder(c.Request().Context(), dir.Dir()) {
		to = page.URL(in.Space(), page.Path(dir.Dir())) + "/"
	}
	return c.Redirect(http.StatusSeeOther, to)
}
