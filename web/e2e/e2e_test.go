// Package e2e walks through the real wiki in a real browser: Chromium, driven over its own protocol.
package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds one step of a story on a busy machine.
const patience = 30 * time.Second

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "cairn-e2e-")
	if err != nil {
		return "", err
	}
	exe := filepath.Join(dir, "cairn")
	out, err := exec.Command("go", "build", "-race", "-o", exe, "cairn/cmd/cairn").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return exe, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if exe, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(exe))
	}
	os.Exit(code)
}

// serve starts a wiki of its own for a test, and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	exe, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if log := stderr.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "DATA RACE") {
			t.Errorf("the wiki complained: %s", log)
		}
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the wiki printed no address")
	}
	_, url, _ := strings.Cut(lines.Text(), " at ")
	return url
}

// window is a browser window of a visitor of its own. Every page that it shows must be free of scripts that ran by
// themselves and of broken rules (content policy, failed loads).
type window struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

// browser starts Chromium.
func browser(t *testing.T) context.Context {
	t.Helper()
	exe := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			exe = path
			break
		}
	}
	if exe == "" {
		t.Fatal("the browser stories need Chromium (Debian: apt-get install chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(exe), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(time.Minute))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// open opens a window of a visitor who shares nothing with others.
func open(t *testing.T, browser context.Context, width, height int64) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &window{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(ev any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			w.bad = append(w.bad, "exception: "+ev.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			// 404 and 409 are answers that the stories ask for.
			if ev.Entry.Level == log.EntryLevelError && ev.Entry.Source != log.EntrySourceNetwork {
				w.bad = append(w.bad, string(ev.Entry.Source)+": "+ev.Entry.Text)
			}
		case *page.EventJavascriptDialogOpening:
			w.bad = append(w.bad, "a dialog opened: "+ev.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	w.resize(width, height)
	return w
}

// see runs one look at a window and returns what it saw.
func see[T any](w *window, look chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	saw, err := chromedp.Run(ctx, look)
	if err != nil {
		at, _ := chromedp.Run(w.ctx, chromedp.Location())
		w.t.Fatalf("at %s: %v", at, err)
	}
	return saw
}

// do runs steps, and then fails when anything in the window has complained.
func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	see(w, chromedp.Steps(steps...))
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.bad) > 0 {
		w.t.Fatal(strings.Join(w.bad, "; "))
	}
}

func (w *window) resize(width, height int64) {
	w.t.Helper()
	var opts []chromedp.EmulateViewportOption
	if width < 500 {
		opts = append(opts, chromedp.EmulateMobile)
	}
	w.do(chromedp.EmulateViewport(width, height, opts...))
}

func (w *window) scheme(name string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// visit opens an address.
func (w *window) visit(url string) {
	w.t.Helper()
	w.do(chromedp.Navigate(url))
}

// sees fails unless the texts stand in the main part of the page.
func (w *window) sees(texts ...string) {
	w.t.Helper()
	body := see(w, chromedp.Text("main"))
	for _, text := range texts {
		if !strings.Contains(body, text) {
			w.t.Fatalf("%q is not to be seen in:\n%s", text, body)
		}
	}
}

// leads runs steps that lead to another page, and waits for that.
func (w *window) leads(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, steps...); err != nil {
		w.t.Fatal(err)
	}
	w.do()
}

func (w *window) press(selector string) {
	w.t.Helper()
	w.leads(chromedp.Click(selector))
}

// link follows the first link of that text in the main part of the page.
func (w *window) link(text string) {
	w.t.Helper()
	w.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		found, err := chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
			const a = [...document.querySelectorAll("main a")].find(a => a.textContent.trim() === %q);
			if (a) a.id = "followed-by-the-test";
			return !!a;
		})()`, text))(ctx, t)
		if err == nil && !found {
			err = fmt.Errorf("there is no link %q", text)
		}
		return chromedp.Void{}, err
	})
	w.press("#followed-by-the-test")
}

func (w *window) fill(name, value string) {
	w.t.Helper()
	w.do(chromedp.SetValue(fmt.Sprintf(`[name=%q]`, name), value))
}

const (
	saveButton    = `button[name="action"][value="save"]`
	previewButton = `button[name="action"][value="preview"]`
)

func TestTwoPeopleWriteOnePage(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	ann, bob := open(t, chrome, 1440, 900), open(t, chrome, 390, 844)

	// Ann reads the first page and follows a link to one that nobody has written yet.
	ann.visit(url)
	ann.sees("Welcome")
	ann.link("My first page")
	ann.fill("text", "# Garden\n\nroses\n\nherbs\n\ntrees\n")
	ann.fill("name", "Ann")
	ann.press(previewButton)
	ann.sees("roses")
	ann.press(saveButton)
	ann.sees("Garden", "herbs", "Saved")

	// Both open the editor; Bob saves first.
	edit := url + "/wiki/-/edit/My%20first%20page"
	ann.visit(edit)
	bob.visit(edit)
	bob.fill("text", "# Garden\n\nred roses\n\nherbs\n\ntrees\n")
	bob.fill("name", "Bob")
	bob.press(saveButton)
	bob.sees("red roses", "Saved")

	// Ann has changed the same line: she gets all texts, and what she typed is still there.
	ann.fill("text", "# Garden\n\nwhite roses\n\nherbs\n\ntrees\n")
	ann.press(saveButton)
	ann.sees("Bob saved this page while you were writing", "white roses", "red roses")
	merged := see(ann, chromedp.Value(`textarea[name="whole"]`))
	for _, want := range []string{"<<<<<<<", "white roses", "=======", "red roses", ">>>>>>>"} {
		if !strings.Contains(merged, want) {
			t.Fatalf("%q is not in the merged text:\n%s", want, merged)
		}
	}
	ann.do(chromedp.Click(`details:has(textarea[name="whole"]) > summary`))
	ann.fill("whole", "# Garden\n\nred and white roses\n\nherbs\n\ntrees\n")
	ann.press(`button[name="action"][value="whole"]`)
	ann.sees("red and white roses")

	// Bob finds it, by the search box in the header.
	bob.visit(url)
	bob.leads(chromedp.SendKeys(`[role="search"] input[name="q"]`, "white roses\r"))
	bob.sees("Garden")
	bob.link("Garden")
	bob.sees("red and white roses")

	// Its history knows all three.
	bob.visit(url + "/wiki/-/history/My%20first%20page")
	bob.sees("Ann", "Bob")
}

// Two people have changed three places of one page; one of them chooses in each what to keep, by keyboard alone.
func TestChooseBlockByBlock(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	ann, bob := open(t, chrome, 1440, 900), open(t, chrome, 390, 844)
	edit := url + "/wiki/-/edit/Plans"
	write := func(w *window, name string, lines ...string) {
		t.Helper()
		w.fill("text", strings.Join(lines, "\n\nin between\n\n")+"\n")
		w.fill("name", name)
		w.press(saveButton)
	}
	ann.visit(edit)
	write(ann, "Ann", "first", "second", "third", "the big red dog")
	ann.visit(edit)
	bob.visit(edit)
	write(ann, "Ann", "Ann's first", "Ann's second", "Ann's third", "the small red dog")
	write(bob, "Bob", "Bob's first", "Bob's second", "Bob's third", "the big red cat")
	bob.sees("Not saved yet", "Ann saved this page while you were writing", "4 places", "Place 4 of 4", "Ann’s version")
	for _, scheme := range []string{"light", "dark"} {
		bob.scheme(scheme)
		for _, width := range []int64{390, 768, 1440} {
			bob.resize(width, 900)
			if wide := see(bob, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); wide > 0 {
				t.Errorf("the page is %d pixels too wide at %d, %s", wide, width, scheme)
			}
		}
	}

	// Without a choice nothing would be lost.
	chosen := func() string {
		return see(bob, chromedp.Evaluate[string](`[...document.querySelectorAll("input[type=radio]:checked")].map(i => i.value).join(" ")`))
	}
	if got, want := chosen(), "both both both joined"; got != want {
		t.Fatalf("chosen at first: %s, want %s", got, want)
	}
	// Tab goes from place to place, arrows choose.
	const up, tab, enter = kb.ArrowUp, kb.Tab, kb.Enter
	bob.do(chromedp.Focus(`input[name="place-1"]:checked`), chromedp.KeyEvent(up))
	bob.do(chromedp.KeyEvent(tab), chromedp.KeyEvent(up), chromedp.KeyEvent(up))
	if got, want := chosen(), "theirs mine both joined"; got != want {
		t.Fatalf("chosen by keyboard: %s, want %s", got, want)
	}
	bob.fill("note", "both of us")
	bob.leads(chromedp.SendKeys(`[name="note"]`, enter))
	bob.sees("Saved", "Ann's first", "Bob's second", "the small red cat")
	bob.visit(url + "/wiki/Plans.md")
	text := see(bob, chromedp.Text("body"))
	want := strings.Join([]string{"Ann's first", "Bob's second", "Bob's third\n\nAnn's third", "the small red cat"}, "\n\nin between\n\n")
	if strings.TrimSpace(text) != want {
		t.Errorf("the page is %q, want %q", text, want)
	}
}

// Every view fits its window, at the three widths that people have, light and dark.
func TestViewsFit(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	w := open(t, chrome, 1440, 900)
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6)
	w.visit(url + "/wiki/-/edit/Long")
	w.fill("text", "# "+long+"\n\n"+long+"\n\n| a | b |\n|---|---|\n| "+long+" | "+long+" |\n\n```go\nfunc "+long+"() {}\n```\n\n[["+long+"]]\n")
	w.press(saveButton)
	rev := w.latest(url)
	w.visit(url + "/wiki/-/edit/" + long + "/" + long)
	w.fill("text", "in a folder\n")
	w.fill("name", long)
	w.press(saveButton)
	then := w.latest(url)
	w.visit(url + "/wiki/-/edit/Long")
	w.fill("text", "# "+long+" and more\n")
	w.press(saveButton)
	for _, path := range []string{
		"/wiki/" + long + "/", "/wiki/-/undo/" + then, "/wiki/-/undo/" + rev, "/wiki/-/restore/?rev=" + rev, "/wiki/-/restore/Long?rev=" + rev,
		"/wiki/-/restore/" + long + "/?rev=" + then, "/wiki/-/at/" + rev + "/Long", "/wiki/-/diff/Long?to=" + rev,
		"/wiki/-/changes/" + rev, "/wiki/-/changes/" + w.latest(url) + "?from=" + rev,
		"/wiki/", "/wiki/Long", "/wiki/Nowhere", "/wiki/-/edit/Long", "/wiki/-/new", "/wiki/-/history/Long", "/wiki/-/diff/Long",
		"/wiki/-/move/Long", "/wiki/-/delete/Long", "/wiki/-/files", "/wiki/-/files/Long", "/wiki/-/upload/Long", "/wiki/-/pages", "/wiki/-/changes", "/wiki/-/tags", "/-/search?q=" + long, "/-/search?q=welcome",
	} {
		for _, width := range []int64{390, 768, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				w.resize(width, 900)
				w.scheme(scheme)
				w.visit(url + path)
				overflow := see(w, chromedp.Evaluate[int](`document.querySelectorAll(".clone").forEach(box => box.open = true), document.documentElement.scrollWidth - document.documentElement.clientWidth`))
				styled := see(w, chromedp.Evaluate[bool](`document.styleSheets.length > 0 && getComputedStyle(document.body).margin === "0px"`))
				if overflow > 0 {
					t.Errorf("%s is %d pixels too wide at %d, %s", path, overflow, width, scheme)
				}
				if !styled {
					t.Errorf("%s has no style", path)
				}
			}
		}
	}
}

// latest is the newest revision, as the list of changes tells it.
func (w *window) latest(url string) string {
	w.t.Helper()
	w.visit(url + "/wiki/-/changes")
	rev := see(w, chromedp.Evaluate[string](`document.querySelector("main a[href*='/-/undo/']").href.split("/").pop()`))
	if len(rev) != 40 {
		w.t.Fatalf("the newest revision is %q", rev)
	}
	return rev
}

// Somebody spoils a page, others go on; what was spoilt is taken back by two clicks, and that by two more. The whole space
// goes back to a moment in the same way.
func TestUndoAndRestore(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 390, 844)
	write := func(page, text, name string) string {
		t.Helper()
		w.visit(url + "/wiki/-/edit/" + page)
		w.fill("text", text)
		w.fill("name", name)
		w.press(saveButton)
		return w.latest(url)
	}
	good := write("Garden", "roses\n\nherbs\n\ntrees\n", "Ann")
	write("Garden", "weeds\n\nherbs\n\ntrees\n", "Vandal")
	write("Garden", "weeds\n\nherbs\n\ntall trees\n", "Bob")

	w.visit(url + "/wiki/-/history/Garden")
	w.do(chromedp.SetAttributeValue(`.revisions > li:nth-child(2) a[href*="/-/undo/"]`, "id", "the-vandals"))
	w.press("#the-vandals")
	w.sees("Vandal", "1 page changes.", "Bob")
	w.press(`main form button.main`)
	w.sees("Undone.", "roses", "tall trees")
	w.link("Undo")
	w.sees("1 page changes.")
	w.press(`main form button.main`)
	w.sees("Undone.", "weeds", "tall trees")

	write("Shed", "tools\n", "Bob")
	w.visit(url + "/wiki/-/at/" + good + "/Garden")
	w.link("the whole space")
	w.sees("Restore the whole space", "1 page changes, 1 page goes away.")
	w.press(`main form button.main`)
	w.sees("Restored as of revision", "Restore all pages to")
	w.visit(url + "/wiki/Garden")
	w.sees("roses", "trees")
}

// What a page brings along never runs, whoever looks at it.
func TestHostilePage(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	w.visit(url + "/wiki/-/edit/Hostile")
	w.fill("text", hostile)
	w.press(previewButton)
	w.press(saveButton)
	ran := see(w, chromedp.Evaluate[bool](`window.ran === true`))
	links := see(w, chromedp.Evaluate[[]string](`[...document.querySelectorAll(
		"article form, article iframe, article object, article script, article style, article svg, article meta, article base, [href^='javascript'], [href^='data'], [href^='vbscript']",
	)].map(e => e.outerHTML)`))
	if ran {
		t.Error("a script of the page ran")
	}
	if len(links) > 0 {
		t.Errorf("dangerous markup is left: %q", links)
	}
	w.sees("the end")
}

const hostile = `# Hostile

<script>window.ran = true; alert(1)</script>
<img src=x onerror="window.ran=true">
<svg onload="window.ran=true"><script>window.ran=true</script></svg>
<iframe srcdoc="<script>parent.ran=true</script>"></iframe>
<object data="data:text/html,<script>parent.ran=true</script>"></object>
<a href="javascript:window.ran=true">one</a> <a href="java&#9;script:window.ran=true">two</a>
[three](javascript:window.ran=true) [four](data:text/html,x) [five](vbscript:x)
<form action="/-/x"><input name=q autofocus onfocus="window.ran=true"><button formaction="javascript:window.ran=true">six</button></form>
<style>@import "/x.css"; body { display: none }</style>
<base href="https://example.org/">
<meta http-equiv="refresh" content="0;url=https://example.org/">
<math><mtext><table><mglyph><style><img src=x onerror="window.ran=true"></style></mglyph></table></mtext></math>
<noscript><p title="</noscript><img src=x onerror=window.ran=true>"></noscript>
<details open ontoggle="window.ran=true">x</details>
<video><source onerror="window.ran=true"></video>
</article></main></body><div id="cairn-search">{{constructor.constructor('window.ran=true')()}}</div>

the end
`
