package server

import (
	"errors"
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

// This file compares two revisions of a page, in one of three ways: lines in two columns, lines in one, or the page as it
// looks. The way is remembered.

// viewCookie remembers how somebody looks at changes.
const viewCookie = "cairn_view"

// How much of a comparison is shown.
const (
	maxDiff    = 400 << 10 // about how much in bytes; a line counts for what surrounds it as well
	maxGap     = 300       // lines that are the same and can be unfolded between two changes
	maxStepped = 500       // changes of a page among which the next one is looked for
)

// diff compares two revisions of a page. Without "from" it shows what "to" changed; without "to" it compares with now.
func (s *Server) diff(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	from, to, err := s.bothSides(c, in, p)
	if err != nil {
		return err
	}
	v := web.Diff{
		Frame: s.formFrame(c, in, p, say(c, "Changes to %s", p.Title())),
		Path:  p.Address(),
		From:  from.view(in, p), To: to.view(in, p),
		View: s.viewOf(c),
	}
	for _, way := range web.DiffViews {
		v.Ways = append(v.Ways, web.Way{View: way, URL: compareURL(in, p, c.QueryParam("from"), c.QueryParam("to")) + "&view=" + string(way)})
	}
	if c.QueryParam("part") == "lines" {
		v.View = web.OneColumn
		if err := s.compareLines(c, in, p, from, to, &v); err != nil {
			return err
		}
		b, err := s.site.Differences(c.Request().Context(), v)
		if err != nil {
			return err
		}
		return s.sendPart(c, b)
	}
	if v.View == web.AsPage {
		err := s.redline(c, in, p, from, to, &v)
		if err != nil {
			return err
		}
	}
	if err := s.compareLines(c, in, p, from, to, &v); err != nil {
		return err
	}
	s.step(c, in, p, from, to, &v)
	if from.there && from.rev != "" {
		v.Restore = &web.Button{Label: say(c, "Restore the older version"), URL: restoreURL(in, p, from.rev)}
	}
	if from.before(to) {
		v.Undo = &web.Button{Label: say(c, "Undo this change"), URL: undoURL(in, to.rev)}
		v.Whole = changeURL(in, to.rev)
	}
	return s.html(c, 200, v)
}

// viewOf is the way in which somebody looks at changes. What the address asks for is remembered.
func (s *Server) viewOf(c echo.Context) web.DiffView {
	asked, kept := web.DiffView(c.QueryParam("view")), web.DiffView(cookie(c, viewCookie))
	switch {
	case slices.Contains(web.DiffViews, asked):
		if asked != kept {
			s.setCookie(c, viewCookie, string(asked), 365*24*60*60)
		}
		return asked
	case slices.Contains(web.DiffViews, kept):
		return kept
	}
	return web.Columns
}

// compareURL is where two revisions of a page are compared; each may be "".
func compareURL(in at, p page.Path, from, to string) string {
	return app(in.Space(), "diff", p) + "?from=" + url.QueryEscape(from) + "&to=" + url.QueryEscape(to)
}

// redline shows the page as it looks; where that is too much, it says so, and the lines are shown.
func (s *Server) redline(c echo.Context, in at, p page.Path, from, to side, v *web.Diff) error {
	red, err := in.Redline(c.Request().Context(), p, from.text, to.text)
	switch {
	case errors.Is(err, page.ErrTooMuch):
		v.View, v.TooMuch = web.OneColumn, true
		return nil
	case err != nil:
		return err
	}
	v.Redline = redParts(red)
	for _, m := range red.Meta {
		v.Meta = append(v.Meta, web.MetaChange(m))
	}
	return nil
}

func redParts(red page.Redlined) []web.RedPart {
	parts := make([]web.RedPart, len(red.Parts))
	for i, p := range red.Parts {
		parts[i] = web.RedPart{HTML: web.HTML(p.HTML), Same: p.Same}
	}
	return parts
}

// compareLines shows lines that differ, with those between them folded away; as a page they are only counted.
func (s *Server) compareLines(c echo.Context, in at, p page.Path, from, to side, v *web.Diff) error {
	hunks, err := wiki.Compare(c.Request().Context(), from.text, to.text)
	if err != nil {
		return err
	}
	bytes := 0
	lines := strings.Split(strings.TrimSuffix(string(to.text), "\n"), "\n")
	above, meta := page.Above(to.text), page.MetaLines(to.text)
	old, now := 1, 1 // the lines after the last change
	gap := func(until int) web.Gap {
		g := web.Gap{Count: until - now}
		if g.Count <= maxGap && bytes < maxDiff {
			for i := range g.Count {
				line := web.Line{Op: web.Same, Old: old + i, New: now + i, Spans: []web.Piece{{Text: lines[now+i-1]}}}
				g.Lines = append(g.Lines, line)
				bytes += 200 + 2*len(line.Spans[0].Text)
			}
		}
		return g
	}
	canPutBack := in.Has(p) && from.there && to.there && page.IsText(from.text) && page.IsText(to.text)
	for i, h := range hunks {
		for _, l := range h.Lines {
			switch l.Op {
			case '+':
				v.Added++
			case '-':
				v.Removed++
			}
		}
		if v.View == web.AsPage {
			v.Parts++
			continue
		}
		if bytes >= maxDiff {
			v.TooLong = true
			continue
		}
		one := hunk(h, &bytes)
		one.Gap = gap(h.NewStart)
		first := slices.IndexFunc(h.Lines, func(l page.DiffLine) bool { return l.Op != ' ' })
		at := h.NewStart + first // the line before which something changed
		if one.Meta = at <= meta; !one.Meta {
			one.Heading = above(at + 1)
		}
		if canPutBack {
			one.PutBack = fmt.Sprintf("%s?from=%s&to=%s&part=%d", app(in.Space(), "restore", p), from.rev, to.rev, i+1)
		}
		v.Hunks = append(v.Hunks, one)
		old, now = h.OldStart, h.NewStart
		for _, l := range h.Lines {
			if l.Op != '+' {
				old++
			}
			if l.Op != '-' {
				now++
			}
		}
	}
	if len(v.Hunks) > 0 && !v.TooLong && len(to.text) > 0 {
		v.Tail = gap(len(lines) + 1)
	}
	return nil
}

// step leads from a change of the page to those before and after it.
func (s *Server) step(c echo.Context, in at, p page.Path, from, to side, v *web.Diff) {
	ctx := c.Request().Context()
	if !to.there || to.last.Rev == "" {
		return
	}
	here := to.last.Rev // what changed the page, at that revision or before it
	url := func(ch search.Change) string {
		if !ch.Path.IsPage() {
			return ""
		}
		return app(in.Space(), "diff", p) + "?to=" + string(ch.Rev)
	}
	if to.at != nil {
		if h, err := s.Index.History(ctx, to.at, to.name, "", 2); err == nil && len(h.Changes) == 2 {
			v.Older = url(h.Changes[1])
		}
	}
	h, err := s.Index.History(ctx, in.Snapshot, p, "", maxStepped)
	if err != nil {
		return
	}
	i := slices.IndexFunc(h.Changes, func(ch search.Change) bool { return ch.Rev == here })
	if i > 0 {
		v.Newer = url(h.Changes[i-1])
	}
}

// side is one end of a comparison.
type side struct {
	rev    wiki.Rev
	at     *wiki.Snapshot
	commit wiki.Commit
	name   page.Path     // under which the page went then
	last   search.Change // of the page, then; its Rev is "" where the index knows none
	there  bool
	text   []byte
}

// bothSides are the two ends that an address names.
func (s *Server) bothSides(c echo.Context, in at, p page.Path) (from, to side, err error) {
	if to, err = s.side(c, in, p, c.QueryParam("to")); err != nil {
		return from, to, err
	}
	switch rev := c.QueryParam("from"); {
	case rev != "":
		from, err = s.side(c, in, p, rev)
	default: // what the page's last change made of it, which is often older than the newest of the space
		changed := to.commit
		if to.last.Rev != "" {
			changed, err = in.space.Commit(c.Request().Context(), in.by, string(to.last.Rev))
		}
		if err == nil && len(changed.Parents) > 0 {
			from, err = s.side(c, in, p, string(changed.Parents[0]))
		}
	}
	if err == nil && !from.there && !to.there {
		err = fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	return from, to, err
}

// side reads the page at a revision, "" for now. Under which name it went then, the history knows.
func (s *Server) side(c echo.Context, in at, p page.Path, rev string) (side, error) {
	ctx := c.Request().Context()
	if rev == "" {
		rev = string(in.Rev())
	}
	old, err := in.space.At(ctx, in.by, rev)
	if err != nil {
		return side{}, err
	}
	out := side{rev: old.Rev(), at: old, name: p}
	if out.commit, err = in.space.Commit(ctx, in.by, string(old.Rev())); err != nil {
		return side{}, err
	}
	out.text, err = old.Read(ctx, p)
	if errors.Is(err, fs.ErrNotExist) {
		if before, ok := s.earlierName(c, in, p, old); ok {
			out.name = before
			out.text, err = old.Read(ctx, before)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	out.there = err == nil
	if last, err := s.Index.Last(ctx, old, out.name); err == nil {
		out.last = last
	}
	return out, err
}

// before tells whether the other side is what came right after this one.
func (d side) before(next side) bool {
	parents := next.commit.Parents
	return len(parents) == 0 || len(parents) == 1 && d.rev == parents[0]
}

// view says who has changed the page last, at that revision.
func (d side) view(in at, p page.Path) web.Side {
	if !d.there {
		return web.Side{}
	}
	v := web.Side{There: true, URL: page.URL(in.Space(), p) + "?rev=" + string(d.rev), Current: d.rev == in.Rev()}
	if v.Current {
		v.URL = page.URL(in.Space(), p)
	}
	if v.Stamp = stampOf(d.commit); d.last.Rev != "" {
		v.Stamp = stamp(d.last)
	}
	return v
}

// earlierName is the name under which a page of today is found in an older snapshot.
func (s *Server) earlierName(c echo.Context, in at, p page.Path, old *wiki.Snapshot) (page.Path, bool) {
	h, err := s.Index.History(c.Request().Context(), in.Snapshot, p, "", 200)
	if err != nil {
		return "", false
	}
	for _, ch := range h.Changes {
		if ch.Kind != 'R' {
			continue
		}
		if _, ok := old.Blob(c.Request().Context(), ch.From); ok {
			return ch.From, true
		}
	}
	return "", false
}

// hunk is a run of lines as it is shown. It adds to bytes what it shows, and ends where that is too much.
func hunk(h page.Hunk, bytes *int) web.Hunk {
	var out web.Hunk
	for _, l := range h.Lines {
		if *bytes >= maxDiff {
			break
		}
		*bytes += 200
		line := web.Line{Op: web.Same, Old: l.Old, New: l.New, With: l.With}
		switch l.Op {
		case '+':
			line.Op = web.Added
		case '-':
			line.Op = web.Removed
		}
		for _, sp := range l.Spans {
			line.Spans = append(line.Spans, web.Piece{Text: sp.Text, Mark: sp.Changed})
			*bytes += len(sp.Text) + 20
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}
