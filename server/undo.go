package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file takes one change back and keeps what came after it. The form says what will happen, and which pages stand in
// the way.

func (s *Server) askUndo(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	v, err := s.undoView(c, in, c.Param("rev"), writing{})
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

// errPlanTime ends a plan that takes too long: a hostile change must not keep a processor busy for minutes.
var errPlanTime = errors.New("the plan takes too long")

// bounded calls do with a context that ends after a while. When do has failed for that alone, the error is a sentence.
func (s *Server) bounded(c echo.Context, sentence web.Text, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(c.Request().Context(), s.planTime, errPlanTime)
	defer cancel()
	err := do(ctx)
	if errors.Is(err, wiki.ErrOvertaken) {
		return err // a plan was made in time
	}
	if errors.Is(err, errPlanTime) || errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errPlanTime {
		s.Log.Warn("plan given up", "path", c.Request().URL.Path, "err", err)
		return bad(413, sentence)
	}
	return err
}

const undoTooLarge web.Text = "This change is too large to be undone here, so nothing has been done. Clone the wiki, undo it there with git revert, and push."

// undoing asks for one change to be taken back, also of pages that have been moved since.
func (s *Server) undoing(c echo.Context, in at, rev string) (u wiki.Undoing, plan *wiki.Plan, err error) {
	err = s.bounded(c, undoTooLarge, func(ctx context.Context) error {
		u, plan, err = s.undoingIn(ctx, in, rev)
		return err
	})
	return u, plan, err
}

func (s *Server) undoingIn(ctx context.Context, in at, rev string) (wiki.Undoing, *wiki.Plan, error) {
	u := wiki.Undoing{Revs: []string{rev}}
	plan, err := in.space.PlanUndo(ctx, in.by, u)
	if err != nil {
		return u, nil, err
	}
	asked := 0
	for _, p := range plan.Missing {
		if err := ctx.Err(); err != nil {
			return u, nil, err
		}
		// Each may wait for an index that is behind; of one that is not, all can be asked.
		if asked++; asked > maxPlanned && !s.Index.Reached(plan.Head) {
			break
		}
		if to, ok, err := s.Index.Moved(ctx, plan.Head, p); err == nil && ok {
			if u.Now == nil {
				u.Now = map[page.Path]page.Path{}
			}
			u.Now[p] = to
		}
	}
	if u.Now != nil {
		plan, err = in.space.PlanUndo(ctx, in.by, u)
	}
	return u, plan, err
}

func (s *Server) undoView(c echo.Context, in at, rev string, w writing) (web.Undo, error) {
	change, err := in.space.Commit(c.Request().Context(), in.by, rev)
	if err != nil {
		return web.Undo{}, err
	}
	_, plan, err := s.undoing(c, in, rev)
	if err != nil && !errors.Is(err, wiki.ErrMerge) {
		return web.Undo{}, err
	}
	if plan != nil {
		in.Snapshot = plan.Head
	}
	v := web.Undo{
		Frame: s.frame(c, in, "", say(c, "Undo a change")), Form: s.form(c, in, "", "undo", w),
		Was: stampOf(change), Merge: plan == nil,
	}
	v.NoIndex = true
	v.Form.URL, v.Form.Cancel = undoURL(in, change.Rev), "/"+in.Space()+"/-/changes"
	if plan == nil {
		return v, nil
	}
	var before *wiki.Snapshot
	if len(change.Parents) > 0 && len(plan.Collided) > 0 {
		if before, err = in.space.At(c.Request().Context(), in.by, string(change.Parents[0])); err != nil {
			return v, err
		}
	}
	for _, p := range plan.Collided[:min(len(plan.Collided), maxPlanned)] {
		was := before != nil && s.wasThere(c, in, before, p.Path)
		v.Collided = append(v.Collided, collided(c, in, change, was, p))
	}
	v.More = len(plan.Collided) - len(v.Collided)
	v.Plan, err = s.planView(c, in, plan)
	return v, err
}

func undoURL(in at, rev wiki.Rev) string { return "/" + in.Space() + "/-/undo/" + string(rev) }

// collided says of a page why it cannot be undone, and what else can be done; was tells whether it was there before.
func collided(c echo.Context, in at, change wiki.Commit, was bool, p wiki.Collision) web.Collided {
	v := web.Collided{Name: p.Path.Address()}
	if in.Has(p.Path) {
		v.URL = in.URL(p.Path)
		if p.Path.IsPage() {
			v.Diff = app(in.Space(), "diff", p.Path) + "?from=" + string(change.Rev) + "&to=" + string(in.Rev())
		}
	}
	switch {
	case p.Why == wiki.WhyFolder:
		v.URL = in.Root() + escape(string(p.Path)) + "/"
	case p.Why == wiki.WhyTaken, p.Why == wiki.WhyFile:
	case was:
		v.Restore = restoreURL(in, p.Path, change.Parents[0])
	case in.Has(p.Path) && p.Path.IsPage():
		v.Delete = app(in.Space(), "delete", p.Path)
	}
	switch p.Why {
	case wiki.WhyGone:
		v.Why = say(c, "It has been deleted since.")
	case wiki.WhyTaken:
		v.Why = say(c, "There is another of that name by now.")
	case wiki.WhyFolder:
		v.Why = say(c, "There is a folder of that name by now. Move or delete what is in it first.")
	case wiki.WhyFile:
		v.Why = say(c, "Where its folder was there is a file by now. Move or delete that file first.")
	default:
		v.Why = say(c, "Its text has been changed in the same place since.")
	}
	return v
}

// wasThere tells whether a page was there in an old snapshot, under its name of today or an earlier one.
func (s *Server) wasThere(c echo.Context, in at, old *wiki.Snapshot, p page.Path) bool {
	if _, there := old.Blob(c.Request().Context(), p); there {
		return true
	}
	_, ok := s.earlierName(c, in, p, old)
	return ok
}

func (s *Server) undo(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	form, err := fields(c)
	if err != nil {
		return err
	}
	rev := c.Param("rev")
	w := writing{note: form.Get("note"), name: form.Get("name")}
	u, plan, err := s.undoing(c, in, rev)
	if err != nil {
		return err
	}
	u.Note, u.Others = w.note, form.Get("others") == "yes"
	var saved wiki.Saved
	err = s.bounded(c, undoTooLarge, func(ctx context.Context) error {
		saved, err = in.space.Undo(ctx, s.signed(c, w.name), u)
		return err
	})
	if err != nil {
		if explain(err).status == 413 {
			return err // the form would take as long again
		}
		w.failed = err
		v, verr := s.undoView(c, in, rev, w)
		if verr != nil {
			return err
		}
		return s.html(c, explain(err).status, v)
	}
	s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Undone. The change is still in the history."))
	if len(plan.Files) == 1 {
		return c.Redirect(http.StatusSeeOther, s.after(in, plan.Files[0].Path, false))
	}
	return c.Redirect(http.StatusSeeOther, s.after(in, "", false))
}
