package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

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
