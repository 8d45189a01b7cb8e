package server

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/search"
)

// This file is the recent changes as an Atom feed (RFC 4287).

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Link    atomLink `xml:"link"`
	Summary string   `xml:"summary"`
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

func (s *Server) feed(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	recent, err := s.Index.Recent(c.Request().Context(), in.Snapshot, "", perPage)
	if err != nil {
		return err
	}
	here := s.base(c) + "/" + in.Space() + "/-/changes"
	out := atomFeed{
		ID: here + ".atom", Title: say(c, "Recent changes in %s", in.Space()), Updated: atomTime(time.Unix(0, 0)),
		Links: []atomLink{{"self", here + ".atom"}, {"alternate", here}},
	}
	for _, commit := range recent.Commits {
		out.Entries = append(out.Entries, s.atomChange(c, in, commit, here))
	}
	if len(out.Entries) > 0 {
		out.Updated = out.Entries[0].Updated
	}
	b, err := xml.Marshal(out)
	if err != nil {
		return err
	}
	return c.Blob(200, "application/atom+xml; charset=utf-8", append([]byte(xml.Header), b...))
}

// atomChange is one change; here is the address of the list of changes.
func (s *Server) atomChange(c echo.Context, in at, commit search.Commit, here string) atomEntry {
	e := atomEntry{
		ID: here + "#" + string(commit.Rev), Title: commit.Subject(), Updated: atomTime(commit.When), Author: commit.Author, Link: atomLink{Href: here},
	}
	var touched []string
	for _, f := range commit.Files[:min(len(commit.Files), maxListed)] {
		touched = append(touched, say(c, happened(f.Kind, f.Path))+" "+f.Path.Address())
	}
	e.Summary = strings.Join(touched, ", ")
	if len(commit.Files) > 0 {
		e.Link.Href = s.base(c) + app(in.Space(), "diff", commit.Files[0].Path) + "?to=" + string(commit.Rev)
	}
	return e
}

func atomTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
