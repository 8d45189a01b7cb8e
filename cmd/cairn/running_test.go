package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// running is the real program, serving a data folder: the test binary again, under the name of cairn.
type running struct {
	url    string
	log    string // the file that holds what it has logged
	server *exec.Cmd
	ended  chan struct{} // closed when the process has ended
	err    error         // how
}

// startCairn starts the program at a free port of this machine, and returns when it has told its address.
func startCairn(data, log string, args ...string) (*running, error) {
	args = append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, args...)
	r := &running{log: log, server: exec.Command("cairn", args...), ended: make(chan struct{})}
	r.server.Env = []string{"PATH=" + os.Getenv("PATH"), "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r.server.Stderr = file
	out, err := r.server.StdoutPipe()
	if err == nil {
		err = r.server.Start()
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	_, r.url, _ = strings.Cut(lines.Text(), " at ")
	go func() {
		io.Copy(io.Discard, out)
		r.err = r.server.Wait()
		close(r.ended)
	}()
	if r.url == "" {
		r.server.Process.Kill()
		<-r.ended
		return nil, fmt.Errorf("the wiki printed no address: %s", r.logged())
	}
	return r, nil
}

// ready waits until the wiki says that all that follows the log has caught up.
func (r *running) ready(patience time.Duration) error {
	client := http.Client{Timeout: 5 * time.Second}
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if res, err := client.Get(r.url + "/-/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == 200 {
				return nil
			}
		}
		select {
		case <-r.ended:
			return fmt.Errorf("the wiki ended: %v: %s", r.err, r.logged())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("the wiki is not ready after %v: %s", patience, r.logged())
}

// end sends a signal and waits. The error tells that the wiki did not end as it should.
func (r *running) end(sig syscall.Signal) error {
	r.server.Process.Signal(sig)
	select {
	case <-r.ended:
		if sig == syscall.SIGTERM && r.err != nil {
			return fmt.Errorf("the wiki ended badly: %w: %s", r.err, r.logged())
		}
		return nil
	case <-time.After(15 * time.Second):
		r.server.Process.Kill()
		return errors.New("the wiki did not end")
	}
}

// logged is all that the wiki has logged.
func (r *running) logged() string {
	b, err := os.ReadFile(r.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
