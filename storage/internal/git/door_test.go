package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A push whose body stalls half-way keeps nobody from saving. It is stale in the end, as somebody has saved.
func TestStalledPush(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	large := noise(1 << 20)
	blob := object{blobHash(large), kindBlob, []byte(large)}
	root := tree(Entry{"large", File, blob.hash})
	c := commitOf(root.hash, "large", head)
	whole := pkt(moveLine(head, c.hash, "refs/heads/main")+"\x00"+capable, "") + packOf(t, blob, root, c)
	in, send := io.Pipe()
	var out bytes.Buffer
	done := make(chan error, 1)
	go func() { done <- r.ReceivePack(t.Context(), "", in, &out, pusherOf(letAll)) }()
	if _, err := io.WriteString(send, whole[:len(whole)/2]); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "the push is being unpacked", func() bool { return len(quarantines(r.dir)) > 0 })
	for i := range 20 {
		put(t, r, "page.md", fmt.Sprint("saved ", i))
	}
	select {
	case err := <-done:
		t.Fatalf("the push has ended: %v", err)
	default:
	}
	if _, err := io.WriteString(send, whole[len(whole)/2:]); err != nil {
		t.Error(err)
	}
	send.Close()
	if err := <-done; err != nil || !strings.Contains(bands(t, out.String()).report, "ng refs/heads/main "+string(stale)) {
		t.Errorf("%v, told %q", err, out.String())
	}
	if got := read(t, r, "page.md"); got != "saved 19" {
		t.Errorf("page %q", got)
	}
	if left := quarantines(r.dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	fsck(t, r.dir)
}

// A push without the live branch comes to its end while somebody else holds the door.
func TestPushBesideDoor(t *testing.T) {
	r := newRepo(t)
	put(t, r, "page.md", "one\n")
	dir := clone(t, serve(t, r, letAll))
	tip := work(t, dir, "draft.md", "draft\n")
	r.door <- struct{}{}
	out, err := tryRun(dir, "push", "origin", "main:draft", "main:refs/tags/v1")
	<-r.door
	if err != nil {
		t.Fatalf("pushed: %v %s", err, out)
	}
	if got := strings.TrimSpace(run(t, r.dir, "rev-parse", "draft")); got != tip || !r.Has(mustHash(t, tip)) {
		t.Errorf("draft is at %s, want %s", got, tip)
	}
	fsck(t, r.dir)
}

func mustHash(t testing.TB, s string) Hash {
	t.Helper()
	h, err := ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// More pushes at once than there are places, half to branches of their own, half to the live one, which they pull anew
// when they are late; saves beside them. Nothing that was acknowledged is lost.
func TestManyPushes(t *testing.T) {
	r := newRepo(t)
	put(t, r, "page.md", "one\n")
	url := serve(t, r, letAll)
	from := clone(t, url)
	var group sync.WaitGroup
	const pushers = 20
	for i := range pushers {
		dir := clone(t, from)
		run(t, dir, "remote", "set-url", "origin", url)
		group.Go(func() {
			work(t, dir, fmt.Sprintf("pushed/%d.md", i), fmt.Sprint(i))
			if i%2 == 0 {
				if out, err := tryRun(dir, "push", "-q", "origin", fmt.Sprint("main:draft", i)); err != nil {
					t.Errorf("push %d: %v %s", i, err, out)
				}
				return
			}
			for try := 0; ; try++ {
				out, err := tryRun(dir, "push", "-q", "origin", "main")
				if err == nil {
					return
				}
				if !strings.Contains(out, "git pull") && !strings.Contains(out, "cannot lock ref") && !strings.Contains(out, "fetch first") || try == 200 {
					t.Errorf("push %d: %v %s", i, err, out)
					return
				}
				if out, err := tryRun(dir, "pull", "-q", "--rebase", "origin", "main"); err != nil {
					t.Errorf("pull %d: %v %s", i, err, out)
					return
				}
			}
		})
	}
	group.Go(func() {
		for i := range 20 {
			put(t, r, "page.md", fmt.Sprint("saved ", i))
			time.Sleep(20 * time.Millisecond)
		}
	})
	group.Wait()
	for i := range pushers {
		ref := "main"
		if i%2 == 0 {
			ref = fmt.Sprint("draft", i)
		}
		if got, err := tryRun(r.dir, "show", fmt.Sprintf("%s:pushed/%d.md", ref, i)); err != nil || got != fmt.Sprint(i) {
			t.Errorf("LOST: %d is %q, %v", i, got, err)
		}
	}
	if got := read(t, r, "page.md"); got != "saved 19" {
		t.Errorf("LOST: page is %q", got)
	}
	// A client may be done a moment before its place is free.
	within(t, time.Minute, "all places are free", func() bool { return len(pushing.taken) == 0 && len(fetching.taken) == 0 })
	fsck(t, r.dir)
}

// A place is waited for, and not for ever; who goes away does not get one.
func TestSlots(t *testing.T) {
	s := newSlots(1, time.Nanosecond) // a free one is taken however late the timer is
	release, err := s.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.take(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("a second: %v", err)
	}
	s = &slots{s.taken, time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("gone: %v", err)
	}
	got := make(chan error)
	go func() {
		_, err := s.take(t.Context())
		got <- err
	}()
	release()
	if err := <-got; err != nil {
		t.Errorf("after a release: %v", err)
	}
}

// Clients that are cut off anywhere in a push leave no process, no quarantine and no place taken, and the next push goes
// through.
func TestPushersDie(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("no /proc")
	}
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	large := noise(300_000)
	blob := object{blobHash(large), kindBlob, []byte(large)}
	root := tree(Entry{"large", File, blob.hash})
	c := commitOf(root.hash, "large", head)
	whole := pkt(moveLine(head, c.hash, "refs/heads/main")+"\x00"+capable, "") + packOf(t, blob, root, c)
	address, err := url.Parse(serve(t, r, letAll))
	if err != nil {
		t.Fatal(err)
	}
	before := inventory(t, r.dir)
	for _, n := range []int{0, 3, 50, 170, 200, len(whole) / 2, len(whole) - 1} {
		conn, err := net.Dial("tcp", address.Host)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /wiki.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole[:n])
		if n > 200 {
			within(t, time.Minute, "a push begins", func() bool { return len(quarantines(r.dir)) > 0 })
		}
		conn.Close()
		within(t, time.Minute, "git ends", func() bool { return len(gits(r.dir)) == 0 })
		within(t, time.Minute, "its place is free", func() bool { return len(pushing.taken) == 0 })
		var after []string
		for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
			if after = inventory(t, r.dir); slices.Equal(before, after) {
				break
			}
		}
		if !slices.Equal(before, after) {
			t.Errorf("cut off after %d bytes: left %v", n, after)
		}
	}
	told, err := rawPush(t, r, letAll, whole)
	if err != nil || !strings.Contains(told.report, "ok refs/heads/main") {
		t.Errorf("%v, told %+v", err, told)
	}
	fsck(t, r.dir)
}
