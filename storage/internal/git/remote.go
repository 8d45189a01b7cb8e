package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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
		env:  protocolEnv(protocol), stdout: out, slots: fetching,
	}
	return c.run(ctx)
}

// What each process of a clone or fetch may have: more than packing a wiki of millions of files anew needs.
const (
	maxFetchMemory  = 2 << 30 // bytes
	maxFetchSeconds = 15 * 60 // of computing
)

// UploadPack answers one request of a clone or fetch. The whole of in is read, as a rule before anything is written to
// out; when ctx ends, so does git. An error of in is returned, and then git is not waited for: in bounds what a client
// may say, and how long that may take.
func (r *Repo) UploadPack(ctx context.Context, protocol string, in io.Reader, out io.Writer) error {
	polite := &listener{out: out}
	c := command{
		args: []string{"upload-pack", "--stateless-rpc", "--end-of-options", r.dir},
		env:  protocolEnv(protocol), stdout: polite, slots: fetching,
	}
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
	// Before it reads anything, and so starts others.
	err = errors.Join(limitMemory(cmd.Process.Pid, maxFetchMemory), limitTime(cmd.Process.Pid, maxFetchSeconds))
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		r.log.WarnContext(ctx, "a fetch without limits", "repo", r.dir, "err", err)
	}
	// Copied here and not by a goroutine of exec's, which would stay behind in a read that does not end. A write that
	// fails is git's having enough, and git tells that.
	asked := &asking{in: in}
	io.Copy(stdin, asked)
	if asked.err != nil {
		cancel()
		c.wait(ctx, cmd, &said)
		return asked.err
	}
	stdin.Close()
	err = polite.speak()
	return errors.Join(c.wait(ctx, cmd, &said), err)
}

// asking is what a client says, and why no more of it can be read, unless it has ended.
type asking struct {
	in  io.Reader
	err error
}

func (a *asking) Read(p []byte) (int, error) {
	n, err := a.in.Read(p)
	if err != io.EOF {
		a.err = err
	}
	return n, err
}

// maxHeld is how many bytes of an answer are held back, at most.
const maxHeld = 256 << 10

// listener holds an answer back until the question has ended. Some proxies, those that are written in Go among them, break
// a request off that is answered while they still send it. An answer that grows long is not held back any longer: git may
// be waiting for its being taken, to read on.
type listener struct {
	out io.Writer

	mu       sync.Mutex // guards what follows, and writes to out
	held     []byte
	speaking bool
}

func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.speaking && len(l.held)+len(p) <= maxHeld {
		l.held = append(l.held, p...)
		return len(p), nil
	}
	if err := l.begin(); err != nil {
		return 0, err
	}
	return l.out.Write(p)
}

// speak writes what has been held back, and lets all else through.
func (l *listener) speak() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begin()
}

func (l *listener) begin() error {
	held := l.held
	l.speaking, l.held = true, nil
	if len(held) == 0 {
		return nil
	}
	_, err := l.out.Write(held)
	return err
}

// Bundle writes the live branch with its whole history as a bundle, as of now. The error wraps fs.ErrNotExist when there
// is none yet, then nothing is written.
func (r *Repo) Bundle(ctx context.Context, out io.Writer) error {
	tip, _ := r.Head()
	if tip.IsZero() {
		return fmt.Errorf("bundle of %s, which has no commits: %w", r.live.name, fs.ErrNotExist)
	}
	return writeBundle(ctx, r.dir, Refs{Live: r.live.name, Head: tip, All: []Ref{{r.live.name, tip}}}, out, fetching)
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
	maxQuestion = maxCommands // bytes that the hook asks with
	maxHeard    = 16 << 20    // bytes that are read of a push for which there is no place
	maxRemarks  = 100         // lines to a pusher
	maxRemark   = 1000        // bytes of one
)

// ReceivePack takes a push. What it is held to is the pusher's; besides, only branches and tags can be pushed, the live
// branch only moves forward, and a push has at most 1 GiB. A pusher who is told ok has a push that is durable and
// visible. Only a push to the live branch keeps others from saving, and only while its refs move.
//
// A refusal is no error here: the pusher has been told, by text and beside each ref. Errors come before anything is
// written to out: they wrap fs.ErrInvalid or io.ErrUnexpectedEOF for what is no push, ErrBusy when there is no place
// for a minute. in must end when the client goes away.
func (r *Repo) ReceivePack(ctx context.Context, protocol string, in io.Reader, out io.Writer, by Pusher) error {
	if err := r.writable(); err != nil {
		return err
	}
	if err := r.hookRuns(); err != nil {
		return err
	}
	sent := bufio.NewReaderSize(in, 64<<10)
	asked, err := readCommands(sent, r.live.name)
	polite := &listener{out: out}
	a := &answer{asked: asked, out: polite}
	if err == nil {
		err = r.early(ctx, asked.live(r.live.name))
	}
	if told, ok := errors.AsType[refusal](err); ok {
		// A client that still sends may not listen before it is done.
		if _, err := io.Copy(io.Discard, io.LimitReader(sent, r.maxPush)); err != nil {
			return err
		}
		polite.speak()
		return a.refuse(remark(string(told)))
	}
	if err != nil {
		return err
	}
	c := command{
		args:  []string{"receive-pack", "--stateless-rpc", "--end-of-options", r.dir},
		hooks: r.hooks(), env: protocolEnv(protocol), stdout: a, slots: pushing,
		// For repositories that are older than these settings.
		config: []string{fmt.Sprintf("receive.maxInputSize=%d", r.maxPush), "receive.fsckObjects=true", "transfer.unpackLimit=1"},
	}
	release, err := c.slot(ctx)
	if errors.Is(err, ErrBusy) {
		io.Copy(io.Discard, io.LimitReader(sent, maxHeard)) // a client that still sends does not listen
	}
	if err != nil {
		return err
	}
	defer release()
	if len(asked.updates) == 0 { // a client that tries first, before it sends much
		return nil
	}
	end := r.beginPush()
	defer func() { end(err) }()
	p, err := r.startPush(ctx, c, asked, by, a)
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
	// See UploadPack. The door is not held by this: converse does not wait for it.
	if _, err := p.stdin.Write(asked.raw); err == nil {
		p.packed, _ = io.Copy(p.stdin, sent)
	}
	p.stdin.Close()
	polite.speak() // what fails here fails again at the end
	err = <-done
	if panicked != nil {
		err = errors.New("panic")
		panic(panicked)
	}
	unpacked, all := p.outcomes(err)
	if p.moved && by.Taken != nil {
		a.release()
		for _, line := range by.Taken(ctx, *asked.live(r.live.name)) {
			a.say(remark(line))
		}
	}
	if unpacked != "ok" { // git has not read on; see above
		io.Copy(io.Discard, io.LimitReader(sent, r.maxPush))
	}
	// Whatever has happened: a client that gets no end of an answer may wait for it for ever.
	return errors.Join(p.unsettled, a.finish(unpacked, all))
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
