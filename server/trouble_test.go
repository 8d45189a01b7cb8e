package server

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A full disk refuses saves with everything that was typed, says so on each page and to machines, and is over once there
// is room: nobody has to start anything again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skip("needs a small file system of its own: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	web, w := startIn(t, dir)
	get := func(path string) (int, string) {
		t.Helper()
		res, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	save := func(text string) (int, string) {
		t.Helper()
		req, err := http.NewRequest("POST", web.URL+"/wiki/-/edit/Page", strings.NewReader(url.Values{"text": {text}, "base": {""}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}

	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}

	typed := "typed with care " + strings.Repeat("and at length ", 1000)
	if status, body := save(typed); status != 507 || !strings.Contains(body, typed) || !strings.Contains(body, "The disk is full") {
		t.Errorf("saved on a full disk: %d, typed text in it: %v", status, strings.Contains(body, typed))
	}
	if status, body := get("/wiki/-/pages"); status != 200 || !strings.Contains(body, "The disk is full") {
		t.Errorf("page: %d, says why nothing can be saved: %v", status, strings.Contains(body, "The disk is full"))
	}
	if status, body := get("/-/readyz"); status != 503 || !strings.Contains(body, `"read_only":{"wiki":"The disk is full.`) {
		t.Errorf("readyz: %d %s", status, body)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.Spaces(t.Context()) {
		if err := s.Maintain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if status, body := get("/-/readyz"); status != 200 || strings.Contains(body, "read_only") {
		t.Errorf("readyz with room again: %d %s", status, body)
	}
	if status, body := save(typed); status != 200 || strings.Contains(body, "The disk is full") {
		t.Errorf("saved with room again: %d", status)
	}
}
