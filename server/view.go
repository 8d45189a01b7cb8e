package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file shows pages and folders, and what stands where there is none.

// start is the wiki's own address: the first space's home page, or the list of spaces when there are several.
func (s *Server) start(c echo.Context) error {
	spaces := s.readable(c)
	if len(spaces) == 1 {
		return c.Redirect(http.StatusFound, "/"+spaces[0].Space()+"/")
	}
	v := web.Spaces{Frame: s.bareFrame(c, say(c, "Spaces"))}
	v.NoIndex = false
	for _, in := range spaces {
		entry := web.Space{Name: in.Space(), URL: "/" + in.Space() + "/", Pages: in.PageCount(), Door: say(c, "Everyone who can open this wiki reads and writes")}
		if home, ok := s.home(c, at{Snapshot: in}, ""); ok {
			if got, err := in.Page(c.Request().Context(), home); err == nil {
				entry.Text = page.Lead(got.HTML)
			}
		}
		if recent, err := s.Index.Recent(c.Request().Context(), in, "", 1); err == nil && len(recent.Commits) > 0 {
			entry.Last = recent.Commits[0].When
		}
		v.List = append(v.List, entry)
	}
	return s.html(c, 200, v)
}

func (s *Server) toHome(c echo.Context) error {
	name := strings.TrimSuffix(c.Param("space"), ".git") // the address for git, opened in a browser
	if _, err := s.inSpace(c, name); err != nil {
		return err
	}
	return forGood(c, "/"+name+"/")
}

// view answers the address of a page, of its source, or of a file.
func (s *Server) view(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	address, err := target(c)
	if err != nil {
		return err
	}
	if rev := c.QueryParam("rev"); rev != "" {
		return s.viewOld(c, in, address, rev)
	}
	return s.show(c, in, address)
}

// show answers what an address names, now or then.
func (s *Server) show(c echo.Context, in at, address string) error {
	names := in.Names()
	if p, ok := names.Page(address); ok && address != "" && p.Served() {
		return s.viewPage(c, in, p)
	}
	if p, err := page.ParsePath(address); err == nil && names.Has(p) && p.Served() {
		return s.serveFile(c, in, p)
	}
	if dir, ok := strings.CutSuffix(address, "/"); ok || address == "" {
		return s.viewFolder(c, in, dir)
	}
	if in.IsFolder(c.Request().Context(), address) {
		return forGood(c, in.Root()+escape(address+"/"))
	}
	return s.elsewhere(c, in, address)
}

func (s *Server) viewFolder(c echo.Context, in at, dir string) error {
	ctx := c.Request().Context()
	if home, ok := s.home(c, in, dir); ok && in.IsFolder(ctx, dir) {
		return s.viewPage(c, in, home)
	}
	if !in.IsFolder(ctx, dir) {
		if p, ok := in.Names().Page(dir); ok {
			return forGood(c, in.URL(p))
		}
		return s.elsewhere(c, in, dir)
	}
	// A page beside the folder, of the same name, stands for it.
	if p, ok := in.Names().Page(dir); ok && dir != "" {
		return c.Redirect(http.StatusFound, in.URL(p))
	}
	v, err := s.folderView(c, in, dir)
	if err != nil {
		return err
	}
	return s.html(c, 200, v)
}

// folderView lists what there is in a folder that no page stands for.
func (s *Server) folderView(c echo.Context, in at, dir string) (v web.Folder, err error) {
	home, title := page.Path("Home.md"), in.Space()
	if dir != "" {
		home, title = page.Path(dir+"/Home.md"), page.Path(dir).Base()
	}
	v.Frame = s.frame(c, in, home, title)
	v.Crumbs = crumbs(in, home)[:strings.Count(string(home), "/")+1]
	if in.past == nil {
		v.Write, v.Clone = app(in.Space(), "edit", home), s.cloneBox(c, in)
		v.Empty = dir == "" && in.PageCount() == 0
	}
	if in.past == nil && dir != "" {
		v.Actions.NewHere = v.Nav.New
		v.Actions.Move = "/" + in.Space() + "/-/move/" + escape(dir) + "/"
		v.Actions.Delete = "/" + in.Space() + "/-/delete/" + escape(dir) + "/"
	}
	all, err := in.Children(c.Request().Context(), dir)
	if err != nil {
		return v, err
	}
	shown := all[:min(len(all), maxFolder)]
	v.More = len(all) - len(shown)
	v.Entries, err = s.listing(c, in, shown)
	return v, err
}

// maxFolder is how many names of a folder its view lists; the list of pages has them all.
const maxFolder = 1000

// listing is what there is of a list of names, with the last change of each; none in the past, which the index does not
// know.
func (s *Server) listing(c echo.Context, in at, names []wiki.Child) ([]web.Listed, error) {
	var lasts []search.Change
	if in.past == nil {
		var err error
		if lasts, err = s.Index.Lasts(c.Request().Context(), in.Snapshot, names); err != nil {
			return nil, err
		}
	}
	list := make([]web.Listed, len(names))
	for i, n := range names {
		l := web.Listed{Name: n.Path.Base(), URL: in.URL(n.Path), IsFolder: n.Folder}
		switch {
		case n.Folder:
			l.URL += "/"
		case n.Path.IsPage():
			l.Name = n.Path.Title()
		}
		if i < len(lasts) && lasts[i].Rev != "" {
			st := stamp(lasts[i])
			l.Last, l.Ago = &st, time.Since(st.When)
			if n.Path.IsPage() {
				l.History = app(in.Space(), "history", n.Path)
			}
		}
		list[i] = l
	}
	return list, nil
}

// home is the page to show for a folder: the first that says something, since some wikis keep an empty Home beside the
// page that people read.
func (s *Server) home(c echo.Context, in at, dir string) (page.Path, bool) {
	homes := in.Names().Homes(dir)
	for _, p := range homes {
		if got, err := in.Page(c.Request().Context(), p); err == nil && strings.TrimSpace(got.HTML) != "" {
			return p, true
		}
	}
	if len(homes) == 0 {
		return "", false
	}
	return homes[0], true
}

func (s *Server) viewPage(c echo.Context, in at, p page.Path) error {
	ctx := c.Request().Context()
	got, err := in.Page(ctx, p)
	if err != nil {
		return err
	}
	key, _ := s.keyOf(c, in)
	v := s.pageView(c, in, got)
	if in.past != nil {
		return s.html(c, 200, v)
	}
	v.Body = web.HTML(s.tickable(in, got))
	if last, err := s.Index.Last(ctx, in.Snapshot, p); err == nil {
		st := stamp(last)
		v.Last = &st
	}
	v.Owner, v.Review, v.Now = got.Doc.Owner, got.Doc.Review, time.Now()
	backlinks, _, err := s.Index.Backlinks(ctx, in.Snapshot, p, 200)
	if err != nil {
		s.Log.Warn("backlinks", "space", in.Space(), "path", p, "err", err)
	}
	v.Backlinks = links(in, backlinks)
	return s.keep(c, in, key, v)
}

// pageView is a page as readers see it, without what the index knows of it.
func (s *Server) pageView(c echo.Context, in at, got *wiki.Page) web.Page {
	p, doc := got.Path, got.Doc
	v := web.Page{
		Frame:    s.pageFrame(c, in, p, doc.Title),
		Body:     web.HTML(got.HTML),
		BodyLang: doc.Lang,
		TitleID:  doc.TitleID,
		Outline:  outline(doc.Outline),
	}
	if in.past == nil {
		v.Clone = s.cloneBox(c, in)
		for _, tag := range doc.Tags {
			v.Tags = append(v.Tags, web.Link{Label: tag, URL: "/" + in.Space() + "/-/tags/" + escape(tag)})
		}
		if s.URL != "" {
			v.Canonical = s.URL + in.URL(p)
		}
	}
	if bar, ok := in.Names().Bar("_Header", p.Dir()); ok && bar != p {
		v.Header = s.bar(c, in, bar)
	}
	if bar, ok := in.Names().Bar("_Footer", p.Dir()); ok && bar != p {
		v.Footer = s.bar(c, in, bar)
	}
	return v
}

// viewOld is a page as it was at a revision, with a way to bring that back.
func (s *Server) viewOld(c echo.Context, in at, address, rev string) error {
	ctx := c.Request().Context()
	old, err := in.space.At(ctx, in.by, rev)
	if err != nil {
		return err
	}
	p, ok := pageThen(c, old, address)
	if !ok || !p.Served() {
		if p, err = page.ParsePath(address); err == nil && p.Served() {
			return s.serveFile(c, at{Snapshot: old, space: in.space, by: in.by}, p)
		}
		return fmt.Errorf("%s at %s: %w", address, rev, fs.ErrNotExist)
	}
	text, err := old.Read(ctx, p)
	if err != nil {
		return err
	}
	commit, err := in.space.Commit(ctx, in.by, rev)
	if err != nil {
		return err
	}
	shown, err := in.Preview(ctx, p, text) // links lead to the pages of today
	if err != nil {
		return err
	}
	v := s.pageView(c, in, shown)
	v.NoIndex = true
	v.Actions = web.Actions{History: app(in.Space(), "history", p)}
	v.Old = &web.OldRevision{
		When: commit.When, Who: commit.Author,
		Restore: &web.Button{Label: say(c, "Restore this revision"), URL: restoreURL(in, p, old.Rev())},
	}
	if in.Has(p) {
		v.Old.Current = page.URL(in.Space(), p)
	} else if to, ok, err := s.Index.Moved(ctx, in.Snapshot, p); err == nil && ok {
		v.Old.Current = page.URL(in.Space(), to)
		v.Old.Restore.URL = restoreURL(in, to, old.Rev())
	}
	return s.html(c, 200, v)
}

// pageThen is the page at an address of an old snapshot. Only an address that is not simply a file's asks for all names
// of that time.
func pageThen(c echo.Context, old *wiki.Snapshot, address string) (page.Path, bool) {
	if p, err := page.ParsePath(address + ".md"); err == nil {
		if _, ok := old.Blob(c.Request().Context(), p); ok {
			return p, true
		}
	}
	if p, ok := old.Names().Page(address); ok && address != "" {
		return p, true
	}
	if dir, ok := strings.CutSuffix(address, "/"); ok || address == "" {
		return old.Names().Home(dir)
	}
	return "", false
}

// forGood sends the browser to where a page is now. It must ask again each time: what has been moved can be moved back,
// and a browser that keeps both answers goes round.
func forGood(c echo.Context, url string) error {
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.Redirect(http.StatusMovedPermanently, url)
}

// elsewhere answers an address that names nothing: by a redirect to what it has become, or by what can be done now.
func (s *Server) elsewhere(c echo.Context, in at, address string) error {
	ctx := c.Request().Context()
	if p, ok := in.Names().Near(address); ok {
		return forGood(c, in.URL(p))
	}
	if in.past != nil {
		return s.notThen(c, in, address)
	}
	p, _, err := pageAt(in, address)
	if err != nil {
		return err
	}
	url, err := s.formerly(ctx, in, address, p)
	if err != nil {
		return err
	}
	if url != "" {
		return forGood(c, url)
	}
	if !wantsHTML(c.Request()) {
		return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	if file, err := page.ParsePath(address); err == nil && file.Served() && !file.IsPage() {
		_, err := s.Index.Deleted(ctx, in.Snapshot, file)
		if err == nil || page.NamesFile(address) {
			return s.viewMissing(c, in, file)
		}
	}
	return s.viewMissing(c, in, p)
}

// formerly is where an address that names nothing leads by now, because what it named has moved here or, as tables tell that
// the space has brought along, elsewhere before; "" for nowhere. p is the page that it would name.
func (s *Server) formerly(ctx context.Context, in at, address string, p page.Path) (url string, err error) {
	to, ok, err := s.Index.Moved(ctx, in.Snapshot, p)
	if err == nil && !ok { // a file that is no page
		if file, ferr := page.ParsePath(address); ferr == nil {
			to, ok, err = s.Index.Moved(ctx, in.Snapshot, file)
		}
	}
	switch {
	case err != nil:
		return "", err
	case ok && address == string(p): // its source
		return source(in, to), nil
	case ok:
		return page.URL(in.Space(), to), nil
	}
	if to, ok := in.Redirects(ctx).At(address); ok {
		return in.URL(to), nil
	}
	dir, ok := in.Redirects(ctx).Folder(strings.TrimSuffix(address, "/"))
	if !ok {
		dir, ok, err = s.Index.MovedFolder(ctx, in.Snapshot, strings.TrimSuffix(address, "/"))
	}
	if err != nil || !ok {
		return "", err
	}
	return in.Root() + escape(dir) + "/", nil
}

func (s *Server) viewMissing(c echo.Context, in at, p page.Path) error {
	ctx := c.Request().Context()
	v := web.Missing{
		Frame:  s.frame(c, in, p, p.Title()),
		Path:   p.Address(),
		File:   !p.IsPage(),
		Search: "/-/search?space=" + in.Space() + "&q=" + url.QueryEscape(p.Title()),
	}
	if p.IsPage() {
		v.Write = app(in.Space(), "edit", p)
		v.Close = links(in, meant(in, p))
	}
	v.NoIndex = true
	v.Crumbs = crumbs(in, p)
	wanted, _, err := s.Index.Backlinks(ctx, in.Snapshot, p, 200)
	if err != nil {
		return err
	}
	v.Wanted = links(in, wanted)
	switch gone, err := s.Index.Deleted(ctx, in.Snapshot, p); {
	case err == nil:
		v.Deleted = &web.Deleted{Stamp: stamp(gone.Change), History: app(in.Space(), "history", p)}
		v.Deleted.Restore = restoreURL(in, p, gone.Before)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return s.html(c, 404, v)
}

// meant are pages that an address could be meant for: those that call themselves so, and those of a name close to it. An
// alias is no address: it may come and go with a line of its page, and a page may yet be written there.
func meant(in at, p page.Path) []page.Path {
	list := in.Names().Like(p.Address(), 5)
	called := in.Context().Also.Called
	if called == nil {
		return list
	}
	var first []page.Path
	for _, name := range []string{p.Address(), p.Base()} {
		for _, q := range called(page.Fold(page.Path(name).Address())) {
			if !slices.Contains(first, q) && q.Served() {
				first = append(first, q)
			}
		}
	}
	list = slices.DeleteFunc(list, func(q page.Path) bool { return slices.Contains(first, q) })
	return append(first, list...)
}

// outline nests headings under those of a higher rank.
func outline(flat []page.Heading) []web.Heading {
	var take func(level int) []web.Heading
	take = func(level int) []web.Heading {
		var out []web.Heading
		for len(flat) > 0 && flat[0].Level >= level {
			h := flat[0]
			flat = flat[1:]
			out = append(out, web.Heading{Text: h.Text, ID: h.ID, Children: take(h.Level + 1)})
		}
		return out
	}
	return take(1)
}

func escape(s string) string { return (&url.URL{Path: s}).EscapedPath() }
