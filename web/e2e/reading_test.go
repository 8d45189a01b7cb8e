package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// This file reads: what helps a reader without being in the way.

// point moves the mouse to the middle of an element, or, with "", to where there is nothing.
func (w *window) point(selector string) {
	w.t.Helper()
	x, y := 2.0, 2.0
	if selector != "" {
		at := see(w, chromedp.Evaluate[[]float64](`(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector("`+selector+`").getBoundingClientRect())`))
		x, y = at[0], at[1]
	}
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y})
		return err
	}))
}

// A link shows how its page begins, to who points at it and to who comes to it by keyboard; Escape takes that away.
func TestGlimpse(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	w.write(url, "Garden", "# The garden\n\nRoses & <b>herbs</b> <script>alert(1)</script>grow here.\n\nMore.\n")
	w.write(url, "Start", "# Start\n\nSee [[Garden]], [[Nowhere]] and [far](https://example.org/).\n")
	const link, card = `.prose a[href$='Garden']`, `document.querySelector("#cairn-glimpse")`
	shown := card + `?.textContent === "The gardenRoses & herbs grow here."`
	described := `document.querySelector("` + link + `").getAttribute("aria-describedby") === "cairn-glimpse"`

	w.point(link)
	w.until(shown + " && " + described)
	// The pointer may go onto the card, which stays.
	w.point("#cairn-glimpse")
	w.until(shown)
	w.point("")
	w.until("!" + card + " && !(" + described + ")")

	w.do(chromedp.Focus(".crumbs a"))
	for range 20 {
		if see(w, chromedp.Evaluate[bool](`document.activeElement.matches("`+link+`")`)) {
			break
		}
		w.do(chromedp.KeyEvent(kb.Tab))
	}
	w.until(shown + " && " + described)
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until("!" + card + ` && document.activeElement.matches("` + link + `")`)

	// What is no page of this wiki is not asked for.
	asked := see(w, chromedp.Evaluate[[]string](`performance.getEntriesByType("resource").map(e => e.name).filter(n => n.includes("glimpse"))`))
	if len(asked) != 1 || !strings.HasSuffix(asked[0], "/wiki/-/glimpse/Garden") {
		t.Errorf("asked for %q, want the garden once", asked)
	}
}

// A footnote opens beside its number, by keyboard as well, and shuts by Escape; without scripts the number leads to it.
func TestFootnote(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	w := open(t, chrome, 390, 844)
	w.write(url, "Notes", "# Notes\n\nA word[^1] and another[^2].\n\n"+strings.Repeat("In between.\n\n", 60)+"[^1]: The *first* note, with a [link](https://example.org/).\n[^2]: The second.\n")
	const number, card = `.footnote-ref`, `document.querySelector(".card:popover-open")`
	w.do(chromedp.Focus(number), chromedp.KeyEvent(kb.Enter))
	w.until(card + `?.textContent.trim() === "The first note, with a link." && document.activeElement === ` + card)
	if name := see(w, chromedp.Evaluate[string](card+`.ariaLabel`)); name != "Footnote 1" {
		t.Errorf("the note is called %q", name)
	}
	if y := see(w, chromedp.Evaluate[float64](`scrollY`)); y != 0 {
		t.Errorf("the page was scrolled by %v", y)
	}
	w.do(chromedp.KeyEvent(kb.Tab))
	w.until(`document.activeElement.matches(".card a[href^=https]")`)
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until(`!` + card + ` && document.activeElement.matches("` + number + `")`)

	plain := open(t, chrome, 390, 844)
	plain.withoutScripts()
	plain.visit(url + "/wiki/Notes")
	plain.do(chromedp.Click(number))
	plain.until(`location.hash !== "" && scrollY > 0`)
}

// 'On this page' says which part is being read.
func TestOutlineFollows(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	part := strings.Repeat("Some words of this part.\n\n", 60)
	w.write(url, "Long", "# Long\n\nBefore all.\n\n"+part+"## One\n\n"+part+"## Two\n\n"+part+"### Below two\n\n"+part)
	const current = `document.querySelector(".outline [aria-current=location]")?.textContent`
	w.until(`document.querySelector(".outline a").getBoundingClientRect().width > 0 && ` + current + ` === undefined`)
	for _, at := range []struct{ id, want string }{{"two", "Two"}, {"below-two", "Below two"}, {"one", "One"}} {
		w.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := chromedp.Evaluate[bool](`document.getElementById("`+at.id+`").scrollIntoView({behavior: "instant"}), true`)(ctx, target)
			return err
		}))
		w.until(current + ` === "` + at.want + `" && document.querySelectorAll(".outline [aria-current]").length === 1`)
	}
	// The list stays beside the text.
	w.until(`(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector(".outline [aria-current]").getBoundingClientRect())`)
}

// The pages are in a panel on a telephone, which a button opens and Escape shuts, without scripts as well.
func TestPanel(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	for _, scripts := range []bool{true, false} {
		w := open(t, chrome, 390, 844)
		if !scripts {
			w.withoutScripts()
		}
		w.visit(url + "/wiki/")
		w.until(`!document.querySelector("#cairn-pages").checkVisibility()`)
		w.do(chromedp.Focus("header .jump"), chromedp.KeyEvent(kb.Enter))
		w.until(`document.querySelector("#cairn-pages").checkVisibility()`)
		w.do(chromedp.KeyEvent(kb.Escape))
		w.until(`!document.querySelector("#cairn-pages").checkVisibility() && document.activeElement.matches("header .jump")`)
		w.resize(1440, 900)
		w.until(`document.querySelector("#cairn-pages").checkVisibility() && !document.querySelector("header .jump").checkVisibility()`)
	}
}
