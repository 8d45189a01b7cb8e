package server

import (
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
)

// This file says how a page begins, for the card that browsers show beside a link to it.

// glimpse answers with a page's title and its first paragraph, as plain text. Who may not read the page is answered as by
// the page itself.
func (s *Server) glimpse(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	if address, err := target(c); err == nil && (address == "" || strings.HasSuffix(address, "/")) {
		if home, ok := s.home(c, in, strings.TrimSuffix(address, "/")); ok {
			p = home // as the folder's own address shows it
		}
	}
	got, err := in.Page(c.Request().Context(), p)
	if err != nil {
		return err
	}
	// A browser may keep it for a moment: a hand that goes to and fro over a link asks once.
	h := c.Response().Header()
	h.Set("Cache-Control", "private, max-age=60")
	h.Add("Vary", "Cookie")
	return c.JSON(200, map[string]string{"title": got.Doc.Title, "text": page.Lead(got.HTML), "lang": got.Doc.Lang})
}
