package server

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file finds pages: search, the list of all pages, tags.

// resultsPerPage is how many hits the search page shows at once.
const resultsPerPage = 20

// query reads what is looked for from the address: q, space, tag, by, since, limit, offset.
func query(c echo.Context) (search.Query, error) {
	q := search.Query{Text: c.QueryParam("q"), Space: c.QueryParam("space"), Tag: c.QueryParam("tag"), By: c.QueryParam("by")}
	if since := c.QueryParam("since"); since != "" {
		t, err := time.Parse(time.RFC3339, since)
		if err != nil {
			t, err = time.Parse(time.DateOnly, since)
		}
		if err != nil {
			return q, bad(400, "since is a date like 2026-01-31, or a time like 2026-01-31T12:00:00Z.")
		}
		q.Since = t
	}
	var err error
	if q.Limit, err = number(c, "limit", resultsPerPage, search.MaxLimit); err != nil {
		return q, err
	}
	q.Offset, err = number(c, "offset", 0, search.MaxDepth)
	return q, err
}

// number reads a number from 0 to most from the address.
func number(c echo.Context, name string, otherwise, most int) (int, error) {
	v := c.QueryParam(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, bad(400, "%s is a number from 0 to %d.", name, most)
	}
	return min(n, most), nil
}

// places are the spaces that a search goes through: those that the actor may read, or the one that is named.
func (s *Server) places(c echo.Context, q search.Query) ([]*wiki.Snapshot, error) {
	if q.Space == "" {
		return s.readable(c), nil
	}
	in, err := s.inSpace(c, q.Space)
	return []*wiki.Snapshot{in.Snapshot}, err
}

func (s *Server) search(c echo.Context) error {
	q, err := query(c)
	if err != nil {
		return err
	}
	in, err := s.places(c, q)
	if err != nil {
		return err
	}
	v := web.Search{URL: "/-/search"}
	v.Frame = s.bareFrame(c, say(c, "Search"))
	if q.Space != "" {
		here, err := s.inSpace(c, q.Space)
		if err != nil {
			return err
		}
		here.Snapshot = in[0]
		v.Frame, v.Here = s.frame(c, here, "", "Search"), true
	}
	v.NoIndex, v.Query = true, q.Text
	if strings.TrimSpace(q.Text) == "" && q.Tag == "" && q.By == "" && q.Since.IsZero() {
		return s.html(c, 200, v)
	}
	if q.Text != "" {
		v.Title = say(c, "%s – search", q.Text)
	}
	found, err := s.Index.Find(c.Request().Context(), in, q)
	if err != nil {
		return err
	}
	v.Total, v.Took = int(found.Total), found.Took
	if found.Behind {
		v.Behind = say(c, "The wiki is still reading its pages: the newest may not be found for a moment.")
	}
	for _, hit := range found.Hits {
		r := web.Result{Title: []web.Piece{{Text: hit.Title}}, URL: page.URL(hit.Space, hit.Path), Path: hit.Path.Address(), Snippet: pieces(hit.Snippet), When: hit.When}
		if len(in) > 1 {
			r.Space = hit.Space
		}
		v.Results = append(v.Results, r)
	}
	if p, err := page.ParsePath(strings.TrimSpace(q.Text) + ".md"); err == nil && found.Total == 0 && len(in) > 0 && page.CheckNew(p) == nil {
		v.Write = app(in[0].Space(), "edit", p)
	}
	v.Paging = s.resultPages(c, q, found)
	return s.html(c, 200, v)
}

func (s *Server) resultPages(c echo.Context, q search.Query, found search.Result) web.Paging {
	link := func(offset int) string {
		values := c.QueryParams()
		values.Set("offset", strconv.Itoa(offset))
		if offset == 0 {
			values.Del("offset")
		}
		return "/-/search?" + values.Encode()
	}
	var p web.Paging
	if q.Offset > 0 {
		p.Previous = link(max(0, q.Offset-q.Limit))
	}
	if next := q.Offset + q.Limit; q.Limit > 0 && uint64(next) < found.Total && next+q.Limit <= search.MaxDepth {
		p.Next = link(next)
	}
	return p
}

// pagesPerPage is how many names the list of all pages shows at once.
const pagesPerPage = 500

// pages lists all pages of a space by path.
func (s *Server) pages(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	v := web.Pages{Frame: s.frame(c, in, "", say(c, "All pages")), Total: in.PageCount()}
	v.NoIndex = true
	list, next := in.Pages(page.Path(c.QueryParam("after")), pagesPerPage)
	names := make([]wiki.Child, len(list))
	for i, p := range list {
		names[i] = wiki.Child{Path: p}
	}
	if v.List, err = s.listing(c, in, names); err != nil {
		return err
	}
	for i, p := range list {
		v.List[i].Name = p.Address()
	}
	if next != "" {
		v.Paging.Next = "/" + in.Space() + "/-/pages?after=" + url.QueryEscape(string(next))
	}
	if c.QueryParam("after") != "" {
		v.Paging.Previous = "/" + in.Space() + "/-/pages"
	}
	return s.html(c, 200, v)
}

func (s *Server) tags(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	all, err := s.Index.Tags(c.Request().Context(), in.Snapshot)
	if err != nil {
		return err
	}
	v := web.Tags{Frame: s.frame(c, in, "", say(c, "Tags"))}
	for _, t := range all {
		v.Tags = append(v.Tags, web.TagCount{Name: t.Name, URL: "/" + in.Space() + "/-/tags/" + escape(t.Name), Pages: t.Pages})
	}
	return s.html(c, 200, v)
}

func (s *Server) tag(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	name, err := target(c)
	if err != nil {
		return err
	}
	if name == "" {
		return c.Redirect(http.StatusFound, "/"+in.Space()+"/-/tags")
	}
	paths, err := s.Index.Tagged(c.Request().Context(), in.Snapshot, name)
	if err != nil {
		return err
	}
	v := web.Tag{Frame: s.frame(c, in, "", say(c, "Tag %s", name)), Name: name, All: "/" + in.Space() + "/-/tags", Total: len(paths)}
	v.Pages = links(in, paths[:min(len(paths), search.MaxDepth)])
	return s.html(c, 200, v)
}
