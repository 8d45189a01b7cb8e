package page

import (
	"bytes"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file makes tasks that readers can tick, of a page that is shown, and finds the line of a task again in a text that
// has been changed since.

// A box as writer.box writes it, and nobody else: in what a page says there is neither "<" nor data-line.
var boxTag = regexp.MustCompile(`<input aria-label="(?:Not done|Done)" (checked="" )?data-line="([0-9]+)" disabled="" type="checkbox"/>`)

var (
	itemEnd = regexp.MustCompile(`</?(?:li|p|ul|ol|dd|div|table|pre|blockquote|input|button)[ />]`)
	anyTag  = regexp.MustCompile(`<[^>]*>`)
)

const maxLabel = 120 // characters of a task's text that a screen reader is told

// Tickable is the HTML of a page with its boxes as buttons of a form, which is posted to action with base. The button that
// is pressed sends done or open, whichever the box shall become, with the line as Tick has it.
func Tickable(shown, action, base string) string {
	boxes := boxTag.FindAllStringSubmatchIndex(shown, -1)
	if len(boxes) == 0 {
		return shown
	}
	var b strings.Builder
	at := 0
	for _, m := range boxes {
		b.WriteString(shown[at:m[0]])
		at = m[1]
		pressed, becomes := "false", "done"
		if m[2] >= 0 {
			pressed, becomes = "true", "open"
		}
		line := shown[m[4]:m[5]]
		b.WriteString(`<button class="box" type="submit" role="checkbox" aria-checked="` + pressed + `" aria-label="` +
			html.EscapeString(taskLabel(shown[at:])) + `" id="cairn-box-` + line + `" form="cairn-tick" name="` + becomes +
			`" value="` + line + `"></button>`)
	}
	b.WriteString(shown[at:])
	b.WriteString(`<form id="cairn-tick" method="post" action="` + html.EscapeString(action) +
		`"><input type="hidden" name="base" value="` + html.EscapeString(base) + "\"/></form>\n")
	return b.String()
}

// taskLabel is the text behind a box, up to the end of its paragraph.
func taskLabel(rest string) string {
	rest = rest[:min(len(rest), 4096)]
	if end := itemEnd.FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	} else if end := strings.LastIndexByte(rest, '<'); end >= 0 {
		rest = rest[:end]
	}
	return orTask(html.UnescapeString(anyTag.ReplaceAllString(rest, "")))
}

// orTask is a short text on one line; a task that says nothing is a task all the same.
func orTask(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if utf8.RuneCountInString(text) > maxLabel {
		text = strings.TrimSpace(string([]rune(text)[:maxLabel])) + "…"
	}
	if text == "" {
		return "Task"
	}
	return text
}

// TaskText is what the task on a line says, short and without markup.
func TaskText(src []byte, line int) string {
	text := lineText(src, line)
	if at := boxIn(text); at >= 0 {
		text = text[at+3:]
	}
	return orTask(Parse("task.md", text).Text)
}

// Follow is where the line of a task stands in a later text: the same one if nobody has changed it but for its box. It is
// false when the line is gone or says something else. Whether boxes are ticked says nothing of which line is which: equal
// tasks may stand side by side.
func Follow(old, now []byte, line int) (int, bool) {
	before, after := untickedLines(old), untickedLines(now)
	if line < 1 || line > len(before) {
		return 0, false
	}
	at := line - 1
	for _, c := range compareNear(before, after) {
		switch {
		case at < c.a0:
		case at >= c.a1:
			continue
		default: // what stands in its place may say the same, where there was too much to be compared
			one := func(lines []string) int {
				if i := slices.Index(lines, before[at]); i >= 0 && !slices.Contains(lines[i+1:], before[at]) {
					return i
				}
				return -1
			}
			if i := one(after[c.b0:c.b1]); i >= 0 && one(before[c.a0:c.a1]) >= 0 {
				return c.b0 + i + 1, true
			}
			return 0, false
		}
		return at + c.b0 - c.a0 + 1, true
	}
	return at + len(after) - len(before) + 1, true
}

// untickedLines are the lines of a text as unticked has them.
func untickedLines(src []byte) []string {
	lines := splitEnded(bytes.TrimPrefix(src, []byte("\ufeff")))
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = string(unticked(l.text))
	}
	return all
}

// lineText is a line without its end.
func lineText(src []byte, line int) []byte {
	rest := src[lineStart(src, line):]
	if end := bytes.IndexAny(rest, "\r\n"); end >= 0 {
		return rest[:end]
	}
	return rest
}

// unticked is what a line says, however deep it stands and whether its first box is ticked or not.
func unticked(line []byte) []byte {
	line = bytes.TrimSpace(line)
	if bytes.IndexByte(line, '[') < 0 {
		return line
	}
	line = bytes.Clone(line)
	if at := boxIn(line); at >= 0 {
		line[at+1] = ' '
	}
	return line
}

// boxIn is where the first box of a line stands, -1 if it has none.
func boxIn(line []byte) int {
	for i := range line {
		if isBox(line[i:]) {
			return i
		}
	}
	return -1
}
