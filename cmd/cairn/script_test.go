package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The stories in testdata are told with the real program, the real git and real requests. Besides testscript's own
// commands they know:
//
//	serve [FLAG…]       starts the wiki over $WORK/data, waits until it answers and is ready, sets $URL
//	ready               waits until every follower has caught up, as after an import
//	stop [SIGNAL]       ends it (TERM; KILL for a crash) and fails unless it ends as it should
//	http METHOD PATH [-STATUS] [-h 'Name: value']… [-f field=value]… [-F field=FILE]… [-b FILE]
//	                    sends a request to the wiki, without following redirects; the answer's status line, headers and
//	                    body become stdout. Fails when the status is not the one named (200 by default).
//	follow METHOD PATH … the same, following redirects and keeping cookies
//	setvar NAME REGEXP  sets a variable to the first group of what is found in the last stdout

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cairn": main})
}

func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("GIT_TERMINAL_PROMPT", "0")
			e.Setenv("GIT_AUTHOR_NAME", "Petra Power")
			e.Setenv("GIT_AUTHOR_EMAIL", "petra@example.org")
			e.Setenv("GIT_COMMITTER_NAME", "Petra Power")
			e.Setenv("GIT_COMMITTER_EMAIL", "petra@example.org")
			s := &story{jar: map[string]string{}}
			e.Values[storyKey{}] = s
			e.Defer(func() { s.kill() })
			return os.WriteFile(filepath.Join(e.WorkDir, ".gitconfig"), []byte("[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"), 0o644)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": func(ts *testscript.TestScript, neg bool, args []string) { storyOf(ts).serve(ts, args) },
			"stop":  func(ts *testscript.TestScript, neg bool, args []string) { storyOf(ts).stop(ts, args) },
			"ready": func(ts *testscript.TestScript, neg bool, args []string) { storyOf(ts).ready(ts) },
			"http":  func(ts *testscript.TestScript, neg bool, args []string) { storyOf(ts).request(ts, args, false) },
			"follow": func(ts *testscript.TestScript, neg bool, args []string) {
				storyOf(ts).request(ts, args, true)
			},
			"setvar": func(ts *testscript.TestScript, neg bool, args []string) {
				in := storyOf(ts).last
				if len(args) > 2 { // a file, or the stdout of the last exec
					in = ts.ReadFile(args[2])
				}
				found := regexp.MustCompile(args[1]).FindStringSubmatch(in)
				if len(found) < 2 {
					ts.Fatalf("%s is not there", args[1])
				}
				ts.Setenv(args[0], found[1])
			},
		},
	})
}

type storyKey struct{}

// story is the wiki of one script.
type story struct {
	server *running
	url    string
	jar    map[string]string
	last   string
}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func (s *story) serve(ts *testscript.TestScript, args []string) {
	var err error
	s.server, err = startCairn(ts.MkAbs("data"), ts.MkAbs("server.log"), args...)
	ts.Check(err)
	s.url = s.server.url
	ts.Setenv("URL", s.url)
	ts.Setenv("PORT", strings.TrimPrefix(s.url, "http://"))
	s.ready(ts)
}

// ready waits until all that follows the log has caught up.
func (s *story) ready(ts *testscript.TestScript) { ts.Check(s.server.ready(30 * time.Second)) }

func (s *story) stop(ts *testscript.TestScript, args []string) {
	sig := syscall.SIGTERM
	if len(args) > 0 && args[0] == "KILL" {
		sig = syscall.SIGKILL
	}
	ts.Check(s.server.end(sig))
	s.server = nil
	if log := ts.ReadFile("server.log"); strings.Contains(log, "DATA RACE") || strings.Contains(log, "level=ERROR") {
		ts.Fatalf("the wiki complained: %s", log)
	}
}

func (s *story) kill() {
	if s.server != nil {
		s.server.end(syscall.SIGKILL)
	}
}

func (s *story) request(ts *testscript.TestScript, args []string, follow bool) {
	method, path := args[0], args[1]
	want := 200
	header := http.Header{"Accept": {"text/html"}}
	form := url.Values{}
	var body []byte
	for i := 2; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-h":
			i++
			k, v, _ := strings.Cut(args[i], ": ")
			header.Set(k, v)
		case arg == "-f":
			i++
			k, v, _ := strings.Cut(args[i], "=")
			form.Add(k, v)
		case arg == "-F":
			i++
			k, v, _ := strings.Cut(args[i], "=")
			form.Add(k, ts.ReadFile(v))
		case arg == "-b":
			i++
			body = []byte(ts.ReadFile(args[i]))
		default:
			_, err := fmt.Sscanf(arg, "-%d", &want)
			ts.Check(err)
		}
	}
	if len(form) > 0 {
		body = []byte(form.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if !strings.HasPrefix(path, "http") {
		path = s.url + path
	}
	req, err := http.NewRequest(method, path, bytes.NewReader(body))
	ts.Check(err)
	req.Header = header
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for {
		for k, v := range s.jar {
			req.AddCookie(&http.Cookie{Name: k, Value: v})
		}
		res, err := client.Do(req)
		ts.Check(err)
		b, err := io.ReadAll(res.Body)
		ts.Check(errors.Join(err, res.Body.Close()))
		if follow {
			for _, k := range res.Cookies() {
				s.jar[k.Name] = k.Value
			}
			if to := res.Header.Get("Location"); to != "" && res.StatusCode/100 == 3 {
				next, err := req.URL.Parse(to)
				ts.Check(err)
				req, err = http.NewRequest("GET", next.String(), nil)
				ts.Check(err)
				req.Header.Set("Accept", "text/html")
				continue
			}
		}
		var head bytes.Buffer
		fmt.Fprintf(&head, "%s\n", res.Status)
		res.Header.Write(&head)
		s.last = strings.ReplaceAll(head.String(), "\r\n", "\n") + "\n" + string(b)
		fmt.Fprint(ts.Stdout(), s.last)
		if res.StatusCode != want {
			ts.Fatalf("%s %s: %s, want %d\n%s", method, path, res.Status, want, s.last)
		}
		return
	}
}
