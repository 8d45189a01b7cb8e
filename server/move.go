package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file moves pages, files and folders. The address names which: /go/-/move/guide/Install is a page or a file,
// /go/-/move/guide/ a folder; "?to=" proposes a name. The form shows what will change, in which pages; what is done is
// planned anew of what there is then.

// toMove is what the address names.
func (s *Server) toMove(c echo.Context) (at, wiki.Moving, error) {
	in, err := s.in(c)
	if err != nil {
		return at{}, wiki.Moving{}, err
	}
	address, err := target(c)
	if err != nil {
		return at{}, wiki.Moving{}, err
	}
	m, err := movable(in, address)
	return in, m, err
}

// movable is the page, the file or the folder at an address.
func movable(in at, address string) (wiki.Moving, error) {
	missing := fmt.Errorf("%s: %w", address, fs.ErrNotExist)
	if dir, ok := strings.CutSuffix(address, "/"); ok && dir != "" {
		p, err := page.ParsePath(dir)
		if err == nil && !in.Names().HasDir(dir) {
			err = missing
		}
		return wiki.Moving{From: p, Folder: true}, err
	}
	p, ok, err := pageAt(in, address)
	if file, bad := page.ParsePath(address); !ok && bad == nil && in.Has(file) {
		p, ok, err = file, true, nil
	}
	if err == nil && (!ok || !p.Served()) {
		err = missing
	}
	return wiki.Moving{From: p}, err
}

func (s *Server) askMove(c echo.Context) error {
	in, m, err := s.toMove(c)
	if err != nil {
		return err
	}
	typed, w := m.From.Address(), writing{base: in.Rev()}
	if to := c.QueryParam("to"); to != "" {
		typed = to
		m.To, w.failed = moveTarget(m, strings.Trim(strings.TrimSpace(to), "/"))
	}
	v, err := s.moveView(c, in, m, typed, w)
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

const moveTooLarge = "This is too much to be moved at once here, so nothing has been done. Move the folders in it one after another."

// moveView is the form; once a new name is typed it says what that will do.
func (s *Server) moveView(c echo.Context, in at, m wiki.Moving, typed string, w writing) (web.View, error) {
	v := web.Move{
		Frame: s.formFrame(c, in, m.From, "Move "+m.From.Title()),
		Form:  s.form(c, in, m.From, "move", w),
		Path:  m.From.Address(), To: typed, What: "page",
	}
	switch {
	case m.Folder:
		v.What, v.Path = "folder", string(m.From)
		v.Frame = s.frame(c, in, m.From+"/x", "Move the folder "+m.From.Base())
		v.NoIndex = true
		v.Crumbs = crumbs(in, m.From)
		v.Form.URL = app(in.Space(), "move", m.From) + "/"
		v.Form.Cancel = in.URL(m.From) + "/"
		files := 0
		for range in.Names().Under(string(m.From)) {
			files++
		}
		v.Files = files
	case !m.From.IsPage():
		v.What = "file"
	case m.From.Dir() != "":
		v.Folder = &web.Link{Label: m.From.Dir(), URL: "/" + in.Space() + "/-/move/" + escape(m.From.Dir()) + "/"}
	}
	if m.To == "" || m.To == m.From || w.failed != nil {
		return v, nil
	}
	var plan *wiki.MovePlan
	err := s.bounded(c, moveTooLarge, func(ctx context.Context) (err error) {
		plan, err = in.space.PlanMove(ctx, in.by, m)
		return err
	})
	if err != nil {
		w.failed = err
		v.Form = s.failedForm(v.Form, err)
		return v, nil
	}
	v.Plan = s.movePlanView(in, m, plan)
	return v, nil
}

// failedForm is a form that says what is wrong.
func (s *Server) failedForm(f web.Form, err error) web.Form {
	f.Error = explain(err).detail
	if o := offer(err); o != "" {
		f.Error += fmt.Sprintf(" You could call it %q.", o)
	}
	return f
}

func (s *Server) movePlanView(in at, m wiki.Moving, plan *wiki.MovePlan) *web.MovePlan {
	v := &web.MovePlan{}
	for _, n := range plan.Links {
		v.Links += n
	}
	for _, f := range plan.Moved {
		if n := plan.Links[f.Path]; n > 0 {
			v.Inside += n
		}
		if f.From == m.From {
			continue
		}
		if len(v.Along) == maxPlanned {
			v.MoreAlong++
			continue
		}
		v.Along = append(v.Along, web.Moved{From: f.From.Address(), To: f.Path.Address(), URL: in.URL(f.From)})
	}
	for _, f := range plan.Pages {
		if len(v.Pages) == maxPlanned {
			v.MorePages++
			continue
		}
		v.Pages = append(v.Pages, web.Relinked{Name: f.Path.Address(), URL: in.URL(f.Path), Links: plan.Links[f.Path]})
	}
	for _, p := range slices.Sorted(maps.Keys(plan.Left)) {
		if len(v.Left) < maxPlanned {
			v.Left = append(v.Left, web.Relinked{Name: p.Address(), URL: in.URL(p), Why: whyLeft(plan.Left[p])})
		}
	}
	return v
}

// whyLeft says why a move does not change links of a page.
func whyLeft(err error) string {
	switch {
	case errors.Is(err, wiki.ErrLinksLost):
		return "a link in it cannot be written so that it goes on leading there"
	case errors.Is(err, page.ErrIntricate):
		return "it is too intricate to be changed by a program"
	case errors.Is(err, fs.ErrPermission):
		return "you may not change it"
	case errors.Is(err, wiki.ErrTooLarge):
		return "it would become too large"
	}
	return "it cannot be read"
}

func (s *Server) move(c echo.Context) error {
	in, m, err := s.toMove(c)
	if err != nil {
		return err
	}
	form, err := fields(c, "to")
	if err != nil {
		return err
	}
	w := writing{note: form.Get("note"), name: form.Get("name"), base: wiki.Rev(form.Get("base")), preview: form.Has("show")}
	typed := strings.Trim(strings.TrimSpace(form.Get("to")), "/")
	m.Note = w.note
	m.To, err = moveTarget(m, typed)
	if err == nil && w.preview {
		v, err := s.moveView(c, in, m, typed, w)
		if err != nil {
			return err
		}
		return s.html(c, 200, v)
	}
	var saved wiki.Saved
	if err == nil {
		err = s.bounded(c, moveTooLarge, func(ctx context.Context) (err error) {
			saved, err = in.space.Move(ctx, s.signed(c, w.name), m)
			return err
		})
	}
	if err != nil {
		w.failed = err
		v, verr := s.moveView(c, in, m, typed, w)
		if verr != nil {
			return verr
		}
		return s.html(c, explain(err).status, v)
	}
	to := page.URL(in.Space(), m.To)
	if m.Folder {
		to = "/" + in.Space() + "/" + escape(string(m.To)) + "/"
	}
	if saved.Unchanged {
		s.tell(c, web.Info, "That is its name already: nothing was changed.")
	} else {
		s.tellUndo(c, in, saved.Rev, fmt.Sprintf("Moved from %q. The old address leads here, and links have been changed with it.", m.From.Address()))
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// moveTarget is the path that somebody means by a new name: a page's ending goes without saying.
func moveTarget(m wiki.Moving, typed string) (page.Path, error) {
	if typed == "" {
		return "", bad(422, "Say where it should go.")
	}
	to, err := page.ParsePath(typed)
	if err == nil && !m.Folder && m.From.IsPage() && !to.IsPage() {
		to, err = page.ParsePath(typed + strings.TrimPrefix(string(m.From), m.From.Address()))
	}
	return to, err
}

func (s *Server) apiMove(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	var sent struct{ From, To, Note, Name string }
	if err := body(c, &sent); err != nil {
		return err
	}
	if sent.From == "" || sent.To == "" {
		return bad(400, `"from" and "to" are needed.`)
	}
	m, err := movable(in, sent.From)
	if err != nil {
		return err
	}
	m.Note = sent.Note
	if m.To, err = moveTarget(m, strings.Trim(sent.To, "/")); err != nil {
		return err
	}
	var saved wiki.Saved
	err = s.bounded(c, moveTooLarge, func(ctx context.Context) (err error) {
		saved, err = in.space.Move(ctx, s.signed(c, sent.Name), m)
		return err
	})
	if err != nil {
		return err
	}
	path := m.To.Address()
	if m.Folder {
		path = string(m.To) + "/"
	}
	type leftPage struct {
		Path   string `json:"path"`
		Reason string `json:"reason"`
	}
	left := make([]leftPage, 0, len(saved.Left))
	for _, p := range slices.Sorted(maps.Keys(saved.Left)) {
		left = append(left, leftPage{p.Address(), whyLeft(saved.Left[p])})
	}
	return c.JSON(200, map[string]any{"revision": saved.Rev, "path": path, "left": left})
}
