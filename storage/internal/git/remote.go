package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// This file serves git clients by git's own upload-pack and receive-pack, one process a request, as smart HTTP wants
// it. Requests and answers stream; only the report of a push is held back until what it says is true.

// Advertise writes what git's info/refs answers for a service, git-upload-pack or git-receive-pack. protocol is the
// client's Git-Protocol header. The error wraps fs.ErrInvalid for another service.
func (r *Repo) Advertise(ctx context.Context, service, protocol string, out io.Writer) error {
	name, ok := strings.CutPrefix(service, "git-")
	if !ok || name != "upload-pack" && name != "receive-pack" {
		return fmt.Errorf("service %.40q: %w", service, fs.ErrInvalid)
	}
	if protocolVersion(protocol) < 2 { // as git http-backend does
		line := "# service=" + service + "\n"
		if _, err := fmt.Fprintf(out, "%04x%s0000", len(line)+4, line); err != nil {
			return err
		}
	}
	c := command{
		args: []string{name, "--stateless-rpc", "--advertise-refs", "--end-of-options", r.dir},
		env:  protocolEnv(protocol), stdout: out, slots: serving,
	}
	return c.run(ctx)
}

// UploadPack answers one request of a clone or fetch. The whole of in is read; when ctx ends, so does git.
func (r *Repo) UploadPack(ctx context.Context, protocol string, in io.Reader, out io.Writer) error {
	c := command{
		args: []string{"upload-pack", "--stateless-rpc", "--end-of-options", r.dir},
		env:  protocolEnv(protocol), stdout: out, slots: serving,
	}
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	var said tail
	cmd := c.prepare(ctx)
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	// Copied here and not by a goroutine of exec's, which would stay behind in a read that does not end. What fails
	// here is the client's leaving or git's having enough: git tells the latter.
	io.Copy(stdin, in)
	stdin.Close()
	return c.wait(ctx, cmd, &said)
}

// hook is what git runs when a push has arrived in quarantine, before any ref moves. It asks us on descriptor 3 and
// obeys what it reads from 4: lines behind a ':' go to the pusher. No answer means no.
const hook = `#!/bin/sh
{ printf 'quarantine %s\n' "$GIT_QUARANTINE_PATH"; cat; echo; } >&3
while IFS= read -r l <&4; do case $l in ok) exit 0;; no) exit 1;; *) printf '%s\n' "${l#:}" >&2;; esac; done
exit 1
`

func (r *Repo) hooks() string { return filepath.Join(r.dir, "cairn-hooks") }

// writeHook puts our hook where receive-pack is told to look.
func (r *Repo) writeHook() error {
	path := filepath.Join(r.hooks(), "pre-receive")
	if now, err := os.ReadFile(path); err == nil && string(now) == hook {
		return os.Chmod(path, 0o755)
	}
	if err := os.MkdirAll(r.hooks(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", []byte(hook), 0o755); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

const (
	maxReport   = 4 << 20 // bytes of a push's report, which is held in memory
	maxQuestion = 1 << 20 // bytes of ref updates in one push
	maxRemarks  = 100     // lines to a pusher
	maxRemark   = 1000    // bytes of one
)

// ReceivePack takes a push. check runs before the door is taken; lines that it returns go to the pusher as remote:
// lines; an error refuses the push with its text, line by line. Only branches and tags can be pushed; the live branch
// only moves forward. A pusher who is told ok has a push that is durable and visible.
//
// A push of more than 1 GiB is refused, and one whose commits on the live branch are dated more than a day ahead.
//
// A refusal is no error here: the pusher has been told. All of in is read, which must end when the client goes away.
func (r *Repo) ReceivePack(ctx context.Context, protocol string, in io.Reader, out io.Writer, check func(context.Context, Push) ([]string, error)) error {
	if err := r.writable(); err != nil {
		return err
	}
	if err := r.hookRuns(); err != nil {
		return err
	}
	report := &limited{left: maxReport}
	c := command{
		args:  []string{"receive-pack", "--stateless-rpc", "--end-of-options", r.dir},
		hooks: r.hooks(), env: protocolEnv(protocol), stdout: report, slots: serving,
		config: []string{fmt.Sprintf("receive.maxInputSize=%d", r.maxPush)}, // for repositories that are older than it
	}
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	end := r.beginPush()
	defer func() { end(err) }()
	p, err := r.startPush(ctx, c, check)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	var panicked any // carried over to where the caller's recover is
	go func() {
		defer func() {
			if v := recover(); v != nil {
				panicked = v
				p.cancel(errors.New("panic"))
				done <- p.wait()
			}
		}()
		done <- p.converse(ctx)
	}()
	io.Copy(p.stdin, in) // see UploadPack. The door is not held by this: converse does not wait for it
	p.stdin.Close()
	err = <-done
	if panicked != nil {
		err = errors.New("panic")
		panic(panicked)
	}
	if err != nil && report.buf.Len() == 0 || p.unsettled != nil {
		return errors.Join(p.unsettled, err)
	}
	_, werr := out.Write(report.buf.Bytes())
	return werr
}

// hookRuns makes sure that git will find our hook executable: it passes over one that is not, and would let all in.
func (r *Repo) hookRuns() error {
	path := filepath.Join(r.hooks(), "pre-receive")
	now, err := os.ReadFile(path)
	if err == nil && string(now) != hook {
		err = errors.New("not ours")
	}
	if err == nil {
		err = executable(path)
	}
	if err != nil {
		return fmt.Errorf("push hook %s: %w", path, err)
	}
	return nil
}

// limited keeps what is written to it, and fails beyond its limit.
type limited struct {
	buf  bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, tooLarge("report of a push", maxReport)
	}
	return l.buf.Write(p)
}

// remark makes lines that the hook can pass on: no control characters, of bounded length.
func remark(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.Map(func(c rune) rune {
			if c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0 {
				return -1
			}
			return c
		}, strings.ToValidUTF8(line, "\uFFFD"))
		if len(line) > maxRemark {
			line = strings.ToValidUTF8(line[:maxRemark], "") + "…"
		}
		lines = append(lines, line)
	}
	return lines
}
