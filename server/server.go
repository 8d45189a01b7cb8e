// Package server answers the network: pages for people, JSON for programs, packs for git.
//
// A [Server] is an http.Handler over a wiki, its index and the site's looks. A handler finds out who asks and for what,
// calls down once, and renders: HTML and JSON of one story stand side by side in one file. Everything is asked of one
// snapshot a request. Errors are returned; errors.go alone knows which status each has and what a person is told.
//
// It stores nothing and decides nothing about rights: the actor goes down with every call.
package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/sync/semaphore"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// Config is what a server is made of. Wiki, Index and Log are needed.
type Config struct {
	Wiki    *wiki.Wiki
	Index   *search.Index
	Log     *slog.Logger
	URL     string // the public address without "/" at its end; "" takes what the request names
	Version string
}

// Server is the wiki as an http.Handler.
type Server struct {
	Config
	site *web.Site
	kept *kept
	echo *echo.Echo
	http http.Handler

	sending          *sending
	scaled           *scaled
	storing, spooled room

	moving *semaphore.Weighted // held while a move is planned and done,
	moves  *semaphore.Weighted // and by each that waits for that as well

	// How long what may be costly is allowed to take; tests, on whatever machine, allow more.
	askTime   time.Duration // finding out which pages use the files of a list
	lookTime  time.Duration // looking for files that no page uses
	scaleTime time.Duration // of the processor, making a picture smaller
	planTime  time.Duration // how long it may take to plan an undo, a restore or a move, or to compare
}

// New makes a server. It opens nothing and starts nothing.
func New(c Config) (*Server, error) {
	site, err := web.New()
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, site: site, kept: newKept(), echo: echo.New(), planTime: 20 * time.Second}
	s.askTime, s.lookTime, s.scaleTime = time.Second, 2*time.Second, 2*time.Second
	s.sending, s.storing, s.spooled = newSending(), newRoom(maxStoring), newRoom(maxSpooled)
	s.scaled = newScaled()
	s.moving, s.moves = semaphore.NewWeighted(1), semaphore.NewWeighted(1+maxMoves)
	s.echo.HTTPErrorHandler = s.handleError
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.Use(s.recover, deadlines, s.again, middleware.GzipWithConfig(middleware.GzipConfig{Level: 4, MinLength: 1024, Skipper: notCompressed}))
	s.routes()
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(s.denyCrossOrigin))
	guarded := cross.Handler(s.echo)
	s.http = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		// Git clients send no Origin and carry no cookies: there is nothing that another site could borrow.
		if gitAddress(r) {
			s.echo.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, inLanguage(r))
	})
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.http.ServeHTTP(w, r) }

// policy is sent with every answer: should hostile markup ever get past the sanitiser, nothing in it runs. A frame is of
// the wiki, or of a site whose videos a page may show once somebody has asked for it; the sanitiser lets no frame through.
var policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; media-src 'self'; font-src 'self'; " +
	"connect-src 'self'; frame-src 'self' " + strings.Join(page.FrameHosts(), " ") + "; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// notCompressed are answers that are packed already, or that are asked for by the byte.
func notCompressed(c echo.Context) bool {
	r := c.Request()
	return strings.HasPrefix(r.URL.Path, gitPrefix) || strings.HasPrefix(r.URL.Path, web.AssetsURL) || r.Header.Get("Range") != ""
}

// gitAddress tells whether the request is for a space's remote: /NAME.git/…
func gitAddress(r *http.Request) bool {
	first, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return ok && strings.HasSuffix(first, ".git") && rest != ""
}

// How long a client may take to send a request and to take its answer. Git's may be as long as they like, as long as
// something moves.
const (
	formTime = time.Minute
	fileTime = 5 * time.Minute
	gitPause = time.Minute
)

// deadlines keeps slow clients from holding a request for ever.
func deadlines(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		send, take := formTime, fileTime
		switch r := c.Request(); {
		case strings.HasPrefix(r.URL.Path, gitPrefix):
			send, take = gitPause, gitPause
		case r.Method == http.MethodPut || strings.Contains(r.URL.Path, "/-/upload/"):
			send = fileTime
		}
		wire := http.NewResponseController(c.Response())
		err := wire.SetWriteDeadline(time.Now().Add(send + take))
		if c.Request().Body != http.NoBody && err == nil {
			// Not without a body: the server reads on while a handler works, and takes a deadline for a client that has left.
			err = wire.SetReadDeadline(time.Now().Add(send))
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

// recover turns a panic into an error, so that one page's bug is one page's.
func (s *Server) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.Log.Error("panic", "path", c.Request().URL.Path, "panic", p, "stack", string(debug.Stack()))
				err = errPanic
			}
		}()
		return next(c)
	}
}
