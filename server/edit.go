package server

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file is the editor: a form, its preview, its save, and all that can come between.

// maxForm bounds a form: two texts at the limit of a page, as where somebody chooses between versions, of nothing but line
// ends, each percent-encoded in six bytes; and the fields beside them.
const maxForm = 2*6*wiki.MaxPage + 64<<10

// newPage asks for the name of a new page and says where it will live; it leads to the editor when the name is a good one.
// With "check" it only says so, to the script of its form.
func (s *Server) newPage(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	dir, typed := strings.Trim(strings.TrimSpace(c.QueryParam("in")), "/"), strings.Trim(strings.TrimSpace(c.QueryParam("path")), "/")
	v := web.NewPage{URL: "/" + in.Space() + "/-/new", Path: typed, Where: dir, Folders: folders(in), Cancel: in.Root()}
	if dir != "" && in.IsFolder(c.Request().Context(), dir) {
		v.Cancel = in.Root() + escape(dir) + "/"
	}
	status := 200
	if typed != "" {
		if dir != "" {
			typed = dir + "/" + typed
		}
		p, err := s.nameOf(c, in, typed, &v)
		if c.QueryParam("check") == "" && err == nil && (v.There == nil || c.QueryParam("sure") != "") {
			return c.Redirect(http.StatusSeeOther, app(in.Space(), "edit", p))
		}
		switch {
		case v.There != nil:
			status = 409
		case err != nil:
			e := explain(err)
			status, v.Error = e.status, e.told(c)
		}
	}
	if c.QueryParam("check") != "" {
		return c.JSON(200, map[string]any{"at": v.At, "url": v.Address, "error": v.Error, "offer": v.Offer, "there": v.There})
	}
	v.Frame = s.frame(c, in, "", say(c, "New page"))
	v.NoIndex = true
	return s.html(c, status, v)
}

// nameOf is the path that a new page of that name would have, and fills the form with what there is to say of it. There is
// set when a page has that name, or one so like it that links do not tell them apart; when the error is nil it may be written
// all the same.
func (s *Server) nameOf(c echo.Context, in at, typed string, v *web.NewPage) (page.Path, error) {
	p, exists, err := pageAt(in, typed)
	if exists {
		v.Error = say(c, "There is a page called %q already. Choose another name, or go on with that page.", p.Address())
		v.There = &web.Link{Label: p.Address(), URL: in.URL(p)}
		return p, fs.ErrExist
	}
	if err == nil {
		err = page.CheckNew(p)
	}
	if err == nil {
		err = linkable(p)
	}
	if err != nil {
		if name := (*page.NameError)(nil); errors.As(err, &name) && name.Offer != "" {
			v.Offer = name.Offer.Address()
			if rest, ok := strings.CutPrefix(v.Offer, v.Where+"/"); ok {
				v.Path = rest
			} else {
				v.Path, v.Where = v.Offer, ""
			}
		}
		return p, err
	}
	v.At, v.Address = strings.ReplaceAll(p.Address(), "/", " / "), page.URL(in.Space(), p)
	if near, ok := in.Names().Near(p.Address()); ok {
		v.There = &web.Link{Label: near.Address(), URL: in.URL(near)}
		if _, twin := in.Names().Twin(p); twin {
			v.Error = say(c, "There is a page called %q already, which differs only in capital letters or accents. Choose another name, or go on with that page.", near.Address())
			return p, fs.ErrExist
		}
		v.Sure = true
		v.Error = say(c, "There is a page called %q already, and links do not tell the two names apart. Go on with that page, unless you want both.", near.Address())
	}
	return p, nil
}

// linkable says whether a link can be written to a page of that name in the plain way. What is there already, or comes by a
// push, may be called otherwise.
func linkable(p page.Path) error {
	name := p.Address()
	switch {
	case strings.ContainsAny(name, "[]"):
		offer := page.Path(strings.NewReplacer("[", "(", "]", ")").Replace(string(p)))
		return &page.NameError{Path: p, Reason: "a name with [ or ] in it cannot be linked to", Offer: offer}
	case page.NamesFile(name):
		offer := page.Path(strings.TrimSuffix(name, path.Ext(name)) + strings.TrimPrefix(string(p), name))
		if page.CheckNew(offer) != nil {
			offer = ""
		}
		return &page.NameError{Path: p, Reason: "a link to a name that ends in %s is taken for one to a file", Args: []any{path.Ext(name)}, Offer: offer}
	}
	return nil
}

// maxFolders is how many folders a form offers; any other can be typed.
const maxFolders = 200

// folders are the first folders of a space.
func folders(in at) (all []string) {
	last := ""
	for p := range in.Names().All() {
		dir := p.Dir()
		if dir == last || dir == "" || !p.Served() {
			continue
		}
		last = dir
		if !slices.Contains(all, dir) {
			all = append(all, dir)
		}
		if len(all) == maxFolders {
			break
		}
	}
	return all
}

func offer(err error) string {
	var name *page.NameError
	if errors.As(err, &name) && name.Offer != "" && name.Offer != name.Path {
		return name.Offer.Address()
	}
	return ""
}

// edit is the editor, also for a page that is not there yet.
func (s *Server) edit(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	if !in.Has(p) {
		if to, ok, err := s.Index.Moved(c.Request().Context(), in.Snapshot, p); err == nil && ok {
			s.tell(c, web.Info, say(c, "%q has moved here.", p.Address()))
			return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), to))
		}
		if err := page.CheckNew(p); err != nil {
			return err
		}
		return s.html(c, 200, s.editView(c, in, p, writing{}))
	}
	text, err := in.Read(c.Request().Context(), p)
	if err != nil {
		return err
	}
	if !page.IsText(text) {
		return notText(c, in, p)
	}
	return s.html(c, 200, s.editView(c, in, p, writing{text: string(text), base: in.Rev()}))
}

// unmarked is a text as a form has it, without the byte order mark of its file: what is typed before it would leave it in
// the middle of the page. page.Adopt gives it back.
func unmarked(text string) string { return strings.TrimPrefix(text, "\ufeff") }

// notText refuses to edit what a browser would spoil.
func notText(c echo.Context, in at, p page.Path) error {
	return &badRequest{
		status: 415, detail: "This page is not text in UTF-8, so editing it here would spoil it. Convert it with a program on your own computer, and push it.",
		next: &web.Link{Label: say(c, "Its bytes"), URL: source(in, p)},
	}
}

// writing is what stands in the editor.
type writing struct {
	text, note, name string
	base             wiki.Rev // what it began from, or the id of that blob; "" for nothing
	preview          bool
	failed           error
}

func (s *Server) editView(c echo.Context, in at, p page.Path, w writing) web.Edit {
	title := say(c, "Edit %s", p.Title())
	if w.base == "" {
		title = say(c, "Write %s", p.Title())
	}
	v := web.Edit{
		Frame: s.formFrame(c, in, p, title),
		Form:  s.form(c, in, p, "edit", w),
		New:   w.base == "", Path: p.Address(), Text: unmarked(w.text), Shown: w.preview,
		Names:  "/" + in.Space() + "/-/names?at=" + url.QueryEscape(p.Address()),
		Upload: app(in.Space(), "upload", p),
	}
	v.Form.Usual = "Change " + p.Address()
	if v.New {
		v.Form.Usual = "Write " + p.Address()
	}
	if w.preview {
		if shown, err := in.Preview(c.Request().Context(), p, []byte(w.text)); err == nil { // else they have left
			v.Preview = web.HTML(shown.HTML)
		}
	}
	return v
}

// form is what all forms that change a page have in common.
func (s *Server) form(c echo.Context, in at, p page.Path, verb string, w writing) web.Form {
	f := web.Form{
		URL: app(in.Space(), verb, p), Base: string(w.base), Note: w.note, AskName: true, Name: w.name,
		Cancel: page.URL(in.Space(), p),
	}
	if f.Name == "" {
		f.Name = cookie(c, nameCookie)
	}
	if !in.Has(p) {
		f.Cancel = "/" + in.Space() + "/"
	}
	if w.failed != nil {
		f.Error = explain(w.failed).told(c)
		if o := offer(w.failed); o != "" {
			f.Error += " " + say(c, "You could call it %q.", o)
		}
	}
	return f
}

// fields reads a form that has been posted; what stands in the address is no part of it. The first value of a field
// counts, and those that are needed must be there: a form that says nothing must not empty a page.
func fields(c echo.Context, needed ...string) (url.Values, error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	var err error
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/x-www-form-urlencoded":
		err = r.ParseForm()
	case "multipart/form-data":
		err = r.ParseMultipartForm(maxForm)
	default:
		return nil, bad(415, "Send a form (application/x-www-form-urlencoded); programs write by the API at /-/api/v1.")
	}
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, bad(413, "The text is too long to be sent: a page may have at most %d MB. Go back, and split it into several pages.", wiki.MaxPage>>20)
		}
		return nil, bad(400, "The form could not be read.")
	}
	for _, name := range needed {
		if !r.PostForm.Has(name) {
			return nil, bad(400, "The form has no field %q.", name)
		}
	}
	return r.PostForm, nil
}

// save takes the editor's form: shows a preview, or saves.
func (s *Server) save(c echo.Context) error {
	in, p, lost := s.possible(c)
	form, err := fields(c, "text")
	if err != nil {
		return err
	}
	if lost != nil {
		return s.handBack(c, lost, form.Get("text"))
	}
	w, edit, err := s.written(c, in, p, form)
	if err != nil {
		return s.saveFailed(c, in, w, edit, err)
	}
	if w.preview {
		return s.html(c, 200, s.editView(c, in, p, w))
	}
	if marked(w.text) {
		return s.saveFailed(c, in, w, edit, bad(422, "The text still has the marks of both versions in it (the lines that begin with <<<<<<<, ======= and >>>>>>>). Keep what is right between them, and remove the marks."))
	}
	saved, err := s.saveHere(c, in, s.signed(c, w.name), &edit)
	if err != nil {
		return s.saveFailed(c, in, w, edit, err)
	}
	switch {
	case edit.Path != p:
		s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Saved. Somebody has moved the page here meanwhile."))
	case saved.Unchanged:
		s.tell(c, web.Info, say(c, "Nothing was changed, so nothing was saved."))
	case saved.Merged:
		s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Saved. Somebody else had saved meanwhile; both changes are in the page now."))
	case w.base == "":
		s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Saved: the page is there now."))
	default:
		s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Saved."))
	}
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), edit.Path))
}

// saveHere saves, where the page is by now: then the edit is changed with it.
func (s *Server) saveHere(c echo.Context, in at, by wiki.Actor, e *wiki.Edit) (wiki.Saved, error) {
	saved, err := in.space.Save(c.Request().Context(), by, *e)
	var clash *wiki.Conflict
	if errors.As(err, &clash) && clash.Gone && s.follow(c, in, e) {
		return in.space.Save(c.Request().Context(), by, *e)
	}
	return saved, err
}

// follow turns an edit of a page that has moved meanwhile into one of the page at its new name, if it has.
func (s *Server) follow(c echo.Context, in at, e *wiki.Edit) bool {
	ctx := c.Request().Context()
	head, err := in.space.Head(in.by)
	if err != nil {
		return false
	}
	to, ok, err := s.Index.Moved(ctx, head, e.Path)
	if err != nil || !ok {
		return false
	}
	if e.Blob == "" {
		old, err := in.space.At(ctx, in.by, string(e.Base))
		if err != nil {
			return false
		}
		if e.Blob, ok = old.Blob(ctx, e.Path); !ok {
			return false
		}
	}
	e.Path, e.Base = to, ""
	return true
}

// marked tells whether somebody saves the marks that a conflict has left in their text.
func marked(text string) bool {
	open, _, ok := strings.Cut("\n"+text, "\n<<<<<<< "+wiki.MineLabel)
	return ok && strings.Contains(text[len(open):], ">>>>>>> "+wiki.TheirsLabel)
}

// handBack tells why a form cannot be taken at all, and gives its text back.
func (s *Server) handBack(c echo.Context, err error, text string) error {
	if !wantsHTML(c.Request()) || text == "" {
		return err
	}
	p := explain(err)
	return s.html(c, p.status, web.Message{
		Frame: s.bareFrame(c, say(c, p.title)), Status: p.status, Text: p.told(c), Kept: text,
		Next: &web.Link{Label: say(c, "Home page"), URL: "/"},
	})
}

// based says what an edit began from: a revision, or the id of a blob.
func (s *Server) based(c echo.Context, in at, e wiki.Edit, base wiki.Rev) wiki.Edit {
	if old, err := in.space.At(c.Request().Context(), in.by, string(base)); err == nil {
		e.Base = old.Rev()
	} else {
		e.Blob = string(base)
	}
	return e
}

func baseOf(e wiki.Edit) wiki.Rev {
	if e.Blob != "" {
		return wiki.Rev(e.Blob)
	}
	return e.Base
}

// adopt is the text of a form with the line endings of the file that it began from.
func (s *Server) adopt(c echo.Context, in at, e wiki.Edit, text string) []byte {
	original, err := in.space.Original(c.Request().Context(), in.by, e)
	if err != nil {
		original = nil // saving it says why
	}
	return page.Adopt(original, []byte(text))
}

// saveFailed gives the writer the text back, with what can be done now.
func (s *Server) saveFailed(c echo.Context, in at, w writing, e wiki.Edit, err error) error {
	var clash *wiki.Conflict
	if !wantsHTML(c.Request()) && errors.As(err, &clash) {
		return err
	}
	status := explain(err).status
	if status >= 500 {
		s.Log.Error("save", "space", in.Space(), "path", e.Path, "err", err)
	}
	if !errors.As(err, &clash) {
		w.failed = err
		return s.html(c, status, s.editView(c, in, e.Path, w))
	}
	head, err := in.space.Head(in.by)
	if err != nil {
		return err
	}
	in.Snapshot, w.base = head, baseOf(e)
	return s.html(c, status, s.conflictView(c, in, w, clash))
}

// preview is the HTML that a save would show.
func (s *Server) preview(c echo.Context) error {
	form, err := fields(c, "text")
	if err != nil {
		return err
	}
	in, err := s.inSpace(c, form.Get("space"))
	if err != nil {
		return err
	}
	p, _, err := pageAt(in, form.Get("path"))
	if err != nil {
		return err
	}
	shown, err := in.Preview(c.Request().Context(), p, []byte(form.Get("text")))
	if err != nil {
		return err
	}
	return c.HTML(200, shown.HTML)
}
