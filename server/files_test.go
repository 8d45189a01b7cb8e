package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"cairn/storage/accounts"
	"cairn/storage/page"
	"cairn/storage/wiki"
)

func TestSniff(t *testing.T) {
	for _, tt := range []struct {
		name   page.Path
		b      string
		media  string
		inline bool
	}{
		{"a.png", "\x89PNG\r\n\x1a\nIHDR", "image/png", true}, {"a.txt", "\x89PNG\r\n\x1a\n", "image/png", true}, {"a.jpg", "\xff\xd8\xff\xe0", "image/jpeg", true},
		{"a.gif", "GIF89a", "image/gif", true}, {"a.webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", true}, {"a.wav", "RIFF\x00\x00\x00\x00WAVE", "application/octet-stream", false},
		{"a.avif", "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1", "image/avif", true}, {"a.avif", "\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avif", "image/avif", true},
		{"a.mp4", "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00", "video/mp4", true}, {"a.heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "application/octet-stream", false},
		{"a.webm", "\x1aE\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm", "video/webm", true},
		{"a.mkv", "\x1aE\xdf\xa3\x9f\x42\x82\x88matroska", "application/octet-stream", false}, {"a.ogg", "OggS\x00\x02", "audio/ogg", true}, {"a.ogv", "OggS\x00\x02 \x80theora", "video/ogg", true},
		{"a.mp3", "ID3\x04", "audio/mpeg", true}, {"a.mp3", "\xff\xfb\x90\x00", "audio/mpeg", true}, {"a.bin", "\xff\xfb\x90\x00", "application/octet-stream", false}, {"a.mp3", "<html>", "application/octet-stream", false},
		{"a.txt", "hello\n", "text/plain; charset=utf-8", true}, {"a.txt", "caf\xe9\n", "text/plain; charset=windows-1252", true}, {"LICENSE", "hello\n", "text/plain; charset=utf-8", true},
		{"a.txt", "\xff\xfeh\x00", "text/plain; charset=utf-16", true}, {"a.txt", "a\x00b", "application/octet-stream", false}, {"a.txt", "", "text/plain; charset=utf-8", true},
		{"a.txt", strings.Repeat("é", 3000) + "e", "text/plain; charset=utf-8", true}, {"a.txt", "x" + strings.Repeat("é", 3000), "text/plain; charset=utf-8", true},
		{"a.html", "<p>hello", "application/octet-stream", false}, {"a.htm", "GIF87a<script>", "image/gif", true}, {"a.js", "alert(1)", "application/octet-stream", false},
		{"a.pdf", "%PDF-1.4", "application/octet-stream", false}, {"a.svg", "<svg/>", "image/svg+xml", false}, {"a.svg", "\x1f\x8b\x08", "application/octet-stream", false}, {"a.svg", "no picture", "application/octet-stream", false},
		{"a.png", "<svg onload=alert(1)>", "application/octet-stream", false}, {"a.png", "", "application/octet-stream", false}, {"a.md", "# hi", "text/markdown; charset=utf-8", true}, {"a.mp4", "\x00\x00\x00", "application/octet-stream", false},
	} {
		if got := sniff(tt.name, []byte(tt.b)); got.media != tt.media || got.inline != tt.inline {
			t.Errorf("%s of %.30q: %+v, want %s, %v", tt.name, tt.b, got, tt.media, tt.inline)
		}
	}
}

// sendFiles posts files as a program does.
func sendFiles(t *testing.T, url string, files ...wiki.File) (int, []byte) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		w, err := form.CreateFormFile("file", f.Name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(f.Data)
	}
	form.Close()
	res, err := http.Post(url, form.FormDataContentType(), &body)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, b
}

// A large file comes and goes whole; one that is too large is refused with the limit, by a form and by PUT, and what came
// with it is not stored either.
func TestLargeFiles(t *testing.T) {
	web := start(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), wiki.MaxFile/16)
	status, b := sendFiles(t, web.URL+"/wiki/-/upload/Home", wiki.File{Name: "large.bin", Data: large})
	if status != 201 {
		t.Fatalf("a file at the limit: %d %s", status, b)
	}
	res, err := http.Get(web.URL + "/wiki/large.bin")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("the file comes back as %d bytes: %v", len(got), err)
	}
	over := append(large, 'x')
	status, b = sendFiles(t, web.URL+"/wiki/-/upload/Home", wiki.File{Name: "small.txt", Data: []byte("small")}, wiki.File{Name: "over.bin", Data: over})
	if status != 413 || !strings.Contains(string(b), "32 MB") || !strings.Contains(string(b), "over.bin") {
		t.Errorf("a file over the limit: %d %s", status, b)
	}
	req, err := http.NewRequest("PUT", web.URL+"/wiki/over.bin", bytes.NewReader(over))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", "*")
	if res, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	b, _ = io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 413 {
		t.Errorf("PUT over the limit: %d %s", res.StatusCode, b)
	}
	for _, name := range []string{"small.txt", "over.bin"} {
		if res, err = http.Get(web.URL + "/wiki/" + name); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 404 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

// Of those who upload one name at once, all have their bytes in the wiki.
func TestUploadsAtOnce(t *testing.T) {
	web := start(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			data := bytes.Repeat([]byte{byte('a' + i)}, smallFile+i)
			status, b := sendFiles(t, web.URL+"/wiki/-/upload/Home", wiki.File{Name: "scan.bin", Data: data})
			var stored struct{ URL string }
			if err := json.Unmarshal(b, &stored); status != 201 || err != nil {
				t.Errorf("upload %d: %d %s", i, status, b)
				return
			}
			res, err := http.Get(web.URL + stored.URL)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if got, _ := io.ReadAll(res.Body); !bytes.Equal(got, data) {
				t.Errorf("%s is not what was uploaded", stored.URL)
			}
		})
	}
	all.Wait()
}

// All who read a large file share its bytes, and they go when the last one has read them.
func TestSendingIsShared(t *testing.T) {
	s := newSending()
	reads := 0
	read := func(context.Context) ([]byte, error) { reads++; return make([]byte, maxSending), nil }
	_, first, err := s.hold(t.Context(), "a", maxSending, read)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := s.hold(t.Context(), "a", maxSending, read)
	if err != nil || reads != 1 {
		t.Fatalf("read %d times: %v", reads, err)
	}
	first()
	if s.room.TryAcquire(1) {
		t.Error("the room is free while somebody reads")
	}
	second()
	if !s.room.TryAcquire(maxSending) {
		t.Fatal("the room is not free again")
	}
	s.room.Release(maxSending)
	if _, _, err := s.hold(t.Context(), "b", maxSending, func(context.Context) ([]byte, error) { return nil, io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if !s.room.TryAcquire(maxSending) || len(s.held) != 0 {
		t.Error("what failed is still held")
	}
}

// A panic while a file is read is that of one request: those who wait are told, whoever comes then reads it anew, and nobody
// waits longer than they want.
func TestSendingAfterPanic(t *testing.T) {
	s := newSending()
	reading, fail := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		s.hold(t.Context(), "a", smallFile+1, func(context.Context) ([]byte, error) { close(reading); <-fail; panic("broken") })
	})
	<-reading
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.hold(gone, "a", smallFile+1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v", err)
	}
	all.Go(func() {
		if _, _, err := s.hold(t.Context(), "a", smallFile+1, func(context.Context) ([]byte, error) { return nil, errUnread }); !errors.Is(err, errUnread) {
			t.Errorf("who waited: %v", err)
		}
	})
	close(fail)
	all.Wait()
	b, done, err := s.hold(t.Context(), "a", smallFile+1, func(context.Context) ([]byte, error) { return []byte("x"), nil })
	if err != nil || string(b) != "x" {
		t.Fatalf("afterwards: %q, %v", b, err)
	}
	done()
	if !s.room.TryAcquire(maxSending) || len(s.held) != 0 {
		t.Error("something is still held")
	}
}

// As many files as a form may have go together with its other fields, which come after them.
func TestUploadMany(t *testing.T) {
	web := start(t)
	for _, tt := range []struct{ files, status int }{{maxFiles, 201}, {maxFiles + 1, 413}} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for i := range tt.files {
			w, err := form.CreateFormFile("file", fmt.Sprintf("%d.txt", i))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(w, i)
		}
		form.WriteField("name", "Ann")
		form.WriteField("note", "All of them")
		form.Close()
		res, err := http.Post(web.URL+"/wiki/-/upload/Home", form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%d files: %d %s", tt.files, res.StatusCode, b)
		}
	}
}

// A list of files leads on only when there is more, however often one goes on.
func TestFileList(t *testing.T) {
	web, w := startIn(t, t.TempDir())
	s, err := w.Space(t.Context(), wiki.First)
	if err != nil {
		t.Fatal(err)
	}
	store := func(from, to int) {
		t.Helper()
		var files []wiki.File
		for i := from; i < to; i++ {
			files = append(files, wiki.File{Name: fmt.Sprintf("%03d.txt", i), Data: fmt.Append(nil, i)})
		}
		if _, err := s.Upload(t.Context(), accounts.Visitor("Ann"), "Home.md", files, ""); err != nil {
			t.Fatal(err)
		}
	}
	leadsOn := func(after string) bool {
		t.Helper()
		req, err := http.NewRequest("GET", web.URL+"/wiki/-/files?after="+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "text/html")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%d %v", res.StatusCode, err)
		}
		return bytes.Contains(b, []byte(`href="/wiki/-/files?after=`))
	}
	store(0, filesPerPage)
	if leadsOn("") {
		t.Error("a list of all leads on")
	}
	store(filesPerPage, filesPerPage+1)
	if !leadsOn("") || leadsOn("099.txt") {
		t.Error("the list with one more leads nowhere, or the last one on")
	}
}

// However many uploads come at once, what is in memory and on disk is bounded, and those for whom there is no room are
// told to come again.
func TestUploadRoom(t *testing.T) {
	w, err := wiki.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, err := New(Config{Wiki: w})
	if err != nil {
		t.Fatal(err)
	}
	var spools []*spool
	for {
		sp, err := s.newSpool()
		if err != nil {
			t.Fatal(err)
		}
		defer sp.close()
		spools = append(spools, sp)
		sp.taken += 64 << 20
		if !s.spooled.TryAcquire(64 << 20) {
			sp.taken -= 64 << 20
			break
		}
	}
	last := spools[len(spools)-1]
	err = last.add("late.bin", strings.NewReader("x"), 10)
	if got := explain(err); got.status != 503 {
		t.Errorf("no room: %v", err)
	}
	spools[0].close()
	spools[0].taken = 0
	if err := last.add("late.bin", strings.NewReader("x"), 10); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
