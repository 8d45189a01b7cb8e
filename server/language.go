package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/web"
)

// This file finds out which language the interface speaks: the one that somebody has chosen, else one that their browser
// asks for, else English. Git and its users are told everything in English.

// languageCookie remembers the language that somebody has chosen.
const languageCookie = "cairn_language"

// inLanguage is the request in whose context everything is said in the language of who asks.
func inLanguage(r *http.Request) *http.Request {
	if forGit(r) {
		return r
	}
	tag := web.Choose(cookieOf(r, languageCookie), strings.Join(r.Header.Values("Accept-Language"), ","))
	return r.WithContext(web.InLanguage(r.Context(), tag))
}

// say is a text in the language of who asks.
func say(c echo.Context, text web.Text, args ...any) string {
	return web.Say(c.Request().Context(), text, args...)
}

// chooseLanguage remembers a language and goes back to where one was.
func (s *Server) chooseLanguage(c echo.Context) error {
	tag := c.FormValue("language")
	if web.Choose(tag, "") != tag {
		return bad(400, "The wiki does not speak that language. Choose one at the foot of a page.")
	}
	s.setCookie(c, languageCookie, tag, 365*24*60*60)
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.Redirect(http.StatusSeeOther, within(c.FormValue("back")))
}

// within is an address of this wiki as it stands after the host; "/" for what is none, since whoever makes a link or a
// form may write anything there.
func within(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\r\n\t") {
		return "/"
	}
	return address
}

// here is the address of what is asked for, to come back to.
func here(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return r.URL.EscapedPath()
	}
	return r.URL.EscapedPath() + "?" + r.URL.RawQuery
}
