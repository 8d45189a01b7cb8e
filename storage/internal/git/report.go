package git

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// This file is what a pusher gets to read. git's answer passes through it: progress goes on at once, the verdict on each
// ref is held back until it is true, and says why where git only says that a hook declined. The rules are:
//
//   - With side bands the answer is pkt-lines whose first byte is a band: 1 the report, 2 text for a person, 3 an error.
//     Without, it is the report alone.
//   - The report is pkt-lines again: "unpack ok" or why not, then for each ref "ok NAME" (in version 2 with "option"
//     lines behind it) or "ng NAME why".
//   - While the door is held nothing is written: a pusher who does not read must not keep others waiting.

const (
	maxReport = 4 << 20 // bytes of git's answer that are held in memory
	maxReason = 400     // bytes of a reason in a report
	maxBand   = 65500   // bytes of a band in one line
)

// answer is what goes to a pusher. Its Write takes what git says.
type answer struct {
	asked commands
	out   io.Writer

	mu     sync.Mutex // guards what follows
	rest   []byte     // of git's, a line that is not whole yet
	report []byte     // of git's, held back
	later  []byte     // the other bands, while the door is held
	held   bool
	gone   error // why the pusher can be told nothing any more
	wrong  error // why git's answer is not understood
}

// Write takes git's answer. What the pusher does not take is dropped: git goes on all the same.
func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wrong != nil {
		return len(p), nil
	}
	if !a.asked.sideBand {
		a.keep(&a.report, p)
		return len(p), nil
	}
	a.rest = append(a.rest, p...)
	for len(a.rest) >= 4 && a.wrong == nil {
		size, err := strconv.ParseUint(string(a.rest[:4]), 16, 16)
		if err != nil || size != 0 && size < 5 || size > maxPktLine {
			a.wrong = fmt.Errorf("git's answer has a line that begins with %q", a.rest[:4])
			break
		}
		if size == 0 { // ours comes at the end
			a.rest = a.rest[4:]
			continue
		}
		if len(a.rest) < int(size) {
			break
		}
		switch line := a.rest[:size]; {
		case line[4] == 1 && size > 5:
			a.keep(&a.report, line[5:])
		case a.held:
			a.keep(&a.later, line)
		default: // text, an error, or an empty line that keeps the connection open
			a.send(line)
		}
		a.rest = a.rest[size:]
	}
	return len(p), nil
}

func (a *answer) keep(to *[]byte, p []byte) {
	if len(*to)+len(p) > maxReport {
		a.wrong = fmt.Errorf("git's answer has more than %d bytes", maxReport)
		return
	}
	*to = append(*to, p...)
}

func (a *answer) send(p []byte) {
	if a.gone == nil && len(p) > 0 {
		_, a.gone = a.out.Write(p)
	}
}

// hold keeps back all that comes, from the moment it returns.
func (a *answer) hold() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = true
}

// release lets go on what was held back, but for the report.
func (a *answer) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = false
	a.send(a.later)
	a.later = nil
}

// say tells the pusher lines as text for a person, where the client shows such.
func (a *answer) say(lines []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.asked.sideBand {
		return
	}
	for _, line := range lines {
		a.band(2, []byte(line+"\n"))
	}
}

func (a *answer) band(band byte, p []byte) {
	for len(p) > 0 {
		n := min(len(p), maxBand)
		a.send(append(fmt.Appendf(nil, "%04x%c", n+5, band), p[:n]...))
		p = p[n:]
	}
}

// outcome is what became of one ref.
type outcome struct {
	name    string
	refused string   // why it was not moved; "" when it was
	options []string // of version 2, as git tells them
}

// said is git's report. The error is that there is none that makes sense.
func (a *answer) said() (unpacked string, outcomes []outcome, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wrong != nil {
		return "", nil, a.wrong
	}
	rest := a.report
	for len(rest) >= 4 {
		size, err := strconv.ParseUint(string(rest[:4]), 16, 16)
		if err != nil || size != 0 && size < 5 || int(size) > len(rest) {
			return "", nil, fmt.Errorf("git's report has a line that begins with %q", rest[:4])
		}
		if size == 0 {
			break
		}
		line := strings.TrimSuffix(string(rest[4:size]), "\n")
		rest = rest[size:]
		what, text, _ := strings.Cut(line, " ")
		switch {
		case what == "unpack":
			unpacked = text
		case what == "ok":
			outcomes = append(outcomes, outcome{name: text})
		case what == "ng":
			name, why, _ := strings.Cut(text, " ")
			outcomes = append(outcomes, outcome{name: name, refused: cmp.Or(why, "refused")})
		case what == "option" && len(outcomes) > 0:
			last := &outcomes[len(outcomes)-1]
			last.options = append(last.options, text)
		default:
			return "", nil, fmt.Errorf("git's report has a line %.100q", line)
		}
	}
	if unpacked == "" {
		return "", nil, errors.New("git has not reported")
	}
	return unpacked, outcomes, nil
}

// finish tells the pusher what has become of the push, and that this is all. The error is the pusher's having gone.
func (a *answer) finish(unpacked string, outcomes []outcome) error {
	a.release()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked.report > 0 {
		var b bytes.Buffer
		line := func(format string, args ...any) {
			text := fmt.Sprintf(format, args...)
			fmt.Fprintf(&b, "%04x%s\n", len(text)+5, text)
		}
		line("unpack %s", cmp.Or(unpacked, "ok"))
		for _, o := range slices.Concat(outcomes, a.asked.aside) {
			if o.refused != "" {
				line("ng %s %s", o.name, reason(o.refused))
				continue
			}
			line("ok %s", o.name)
			if a.asked.report > 1 {
				for _, option := range o.options {
					line("option %s", option)
				}
			}
		}
		b.WriteString("0000")
		if !a.asked.sideBand {
			a.send(b.Bytes())
			return a.gone
		}
		a.band(1, b.Bytes())
	}
	if a.asked.sideBand {
		a.send([]byte("0000"))
	}
	return a.gone
}

// refuse tells the pusher that nothing was taken, and why: in full as text, its first line also beside each ref, which
// is all that some clients show.
func (a *answer) refuse(lines []string) error {
	a.say(lines)
	return a.finish("ok", refusedAll(a.asked.updates, lines))
}

func refusedAll(updates []RefUpdate, lines []string) []outcome {
	why := "refused"
	if len(lines) > 0 {
		why = lines[0]
	}
	all := make([]outcome, 0, len(updates))
	for _, u := range updates {
		if !strings.ContainsFunc(u.Name, func(r rune) bool { return r <= ' ' }) { // such a name would break the report's lines
			all = append(all, outcome{name: u.Name, refused: why})
		}
	}
	return all
}

// reason is one line of a report.
func reason(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
