package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file shows a whole change, on all pages that it touched: one save, or all that a push brought.

// How much of a change is shown. The rest is counted.
const (
	maxSteps      = 50       // of several changes, those that are named
	maxCompared   = 100      // pages whose lines are shown
	maxTold       = 500      // files that are named
	maxOneDiff    = 60 << 10 // bytes of a comparison that one page may have, as hunk counts them
	maxWholePage  = 8 << 10  // the same, where it is the page from its beginning
	maxComparable = 4 << 20  // bytes of pages that are compared at all
)

const betweenTooLarge web.Text = "This is too much to be compared here. Choose two revisions that are closer together, or clone the wiki and compare them with git diff."

// change shows what a revision changed; with from, all that changed since that one.
func (s *Server) change(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	var v web.Between
	err = s.bounded(c, betweenTooLarge, func(ctx context.Context) error {
		v, err = s.betweenView(ctx, c, in, c.QueryParam("from"), c.Param("rev"))
		return err
	})
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

func (s *Server) betweenView(ctx context.Context, c echo.Context, in at, from, to string) (web.Between, error) {
	last, err := in.space.Commit(ctx, in.by, to)
	if err != nil {
		return web.Between{}, err
	}
	push, single := from != "", from == "" && len(last.Parents) < 2
	if from == "" && len(last.Parents) > 0 {
		from = string(last.Parents[0])
	}
	stretch, err := in.space.Between(ctx, in.by, from, string(last.Rev))
	if err != nil {
		return web.Between{}, err
	}
	if len(stretch.Commits) == 0 {
		return web.Between{}, &badRequest{400, "Nothing was changed on the way from the first of these revisions to the second. Look at them the other way round.", nil,
			&web.Link{Label: say(c, "The other way round"), URL: pushURL(in.Space(), last.Rev, stretch.From.Rev())}}
	}
	single = single || len(stretch.Commits) == 1 && len(last.Parents) < 2
	title := say(c, "A change")
	if !single {
		title = say(c, "All that changed")
	}
	v := web.Between{
		Frame: s.frame(c, in, "", title), Noun: "page", Last: stampOf(last), Short: short(last.Rev),
		Then: then(in, string(last.Rev)) + "/",
	}
	v.NoIndex = true
	if v.View = s.viewOf(c); v.View == web.AsPage {
		v.View = web.Columns // each page alone can be seen as it looks
	}
	for _, way := range []web.DiffView{web.Columns, web.OneColumn} {
		v.Ways = append(v.Ways, web.Way{View: way, URL: changeURL(in, last.Rev) + "?from=" + url.QueryEscape(c.QueryParam("from")) + "&view=" + string(way)})
	}
	if stretch.From != nil {
		v.Before = then(in, string(stretch.From.Rev())) + "/"
	}
	if single {
		v.Undo = &web.Button{Label: say(c, "Undo this change"), URL: undoURL(in, last.Rev)}
	} else {
		steps(in, stretch, &v)
	}
	if by, err := in.space.PushedBy(ctx, in.by, last.Rev); err == nil {
		v.Brought = &web.Stamp{Who: by.By, When: by.When}
		if push {
			v.Hints, err = in.space.Hints(ctx, in.by, stretch.From.Rev(), last.Rev)
			if err != nil {
				return v, err
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		s.Log.Warn("who pushed", "space", in.Space(), "rev", last.Rev, "err", err)
	}
	return v, compareAll(ctx, in, stretch, &v)
}

// steps names the changes that make up a longer one, the last one first.
func steps(in at, stretch *wiki.Stretch, v *web.Between) {
	all := stretch.Commits
	for i := len(all) - 1; i >= max(0, len(all)-maxSteps); i-- {
		v.Steps = append(v.Steps, web.Step{Stamp: stampOf(all[i]), Short: short(all[i].Rev), URL: changeURL(in, all[i].Rev)})
	}
	v.MoreSteps, v.Endless = len(all)-len(v.Steps), stretch.More
}

// compareAll shows what became of each file.
func compareAll(ctx context.Context, in at, stretch *wiki.Stretch, v *web.Between) error {
	shown, read, compared := 0, 0, 0
	for _, f := range stretch.Files {
		if f.Path.Hidden() && !f.Path.IsBar() || !f.Path.Served() {
			continue
		}
		if !f.Path.IsPage() {
			v.Noun = "file"
		}
		switch f.Kind {
		case 'A':
			v.Written++
		case 'D':
			v.Deleted++
		case 'R':
			v.Moved++
		default:
			v.Changed++
		}
		if len(v.Files) == maxTold {
			v.More++
			continue
		}
		one := web.Differs{Name: f.Path.Address(), Kind: web.Say(ctx, happened(f.Kind, f.Path))}
		if in.Has(f.Path) {
			one.URL = in.URL(f.Path)
		}
		if f.Kind == 'R' {
			one.From = f.From.Address()
		}
		switch {
		case !f.Path.IsPage():
			one.Left = "No text that could be compared."
		case compared == maxCompared || shown >= maxDiff || read >= maxComparable:
			one.Left = "Not shown: there is too much before it."
		default:
			compared++
			old, now, err := bothTexts(ctx, stretch, f)
			if err != nil {
				return err
			}
			if read += len(old) + len(now); read > maxComparable {
				one.Left = "Not shown: there is too much of it."
				break
			}
			n, err := compareTexts(ctx, old, now, &one)
			if err != nil {
				return err
			}
			shown += n
		}
		if f.Path.IsPage() {
			one.Diff = app(in.Space(), "diff", f.Path) + "?to=" + string(stretch.To.Rev())
			if stretch.From != nil {
				one.Diff += "&from=" + string(stretch.From.Rev())
			}
		}
		v.Files = append(v.Files, one)
	}
	return nil
}

// bothTexts are a page as it was and as it is, nil where it is not there.
func bothTexts(ctx context.Context, stretch *wiki.Stretch, f wiki.FileChange) (old, now []byte, err error) {
	was := f.Path
	if f.Kind == 'R' {
		was = f.From
	}
	if f.Kind != 'A' {
		if old, err = stretch.From.Read(ctx, was); err != nil {
			return nil, nil, err
		}
	}
	if f.Kind != 'D' {
		now, err = stretch.To.Read(ctx, f.Path)
	}
	return old, now, err
}

// compareTexts fills in the lines of one page, and returns how many bytes they are.
func compareTexts(ctx context.Context, old, now []byte, one *web.Differs) (int, error) {
	if bytes.IndexByte(old, 0) >= 0 || bytes.IndexByte(now, 0) >= 0 {
		one.Left = "No text that could be compared."
		return 0, nil
	}
	limit := maxOneDiff
	if old == nil || now == nil {
		limit = maxWholePage
	}
	above := page.Above(now)
	begun := maxDiff - limit // hunk ends at maxDiff
	shown := begun
	hunks, err := wiki.Compare(ctx, old, now)
	if err != nil {
		return 0, err
	}
	for _, h := range hunks {
		if shown < maxDiff {
			one.Hunks = append(one.Hunks, hunk(h, &shown))
			one.Hunks[len(one.Hunks)-1].Heading = above(h.NewStart + contextOf)
		} else if one.Left == "" {
			one.Left = "The rest is not shown."
		}
		for _, l := range h.Lines {
			switch l.Op {
			case '+':
				one.Added++
			case '-':
				one.Removed++
			}
		}
	}
	if shown >= maxDiff {
		one.Left = "The rest is not shown."
	}
	return shown - begun, nil
}

func changeURL(in at, rev wiki.Rev) string { return fmt.Sprintf("/%s/-/changes/%s", in.Space(), rev) }

// pushURL is where all that lies between two revisions can be seen. It is read off a terminal, so it is short.
func pushURL(space string, from, to wiki.Rev) string {
	url := fmt.Sprintf("/%s/-/changes/%.12s", space, to)
	if from != "" {
		url += fmt.Sprintf("?from=%.12s", from)
	}
	return url
}
