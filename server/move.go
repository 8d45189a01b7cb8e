package server

import (
	"cmp"
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
		if err == nil && (!in.Names().HasDir(dir) || !p.Served()) {
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
	typed, w := m.From.Address(), writing{base: in.Rev(), preview: true}
	m.Retitle = true
	if to := c.QueryParam("to"); to != "" {
		typed = to
		m.To, w.failed = moveTarget(m, strings.Trim(strings.TrimSpace(to), "/"))
	}
	return s.moveForm(c, in, m, typed, w)
}

const moveTooLarge web.Text = "This is too much to be moved at once here, so nothing has been done. Move the folders in it one after another."

// maxMoves is how many moves may wait for the one that is being planned: each reads all pages of its space.
const maxMoves = 32

var errManyMoves = bad(503, "Others are moving pages just now, so nothing has been done. Try again in a moment.")

// planned is bounded for a move, when its turn has come.
func (s *Server) planned(c echo.Context, do func(ctx context.Context) error) error {
	if !s.moves.TryAcquire(1) {
		return errManyMoves
	}
	defer s.moves.Release(1)
	wait, cancel := context.WithTimeout(c.Request().Context(), s.planTime)
	defer cancel()
	if err := s.moving.Acquire(wait, 1); err != nil {
		return cmp.Or(c.Request().Context().Err(), errManyMoves)
	}
	defer s.moving.Release(1)
	return s.bounded(c, moveTooLarge, do)
}

// moveForm sends the form. Where a new name is typed it says what that will do, else what is wrong.
func (s *Server) moveForm(c echo.Context, in at, m wiki.Moving, typed string, w writing) error {
	var plan *web.MovePlan
	if w.failed == nil && m.To != "" && m.To != m.From {
		w.failed = s.planned(c, func(ctx context.Context) error {
			made, err := in.space.PlanMove(ctx, in.by, m)
			if err == nil {
				plan = movePlanView(c, in, m, made)
			}
			return err
		})
	}
	v := s.moveView(c, in, m, w)
	v.To, v.Plan = typed, plan
	status := 200
	if w.failed != nil {
		status = explain(w.failed).status
	}
	if status >= 500 {
		s.Log.Warn("move", "space", in.Space(), "path", m.From, "err", w.failed)
	}
	if w.preview && status < 500 { // nothing was to be done yet
		status = 200
	}
	return s.html(c, status, v)
}

// moveView is the form, before it says what a new name will do.
func (s *Server) moveView(c echo.Context, in at, m wiki.Moving, w writing) web.Move {
	v := web.Move{Form: s.form(c, in, m.From, "move", w), Path: m.From.Address(), What: "page"}
	if m.Folder {
		v.What, v.Path = "folder", string(m.From)
		v.Frame = s.frame(c, in, m.From+"/x", say(c, "Move the folder %s", m.From.Base()))
		v.NoIndex = true
		v.Crumbs = crumbs(in, m.From)
		v.Form.URL, v.Form.Cancel = app(in.Space(), "move", m.From)+"/", in.URL(m.From)+"/"
		for range in.Names().Under(string(m.From)) {
			v.Files++
		}
		return v
	}
	v.Frame = s.formFrame(c, in, m.From, say(c, "Move %s", m.From.Title()))
	if !m.From.IsPage() {
		v.What = "file"
		return v
	}
	if doc, err := in.Doc(c.Request().Context(), m.From); err == nil && doc.TitleH1 && doc.Title == m.From.Title() {
		v.Heading, v.Retitle = doc.Title, m.Retitle
	}
	if dir := m.From.Dir(); dir != "" {
		v.Folder = &web.Link{Label: dir, URL: "/" + in.Space() + "/-/move/" + escape(dir) + "/"}
	}
	return v
}

func movePlanView(c echo.Context, in at, m wiki.Moving, plan *wiki.MovePlan) *web.MovePlan {
	v := &web.MovePlan{}
	if plan.Retitled {
		v.Heading = m.To.Title()
	}
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
			v.Left = append(v.Left, web.Relinked{Name: p.Address(), URL: in.URL(p), Why: say(c, whyLeft(plan.Left[p]))})
		}
	}
	return v
}

// whyLeft says why a move does not change links of a page.
func whyLeft(err error) web.Text {
	switch {
	case errors.Is(err, wiki.ErrLinksLost):
		return "a link in it cannot be written so that it goes on leading there"
	case errors.Is(err, page.ErrIntricate):
		return "it is too intricate to be changed by a program"
	case errors.Is(err, wiki.ErrNoTime):
		return "it is large, and other large pages before it took too long"
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
	m.Note, m.Retitle = w.note, form.Has("title")
	m.To, w.failed = moveTarget(m, typed)
	if w.preview || w.failed != nil {
		return s.moveForm(c, in, m, typed, w)
	}
	saved, err := s.moved(c, in, m, w.name)
	if err != nil {
		w.failed = err
		return s.moveForm(c, in, m, typed, w)
	}
	to := page.URL(in.Space(), m.To)
	if m.Folder {
		to = "/" + in.Space() + "/" + escape(string(m.To)) + "/"
	}
	switch {
	case saved.Unchanged:
		s.tell(c, web.Info, say(c, "That is its name already: nothing was changed."))
	case len(saved.Left) > 0:
		s.tellUndo(c, in, web.Warning, saved.Rev, say(c, "Moved from %q. The old address leads here. Links have been changed with it, but not all of those in: %s.", brief(m.From), leftNames(c, saved.Left)))
	default:
		s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Moved from %q. The old address leads here, and links have been changed with it.", brief(m.From)))
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// leftNames are the first of the pages with links that a move has left, and how many more there are.
func leftNames(c echo.Context, left map[page.Path]error) string {
	var names []string
	for _, p := range slices.Sorted(maps.Keys(left)) {
		if len(names) == 3 {
			names = append(names, say(c, "and %d more", len(left)-3))
			break
		}
		names = append(names, say(c, "%q", brief(p)))
	}
	return strings.Join(names, ", ")
}

// brief is what a page is called in a sentence that has little room.
func brief(p page.Path) string {
	name := []rune(p.Address())
	if len(name) > 50 {
		return "…" + string(name[len(name)-49:])
	}
	return string(name)
}

// moved carries out a move, when its turn has come.
func (s *Server) moved(c echo.Context, in at, m wiki.Moving, name string) (saved wiki.Saved, err error) {
	err = s.planned(c, func(ctx context.Context) error {
		saved, err = in.space.Move(ctx, s.signed(c, name), m)
		return err
	})
	return saved, err
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
	saved, err := s.moved(c, in, m, sent.Name)
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
		left = append(left, leftPage{p.Address(), string(whyLeft(saved.Left[p]))})
	}
	return c.JSON(200, map[string]any{"revision": saved.Rev, "path": path, "left": left})
}
