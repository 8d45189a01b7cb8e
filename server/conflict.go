package server

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file is the page on which a writer chooses, where somebody else has saved the same lines meanwhile.
//
// Its form posts to the editor's address what the writer wrote (text, with the base that it began from), the revision of
// the other text (theirs), how many places there are to choose in (places), and a choice for each (place-1, place-2, …,
// rest for all that are not shown). Nobody's word is taken for what the other one wrote: the server merges again, from
// the revisions that the form names. What comes out is saved as any edit based on theirs, so that a third text which was
// saved in between is merged in its turn, or asked about. The form can also send the whole text (whole, based on theirs).

const (
	maxPlaces = 60       // that are shown one by one
	maxShown  = 24 << 10 // bytes of one version that are shown
	fewLines  = 2        // that are shown rather than counted
	contextOf = 3        // lines around a place
	maxLine   = 240      // bytes of such a line
)

// choices are what the form calls them.
var choices = map[string]page.Choice{
	"both": page.KeepBoth, "mine": page.KeepMine, "theirs": page.KeepTheirs, "joined": page.KeepJoined,
}

// written is what an editor's form says, and the edit that it asks for.
func (s *Server) written(c echo.Context, in at, p page.Path, form url.Values) (writing, wiki.Edit, error) {
	w := writing{
		text: form.Get("text"), note: form.Get("note"), name: form.Get("name"), base: wiki.Rev(form.Get("base")),
		preview: form.Get("action") == "preview",
	}
	theirs := wiki.Rev(form.Get("theirs"))
	if form.Get("action") == "whole" && form.Has("whole") {
		w.text, w.base, theirs = form.Get("whole"), theirs, ""
	}
	edit := s.based(c, in, wiki.Edit{Path: p, Note: w.note}, w.base)
	edit.Text = s.adopt(c, in, edit, w.text)
	if theirs == "" {
		return w, edit, nil
	}
	edit, err := in.space.Settle(c.Request().Context(), in.by, edit, theirs, chosen(form))
	w.text, w.base = string(edit.Text), baseOf(edit)
	return w, edit, err
}

// chosen are the choices that a form makes.
func chosen(form url.Values) []page.Choice {
	n, err := strconv.Atoi(form.Get("places"))
	if err != nil || n < 0 || n > len(form.Get("text"))+1 { // between two places is a line that both have
		return nil
	}
	all := make([]page.Choice, n)
	for i := range all {
		name := placeName(i)
		if !form.Has(name) {
			name = "rest"
		}
		all[i] = choices[form.Get(name)] // what is no choice loses nothing: both
	}
	return all
}

func placeName(i int) string { return fmt.Sprintf("place-%d", i+1) }

// conflictView shows a conflict; w is what the writer sent.
func (s *Server) conflictView(c echo.Context, in at, w writing, clash *wiki.Conflict) web.Conflict {
	p := clash.Path
	v := web.Conflict{
		Frame: s.formFrame(c, in, p, say(c, "Choose what to keep: %s", p.Title())),
		Form:  s.form(c, in, p, "edit", w),
		Path:  p.Address(), Mine: unmarked(string(clash.Mine)), Whole: unmarked(string(clash.Merged)), Theirs: string(clash.Rev),
		Total: clash.Merge.Conflicts(), Gone: clash.Gone, New: clash.Base == nil,
	}
	// An index that is behind names nobody rather than somebody else.
	blob, _ := in.Blob(c.Request().Context(), p)
	if last, err := s.Index.Last(c.Request().Context(), in.Snapshot, p); err == nil && (last.Blob == blob || clash.Gone && last.Kind == 'D') {
		v.Their = stamp(last)
		v.Self = v.Form.Name != "" && v.Their.Who == accounts.Visitor(v.Form.Name).Name()
	}
	switch {
	case clash.Gone:
		v.Title = say(c, "No longer there: %s", p.Title())
		v.Form.Base = "" // saving writes the page anew
	case len(clash.Merge.Blocks) == 0:
		v.Whole = v.Mine
	case s.based(c, in, wiki.Edit{}, w.base).Base != "":
		v.Diff = app(in.Space(), "diff", p) + "?from=" + url.QueryEscape(string(w.base)) + "&to=" + string(clash.Rev)
	}
	v.Places, v.Tail = places(clash.Merge.Blocks)
	return v
}

// places are the conflicts of a merge, as many as fit a page, each with some lines around it; tail is how many lines
// follow the last.
func places(blocks []page.Block) (all []web.Place, tail int) {
	room := maxDiff
	for i, b := range blocks {
		if !b.Conflict {
			continue
		}
		if len(all) == maxPlaces || room <= 0 {
			return all, 0
		}
		one := web.Place{Name: placeName(len(all)), Chosen: "both"}
		// Lines between two places that are few stand before the second; of many, some stand beside each.
		lines, beside := settled(blocks, i-1), contextOf
		if one.Skipped = len(lines) - beside; i > 1 {
			one.Skipped -= beside
		}
		if one.Skipped <= fewLines {
			one.Skipped, beside = 0, len(lines)
		}
		one.Before = around(lines[len(lines)-beside:], true)
		lines, tail = settled(blocks, i+1), 0
		switch last := i+2 == len(blocks); {
		case last && len(lines)-contextOf <= fewLines:
			one.After = around(lines, false)
		case len(lines)-2*contextOf > fewLines || last:
			one.After, tail = around(lines[:contextOf], false), len(lines)-contextOf
		}
		one.Was = version(b.Base, b.Base, &room)
		one.Mine, one.Theirs = version(b.Mine, b.Base, &room), version(b.Theirs, b.Base, &room)
		switch {
		case b.Joined != "":
			one.Joined, one.Chosen = version(b.Joined, b.Base, &room), "joined"
		case b.Mine == "":
			one.Chosen = "theirs"
		case b.Theirs == "":
			one.Chosen = "mine"
		}
		all = append(all, one)
	}
	return all, tail
}

// settled are the lines of a block; none where there is no such block.
func settled(blocks []page.Block, i int) []string {
	if i < 0 || i >= len(blocks) {
		return nil
	}
	return strings.Split(strings.TrimSuffix(blocks[i].Text, "\n"), "\n")
}

// around cuts lines that are only there to show where one is; of a long one the end that is nearer stays.
func around(lines []string, before bool) []string {
	blank := func(l string) bool { return strings.TrimSpace(l) == "" }
	for len(lines) > 0 && blank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && blank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		l = strings.TrimSuffix(l, "\r")
		switch {
		case len(l) <= maxLine:
		case before:
			l = "… " + strings.ToValidUTF8(l[len(l)-maxLine:], "")
		default:
			l = strings.ToValidUTF8(l[:maxLine], "") + " …"
		}
		out[i] = l
	}
	return out
}

// version is one text of a place, with what another does not have marked. It takes what it shows from room.
func version(text, other string, room *int) web.Version {
	shown := text[:min(len(text), maxShown)]
	if len(shown) < len(text) {
		if end := strings.LastIndexByte(shown, '\n'); end >= 0 {
			shown = shown[:end+1]
		}
		shown = strings.ToValidUTF8(shown, "")
	}
	*room -= len(shown)
	v := web.Version{}
	if rest := strings.TrimSuffix(text[len(shown):], "\n"); rest != "" {
		v.More = strings.Count(rest, "\n") + 1
	}
	for _, spans := range page.Marked(shown, other[:min(len(other), 2*maxShown)]) {
		line := make([]web.Piece, len(spans))
		for i, sp := range spans {
			line[i] = web.Piece{Text: sp.Text, Mark: sp.Changed}
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}
