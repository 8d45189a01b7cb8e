package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cairn/search"
	"cairn/storage/wiki"
)

// start serves a new wiki, with everything real, until the test ends.
func start(t *testing.T) *httptest.Server {
	t.Helper()
	web, _ := startIn(t, t.TempDir())
	return web
}

// startIn is start with the wiki's files in dir.
func startIn(t *testing.T, dir string) (*httptest.Server, *wiki.Wiki) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, cancel := context.WithCancel(t.Context())
	w, err := wiki.Open(ctx, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	index, err := search.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Wiki: w, Index: index, Log: log, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s.askTime, s.lookTime, s.scaleTime, s.planTime = time.Hour, time.Hour, time.Hour, time.Hour // a busy machine is no failure
	ended := make(chan error)
	go func() { ended <- index.Run(ctx, w) }()
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		web.Close()
		cancel()
		for _, err := range []error{<-ended, index.Close(), w.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	ready(t, web.URL)
	return web, w
}

// ready waits until the index has caught up: readers wait for it only a moment, which a busy machine may exceed.
func ready(t *testing.T, base string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		res, err := http.Get(base + "/-/readyz")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the wiki does not get ready")
		}
	}
}

// TestHTTP plays the files in testdata, each against a wiki of its own. A file is stanzas, separated by empty lines:
//
//	PUT /wiki/a.md             the request
//	> If-None-Match: *         its headers
//	| hello                    its body, line by line
//	status 201                 what must be true of the answer
//	header ETag ~ ^"[0-9a-f]{40}"$
//	body contains hello
//	body lacks <script
//	body is hello
//	set TAG header ETag "(.*)" remembers a group for $TAG in later stanzas
//	set REV body "revision":"(\w+)"
func TestHTTP(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, start(t).URL, file, string(text))
		})
	}
}

// stanza is one request and what must be true of its answer.
type stanza struct {
	line         int
	method, path string
	header       http.Header
	body         strings.Builder
	checks       []string
}

func play(t *testing.T, base, file, text string) {
	vars := map[string]string{"BASE": base}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, s := range stanzas(t, text) {
		ready(t, base)
		expand := func(s string) string { return os.Expand(s, func(k string) string { return vars[k] }) }
		req, err := http.NewRequestWithContext(t.Context(), s.method, base+expand(s.path), strings.NewReader(expand(s.body.String())))
		if err != nil {
			t.Fatalf("%s:%d: %v", file, s.line, err)
		}
		for k, v := range s.header {
			req.Header[k] = []string{expand(v[0])}
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, s.line, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatalf("%s:%d: %v", file, s.line, err)
		}
		for _, c := range s.checks {
			if err := check(expand(c), res, body, vars); err != nil {
				t.Errorf("%s:%d: %s %s: %v\n%s", file, s.line, s.method, s.path, err, bytes.TrimSpace(body[:min(len(body), 3000)]))
			}
		}
	}
}

func stanzas(t *testing.T, text string) []*stanza {
	var all []*stanza
	var cur *stanza
	scan := bufio.NewScanner(strings.NewReader(text))
	for n := 1; scan.Scan(); n++ {
		line := scan.Text()
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			cur = nil
		case cur == nil:
			cur = &stanza{line: n, header: http.Header{}}
			var ok bool
			if cur.method, cur.path, ok = strings.Cut(line, " "); !ok {
				t.Fatalf("line %d: not a request: %s", n, line)
			}
			all = append(all, cur)
		case strings.HasPrefix(line, "> "):
			k, v, _ := strings.Cut(line[2:], ": ")
			cur.header.Set(k, v)
		case strings.HasPrefix(line, "|"):
			if cur.body.Len() > 0 {
				cur.body.WriteByte('\n')
			}
			cur.body.WriteString(strings.TrimPrefix(line[1:], " "))
		default:
			cur.checks = append(cur.checks, line)
		}
	}
	return all
}

func check(c string, res *http.Response, body []byte, vars map[string]string) error {
	what, rest, _ := strings.Cut(c, " ")
	switch what {
	case "status":
		if got := fmt.Sprint(res.StatusCode); got != rest {
			return fmt.Errorf("status is %s, want %s", got, rest)
		}
	case "header":
		name, rest, _ := strings.Cut(rest, " ")
		op, want, _ := strings.Cut(rest, " ")
		return compare("header "+name, res.Header.Get(name), op, want)
	case "body":
		op, want, _ := strings.Cut(rest, " ")
		return compare("body", string(body), op, want)
	case "set":
		f := strings.SplitN(rest, " ", 3)
		in := string(body)
		if f[1] == "header" {
			f = append(f[:1], strings.SplitN(f[2], " ", 2)...)
			in = res.Header.Get(f[1])
		}
		found := regexp.MustCompile(f[2]).FindStringSubmatch(in)
		if len(found) < 2 {
			return fmt.Errorf("%s is not found", f[2])
		}
		vars[f[0]] = found[1]
	default:
		return fmt.Errorf("%q is no check", what)
	}
	return nil
}

func compare(what, got, op, want string) error {
	ok := false
	switch op {
	case "is":
		ok = strings.TrimSuffix(got, "\n") == want
	case "contains":
		ok = strings.Contains(got, want)
	case "lacks":
		ok = !strings.Contains(got, want)
	case "~":
		ok = regexp.MustCompile(want).MatchString(got)
	}
	if !ok {
		return fmt.Errorf("%s: got %.300q, want: %s %s", what, got, op, want)
	}
	return nil
}
