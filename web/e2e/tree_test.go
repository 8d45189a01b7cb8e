package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestTree opens a folder of the page tree in place; on the next page it is still open, until it is closed.
func TestTree(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	for _, name := range []string{"Guide/Step-10", "Guide/Step-2", "Guide/Set up/First", "Garden", "Other/x"} {
		w.write(url, name, "text\n")
	}
	const (
		guide = `document.querySelector('[data-from="/wiki/-/tree/Guide/"]')`
		inner = `document.querySelector('[data-from="/wiki/-/tree/Guide/Set%20up/"]')`
		first = `document.querySelector('aside a[href="/wiki/Guide/Set%20up/First"]')`
	)
	w.visit(url + "/wiki/Garden")
	w.until(guide + " && !" + guide + ".open && !" + inner)
	w.do(chromedp.Click(`[data-from="/wiki/-/tree/Guide/"] > summary`))
	w.until(guide + `.innerText.match(/Set up[^]*Step 2[^]*Step 10/)`)
	w.until(`location.pathname === "/wiki/Garden"`)
	w.do(chromedp.Focus(`[data-from="/wiki/-/tree/Guide/Set%20up/"] > summary`), chromedp.KeyEvent(kb.Enter))
	w.until(first)

	w.visit(url + "/wiki/Other/x")
	w.until(first + ` && ` + inner + `.open && document.querySelector('[data-from="/wiki/-/tree/Other/"]').open`)

	w.do(chromedp.Click(`[data-from="/wiki/-/tree/Guide/"] > summary`))
	w.until("!" + guide + ".open")
	w.visit(url + "/wiki/Garden")
	w.until(`!` + guide + `.open && !document.querySelector('[data-from="/wiki/-/tree/Other/"]').open`)

	// Without scripts there is nothing to press that does nothing.
	w.withoutScripts()
	w.visit(url + "/wiki/Garden")
	if shown := see(w, chromedp.Evaluate[bool](guide+`.checkVisibility()`)); shown {
		t.Error("without scripts a folder that is shut can be pressed")
	}
	w.press(`aside a[href="/wiki/Guide/"]`)
	w.sees("Step 2")
}

// In a folder of many pages the side bar shows the one that is looked at.
func TestTreeShowsHere(t *testing.T) {
	url := serve(t)
	g := guest{t, url}
	for i := range 60 {
		g.save("", "Ann", fmt.Sprintf("Page-%d", i), "text\n", "")
	}
	w := open(t, browser(t), 1440, 700)
	w.visit(url + "/wiki/Page-50")
	const seen = `(() => { const r = document.querySelector(".tree [aria-current]").getBoundingClientRect(); return r.top > 0 && r.bottom < innerHeight; })()`
	w.until(seen)
	w.resize(390, 700)
	w.visit(url + "/wiki/Page-50")
	w.do(chromedp.Click(`header [popovertarget="cairn-pages"]`))
	w.until(seen)
}
