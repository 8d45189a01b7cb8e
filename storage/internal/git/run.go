package git

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// This file starts the git binary. The rules are:
//
//   - The environment is built from nothing; no configuration of the host or of a person is read.
//   - Hooks come from our own folder or from nowhere, whatever the repository's config says.
//   - Whatever a guest typed stands behind --end-of-options.
//   - When the context ends, the process and all that it started are ended, by force if need be.
//   - Only so many run at once. Processes that serve a client (and wait for its line) have slots of their own, so that
//     slow clients cannot keep the wiki from its own history. A process in a working slot waits for nobody.
//   - Clients wait for a slot for a minute, then they are told to come again: a queue that only grows helps nobody.

var (
	fetching = newSlots(32, time.Minute)
	pushing  = newSlots(16, time.Minute)
	working  = newSlots(4+4*runtime.NumCPU(), 0)
)

// slots bounds how many processes run at once.
type slots struct {
	taken    chan struct{} // as full as slots are taken
	patience time.Duration // how long one is waited for; 0 for as long as the caller may
}

func newSlots(n int, patience time.Duration) *slots { return &slots{make(chan struct{}, n), patience} }

// take waits for a slot.
func (s *slots) take(ctx context.Context) (release func(), err error) {
	select { // a free one is taken even when the patience is over at once
	case s.taken <- struct{}{}:
		return func() { <-s.taken }, nil
	default:
	}
	var late <-chan time.Time
	if s.patience > 0 {
		late = time.After(s.patience)
	}
	select {
	case s.taken <- struct{}{}:
		return func() { <-s.taken }, nil
	case <-late:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ErrBusy is returned when as many clients are being served as can be at once, for longer than a client may wait.
var ErrBusy = errors.New("too many clones and pushes at once")

// protocols is what a client may hand on as GIT_PROTOCOL.
var protocols = regexp.MustCompile(`^version=[0-2](:version=[0-2])*$`)

// maxStderr is how much of what git complains about is kept, in bytes.
const maxStderr = 16 << 10

// bounds keep git's memory small, whatever was pushed. They are given with each call, so that repositories made
// elsewhere have them; git hands them on to the processes that it starts here.
var bounds = []string{
	"core.bigFileThreshold=1m", // larger files are streamed and not compared for deltas: they are no pages
	"core.packedGitLimit=128m",
	"core.packedGitWindowSize=16m",
	"core.deltaBaseCacheLimit=32m",
	"pack.threads=2",
	"pack.windowMemory=32m", // of each thread
	"pack.deltaCacheSize=16m",
}

// killPatience is how long a process that was asked to end may take.
const killPatience = 2 * time.Second

// command is one call of git.
type command struct {
	dir    string   // the bare repository; "" for none
	hooks  string   // folder of hooks; "" for none
	env    []string // besides the standard ones
	config []string // key=value, besides the standard ones
	args   []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer // besides what is kept for the error
	files  []*os.File
	slots  *slots // nil: working
	idle   bool   // run lets all others go first
	memory uint64 // bytes that run lets it have, where the system can; 0 for no limit
}

// environ is the environment of every git. HOME leads nowhere; later entries win over earlier ones.
func environ(extra ...string) []string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	return append([]string{
		"PATH=" + path,
		"HOME=/nonexistent",
		"LC_ALL=C",
		"TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_REPLACE_OBJECTS=1", // our own reader knows no replacements
		"GIT_ADVICE=0",
		"GIT_COMMITTER_NAME=cairn", // for reflogs only
		"GIT_COMMITTER_EMAIL=cairn@localhost",
		"GIT_AUTHOR_NAME=cairn",
		"GIT_AUTHOR_EMAIL=cairn@localhost",
		// The folder may belong to another owner than the process (containers). The repository's own config cannot
		// say this, and -c does not reach the processes that some commands start.
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=safe.directory",
		"GIT_CONFIG_VALUE_0=*",
	}, extra...)
}

// prepare makes the exec.Cmd, killed with its whole group when ctx ends.
func (c *command) prepare(ctx context.Context) *exec.Cmd {
	hooks := c.hooks
	if hooks == "" {
		hooks = "/dev/null"
	}
	args := []string{"-c", "core.hooksPath=" + hooks}
	for _, kv := range slices.Concat(bounds, c.config) {
		args = append(args, "-c", kv)
	}
	if c.dir != "" {
		args = append(args, "--git-dir="+c.dir)
	}
	cmd := exec.CommandContext(ctx, "git", append(args, c.args...)...)
	cmd.Env = environ(c.env...)
	cmd.Stdin, cmd.Stdout, cmd.ExtraFiles = c.stdin, c.stdout, c.files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Asked first, for git then removes its lock files and quarantines; wait sees to those that do not listen.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return cmd
}

// wait waits for a process that was started, and until all that it wrote has been taken: a client may need its time for
// that (so there is no exec.Cmd.WaitDelay, which counts from the process's end). When ctx has ended, none of its children
// are left behind.
func (c *command) wait(ctx context.Context, cmd *exec.Cmd, said *tail) error {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-over:
		case <-time.After(killPatience):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	err := cmd.Wait()
	close(over)
	stop()
	if ctx.Err() != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	return c.explain(ctx, err, said)
}

// slot waits for one of the command's slots.
func (c *command) slot(ctx context.Context) (release func(), err error) {
	return cmp.Or(c.slots, working).take(ctx)
}

// run waits for a slot and runs the command to its end. The error tells what git said.
func (c *command) run(ctx context.Context) error {
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	return c.runHere(ctx)
}

// runHere is run for who has a slot.
func (c *command) runHere(ctx context.Context) error {
	var said tail
	cmd := c.prepare(ctx)
	cmd.Stderr = &said
	if c.stderr != nil {
		cmd.Stderr = io.MultiWriter(&said, c.stderr)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if c.idle {
		syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, 10) // a pity if not, no more
	}
	if c.memory > 0 {
		if err := limitMemory(cmd.Process.Pid, c.memory); err != nil && !errors.Is(err, syscall.ESRCH) {
			cmd.Cancel()
			return errors.Join(err, c.wait(ctx, cmd, &said))
		}
	}
	return c.wait(ctx, cmd, &said)
}

// output runs the command and returns what it wrote.
func (c *command) output(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	c.stdout = &out
	err := c.run(ctx)
	return out.Bytes(), err
}

// lines runs the command and hands on each line that it writes, until one is answered by an error.
func (c *command) lines(ctx context.Context, each func(string) error) error {
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
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if err := each(lines.Text()); err != nil {
			cancel()
			c.wait(ctx, cmd, &said)
			return err
		}
	}
	return c.wait(ctx, cmd, &said)
}

func (c *command) explain(ctx context.Context, err error, said *tail) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if text := said.String(); text != "" {
		return fmt.Errorf("git %s: %w: %s", c.args[0], err, text)
	}
	return fmt.Errorf("git %s: %w", c.args[0], err)
}

// exitCode is the code with which git ended by itself, or -1.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// protocolEnv is the environment for what a client sent as Git-Protocol; anything unusual is dropped.
func protocolEnv(protocol string) []string {
	if len(protocol) > 100 || !protocols.MatchString(protocol) {
		return nil
	}
	return []string{"GIT_PROTOCOL=" + protocol}
}

// protocolVersion is the highest version asked for, as git reads GIT_PROTOCOL.
func protocolVersion(protocol string) int {
	highest := 0
	if protocolEnv(protocol) == nil {
		return highest
	}
	for part := range strings.SplitSeq(protocol, ":") {
		if v, err := strconv.Atoi(strings.TrimPrefix(part, "version=")); err == nil {
			highest = max(highest, v)
		}
	}
	return highest
}

// tail keeps the last maxStderr bytes written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*maxStderr {
		t.b = append(t.b[:0], t.b[len(t.b)-maxStderr:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }
