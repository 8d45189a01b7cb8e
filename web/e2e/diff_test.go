package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// Somebody compares two revisions of a page, looks at them in all three ways, and puts one part back while the rest stays
// and others write on.
func TestCompareAndPutBack(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	write := func(text, name string) {
		t.Helper()
		w.visit(url + "/wiki/-/edit/Garden")
		w.fill("text", text)
		w.fill("name", name)
		w.press(saveButton)
	}
	const between = "\n\nOne line that nobody changes.\n\nAnother one.\n\nA third one of them.\n\nAnd a fourth.\n\n"
	write("Roses are **red** and need water."+between+"Herbs stand in the shade.\n", "Ann")
	write("Roses are **white** and need water."+between+"Herbs stand in the shade.\n", "Bob")
	write("Roses are **white** and need water."+between+"Herbs stand in the sun.\n", "Cem")

	// The newest two are chosen; what says nothing cannot be.
	w.visit(url + "/wiki/-/history/Garden")
	w.sees("+1", "−1", "Ann", "Bob", "Cem")
	states := func() string {
		return see(w, chromedp.Evaluate[string](`[...document.querySelectorAll(".choose input")].map(i => i.checked ? "x" : i.disabled ? "-" : "o").join("")`))
	}
	if got, want := states(), "-xx-o-"; got != want {
		t.Fatalf("choices at first: %s, want %s", got, want)
	}
	w.do(chromedp.Click(`.revisions > li:nth-child(3) input[name="from"]`))
	if got, want := states(), "-xoox-"; got != want {
		t.Fatalf("choices of the first and the last: %s, want %s", got, want)
	}
	w.press(`form.history button:not([formaction])`)

	// Side by side, in one column, and as the page looks.
	w.sees("Before", "Ann", "After", "Cem", "Change 1 of 2", "2 lines added, 2 lines removed")
	marks := func() string {
		return see(w, chromedp.Evaluate[string](`[...document.querySelectorAll("main :is(.line, .prose) :is(ins, del)")].map(e => e.tagName[0] + e.textContent).join(" ")`))
	}
	const want = "Dred Iwhite Dshade Isun"
	for _, view := range []string{"Side by side", "In one column", "As a page"} {
		w.link(view)
		if got := marks(); got != want {
			t.Errorf("%s: marked %q, want %q", view, got, want)
		}
		for _, scheme := range []string{"light", "dark"} {
			w.scheme(scheme)
			for _, width := range []int64{390, 768, 1440} {
				w.resize(width, 900)
				if wide := see(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); wide > 0 {
					t.Errorf("%s is %d pixels too wide at %d, %s", view, wide, width, scheme)
				}
			}
		}
	}
	// The way is remembered.
	w.visit(url + "/wiki/-/diff/Garden")
	if !see(w, chromedp.Evaluate[bool](`!!document.querySelector(".redline")`)) {
		t.Error("the page is not shown as it looks, though that was the last choice")
	}

	// The first part is put back; meanwhile somebody adds a line.
	w.visit(url + "/wiki/-/history/Garden")
	w.do(chromedp.Click(`.revisions > li:nth-child(3) input[name="from"]`))
	w.press(`form.history button:not([formaction])`)
	w.link("Side by side")
	w.press(fmt.Sprintf(`#%s .part-head a[href*="part="]`, "cairn-part-1"))
	w.sees("Put a part back", "Nothing is saved yet", "red", "How the page will look")
	other := open(t, browser(t), 390, 844)
	other.visit(url + "/wiki/-/edit/Garden")
	other.fill("text", "Roses are **white** and need water."+between+"Herbs stand in the sun.\n\nDee wrote this meanwhile.\n")
	other.fill("name", "Dee")
	other.press(saveButton)
	w.press(`main form button.main`)
	w.sees("Saved.", "Roses are red", "in the sun", "Dee wrote this meanwhile.")

	// What has been changed since is not put back by itself, and what stood there can be had.
	write("Roses are gone."+between+"Herbs stand in the sun.\n", "Cem")
	w.visit(url + "/wiki/-/history/Garden")
	w.do(chromedp.Click(`.revisions > li:nth-child(6) input[name="from"]`), chromedp.Click(`.revisions > li:nth-child(5) input[name="to"]`))
	w.press(`form.history button:not([formaction])`)
	w.press(`.part-head a[href*="part="]`)
	w.sees("cannot be put back by itself", "Edit the page")
	if got := see(w, chromedp.Value("#cairn-older")); got != "Roses are **red** and need water.\n" {
		t.Errorf("what stood there is %q", got)
	}
}
