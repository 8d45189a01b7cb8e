package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file shows a space as it was: /go/-/at/WHEN/ stands for /go/ then, and all links stay below it. WHEN is a day
// (2026-01-31, its end in UTC), a moment (RFC 3339) or a revision. Nothing can be changed there, and nothing is asked of
// the index, which knows the wiki of today.

func (s *Server) toDays(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusFound, then(in, ""))
}

// past answers every address below /-/at/.
func (s *Server) past(c echo.Context) error {
	now, err := s.in(c)
	if err != nil {
		return err
	}
	address, err := target(c)
	if err != nil {
		return err
	}
	when, address, whole := strings.Cut(address, "/")
	switch {
	case when == "" && address == "":
		return s.pickDay(c, now)
	case !whole:
		return c.Redirect(http.StatusFound, then(now, when)+"/")
	}
	in, shown, err := s.asOf(c, now, when)
	if err != nil {
		return s.askDay(c, now, when, address, err)
	}
	shown.Home = now.Root()
	shown.Pick.URL, shown.Pick.Path = then(now, ""), address
	shown.Back = s.back(c, in, wiki.Rev(when), address)
	if shown.Now, err = s.today(c, now, address); err != nil {
		return err
	}
	in.past = shown
	return s.show(c, in, address)
}

// asOf is the space as it was at a time or at a revision, and what to say of it.
func (s *Server) asOf(c echo.Context, now at, when string) (at, *web.Past, error) {
	in, shown := now, &web.Past{}
	old, err := snapshotOf(c, now, when)
	if err != nil {
		return at{}, nil, err
	}
	if t, day, ok := parseWhen(when); ok {
		shown.Pick.On = t.Format(time.DateOnly)
		if day {
			shown.Day = t
		} else {
			shown.When = t
		}
	} else {
		by, err := now.space.Commit(c.Request().Context(), now.by, string(old.Rev()))
		if err != nil {
			return at{}, nil, err
		}
		shown.When, shown.Rev, shown.Pick.On = by.When, short(old.Rev()), by.When.Format(time.DateOnly)
	}
	in.Snapshot = old.Under(then(now, when))
	return in, shown, nil
}

// snapshotOf is the space as it was at a day, a moment or a revision.
func snapshotOf(c echo.Context, now at, when string) (*wiki.Snapshot, error) {
	ctx := c.Request().Context()
	t, _, ok := parseWhen(when)
	if !ok {
		old, err := now.space.At(ctx, now.by, when)
		if errors.Is(err, fs.ErrNotExist) {
			err = bad(404, "There is no such day or revision here. A day is written like 2026-01-31.")
		}
		return old, err
	}
	// Somewhere the day has begun before it has here.
	if t.After(time.Now().Add(48 * time.Hour)) {
		return nil, bad(404, "That day is yet to come.")
	}
	old, err := now.space.AsOf(ctx, now.by, t)
	if errors.Is(err, fs.ErrNotExist) {
		err = bad(404, "At that time there was nothing here yet. Choose a later day.")
	}
	return old, err
}

// parseWhen reads a day, which means its last moment in UTC, or a moment.
func parseWhen(s string) (t time.Time, day, ok bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.Add(24*time.Hour - time.Second), true, true
	}
	if len(s) > len("2006-01-02T15:04:05.999999999+00:00") {
		return time.Time{}, false, false
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), false, err == nil
}

// then is the address of the space as it was, without "/" at its end; for no time it is where one chooses it.
func then(now at, when string) string { return "/" + now.Space() + "/-/at/" + url.PathEscape(when) }

// today is the address of a page, file or folder as it is now, under its newer name if it has one; "" if it is gone.
func (s *Server) today(c echo.Context, now at, address string) (string, error) {
	if address == "" {
		return now.Root(), nil
	}
	ctx := c.Request().Context()
	if p, ok := now.Names().Page(address); ok && p.Served() {
		return now.URL(p), nil
	}
	p, err := page.ParsePath(strings.TrimSuffix(address, "/"))
	if err != nil || !p.Served() {
		return "", nil
	}
	switch {
	case now.IsFolder(ctx, string(p)):
		return now.Root() + escape(string(p)) + "/", nil
	case now.Has(p):
		return now.Root() + escape(string(p)), nil
	}
	if p, _, err = pageAt(now, address); err != nil {
		return "", nil
	}
	to, ok, err := s.Index.Moved(ctx, now.Snapshot, p)
	if err != nil || !ok {
		return "", err
	}
	return now.URL(to), nil
}

// pickDay asks for a day, or leads to the one that was asked for.
func (s *Server) pickDay(c echo.Context, in at) error {
	on, address := strings.TrimSpace(c.QueryParam("on")), c.QueryParam("path")
	if _, err := page.ParsePath(strings.TrimSuffix(address, "/")); err != nil {
		address = ""
	}
	if on == "" {
		return s.askDay(c, in, "", address, nil)
	}
	if _, _, ok := parseWhen(on); !ok {
		return s.askDay(c, in, "", address, bad(400, "That is no day. Write it like 2026-01-31."))
	}
	return c.Redirect(http.StatusFound, then(in, on)+"/"+escape(address))
}

// askDay shows the form, with what was wrong with the day that was asked for.
func (s *Server) askDay(c echo.Context, in at, when, address string, wrong error) error {
	status := 200
	v := web.PickDay{Frame: s.frame(c, in, "", say(c, "The wiki on a day")), Form: web.DayForm{URL: then(in, ""), Path: address}}
	v.NoIndex = true
	v.Form.Last = time.Now().UTC().Format(time.DateOnly)
	v.Form.On = v.Form.Last
	if t, _, ok := parseWhen(when); ok {
		v.Form.On = t.Format(time.DateOnly)
	}
	if wrong != nil {
		var told *badRequest
		if !errors.As(wrong, &told) || !wantsHTML(c.Request()) {
			return wrong
		}
		status, v.Error = told.status, say(c, told.detail, told.args...)
	}
	return s.html(c, status, v)
}

// notThen answers an address that named nothing at the time.
func (s *Server) notThen(c echo.Context, in at, address string) error {
	p, _, err := pageAt(in, address)
	if err != nil {
		return err
	}
	if !wantsHTML(c.Request()) {
		return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	v := web.Message{
		Frame: s.frame(c, in, p, p.Title()), Status: 404, Text: say(c, "There was no page called %s at that time.", p.Address()),
		Next: &web.Link{Label: say(c, "The home page of that time"), URL: in.Root()},
	}
	v.Crumbs = crumbs(in, p)
	return s.html(c, 404, v)
}
