package server

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file ticks tasks: one press of a box is one save. The form of a page's boxes sends done or open with a line of the
// text that the reader saw, and base, which says what text that was: a revision or the id of a blob. The line is looked
// for in the page as it is now, so that many may tick one list at once; when it is gone or says something else nothing is
// saved, and the reader is shown the page as it is now.

var (
	errTaskGone  = bad(409, "Not ticked: somebody has changed that task, or taken it away. This is the page as it is now.")
	errManyTicks = bad(503, "Many are changing this page just now. Try again in a moment.")
)

// tickable is the text of a page, with boxes that can be pressed by those who may write.
func (s *Server) tickable(in at, got *wiki.Page) string {
	if in.past != nil || in.space.Trouble() != nil || !in.by.CanWrite(in.Space(), got.Path) {
		return got.HTML
	}
	return page.Tickable(got.HTML, app(in.Space(), "tick", got.Path), got.Blob)
}

// tick sets or clears the box of one task.
func (s *Server) tick(c echo.Context) error {
	in, p, lost := s.existing(c)
	form, err := fields(c, "base")
	if err != nil {
		return err
	}
	if errors.Is(lost, fs.ErrNotExist) && p != "" {
		if to, ok, err := s.Index.Moved(c.Request().Context(), in.Snapshot, p); err == nil && ok {
			p, lost = to, nil
		}
	}
	if lost != nil {
		return lost
	}
	want := "done"
	if !form.Has(want) {
		want = "open"
	}
	line, err := strconv.Atoi(form.Get(want))
	if err != nil || line < 1 {
		return bad(400, `Say which box to set: send "done" or "open" with the number of its line.`)
	}
	by := s.signed(c, form.Get("name"))
	edit := s.based(c, in, wiki.Edit{Path: p}, wiki.Rev(form.Get("base")))
	ctx, cancel := context.WithTimeoutCause(c.Request().Context(), s.planTime, errManyTicks)
	defer cancel()
	ticked, err := in.space.Tick(ctx, by, edit, line, want == "done")
	switch {
	case err != nil && context.Cause(ctx) == errManyTicks:
		err = errManyTicks
	case errors.Is(err, wiki.ErrTaskGone):
		err = errTaskGone
	}
	if errors.Is(err, errTaskGone) && wantsHTML(c.Request()) {
		s.tell(c, web.Warning, explain(err).told(c))
		return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p))
	}
	if err != nil {
		return err
	}
	if !wantsHTML(c.Request()) {
		return c.JSON(200, map[string]any{"revision": ticked.Rev, "done": want == "done", "merged": ticked.Merged})
	}
	if ticked.Unchanged {
		already := web.Text("%q was open already.")
		if want == "done" {
			already = "%q was done already."
		}
		s.tell(c, web.Info, say(c, already, ticked.Text))
	} else {
		now := web.Text("Saved: %q is open.")
		if want == "done" {
			now = "Saved: %q is done."
		}
		s.tellUndo(c, in, web.Success, ticked.Rev, say(c, now, ticked.Text))
	}
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p)+"#cairn-box-"+strconv.Itoa(ticked.Line))
}
