package server

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file puts one part of a page back, out of a comparison: the lines of one change become what they were, and all
// else stays as it is now. The form shows what comes of it, and is sent to the editor's address: it is a save as any other,
// based on the page as it was shown, merged or asked about when somebody has saved meanwhile.

func (s *Server) askPutBack(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	from, to, err := s.bothSides(c, in, p)
	if err != nil {
		return err
	}
	now, err := in.Read(c.Request().Context(), p)
	if err != nil {
		return err
	}
	if !page.IsText(from.text) || !page.IsText(to.text) || !page.IsText(now) {
		return notText(c, in, p)
	}
	parts, err := wiki.Compare(c.Request().Context(), from.text, to.text)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.QueryParam("part"))
	if err != nil || n < 1 || n > len(parts) {
		return &badRequest{404, "There is no such part in this comparison. Choose one there.", nil,
			&web.Link{Label: say(c, "The comparison"), URL: compareURL(in, p, string(from.rev), string(to.rev))}}
	}
	part := parts[n-1]
	v := web.PutBack{
		Frame: s.formFrame(c, in, p, say(c, "Put a part back: %s", p.Title())), Path: p.Address(), Was: from.view(in, p),
		Compare: compareURL(in, p, string(from.rev), string(to.rev)) + "#" + web.PartID(n),
	}
	w := writing{base: in.Rev(), note: "Put back a part"}
	if v.Was.There {
		w.note = fmt.Sprintf("Put back a part of %s", v.Was.When.UTC().Format("2 January 2006, 15:04 UTC"))
	}
	v.Form = s.form(c, in, p, "edit", w)
	v.Form.Cancel = v.Compare
	merged := page.Merge(to.text, part.Back(to.text), now)
	switch result := merged.Text(); {
	case merged.Conflicts() > 0:
		v.Changed, v.Edit, v.Older = true, app(in.Space(), "edit", p), older(part)
	case bytes.Equal(result, now):
		v.Same = true
	default:
		v.Text = string(result)
		hunks, err := wiki.Compare(c.Request().Context(), now, result)
		if err != nil {
			return err
		}
		shown := 0
		for _, h := range hunks {
			v.Hunks = append(v.Hunks, hunk(h, &shown))
		}
		// Where that is too much, the lines alone say it.
		if red, err := in.Redline(c.Request().Context(), p, now, result); err == nil {
			v.Redline = redParts(red)
		}
	}
	return s.html(c, 200, v)
}

// older is the text that a part would put back.
func older(part page.Hunk) string {
	var b bytes.Buffer
	for _, l := range part.Lines {
		if l.Op == '-' {
			for _, sp := range l.Spans {
				b.WriteString(sp.Text)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
