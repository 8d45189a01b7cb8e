package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file moves and deletes pages: each first says what it will do.

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
