package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// until waits for a condition in the page.
func (w *window) until(condition string) {
	w.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if see(w, chromedp.Evaluate[bool]("!!("+condition+")")) {
			w.do()
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("never came true: %s; the page says:\n%s", condition, see(w, chromedp.Text("body")))
		}
	}
}

// write saves a page by the editor.
func (w *window) write(url, page, text string) {
	w.t.Helper()
	w.visit(url + "/wiki/-/edit/" + page)
	w.fill("text", text)
	w.press(saveButton)
}

// pasted is what a field holds after the clipboard has been pasted into it.
func (w *window) pasted(selector string) string {
	w.t.Helper()
	see(w, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q).value = ""`, selector)))
	w.do(chromedp.Focus(selector), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: input.DispatchKeyEventTypeRawKeyDown, Key: "v", Code: "KeyV", Modifiers: int64(chromedp.ModifierCtrl), Commands: []string{"paste"},
		})
		return err
	}))
	return see(w, chromedp.Value(selector))
}

func TestCopy(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	w.write(url, "Code", "# Code\n\n## Set up\n\n```go\nfmt.Println(1)\n```\n")
	const toast = `.toast`
	w.do(chromedp.Click(".with-copy button"))
	w.until(`document.querySelector(".toast").textContent === "Code copied"`)
	if got, want := w.pasted(`[name="q"]`), "fmt.Println(1)"; got != want {
		t.Errorf("the clipboard holds %q, want %q", got, want)
	}
	// By keyboard: the mark beside a heading leads to the section, and its address is copied.
	w.do(chromedp.Focus("a.anchor"), chromedp.KeyEvent(kb.Enter))
	w.until(`document.querySelector(".toast").textContent === "Link to this section copied" && location.hash === "#set-up"`)
	if got, want := w.pasted(`[name="q"]`), url+"/wiki/Code#set-up"; got != want {
		t.Errorf("the clipboard holds %q, want %q", got, want)
	}
	w.do(chromedp.Click(".clone summary"), chromedp.Click(`.clone button[aria-label="Copy the address"]`))
	w.until(`document.querySelector(".toast").textContent === "Address copied"`)
	if got, want := w.pasted(`[name="q"]`), "/wiki.git"; !strings.HasSuffix(got, want) {
		t.Errorf("the clipboard holds %q, want the address that ends with %q", got, want)
	}
	if role := see(w, chromedp.AttributeValue(toast, "role")); role.Value != "status" {
		t.Errorf("the sentence has the role %q: no screen reader would say it", role.Value)
	}
}

// withoutScripts keeps the window from running any.
func (w *window) withoutScripts() {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

const diagramPage = "# Plan\n\n" +
	"```mermaid\n%%{init: {\"securityLevel\": \"loose\"}}%%\nflowchart LR\n  A[<img src=x onerror='parent.ran=true'> Start] --> B\n  click A call alert(1)\n```\n\n" +
	"```mermaid\nflowchart LR\n  A[Start --> B\n```\n\n" +
	"```mermaid\nsequenceDiagram\n  Ann->>Bob: Hello\n```\n"

// Diagrams are drawn as pictures, one after the other; what cannot be drawn says so and shows its source.
func TestDiagrams(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	w := open(t, chrome, 1440, 1200)
	w.scheme("light")
	w.write(url, "Plan", diagramPage)
	w.until(`document.querySelectorAll(".drawn img").length === 2 && [...document.querySelectorAll(".drawn img")].every(i => i.naturalWidth > 100)`)
	w.sees("This diagram cannot be drawn: Parse error on line", "A[Start --> B")
	if ran := see(w, chromedp.Evaluate[bool](`window.ran === true`)); ran {
		t.Error("a script of a diagram ran in the page")
	}
	if open := see(w, chromedp.Evaluate[bool](`[...document.querySelectorAll("iframe")].some(f => f.contentDocument || f.sandbox.value !== "allow-scripts")`)); open {
		t.Error("the frame of diagrams is of the page's origin")
	}
	// The source is folded away, and there.
	w.do(chromedp.Click(".drawn > details:not([hidden]) > summary"))
	w.sees("securityLevel")

	was := see(w, chromedp.AttributeValue(".drawn img", "src")).Value
	w.scheme("dark")
	w.until(fmt.Sprintf(`document.querySelector(".drawn img").src !== %q`, was))

	plain := open(t, chrome, 390, 844)
	plain.withoutScripts()
	plain.visit(url + "/wiki/Plan")
	plain.sees("flowchart LR", "Ann->>Bob: Hello")
}

// A diagram that takes too long is given up, and keeps nobody from the page, nor the next one from being drawn.
func TestEndlessDiagram(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 1200)
	var nodes strings.Builder
	for i := 0; nodes.Len() < 48_000; i++ {
		fmt.Fprintf(&nodes, "n%x\n", i)
	}
	w.write(url, "Endless", "# Endless\n\n```mermaid\nflowchart LR\n"+nodes.String()+"```\n\nthe end\n\n```mermaid\nflowchart LR\n  A-->B\n```\n")
	w.until(`document.querySelector(".drawn .hint")?.textContent.includes("it took longer than") || document.querySelector(".drawn img")`)
	w.do(chromedp.ScrollIntoView(".about"))
	w.until(`document.querySelectorAll(".drawn")[1].querySelector("img")?.naturalWidth > 100`)
	w.sees("the end")
}

// A picture opens large, by keyboard, and shuts again.
func TestLargePicture(t *testing.T) {
	url := serve(t)
	picture := image.NewGray(image.Rect(0, 0, 3000, 1000))
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("PUT", url+"/wiki/wide.png", &file)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", "*")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 201 {
		t.Fatalf("the picture was answered with %s", res.Status)
	}
	w := open(t, browser(t), 390, 844)
	w.write(url, "Picture", "![The garden](wide.png)\n")
	w.until(`document.querySelector("button.enlarge > img")`)
	w.do(chromedp.Focus("button.enlarge"), chromedp.KeyEvent(kb.Enter))
	w.until(`document.querySelector("dialog[open] img")?.naturalWidth === 3000`)
	if name := see(w, chromedp.AttributeValue("button.enlarge", "aria-label")).Value; name != "The garden: open large" {
		t.Errorf("the button is called %q", name)
	}
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until(`!document.querySelector("dialog[open]") && document.activeElement.className === "enlarge"`)
}
