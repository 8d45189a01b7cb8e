package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Git clients that share no code with git clone the wiki, push to it, keep up with it, and are told why when a push is
// refused. Each of them is a script in testdata/peers that knows these verbs, prints where its branch is then, and fails
// when the wiki refuses:
//
//	clone DIR URL     makes a clone
//	commit DIR FILE   commits what has been written to FILE
//	push DIR          pushes main; force does so whatever the client itself thinks of it
//	follow DIR        fetches, and makes main and the files what the wiki has
//
// A client that is not on this machine skips its test.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, peer := range []struct {
		name string
		find func(*testing.T, string) []string // the command that runs the script, told the test's folder
	}{
		{"dulwich", python("dulwich")},
		{"pygit2", python("pygit2")},
		{"isomorphic-git", isomorphicGit},
	} {
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := &peerStory{t: t, dir: dir, run: peer.find(t, dir), clone: filepath.Join(dir, "clone")}
			p.tell()
		})
	}
}

// peerStory is one client with a wiki of its own.
type peerStory struct {
	t     *testing.T
	dir   string
	clone string
	run   []string
	wiki  *running
}

func (p *peerStory) tell() {
	t := p.t
	var err error
	if p.wiki, err = startCairn(filepath.Join(p.dir, "data"), filepath.Join(p.dir, "server.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := p.wiki.end(syscall.SIGTERM)
		if log := p.wiki.logged(); err != nil || strings.Contains(log, "DATA RACE") || strings.Contains(log, "level=ERROR") {
			t.Errorf("%v: %s", err, log)
		}
	})

	p.must("clone", p.wiki.url+"/wiki.git")
	if _, err := os.Stat(filepath.Join(p.clone, "Home.md")); err != nil {
		t.Fatal(err)
	}

	// A push is shown at once.
	p.write("From afar.md", "# From afar\n")
	p.must("commit", "From afar.md")
	pushed := p.must("push")
	p.shows("From afar", "# From afar\n")
	if head := p.head(); head != pushed {
		t.Fatalf("the wiki is at %s, pushed was %s", head, pushed)
	}

	// A fetch brings what somebody has saved meanwhile.
	p.save("From the web", "# From the web\n")
	if at := p.must("follow"); at != p.head() {
		t.Fatalf("the clone is at %s, the wiki at %s", at, p.head())
	}
	if got, err := os.ReadFile(filepath.Join(p.clone, "From the web.md")); err != nil || string(got) != "# From the web\n" {
		t.Fatalf("%q %v", got, err)
	}

	// A push that is stale is refused, be it by the client or by the wiki. The wiki says what to do.
	p.write("Late.md", "# Late\n")
	p.must("commit", "Late.md")
	p.save("In between", "# In between\n")
	head := p.head()
	if out, err := p.do("push"); err == nil {
		t.Fatalf("a stale push was taken: %s", out)
	}
	out, err := p.do("force")
	if err == nil || !strings.Contains(out, "git pull --rebase") {
		t.Fatalf("a stale push by force: %v, want to be told what to do: %s", err, out)
	}
	if now := p.head(); now != head {
		t.Fatalf("the wiki was at %s, after a refused push at %s", head, now)
	}
	p.shows("In between", "# In between\n")

	// Done again upon what is there now, it is taken.
	p.must("follow")
	p.write("Late.md", "# Late\n")
	p.must("commit", "Late.md")
	p.must("push")
	p.shows("Late", "# Late\n")
	p.shows("In between", "# In between\n")
}

// do runs a verb in the clone and returns what the client says. The error tells that it failed.
func (p *peerStory) do(verb string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	args := append(append([]string{}, p.run[1:]...), verb, p.clone)
	cmd := exec.CommandContext(ctx, p.run[0], append(args, more...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.CombinedOutput()
	if _, told := errors.AsType[*exec.ExitError](err); err != nil && !told || ctx.Err() != nil {
		p.t.Fatalf("%s: %v %s", verb, err, out)
	}
	return string(out), err
}

// must runs a verb that succeeds, and returns where the clone's branch is then.
func (p *peerStory) must(verb string, more ...string) string {
	p.t.Helper()
	out, err := p.do(verb, more...)
	words := strings.Fields(out)
	if err != nil || len(words) == 0 {
		p.t.Fatalf("%s: %v: %s", verb, err, out)
	}
	return words[len(words)-1]
}

func (p *peerStory) write(file, text string) {
	if err := os.WriteFile(filepath.Join(p.clone, file), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// save makes a page in the browser's stead.
func (p *peerStory) save(page, text string) {
	p.t.Helper()
	if status, answer := p.ask("PUT", page, text); status != http.StatusCreated {
		p.t.Fatalf("%d %s", status, answer)
	}
}

// shows fails unless a page is there, with this source.
func (p *peerStory) shows(page, text string) {
	p.t.Helper()
	if status, answer := p.ask("GET", page, ""); status != http.StatusOK || answer != text {
		p.t.Fatalf("%s: %d %q, want %q", page, status, answer, text)
	}
}

func (p *peerStory) ask(method, page, body string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.wiki.url+"/wiki/"+strings.ReplaceAll(page, " ", "%20")+".md", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("If-None-Match", "*")
	if method == "GET" {
		req.Header.Del("If-None-Match")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

// head is where the wiki's branch is on disk.
func (p *peerStory) head() string {
	p.t.Helper()
	out, err := exec.Command("git", "--git-dir="+filepath.Join(p.dir, "data/spaces/wiki.git"), "rev-parse", "HEAD").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// python finds a Python that has the module: Debian's, if the one in front does not.
func python(module string) func(*testing.T, string) []string {
	return func(t *testing.T, _ string) []string {
		for _, program := range []string{"python3", "/usr/bin/python3"} {
			if exec.Command(program, "-c", "import "+module).Run() == nil {
				return []string{program, filepath.Join("testdata", "peers", "by_"+module+".py")}
			}
		}
		t.Skipf("%s is not here (Debian: apt-get install python3-%s)", module, module)
		return nil
	}
}

// isomorphicGit fetches the client into the folder, in the version that package-lock.json names.
func isomorphicGit(t *testing.T, dir string) []string {
	if exec.Command("node", "--version").Run() != nil {
		t.Skip("isomorphic-git needs node, which is not here")
	}
	for _, name := range []string{"by_isomorphic.js", "package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", "peers", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=30000")
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("isomorphic-git cannot be fetched: %v: %s", err, out)
	}
	return []string{"node", filepath.Join(dir, "by_isomorphic.js")}
}
