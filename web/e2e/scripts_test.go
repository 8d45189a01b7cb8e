package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
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
	// In the reader's language.
	w.press(`.tongues button[value="fr"]`)
	w.do(chromedp.Click(".with-copy button"))
	w.until(`document.querySelector(".toast").textContent === "Code copié"`)
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
	// It fits, and gets larger than the window.
	w.until(`(i => i.clientWidth <= innerWidth)(document.querySelector("dialog img"))`)
	w.do(chromedp.Click("dialog button"))
	w.until(`(i => i.clientWidth === 3000 && i.parentElement.scrollWidth > i.parentElement.clientWidth && i.parentElement.tabIndex === 0)(document.querySelector("dialog img"))`)
	w.do(chromedp.Click("dialog button"))
	w.until(`(i => i.clientWidth <= innerWidth)(document.querySelector("dialog img"))`)
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until(`!document.querySelector("dialog[open]") && document.activeElement.className === "enlarge"`)
}

const list = "# List\n\n- [ ] buy **milk**\n- [x] bake bread\n  - [ ] knead\n\nthe end\n"

// Boxes are ticked in place, by keyboard and by hand; each tick is a change in the history.
func TestTick(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	ann := open(t, chrome, 1440, 900)
	ann.write(url, "List", list)
	ann.until(`document.querySelectorAll("[role=checkbox]").length === 3`)
	ann.do(chromedp.Focus(`[aria-label="buy milk"]`), chromedp.KeyEvent(" "))
	ann.until(`document.querySelector(".toast").textContent === "Saved" && document.activeElement.ariaChecked === "true"`)
	ann.do(chromedp.Click(`[aria-label="bake bread"]`), chromedp.Click(`[aria-label="knead"]`))
	ann.until(`[...document.querySelectorAll("[role=checkbox]")].map(b => b.ariaChecked + b.ariaBusy).join() === "truefalse,falsefalse,truefalse"`)
	// Pressed again, it is as it was.
	ann.do(chromedp.Click(`[aria-label="knead"]`))
	ann.until(`[...document.querySelectorAll("[role=checkbox]")].map(b => b.ariaChecked + b.ariaBusy).join() === "truefalse,falsefalse,falsefalse"`)
	if at := see(ann, chromedp.Location()); !strings.HasSuffix(at, "/wiki/List") {
		t.Errorf("ticking led to %s", at)
	}

	// Somebody without scripts sees that, and ticks as well.
	bob := open(t, chrome, 390, 844)
	bob.withoutScripts()
	bob.visit(url + "/wiki/List")
	bob.press(`[aria-label="bake bread"][aria-checked="false"]`)
	bob.sees("bake bread", "is done")
	bob.visit(url + "/wiki/-/history/List")
	bob.sees("Tick \"buy milk\"", "Untick \"bake bread\"", "Tick \"knead\"", "Untick \"knead\"", "Tick \"bake bread\"")

	// Ann's page is old by now. What she ticks is looked for in the new one; a task that is gone is not, and she is told.
	bob.write(url, "List", "new\n\n- [ ] buy milk and bread\n- [ ] knead\n")
	ann.do(chromedp.Click(`[aria-label="knead"]`))
	ann.until(`document.querySelector(".toast").textContent.includes("Others have changed this page")`)
	ann.press(`[aria-label="buy milk"]`)
	ann.until(`document.querySelector(".toast").textContent.includes("somebody has changed that task")`)
	ann.sees("buy milk and bread")
	ann.visit(url + "/wiki/List.md")
	if got, want := see(ann, chromedp.Text("body")), "new\n\n- [ ] buy milk and bread\n- [x] knead"; strings.TrimSpace(got) != want {
		t.Errorf("the page is %q, want %q", got, want)
	}
}

// Files that are pasted, dropped or chosen are uploaded, and shown where the caret was; undo takes that back.
func TestPasteAndDrop(t *testing.T) {
	url := serve(t)
	chrome := browser(t)
	w := open(t, chrome, 1440, 900)
	w.visit(url + "/wiki/-/edit/Garden")
	const text = `document.querySelector("textarea[name=text]")`
	run := func(js string) { see(w, chromedp.Evaluate[bool]("{"+js+"}; true")) }
	run(text + `.value = "before  after"; ` + text + `.focus(); ` + text + `.setSelectionRange(7, 7)`)

	// A picture from the clipboard, with a name that every picture there has.
	run(`const data = new DataTransfer();
		data.items.add(new File([Uint8Array.from(atob("` + onePixel + `"), c => c.charCodeAt(0))], "image.png", { type: "image/png" }));
		` + text + `.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))`)
	w.until(`/^before !\[[^\]]*\]\(.*pasted-\d{8}-\d{6}\.png\) after$/.test(` + text + `.value)`)
	// Text that happens to come with a picture stays text.
	if ours := see(w, chromedp.Evaluate[bool](`(() => {
		const data = new DataTransfer();
		data.setData("text/plain", "words");
		data.items.add(new File(["x"], "image.png", { type: "image/png" }));
		return `+text+`.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
	})()`)); !ours {
		t.Error("text with a picture beside it was taken for a file")
	}

	// Files by hand, one of them of a name that no file can have beside a page.
	dir := t.TempDir()
	notes, bad := filepath.Join(dir, "notes.txt"), filepath.Join(dir, "page.md")
	for _, name := range []string{notes, bad} {
		if err := os.WriteFile(name, []byte("words"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(text + `.setSelectionRange(` + text + `.value.length, ` + text + `.value.length)`)
	run(`document.querySelector("form.write input[type=file]").id = "chosen-by-the-test"`)
	w.do(chromedp.SetUploadFiles("#chosen-by-the-test", []string{notes, bad}, chromedp.NodeReady))
	w.until(text + `.value.includes("[notes.txt](") && !` + text + `.value.includes("Uploading")`)
	w.until(`document.querySelector(".uploads [role=alert]")?.textContent.includes("page.md")`)

	// Undo, as if it had been typed.
	was := see(w, chromedp.Evaluate[string](text+`.value`))
	run(text + `.focus(); document.execCommand("undo"); document.execCommand("undo"); document.execCommand("undo"); document.execCommand("undo")`)
	w.until(`!` + text + `.value.includes("notes.txt")`)
	run(`for (let i = 0; i < 4; i++) document.execCommand("redo")`)
	if now := see(w, chromedp.Evaluate[string](text+`.value`)); now != was {
		t.Errorf("after redo the text is %q, want %q", now, was)
	}

	// A drop, by the browser's own events.
	box := see(w, chromedp.Dimensions("textarea[name=text]"))
	picture := filepath.Join(dir, "rose.png")
	b, err := base64.StdEncoding.DecodeString(onePixel)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, step := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, input.DispatchDragEvent, input.DispatchDragEventParams{
				Type: step, X: box.Content[0] + 20, Y: box.Content[1] + 20,
				Data: &input.DragData{Items: []*input.DragDataItem{}, Files: []string{picture}, DragOperationsMask: 1},
			})
			return err
		}))
	}
	w.until(text + `.value.includes("rose.png)") && !` + text + `.value.includes("Uploading")`)
	w.press(saveButton)
	w.sees("before", "after", "notes.txt")
	w.until(`[...document.querySelectorAll(".prose img")].filter(i => i.complete && i.naturalWidth === 1).length === 2`)

	// Without scripts there is a form of its own.
	plain := open(t, chrome, 390, 844)
	plain.withoutScripts()
	plain.visit(url + "/wiki/-/upload/Garden")
	plain.do(chromedp.SetUploadFiles(`input[name="file"]`, []string{notes}, chromedp.NodeReady))
	plain.press(`main form button.main`)
	plain.sees("notes", "in the wiki")
}

// Files land where they harm nothing: at the end of a text that nobody has clicked into, below the front matter, and on
// lines of their own.
func TestWhereFilesLand(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	const text = `document.querySelector("textarea[name=text]")`
	run := func(js string) { see(w, chromedp.Evaluate[bool]("{"+js+"}; true")) }
	paste := func(names ...string) {
		t.Helper()
		run(`const data = new DataTransfer();
			for (const name of "` + strings.Join(names, " ") + `".split(" ")) data.items.add(new File(["x"], name));
			` + text + `.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))`)
		for _, name := range names {
			w.until(text + `.value.includes("[` + name + `](") && !` + text + `.value.includes("Uploading")`)
		}
	}
	n := 0
	// In a text, | is where the caret is put; without one nobody has put it anywhere. In what is wanted, F is a file.
	for _, tt := range []struct{ before, want string }{
		{"---\ntitle: T\n---\n\n## Rest\n", "---\ntitle: T\n---\n\n## Rest\n\nF\n\nF\n"},
		{"", "F\n\nF"},
		{"words", "words\n\nF\n\nF"},
		{"---\nti|tle: T\n---\n## Rest\n", "---\ntitle: T\n---\n\nF\n\nF\n\n## Rest\n"},
		{"one\n|## Rest\n", "one\n\nF\n\nF\n\n## Rest\n"},
		{"# One|\ntwo\n", "# One\n\nF\n\nF\n\ntwo\n"},
		{"one\n\n|\n\ntwo\n", "one\n\nF\n\nF\n\ntwo\n"},
		{"one | two\n", "one F F two\n"},
		{"- one|\n- two\n", "- one F F\n- two\n"},
	} {
		w.visit(url + "/wiki/-/edit/Land")
		run(fmt.Sprintf(`%s.defaultValue = %q`, text, strings.Replace(tt.before, "|", "", 1)))
		run(text + `.setSelectionRange(0, 0)`)
		if at := strings.Index(tt.before, "|"); at >= 0 {
			run(fmt.Sprintf(`%[1]s.focus(); %[1]s.setSelectionRange(%[2]d, %[2]d)`, text, at))
		}
		n++
		a, b := fmt.Sprintf("a%d.txt", n), fmt.Sprintf("b%d.txt", n)
		paste(a, b)
		got := see(w, chromedp.Evaluate[string](text+`.value`))
		for _, name := range []string{a, b} {
			got = strings.ReplaceAll(got, "["+name+"]("+name+")", "F")
			got = strings.ReplaceAll(got, "["+name+"](uploads/"+name+")", "F")
		}
		if got != tt.want {
			t.Errorf("in %q: got %q, want %q", tt.before, got, tt.want)
		}
		run(text + `.value = ` + text + `.defaultValue`)
	}
}

// A text that is not saved is not left without a question.
func TestLeaving(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	w.visit(url + "/wiki/-/edit/Garden")
	asks := func() bool {
		return see(w, chromedp.Evaluate[bool](`!dispatchEvent(new Event("beforeunload", { cancelable: true }))`))
	}
	if asks() {
		t.Error("leaving asks before anything was written")
	}
	w.fill("text", "roses\n\n```mermaid\nflowchart LR\n  A-->B\n```\n")
	if !asks() {
		t.Error("leaving does not ask, and the text is lost")
	}
	w.press(previewButton)
	if !asks() {
		t.Error("leaving a preview does not ask, and the text is lost")
	}
	w.until(`document.querySelector(".preview .drawn img")?.naturalWidth > 20`)
	w.press(saveButton)
	w.sees("roses")
}

// What does not fit a telephone is scrolled, also by keyboard, and stays large enough to be read; a menu shuts by Escape.
func TestNarrow(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 390, 844)
	w.write(url, "Wide", "# Wide\n\n| a | b | c | d | e | f | g | h |\n|-|-|-|-|-|-|-|-|\n| 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |\n\n| a |\n|-|\n| 1 |\n\n"+
		"```mermaid\nflowchart LR\n  A[Begin here]-->B[Then go on]-->C[Look at this]-->D[Look at that]-->E[End]\n```\n")
	w.until(`document.querySelector(".drawn img")?.naturalWidth > 390`)
	w.until(`document.querySelector(".drawn > div[tabindex='0'][role=group]")`)
	w.until(`(i => i.clientWidth >= .74 * i.naturalWidth)(document.querySelector(".drawn img"))`)
	w.until(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`)
	if got := see(w, chromedp.Evaluate[string](`[...document.querySelectorAll(".prose table")].map(t => t.getAttribute("tabindex")).join()`)); got != "0," {
		t.Errorf("the tables can be reached by keyboard: %q, want the wide one alone", got)
	}
	w.do(chromedp.Focus(".prose table"), chromedp.KeyEvent(kb.ArrowRight))
	w.until(`document.querySelector(".prose table").scrollLeft > 0`)

	const menu = `.actions details.menu`
	w.do(chromedp.Focus(menu+" > summary"), chromedp.KeyEvent(kb.Enter))
	w.until(`document.querySelector("` + menu + `").open`)
	w.do(chromedp.KeyEvent(kb.Escape))
	w.until(`!document.querySelector("` + menu + `").open && document.activeElement.matches("summary")`)
}

// onePixel is a picture.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

// A video of another site is a link. Nothing is asked of that site before somebody presses the button beside it.
func TestFilm(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 390, 844)
	w.write(url, "Talk", "![The talk](https://youtu.be/dQw4w9WgXcQ)\n\nthe end\n")
	w.until(`document.querySelector(".film-show").textContent === "Show it here, from www.youtube-nocookie.com"`)
	asked := `performance.getEntriesByType("resource").filter(e => !e.name.startsWith(location.origin)).length`
	if n := see(w, chromedp.Evaluate[int](asked)); n > 0 {
		t.Errorf("%d things were asked of other sites", n)
	}
	if frames := see(w, chromedp.Evaluate[int](`document.querySelectorAll("iframe").length`)); frames > 0 {
		t.Errorf("%d frames are there before anybody asked", frames)
	}
	// Nothing answers there, nor need it: the policy lets the frame begin, or the window would complain.
	w.do(chromedp.Focus(".film-show"), chromedp.KeyEvent(kb.Enter))
	w.until(`document.activeElement === document.querySelector(".film-frame")`)
	if got, want := see(w, chromedp.AttributeValue(".film-frame", "src")).Value, "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"; got != want {
		t.Errorf("the frame shows %s, want %s", got, want)
	}
	w.sees("the end")
}

// An address that names a heading leads there, also when diagrams above it are drawn only then.
func TestHeadingBelowDiagrams(t *testing.T) {
	url := serve(t)
	w := open(t, browser(t), 1440, 900)
	var text strings.Builder
	for i := range 4 {
		fmt.Fprintf(&text, "## Part %d\n\n```mermaid\nflowchart TD\n  A%d-->B\n  B-->C\n  C-->D\n  D-->E\n```\n\n", i, i)
	}
	w.write(url, "Parts", text.String()+"## Last\n\n"+strings.Repeat("more\n\n", 60))
	w.visit(url + "/wiki/Parts#last")
	w.until(`document.querySelectorAll(".drawn img").length >= 1 && [...document.querySelectorAll(".drawn img")].every(i => i.naturalWidth > 50)`)
	w.until(`Math.abs(document.querySelector("#last").getBoundingClientRect().top) < 200`)
	w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.outline a[href="#part-0"]').click()`))
	w.until(`Math.abs(document.querySelector("#part-0").getBoundingClientRect().top) < 200`)
	w.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.outline a[href="#last"]').click()`))
	w.until(`document.querySelectorAll(".drawn img").length === 4`)
	w.until(`Math.abs(document.querySelector("#last").getBoundingClientRect().top) < 200`)
}
