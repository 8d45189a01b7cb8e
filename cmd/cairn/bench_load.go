package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"
)

// This file is the load of bench: programs of its own to ask, which run as processes beside it so that their memory and
// time can be told apart, and the loop that asks them. All of it stays on the loopback.

// process is a server that bench has started.
type process struct {
	cmd  *exec.Cmd
	addr string // host:port
}

// start runs this program with other arguments until it prints its address.
func start(ctx context.Context, log io.Writer, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, args...)}
	p.cmd.Stderr = log
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CAIRN_") })
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 2 * drain
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cairn %s did not start", args[0]), p.cmd.Wait())
	}
	_, p.addr, _ = strings.Cut(strings.TrimSpace(line), " at http://")
	return p, nil
}

// stop ends the process, if it runs, and waits until it is gone.
func (p *process) stop() error {
	if p == nil || p.cmd.ProcessState != nil {
		return nil
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (p *process) url() string { return "http://" + p.addr }

// cpu is the time that the process has worked so far, memory how much it holds, in bytes: all of it, and without files
// that are mapped and may be dropped. Zero where the system does not tell by /proc.
func (p *process) cpu() time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, rest, _ := bytes.Cut(b, []byte(") "))
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (p *process) memory() (all, own int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			all = kb << 10
		case "RssAnon":
			own = kb << 10
		}
	}
	return all, own
}

// benchReference is the server that bench compares with: Echo giving bytes from memory, and git's own http-backend for
// the repositories below args[0]. What a PUT brings to an address, a GET gets there.
func benchReference(ctx context.Context, e *env, args []string) error {
	if len(args) != 1 {
		return errors.New("cairn bench-reference is a part of cairn bench")
	}
	type answer struct {
		kind, encoding, etag string
		body                 []byte
	}
	var answers sync.Map
	web := echo.New()
	web.GET("/*", func(c echo.Context) error {
		got, ok := answers.Load(c.Request().URL.Path)
		if !ok {
			return echo.ErrNotFound
		}
		a := got.(answer)
		h := c.Response().Header()
		h.Set("ETag", a.etag)
		if c.Request().Header.Get("If-None-Match") == a.etag {
			return c.NoContent(http.StatusNotModified)
		}
		if a.encoding != "" {
			h.Set("Content-Encoding", a.encoding)
		}
		return c.Blob(http.StatusOK, a.kind, a.body)
	})
	web.PUT("/*", func(c echo.Context) error {
		r := c.Request()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		answers.Store(r.URL.Path, answer{r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), r.Header.Get("ETag"), body})
		return c.NoContent(http.StatusNoContent)
	})
	git, err := exec.LookPath("git")
	if err != nil {
		return err
	}
	web.Any("/git/*", echo.WrapHandler(&cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Root: "/git", Stderr: e.stderr,
		Env: []string{"GIT_PROJECT_ROOT=" + args[0], "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=bench"},
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: web}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	fmt.Fprintf(e.stdout, "The reference answers at http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// request is what goes over the wire, and the status that must come back.
type request struct {
	bytes []byte
	want  int                          // 0 takes any
	then  func(*http.Response, []byte) // told the answer, if it is not nil
}

// get asks as a browser does.
func get(p *process, path string, headers ...string) request {
	return ask(p, "GET", path, nil, 200, append(headers, "Accept: text/html", "Accept-Encoding: gzip")...)
}

func ask(p *process, method, path string, body []byte, want int, headers ...string) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, p.addr)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return request{bytes: b.Bytes(), want: want}
}

// measured is what a load has found.
type measured struct {
	took time.Duration   // all in all
	each []time.Duration // sorted
	cpu  time.Duration   // of the server
}

func rate(m measured) float64 { return float64(len(m.each)) / m.took.Seconds() }
func half(m measured) float64 { return m.percent(50) }
func cost(m measured) float64 { return m.cpu.Seconds() / float64(len(m.each)) }

// percent is the time in which so many in a hundred were answered, in seconds.
func (m measured) percent(n int) float64 {
	return m.each[min(len(m.each)*n/100, len(m.each)-1)].Seconds()
}

// load sends the requests that next makes, over n connections at once, until the time is over or next has no more. A
// connection is one client: it waits for an answer before it asks again. The loop parses answers and does nothing else,
// since what it needs is taken from the server on a machine that they share.
func load(ctx context.Context, p *process, n int, long time.Duration, next func(client, turn int) (request, bool)) (measured, error) {
	var mu sync.Mutex
	var m measured
	group, ctx := errgroup.WithContext(ctx)
	before, begun := p.cpu(), time.Now()
	for client := range n {
		group.Go(func() error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
			if err != nil {
				return err
			}
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			in := bufio.NewReaderSize(conn, 64<<10)
			var each []time.Duration
			var body bytes.Buffer
			for turn := 0; turn == 0 || time.Since(begun) < long; turn++ {
				r, more := next(client, turn)
				if !more {
					break
				}
				sent := time.Now()
				if _, err := conn.Write(r.bytes); err != nil {
					return err
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					return err
				}
				body.Reset()
				if _, err := body.ReadFrom(res.Body); err != nil {
					return err
				}
				each = append(each, time.Since(sent))
				if res.StatusCode != r.want && r.want != 0 {
					line, _, _ := bytes.Cut(r.bytes, []byte("\r\n"))
					return fmt.Errorf("%s: %s, want %d: %.300s", line, res.Status, r.want, body.Bytes())
				}
				if r.then != nil {
					r.then(res, body.Bytes())
				}
			}
			mu.Lock()
			defer mu.Unlock()
			m.each = append(m.each, each...)
			return nil
		})
	}
	err := group.Wait()
	m.took, m.cpu = time.Since(begun), p.cpu()-before
	slices.Sort(m.each)
	if err == nil && len(m.each) == 0 {
		err = errors.New("nothing was asked")
	}
	return m, err
}

// once sends one request.
func once(ctx context.Context, p *process, r request) (res *http.Response, body []byte, err error) {
	then := r.then
	r.then = func(got *http.Response, b []byte) {
		res, body = got, bytes.Clone(b)
		if then != nil {
			then(got, b)
		}
	}
	_, err = load(ctx, p, 1, 0, func(_, turn int) (request, bool) { return r, turn == 0 })
	return res, body, err
}
