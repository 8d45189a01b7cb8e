package server

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file shows what has changed: a page's history, two revisions side by side, recent changes and their feed.

// perPage is how many entries a list of changes shows at once.
const perPage = 50

func (s *Server) history(c echo.Context) error {
	in, p, err := s.known(c)
	if err != nil {
		return err
	}
	h, err := s.Index.History(c.Request().Context(), in.Snapshot, p, c.QueryParam("before"), perPage)
	if err != nil {
		return err
	}
	if len(h.Changes) == 0 && !in.Has(p) {
		return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	v := web.History{
		Frame: s.formFrame(c, in, p, say(c, "History of %s", p.Title())),
		Path:  p.Address(),
	}
	if p.IsPage() {
		v.Compare = app(in.Space(), "diff", p)
	}
	if in.Has(p) && p.IsPage() {
		v.Blame = app(in.Space(), "blame", p)
	}
	if h.Behind {
		v.Notice = behind(c)
	}
	for i, ch := range h.Changes {
		v.Entries = append(v.Entries, revision(c, in, ch, i == 0 && c.QueryParam("before") == "" && in.Has(p)))
	}
	s.choose(c, in, p, &v)
	if err := s.count(c, in, p, h, v.Entries); err != nil {
		return err
	}
	v.URL, v.Before = app(in.Space(), "history", p), h.Next
	if h.Next != "" {
		v.Paging.Next = v.URL + "?before=" + url.QueryEscape(h.Next)
	}
	if c.QueryParam("before") != "" {
		v.Paging.Previous = v.URL
	}
	return s.html(c, 200, v)
}

// choose marks the two revisions to compare: those that have been chosen, perhaps on another part of the list, else the
// newest and the one before it.
func (s *Server) choose(c echo.Context, in at, p page.Path, v *web.History) {
	mark := func(rev string, otherwise int, set func(*web.Revision)) {
		i := slices.IndexFunc(v.Entries, func(r web.Revision) bool { return r.Rev == rev })
		if rev != "" && i < 0 {
			if by, err := in.space.Commit(c.Request().Context(), in.by, rev); err == nil {
				one := web.Revision{Stamp: stampOf(by), Rev: string(by.Rev), URL: page.URL(in.Space(), p) + "?rev=" + string(by.Rev)}
				set(&one)
				v.Elsewhere = append(v.Elsewhere, one)
				return
			}
		}
		for j := range v.Entries {
			if i >= 0 {
				break
			}
			if !v.Entries[j].Gone { // else there is nothing to compare
				if otherwise == 0 {
					i = j
				}
				otherwise--
			}
		}
		if i >= 0 {
			set(&v.Entries[i])
		}
	}
	mark(c.QueryParam("to"), 0, func(r *web.Revision) { r.IsTo = true })
	mark(c.QueryParam("from"), 1, func(r *web.Revision) { r.IsFrom = true })
}

// count says of each change how many lines it added and removed.
func (s *Server) count(c echo.Context, in at, p page.Path, h search.History, entries []web.Revision) error {
	if !p.IsPage() {
		return nil
	}
	ctx := c.Request().Context()
	before := ""
	if h.Next != "" {
		if older, err := s.Index.History(ctx, in.Snapshot, p, h.Next, 1); err == nil && len(older.Changes) > 0 {
			before = older.Changes[0].Blob
		}
	}
	steps := make([]wiki.Step, len(h.Changes))
	for i, ch := range h.Changes {
		steps[i] = wiki.Step{Old: before, Now: ch.Blob}
		if i+1 < len(h.Changes) {
			steps[i].Old = h.Changes[i+1].Blob
		}
	}
	counts, err := in.Counts(ctx, steps)
	for i, n := range counts {
		entries[i].Added, entries[i].Removed = n.Added, n.Removed
	}
	return err
}

func behind(c echo.Context) *web.Notice {
	return &web.Notice{Kind: web.Info, Text: say(c, "The wiki is still reading its history: the newest changes may be missing here for a moment.")}
}

func revision(c echo.Context, in at, ch search.Change, current bool) web.Revision {
	r := web.Revision{
		Stamp: stamp(ch), Rev: string(ch.Rev), Kind: happened(ch.Kind, ch.Path), Current: current, Gone: ch.Kind == 'D',
	}
	if ch.Kind == 'R' {
		r.From = ch.From.Address()
	}
	if !r.Gone {
		r.URL = page.URL(in.Space(), ch.Path) + "?rev=" + string(ch.Rev)
	}
	if !r.Gone && !current {
		r.Restore = restoreURL(in, ch.Path, ch.Rev)
	}
	r.Undo = undoURL(in, ch.Rev)
	if ch.Kind != 'A' && ch.Path.IsPage() {
		r.Diff = app(in.Space(), "diff", ch.Path) + "?to=" + string(ch.Rev)
	}
	return r
}

// happened is what a change did to a page or a file, in a word for people.
func happened(kind byte, p page.Path) web.Text {
	if kind == 'A' && !p.IsPage() {
		return "added"
	}
	return kindOf(kind)
}

func kindOf(kind byte) web.Text {
	switch kind {
	case 'A':
		return "written"
	case 'D':
		return "deleted"
	case 'R':
		return "moved"
	}
	return "changed"
}

// changes lists what has changed lately in a space, by everybody or by one person.
func (s *Server) changes(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	who, limit := c.QueryParam("by"), perPage
	if who != "" {
		limit = perPerson
	}
	recent, err := s.Index.Recent(c.Request().Context(), in.Snapshot, c.QueryParam("before"), limit)
	if err != nil {
		return err
	}
	here := "/" + in.Space() + "/-/changes"
	v := web.Changes{Frame: s.frame(c, in, "", say(c, "Recent changes")), Feed: here + ".atom", Past: "/" + in.Space() + "/-/at/", By: who, All: here, Person: here + "?by="}
	v.NoIndex = true
	if recent.Behind {
		v.Notice = behind(c)
	}
	if who != "" {
		recent.Commits = slices.DeleteFunc(recent.Commits, func(commit search.Commit) bool { return commit.Author != who })
		here += "?by=" + url.QueryEscape(who)
	}
	v.Days = daysOf(fold(c, in, recent.Commits))
	if recent.Next != "" {
		v.Paging.Next = "/" + in.Space() + "/-/changes?" + url.Values{"before": {recent.Next}, "by": {who}}.Encode()
	}
	if c.QueryParam("before") != "" {
		v.Paging.Previous = here
	}
	return s.html(c, 200, v)
}

// perPerson is how many changes are looked through at once for those of one person.
const perPerson = 500

// fold shows commits, newest first. Those of one person to one page that follow each other on a day become one entry; in
// between, other pages may have changed.
func fold(c echo.Context, in at, commits []search.Commit) []web.Change {
	var (
		all    []web.Change
		newest []wiki.Rev            // of each entry
		last   = map[page.Path]int{} // the entry that a page was in last, -1 for one that nothing is added to
	)
	for _, commit := range commits {
		ch := changeView(c, in, commit)
		single := len(commit.Files) == 1 && commit.More == 0 && commit.Files[0].Kind == 'M' && len(commit.Parents) == 1 && len(ch.Pages) == 1
		if single {
			i, ok := last[commit.Files[0].Path]
			if ok && i >= 0 && all[i].Who == ch.Who && dateOf(all[i].When).Equal(dateOf(ch.When)) {
				addTo(in, &all[i], ch, commit, newest[i])
				continue
			}
			last[commit.Files[0].Path] = len(all)
		} else if commit.More > 0 {
			clear(last) // what else it changed is not known here
		}
		for _, f := range commit.Files {
			if !single {
				last[f.Path], last[f.From] = -1, -1
			}
		}
		all, newest = append(all, ch), append(newest, commit.Rev)
	}
	return all
}

// addTo adds an older change of the same page to an entry that begins with the newest.
func addTo(in at, entry *web.Change, ch web.Change, commit search.Commit, newest wiki.Rev) {
	if len(entry.Parts) == 0 {
		entry.Parts = []web.Change{*entry}
	}
	entry.Parts = append(entry.Parts, ch)
	if p := commit.Files[0].Path; p.IsPage() {
		entry.Pages = slices.Clone(entry.Pages) // which the first part has as well
		one := &entry.Pages[0]
		one.Diff = compareURL(in, p, string(commit.Parents[0]), string(newest))
		one.Lines = one.Diff + "&part=lines"
	}
}

// maxListed is how many pages of one change the list shows.
const maxListed = 10

func changeView(c echo.Context, in at, commit search.Commit) web.Change {
	ch := web.Change{Stamp: web.Stamp{Who: commit.Author, When: commit.When, Note: commit.Subject()}, More: commit.More}
	ch.Then = then(in, string(commit.Rev)) + "/"
	if len(commit.Parents) < 2 {
		ch.Undo = undoURL(in, commit.Rev)
	}
	for _, f := range commit.Files {
		if f.Path.Hidden() {
			continue
		}
		if len(ch.Pages) == maxListed {
			ch.More++
			continue
		}
		one := web.ChangedPage{Title: f.Path.Address(), Diff: app(in.Space(), "diff", f.Path) + "?to=" + string(commit.Rev)}
		if in.Has(f.Path) {
			one.URL = page.URL(in.Space(), f.Path)
		}
		if f.Kind != 'M' {
			one.Kind = say(c, happened(f.Kind, f.Path))
		}
		switch {
		case f.Kind == 'R':
			one.From = &web.Link{Label: f.From.Address()}
			if len(commit.Parents) > 0 {
				one.From.URL = then(in, string(commit.Parents[0])) + strings.TrimPrefix(in.URL(f.From), "/"+in.Space())
			}
		case f.Kind == 'D' && !in.Has(f.Path) && len(commit.Parents) > 0:
			one.Restore = restoreURL(in, f.Path, commit.Parents[0])
		}
		if !f.Path.IsPage() {
			one.Diff = ""
		} else if f.Kind == 'M' {
			one.Lines = one.Diff + "&part=lines"
		}
		ch.Pages = append(ch.Pages, one)
	}
	if len(ch.Pages)+ch.More > 1 {
		ch.All = changeURL(in, commit.Rev)
	}
	return ch
}
