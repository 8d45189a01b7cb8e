package git

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
	Refs []RefUpdate
	Live *RefUpdate // the update of the live branch, if any
	New  *Tree      // its new tree, in memory
	Old  *Tree      // the head's

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

// maxAhead is how far a pushed commit's date may lie ahead.
const maxAhead = 24 * time.Hour

const stale = refusal("Somebody has saved since you last fetched. Run: git pull --rebase, then push again.")

// push is one running receive-pack.
type push struct {
	repo      *Repo
	command   command
	check     func(context.Context, Push) ([]string, error)
	process   *exec.Cmd
	ctx       context.Context // the process's: ends with the client's, until git has been told ok
	cancel    context.CancelCauseFunc
	detach    func() bool // parts ctx from the client's; false when that has ended
	stdin     io.WriteCloser
	question  *os.File // read
	answer    *os.File // written
	said      tail
	over      chan struct{} // closed when the process has ended
	once      sync.Once
	unsettled error // refs may have moved, but that is not known to be durable
}

func (r *Repo) startPush(ctx context.Context, c command, check func(context.Context, Push) ([]string, error)) (*push, error) {
	p := &push{repo: r, check: check, over: make(chan struct{})}
	question, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	ours, answer, err := os.Pipe()
	if err != nil {
		question.Close()
		return nil, err
	}
	defer ours.Close()
	p.question, p.answer = question, answer
	c.files = []*os.File{theirs, ours}
	p.command = c
	p.ctx, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	p.detach = context.AfterFunc(ctx, func() { p.cancel(context.Cause(ctx)) })
	p.process = c.prepare(p.ctx)
	p.process.Stderr = &p.said
	if p.stdin, err = p.process.StdinPipe(); err == nil {
		err = startBound(p.process.Start, p.process.SysProcAttr, p.over)
	}
	if err != nil {
		p.detach()
		p.cancel(nil)
		question.Close()
		answer.Close()
		return nil, err
	}
	return p, nil
}

// converse answers the hook and waits for the process. The error is git's.
func (p *push) converse(ctx context.Context) error {
	defer p.question.Close()
	defer p.answer.Close()
	defer p.cancel(nil)
	defer p.detach()
	r := p.repo
	quarantine, refs, err := readQuestion(p.question)
	if err == io.EOF { // git has ended or will: nothing to push, or a broken pack
		p.answer.Close()
		return p.wait()
	}
	if err != nil {
		go io.Copy(io.Discard, p.question) // until it is closed: the hook must not wait with what else it has to ask
		if _, ok := errors.AsType[refusal](err); !ok {
			r.log.WarnContext(ctx, "push not understood", "repo", r.dir, "err", err)
		}
		p.reply(p.sentence(ctx, err), "no")
		return p.wait()
	}
	lines, err := p.judge(ctx, quarantine, refs)
	if err == nil {
		if err = r.enter(ctx); err == nil {
			defer r.leave()
			err = p.compare(ctx, refs)
		}
	}
	// From here on a client that goes away must not stop git half-way between two refs.
	if err == nil && !p.detach() {
		err = context.Cause(ctx)
	}
	if err != nil {
		lines = append(lines, p.sentence(ctx, err)...)
		p.reply(lines, "no")
		return p.wait()
	}
	before := *r.objects.packs.Load()
	late := time.AfterFunc(doorPatience, func() { p.cancel(errors.New("receive-pack does not end")) })
	defer late.Stop()
	p.reply(lines, "ok")
	err = p.wait()
	p.unsettled = r.diagnose(r.settlePush(context.WithoutCancel(ctx), before, refs))
	return err
}

func (p *push) wait() error {
	defer p.once.Do(func() { close(p.over) })
	return p.command.wait(p.ctx, p.process, &p.said)
}

// reply sends the lines and the verdict. A hook that is gone cannot be told, and needs not.
func (p *push) reply(lines []string, verdict string) {
	w := bufio.NewWriter(p.answer)
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
	var told refusal
	if errors.As(err, &told) {
		return remark(string(told))
	}
	if ctx.Err() == nil {
		p.repo.log.ErrorContext(ctx, "push failed", "repo", p.repo.dir, "err", err)
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
			return "", nil, refusal("Too many branches and tags in one push. Please push them in several.")
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
		parts := strings.SplitN(line, " ", 3)
		if len(parts) != 3 {
			return "", nil, fmt.Errorf("line %.200q from the hook", line)
		}
		old, err1 := ParseHash(parts[0])
		new, err2 := ParseHash(parts[1])
		if err := cmp.Or(err1, err2); err != nil {
			return "", nil, err
		}
		refs = append(refs, RefUpdate{Name: parts[2], Old: old, New: new})
	}
}

// judge refuses what is against our own rules, then asks check. No lock is held.
func (p *push) judge(ctx context.Context, quarantine string, refs []RefUpdate) ([]string, error) {
	r := p.repo
	objects := r.objects
	var env []string
	if quarantine != "" { // there is none when nothing is sent, as for a removal
		var err error
		if objects, err = openObjects(quarantine, r.objects); err != nil {
			return nil, err
		}
		defer objects.close()
		env = []string{
			"GIT_OBJECT_DIRECTORY=" + quarantine,
			"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + filepath.Join(r.dir, "objects"),
			"GIT_QUARANTINE_PATH=" + quarantine,
		}
	}
	asked := Push{Refs: refs, objects: objects, dir: r.dir, env: env}
	_, asked.Old = r.Head()
	for i, u := range refs {
		if !strings.HasPrefix(u.Name, "refs/heads/") && !strings.HasPrefix(u.Name, "refs/tags/") {
			return nil, refusal(fmt.Sprintf("Only branches and tags can be pushed here, not %q.", u.Name))
		}
		if u.Name == r.live.name {
			asked.Live = &refs[i]
		}
	}
	if asked.Live != nil {
		if err := p.judgeLive(ctx, &asked); err != nil {
			return nil, err
		}
	}
	lines, err := p.check(ctx, asked)
	var told []string
	for _, line := range lines {
		told = append(told, remark(line)...)
	}
	if err != nil {
		if ctx.Err() != nil {
			return told, err
		}
		return told, refusal(err.Error())
	}
	return told, nil
}

func (p *push) judgeLive(ctx context.Context, asked *Push) error {
	tip, _ := p.repo.Head()
	u := asked.Live
	branch := strings.TrimPrefix(u.Name, "refs/heads/")
	switch {
	case u.New.IsZero():
		return refusal(fmt.Sprintf("The branch %s holds the pages and cannot be deleted. To remove pages, push a commit that removes their files.", branch))
	case u.Old != tip:
		return stale
	}
	var err error
	if asked.New, err = treeOf(ctx, asked.objects, u.New); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return refusal(fmt.Sprintf("What was pushed to %s is not a commit.", branch))
		}
		return err
	}
	if !u.Old.IsZero() {
		forward, err := isAncestor(ctx, asked.objects, asked.dir, asked.env, u.Old, u.New)
		if err != nil {
			return err
		}
		if !forward {
			return stale
		}
	}
	err = asked.New.loadLike(ctx, asked.Old)
	if errors.Is(err, ErrTooLarge) {
		return refusal(fmt.Sprintf("What was pushed to %s cannot be taken: %v.", branch, err))
	}
	if err != nil {
		return err
	}
	return judgeCommits(ctx, asked)
}

// judgeCommits looks at each new commit of the live branch: at its date, for all later commits would have it, and at
// how large its tree is, for Log will compare it. Trees that occur in several commits are looked at once.
func judgeCommits(ctx context.Context, asked *Push) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := command{dir: asked.dir, env: asked.env, args: []string{"rev-list", "--timestamp", "--end-of-options", asked.Live.New.String()}}
	if !asked.Live.Old.IsZero() {
		c.args = append(c.args, "^"+asked.Live.Old.String())
	}
	latest := uint64(time.Now().Add(maxAhead).Unix())
	measure := measurer{objects: asked.objects, known: map[Hash]extent{}}
	return c.lines(ctx, func(line string) error {
		seconds, name, _ := strings.Cut(line, " ")
		h, err := ParseHash(name)
		if err != nil {
			return err
		}
		// What is no number is later than anything: git reads it in its own way.
		if when, err := strconv.ParseUint(seconds, 10, 64); err != nil || when > latest {
			return refusal(fmt.Sprintf("Commit %.8s is dated more than a day ahead of the clock here. Set your clock, "+
				"run: git rebase --force-rebase origin/%s, then push again.", name, strings.TrimPrefix(asked.Live.Name, "refs/heads/")))
		}
		t, err := treeOf(ctx, asked.objects, h)
		if err == nil && t.root != nil {
			_, err = measure.tree(ctx, t.root.hash, 0)
		}
		if errors.Is(err, ErrTooLarge) {
			return refusal(fmt.Sprintf("Commit %.8s cannot be taken: %v.", name, err))
		}
		return err
	})
}

// compare makes sure, with the door held, that the live branch is still where the push was judged.
func (p *push) compare(ctx context.Context, refs []RefUpdate) error {
	r := p.repo
	if err := r.writable(); err != nil {
		return err
	}
	if err := r.reload(ctx); err != nil { // somebody else may have moved it
		return err
	}
	tip, _ := r.Head()
	for _, u := range refs {
		if u.Name == r.live.name && u.Old != tip {
			return stale
		}
	}
	return nil
}

// settlePush fsyncs what receive-pack wrote and publishes it. git fsyncs files, not all of them in older versions, and
// no folders. The door is held.
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
	return r.reload(ctx)
}

// gone reports that there is no such file, be it because a file stands where its folder was.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// executable reports whether the file can be run: its mode and its file system's mount options allow it.
func executable(path string) error { return unix.Access(path, unix.X_OK) }
