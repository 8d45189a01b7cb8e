package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

var errPanic = errors.New("panic")

// badRequest is a mistake in what was sent, told in a sentence.
type badRequest struct {
	status int
	detail web.Text
	args   []any
	next   *web.Link // where a person finds out more; nil for the home page
}

// Error is the sentence in English.
func (e *badRequest) Error() string { return web.Say(context.Background(), e.detail, e.args...) }

func bad(status int, detail web.Text, args ...any) error {
	return &badRequest{status: status, detail: detail, args: args}
}

// problem is what a failure looks like from outside.
type problem struct {
	status int
	title  web.Text // short
	detail web.Text // a sentence: what happened, what to do next
	args   []any
}

// told is the sentence in the language of who asks.
func (p problem) told(c echo.Context) string { return p.in(c.Request().Context()) }

// in is the sentence in the language of ctx.
func (p problem) in(ctx context.Context) string {
	args := slices.Clone(p.args)
	for i, a := range args {
		if name, ok := a.(*page.NameError); ok {
			args[i] = whyNot(ctx, name)
		}
	}
	return web.Say(ctx, p.detail, args...)
}

// reasons are those of all rooms why a name cannot be had, for the catalogues: the rooms below write them in English.
var reasons = []web.Text{
	"A path cannot be empty.",
	"A path must be valid UTF-8 text.",
	"A path cannot begin with “/”.",
	"A path cannot be more than 32 folders deep.",
	"A path cannot contain a backslash.",
	"A path cannot contain control characters.",
	"A path cannot contain invisible characters.",
	"A path cannot contain an empty folder name.",
	"A path cannot contain “.” or “..”.",
	"A name cannot be longer than 255 bytes.",
	"A path cannot contain a name that git keeps for itself.",
	"The name “-” is used by the wiki itself.",
	"The name is too long: at most 245 bytes.",
	"The name ends in a page extension twice.",
	"A name cannot contain any of \\ : * ? \" < > |",
	"A name cannot begin or end with a space or a dot.",
	"Windows keeps this name for a device, so the page could not be checked out there.",
	"a name with [ or ] in it cannot be linked to",
	"a link to a name that ends in %s is taken for one to a file",
	"a page stays a page: its new name ends like its old one",
	"a folder cannot go into itself",
	"there is %q already",
	"there is a folder %q already",
	"there is a file %q already",
	"there is a page at %q already",
	"there is a file %q, and no folder can have its name",
	"there is %q already, a name that differs only in capital letters or accents",
	"there is a page at %q already; give the file an ending, or another name",
	"there is a file %q already; choose another name for the page",
	"there is %q already, a name that differs only in capital letters or accents: change that one, or choose another name",
	"there is a folder %q by now, and no file can have its name: move or delete what is in it first",
	"there is a file %q by now, and no folder can have its name: move or delete that file first",
	"%q is a page, not a file: write it with New page, or give it another ending",
}

// whyNot is the sentence of a name that cannot be had, in the language of ctx.
func whyNot(ctx context.Context, name *page.NameError) string {
	for _, r := range reasons {
		if string(r) == string(name.Reason) {
			return sentence(web.Say(ctx, r, name.Args...))
		}
	}
	return sentence(name.Error())
}

// problems is the one table from errors to what outsiders see. Only texts written for the reader are shown; what is not
// in the table is a 500, and its text goes to the log alone.
var problems = []struct {
	is error
	problem
}{
	{wiki.ErrChanged, problem{412, "Changed meanwhile", "The file has changed since you read it. Read it again, and repeat your change on what is there now.", nil}},
	{wiki.ErrNothing, problem{409, "Nothing to undo", "Nothing of this change is left: it has been undone, or written over.", nil}},
	{wiki.ErrMerge, problem{409, "Nothing to undo", "This change brought two lines of work together in git and has nothing of its own to undo. Undo each of the changes that it brought.", nil}},
	{wiki.ErrTooLarge, problem{413, "Too large", "A page may have at most %d MB, any other file %d MB. Split it, or make it smaller.", []any{wiki.MaxPage >> 20, wiki.MaxFile >> 20}}},
	{wiki.ErrNotText, problem{422, "Not text", "A page is text in UTF-8 and holds no NUL characters. Save it as UTF-8, or store it as a file with another ending.", nil}},
	{wiki.ErrReadOnly, problem{503, "Nothing can be saved now", "The disk has failed. Whoever runs the wiki has to look at it and start the wiki again. Keep your text.", nil}},
	{wiki.ErrBusy, problem{503, "Busy", "Too many clones and pushes run at once. Try again in a minute.", nil}},
	{wiki.ErrCrowded, problem{503, "Busy", "Many large pages are asked for just now. Try again in a moment.", nil}},
	{wiki.ErrOvertaken, problem{503, "Busy", "Many are changing the wiki just now, and each time somebody else was quicker, so nothing has been done. Try again in a moment.", nil}},
	{wiki.ErrLocked, problem{503, "Busy", "Another program is changing the wiki's files. Try again in a moment.", nil}},
	{fs.ErrClosed, problem{503, "Ending", "The wiki is being stopped. Try again in a moment.", nil}},
	{syscall.EROFS, problem{503, "Nothing can be saved now", "The disk cannot be written to. Whoever runs the wiki has to look at it. Keep your text and try again.", nil}},
	{syscall.EIO, problem{503, "The disk fails", "The disk does not give or take what it should. Whoever runs the wiki has to look at it. Try again in a moment.", nil}},
	{syscall.EDQUOT, problem{507, "The disk is full", "There is no room to save. Whoever runs the wiki has to free some. Keep your text and try again.", nil}},
	{syscall.ENOSPC, problem{507, "The disk is full", "There is no room to save. Whoever runs the wiki has to free some. Keep your text and try again.", nil}},
	{fs.ErrPermission, problem{403, "Not allowed", "You may not change this. Ask whoever runs the wiki.", nil}},
	{fs.ErrNotExist, problem{404, "Not found", "There is nothing at this address. Look for it with the search, or start from the home page.", nil}},
	{fs.ErrExist, problem{409, "There already", "There is something of that name already. Choose another name.", nil}},
	{fs.ErrInvalid, problem{400, "That cannot be read", "The address is not one that the wiki has given. Start from the home page.", nil}},
	{io.ErrUnexpectedEOF, problem{400, "Cut short", "The request ended before all of it had come. Send it again.", nil}},
	{context.Canceled, problem{499, "Cancelled", "The request was broken off.", nil}},
	{context.DeadlineExceeded, problem{503, "Too slow", "That took too long. Try again in a moment.", nil}},
}

// trouble is what every page says while nothing can be saved; "" when all is well.
func trouble(err error) web.Text {
	switch {
	case err == nil, errors.Is(err, fs.ErrClosed):
		return ""
	case errors.Is(err, wiki.ErrReadOnly):
		return "The disk has failed. Whoever runs the wiki has to look at it and start the wiki again. Until then all pages can be read."
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "The disk is full. Whoever runs the wiki has to make room. Until then all pages can be read."
	}
	return "The disk cannot be written to. Whoever runs the wiki has to look at it. Until then all pages can be read."
}

// titles are the short forms of what can be wrong with a request.
var titles = map[int]web.Text{
	400: "That cannot be read", 403: "Not allowed", 404: "Not found", 409: "Changed meanwhile", 412: "Changed meanwhile", 413: "Too large",
	415: "Another kind of file is needed", 422: "That cannot be saved", 428: "Say what it is based on",
	503: "Busy",
}

// explain says what a failure looks like from outside.
func explain(err error) problem {
	var (
		own    *badRequest
		name   *page.NameError
		clash  *wiki.Conflict
		stuck  *wiki.Collided
		large  *http.MaxBytesError
		routed *echo.HTTPError
	)
	switch {
	case errors.As(err, &own):
		return problem{own.status, titles[own.status], own.detail, own.args}
	case errors.As(err, &name) && errors.Is(err, fs.ErrExist):
		return problem{409, "There already", "%s Choose another name.", []any{name}}
	case errors.As(err, &name):
		return problem{422, "This name cannot be used", "%s", []any{name}}
	case errors.As(err, &clash):
		if clash.NoBase {
			return problem{428, "There is a page of that name", "The page exists already. Read it first, and say which revision your text is based on.", nil}
		}
		if clash.Gone {
			return problem{409, "The page is no longer there", "Somebody has removed or moved the page since you read it. Nothing has been saved; without a base, your text is saved as a new page.", nil}
		}
		return problem{409, "Somebody else saved meanwhile", "Your text and theirs change the same lines. Nothing has been saved yet; choose what to keep.", nil}
	case errors.As(err, &stuck):
		return problem{409, "Changed since", "Later changes are in the way, so nothing has been undone. Look at what can be done now.", nil}
	case errors.As(err, &large):
		return problem{413, "Too large", "At most %d MB can be sent here.", []any{max(1, large.Limit>>20)}}
	}
	for _, p := range problems {
		if errors.Is(err, p.is) && (p.status >= 500 || !ofDisk(err)) {
			return p.problem
		}
	}
	if errors.As(err, &routed) {
		switch routed.Code {
		case 404:
			return explain(fs.ErrNotExist)
		case 405:
			return problem{405, "That cannot be done here", "This address does not take such a request.", nil}
		}
		return problem{routed.Code, "That cannot be read", "The request could not be understood.", nil}
	}
	return problem{500, "Something went wrong", "This is a mistake of the wiki, not yours. Try again; if it stays, tell whoever runs the wiki.", nil}
}

// ofDisk tells whether an error comes from the operating system: a file of git's that is missing is not a page that
// nobody has written.
func ofDisk(err error) bool {
	var (
		path *fs.PathError
		link *os.LinkError
		call *os.SyscallError
	)
	return errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &call)
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	first, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[n:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// handleError answers whatever a handler has returned as an error.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		s.Log.Warn("answer broken off", "path", c.Request().URL.Path, "err", err)
		return
	}
	var to *redirect
	if errors.As(err, &to) {
		c.Response().Header().Set("Cache-Control", "no-cache")
		c.Redirect(to.status, to.url)
		return
	}
	p := explain(err)
	if method := c.Request().Method; p.status == 422 && (method == "GET" || method == "HEAD") {
		p.status = 400 // a name that cannot be is a mistake in the address, as long as nobody wants to write it
	}
	id := ""
	if p.status >= 500 {
		id = rand.Text()[:8]
		level := slog.LevelError
		if errors.Is(err, wiki.ErrBusy) || errors.Is(err, wiki.ErrCrowded) { // nothing is broken: the client comes again
			level = slog.LevelWarn
		}
		s.Log.Log(c.Request().Context(), level, "request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "status", p.status, "id", id, "err", err)
	}
	comeAgain(c, p.status)
	if forGit(c.Request()) {
		err = s.tellGit(c, p, err)
	} else if wantsHTML(c.Request()) {
		next := &web.Link{Label: say(c, "Home page"), URL: "/"}
		if own := (*badRequest)(nil); errors.As(err, &own) && own.next != nil {
			next = own.next
		}
		err = s.html(c, p.status, web.Message{
			Frame:  s.bareFrame(c, say(c, p.title)),
			Status: p.status, Text: p.told(c),
			Next: next,
			ID:   id,
		})
	} else {
		err = sendProblem(c, p, extras(err))
	}
	if err != nil {
		s.Log.Warn("answer an error", "path", c.Request().URL.Path, "err", err)
	}
}

// comeAgain tells clients when, where that is all there is to do.
func comeAgain(c echo.Context, status int) {
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "10")
	}
}

// extras are the members that a program can go on with: the texts of a conflict, a name that can be stored.
func extras(err error) map[string]any {
	var clash *wiki.Conflict
	if errors.As(err, &clash) {
		return map[string]any{
			"path": clash.Path.Address(), "revision": clash.Rev,
			"base": string(clash.Base), "theirs": string(clash.Theirs), "yours": string(clash.Mine), "merged": string(clash.Merged),
			"gone": clash.Gone,
		}
	}
	var name *page.NameError
	if errors.As(err, &name) && name.Offer != "" {
		return map[string]any{"offer": name.Offer.Address()}
	}
	return nil
}

// redirect is an error that sends the reader elsewhere.
type redirect struct {
	status int
	url    string
}

func (r *redirect) Error() string { return "see " + r.url }

// denyCrossOrigin answers a write that another web site has sent in a visitor's name.
func (s *Server) denyCrossOrigin(w http.ResponseWriter, r *http.Request) {
	c := s.echo.NewContext(r, w)
	s.handleError(bad(403, "This request came from another web site, so nothing was done. Send the form from the wiki itself."), c)
}
