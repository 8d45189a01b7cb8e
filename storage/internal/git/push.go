package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// This file lets a push through the door. receive-pack unpacks into a quarantine without any lock, so saves go on while
// a pack uploads. Then its hook asks us. We judge, take the door, compare once more, say ok, and keep the door until
// receive-pack has moved the refs and ended. Then what it wrote is fsynced and published, and only then is the pusher
// told. Whatever becomes of the pusher or of git in between, the ref on disk decides.

// Push is what a pusher asks for, seen from inside the quarantine. It is of use only while check runs.
type Push struct {
	Refs   []RefUpdate
	Branch string     // the live branch's name
	Live   *RefUpdate // its update, if any
	New    *Tree      // its new tree, in memory
	Old    *Tree      // the head's

	objects *objects
	dir     string
	env     []string
}

// RefUpdate is one ref's move. A zero Old makes it, a zero New removes it.
type RefUpdate struct {
	Name     string
	Old, New Hash
}

// Blob is a file's bytes as Repo.Blob has them, of what is pushed as well.
func (p Push) Blob(ctx context.Context, h Hash) ([]byte, error) {
	return p.objects.readAs(ctx, kindBlob, h)
}

// Size is the length of a blob in bytes, found without reading it whole. The error wraps fs.ErrNotExist as Blob's does.
func (p Push) Size(ctx context.Context, h Hash) (int64, error) { return p.objects.size(ctx, h) }

// refusal is a sentence to the pusher.
type refusal string

func (r refusal) Error() string { return string(r) }

// doorPatience is how long receive-pack may take to move refs while all others wait.
const doorPatience = time.Minute

const stale = refusal("Somebody has saved since you last fetched. Run: git pull --rebase, then push again.")

// maxPushMemory is how many bytes of memory each process of a push may have: less than it would need for what unpacks to
// gigabytes.
const maxPushMemory = 1 << 30

// push is one running receive-pack.
type push struct {
	repo      *Repo
	command   command
	asked     commands
	by        Pusher
	answer    *answer
	process   *exec.Cmd
	ctx       context.Context // the process's: ends with the client's, until git has been told ok
	cancel    context.CancelCauseFunc
	detach    func() bool // parts ctx from the client's; false when that has ended
	stdin     io.WriteCloser
	question  *os.File // read
	reply     *os.File // written
	said      tail
	over      chan struct{} // closed when the process has ended
	once      sync.Once
	refused   []string // what the pusher has been told when we have refused
	packed    int64    // bytes of the pack that git has taken
	moved     bool     // the live branch has, as was asked
	unsettled error    // refs may have moved, but that is not known to be durable
}

func (r *Repo) startPush(ctx context.Context, c command, asked commands, by Pusher, a *answer) (*push, error) {
	p := &push{repo: r, asked: asked, by: by, answer: a, over: make(chan struct{})}
	question, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	ours, reply, err := os.Pipe()
	if err != nil {
		question.Close()
		return nil, err
	}
	defer ours.Close()
	p.question, p.reply = question, reply
	c.files = []*os.File{theirs, ours}
	p.command = c
	p.ctx, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	p.detach = context.AfterFunc(ctx, func() { p.cancel(context.Cause(ctx)) })
	p.process = c.prepare(p.ctx)
	p.process.Stderr = &p.said
	if p.stdin, err = p.process.StdinPipe(); err == nil {
		err = startBound(p.process.Start, p.process.SysProcAttr, p.over)
	}
	if err == nil { // before it reads anything, and so starts others
		if err := limitMemory(p.process.Process.Pid, maxPushMemory); err != nil && !errors.Is(err, syscall.ESRCH) {
			r.log.WarnContext(ctx, "a push without a limit of memory", "repo", r.dir, "err", err)
		}
	}
	if err != nil {
		p.detach()
		p.cancel(nil)
		question.Close()
		reply.Close()
		return nil, err
	}
	return p, nil
}

// converse answers the hook and waits for the process. The error is git's.
func (p *push) converse(ctx context.Context) error {
	defer p.question.Close()
	defer p.reply.Close()
	defer p.cancel(nil)
	defer p.detach()
	r := p.repo
	quarantine, refs, err := readQuestion(p.question)
	if err == io.EOF { // git has ended or will: a broken pack
		p.reply.Close()
		return p.wait()
	}
	if err == nil {
		err = sameUpdates(p.asked.updates, refs)
	} else {
		go io.Copy(io.Discard, p.question) // until it is closed: the hook must not wait with what else it has to ask
	}
	var lines []string
	if err == nil {
		lines, err = p.judge(ctx, quarantine)
	}
	// Only who moves the live branch keeps others waiting.
	live := p.asked.live(r.live.name)
	if err == nil {
		p.answer.hold()
	}
	if err == nil && live != nil {
		if err = r.enter(ctx); err == nil {
			defer r.leave()
			err = p.compare(ctx, *live)
		}
	} else if err == nil {
		err = r.writable()
	}
	// From here on a client that goes away must not stop git half-way between two refs.
	if err == nil && !p.detach() {
		err = context.Cause(ctx)
	}
	if err != nil {
		p.refused = p.sentence(ctx, err)
		lines = append(lines, p.refused...)
		p.tell(lines, "no")
		return p.wait()
	}
	before := *r.objects.packs.Load()
	late := time.AfterFunc(doorPatience, func() { p.cancel(errors.New("receive-pack does not end")) })
	defer late.Stop()
	p.tell(lines, "ok")
	err = p.wait()
	ctx = context.WithoutCancel(ctx)
	p.unsettled = r.diagnose(r.settlePush(ctx, before, refs))
	if p.unsettled == nil && live != nil {
		p.unsettled = r.reload(ctx)
		tip, _ := r.Head()
		if p.moved = p.unsettled == nil && tip == live.New; p.moved {
			by := p.by.By
			by.When = time.Now()
			if err := r.diagnose(r.note(ctx, tip, by)); err != nil { // the push is in all the same
				r.log.ErrorContext(ctx, "who pushed is not recorded", "repo", r.dir, "rev", tip, "by", by.Name, "err", err)
			}
		}
	}
	return err
}

// outcomes is what has become of the push, once its process has ended: what git reports, made true and told in full.
func (p *push) outcomes(err error) (unpacked string, all []outcome) {
	unpacked, all, rerr := p.answer.said()
	switch {
	case p.refused != nil:
		return "ok", refusedAll(p.asked.updates, p.refused)
	case p.unsettled != nil:
		lines := p.sentence(p.ctx, p.unsettled)
		p.answer.say(lines)
		return "ok", refusedAll(p.asked.updates, lines)
	case rerr == nil && unpacked != "ok":
		why := "What was sent could not be unpacked. Run git fsck in your clone, mend what it tells, and push again."
		if p.packed >= p.repo.maxPush {
			why = fmt.Sprintf("A push may have at most %d MiB. Push it in parts, an older commit first: git push origin COMMIT:BRANCH.", p.repo.maxPush>>20)
		}
		lines := remark(why)
		p.answer.say(lines)
		return unpacked, refusedAll(p.asked.updates, lines)
	case rerr != nil && p.asked.report > 0: // git was ended, maybe after some refs had moved
		p.repo.log.Warn("push without a report", "repo", p.repo.dir, "err", errors.Join(err, rerr))
		unpacked, all = "ok", refusedAll(p.asked.updates, remark("The server could not take the push; please try again later."))
		for i, u := range p.asked.updates {
			at := ref{dir: p.repo.dir, name: u.Name}
			now, err := at.read()
			if u.New.IsZero() && errors.Is(err, fs.ErrNotExist) || err == nil && now == u.New || p.moved && u.Name == p.repo.live.name {
				all[i].refused = ""
			}
		}
	}
	return unpacked, all
}

func (p *push) wait() error {
	defer p.once.Do(func() { close(p.over) })
	return p.command.wait(p.ctx, p.process, &p.said)
}

// tell sends the hook the lines and the verdict. A hook that is gone cannot be told, and needs not.
func (p *push) tell(lines []string, verdict string) {
	w := bufio.NewWriter(p.reply)
	for _, line := range lines[:min(len(lines), maxRemarks)] {
		w.WriteString(":" + line + "\n")
	}
	if n := len(lines) - maxRemarks; n > 0 {
		fmt.Fprintf(w, ":… and %d more\n", n)
	}
	w.WriteString(verdict + "\n")
	w.Flush()
}

// sentence is what the pusher is told of an error. What is not written for people is logged instead.
func (p *push) sentence(ctx context.Context, err error) []string {
	told, ok := errors.AsType[refusal](err)
	if err != error(told) && ctx.Err() == nil {
		p.repo.log.ErrorContext(ctx, "push failed", "repo", p.repo.dir, "err", err)
	}
	if ok {
		return remark(string(told))
	}
	if errors.Is(err, ErrReadOnly) {
		return remark("The server's disk has failed; nothing can be saved at the moment.")
	}
	return remark("The server could not take the push; please try again later.")
}

// readQuestion reads what the hook sends. io.EOF is a hook that ended before.
func readQuestion(in io.Reader) (quarantine string, refs []RefUpdate, err error) {
	limit := &io.LimitedReader{R: in, N: maxQuestion}
	lines := bufio.NewReader(limit)
	for {
		line, err := lines.ReadString('\n')
		if err != nil && limit.N == 0 {
			return "", nil, fmt.Errorf("the hook asks more than %d bytes", maxQuestion)
		}
		if err != nil {
			return "", nil, err
		}
		line = strings.TrimSuffix(line, "\n")
		if path, ok := strings.CutPrefix(line, "quarantine "); ok {
			quarantine = path
			continue
		}
		if line == "" {
			return quarantine, refs, nil
		}
		u, err := parseUpdate(line)
		if err != nil {
			return "", nil, err
		}
		refs = append(refs, u)
	}
}

// compare makes sure, with the door held, that the live branch is still where the push was judged.
func (p *push) compare(ctx context.Context, live RefUpdate) error {
	r := p.repo
	if err := r.writable(); err != nil {
		return err
	}
	if err := r.reload(ctx); err != nil { // somebody else may have moved it
		return err
	}
	if tip, _ := r.Head(); live.Old != tip {
		return stale
	}
	return nil
}

// settlePush fsyncs what receive-pack wrote. git fsyncs files, not all of them in older versions, and no folders.
func (r *Repo) settlePush(ctx context.Context, before []*pack, refs []RefUpdate) error {
	if err := r.objects.scan(); err != nil {
		return err
	}
	for _, p := range *r.objects.packs.Load() {
		if slices.Contains(before, p) {
			continue
		}
		for _, ext := range []string{".pack", ".idx", ".rev"} {
			if err := r.disk.path(p.path + ext); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	folders := []string{filepath.Join(r.dir, "objects", "pack"), filepath.Join(r.dir, "objects"), r.dir}
	for _, u := range refs {
		path := filepath.Join(r.dir, filepath.FromSlash(u.Name))
		if err := r.disk.path(path); err != nil && !gone(err) {
			return err
		}
		for path != r.dir {
			path = filepath.Dir(path)
			folders = append(folders, path)
		}
	}
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		if err := r.disk.path(folder); err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// gone reports that there is no such file, be it because a file stands where its folder was.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// executable reports whether the file can be run: its mode and its file system's mount options allow it.
func executable(path string) error { return unix.Access(path, unix.X_OK) }
