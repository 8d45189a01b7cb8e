package e2e

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// This file writes hostile pages, many thousand pieces of markup that want to run a script, and looks at them in a real
// browser wherever the wiki shows what somebody wrote. A piece is a way to run a script in some HTML, in some place of
// Markdown. Each counts itself when it runs; the browser counts what the content policy has to stop, which is none when
// the wiki's own filter has done its work. With that policy switched off nothing runs either.

// payload is the script: it counts.
const payload = "top.ran++"

// scripts are ways to run it in HTML.
func scripts() []string {
	var all []string
	// Elements with handlers, in the ways in which an attribute can be written.
	elements := []string{
		`<img src=x %s>`, `<img src=/favicon.ico %s>`, `<svg %s>`, `<svg/%s/>`, `<body %s>`, `<details open %s>x</details>`, `<video src=x %s></video>`, `<video><source src=x %s></video>`,
		`<audio src=x %s></audio>`, `<iframe %s></iframe>`, `<input autofocus %s>`, `<select autofocus %s></select>`, `<textarea autofocus %s></textarea>`, `<button autofocus %s>x</button>`,
		`<object data=x %s></object>`, `<embed src=x %s>`, `<link rel=stylesheet href=x %s>`, `<style %s></style>`, `<marquee %s>x</marquee>`, `<math %s>x</math>`, `<form %s><input></form>`,
		`<a href=# autofocus tabindex=1 %s>x</a>`, `<x contenteditable autofocus tabindex=1 %s>x</x>`, `<input type=image src=x %s>`, `<table background=x %s><tr><td>x</table>`, `<frameset %s>`, `<svg><animate attributeName=x dur=1s %s></svg>`,
		`<svg><image href=x %s></svg>`, `<picture><source srcset=x><img %s src=x></picture>`, `<input type=checkbox checked %s>`, `<dialog open %s>x</dialog>`, `<p popover %s>x</p>`, `<td %s>`, `<li %s>x`, `<br %s>`, `<custom-element %s>x</custom-element>`,
	}
	events := []string{"onerror", "onload", "onfocus", "ontoggle", "onstart", "onbegin", "onanimationstart", "onmouseover", "onclick", "onloadstart", "oncanplay", "onbeforetoggle", "onscrollsnapchange", "onpointerenter"}
	forms := []string{`%s=%s`, `%s="%s"`, `%s='%s'`, "%s=`%s`", "%s\n=\n%s", "%s\x0c=\x0c'%s'", `%s=&#116;op.ran&#43;&#43;//%s`, `x="y"%s="%s"`, `title="a>b" %s="%s"`}
	for i, element := range elements {
		for j, event := range events {
			// Each pair once, in turns in the different ways.
			attribute := fmt.Sprintf(forms[(i+j)%len(forms)], event, payload)
			if j%3 == 1 {
				attribute = strings.Replace(attribute, "on", "oN", 1)
			}
			all = append(all, fmt.Sprintf(element, attribute))
		}
	}
	// Addresses that are scripts.
	for _, u := range addresses() {
		for _, element := range []string{
			`<a href="%s">x</a>`, `<img src="%s">`, `<iframe src="%s"></iframe>`, `<object data="%s"></object>`, `<embed src="%s">`, `<form action="%s"><input type=submit></form>`, `<button formaction="%s">x</button>`,
			`<base href="%s">`, `<meta http-equiv=refresh content="0;url=%s">`, `<link rel=stylesheet href="%s">`, `<svg><a xlink:href="%[1]s" href="%[1]s"><text>x</text></a></svg>`, `<math href="%s">x</math>`, `<area href="%s">`, `<video poster="%s"></video>`,
			`<body background="%s">`, `<q cite="%s">x</q>`, `<a ping="%s" href=#>x</a>`, `<script src="%s"></script>`, `<img srcset="%s 1x">`, `<svg><use href="%s"></use></svg>`, `<input type=image src="%s">`, `<img usemap="#m" src="%s" longdesc="%[1]s">`,
		} {
			all = append(all, fmt.Sprintf(element, u))
		}
	}
	// Markup that two parsers read in two ways.
	img := `<img src=x onerror="` + payload + `">`
	script := `<script>` + payload + `</script>`
	for _, inner := range []string{img, script} {
		for _, form := range []string{
			`%s`, `<!--><p>%s-->`, `<!--->%s-->`, `<!-- --!>%s-->`, `<!-- -- >%s-->`, `<![CDATA[%s]]>`, `<svg><![CDATA[<]]>%s</svg>`, `<?xml %s?>`, `<!DOCTYPE %s>`, `</p%s>`, `</%s>`, `<%s`, `<x title="%[2]s">`,
			`<noscript><p title="</noscript>%[2]s"></noscript>`, `<textarea><p title="</textarea>%[2]s"></textarea>`, `<style><p title="</style>%[2]s"></style>`, `<title><p title="</title>%[2]s"></title>`, `<xmp><p title="</xmp>%[2]s"></xmp>`,
			`<iframe><p title="</iframe>%[2]s"></iframe>`, `<noembed><p title="</noembed>%[2]s"></noembed>`, `<noframes><p title="</noframes>%[2]s"></noframes>`, `<template>%s</template>`, `<template><p></template>%s`,
			`<math><mtext><table><mglyph><style><!--</style>%[2]s--></style></mglyph></table></mtext></math>`, `<math><mtext></form><form><mglyph><style></math>%s</style></form>`, `<svg></p><style><a title="</style>%[2]s"></style></svg>`,
			`<form><math><mtext></form><form><mglyph><svg><mtext><style><path title="</style>%[2]s"></style>`, `<svg><style>%s</style></svg>`, `<svg><foreignObject>%s</foreignObject></svg>`, `<svg><title>%s</title></svg>`, `<svg><desc>%s</desc></svg>`,
			`<math><annotation-xml encoding="text/html">%s</annotation-xml></math>`, `<select><option>%s</select>`, `<table><caption>%s</table>`, `<table>%s<tr><td>x</table>`, `<a href="x"><a href='y">%[2]s'>`, "<a title=`%[2]s>`>", `<img alt="` + "`" + `>%[2]s">`,
			`<div><template shadowrootmode=open>%s</template></div>`, `<object>%s</object>`, `<video>%s</video>`, `<a id=cairn-main>%s</a><form name=cookie><input name=attributes></form>`, `<svg><script>` + payload + `//&lt;/script>%s</svg>`, `<iframe srcdoc="%[2]s"></iframe>`,
			`<iframe srcdoc='%[3]s'></iframe>`, `<svg><animate attributeName=href values="javascript:` + payload + `" /><a>%s</a></svg>`, `<input type="text" value="%[2]s">`, `<script type=module>` + payload + `</script>%s`, `<script src=data:text/javascript,` + payload + `></script>%s`,
			`<style>@import "data:text/css,*{background:url(javascript:` + payload + `)}";</style>%s`, `<div style="background:url(javascript:` + payload + `)">%s</div>`, `<link rel=import href="data:text/html,%[3]s">`, `<meta http-equiv="Content-Security-Policy" content="script-src *">%s`,
			`</article></main></body></html>%s`, `</textarea></title></style></script>%s`, `<b <i>%s`, `<b/ /i>%s`, `<a href="%[2]s" title='%[2]s'>%s`, `&lt;b&gt;%s`, `%[3]s`, `<details ontoggle="` + payload + `" open>%s</details>`, `{{constructor.constructor('` + payload + `')()}}%s`, `<x:script xmlns:x="http://www.w3.org/1999/xhtml">` + payload + `</x:script>%s`,
		} {
			quoted := strings.ReplaceAll(inner, `"`, `'`)
			all = append(all, strings.ReplaceAll(fmt.Sprintf(form+"%.0[1]s%.0[2]s%.0[3]s", inner, quoted, html.EscapeString(inner)), "%!", ""))
		}
	}
	return all
}

// addresses are ways to write one that runs the script.
func addresses() []string {
	return []string{
		"javascript:" + payload, "JaVaScRiPt:" + payload, " javascript:" + payload, "\x01javascript:" + payload, "java\tscript:" + payload, "java\nscript:" + payload, "&#106;avascript:" + payload, "&#x6A;avascript:" + payload,
		"&#0000106avascript:" + payload, "javascript&colon;" + payload, "java&Tab;script:" + payload, "java&NewLine;script:" + payload, "javascript&#58;" + payload, "javascript://%0a" + payload, "javascript://x%0d" + payload, "%6Aavascript:" + payload,
		"vbscript:" + payload, "data:text/html,<script>" + payload + "</script>", "data:text/html;base64,PHNjcmlwdD50b3AucmFuKys8L3NjcmlwdD4=", "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='" + payload + "'/>",
		"feed:javascript:" + payload, "view-source:javascript:" + payload, "jar:javascript:" + payload, "blob:" + payload, "//javascript:" + payload, "./javascript:" + payload, "javascript\u200b:" + payload, "\ufeffjavascript:" + payload, "\u00a0javascript:" + payload, "javascript：" + payload,
		"x:javascript:" + payload, "#javascript:" + payload, "?javascript:" + payload, `"onerror="` + payload, `" onmouseover="` + payload + `" x="`, `x"><img src=x onerror=` + payload + `>`, `'><svg onload=` + payload + `>`,
	}
}

// places are where Markdown lets HTML or an address stand.
var places = []string{
	"%s", "text %s text", "- %s", "- [ ] %s", "> %s", "> [!NOTE] %s\n> %[1]s", "> [!NOTE]- %s\n> x", "| a |\n|---|\n| %s |", "# %s", "%s\n===", "*%s*", "**~~%s~~**", "==%s==", "%%%%%s%%%%", "[%s](x)", "![%s](x.png)", "![%s](https://example.org/x.png \"%[1]s\")", "[x](y \"%s\")", "[x](<%s>)",
	"[[%s]]", "[[x|%s]]", "![[%s]]", "![[x.png|%s]]", "[[include:%s]]", "x[^%s]\n\n[^%[1]s]: %[1]s", "term\n: %s", "`%s`", "```%s\nx\n```", "```\n%s\n```", "```mermaid\ngraph TD; A[\"%s\"]-->B\n```", "::: mermaid\ngraph TD; A-->B\n%s\n:::", "$%s$", "$$\n%s\n$$", "$\\href{%s}{x}$", "$\\text{%s}$", "$\\htmlClass{%s}{x}$",
	":%s:", "#%s", "<div>\n\n%s\n\n</div>", "<details><summary>%s</summary>\n\n%[1]s\n</details>", "<p>%s</p>", "<span title=\"%s\">x</span>", "<kbd>%s</kbd>", "<!-- %s -->", "\\%s", "'[[%s]]", "<<%s>>", "{{%s}}", "[TOC]\n\n## %s", "1. x\n   %s", "    %s", "^%s^ ~%[1]s~", "[x]: %s\n\n[x]", "<%s>", "[x](%s)", "![x](%s)", "[![x](%s)](%[1]s)", "[[x|%s]] [[%[1]s|x]]",
}

// piece writes a script into a place.
func piece(place, script string) string { return fmt.Sprintf(place+"%.0[1]s", script) }

// hostilePages are all pieces, so many to a page, each with a word after it that shows that the page goes on.
func hostilePages(each int) []string {
	var pieces []string
	all := scripts()
	for i, s := range all {
		pieces = append(pieces, s, piece(places[i%len(places)], s), piece(places[(7*i+3)%len(places)], s))
	}
	for _, place := range places {
		for i := 0; i < len(all); i += 29 {
			pieces = append(pieces, piece(place, all[i]))
		}
		for _, u := range addresses() {
			pieces = append(pieces, piece(place, u))
		}
	}
	// What an unclosed piece has opened is closed, for Markdown and for HTML.
	const end = "\n\n--> ]]> ?> </script></style></textarea></title></xmp></noscript></noembed></noframes></iframe></select></template></svg></math></table></object></video></pre></x>\n\n"
	var pages []string
	for len(pieces) > 0 {
		n := min(each, len(pieces))
		var b strings.Builder
		for i, p := range pieces[:n] {
			fmt.Fprintf(&b, "%s%ssign%dpost\n\n", p, end, i)
		}
		pages = append(pages, b.String())
		pieces = pieces[n:]
	}
	return pages
}

// counted counts scripts that ran, and what the content policy stopped.
type counted struct {
	*window
	mu      sync.Mutex
	stopped []string
}

func count(t *testing.T, chrome context.Context, policy bool) *counted {
	t.Helper()
	c := &counted{}
	ctx, cancel := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	c.window = &window{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(ev any) {
		if ev, ok := ev.(*log.EventEntryAdded); ok && ev.Entry.Source == log.EntrySourceSecurity {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.stopped = append(c.stopped, ev.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.resize(1200, 900)
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "window.ran = window.ran || 0"}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: !policy}); err != nil {
		t.Fatal(err)
	}
	return c
}

// ran opens an address and gives every element of it what an impatient reader does; it tells how many scripts ran.
func (c *counted) ran(address string) int {
	c.t.Helper()
	c.do(chromedp.Navigate(address))
	return see(c.window, chromedp.Evaluate[int](`(() => {
		for (const e of document.querySelectorAll("*")) {
			for (const name of ["mouseover", "pointerenter", "focus", "toggle", "beforetoggle", "animationstart", "error", "load", "start", "begin"]) e.dispatchEvent(new Event(name));
			if (/^(javascript|vbscript|data):/i.test(e.href || e.formAction || "")) e.click();
		}
		return window.ran;
	})()`))
}

func TestVectors(t *testing.T) {
	base := serve(t)
	chrome := browser(t)
	pages := hostilePages(150)
	pieces := 0

	// The control: the same markup on a page that nobody filters runs by the hundred, and a policy stops it by the hundred.
	raw := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/guarded" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *")
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!DOCTYPE html><body>")
		for _, s := range scripts() {
			if strings.HasPrefix(s, "<img") || strings.HasPrefix(s, "<a ") || strings.HasPrefix(s, "<audio") {
				io.WriteString(w, s+"\n")
			}
		}
	}))
	t.Cleanup(raw.Close)
	open, guarded := count(t, chrome, false), count(t, chrome, true)
	if n := open.ran(raw.URL + "/"); n < 50 {
		t.Errorf("of the markup that nobody filters %d scripts ran: the counter does not count", n)
	}
	if n := guarded.ran(raw.URL + "/guarded"); n > 0 || len(guarded.stopped) < 20 {
		t.Errorf("behind a policy %d scripts ran, and %d were stopped: the counter does not count", n, len(guarded.stopped))
	}

	open, guarded = count(t, chrome, false), count(t, chrome, true)
	ran, places, shown := 0, 0, 0
	look := func(address string, is *counted) {
		t.Helper()
		places++
		if n := is.ran(address); n > 0 {
			ran += n
			t.Errorf("%s: %d scripts ran", address, n)
		}
	}
	for i, text := range pages {
		name := fmt.Sprintf("Hostile-%d", i)
		save(t, base, name, text)
		for _, c := range []*counted{open, guarded} {
			look(base+"/wiki/"+name, c)
			seen := see(c.window, chromedp.Evaluate[string](`document.querySelector("article .prose").innerText`))
			shown += strings.Count(seen, "post")
			left := see(c.window, chromedp.Evaluate[[]string](`[...document.querySelectorAll("main *")].filter(e =>
				[...e.attributes].some(a => /^on|^(style|srcdoc|formaction|ping|background|poster|srcset|data)$/i.test(a.name) || /^(href|src|action|cite|xlink:href|usemap|longdesc)$/i.test(a.name) && /^\s*(javascript|vbscript|data):/i.test(a.value)) ||
				/^(script|style|object|embed|base|meta|link|template|frame|frameset|svg)$/i.test(e.localName) && !e.closest("iframe, .enlarge, button") && (e.closest(".prose") || !e.matches(".icon")))
				.map(e => e.outerHTML.slice(0, 200)).slice(0, 5)`))
			if len(left) > 0 {
				t.Errorf("%s: dangerous markup is left: %q", name, left)
			}
		}
		pieces += strings.Count(text, "sign")
		if i%8 == 0 { // the same text elsewhere
			save(t, base, name, "other text\n")
			rev := open.latest(base)
			for _, at := range []string{"/wiki/-/diff/" + name, "/wiki/-/history/" + name, "/wiki/-/blame/" + name, "/wiki/-/undo/" + rev, "/wiki/-/edit/" + name, "/wiki/-/changes", "/-/search?q=sign+post+javascript", "/wiki/-/restore/" + name + "?rev=" + rev, "/wiki/-/links", "/wiki/-/tags"} {
				look(base+at, open)
			}
			look(preview(t, base, text), open)
		}
	}

	// Names, notes, titles and tags are somebody's words, too.
	for i, s := range scripts() {
		if i%97 != 0 {
			continue
		}
		put(t, base+"/wiki/Words.md?"+url.Values{"note": {s}, "name": {s}}.Encode(), "---\ntitle: '"+strings.ReplaceAll(s, "'", "''")+"'\ntags: ['"+strings.ReplaceAll(s, "'", "''")+"']\n---\n"+fmt.Sprint(i)+"\n")
		for _, at := range []string{"/wiki/Words", "/wiki/-/history/Words", "/wiki/-/changes", "/wiki/-/tags", "/-/search?q=" + url.QueryEscape(s)} {
			look(base+at, open)
		}
	}
	// Some pieces hide what comes after them, as a comment or a formula that does not end.
	if shown < 2*pieces*19/20 {
		t.Errorf("%d of %d pieces were looked at", shown, 2*pieces)
	}
	if len(guarded.stopped) > 0 {
		t.Errorf("the content policy had to stop %d: %q", len(guarded.stopped), guarded.stopped[:min(5, len(guarded.stopped))])
	}
	t.Logf("%d pieces on %d pages, looked at in %d places: %d scripts ran, %d were stopped by the policy", pieces, len(pages), places, ran, len(guarded.stopped))
}

// preview serves the fragment that the preview gives, without any policy.
func preview(t *testing.T, base, text string) string {
	t.Helper()
	res, err := http.PostForm(base+"/-/preview", url.Values{"space": {"wiki"}, "path": {"Preview"}, "text": {text}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res.StatusCode, err)
	}
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html><body>%s", b)
	}))
	t.Cleanup(bare.Close)
	return bare.URL
}

func save(t *testing.T, base, name, text string) {
	t.Helper()
	put(t, base+"/wiki/"+name+".md", text)
}

// put writes a page whatever is there.
func put(t *testing.T, address, text string) {
	t.Helper()
	req, err := http.NewRequest("PUT", address, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", "*")
	if res, err := http.Get(address); err == nil {
		res.Body.Close()
		if tag := res.Header.Get("ETag"); res.StatusCode == 200 && tag != "" {
			req.Header.Del("If-None-Match")
			req.Header.Set("If-Match", tag)
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		b, _ := io.ReadAll(res.Body)
		t.Fatalf("PUT %s: %d %s", address, res.StatusCode, b)
	}
}
