package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file serves and takes files byte for byte: the sources of pages, and everything else that lies beside them.

// filePolicy is sent with every file: whatever it is, nothing in it runs, and it has no access to the wiki.
const filePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; sandbox; frame-ancestors 'self'"

// serveFile answers with a file's bytes: pages as Markdown, others by what they are, with ranges.
func (s *Server) serveFile(c echo.Context, in at, p page.Path) error {
	blob, ok := in.Blob(c.Request().Context(), p)
	if !ok {
		_, err := in.Size(c.Request().Context(), p) // says why
		return cmp.Or(err, fs.ErrNotExist)
	}
	if width := askedWidth(c); width > 0 && !p.IsPage() {
		if made, key, ok := s.smaller(c, in, p, blob, width); ok {
			return s.sendSmaller(c, in, made, key)
		}
	}
	if fresh(c, `"`+blob+`"`) {
		return c.NoContent(304)
	}
	b, done, err := s.bytes(c, in, p, blob)
	if err != nil {
		return err
	}
	defer done()
	s.fileHeaders(c, in)
	h := c.Response().Header()
	k := sniff(p, b)
	if !k.inline {
		h.Set("Content-Disposition", attachment(p.Base()))
	}
	h.Set("Content-Type", k.media)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(b))
	return nil
}

func (s *Server) fileHeaders(c echo.Context, in at) {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Cairn-Revision", string(in.Rev()))
	h.Set("Content-Security-Policy", filePolicy)
}

// bytes are those of a file, until done is called. Those of large files are shared by all who read them.
func (s *Server) bytes(c echo.Context, in at, p page.Path, blob string) (b []byte, done func(), err error) {
	ctx := c.Request().Context()
	size, err := in.Size(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return s.sending.hold(ctx, in.Space()+"/"+blob, size, func(ctx context.Context) ([]byte, error) { return in.Read(ctx, p) })
}

func attachment(name string) string {
	return "attachment; filename*=UTF-8''" + strings.ReplaceAll(strings.ReplaceAll(escape(name), "'", "%27"), ",", "%2C")
}

// writable is the file that PUT and DELETE name. A page is written under its source's address, with ".md".
func (s *Server) writable(c echo.Context) (at, page.Path, error) {
	in, err := s.in(c)
	if err != nil {
		return at{}, "", err
	}
	address, err := target(c)
	if err != nil {
		return at{}, "", err
	}
	p, err := page.ParsePath(address)
	if err == nil && !p.Served() {
		err = bad(422, "Files of that name are kept, but not served: choose another name.")
	}
	return in, p, err
}

// condition is what a write by a program is based on, by its headers: the blob, or "" with fresh for a new file.
func condition(r *http.Request) (blob string, isNew bool, err error) {
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case none == "*" && match == "":
		return "", true, nil
	case match == "" && none == "":
		return "", false, nil
	case none != "" || match == "*" || strings.Contains(match, ","):
		return "", false, bad(400, `Send either If-Match with the one ETag that you have read, or "If-None-Match: *" for a new file.`)
	}
	return strings.Trim(match, `"`), false, nil
}

// put stores a file or the source of a page.
func (s *Server) put(c echo.Context) error {
	in, p, err := s.writable(c)
	if err != nil {
		return err
	}
	blob, isNew, err := condition(c.Request())
	if err != nil {
		return err
	}
	limit := int64(wiki.MaxFile)
	if p.IsPage() {
		limit = wiki.MaxPage
	}
	body, done, err := s.received(c, limit)
	if err != nil {
		return err
	}
	defer done()
	if blob == "" && !isNew && in.Has(p) {
		return bad(428, "The file exists. Read it first, and send its ETag as If-Match.")
	}
	by := s.signed(c, c.QueryParam("name"))
	saved, err := in.space.Save(c.Request().Context(), by, wiki.Edit{Path: p, Text: body, Blob: blob, Only: true, Note: c.QueryParam("note")})
	if isNew && errors.Is(err, wiki.ErrChanged) {
		return bad(412, "There is a file of that name already.")
	}
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("ETag", `"`+saved.Blob+`"`)
	h.Set("Cairn-Revision", string(saved.Rev))
	if saved.Created {
		h.Set("Location", c.Request().URL.EscapedPath())
		return c.NoContent(201)
	}
	return c.NoContent(204)
}

// del removes a file or a page.
func (s *Server) del(c echo.Context) error {
	in, p, err := s.writable(c)
	if err != nil {
		return err
	}
	blob, _, err := condition(c.Request())
	if err != nil {
		return err
	}
	if !in.Has(p) {
		return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	if blob == "" {
		return bad(428, "Read the file first, and send its ETag as If-Match.")
	}
	saved, err := in.space.Remove(c.Request().Context(), s.signed(c, c.QueryParam("name")), p, blob, c.QueryParam("note"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cairn-Revision", string(saved.Rev))
	return c.NoContent(204)
}

// asset serves the style sheet, the icon and the scripts under their fingerprinted names.
func (s *Server) asset(c echo.Context) error {
	return s.sendAsset(c, c.Param("name"), "public, max-age=31536000, immutable")
}

func (s *Server) sendAsset(c echo.Context, name, caching string) error {
	a, ok := s.site.Asset(name)
	if !ok {
		return fs.ErrNotExist
	}
	h := c.Response().Header()
	h.Set("Cache-Control", caching)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the frame of diagrams has no origin
	if fresh(c, `W/"`+name+`"`) {
		return c.NoContent(304)
	}
	return sendPacked(c, a.Type, a.Packed)
}

// sendPacked sends a body in the best coding that the client takes; the answer varies with Accept-Encoding.
func sendPacked(c echo.Context, media string, p web.Packed) error {
	body, coding := p.For(c.Request().Header.Get(echo.HeaderAcceptEncoding))
	if coding != "" {
		c.Response().Header().Set("Content-Encoding", coding)
	}
	return c.Blob(200, media, body)
}

// diagram is the frame in which the browser draws diagrams.
func (s *Server) diagram(c echo.Context) error {
	b, err := s.site.Diagram(c.Request().Context())
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Security-Policy", web.DrawPolicy)
	return s.send(c, 200, b)
}

// aboutStyle shows the parts that all views are made of.
func (s *Server) aboutStyle(c echo.Context) error {
	return s.html(c, 200, web.Style{Frame: s.bareFrame(c, say(c, "How this wiki looks"))})
}

func (s *Server) icon(c echo.Context) error {
	return s.sendAsset(c, path.Base(s.site.Icon()), "public, max-age=86400")
}

func (s *Server) robots(c echo.Context) error {
	return c.String(200, "User-agent: *\nDisallow: /-/\nDisallow: /*/-/\nDisallow: /*?rev=\n")
}

// weakTag is an entity tag for a rendered page: the same for the same bytes, whatever they are packed in.
func weakTag(b []byte) string {
	sum := sha256.Sum256(b)
	return `W/"` + hex.EncodeToString(sum[:8]) + `"`
}

// fresh sends the tag, and tells whether the reader has that very answer already.
func fresh(c echo.Context, etag string) bool {
	c.Response().Header().Set("ETag", etag)
	for _, t := range strings.Split(c.Request().Header.Get("If-None-Match"), ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
