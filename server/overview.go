package server

import (
	"time"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file tells at a glance what a space is about now: what has changed, what is asked for, and what the visitor wrote.

// maxOverview is how many entries each list of the overview has.
const maxOverview = 10

func (s *Server) overview(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	ctx, root := c.Request().Context(), "/"+in.Space()+"/-/"
	v := web.Overview{Frame: s.frame(c, in, "", web.Say(ctx, "Overview")), Changes: root + "changes", Links: root + "links", Name: cookie(c, nameCookie)}
	v.NoIndex = true
	recent, err := s.Index.Recent(ctx, in.Snapshot, "", perPage)
	if err != nil {
		return err
	}
	if recent.Behind {
		v.Notice = behind(c)
	}
	v.Recent = latest(in, recent.Commits)
	wants, err := s.Index.Wants(ctx, in.Snapshot, maxOverview)
	if err != nil {
		return err
	}
	v.Doubtful, v.More = wants.Doubtful, wants.More
	for _, w := range wants.Pages {
		v.Wanted = append(v.Wanted, web.Wanted{Name: w.Path.Address(), URL: in.URL(w.Path), Pages: w.Pages})
	}
	if v.Name != "" {
		found, err := s.Index.Find(ctx, []*wiki.Snapshot{in.Snapshot}, search.Query{By: v.Name, Space: in.Space(), Limit: maxOverview})
		if err != nil {
			return err
		}
		for _, hit := range found.Hits {
			v.Mine = append(v.Mine, web.PageLink{Title: hit.Title, URL: in.URL(hit.Path), Path: hit.Path.Address()})
		}
	}
	return s.html(c, 200, v)
}

// latest are the pages that changed last, each once.
func latest(in at, commits []search.Commit) (list []web.Listed) {
	told := map[page.Path]bool{}
	for _, commit := range commits {
		for _, f := range commit.Files {
			if told[f.Path] || !f.Path.Listed() || !in.Has(f.Path) || len(list) == maxOverview {
				continue
			}
			told[f.Path] = true
			list = append(list, web.Listed{
				Name: f.Path.Address(), URL: in.URL(f.Path), History: app(in.Space(), "history", f.Path),
				Last: &web.Stamp{Who: commit.Author, When: commit.When}, Ago: time.Since(commit.When),
			})
		}
	}
	return list
}
