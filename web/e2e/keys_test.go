package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// at waits until the window shows an address.
func (w *window) at(path string) {
	w.t.Helper()
	w.until(fmt.Sprintf(`location.pathname === %q && document.readyState === "complete"`, path))
}

// typed presses keys, wherever the focus is.
func (w *window) typed(keys string, with ...chromedp.KeyOption) {
	w.t.Helper()
	w.do(chromedp.KeyEvent(keys, with...))
}

var ctrl = chromedp.KeyModifiers(chromedp.ModifierCtrl)

func TestKeys(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	w := open(t, chrome, 1440, 900)
	w.write(url, "Garden", "# Garden\n\nroses\n")
	for _, c := range []struct{ keys, leads string }{
		{"e", "/wiki/-/edit/Garden"}, {"h", "/wiki/-/history/Garden"}, {"m", "/wiki/-/move/Garden"}, {"n", "/wiki/-/new"}, {"c", "/wiki/-/new"}, {"gh", "/wiki/"},
	} {
		w.visit(url + "/wiki/Garden")
		w.typed(c.keys)
		w.at(c.leads)
	}

	w.visit(url + "/wiki/Garden")
	for _, key := range []func(){func() { w.typed("/") }, func() { w.typed("k", ctrl) }} {
		w.do(chromedp.Focus("main"))
		key()
		w.until(`document.activeElement.id === "cairn-find"`)
	}
	// In a field letters are letters, and with other keys held they are somebody else's.
	w.typed("nehm/?[gh")
	if got, want := see(w, chromedp.Value("#cairn-find")), "nehm/?[gh"; got != want {
		t.Errorf("the search box holds %q, want %q", got, want)
	}
	w.do(chromedp.Focus("main"))
	w.typed("e", chromedp.KeyModifiers(chromedp.ModifierAlt))
	w.typed("E")
	see(w, chromedp.Evaluate[bool](`document.dispatchEvent(new KeyboardEvent("keydown", { key: "e", bubbles: true, isComposing: true }))`))
	w.at("/wiki/Garden")

	// The side bar goes, stays away on the next page, and comes back.
	const shown = `document.querySelector("aside.side").offsetWidth > 0`
	w.typed("[")
	w.until("!(" + shown + ")")
	w.visit(url + "/wiki/Garden")
	w.until("!(" + shown + ")")
	w.typed("[")
	w.until(shown)
	w.visit(url + "/wiki/Garden")
	w.until(shown)

	// The sheet: the same list, in a dialog in which no key does anything, and the focus comes back.
	const open1 = `document.querySelector("dialog[open] table")`
	w.do(chromedp.Focus(`.brand a`))
	w.typed("?")
	w.until(open1)
	w.do(chromedp.Focus(`dialog button`))
	w.typed("e")
	w.typed(kb.Escape)
	w.until(`!document.querySelector("dialog")`)
	w.at("/wiki/Garden")
	if on := see(w, chromedp.Evaluate[bool](`document.activeElement === document.querySelector(".brand a")`)); !on {
		t.Error("the focus was lost when the sheet was shut")
	}

	// Whoever does not want letters switches them off; what is held with Ctrl works all the same.
	w.do(chromedp.Click(`footer a[aria-keyshortcuts="?"]`))
	w.until(open1)
	w.do(chromedp.Click(`dialog input[role=switch]`))
	w.typed(kb.Escape)
	w.until(`!document.querySelector("dialog")`)
	w.visit(url + "/wiki/Garden")
	w.typed("e")
	w.typed("?")
	w.typed("k", ctrl)
	w.until(`document.activeElement.id === "cairn-find"`)
	w.at("/wiki/Garden")

	// Without scripts the list is a page.
	plain := open(t, chrome, 390, 844)
	plain.withoutScripts()
	plain.visit(url + "/wiki/Garden")
	plain.press(`footer a[aria-keyshortcuts="?"]`)
	plain.sees("Begin a new page", "JavaScript")
}

// In the editor keys save, also while one types, and a form is sent once.
func TestEditorKeys(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	for i, key := range []string{"s", kb.Enter} {
		w.visit(url + "/wiki/-/edit/Garden")
		text := fmt.Sprintf("# Garden\n\nroses %d\n", i)
		w.fill("text", text)
		w.do(chromedp.Focus("#cairn-text"))
		w.typed(key, ctrl)
		w.at("/wiki/Garden")
		w.sees(fmt.Sprintf("roses %d", i), "Saved")
	}

	w.visit(url + "/wiki/-/edit/Garden")
	const send = `document.querySelector("form.write").dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true, submitter: document.querySelector('[value=save]') }))`
	const working = `document.querySelector("[value=save][aria-busy=true]")`
	if first, second := see(w, chromedp.Evaluate[bool](send)), see(w, chromedp.Evaluate[bool](send)); !first || second {
		t.Errorf("sent: %t, and sent again: %t", first, second)
	}
	w.until(working)
	w.typed(kb.Escape) // stops the browser
	w.until("!" + working)
}
