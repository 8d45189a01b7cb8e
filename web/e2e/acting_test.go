package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Names of pages are offered while a link is written, and chosen by keyboard.
func TestLinking(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	w.write(url, "Kitchen%20sink", "# Kitchen sink\n")
	w.write(url, "guide/Kitchen%20table", "# Kitchen table\n")
	w.visit(url + "/wiki/-/edit/Garden")
	const text = `document.querySelector("#cairn-text")`
	w.until(`document.activeElement === ` + text) // of a new page

	w.typed("See [[kitchen s")
	w.until(`document.querySelectorAll("[role=listbox]:not([hidden]) > [role=option]").length === 1`)
	w.until(text + `.getAttribute("aria-activedescendant") === document.querySelector("[aria-selected=true]").id && ` + text + `.ariaExpanded === "true"`)
	w.typed(kb.Enter)
	w.until(text + `.value.trimEnd() === "See [[Kitchen sink]]"`)
	w.until(`document.querySelector("[role=listbox]").hidden && !` + text + `.role`)

	// What nobody wants is shut, and the letters stay.
	w.typed(" [[kitchen t")
	w.until(`document.querySelectorAll("[role=listbox]:not([hidden]) > [role=option]").length === 1`)
	w.typed(kb.Escape)
	w.until(`document.querySelector("[role=listbox]").hidden`)
	w.typed("\r")
	w.until(text + `.value.trimEnd().endsWith("[[kitchen t")`)

	// What is selected becomes a link, to the second that is offered.
	see(w, chromedp.Evaluate[bool](`(`+text+`.value = "the kitchen", `+text+`.setSelectionRange(4, 11), true)`))
	w.typed("k", ctrl)
	w.until(`document.querySelectorAll("[role=listbox]:not([hidden]) > [role=option]").length === 2`)
	w.typed(kb.ArrowDown)
	w.typed(kb.Tab)
	w.until(`/^the \[\[(guide\/)?Kitchen table\]\]$/.test(` + text + `.value)`)
	w.press(saveButton)
	w.link("Kitchen table")
	w.at("/wiki/guide/Kitchen%20table")
}

// A new page says while one types where it will live, and what there is already.
func TestBegin(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 390, 844)
	w.write(url, "Kitchen%20sink", "# Kitchen sink\n")
	w.visit(url + "/wiki/-/new")
	w.until(`document.activeElement.id === "cairn-path"`)
	w.typed("Kitchen-sink")
	w.until(`document.querySelector("#cairn-problem a")?.pathname === "/wiki/Kitchen%20sink"`)
	w.do(chromedp.Focus("#cairn-in"))
	w.typed("Handbook")
	w.until(`document.querySelector("#cairn-at").textContent.includes("/wiki/Handbook/Kitchen-sink") && !document.querySelector("#cairn-problem").textContent.trim()`)
	w.leads(chromedp.KeyEvent(kb.Enter))
	w.at("/wiki/-/edit/Handbook/Kitchen-sink")

	// A folder goes, and comes back.
	w.write(url, "Handbook/Holidays", "# Holidays\n")
	w.visit(url + "/wiki/-/delete/Handbook/")
	w.sees("1 page", "Holidays")
	w.press("button.danger")
	w.sees("Deleted the folder", "Undo")
	w.press(".notice .button")
	w.press("main form button.main")
	w.visit(url + "/wiki/Handbook/Holidays")
	w.sees("Holidays")
}
