package server

import (
	"context"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file lists files: those of a page, and those of a space with the pages that use them.

const (
	filesPerPage = 100
	usersShown   = 5 // pages that use a file
)

// isFile tells whether a path is a file that people have put there: no page, no settings.
func isFile(p page.Path) bool {
	return !p.IsPage() && p.Served() && !strings.Contains(strings.TrimPrefix("/"+string(p), "/.attachments/"), "/.")
}

// files lists the files of a space, or those that no page uses.
func (s *Server) files(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	here := "/" + in.Space() + "/-/files"
	v := web.Files{Frame: s.frame(c, in, "", say(c, "Files")), All: here, Unused: here + "?show=unused", OnlyUnused: c.QueryParam("show") == "unused"}
	v.NoIndex = true
	for p := range in.Names().All() {
		if isFile(p) {
			v.Total++
		}
	}
	after := page.Path(c.QueryParam("after"))
	wanted := func(page.Path) (bool, error) { return true, nil }
	if v.OnlyUnused {
		v.Title, here = say(c, "Files that no page uses"), v.Unused
		look, cancel := context.WithTimeout(c.Request().Context(), s.lookTime)
		defer cancel()
		wanted = func(p page.Path) (bool, error) {
			users, more, err := s.Index.Backlinks(look, in.Snapshot, p, 1)
			return err == nil && len(users) == 0 && !more, err
		}
	}
	var list []page.Path
	next, more := after, false
	for p := range in.Names().After(after) {
		if !isFile(p) {
			continue
		}
		if more = len(list) == filesPerPage; more {
			break
		}
		ok, err := wanted(p)
		if err != nil && c.Request().Context().Err() == nil { // looked long enough
			v.Stopped = true
			break
		} else if err != nil {
			return err
		}
		next = p
		if ok {
			list = append(list, p)
		}
	}
	if v.Stopped || more {
		v.Paging.Next = with(here, "after", string(next))
	}
	if after != "" {
		v.Paging.Previous = here
	}
	v.List, err = s.fileRows(c, in, list)
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

// with is an address with one more value in its query.
func with(address, key, value string) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + key + "=" + url.QueryEscape(value)
}

// pageFiles lists the files that a page uses, and others that lie where its files go.
func (s *Server) pageFiles(c echo.Context) error {
	in, p, err := s.existing(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	doc, err := in.Doc(ctx, p)
	if err != nil {
		return err
	}
	v := web.PageFiles{Frame: s.formFrame(c, in, p, say(c, "Files of %s", p.Title())), Upload: app(in.Space(), "upload", p), All: "/" + in.Space() + "/-/files"}
	v.Folder = in.FolderFor(ctx, p)
	used := map[page.Path]bool{}
	var list, near []page.Path
	for _, t := range doc.Targets(in.Context()) {
		if t.Found && !t.IsDir && isFile(t.Path) && !used[t.Path] && len(list) < filesPerPage {
			used[t.Path] = true
			list = append(list, t.Path)
		}
	}
	for f := range in.Names().Under(v.Folder) {
		if isFile(f) && f.Dir() == v.Folder && !used[f] {
			if len(near) == filesPerPage {
				v.More = true
				break
			}
			near = append(near, f)
		}
	}
	if v.Used, err = s.fileRows(c, in, list); err != nil {
		return err
	}
	if v.Near, err = s.fileRows(c, in, near); err != nil {
		return err
	}
	for i, f := range near {
		v.Near[i].Add = with(v.Upload, "stored", string(f))
	}
	return s.html(c, 200, v)
}

// fileRows is what there is to say of files.
func (s *Server) fileRows(c echo.Context, in at, files []page.Path) ([]web.FileRow, error) {
	ctx := c.Request().Context()
	names := make([]wiki.Child, len(files))
	for i, p := range files {
		names[i] = wiki.Child{Path: p}
	}
	lasts, err := s.Index.Lasts(ctx, in.Snapshot, names)
	if err != nil {
		return nil, err
	}
	ask, cancel := context.WithTimeout(ctx, s.askTime)
	defer cancel()
	rows := make([]web.FileRow, len(files))
	for i, p := range files {
		size, err := in.Size(ctx, p)
		if err != nil {
			return nil, err
		}
		row := web.FileRow{
			Name: p.Base(), Folder: p.Dir(), URL: in.URL(p), Kind: noun(c, p), Size: size,
			History: app(in.Space(), "history", p), Move: app(in.Space(), "move", p), Delete: app(in.Space(), "delete", p),
		}
		if i < len(lasts) && lasts[i].Rev != "" {
			st := stamp(lasts[i])
			row.Last, row.Ago = &st, time.Since(st.When)
		}
		if users, more, err := s.Index.Backlinks(ask, in.Snapshot, p, usersShown); err == nil {
			row.Pages, row.More, row.Asked = links(in, users), more, true
		} else if ctx.Err() != nil {
			return nil, err
		}
		rows[i] = row
	}
	return rows, nil
}

// nouns are what people call files with these endings.
var nouns = func() map[string]web.Text {
	all := map[string]web.Text{}
	for noun, exts := range map[web.Text]string{
		"Picture": "png jpg jpeg gif webp avif svg bmp ico tif tiff heic psd xcf", "Film": "mp4 webm mov m4v avi mkv ogv",
		"Sound": "mp3 ogg oga wav m4a flac opus aac", "Text": "txt text log rst adoc org tex rtf", "PDF": "pdf", "Table": "csv tsv xls xlsx ods",
		"Document": "doc docx odt pages epub", "Slides": "ppt pptx odp key", "Archive": "zip gz tgz bz2 xz 7z rar tar zst",
		"Drawing": "drawio excalidraw canvas", "Data": "json yaml yml toml xml sql",
	} {
		for ext := range strings.FieldsSeq(exts) {
			all["."+ext] = noun
		}
	}
	return all
}()

// noun is what people call a file of this name.
func noun(c echo.Context, p page.Path) string {
	ext := path.Ext(p.Base())
	if n := nouns[strings.ToLower(ext)]; n != "" {
		return say(c, n)
	}
	if len(ext) > 1 && len(ext) < 7 {
		return strings.ToUpper(ext[1:])
	}
	return say(c, "File")
}
