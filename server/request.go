package server

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file finds out who asks, and for what.

// nameCookie remembers the name that a visitor signs with.
const nameCookie = "cairn_name"

// actor is whoever sent the request: a visitor, by the name of the cookie, or by that in the address or the settings of a
// git client. Nobody has proved that name, so it gives no rights. Nothing else tells who asks.
func (s *Server) actor(c echo.Context) accounts.User {
	name := cookie(c, nameCookie)
	if name == "" {
		name, _, _ = c.Request().BasicAuth()
	}
	return accounts.Visitor(name)
}

// signed is whoever sent the request, under the name that came with it, which is remembered for the next time.
func (s *Server) signed(c echo.Context, name string) accounts.User {
	if name == "" {
		return s.actor(c)
	}
	u := accounts.Visitor(name)
	if u.Name() != cookie(c, nameCookie) {
		s.setCookie(c, nameCookie, u.Name(), 365*24*60*60)
	}
	return u
}

// cookie reads a value that setCookie has written; "" when there is none.
func cookie(c echo.Context, name string) string { return cookieOf(c.Request(), name) }

func cookieOf(r *http.Request, name string) string {
	k, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	v, err := base64.RawURLEncoding.DecodeString(k.Value)
	if err != nil {
		return ""
	}
	return string(v)
}

// setCookie writes any text as a cookie for maxAge seconds; -1 removes it.
func (s *Server) setCookie(c echo.Context, name, value string, maxAge int) {
	http.SetCookie(c.Response(), &http.Cookie{
		Name: name, Value: base64.RawURLEncoding.EncodeToString([]byte(value)),
		Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: c.Request().TLS != nil || strings.HasPrefix(s.URL, "https:"),
	})
}

// at is one space at one moment, as a handler sees it.
type at struct {
	*wiki.Snapshot
	space *wiki.Space
	by    accounts.User
	past  *web.Past // set where the moment is not now: nothing can be done there
}

// in is the space that the address names, as it is now.
func (s *Server) in(c echo.Context) (at, error) {
	return s.inSpace(c, c.Param("space"))
}

func (s *Server) inSpace(c echo.Context, name string) (at, error) {
	space, err := s.Wiki.Space(c.Request().Context(), name)
	if err != nil {
		return at{}, err
	}
	by := s.actor(c)
	head, err := space.Head(by)
	if err == nil {
		head = head.With(s.Index.Also(c.Request().Context(), head))
	}
	return at{Snapshot: head, space: space, by: by}, err
}

// readable are the heads of all spaces that the actor may read.
func (s *Server) readable(c echo.Context) []*wiki.Snapshot {
	var heads []*wiki.Snapshot
	by := s.actor(c)
	for _, space := range s.Wiki.Spaces(c.Request().Context()) {
		if head, err := space.Head(by); err == nil {
			heads = append(heads, head)
		}
	}
	return heads
}

// target is the rest of the address, where the route has "*": decoded once from what was sent, since the router decodes
// some addresses and not others.
func target(c echo.Context) (string, error) {
	raw := c.Request().URL.EscapedPath()
	for range strings.Count(c.Path(), "/") {
		_, raw, _ = strings.Cut(raw, "/")
	}
	rest, err := url.PathUnescape(raw)
	if err != nil {
		return "", bad(400, "The address is not well formed.")
	}
	return rest, nil
}

// pageAt is the page that an address without ".md" names: the one that is there, or the path that it would have.
func pageAt(in at, address string) (p page.Path, exists bool, err error) {
	if p, ok := in.Names().Page(address); ok {
		return p, true, nil
	}
	if home, ok := strings.CutSuffix(address, "/"); ok || address == "" {
		if p, ok := in.Names().Home(home); ok {
			return p, true, nil
		}
		address += "Home"
	}
	if p, err := page.ParsePath(address); err == nil && p.IsPage() {
		return p, in.Has(p), nil
	}
	p, err = page.ParsePath(address + ".md")
	return p, false, err
}

// existing is the page that the address names. When it is not there the error wraps fs.ErrNotExist, and p is the path
// that it would have; p is "" when no page can be there.
func (s *Server) existing(c echo.Context) (at, page.Path, error) {
	in, err := s.in(c)
	if err != nil {
		return at{}, "", err
	}
	address, err := target(c)
	if err != nil {
		return at{}, "", err
	}
	p, ok, err := pageAt(in, address)
	if err == nil && !p.Served() {
		return in, "", fmt.Errorf("%s: %w", address, fs.ErrNotExist)
	}
	if err == nil && !ok {
		err = fmt.Errorf("%s: %w", address, fs.ErrNotExist)
	}
	return in, p, err
}

// possible is existing for those who may also begin a page: that it is not there is no error.
func (s *Server) possible(c echo.Context) (at, page.Path, error) {
	in, p, err := s.existing(c)
	if errors.Is(err, fs.ErrNotExist) && p != "" {
		err = nil
	}
	return in, p, err
}

// known is possible for whatever has a history: the page that the address names, else the file, of which it may be that it
// is gone.
func (s *Server) known(c echo.Context) (at, page.Path, error) {
	in, p, err := s.possible(c)
	if err != nil || in.Has(p) {
		return in, p, err
	}
	address, err := target(c)
	if err != nil {
		return in, p, err
	}
	file, err := page.ParsePath(address)
	if err != nil || file.IsPage() || !file.Served() {
		return in, p, nil
	}
	if in.Has(file) {
		return in, file, nil
	}
	if _, err := s.Index.Deleted(c.Request().Context(), in.Snapshot, file); err == nil {
		return in, file, nil
	}
	return in, p, nil
}

// here is known for what must be there now; else the error wraps fs.ErrNotExist.
func (s *Server) here(c echo.Context) (at, page.Path, error) {
	in, p, err := s.known(c)
	if err == nil && !in.Has(p) {
		err = fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	return in, p, err
}

// app is the address of an application route of a space for a page: /go/-/edit/guide/Set%20up.
func app(space, verb string, p page.Path) string {
	return "/" + space + "/-/" + verb + strings.TrimPrefix(page.URL(space, p), "/"+space)
}

// base is the address of the wiki, without "/" at its end: the public one, or what the request was sent to. The latter
// is whatever the client says, so that nothing that others see may be made of it.
func (s *Server) base(c echo.Context) string {
	if s.URL != "" {
		return s.URL
	}
	scheme := "http://"
	if c.Request().TLS != nil {
		scheme = "https://"
	}
	return scheme + c.Request().Host
}

// wantsHTML tells whether a person is asking, in a browser.
func wantsHTML(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/-/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}
