package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/storage/wiki"
)

// This file is the remote: git's smart HTTP protocol under /NAME.git.

// gitPrefix is where the router finds the remote; the leading "/-/" is no page's.
const gitPrefix = "/-/git/"

// gitRoutes moves /NAME.git/… aside, so that a page may be called info/refs.
func (s *Server) gitRoutes(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r := c.Request(); gitAddress(r) {
			name, rest, _ := strings.Cut(r.URL.Path[1:], "/")
			r.URL.Path = gitPrefix + strings.TrimSuffix(name, ".git") + "/" + rest
			r.URL.RawPath = ""
		} else if strings.HasPrefix(r.URL.Path, gitPrefix) {
			return echo.ErrNotFound // that address is ours alone
		} else if asksRemote(r) {
			return s.toRemote(c)
		} else if bare, ok := strings.CutSuffix(r.URL.Path, "/"); ok && strings.HasSuffix(bare, ".git") && strings.LastIndexByte(bare, '/') == 0 {
			r.URL.Path, r.URL.RawPath = bare, "" // opened in a browser: see toHome
		}
		return next(c)
	}
}

// versions is what a client may say about the protocol that it speaks.
var versions = regexp.MustCompile(`^version=[0-2]$`)

func protocol(c echo.Context) string {
	if v := c.Request().Header.Get("Git-Protocol"); versions.MatchString(v) {
		return v
	}
	return ""
}

// advertise begins every clone, fetch and push.
func (s *Server) advertise(c echo.Context) error {
	if c.QueryParam("service") == "git-upload-archive" {
		return s.archive(c)
	}
	in, err := s.in(c)
	if err != nil {
		return err
	}
	service := service(c.Request())
	if service == "" {
		return bad(403, "This remote speaks git's smart protocol only: use git 1.6.6 or newer.")
	}
	if err := in.space.Trouble(); service == wiki.PushService && errors.Is(err, wiki.ErrReadOnly) {
		return err // said before anything is sent: git does not show what is answered to a pack
	}
	var out bytes.Buffer
	if err := in.space.Advertise(c.Request().Context(), in.by, service, protocol(c), &out); err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	return c.Blob(200, "application/x-"+string(service)+"-advertisement", out.Bytes())
}

// archive is what git archive --remote asks for.
func (s *Server) archive(echo.Context) error {
	return bad(403, "This remote packs no archives. Clone it with --depth 1, and run git archive there.")
}

// bundle is the space as one file, for git clone --bundle-uri.
func (s *Server) bundle(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	if in.Rev() == "" {
		return fmt.Errorf("bundle of an empty space: %w", fs.ErrNotExist)
	}
	h := c.Response().Header()
	h.Set("Content-Disposition", `attachment; filename="`+in.Space()+`.bundle"`)
	h.Set("Content-Type", "application/x-git-bundle")
	h.Set("Cache-Control", "no-cache")
	if c.Request().Method == http.MethodHead {
		return nil
	}
	return in.space.Bundle(c.Request().Context(), in.by, moving{c})
}

func (s *Server) fetch(c echo.Context) error {
	in, body, err := s.gitRequest(c, wiki.FetchService)
	if err != nil {
		return err
	}
	return in.space.Fetch(c.Request().Context(), in.by, protocol(c), body, moving{c})
}

func (s *Server) push(c echo.Context) error {
	in, body, err := s.gitRequest(c, wiki.PushService)
	if err != nil {
		return err
	}
	see := func(from, to wiki.Rev) string { return s.base(c) + pushURL(in.Space(), from, to) }
	return in.space.Push(c.Request().Context(), in.by, protocol(c), see, body, moving{c})
}

// gitRequest checks a request of a service and unpacks its body.
func (s *Server) gitRequest(c echo.Context, service wiki.Service) (at, io.Reader, error) {
	in, err := s.in(c)
	if err != nil {
		return at{}, nil, err
	}
	r := c.Request()
	if r.Header.Get("Content-Type") != "application/x-"+string(service)+"-request" {
		return at{}, nil, bad(415, "This address is for git: clone %s", s.remote(c, in.Space()))
	}
	// A client that connects and says nothing must not hold one of git's places.
	sent := bufio.NewReader(moving{c})
	if _, err := sent.Peek(1); err != nil && err != io.EOF {
		return at{}, nil, bad(408, "Nothing was sent.")
	}
	var body io.Reader = sent
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip", "x-gzip":
		if body, err = gzip.NewReader(body); err != nil {
			return at{}, nil, bad(400, "The request is not well packed.")
		}
	default:
		return at{}, nil, bad(415, "A request can be packed with gzip, and not otherwise.")
	}
	// Git answers while it still reads: without this the server would cut the request off at the first byte of the answer.
	if err := http.NewResponseController(c.Response()).EnableFullDuplex(); err != nil {
		return at{}, nil, err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "application/x-"+string(service)+"-result")
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	return in, body, nil
}

// moving is the body of a request and of its answer, which may take as long as they like while something moves.
type moving struct{ c echo.Context }

func (m moving) Read(p []byte) (int, error) {
	wire := http.NewResponseController(m.c.Response())
	if err := wire.SetReadDeadline(time.Now().Add(gitPause)); err != nil {
		return 0, err
	}
	n, err := m.c.Request().Body.Read(p)
	if err == io.EOF { // what follows may take git a while
		if derr := wire.SetReadDeadline(time.Time{}); derr != nil {
			err = derr
		}
	}
	return n, err
}

func (m moving) Write(p []byte) (int, error) {
	wire := http.NewResponseController(m.c.Response())
	if err := wire.SetWriteDeadline(time.Now().Add(gitPause)); err != nil {
		return 0, err
	}
	n, err := m.c.Response().Write(p)
	if err == nil {
		err = wire.Flush() // progress is for now
	}
	return n, err
}
