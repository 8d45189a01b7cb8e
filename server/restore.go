package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file brings back what was: a page, a folder, or a whole space. The address names which: /go/-/restore/guide/Install
// is a page or a file, /go/-/restore/guide/ a folder, /go/-/restore/ all. The form says what will happen, and nothing
// else does: what has changed since it was shown is shown anew.

// restoreURL is the form that brings a page or a file back as it was at a revision.
func restoreURL(in at, p page.Path, rev wiki.Rev) string {
	return app(in.Space(), "restore", p) + "?rev=" + string(rev)
}

// maxPlanned is how many of the pages that a form will change it names.
const maxPlanned = 50

// restoring is what somebody wants back.
type restoring struct {
	wiki.Restoration
	old *wiki.Snapshot
	day time.Time // the day that was asked for, if one was
	w   writing
}

// restoring reads from the address what shall be brought back, and as of when.
func (s *Server) restoring(c echo.Context, in at, rev string) (r restoring, err error) {
	address, err := target(c)
	if err != nil {
		return r, err
	}
	dir, folder := strings.CutSuffix(address, "/")
	if folder = folder || address == ""; folder && dir != "" {
		if r.Path, err = page.ParsePath(dir); err != nil {
			return r, err
		}
	} else if !folder {
		if _, r.Path, err = s.known(c); err == nil && !r.Path.Served() {
			err = fmt.Errorf("%s: %w", address, fs.ErrNotExist)
		}
		if err != nil {
			return r, err
		}
	}
	r.Folder = folder
	if rev == "" && !folder {
		// The address alone means the last text of a page that is gone.
		gone, err := s.Index.Deleted(c.Request().Context(), in.Snapshot, r.Path)
		if err != nil {
			return r, err
		}
		rev = string(gone.Before)
	}
	if r.old, err = snapshotOf(c, in, rev); err != nil {
		return r, err
	}
	if t, day, ok := parseWhen(rev); ok && day {
		r.day = t
	}
	r.Rev = string(r.old.Rev())
	if _, there := r.old.Blob(c.Request().Context(), r.Path); folder || there {
		return r, nil
	}
	if file, err := page.ParsePath(address); err == nil && file.Served() && !in.Has(r.Path) {
		if _, ok := r.old.Blob(c.Request().Context(), file); ok { // a file that is no page
			r.Path = file
			return r, nil
		}
	}
	if before, ok := s.earlierName(c, in, r.Path, r.old); ok {
		r.Was = before
	}
	return r, nil
}

func (s *Server) askRestore(c echo.Context) error {
	if c.QueryParam("part") != "" {
		return s.askPutBack(c)
	}
	in, err := s.in(c)
	if err != nil {
		return err
	}
	r, err := s.restoring(c, in, c.QueryParam("rev"))
	if err != nil {
		return err
	}
	if !r.Folder && !in.Has(r.Path) && r.Was == "" {
		// What is called otherwise by now is brought back under its newer name.
		if to, ok, err := s.Index.Moved(c.Request().Context(), in.Snapshot, r.Path); err == nil && ok {
			return c.Redirect(http.StatusFound, restoreURL(in, to, wiki.Rev(r.Rev)))
		}
	}
	if r.Folder && !r.day.IsZero() {
		r.w.note = fmt.Sprintf("Restore %s to %s", whatOf(r), r.day.Format("2 January 2006"))
	}
	v, err := s.restoreView(c, in, r)
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

// whatOf names what is restored in a note.
func whatOf(r restoring) string {
	if r.Path == "" {
		return "all pages"
	}
	return string(r.Path) + "/"
}

func (s *Server) restoreView(c echo.Context, in at, r restoring) (web.View, error) {
	r.w.base = in.Rev()
	if r.Folder {
		return s.restoreAllView(c, in, r)
	}
	ctx := c.Request().Context()
	then := r.Path
	if r.Was != "" {
		then = r.Was
	}
	text, err := r.old.Read(ctx, then)
	if errors.Is(err, fs.ErrNotExist) && !ofDisk(err) {
		return nil, s.wasNot(c, in, r, err)
	}
	if err != nil {
		return nil, err
	}
	was, err := in.space.Commit(ctx, in.by, r.Rev)
	if err != nil {
		return nil, err
	}
	var clash *badRequest
	if _, err := s.planRestore(c, in, r); errors.As(err, &clash) && r.w.failed == nil {
		r.w.failed = err // told above the form
	}
	v := web.Restore{
		Frame: s.formFrame(c, in, r.Path, say(c, "Restore %s", r.Path.Title())),
		Form:  s.form(c, in, r.Path, "restore", r.w),
		Path:  r.Path.Address(), File: !r.Path.IsPage(), Rev: r.Rev, Deleted: !in.Has(r.Path),
		Was: stampOf(was),
	}
	if r.Was != "" {
		v.Called = r.Was.Address()
	}
	if r.Path.IsPage() {
		shown, err := in.Preview(ctx, r.Path, text)
		if err != nil {
			return nil, err
		}
		v.Preview = web.HTML(shown.HTML)
		if in.Has(r.Path) {
			v.Diff = app(in.Space(), "diff", r.Path) + "?from=" + r.Rev + "&to=" + string(in.Rev())
		}
	}
	return v, nil
}

// wasNot says of a page that it was not there at a revision, and where to look when it was; otherwise of one that never
// was.
func (s *Server) wasNot(c echo.Context, in at, r restoring, otherwise error) error {
	h, err := s.Index.History(c.Request().Context(), in.Snapshot, r.Path, "", 1)
	if err != nil || len(h.Changes) == 0 {
		return otherwise
	}
	return &badRequest{
		status: 404, detail: "The page %s was not there in that revision. Its history says when it was.", args: []any{r.Path.Address()},
		next: &web.Link{Label: say(c, "History of the page"), URL: app(in.Space(), "history", r.Path)},
	}
}

const restoreTooLarge web.Text = "This is too much to be restored here at once, so nothing has been done. Restore one folder after another."

// planRestore says in a sentence what is in the way of a restore.
func (s *Server) planRestore(c echo.Context, in at, r restoring) (plan *wiki.Plan, err error) {
	err = s.bounded(c, restoreTooLarge, func(ctx context.Context) error {
		plan, err = in.space.PlanRestore(ctx, in.by, r.Restoration)
		return err
	})
	var name *page.NameError
	if errors.As(err, &name) {
		err = bad(409, "%s", name)
	}
	return plan, err
}

func (s *Server) restoreAllView(c echo.Context, in at, r restoring) (web.View, error) {
	ctx := c.Request().Context()
	plan, err := s.planRestore(c, in, r)
	if err != nil {
		return nil, err
	}
	was, err := in.space.Commit(ctx, in.by, r.Rev)
	if err != nil {
		return nil, err
	}
	in.Snapshot = plan.Head
	r.w.base = in.Rev()
	address := ""
	title := say(c, "Restore the whole space")
	if r.Path != "" {
		address, title = string(r.Path)+"/", say(c, "Restore the folder %s", string(r.Path))
	}
	v := web.RestoreAll{
		Frame: s.frame(c, in, "", title), Folder: string(r.Path), Rev: r.Rev, Day: r.day,
		Was: stampOf(was), Then: then(in, r.Rev) + "/" + escape(address),
	}
	v.NoIndex = true
	v.Form = s.form(c, in, "", "restore", r.w)
	v.Form.URL, v.Form.Cancel = "/"+in.Space()+"/-/restore/"+escape(address), in.Root()+escape(address)
	v.Plan, err = s.planView(c, in, plan)
	return v, err
}

// planView tells what a plan will do, and of the first pages who has changed them last.
func (s *Server) planView(c echo.Context, in at, plan *wiki.Plan) (web.Plan, error) {
	v := web.Plan{Noun: "page"}
	var names []wiki.Child
	for _, f := range plan.Files {
		if !f.Path.IsPage() {
			v.Noun = "file"
		}
		one := web.Planned{Name: f.Path.Address()}
		switch f.Kind {
		case 'A':
			v.Back++
			one.Kind = say(c, "comes back")
		case 'D':
			v.Go++
			one.Kind = say(c, "goes away")
		case 'R':
			v.Named++
			one.Kind, one.From = say(c, "gets its old name back"), f.From.Address()
		default:
			v.Change++
			one.Kind = say(c, "changes")
		}
		if len(v.Files) == maxPlanned {
			v.More++
			continue
		}
		if in.Has(f.Path) {
			one.URL = in.URL(f.Path)
		}
		v.Files, names = append(v.Files, one), append(names, wiki.Child{Path: f.Path})
	}
	lasts, err := s.Index.Lasts(c.Request().Context(), in.Snapshot, names)
	for i, last := range lasts {
		if last.Rev == "" {
			continue
		}
		st := stamp(last)
		v.Files[i].Last = &st
		if names[i].Path.IsPage() {
			v.Files[i].Diff = app(in.Space(), "diff", names[i].Path) + "?to=" + string(last.Rev)
		}
	}
	return v, err
}

func (s *Server) restore(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	form, err := fields(c, "rev")
	if err != nil {
		return err
	}
	r, err := s.restoring(c, in, form.Get("rev"))
	if err != nil {
		return err
	}
	r.day = s.dayOf(c, in, r, form.Get("day"))
	r.w = writing{note: form.Get("note"), name: form.Get("name")}
	r.Note, r.Seen = r.w.note, wiki.Rev(form.Get("base"))
	var saved wiki.Saved
	if r.Seen == "" {
		err = bad(428, "The form does not say what you have seen. Look at what will happen; if you still want it, press the button once more.")
	} else {
		err = s.bounded(c, restoreTooLarge, func(ctx context.Context) error {
			saved, err = in.space.Restore(ctx, s.signed(c, r.w.name), r.Restoration)
			return err
		})
	}
	if err != nil {
		return s.restoreFailed(c, in, r, err)
	}
	if saved.Unchanged {
		s.tell(c, web.Info, say(c, "It is like that already: nothing was changed."))
	} else {
		s.tellUndo(c, in, web.Success, saved.Rev, restoredAs(c, r))
	}
	return c.Redirect(http.StatusSeeOther, s.after(in, r.Path, r.Folder))
}

// dayOf is the day that a form was made of, if the revision is what there was at its end.
func (s *Server) dayOf(c echo.Context, in at, r restoring, day string) time.Time {
	t, whole, ok := parseWhen(day)
	if !ok || !whole || !r.Folder {
		return time.Time{}
	}
	if then, err := in.space.AsOf(c.Request().Context(), in.by, t); err != nil || then.Rev() != r.old.Rev() {
		return time.Time{}
	}
	return t
}

// restoredAs says as of when something was restored.
func restoredAs(c echo.Context, r restoring) string {
	if r.day.IsZero() {
		return say(c, "Restored as of revision %s. What it replaced is still in the history.", short(r.old.Rev()))
	}
	return say(c, "Restored as it was at the end of %s (UTC). What it replaced is still in the history.", web.Date(c.Request().Context(), r.day))
}

// restoreFailed shows the form anew, made of what there is now.
func (s *Server) restoreFailed(c echo.Context, in at, r restoring, err error) error {
	if explain(err).status == 413 {
		return err // the form would take as long again
	}
	r.w.failed = err
	if errors.Is(err, wiki.ErrChanged) {
		r.w.failed = bad(409, "Somebody has changed this since you looked. Nothing has been restored. Look at what will happen now; if you still want it, press the button once more.")
	}
	if head, herr := in.space.Head(in.by); herr == nil {
		in.Snapshot = head
	}
	v, verr := s.restoreView(c, in, r)
	switch {
	case verr != nil && errors.Is(err, fs.ErrNotExist):
		return verr // which says more of it
	case verr != nil:
		return err
	}
	return s.html(c, explain(r.w.failed).status, v)
}

// after is where to go when something has been brought back or taken away: to it, or to the space.
func (s *Server) after(in at, p page.Path, folder bool) string {
	switch {
	case p == "":
		return "/" + in.Space() + "/-/changes"
	case folder:
		return "/" + in.Space() + "/" + escape(string(p)) + "/"
	}
	return page.URL(in.Space(), p)
}

func stampOf(by wiki.Commit) web.Stamp {
	return stamp(search.Change{By: by.Author, When: by.When, Note: by.Note})
}

// back is what can be brought back from an old snapshot: what its address names or shows, its folder, and the space.
func (s *Server) back(c echo.Context, in at, rev wiki.Rev, address string) []web.Link {
	link := func(label, address string) web.Link {
		return web.Link{Label: label, URL: "/" + in.Space() + "/-/restore/" + escape(address) + "?rev=" + url.QueryEscape(string(rev))}
	}
	var all []web.Link
	var shown page.Path
	there := false
	dir, folder := strings.CutSuffix(address, "/")
	if folder || address == "" {
		shown, there = s.home(c, in, dir)
	} else {
		shown, there = in.Names().Page(strings.TrimSuffix(address, ".md"))
		if !there {
			p, err := page.ParsePath(address)
			shown, there = p, err == nil && in.Has(p)
		}
		dir = ""
		if i := strings.LastIndexByte(address, '/'); i > 0 {
			dir = address[:i]
		}
	}
	if there {
		all = append(all, link(say(c, "this page"), shown.Address()))
	}
	if dir != "" && in.IsFolder(c.Request().Context(), dir) {
		all = append(all, link(say(c, "the folder %s", dir), dir+"/"))
	}
	return append(all, link(say(c, "the whole space"), ""))
}
