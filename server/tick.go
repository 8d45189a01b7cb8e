package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

var errTaskGone = bad(409, "Not ticked: somebody has changed that task, or taken it away. This is the page as it is now.")

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
	saved, at, text, err := s.saveTick(c, in, edit, by, line, want == "done")
	if errors.Is(err, errTaskGone) && wantsHTML(c.Request()) {
		s.tell(c, web.Warning, explain(err).detail)
		return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p))
	}
	if err != nil {
		return err
	}
	if !wantsHTML(c.Request()) {
		return c.JSON(200, map[string]any{"revision": saved.Rev, "done": want == "done", "merged": saved.Merged})
	}
	if saved.Unchanged {
		s.tell(c, web.Info, fmt.Sprintf("%q was %s already.", text, want))
	} else {
		s.tellUndo(c, in, web.Success, saved.Rev, fmt.Sprintf("Saved: %q is %s.", text, want))
	}
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p)+"#cairn-box-"+strconv.Itoa(at))
}

// saveTick ticks in the page as it is now, and again while somebody else is quicker: each time one of them has got something
// done. at is the line where the task is there, text what it says.
func (s *Server) saveTick(c echo.Context, in at, seen wiki.Edit, by wiki.Actor, line int, done bool) (saved wiki.Saved, at int, text string, err error) {
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.planTime)
	defer cancel()
	old, err := in.space.Original(ctx, by, seen)
	if errors.Is(err, fs.ErrNotExist) {
		return saved, 0, "", errTaskGone
	}
	if err != nil {
		return saved, 0, "", err
	}
	for {
		head, err := in.space.Head(by)
		if err != nil {
			return saved, 0, "", err
		}
		now, err := head.Read(ctx, seen.Path)
		if err != nil {
			return saved, 0, "", err
		}
		at, ok := page.Follow(old, now, line)
		if !ok {
			return saved, 0, "", errTaskGone
		}
		ticked, err := page.Tick(now, at, done)
		if err != nil {
			return saved, 0, "", errTaskGone
		}
		text := page.TaskText(now, at)
		note := fmt.Sprintf("Tick %q", text)
		if !done {
			note = fmt.Sprintf("Untick %q", text)
		}
		saved, err = in.space.Save(ctx, by, wiki.Edit{Path: seen.Path, Text: ticked, Base: head.Rev(), Only: true, Note: note})
		switch {
		case err == nil:
			saved.Merged = !bytes.Equal(old, now)
			return saved, at, text, nil
		case !errors.Is(err, wiki.ErrChanged) && ctx.Err() == nil, c.Request().Context().Err() != nil:
			return saved, 0, "", err
		case ctx.Err() != nil:
			return saved, 0, "", bad(503, "Many are changing this page just now. Try again in a moment.")
		}
	}
}
