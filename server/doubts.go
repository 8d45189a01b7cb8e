package server

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file lists the links that may not lead where their authors meant, for a space and for a page, and mends one: the
// page is saved with other bytes where that link says where it leads, and no others.

const (
	doubtsPerPage = 100 // pages of a list
	maxDoubts     = 200 // links of a page
	maxOffers     = 20  // of them that other pages are offered for: each is a look at all names
	maxAlike      = 4   // pages that are offered for one
)

// doubtful lists the pages of a space with doubtful links.
func (s *Server) doubtful(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	list, next, err := s.Index.Doubtful(c.Request().Context(), in.Snapshot, page.Path(c.QueryParam("after")), doubtsPerPage)
	if err != nil {
		return err
	}
	here := "/" + in.Space() + "/-/links"
	v := web.Doubtful{Frame: s.frame(c, in, "", say(c, "Links to look at"))}
	v.NoIndex = true
	if !s.Index.Reached(in.Snapshot) {
		v.Notice = behind(c)
	}
	for _, d := range list {
		v.Pages = append(v.Pages, web.DoubtfulPage{
			Name: d.Path.Address(), URL: in.URL(d.Path), Links: app(in.Space(), "links", d.Path),
			Broken: d.Broken, Ambiguous: d.Ambiguous, Renamed: d.Renamed, Against: d.Against, Misplaced: d.Misplaced,
		})
	}
	if next != "" {
		v.Paging.Next = here + "?after=" + url.QueryEscape(string(next))
	}
	if c.QueryParam("after") != "" {
		v.Paging.Previous = here
	}
	return s.html(c, 200, v)
}

// doubts lists the doubtful links of a page.
func (s *Server) doubts(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	v, err := s.doubtsView(c, in, p, nil)
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

func (s *Server) doubtsView(c echo.Context, in at, p page.Path, failed error) (web.View, error) {
	list, more, err := in.Doubts(c.Request().Context(), p, maxDoubts)
	if err != nil {
		return nil, err
	}
	v := web.Doubts{
		Frame: s.formFrame(c, in, p, say(c, "Links of %s", p.Title())), Path: p.Address(), More: more,
		Form: s.form(c, in, p, "links", writing{base: in.Rev(), failed: failed}),
	}
	offers := 0
	for _, d := range list {
		if !d.Target.Found || d.Target.Ambiguous && !d.Target.Moved {
			offers++
		}
		one := doubtView(c, in, p, d, offers <= maxOffers)
		if !d.Target.Found && d.Target.Path != "" && offers <= maxOffers && s.Index.Reached(in.Snapshot) {
			if gone, err := s.Index.Deleted(c.Request().Context(), in.Snapshot, d.Target.Path); err == nil {
				one.Restore = restoreURL(in, d.Target.Path, gone.Before)
			}
		}
		v.List = append(v.List, one)
	}
	return v, nil
}

// doubtView is one of the links; alike tells whether pages are looked for that it could be meant to lead to.
func doubtView(c echo.Context, in at, p page.Path, d page.Doubt, alike bool) web.Doubt {
	t := d.Target
	limit := 0
	if alike {
		limit = maxAlike
	}
	v := web.Doubt{Written: linkText(d), Line: d.Line, At: strconv.Itoa(d.At), Text: d.Text}
	if t.Found && t.IsDir {
		v.Leads = &web.Link{Label: t.Dir + "/", URL: in.Root() + escape(t.Dir) + "/"}
	} else if t.Found {
		v.Leads = &web.Link{Label: t.Path.Address(), URL: in.URL(t.Path)}
	}
	offer := func(label string, to page.Path) {
		v.Offers = append(v.Offers, web.Offer{Label: label, To: string(to), URL: in.URL(to)})
	}
	switch {
	case d.Misplaced:
		v.Kind = say(c, "The page has no such heading.")
		for _, h := range d.Near {
			v.Offers = append(v.Offers, web.Offer{Label: h.Heading, Place: h.Name})
		}
		if t.Path != p {
			v.Offers = append(v.Offers, web.Offer{Label: say(c, "the page as a whole")})
		}
	case !t.Found:
		v.Kind = say(c, "It leads nowhere.")
		if t.Path.IsPage() && page.CheckNew(t.Path) == nil {
			v.Write = app(in.Space(), "edit", t.Path)
		} else if t.Path != "" && !t.Path.IsPage() && t.Path.Served() {
			v.Upload = app(in.Space(), "upload", p)
		}
		name := t.Path.Address()
		if t.Path == "" {
			name = d.Text
		}
		for _, q := range in.Names().Alike(name, limit) {
			if q != p {
				offer(q.Address(), q)
			}
		}
	case t.Moved:
		v.Kind = say(c, "It names a page as that was called before.")
		if !t.IsDir {
			offer(t.Path.Address(), t.Path)
		}
	case t.Ambiguous:
		v.Kind = say(c, "It could mean several pages.")
		var all []page.Path
		if alike {
			all = in.Names().Alike(t.Path.Base(), maxAlike+1)
		}
		if i := slices.Index(all, t.Path); i >= 0 {
			all = slices.Delete(all, i, i+1)
		}
		for _, q := range append([]page.Path{t.Path}, all...) {
			offer(q.Address(), q)
		}
	default:
		v.Kind = say(c, "Text and page are the other way round than usual here.")
		offer(say(c, "the usual way round"), t.Path)
	}
	return v
}

// linkText is a link as somebody reads it in the source.
func linkText(d page.Doubt) string {
	l := d.Link
	mark := ""
	if l.Embed {
		mark = "!"
	}
	switch {
	case l.Wiki && l.Piped:
		return mark + "[[" + l.A + "|" + l.B + "]]"
	case l.Wiki:
		return mark + "[[" + l.A + "]]"
	}
	return mark + "[…](" + d.Text + ")"
}

// mend makes one link of a page lead where the form says.
func (s *Server) mend(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	form, err := fields(c, "at", "text", "base")
	if err != nil {
		return err
	}
	saved, err := s.mended(c, in, p, form)
	if err != nil {
		if head, herr := in.space.Head(in.by); herr == nil {
			in.Snapshot = head.With(s.Index.Also(c.Request().Context(), head))
		}
		v, verr := s.doubtsView(c, in, p, err)
		if verr != nil {
			return err
		}
		return s.html(c, explain(err).status, v)
	}
	told := say(c, "The link is mended.")
	if to := page.Path(form.Get("to")); to != "" {
		told = say(c, "The link leads to %q now.", to.Address())
	}
	s.tellUndo(c, in, web.Success, saved.Rev, told)
	return c.Redirect(http.StatusSeeOther, app(in.Space(), "links", p))
}

func (s *Server) mended(c echo.Context, in at, p page.Path, form url.Values) (wiki.Saved, error) {
	ctx := c.Request().Context()
	gone := bad(409, "Somebody has changed the page since you looked, and the link is no longer what it was. Look at what there is now.")
	old, err := in.space.At(ctx, in.by, form.Get("base"))
	if err != nil {
		return wiki.Saved{}, gone
	}
	src, err := old.Read(ctx, p)
	if err != nil {
		return wiki.Saved{}, gone
	}
	unclear := bad(400, "The form does not say which link shall lead where. Choose again.")
	place, err := strconv.Atoi(form.Get("at"))
	if err != nil || form.Has("to") == form.Has("place") {
		return wiki.Saved{}, unclear
	}
	var text []byte
	ok := false
	if form.Has("to") {
		to, perr := page.ParsePath(form.Get("to"))
		if perr != nil {
			return wiki.Saved{}, unclear
		}
		text, ok, err = in.Mend(ctx, p, src, place, form.Get("text"), to)
	} else {
		text, ok, err = in.MendPlace(ctx, p, src, place, form.Get("text"), form.Get("place"))
	}
	if err != nil {
		return wiki.Saved{}, err
	}
	if !ok {
		return wiki.Saved{}, bad(422, "This link cannot be written so that it leads there. Change it in the editor.")
	}
	return in.space.Save(ctx, s.signed(c, form.Get("name")), wiki.Edit{
		Path: p, Text: text, Base: old.Rev(), Note: "Mend a link in " + p.Address(),
	})
}
