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
	"os"
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

// maxQuestion is how many bytes a fetch may say, unpacked: that it has some 80,000 commits, for example.
const maxQuestion = 4 << 20

func (s *Server) fetch(c echo.Context) error {
	in, body, err := s.gitRequest(c, wiki.FetchService, time.Now().Add(fileTime))
	if err != nil {
		return err
	}
	body = http.MaxBytesReader(nil, io.NopCloser(body), maxQuestion)
	err = in.space.Fetch(c.Request().Context(), in.by, protocol(c), body, moving{c})
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		io.Copy(io.Discard, io.LimitReader(c.Request().Body, maxQuestion)) // a client that still sends does not listen
		return bad(413, "This fetch asks for more than can be answered at once: its question has more than %d MiB. Clone anew, or fetch fewer branches at a time.", large.Limit>>20)
	}
	return err
}

func (s *Server) push(c echo.Context) error {
	in, body, err := s.gitRequest(c, wiki.PushService, time.Time{})
	if err != nil {
		return err
	}
	see := func(from, to wiki.Rev) string { return s.base(c) + pushURL(in.Space(), from, to) }
	return in.space.Push(c.Request().Context(), in.by, protocol(c), see, body, moving{c})
}

// gitRequest checks a request of a service and unpacks its body, all of which has to come until then, if ever.
func (s *Server) gitRequest(c echo.Context, service wiki.Service, until time.Time) (at, io.Reader, error) {
	in, err := s.in(c)
	if err != nil {
		return at{}, nil, err
	}
	r := c.Request()
	if r.Header.Get("Content-Type") != "application/x-"+string(service)+"-request" {
		return at{}, nil, bad(415, "This address is for git: clone %s", s.remote(c, in.Space()))
	}
	// A client that connects and says nothing must not hold one of git's places.
	sent := bufio.NewReader(&asking{c: c, until: until})
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

// minPace is how many bytes of a request must come in each gitPause that is spent waiting for them, unless it ends
// before: a client that sends a byte now and then must not hold one of git's places.
const minPace = 64 << 10

// asking is the body of a request, which may take as long as it likes while enough of it comes. Only the time in which
// it is waited for counts: git may take its own.
type asking struct {
	c      echo.Context
	until  time.Time     // when all must have come; zero for no such time
	came   int           // bytes, since enough had come
	waited time.Duration // for them
}

func (a *asking) Read(p []byte) (int, error) {
	wire := http.NewResponseController(a.c.Response())
	begun := time.Now()
	due := begun.Add(gitPause - a.waited)
	if !a.until.IsZero() && a.until.Before(due) {
		due = a.until
	}
	if err := wire.SetReadDeadline(due); err != nil {
		return 0, err
	}
	n, err := a.c.Request().Body.Read(p)
	a.waited += time.Since(begun)
	if a.came += n; a.came >= minPace {
		a.came, a.waited = 0, 0
	}
	switch {
	case err == io.EOF: // what follows may take git a while
		if derr := wire.SetReadDeadline(time.Time{}); derr != nil {
			err = derr
		}
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = bad(408, "The request came too slowly. Try again over a faster line.")
	}
	return n, err
}

// moving is the answer to a request, which may take as long as it likes while something moves.
type moving struct{ c echo.Context }

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
