package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file leads git to the remote from what people copy out of their address bar, people with a browser from the remote
// to the pages, and tells git in plain text, which it shows to its user, what went wrong.

// git asks a remote for this address first, whatever stands before it.
const infoRefs = "/info/refs"

// asksRemote tells whether git is looking for a remote at this address, which may be any of the wiki.
func asksRemote(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, infoRefs) && service(r) != "" || strings.HasPrefix(r.UserAgent(), "git/")
}

// service is what git asks a remote for; "" when it is not git that asks.
func service(r *http.Request) wiki.Service {
	switch s := wiki.Service(r.URL.Query().Get("service")); s {
	case wiki.FetchService, wiki.PushService:
		return s
	}
	return ""
}

// forGit tells whether an answer is read by git: it shows plain text to its user, and nothing else.
func forGit(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, gitPrefix) || gitAddress(r) || asksRemote(r)
}

// toRemote sends git on from the address of the wiki, of a space or of a page to the remote that was meant. git goes on
// with what it is sent to, and does so again for each push.
func (s *Server) toRemote(c echo.Context) error {
	r := c.Request()
	name := askedSpace(r.URL.Path)
	if all := s.readable(c); name == "" && len(all) == 1 {
		name = all[0].Space()
	}
	if _, err := s.inSpace(c, name); err != nil {
		return err
	}
	if !strings.HasSuffix(r.URL.Path, infoRefs) { // "#" or "?" in the address has swallowed what git says
		return bad(404, "There is no remote at this address: git clone %s", s.remote(c, name))
	}
	return c.Redirect(http.StatusFound, "/"+name+".git"+infoRefs+"?service="+string(service(r)))
}

// askedSpace is the space that an address belongs to, as git asks for it; "" for those of the wiki as a whole.
func askedSpace(path string) string {
	path = strings.TrimSuffix(path, infoRefs)
	if rest, ok := strings.CutPrefix(path, gitPrefix); ok {
		path = rest
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if name == "-" {
		return ""
	}
	return name
}

// remote is a space's address for git.
func (s *Server) remote(c echo.Context, space string) string { return s.base(c) + "/" + space + ".git" }

// cloneBox tells people at the foot of a page how to work with git.
func (s *Server) cloneBox(c echo.Context, in at) *web.Clone {
	return &web.Clone{Address: s.remote(c, in.Space()), Folder: in.Space()}
}

// tellGit answers git with a sentence that says what to do.
func (s *Server) tellGit(c echo.Context, p problem, err error) error {
	if p.status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="Cairn"`)
	}
	c.Response().Header().Set("Content-Type", echo.MIMETextPlainCharsetUTF8) // not what the answer would have been
	return c.String(p.status, s.gitSentence(c, p, err)+"\n")
}

func (s *Server) gitSentence(c echo.Context, p problem, err error) string {
	space := askedSpace(c.Request().URL.Path)
	if own := (*badRequest)(nil); errors.As(err, &own) {
		return own.Error()
	}
	switch {
	case p.status == 404:
		return s.noRemote(c, space)
	case p.status == 403:
		return fmt.Sprintf("You may clone and fetch %q, and may not push to it. Ask whoever runs the wiki.", space)
	case p.status == 405:
		return "This address is for git: clone " + s.remote(c, space)
	case errors.Is(err, wiki.ErrReadOnly):
		return "The disk of this wiki has failed, so nothing can be pushed until whoever runs it has looked at it. You can still clone and fetch."
	case errors.Is(err, fs.ErrClosed):
		return "The wiki is being stopped. Try again in a moment."
	case p.status == 507:
		return "The disk of this wiki is full, so nothing can be pushed. Ask whoever runs it to make room, then push again."
	}
	return p.in(context.Background())
}

// noRemote says which remotes there are when git has asked for one that is not there.
func (s *Server) noRemote(c echo.Context, asked string) string {
	var names []string
	for _, in := range s.readable(c) {
		names = append(names, in.Space())
	}
	if slices.Contains(names, asked) {
		return "There is nothing of git's at this address. The remote is " + s.remote(c, asked)
	}
	if len(asked) > 63 {
		asked = asked[:63]
	}
	said := fmt.Sprintf("There is no space %q here.", asked)
	if asked == "" {
		said = "The address of a remote ends in the name of a space."
	}
	if near, ok := nearest(asked, names); ok {
		return said + " Did you mean " + s.remote(c, near) + " ?"
	}
	if len(names) == 0 {
		return said
	}
	more := ""
	if n := len(names) - maxNamed; n > 0 {
		names, more = names[:maxNamed], fmt.Sprintf(", and %d more", n)
	}
	for i, name := range names {
		names[i] = s.remote(c, name)
	}
	return said + " This wiki has " + strings.Join(names, " , ") + more
}

// maxNamed is how many spaces are named to somebody who has asked for another.
const maxNamed = 5

// nearest is the name that looks most like the one that was asked for.
func nearest(asked string, names []string) (string, bool) {
	all := page.NewNames(func(yield func(page.Path) bool) {
		for _, name := range names {
			if !yield(page.Path(name + ".md")) {
				return
			}
		}
	})
	for _, p := range all.Like(asked, 1) {
		return p.Address(), true
	}
	return "", false
}
