package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file moves, deletes and restores pages: each first says what it will do.

func (s *Server) askMove(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	return s.html(c, 200, s.moveView(c, in, p, p.Address(), writing{base: in.Rev()}))
}

func (s *Server) moveView(c echo.Context, in at, p page.Path, to string, w writing) web.Move {
	backlinks, _, err := s.Index.Backlinks(c.Request().Context(), in.Snapshot, p, 200)
	if err != nil {
		s.Log.Warn("backlinks", "space", in.Space(), "path", p, "err", err)
	}
	return web.Move{
		Frame: s.formFrame(c, in, p, "Move "+p.Title()),
		Form:  s.form(c, in, p, "move", w),
		Path:  p.Address(), To: to, Backlinks: links(in, backlinks),
	}
}

func (s *Server) move(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	form, err := fields(c, "to")
	if err != nil {
		return err
	}
	w := writing{note: form.Get("note"), name: form.Get("name"), base: wiki.Rev(form.Get("base"))}
	typed := strings.Trim(strings.TrimSpace(form.Get("to")), "/")
	to, err := moveTarget(p, typed)
	if err == nil {
		_, err = in.space.Move(c.Request().Context(), s.signed(c, w.name), p, to, w.note)
	}
	if err != nil {
		w.failed = err
		return s.html(c, explain(err).status, s.moveView(c, in, p, typed, w))
	}
	s.tell(c, web.Success, fmt.Sprintf("Moved from %q. The old address leads here.", p.Address()))
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), to))
}

// moveTarget is the path that somebody means by a new name for a file: a page's ending goes without saying.
func moveTarget(from page.Path, typed string) (page.Path, error) {
	if typed == "" {
		return "", bad(422, "Say where the page should go.")
	}
	to, err := page.ParsePath(typed)
	if err == nil && from.IsPage() && !to.IsPage() {
		to, err = page.ParsePath(typed + strings.TrimPrefix(string(from), from.Address()))
	}
	return to, err
}

func (s *Server) askDelete(c echo.Context) error {
	in, p, err := s.existing(c)
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
	return web.Delete{
		Frame: s.formFrame(c, in, p, "Delete "+p.Title()),
		Form:  s.form(c, in, p, "delete", w),
		Path:  p.Address(), Backlinks: links(in, backlinks),
	}
}

func (s *Server) remove(c echo.Context) error {
	in, p, err := s.existing(c)
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
	_, err = in.space.Remove(c.Request().Context(), s.signed(c, w.name), p, blob, w.note)
	if err != nil {
		w.failed, w.base = err, in.Rev()
		if errors.Is(err, wiki.ErrChanged) {
			w.failed = bad(409, "Somebody has changed the page since you looked. Look at it again; if you still want to delete it, press the button once more.")
		}
		return s.html(c, explain(w.failed).status, s.deleteView(c, in, p, w))
	}
	s.tell(c, web.Success, fmt.Sprintf("Deleted %q.", p.Address()))
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p))
}

func (s *Server) askRestore(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	v, err := s.restoreView(c, in, p, c.QueryParam("rev"), writing{})
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

func (s *Server) restoreView(c echo.Context, in at, p page.Path, rev string, w writing) (web.Restore, error) {
	ctx := c.Request().Context()
	if rev == "" {
		// The address alone means the last text of a page that is gone.
		gone, err := s.Index.Deleted(ctx, in.Snapshot, p)
		if err != nil {
			return web.Restore{}, err
		}
		rev = string(gone.Before)
	}
	old, err := in.space.At(ctx, in.by, rev)
	if err != nil {
		return web.Restore{}, err
	}
	text, err := old.Read(ctx, p)
	if err != nil {
		return web.Restore{}, err
	}
	was, err := in.space.Commit(ctx, in.by, rev)
	if err != nil {
		return web.Restore{}, err
	}
	v := web.Restore{
		Frame: s.formFrame(c, in, p, "Restore "+p.Title()),
		Form:  s.form(c, in, p, "restore", w),
		Path:  p.Address(), Rev: string(old.Rev()), Short: short(old.Rev()), Deleted: !in.Has(p),
		Was:     stamp(search.Change{By: was.Author, When: was.When, Note: was.Note}),
		Preview: web.HTML(page.Parse(p, text).HTML(in.Context())),
	}
	if in.Has(p) {
		v.Diff = app(in.Space(), "diff", p) + "?from=" + string(old.Rev()) + "&to=" + string(in.Rev())
	}
	return v, nil
}

func (s *Server) restore(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	form, err := fields(c, "rev")
	if err != nil {
		return err
	}
	w := writing{note: form.Get("note"), name: form.Get("name")}
	rev := form.Get("rev")
	saved, err := in.space.Restore(c.Request().Context(), s.signed(c, w.name), p, rev, w.note)
	if err != nil {
		w.failed = err
		v, verr := s.restoreView(c, in, p, rev, w)
		if verr != nil {
			return err
		}
		return s.html(c, explain(err).status, v)
	}
	if saved.Unchanged {
		s.tell(c, web.Info, "The page is like that already.")
	} else {
		s.tell(c, web.Success, fmt.Sprintf("Restored as of revision %.8s. What it replaced is still in the history.", rev))
	}
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p))
}
