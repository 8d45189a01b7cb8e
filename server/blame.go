package server

import (
	"cmp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/wiki"
	"cairn/web"
)

// This file shows who wrote each line of a page.

// maxBlamed is about how much of a page is shown with who wrote it, in bytes; lines and changes count for what surrounds
// them as well.
const maxBlamed = 800 << 10

// blame shows who wrote each line of a page, as it is or, with rev, as it was.
func (s *Server) blame(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	v := web.Blame{
		Frame:   s.formFrame(c, in, p, say(c, "Who wrote %s", p.Title())),
		Path:    p.Address(),
		History: app(in.Space(), "history", p),
	}
	v.Actions.History = v.History
	shown, name := in.Snapshot, p
	if rev := c.QueryParam("rev"); rev != "" {
		then, err := s.side(c, in, p, rev)
		if err != nil {
			return err
		}
		if !then.there {
			return &badRequest{404, "The page was not there yet: nobody had written it. Its history says when it begins.", nil,
				&web.Link{Label: say(c, "History of the page"), URL: v.History}}
		}
		was := then.view(in, p)
		shown, name, v.Then, v.Now = then.at, then.name, &was, app(in.Space(), "blame", p)
	}
	runs, err := shown.Blame(c.Request().Context(), name)
	if err != nil {
		return err
	}
	ages := agesOf(runs)
	size := 0
	for _, r := range runs {
		run := web.WrittenRun{
			Stamp: web.Stamp{Who: r.By.Author, When: r.By.When, Note: r.By.Note},
			Diff:  app(in.Space(), "diff", p) + "?to=" + string(r.By.Rev),
			Age:   ages[r.By.Rev], First: r.First,
		}
		if len(r.By.Parents) > 0 {
			run.Before = app(in.Space(), "blame", p) + "?rev=" + string(r.By.Parents[0])
		}
		size += 600 + len(run.Diff) + len(run.Note)
		for _, l := range r.Lines {
			if size += 80 + len(l); size > maxBlamed {
				break
			}
			run.Lines = append(run.Lines, l)
		}
		if len(run.Lines) > 0 {
			v.Runs = joined(v.Runs, run)
		}
		if size > maxBlamed {
			v.TooLong = true
			break
		}
	}
	return s.html(c, 200, v)
}

// joined adds a run. Empty lines are nobody's: they go with the run above, and part none.
func joined(runs []web.WrittenRun, run web.WrittenRun) []web.WrittenRun {
	if len(runs) > 0 {
		last := &runs[len(runs)-1]
		if last.Diff == run.Diff || strings.TrimSpace(strings.Join(run.Lines, "")) == "" {
			last.Lines = append(last.Lines, run.Lines...)
			return runs
		}
	}
	return append(runs, run)
}

// agesOf sorts the changes into five ages, from 1, the oldest, to 5, the newest; a page of one change is all new.
func agesOf(runs []wiki.Written) map[wiki.Rev]int {
	var all []wiki.Commit
	ages := map[wiki.Rev]int{}
	for _, r := range runs {
		if _, seen := ages[r.By.Rev]; !seen {
			ages[r.By.Rev] = 5
			all = append(all, r.By)
		}
	}
	slices.SortStableFunc(all, func(a, b wiki.Commit) int {
		return cmp.Or(a.When.Compare(b.When), cmp.Compare(a.Rev, b.Rev))
	})
	for i, by := range all {
		if len(all) > 1 {
			ages[by.Rev] = 1 + 4*i/(len(all)-1)
		}
	}
	return ages
}
