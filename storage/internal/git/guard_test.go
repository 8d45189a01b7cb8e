package git

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// within fails the test unless done tells true in time.
func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(limit); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not after %v", what, limit)
		}
	}
}

// A panic in the middle of a batch answers all in it and leaves the door and the branch's lock free.
func TestPanic(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a", "a")
	real := r.disk
	r.disk.sync = func(*os.File) error { panic("sync") }
	r.door <- struct{}{} // until both wait
	var group sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		group.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					errs[i] = fmt.Errorf("%v", v)
				}
			}()
			_, errs[i] = r.Commit(t.Context(), Change{Edits: []Edit{{Path: fmt.Sprint("new", i), Data: []byte("x")}}})
		})
	}
	within(t, time.Minute, "both wait", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.waiting) == 2
	})
	<-r.door
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("a writer hangs")
	}
	if e := errors.Join(errs...).Error(); !strings.Contains(e, "sync") || !strings.Contains(e, errBroken.Error()) {
		t.Errorf("told %q", e)
	}
	r.disk = real
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := r.Commit(ctx, Change{Edits: []Edit{{Path: "after", Data: []byte("x")}}}); err != nil {
		t.Error(err)
	}
	fsck(t, r.dir)
}

// A panic in a push's check is the caller's, as for any handler, and leaves no git and no quarantine.
func TestPanicInPush(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a", "a")
	dir := clone(t, serve(t, r, letAll))
	tip := work(t, dir, "b", "b")
	seen := make(chan any, 1)
	s := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/info/refs") {
			w.Header().Set("Content-Type", "application/x-git-receive-pack-advertisement")
			r.Advertise(q.Context(), q.FormValue("service"), "", w)
			return
		}
		defer func() { seen <- recover() }()
		r.ReceivePack(q.Context(), "", q.Body, w, pusherOf(func(context.Context, Push) ([]string, error) { panic("check") }))
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()
	if out, err := tryRun(dir, "push", "http://"+l.Addr().String()+"/wiki.git", "main"); err == nil {
		t.Errorf("pushed: %s", out)
	}
	if v := <-seen; v != "check" {
		t.Errorf("recovered %v", v)
	}
	noTrace(t, r, tip)
	put(t, r, "a", "b")
}

// A clock that was wrong once does not set everybody's: new commits keep the order, their authors the time.
func TestClock(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a", "a")
	dir := clone(t, serve(t, r, letAll))
	future := func() string {
		t.Helper()
		cmd := exec.Command("git", "commit", "-q", "--allow-empty", "-m", "from the future")
		cmd.Dir, cmd.Env = dir, environ("GIT_AUTHOR_DATE=@4102444800 +0000", "GIT_COMMITTER_DATE=@4102444800 +0000")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		return strings.TrimSpace(run(t, dir, "rev-parse", "HEAD"))
	}
	first := future()
	if out, err := tryRun(dir, "push", "origin", "main"); err == nil || !strings.Contains(out, "dated more than a day ahead") {
		t.Errorf("pushed: %s", out)
	}
	tip := work(t, dir, "b", "b") // hides it behind a commit of today
	if out, err := tryRun(dir, "push", "origin", "main"); err == nil || !strings.Contains(out, first[:8]) {
		t.Errorf("pushed: %s", out)
	}
	noTrace(t, r, tip)
	run(t, dir, "rebase", "-q", "--force-rebase", "origin/main")
	run(t, dir, "push", "-q", "origin", "main")

	// One that is there already, as in an imported repository.
	old := future()
	run(t, dir, "push", "-q", r.dir, "main")
	if err := r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := r.Show(t.Context(), put(t, r, "a", "c"))
	if err != nil || c.Parents[0].String() != old {
		t.Fatalf("%+v, %v", c, err)
	}
	if age := time.Since(c.Author.When); age < -time.Minute || age > time.Hour {
		t.Errorf("author's date %v", c.Author.When)
	}
	if c.When.Unix() < 4102444800 {
		t.Errorf("committer's date %v is before the parent's", c.When)
	}
	work(t, dir, "b", "c")
	run(t, dir, "pull", "-q", "--rebase", "origin", "main")
	run(t, dir, "push", "-q", "origin", "main")
}

// More refs than are read are refused, not waited for.
func TestPushManyRefs(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "a", "a")
	var in bytes.Buffer
	caps := "\x00report-status side-band-64k"
	for i := range 8000 {
		line := fmt.Sprintf("%040d %s refs/tags/%0150d%s", 0, head, i, caps)
		fmt.Fprintf(&in, "%04x%s", len(line)+4, line)
		caps = ""
	}
	in.WriteString("0000")
	empty := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	sum := sha1.Sum(empty)
	in.Write(append(empty, sum[:]...))
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := r.ReceivePack(ctx, "", &in, &out, pusherOf(letAll)); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "Too many branches and tags") {
		t.Errorf("told %.300q", out.String())
	}
	if got := run(t, r.dir, "for-each-ref", "refs/tags"); got != "" {
		t.Errorf("refs %.200q", got)
	}
}

// A pack beyond the bound is refused while it arrives, in repositories whose config knows no bound as well.
func TestPushTooLarge(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a", "a")
	if got := strings.TrimSpace(run(t, r.dir, "config", "receive.maxInputSize")); got != strconv.Itoa(maxPush) {
		t.Errorf("bound in the config %q", got)
	}
	run(t, r.dir, "config", "--unset", "receive.maxInputSize")
	r.maxPush = 50_000
	dir := clone(t, serve(t, r, letAll))
	tip := work(t, dir, "large", noise(100_000))
	if out, err := tryRun(dir, "push", "origin", "main"); err == nil || !strings.Contains(out, "maximum allowed size") {
		t.Errorf("pushed: %s", out)
	}
	noTrace(t, r, tip)
	run(t, dir, "reset", "-q", "--hard", "origin/main")
	work(t, dir, "small", "small")
	run(t, dir, "push", "-q", "origin", "main")
}

// noise is text that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	for i := range b {
		if b[i] = byte(rand.IntN(256)); i%60 == 0 {
			b[i] = '\n'
		}
	}
	return string(b)
}

// What is named but not stored is damage, what nobody names is not there.
func TestMissing(t *testing.T) {
	r := newRepo(t)
	none := blobHash("none")
	page := object{blobHash("page"), kindBlob, []byte("page")}
	root := tree(Entry{"file", File, none}, Entry{"folder", Dir, none}, Entry{"page", File, page.hash}, Entry{"wrong", Dir, page.hash})
	commit := func(tree, parent Hash) object {
		data := encodeCommit(tree, parent, ann, 1, "")
		return object{hashObject(kindCommit, data), kindCommit, data}
	}
	one, two := commit(root.hash, none), commit(none, Hash{})
	store(t, r, page, root, one, two)
	damaged := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, ErrMissing) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	absent := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tr, err := r.Tree(t.Context(), one.hash)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Lookup(t.Context(), "folder/page")
	damaged("lookup below a missing folder", err)
	_, err = tr.ReadDir(t.Context(), "folder")
	damaged("missing folder", err)
	_, err = tr.Lookup(t.Context(), "wrong/page")
	damaged("folder that is a file", err)
	damaged("whole tree", tr.Load(t.Context()))
	_, err = tr.Blob(t.Context(), Entry{"file", File, none})
	damaged("missing file", err)
	if b, err := tr.Blob(t.Context(), Entry{"page", File, page.hash}); err != nil || string(b) != "page" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := tr.Blob(t.Context(), Entry{"folder", Dir, none}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("folder as a file: %v", err)
	}
	_, err = tr.Lookup(t.Context(), "nothing")
	absent("lookup", err)
	empty, err := r.Tree(t.Context(), two.hash)
	if err != nil {
		t.Fatal(err)
	}
	_, err = empty.Lookup(t.Context(), "page")
	damaged("a commit's tree", err)
	for _, err := range Diff(t.Context(), nil, empty) {
		damaged("difference", err)
	}
	_, err = r.IsAncestor(t.Context(), two.hash, one.hash)
	damaged("a commit's parent", err)
	_, err = r.Blob(t.Context(), none)
	absent("blob", err)
	_, err = r.Tree(t.Context(), none)
	absent("tree", err)
	_, err = r.Show(t.Context(), none)
	absent("commit", err)
	_, err = r.Resolve(t.Context(), none.String())
	absent("revision", err)
	if r.Has(none) || !r.Has(page.hash) || !r.Has(one.hash) {
		t.Error("Has is wrong")
	}
}

// Moves with small edits are told, whatever else the commit holds; what is too large is told as it is, at once.
func TestLogMoves(t *testing.T) {
	dir := newDir(t)
	in := filepath.Join(t.TempDir(), "work")
	run(t, "/", "clone", "-q", dir, in)
	run(t, in, "checkout", "-q", "-B", "main")
	files := map[string]string{}
	for _, name := range []string{"edited", "halved", "rewritten", "same", "large same", "large edited"} {
		files[name] = strings.ReplaceAll(noise(3000), "\x00", "")
		if strings.HasPrefix(name, "large") {
			files[name] = noise(2 << 20)
		}
		work(t, in, name, files[name])
	}
	for name, text := range files {
		os.Remove(filepath.Join(in, name))
		switch name {
		case "edited", "large edited":
			text += "one more line\n"
		case "halved":
			text = text[:1000]
		case "rewritten":
			text = noise(3000)
		}
		os.WriteFile(filepath.Join(in, name+".md"), []byte(text), 0o666)
	}
	run(t, in, "add", "-A")
	run(t, in, "commit", "-q", "-m", "moved")
	run(t, in, "push", "-q", "origin", "main")
	r := open(t, dir)
	head, _ := r.Head()
	got := map[string]bool{}
	for c, err := range r.Log(t.Context(), Hash{}, head) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Hash != head {
			continue
		}
		for _, f := range c.Files {
			got[fmt.Sprintf("%c %s<%s", f.Kind, f.Path, f.From)] = true
			if f.Kind == 'R' && (f.Old.IsZero() || f.New.IsZero()) {
				t.Errorf("%+v", f)
			}
		}
	}
	want := []string{"R edited.md<edited", "R same.md<same", "R large same.md<large same", "A halved.md<", "D halved<",
		"A rewritten.md<", "D rewritten<", "A large edited.md<", "D large edited<"}
	for _, w := range want {
		if !got[w] {
			t.Errorf("no %q in %v", w, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A commit whose tree is a bomb cannot be hidden behind one that takes it away again.
func TestPushBomb(t *testing.T) {
	r := newRepo(t)
	put(t, r, "a", "a")
	dir := clone(t, serve(t, r, letAll))
	bomb := strings.TrimSpace(run(t, dir, "rev-parse", "HEAD^{tree}"))
	for range 12 {
		var list strings.Builder
		for i := range 10 {
			fmt.Fprintf(&list, "040000 tree %s\td%d\n", bomb, i)
		}
		cmd := exec.Command("git", "mktree")
		cmd.Dir, cmd.Env, cmd.Stdin = dir, environ(), strings.NewReader(list.String())
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		bomb = strings.TrimSpace(string(out))
	}
	hidden := strings.TrimSpace(run(t, dir, "commit-tree", "-p", "HEAD", "-m", "bomb", bomb))
	tip := strings.TrimSpace(run(t, dir, "commit-tree", "-p", hidden, "-m", "gone", "HEAD^{tree}"))
	if out, err := tryRun(dir, "push", "origin", tip+":main"); err == nil || !strings.Contains(out, hidden[:8]+" cannot be taken") {
		t.Errorf("pushed: %v %s", err, out)
	}
	noTrace(t, r, hidden)
}

// gits lists the running git processes that have to do with a folder.
func gits(dir string) []int {
	var all []int
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		b, _ := os.ReadFile(name)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if bytes.HasPrefix(b, []byte("git\x00")) && (bytes.Contains(b, []byte(dir)) || strings.HasPrefix(cwd, dir)) {
			all = append(all, pid)
		}
	}
	return all
}

func quarantines(dir string) []string {
	found, _ := filepath.Glob(dir + "/objects/tmp_objdir*")
	return found
}

// A client whose connection is cut in the middle of a clone or a push leaves no process and no quarantine.
func TestClientDies(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc")
	}
	r := newRepo(t)
	head := put(t, r, "large", noise(16<<20))
	address, err := url.Parse(serve(t, r, letAll))
	if err != nil {
		t.Fatal(err)
	}
	dial := func(service string) net.Conn {
		conn, err := net.Dial("tcp", address.Host)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /wiki.git/%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", service)
		return conn
	}
	send := func(c net.Conn, body string) { fmt.Fprintf(c, "%x\r\n%s\r\n", len(body), body) }

	clone := dial("git-upload-pack")
	send(clone, fmt.Sprintf("0032want %s\n00000009done\n", head))
	io.WriteString(clone, "0\r\n\r\n")
	if _, err := io.ReadFull(clone, make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if len(gits(r.dir)) == 0 {
		t.Fatal("no git while a client clones")
	}
	clone.Close()
	within(t, time.Minute, "git of a broken clone ends", func() bool { return len(gits(r.dir)) == 0 })

	push := dial("git-receive-pack")
	line := head.String() + " " + strings.Repeat("1", 40) + " refs/heads/main\x00 report-status side-band-64k"
	send(push, fmt.Sprintf("%04x%s0000PACK\x00\x00\x00\x02\x00\x00\x00\x05", len(line)+4, line))
	within(t, time.Minute, "a quarantine is made", func() bool { return len(quarantines(r.dir)) > 0 })
	push.Close()
	within(t, time.Minute, "git of a broken push ends", func() bool { return len(gits(r.dir)) == 0 })
	within(t, time.Minute, "its quarantine is removed", func() bool { return len(quarantines(r.dir)) == 0 })
	put(t, r, "after", "x")
}

// pusher is a server in which a push never comes to its end.
func pusher(dir string) {
	r, err := Open(context.Background(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	in, out := io.Pipe()
	line := fmt.Sprintf("%040d %040d refs/heads/draft\x00 report-status", 0, 1)
	go fmt.Fprintf(out, "%04x%s0000PACK", len(line)+4, line)
	r.ReceivePack(context.Background(), "", in, io.Discard, pusherOf(letAll))
}

// When the server is killed, no git of its stays behind that could still move a branch, be it as slow as it may.
func TestNoOrphans(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc")
	}
	dir := newDir(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CAIRN_TEST_PUSHER="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var found []int
	within(t, time.Minute, "git runs", func() bool { found = gits(dir); return len(found) > 0 })
	for _, pid := range found {
		syscall.Kill(pid, syscall.SIGSTOP)
		t.Cleanup(func() {
			if len(gits(dir)) > 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
	cmd.Process.Kill()
	cmd.Wait()
	gone := func() bool { // what nobody waits for stays as a zombie, which has no command line
		return len(gits(dir)) == 0
	}
	within(t, time.Minute, "git dies with its server", gone)
}
