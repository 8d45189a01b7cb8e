package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
	"cairn/storage/wiki"
	"cairn/web"
)

// This file takes files: by a form that works without scripts, from programs, and by PUT. What comes is kept on disk until
// it is whole, so that a slow client costs no memory; only then it is read to be stored, within the bounds of held.go.

const (
	maxUpload = 2 * wiki.MaxFile // bytes of all files of one form
	maxFiles  = 50               // in one form
	maxField  = 4 << 10          // bytes of a field that is no file
)

// spool holds what has come so far of the files of one request.
type spool struct {
	s     *Server
	file  *os.File
	size  int64
	taken int64 // of Server.spooled
	files []spooledFile
}

type spooledFile struct {
	name     string
	from, to int64
}

// newSpool makes a spool, in the data folder: elsewhere files may lie in memory.
func (s *Server) newSpool() (*spool, error) {
	f, err := s.Wiki.Spool()
	if err != nil {
		return nil, err
	}
	return &spool{s: s, file: f}, nil
}

func (p *spool) close() {
	p.file.Close()
	p.s.spooled.Release(p.taken)
}

// Write makes a spool an io.Writer.
func (p *spool) Write(b []byte) (int, error) {
	for p.size+int64(len(b)) > p.taken {
		if !p.s.spooled.TryAcquire(1 << 20) {
			return 0, errNoRoom
		}
		p.taken += 1 << 20
	}
	n, err := p.file.Write(b)
	p.size += int64(n)
	return n, err
}

// add takes one file, of at most limit bytes. What is longer is read to its end, so that the sender hears of it, and is
// wiki.ErrTooLarge.
func (p *spool) add(name string, r io.Reader, limit int64) error {
	from := p.size
	if _, err := io.Copy(p, io.LimitReader(r, limit)); err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, r)
	if err != nil {
		return err
	}
	if more > 0 {
		return fmt.Errorf("%q: %w", name, wiki.ErrTooLarge)
	}
	p.files = append(p.files, spooledFile{name, from, p.size})
	return nil
}

// load reads the files into memory, until done is called.
func (p *spool) load(ctx context.Context) (files []wiki.File, done func(), err error) {
	done, err = p.s.storing.take(ctx, p.size)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range p.files {
		b := make([]byte, f.to-f.from)
		if _, err := p.file.ReadAt(b, f.from); err != nil && len(b) > 0 {
			done()
			return nil, nil, err
		}
		files = append(files, wiki.File{Name: f.name, Data: b})
	}
	return files, done, nil
}

// received is the body of a request that is one file, until done is called.
func (s *Server) received(c echo.Context, limit int64) (b []byte, done func(), err error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
	first, err := io.ReadAll(io.LimitReader(r.Body, smallFile))
	if err != nil || len(first) < smallFile {
		return first, func() {}, err
	}
	p, err := s.newSpool()
	if err != nil {
		return nil, nil, err
	}
	defer p.close()
	if err := p.add("", io.MultiReader(strings.NewReader(string(first)), r.Body), limit); err != nil {
		return nil, nil, err
	}
	files, done, err := p.load(r.Context())
	if err != nil {
		return nil, nil, err
	}
	return files[0].Data, done, nil
}

// parts reads a form with files. The first value of a field counts.
func (p *spool) parts(c echo.Context) (url.Values, error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxUpload+1<<20)
	all, err := r.MultipartReader()
	if err != nil {
		return nil, bad(400, `Send the file as the field "file" of a form (multipart/form-data).`)
	}
	form := url.Values{}
	var large error
	for n := 0; ; n++ {
		part, err := all.NextPart()
		if err == io.EOF {
			return form, large
		}
		if err != nil {
			return form, unreadable(err)
		}
		name, isFile := fileOf(part)
		switch {
		case n >= 2*maxFiles || isFile && name != "" && len(p.files) >= maxFiles:
			return form, bad(413, "At most %d files can be sent at once. Send the others after them.", maxFiles)
		case isFile && name != "":
			err := p.add(name, part, wiki.MaxFile)
			if errors.Is(err, wiki.ErrTooLarge) && large == nil {
				large = bad(413, "%q is too large, so nothing has been stored: a file may have at most %d MB.", name, wiki.MaxFile>>20)
			} else if err != nil && !errors.Is(err, wiki.ErrTooLarge) {
				return form, unreadable(err)
			}
		case !isFile && !form.Has(part.FormName()):
			b, err := io.ReadAll(io.LimitReader(part, maxField))
			if err != nil {
				return form, unreadable(err)
			}
			form.Set(part.FormName(), string(b))
		}
	}
}

// fileOf is the name of the file in a part of a form: a browser sends one without a name where none was chosen.
func fileOf(part *multipart.Part) (name string, ok bool) {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return "", false
	}
	name, ok = params["filename"]
	return name, ok
}

// unreadable is what to tell of a form that breaks off.
func unreadable(err error) error {
	var large *http.MaxBytesError
	var told *badRequest
	switch {
	case errors.As(err, &large):
		return bad(413, "That is too much at once, so nothing has been stored: a file may have at most %d MB, and all files of one form %d MB. Send fewer files at once.", wiki.MaxFile>>20, maxUpload>>20)
	case errors.As(err, &told), ofDisk(err):
		return err
	}
	return bad(400, "The form broke off or could not be read, so nothing has been stored. Send it again.")
}

// askUpload is the form for files, and after an upload what to do with them.
func (s *Server) askUpload(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	v := s.uploadView(c, in, p, writing{})
	for _, name := range c.QueryParams()["stored"] {
		file, err := page.ParsePath(name)
		if err == nil && !file.IsPage() && file.Served() && in.Has(file) && len(v.Stored) < maxFiles {
			v.Stored = append(v.Stored, storedView(in, p, file))
		}
	}
	return s.html(c, 200, v)
}

func (s *Server) uploadView(c echo.Context, in at, p page.Path, w writing) web.Upload {
	v := web.Upload{
		Frame: s.formFrame(c, in, p, say(c, "Upload files for %s", p.Title())),
		Form:  s.form(c, in, p, "upload", w),
		Page:  p.Title(), Folder: in.FolderFor(c.Request().Context(), p),
		Limit: say(c, "A file may have up to %d MB, all together %d MB.", wiki.MaxFile>>20, maxUpload>>20),
	}
	if in.Has(p) {
		v.Files = app(in.Space(), "files", p)
	}
	return v
}

func storedView(in at, p, file page.Path) web.Stored {
	text := in.Profile().Insert(p, file)
	v := web.Stored{Name: string(file), URL: in.URL(file), Markdown: text}
	if strings.HasPrefix(text, "!") {
		v.Small = with(v.URL, "width", "160")
	}
	return v
}

type apiStored struct {
	Path     page.Path `json:"path"`
	URL      string    `json:"url"`
	Markdown string    `json:"markdown"`
}

// upload stores files for a page, or adds some that are stored to its text.
func (s *Server) upload(c echo.Context) error {
	in, p, err := s.possible(c)
	if err != nil {
		return err
	}
	if kind, _, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		return s.addToPage(c, in, p)
	}
	sp, err := s.newSpool()
	if err != nil {
		return err
	}
	defer sp.close()
	form, err := sp.parts(c)
	if err == nil && len(sp.files) == 0 {
		err = bad(400, "No file was sent. Choose one first.")
	}
	var up wiki.Uploaded
	if err == nil {
		up, err = s.store(c, in, p, sp, form)
	}
	if err != nil {
		return s.uploadFailed(c, in, p, form, err)
	}
	if wantsHTML(c.Request()) {
		return s.uploaded(c, in, p, up)
	}
	files := []apiStored{}
	for _, file := range up.Paths {
		files = append(files, apiStored{file, page.URL(in.Space(), file), in.Profile().Insert(p, file)})
	}
	c.Response().Header().Set("Cairn-Revision", string(up.Rev))
	return c.JSON(201, struct {
		apiStored
		Revision wiki.Rev    `json:"revision"`
		Files    []apiStored `json:"files"`
	}{files[0], up.Rev, files})
}

func (s *Server) store(c echo.Context, in at, p page.Path, sp *spool, form url.Values) (wiki.Uploaded, error) {
	ctx := c.Request().Context()
	files, done, err := sp.load(ctx)
	if err != nil {
		return wiki.Uploaded{}, err
	}
	defer done()
	return in.space.Upload(ctx, s.signed(c, form.Get("name")), p, files, form.Get("note"))
}

// uploadFailed shows the form anew. Files cannot be handed back to a browser: they are chosen again.
func (s *Server) uploadFailed(c echo.Context, in at, p page.Path, form url.Values, err error) error {
	if !wantsHTML(c.Request()) || explain(err).status >= 500 {
		return err
	}
	return s.html(c, explain(err).status, s.uploadView(c, in, p, writing{note: form.Get("note"), name: form.Get("name"), failed: err}))
}

// uploaded leads a person to what can be done with the files now.
func (s *Server) uploaded(c echo.Context, in at, p page.Path, up wiki.Uploaded) error {
	name := ""
	if len(up.Paths) > 0 {
		name = up.Paths[0].Base()
	}
	ctx := c.Request().Context()
	if up.Unchanged {
		s.tell(c, web.Info, web.SayN(ctx, len(up.Paths), "%[2]q is in the wiki already, so nothing had to be stored.", "%[1]d files are in the wiki already, so nothing had to be stored.", name))
	} else {
		s.tellUndo(c, in, web.Success, up.Rev, web.SayN(ctx, len(up.Paths), "%[2]q is in the wiki now, and not yet on the page.", "%[1]d files are in the wiki now, and not yet on the page.", name))
	}
	to := url.Values{}
	for _, file := range up.Paths {
		to.Add("stored", string(file))
	}
	return c.Redirect(http.StatusSeeOther, app(in.Space(), "upload", p)+"?"+to.Encode())
}

// addToPage writes the Markdown of files at the end of a page, and saves that.
func (s *Server) addToPage(c echo.Context, in at, p page.Path) error {
	form, err := fields(c, "add")
	if err != nil {
		return err
	}
	text := ""
	edit := wiki.Edit{Path: p}
	if in.Has(p) {
		b, err := in.Read(c.Request().Context(), p)
		if err != nil {
			return err
		}
		text, edit.Base = string(b), in.Rev()
	}
	var names []string
	was := text
	for _, name := range form["add"][:min(len(form["add"]), maxFiles)] {
		file, err := page.ParsePath(name)
		if err != nil || file.IsPage() || !in.Has(file) {
			return bad(404, "There is no file called %q any more, so nothing was added to the page.", name)
		}
		if text != "" {
			text = strings.TrimRight(text, "\r\n") + "\n\n"
		}
		text += in.Profile().Insert(p, file) + "\n"
		names = append(names, file.Base())
	}
	w := writing{text: text, note: "Add " + strings.Join(names, ", "), name: form.Get("name"), base: edit.Base}
	edit.Text, edit.Note = page.Adopt([]byte(was), []byte(text)), w.note
	saved, err := in.space.Save(c.Request().Context(), s.signed(c, w.name), edit)
	if err != nil {
		return s.saveFailed(c, in, w, edit, err)
	}
	s.tellUndo(c, in, web.Success, saved.Rev, say(c, "Saved. You find %s at the end of the page; edit it to move it elsewhere.", strings.Join(names, ", ")))
	return c.Redirect(http.StatusSeeOther, page.URL(in.Space(), p))
}
