package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// This file looks at every view as people meet it: in windows of three widths, light and dark. What no eye needs to judge
// is judged here: whether axe finds something that keeps people out, whether the HTML is valid, whether anything sticks
// out of the window or moves after it was painted, and how many bytes come. The rest is for eyes:
//
//	go test ./web/e2e -run TestViews -pictures FOLDER

var pictures = flag.String("pictures", "", "write a picture of every view into this `folder`")

// aView is a view in a wiki that [furnish] has filled.
type aView struct {
	name, path string
	status     int
}

// guest talks to the wiki as a program would.
type guest struct {
	t   *testing.T
	url string
}

func (g guest) send(req *http.Request) (status int, body string) {
	g.t.Helper()
	req.Header.Set("Accept", "text/html, application/json")
	res, err := http.DefaultTransport.RoundTrip(req) // which follows no redirect
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (g guest) request(method, path string, media string, body io.Reader) *http.Request {
	g.t.Helper()
	req, err := http.NewRequest(method, g.url+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	return req
}

// save writes a page as somebody who began from a revision, and returns the new one.
func (g guest) save(base, who, page, text, note string) string {
	g.t.Helper()
	sent, _ := json.Marshal(map[string]string{"text": text, "base": base, "name": who, "note": note}) // strings can be written
	status, body := g.send(g.request("PUT", "/-/api/v1/spaces/wiki/pages/"+page, "application/json", bytes.NewReader(sent)))
	var saved struct{ Revision string }
	if err := json.Unmarshal([]byte(body), &saved); err != nil || status/100 != 2 {
		g.t.Fatalf("save %s: %d %s", page, status, body)
	}
	return saved.Revision
}

// form posts a form and returns what it answers.
func (g guest) form(path string, fields neturl.Values) (int, string) {
	g.t.Helper()
	return g.send(g.request("POST", path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode())))
}

// upload puts a file beside a page.
func (g guest) upload(page, name string, content []byte) {
	g.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		g.t.Fatal(err)
	}
	part.Write(content)
	w.Close()
	if status, said := g.send(g.request("POST", "/wiki/-/upload/"+page, w.FormDataContentType(), &body)); status/100 > 3 {
		g.t.Fatalf("upload %s: %d %s", name, status, said)
	}
}

// everything is a page with each part that a page can have.
const everything = `---
title: Everything
tags: [guide, parts]
aliases: [All of it]
lang: en
---

A paragraph with **bold**, *italic*, ==marked==, ` + "`code`" + `, ~~gone~~, [[Garden]], [[Nowhere yet]], [outside](https://example.org/), a footnote[^1] and $e^{i\pi} + 1 = 0$.

## Lists

- one
  - two
    - three
- [ ] to do
- [x] done

1. first
2. second

Term
: Its meaning.

## A table

| Plant | Height | Planted |
| :--- | ---: | :---: |
| Rose | 120 cm | May |
| Apple tree | 4 m | November |

## Code

` + "```go\nfunc main() {\n\tfmt.Println(\"a line of code that is longer than a phone is wide, so that it has to scroll\")\n}\n```" + `

## Boxes

> [!NOTE]
> Something to know.

> [!WARNING]- Folded
> Something to mind.

> A quotation.

## A picture

![Stones](stones.png)

### Below it

$$\int_0^1 x^2\,dx = \frac{1}{3}$$

<details><summary>More</summary>

Inside.

</details>

[^1]: The footnote.
`

// furnish fills a wiki with something for each view to show, and returns the views.
func furnish(t *testing.T, url string) []aView {
	t.Helper()
	g := guest{t, url}
	stones := image.NewRGBA(image.Rect(0, 0, 640, 200))
	for x := range 640 {
		for y := range 200 {
			stones.Set(x, y, color.RGBA{uint8(90 + x/8), uint8(110 + y/4), 120, 255})
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, stones); err != nil {
		t.Fatal(err)
	}
	var long strings.Builder
	for i := range 80 {
		fmt.Fprintf(&long, "Row %d of the garden has herbs.\n\n", i)
	}
	first := g.save("", "Ann", "Garden", "# Garden\n\nRoses grow here. #plants\n\n"+long.String()+"## Shed\n\nSee [[Everything]].\n", "Begin the garden")
	second := g.save(first, "Bob", "Garden", "# Garden\n\nRed roses grow here, and tall trees. #plants\n\n"+long.String()+"## Shed\n\nSee [[Everything]] and [[Tools]].\n", "")
	g.save("", "Ann", "Everything", everything, "")
	g.upload("Everything", "stones.png", picture.Bytes())
	g.upload("Everything", "unused notes.txt", []byte("nobody links here\n"))
	for i := range 12 {
		g.save("", "Carla", fmt.Sprintf("guide/Step-%d", i+1), fmt.Sprintf("# Step %d\n\nGo on to [[Step %d]]. #guide\n", i+1, i+2), "Write the guide")
	}
	g.save("", "Ann", "guide/deep/er/Page", "In a folder of a folder.\n", "")
	g.save("", "דנה", "Hebrew", "---\nlang: he\n---\n# גן\n\nורדים גדלים כאן. [[Garden]] `code`\n\n- אחד\n- שתיים\n", "")
	g.save("", "Vandal", "Rubbish", "# Rubbish\n\nBuy now!\n", "")
	if status, said := g.form("/wiki/-/delete/Rubbish", neturl.Values{"name": {"Ann"}, "note": {"Advertising"}, "base": {g.head()}}); status != 303 {
		t.Fatalf("delete a page: %d %s", status, said)
	}
	g.save("", "Ann", "Empty", "\n", "")
	if status, said := g.send(g.request("POST", "/-/api/v1/spaces", "application/json", strings.NewReader(`{"name":"kitchen"}`))); status/100 != 2 {
		t.Fatalf("add a space: %d %s", status, said)
	}
	head := g.head()
	return []aView{
		{"style", "/-/about/style", 200},
		{"spaces", "/", 200},
		{"empty", "/kitchen/", 0},
		{"home", "/wiki/", 200},
		{"page", "/wiki/Everything", 200},
		{"page-long", "/wiki/Garden", 200},
		{"page-hebrew", "/wiki/Hebrew", 200},
		{"page-empty", "/wiki/Empty", 200},
		{"page-old", "/wiki/Garden?rev=" + first, 200},
		{"folder", "/wiki/guide/", 200},
		{"missing", "/wiki/Gardn", 404},
		{"deleted", "/wiki/Rubbish", 404},
		{"no-view", "/wiki/-/nothing", 404},
		{"edit", "/wiki/-/edit/Garden", 200},
		{"write", "/wiki/-/edit/Nowhere%20yet", 200},
		{"new", "/wiki/-/new", 200},
		{"move", "/wiki/-/move/Garden", 200},
		{"move-plan", "/wiki/-/move/Garden?to=guide%2FGarden", 200},
		{"move-folder", "/wiki/-/move/guide/", 200},
		{"delete", "/wiki/-/delete/Garden", 200},
		{"restore", "/wiki/-/restore/Garden?rev=" + first, 200},
		{"restore-all", "/wiki/-/restore/?rev=" + first, 200},
		{"undo", "/wiki/-/undo/" + second, 200},
		{"history", "/wiki/-/history/Garden", 200},
		{"diff", "/wiki/-/diff/Garden?view=columns", 200},
		{"diff-one", "/wiki/-/diff/Garden?view=one&to=" + second, 200},
		{"diff-page", "/wiki/-/diff/Garden?view=page&to=" + second, 200},
		{"diff-columns", "/wiki/-/diff/Garden?view=columns&to=" + second, 200},
		{"put-back", "/wiki/-/restore/Garden?part=1&from=" + first + "&to=" + second, 200},
		{"diff-one", "/wiki/-/diff/Garden?view=one", 200},
		{"diff-page", "/wiki/-/diff/Garden?view=page", 200},
		{"put-back", "/wiki/-/restore/Garden?from=" + first + "&to=" + second + "&part=1", 200},
		{"blame", "/wiki/-/blame/Garden", 200},
		{"blame-old", "/wiki/-/blame/Garden?rev=" + first, 200},
		{"change", "/wiki/-/changes/" + second, 200},
		{"changes", "/wiki/-/changes", 200},
		{"between", "/wiki/-/changes/" + head + "?from=" + first, 200},
		{"pages", "/wiki/-/pages", 200},
		{"tags", "/wiki/-/tags", 200},
		{"tag", "/wiki/-/tags/guide", 200},
		{"files", "/wiki/-/files", 200},
		{"page-files", "/wiki/-/files/Everything", 200},
		{"upload", "/wiki/-/upload/Everything", 200},
		{"links", "/wiki/-/links", 200},
		{"page-links", "/wiki/-/links/Garden", 200},
		{"search", "/-/search?q=garden", 200},
		{"search-nothing", "/-/search?q=qwertzuiop", 200},
		{"search-empty", "/-/search", 200},
		{"style", "/-/about/style", 200},
		{"keys", "/-/about/keys", 200},
		{"delete-folder", "/wiki/-/delete/guide/", 200},
		{"days", "/wiki/-/at/", 200},
		{"day", "/wiki/-/at/" + head + "/", 200},
		{"day-page", "/wiki/-/at/" + head + "/Garden", 200},
	}
}

// head is the newest revision of the wiki.
func (g guest) head() string {
	g.t.Helper()
	status, body := g.send(g.request("GET", "/-/api/v1/spaces/wiki/changes?limit=1", "", nil))
	var list struct {
		Changes []struct{ Revision string }
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || len(list.Changes) == 0 {
		g.t.Fatalf("the newest change: %d %s", status, body)
	}
	return list.Changes[0].Revision
}

// module is a file of an npm package that only tests need; who has not installed them skips the test.
func module(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "node_modules", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Skip("not checked, " + name + " is not here: (cd web && npm ci --ignore-scripts)")
	}
	return file
}

// rules are the rules of axe that count: WCAG 2.2 at level AA, and what its authors recommend beside.
const rules = `{resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`

func TestViews(t *testing.T) {
	axe, err := os.ReadFile(module(t, "axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t)
	views := furnish(t, url)
	w := open(t, browser(t), 1440, 900)
	w.bypass()
	w.each(string(axe) + look)
	for _, width := range []int64{390, 768, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			w.resize(width, 900)
			w.scheme(scheme)
			for _, v := range views {
				w.visit(url + v.path)
				where := fmt.Sprintf("%s at %d, %s", v.name, width, scheme)
				saw := see(w, chromedp.Evaluate[sight](`sight(`+rules+`)`, chromedp.EvalAwaitPromise))
				for _, bad := range saw.Violations {
					t.Errorf("%s: axe: %s", where, bad)
				}
				if saw.Wide > 0 {
					t.Errorf("%s: %d pixels too wide", where, saw.Wide)
				}
				if saw.Shift > 0 {
					t.Errorf("%s: moves after it was painted: %v", where, saw.Shift)
				}
				if saw.Bytes > heaviest {
					t.Errorf("%s: weighs %d bytes, want at most %d", where, saw.Bytes, heaviest)
				}
				if scheme == "light" {
					t.Logf("%-16s %5d px %6d bytes, largest paint after %4.0f ms", v.name, width, saw.Bytes, saw.Painted)
				}
				if *pictures != "" {
					w.picture(filepath.Join(*pictures, fmt.Sprintf("%s-%d-%s.png", v.name, width, scheme)))
				}
			}
		}
	}
}

// sight is what a window saw of a view.
type sight struct {
	Violations []string
	Wide       int     // pixels that stick out of the window
	Shift      float64 // the layout's shifts, added up
	Bytes      int     // of document, styles and scripts, as they were sent
	Painted    float64 // milliseconds until the largest part was painted; told, not judged: machines differ
}

// heaviest is what a view may weigh: a page of two screens with all that it needs.
const heaviest = 30 << 10

// look runs in every page of the window.
const look = `
	let moved = 0;
	new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) moved += e.value; }).observe({type: "layout-shift", buffered: true});
	let painted = 0;
	new PerformanceObserver(list => { for (const e of list.getEntries()) painted = e.startTime; }).observe({type: "largest-contentful-paint", buffered: true});
	const ours = e => new URL(e.name).pathname.startsWith("/-/");
	async function sight(rules) {
		if (document.readyState !== "complete") await new Promise(ready => addEventListener("load", ready));
		for (let frames = 0; frames < 2 || !painted && frames < 60; frames++) await new Promise(requestAnimationFrame);
		const found = await axe.run(document, rules);
		return {
			Violations: found.violations.map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? "")).join(" | ")),
			Wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
			Shift: moved,
			Bytes: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter(ours)].reduce((sum, e) => sum + e.encodedBodySize, 0),
			Painted: painted,
		};
	}
`

// bypass lifts the content policy for this window, so that the test's own scripts can run in the pages.
func (w *window) bypass() {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
		return err
	}))
}

// each has a script run first in each page of the window.
func (w *window) each(script string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// picture writes what the window shows into a file.
func (w *window) picture(file string) {
	w.t.Helper()
	shot := see(w, chromedp.CaptureScreenshot())
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// Every view is valid HTML by the Nu checker.
func TestValidHTML(t *testing.T) {
	jar := module(t, "vnu-jar/build/dist/vnu.jar")
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("not checked, java is not here (Debian: apt-get install default-jre-headless)")
	}
	url := serve(t)
	g := guest{t, url}
	dir := t.TempDir()
	keep := func(name, body string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	views := furnish(t, url)
	for _, v := range views {
		status, body := g.send(g.request("GET", v.path, "", nil))
		if v.status != 0 && status != v.status {
			t.Errorf("%s answers %d, want %d", v.path, status, v.status)
		}
		keep(v.name, body)
	}
	// Two write the same line; an editor's preview.
	base := g.head()
	g.save(base, "Bob", "Empty", "Bob's line\n", "")
	status, body := g.form("/wiki/-/edit/Empty", neturl.Values{"text": {"Ann's line\n"}, "base": {base}, "name": {"Ann"}, "action": {"save"}})
	if status != 409 {
		t.Errorf("the second of two saves answers %d, want 409", status)
	}
	keep("conflict", body)
	_, body = g.form("/wiki/-/edit/Empty", neturl.Values{"text": {everything}, "base": {base}, "name": {"Ann"}, "action": {"preview"}})
	keep("preview", body)

	cmd := exec.Command(java, "-Xss1m", "-jar", jar, "--skip-non-html", "--errors-only", "--exit-zero-always", "--stdout", "--format", "gnu", dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		t.Error(strings.TrimSpace(strings.ReplaceAll(line, "file:"+dir+"/", "")))
	}
}
