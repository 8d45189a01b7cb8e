package server

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"cairn/search"
	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file makes what stands around every view: header, page tree, crumbs, actions, notices.

// html renders a view and sends it.
func (s *Server) html(c echo.Context, status int, v web.View) error {
	b, err := s.site.Render(c.Request().Context(), v)
	if err != nil {
		return err
	}
	return s.send(c, status, b)
}

// send sends a view that is rendered.
func (s *Server) send(c echo.Context, status int, b []byte) error {
	s.heads(c.Response().Header())
	comeAgain(c, status)
	if status == 200 {
		if etag := weakTag(b); fresh(c, etag) {
			return c.NoContent(304)
		}
	}
	return c.HTMLBlob(status, b)
}

// heads sets what each view is sent with.
func (s *Server) heads(h http.Header) {
	h.Set("Cache-Control", "no-cache")
	h.Set("Speculation-Rules", strconv.Quote(s.site.Ahead()))
	h.Add("Vary", "Cookie")
	h.Add("Vary", "Accept-Language")
}

const keysURL = "/-/about/keys"

// keys lists what can be done by keyboard.
func (s *Server) keys(c echo.Context) error {
	return s.html(c, 200, web.Keys{Frame: s.bareFrame(c, say(c, "Keyboard"))})
}

// bareFrame is the frame of a view outside of any space, or when the space could not be had.
func (s *Server) bareFrame(c echo.Context, title string) web.Frame {
	return web.Frame{
		Title:   title,
		NoIndex: true,
		Here:    here(c.Request()),
		Spaces:  s.spaceLinks(c, ""),
		Nav:     web.Nav{Home: "/", Search: "/-/search", Keys: keysURL},
	}
}

// frame is the frame of a view in a space. p is the page that it is about, "" for none.
func (s *Server) frame(c echo.Context, in at, p page.Path, title string) web.Frame {
	space := in.Space()
	root := "/" + space + "/"
	f := web.Frame{
		Title:  title,
		Here:   here(c.Request()),
		Space:  space,
		Spaces: s.spaceLinks(c, space),
		Nav: web.Nav{
			Home: root, Search: "/-/search", Start: root + "-/start", Changes: root + "-/changes", Pages: root + "-/pages", Tags: root + "-/tags", Files: root + "-/files",
			Links: root + "-/links",
			New:   root + "-/new",
			Keys:  keysURL,
		},
		Tree:    s.tree(c, in, "", p),
		Trouble: say(c, trouble(in.space.Trouble())),
		Notice:  s.takeNotice(c),
	}
	if in.past != nil {
		f.Past, f.NoIndex = in.past, true
		f.Nav.Pages, f.Nav.Tags, f.Nav.Files, f.Nav.Links, f.Nav.New = "", "", "", "", "" // which are about now
	} else if dir := folderOf(p); dir != "" && p != "" {
		f.Nav.New += "?in=" + url.QueryEscape(dir)
	}
	if bar, ok := in.Names().Bar("_Sidebar", folderOf(p)); ok {
		f.Sidebar = s.bar(c, in, bar)
	}
	return f
}

// pageFrame is the frame of a view that is about one page: with its crumbs, and with what can be done with it.
func (s *Server) pageFrame(c echo.Context, in at, p page.Path, title string) web.Frame {
	f := s.frame(c, in, p, title)
	space := in.Space()
	f.Crumbs = crumbs(in, p)
	switch {
	case !in.Has(p):
	case in.past != nil:
		f.Actions.Source = source(in, p)
	default:
		f.Actions = web.Actions{
			Edit: app(space, "edit", p), History: app(space, "history", p), Files: app(space, "files", p), Source: source(in, p),
			Move: app(space, "move", p), Delete: app(space, "delete", p), Links: app(space, "links", p),
		}
	}
	return f
}

// formFrame is the frame of a form or a list about a page: it leads back to the page.
func (s *Server) formFrame(c echo.Context, in at, p page.Path, title string) web.Frame {
	f := s.frame(c, in, p, title)
	f.NoIndex = true
	f.Crumbs = crumbs(in, p)
	if in.Has(p) {
		f.Actions.View, f.Actions.File = in.URL(p), !p.IsPage()
	}
	return f
}

// bar is a side bar, header or footer that the space brings along; "" when it cannot be read.
func (s *Server) bar(c echo.Context, in at, p page.Path) web.HTML {
	b, err := in.Page(c.Request().Context(), p)
	if err != nil {
		s.Log.Warn("read a bar", "space", in.Space(), "path", p, "err", err)
		return ""
	}
	return web.HTML(b.HTML)
}

func (s *Server) spaceLinks(c echo.Context, current string) []web.SpaceLink {
	var links []web.SpaceLink
	for _, space := range s.Wiki.Spaces(c.Request().Context()) {
		if s.actor(c).CanRead(space.Name()) {
			links = append(links, web.SpaceLink{Name: space.Name(), URL: "/" + space.Name() + "/", Current: space.Name() == current})
		}
	}
	return links
}

// maxSiblings is how many names of a folder the tree shows; the list of pages has them all.
const maxSiblings = 100

// tree is the part of the page tree below a folder, which is open where it leads to p.
func (s *Server) tree(c echo.Context, in at, dir string, p page.Path) []web.TreeNode {
	ctx := c.Request().Context()
	near := p
	if slices.Contains(in.Names().Homes(dir), p) {
		near = "" // who comes to a folder sees its beginning
	}
	children, before, after, err := in.Around(ctx, dir, near, maxSiblings)
	if err != nil {
		s.Log.Warn("list a folder", "space", in.Space(), "folder", dir, "err", err)
		return nil
	}
	more := func(n int) web.TreeNode {
		rest := web.TreeNode{Name: web.SayN(ctx, n, "… %d more", "… %d more")}
		if in.past == nil {
			rest.URL = "/" + in.Space() + "/-/pages"
			if dir != "" {
				rest.URL += "?after=" + url.QueryEscape(dir+"/")
			}
		}
		return rest
	}
	nodes := make([]web.TreeNode, 0, len(children)+2)
	if before > 0 {
		nodes = append(nodes, more(before))
	}
	folders := map[string]bool{}
	for _, child := range children {
		if child.Folder {
			folders[string(child.Path)] = true
		}
	}
	for _, child := range children {
		switch {
		case child.Folder:
			nodes = append(nodes, s.branch(c, in, child.Path, p))
		case !folders[child.Path.Address()]: // else the page stands for its folder
			nodes = append(nodes, web.TreeNode{Name: child.Path.Title(), URL: in.URL(child.Path), Current: child.Path == p})
		}
	}
	if after > 0 {
		nodes = append(nodes, more(after))
	}
	return nodes
}

// branch is a folder in the tree, with what is in it where that leads to p.
func (s *Server) branch(c echo.Context, in at, dir, p page.Path) web.TreeNode {
	n := web.TreeNode{Name: dir.Base(), URL: in.URL(dir) + "/", IsFolder: true}
	if own, ok := in.Names().Page(string(dir)); ok {
		n.URL, n.Current = in.URL(own), own == p
	}
	if in.past == nil {
		n.Branch = "/" + in.Space() + "/-/tree/" + escape(string(dir)) + "/"
	}
	if n.Current || strings.HasPrefix(string(p), string(dir)+"/") {
		n.Open, n.Children = true, s.tree(c, in, string(dir), p)
	}
	return n
}

// branches answers with what is in a folder, as it stands in the tree.
func (s *Server) branches(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	dir, err := target(c)
	if err != nil {
		return err
	}
	dir = strings.TrimSuffix(dir, "/")
	ctx := c.Request().Context()
	if !in.IsFolder(ctx, dir) {
		return fmt.Errorf("%s: %w", dir, fs.ErrNotExist)
	}
	b, err := s.site.Branch(ctx, s.tree(c, in, dir, ""))
	if err != nil {
		return err
	}
	return s.sendPart(c, b)
}

// sendPart sends what scripts put into a view.
func (s *Server) sendPart(c echo.Context, b []byte) error {
	c.Response().Header().Set("X-Robots-Tag", "noindex")
	return s.send(c, 200, b)
}

// crumbs are the folders on the way to a page, and the page.
func crumbs(in at, p page.Path) []web.Crumb {
	all := []web.Crumb{{Name: in.Space(), URL: in.Root()}}
	for i, r := range p {
		if r == '/' {
			dir := p[:i]
			all = append(all, web.Crumb{Name: dir.Base(), URL: in.URL(dir) + "/"})
		}
	}
	if p != "" {
		all = append(all, web.Crumb{Name: p.Title(), URL: in.URL(p)})
	}
	return all
}

func folderOf(p page.Path) string {
	if p == "" {
		return ""
	}
	return p.Dir()
}

// source is the address of a file's bytes, of a page's Markdown.
func source(in at, p page.Path) string {
	u := in.URL(p)
	if ext := ".md"; strings.HasSuffix(string(p), ext) {
		return u + ext
	}
	return strings.TrimSuffix(u, url.PathEscape(p.Address())) + url.PathEscape(string(p))
}

// stamp is who made a change and when.
func stamp(ch search.Change) web.Stamp {
	return web.Stamp{Who: ch.By, When: ch.When, Note: subject(ch.Note)}
}

func subject(note string) string { return wiki.Commit{Note: note}.Subject() }

func short(r wiki.Rev) string { return string(r[:min(8, len(r))]) }

func links(in at, paths []page.Path) []web.PageLink {
	all := make([]web.PageLink, len(paths))
	for i, p := range paths {
		all[i] = web.PageLink{Title: p.Title(), URL: in.URL(p), Path: p.Address()}
		if all[i].Path == all[i].Title {
			all[i].Path = ""
		}
	}
	return all
}

// pieces hands marked text over to the looks.
func pieces(from []search.Piece) []web.Piece {
	all := make([]web.Piece, len(from))
	for i, p := range from {
		all[i] = web.Piece(p)
	}
	return all
}

// noticeCookie carries what was done over the redirect that follows a write.
const noticeCookie = "cairn_notice"

// tell leaves a sentence for the next page that the visitor sees.
func (s *Server) tell(c echo.Context, kind web.Kind, text string) {
	s.setCookie(c, noticeCookie, string(kind)+"\n"+text, 60)
}

// tellUndo is tell with a way to take back what was just done.
func (s *Server) tellUndo(c echo.Context, in at, kind web.Kind, rev wiki.Rev, text string) {
	s.tell(c, kind, text+"\n"+undoURL(in, rev))
}

func (s *Server) takeNotice(c echo.Context) *web.Notice {
	kind, text, ok := strings.Cut(cookie(c, noticeCookie), "\n")
	if !ok || len(text) > 600 {
		return nil
	}
	text, undo, _ := strings.Cut(text, "\n")
	switch k := web.Kind(kind); k {
	case web.Success, web.Info, web.Warning:
		s.setCookie(c, noticeCookie, "", -1)
		n := &web.Notice{Kind: k, Text: text}
		if undoAddress.MatchString(undo) { // whatever the cookie says, it leads to a form of this wiki
			n.Action = &web.Button{Label: say(c, "Undo"), URL: undo}
		}
		return n
	}
	return nil
}

var undoAddress = regexp.MustCompile(`^/[a-z0-9][a-z0-9-]*/-/undo/[0-9a-f]{40}$`)

// dateOf is the day of a moment (UTC).
func dateOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// daysOf groups what is sorted by time, newest first, by day (UTC).
func daysOf(changes []web.Change) []web.Day {
	var days []web.Day
	for _, ch := range changes {
		date := dateOf(ch.When)
		if len(days) == 0 || !days[len(days)-1].Date.Equal(date) {
			days = append(days, web.Day{Date: date})
		}
		last := &days[len(days)-1]
		last.Changes = append(last.Changes, ch)
	}
	return days
}
