package server

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// This file is the JSON API. openapi.json describes it.

//go:embed openapi.json
var openapi []byte

func (s *Server) apiDescription(c echo.Context) error {
	return c.Blob(200, "application/json; charset=utf-8", openapi)
}

// maxJSON bounds a body: a page at its limit, with every character escaped in six.
const maxJSON = 6*wiki.MaxPage + 64<<10

// sendProblem answers a program by RFC 9457. more adds members.
func sendProblem(c echo.Context, p problem, more map[string]any) error {
	body := map[string]any{"type": "about:blank", "title": say(c, p.title), "status": p.status, "detail": p.told(c)}
	for k, v := range more {
		body[k] = v
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.Blob(p.status, "application/problem+json", b)
}

// body reads a JSON object into v.
func body(c echo.Context, v any) error {
	kind, _, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if kind != "application/json" {
		return bad(415, "Send JSON, with Content-Type: application/json.")
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxJSON))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return wiki.ErrTooLarge
		}
		return bad(400, "The body could not be read.")
	}
	if err := json.Unmarshal(b, v); err != nil {
		return bad(400, "The body is not the JSON object that is expected here: %v.", err)
	}
	if !utf8.Valid(b) || loneSurrogate(b) {
		return bad(422, "The body is not UTF-8 text: nothing was saved, since it could not be saved as it is.")
	}
	return nil
}

// loneSurrogate tells whether JSON holds half of an escaped character, which the decoder would replace without a word.
func loneSurrogate(b []byte) bool {
	high := false // an escape for the first half has just been read
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			if high {
				return true
			}
			continue
		}
		i++
		code := uint64(0)
		if b[i] == 'u' && i+4 < len(b) {
			code, _ = strconv.ParseUint(string(b[i+1:i+5]), 16, 16)
			i += 4
		}
		low := 0xDC00 <= code && code <= 0xDFFF
		if low != high {
			return true
		}
		high = 0xD800 <= code && code <= 0xDBFF
	}
	return high
}

type apiSpace struct {
	Name  string `json:"name"`
	URL   string `json:"url"`
	Clone string `json:"clone"`
	Pages int    `json:"pages"`
}

func (s *Server) spaceJSON(c echo.Context, in *wiki.Snapshot) apiSpace {
	return apiSpace{in.Space(), s.base(c) + "/" + in.Space() + "/", s.remote(c, in.Space()), in.PageCount()}
}

func (s *Server) apiSpaces(c echo.Context) error {
	spaces := []apiSpace{}
	for _, in := range s.readable(c) {
		spaces = append(spaces, s.spaceJSON(c, in))
	}
	return c.JSON(200, map[string]any{"spaces": spaces})
}

func (s *Server) apiAddSpace(c echo.Context) error {
	var in struct{ Name string }
	if err := body(c, &in); err != nil {
		return err
	}
	space, err := s.Wiki.Create(c.Request().Context(), in.Name)
	if errors.Is(err, wiki.ErrName) {
		return bad(422, "The name of a space has small letters, digits and hyphens, 63 at most, and begins with a letter or a digit.")
	}
	if err != nil {
		return err
	}
	head, err := space.Head(s.actor(c))
	if err != nil {
		return err
	}
	return c.JSON(201, s.spaceJSON(c, head))
}

type apiListed struct {
	Path  string `json:"path"`
	Title string `json:"title"`
	Blob  string `json:"blob"`
}

// apiPages lists the pages of a space by path. Titles here are those that file names give: no page is read for a list.
func (s *Server) apiPages(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", 100, 1000)
	if err != nil {
		return err
	}
	after, err := base64.RawURLEncoding.DecodeString(c.QueryParam("cursor"))
	if err != nil {
		return bad(400, "cursor is not one that this list has given.")
	}
	paths, next := in.Pages(page.Path(after), max(1, limit))
	list := []apiListed{}
	for _, p := range paths {
		blob, _ := in.Blob(c.Request().Context(), p)
		list = append(list, apiListed{p.Address(), p.Title(), blob})
	}
	return c.JSON(200, map[string]any{"pages": list, "cursor": base64.RawURLEncoding.EncodeToString([]byte(next))})
}

type apiPage struct {
	Path      string     `json:"path"`
	Title     string     `json:"title"`
	Revision  wiki.Rev   `json:"revision"`
	Blob      string     `json:"blob"`
	Text      string     `json:"text"`
	Tags      []string   `json:"tags"`
	UpdatedAt *time.Time `json:"updated_at"`
	UpdatedBy *string    `json:"updated_by"`
}

func (s *Server) apiPage(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	blob, _ := in.Blob(c.Request().Context(), p)
	c.Response().Header().Set("Cache-Control", "no-cache")
	if fresh(c, `"`+blob+`"`) {
		return c.NoContent(304)
	}
	text, err := in.Read(c.Request().Context(), p)
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		return bad(422, "The page is not UTF-8, so JSON cannot hold it. Read it at %s.", source(in, p))
	}
	doc, err := in.Doc(c.Request().Context(), p)
	if err != nil {
		return err
	}
	out := apiPage{Path: p.Address(), Title: doc.Title, Revision: in.Rev(), Blob: blob, Text: string(text), Tags: append([]string{}, doc.Tags...)}
	if last, err := s.Index.Last(c.Request().Context(), in.Snapshot, p); err == nil {
		out.UpdatedAt, out.UpdatedBy = &last.When, &last.By
	}
	return c.JSON(200, out)
}

// apiSave saves a page. base is the revision or the blob that the writer began from; If-Match and If-None-Match do as
// well, and then nothing is merged.
func (s *Server) apiSave(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	var sent struct{ Text, Base, Note, Name *string }
	if err := body(c, &sent); err != nil {
		return err
	}
	if sent.Text == nil {
		return bad(400, `"text" is missing.`)
	}
	edit := wiki.Edit{Path: p, Text: []byte(*sent.Text), Note: value(sent.Note)}
	blob, isNew, err := condition(c.Request())
	if err != nil {
		return err
	}
	switch base := value(sent.Base); {
	case blob != "" || isNew:
		edit.Blob, edit.Only = blob, true
	default:
		edit = s.based(c, in, edit, wiki.Rev(base))
	}
	saved, err := in.space.Save(c.Request().Context(), s.signed(c, value(sent.Name)), edit)
	if err != nil {
		return err
	}
	status := 200
	c.Response().Header().Set("ETag", `"`+saved.Blob+`"`)
	if saved.Created {
		status = 201
		c.Response().Header().Set("Location", c.Request().URL.EscapedPath())
	}
	return c.JSON(status, map[string]any{"revision": saved.Rev, "blob": saved.Blob, "merged": saved.Merged})
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (s *Server) apiRemove(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	blob, _, err := condition(c.Request())
	if err != nil {
		return err
	}
	if blob == "" {
		return bad(428, "Read the page first, and send its ETag (its blob in quotes) as If-Match.")
	}
	saved, err := in.space.Remove(c.Request().Context(), s.signed(c, c.QueryParam("name")), p, blob, c.QueryParam("note"))
	if err != nil {
		return err
	}
	return c.JSON(200, map[string]any{"revision": saved.Rev})
}

type apiChange struct {
	Revision wiki.Rev  `json:"revision"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Note     string    `json:"note"`
	Kind     string    `json:"kind,omitempty"`
	Path     string    `json:"path,omitempty"`
	From     string    `json:"from,omitempty"`
	Blob     string    `json:"blob,omitempty"`
	Files    []apiFile `json:"files,omitempty"`
	More     int       `json:"more,omitempty"`
}

type apiFile struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	From string `json:"from,omitempty"`
	Blob string `json:"blob,omitempty"`
}

func (s *Server) apiHistory(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", perPage, 500)
	if err != nil {
		return err
	}
	h, err := s.Index.History(c.Request().Context(), in.Snapshot, p, c.QueryParam("cursor"), max(1, limit))
	if err != nil {
		return err
	}
	if len(h.Changes) == 0 && !in.Has(p) {
		return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	list := []apiChange{}
	for _, ch := range h.Changes {
		one := apiChange{Revision: ch.Rev, At: ch.When, By: ch.By, Note: ch.Note, Kind: string(kindOf(ch.Kind)), Path: ch.Path.Address(), Blob: ch.Blob}
		if ch.Kind == 'R' {
			one.From = ch.From.Address()
		}
		list = append(list, one)
	}
	return c.JSON(200, map[string]any{"changes": list, "cursor": h.Next, "behind": h.Behind})
}

func (s *Server) apiChanges(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", perPage, 500)
	if err != nil {
		return err
	}
	recent, err := s.Index.Recent(c.Request().Context(), in.Snapshot, c.QueryParam("cursor"), max(1, limit))
	if err != nil {
		return err
	}
	list := []apiChange{}
	for _, commit := range recent.Commits {
		one := apiChange{Revision: commit.Rev, At: commit.When, By: commit.Author, Note: commit.Note, More: commit.More}
		for _, f := range commit.Files {
			file := apiFile{Kind: string(kindOf(f.Kind)), Path: f.Path.Address(), Blob: f.Blob}
			if f.Kind == 'R' {
				file.From = f.From.Address()
			}
			one.Files = append(one.Files, file)
		}
		list = append(list, one)
	}
	return c.JSON(200, map[string]any{"changes": list, "cursor": recent.Next, "behind": recent.Behind})
}

type apiLink struct {
	Path   string `json:"path,omitempty"`
	URL    string `json:"url,omitempty"`
	Exists bool   `json:"exists"`
}

// apiLinks lists what a page links to, and what links to it.
func (s *Server) apiLinks(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	if address, err := target(c); err == nil && !in.Has(p) {
		if file, err := page.ParsePath(address); err == nil && in.Has(file) {
			p = file
		}
	}
	out := []apiLink{}
	if in.Has(p) && p.IsPage() {
		doc, err := in.Doc(c.Request().Context(), p)
		if err != nil {
			return err
		}
		seen := map[apiLink]bool{}
		for _, t := range doc.Targets(in.Context()) {
			one := apiLink{Path: t.Path.Address(), Exists: t.Found}
			if t.External != "" {
				one = apiLink{URL: t.External, Exists: true}
			}
			if !seen[one] && (one.Path != "" || one.URL != "") {
				seen[one] = true
				out = append(out, one)
			}
		}
	}
	backlinks, _, err := s.Index.Backlinks(c.Request().Context(), in.Snapshot, p, 1000)
	if err != nil {
		return err
	}
	back := []apiLink{}
	for _, b := range backlinks {
		back = append(back, apiLink{Path: b.Address(), Exists: true})
	}
	return c.JSON(200, map[string]any{"out": out, "in": back})
}

type apiHit struct {
	Space   string  `json:"space"`
	Path    string  `json:"path"`
	Title   string  `json:"title"`
	Snippet string  `json:"snippet"`
	Score   float64 `json:"score"`
}

func (s *Server) apiSearch(c echo.Context) error {
	q, err := query(c)
	if err != nil {
		return err
	}
	in, err := s.places(c, q)
	if err != nil {
		return err
	}
	found, err := s.Index.Find(c.Request().Context(), in, q)
	if err != nil {
		return err
	}
	hits := []apiHit{}
	for _, h := range found.Hits {
		var text strings.Builder
		for _, p := range h.Snippet {
			text.WriteString(p.Text)
		}
		hits = append(hits, apiHit{h.Space, h.Path.Address(), h.Title, text.String(), h.Score})
	}
	return c.JSON(200, map[string]any{"total": found.Total, "took_ms": float64(found.Took.Microseconds()) / 1000, "hits": hits, "behind": found.Behind})
}
