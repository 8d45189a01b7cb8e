package server

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"cairn/search"
	"cairn/storage/wiki"
)

// Whatever goes wrong, git is told in one line of plain text what to do.
func TestTellGit(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(io.MultiWriter(&logged, t.Output()), nil))
	w, err := wiki.Open(t.Context(), t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	index, err := search.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	s, err := New(Config{Wiki: w, Index: index, Log: log, URL: "https://wiki.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		err    error
		path   string
		status int
		want   string
		after  bool
	}{
		{fs.ErrNotExist, "/-/git/wikki/info/refs", 404, `There is no space "wikki" here. Did you mean https://wiki.example.org/wiki.git ?`, false},
		{fs.ErrNotExist, "/-/git/wiki/HEAD", 404, "The remote is https://wiki.example.org/wiki.git", false},
		{fmt.Errorf("push: %w", fs.ErrPermission), "/-/git/wiki/info/refs", 403, `You may clone and fetch "wiki", and may not push to it. Ask whoever runs the wiki.`, false},
		{bad(401, "Say who you are."), "/-/git/wiki/info/refs", 401, "Say who you are.", false},
		{bad(413, "At most 1 GiB."), "/-/git/wiki/git-receive-pack", 413, "At most 1 GiB.", false},
		{wiki.ErrBusy, "/-/git/wiki/git-upload-pack", 503, "Try again in a minute.", true},
		{fmt.Errorf("%w: fsync", wiki.ErrReadOnly), "/-/git/wiki/git-receive-pack", 503, "You can still clone and fetch.", true},
		{fmt.Errorf("write: %w", syscall.ENOSPC), "/-/git/wiki/git-receive-pack", 507, "make room, then push again.", false},
		{errPanic, "/-/git/wiki/git-receive-pack", 500, "tell whoever runs the wiki", false},
	} {
		rec := httptest.NewRecorder()
		req := httptest.NewRequest("GET", tt.path, nil)
		logged.Reset()
		s.handleError(tt.err, s.echo.NewContext(req, rec))
		if got, want := strings.Contains(logged.String(), "level=ERROR"), tt.status >= 500 && tt.err != wiki.ErrBusy; got != want {
			t.Errorf("%v: logged %s", tt.err, logged.String())
		}
		body := rec.Body.String()
		if rec.Code != tt.status || !strings.Contains(body, tt.want) || strings.Count(body, "\n") != 1 {
			t.Errorf("%v: %d %q, want %d %q", tt.err, rec.Code, body, tt.status, tt.want)
		}
		if kind := rec.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") {
			t.Errorf("%v: %s", tt.err, kind)
		}
		if got := rec.Header().Get("Retry-After") != ""; got != tt.after {
			t.Errorf("%v: Retry-After is there: %v", tt.err, got)
		}
		if got := rec.Header().Get("WWW-Authenticate") != ""; got != (tt.status == 401) {
			t.Errorf("%v: WWW-Authenticate is there: %v", tt.err, got)
		}
	}
}
