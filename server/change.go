package server

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file deletes pages, and says first what that will do.

func (s *Server) askDelete(c echo.Context) error {
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
	return web.Delete{
		Frame: s.formFrame(c, in, p, "Delete "+p.Title()),
		Form:  s.form(c, in, p, "delete", w),
		Path:  p.Address(), File: !p.IsPage(), Backlinks: links(in, backlinks),
	}
}

func (s *Server) remove(c echo.Context) error {
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
