package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func band(n byte, text string) string { return fmt.Sprintf("%04x%c%s", len(text)+5, n, text) }

// Progress goes on as it comes, in whatever pieces; the report and the end are held back until they are told.
func TestAnswer(t *testing.T) {
	report := pkt("unpack ok\n", "ok refs/heads/main\n", "option old-oid 0\n", "ng refs/heads/x hook declined\n", "")
	git := band(2, "Resolving deltas: 100%, done.\n") + band(1, "") + band(1, report[:7]) + band(1, report[7:]) + "0000"
	for size := 1; size < len(git)+1; size += 3 {
		var out bytes.Buffer
		a := &answer{asked: commands{sideBand: true, report: 2}, out: &out}
		for rest := git; rest != ""; {
			n := min(size, len(rest))
			if got, err := a.Write([]byte(rest[:n])); got != n || err != nil {
				t.Fatal(got, err)
			}
			rest = rest[n:]
		}
		if want := band(2, "Resolving deltas: 100%, done.\n") + band(1, ""); out.String() != want {
			t.Fatalf("in pieces of %d: %q has gone on, want %q", size, out.String(), want)
		}
		unpacked, all, err := a.said()
		if err != nil || unpacked != "ok" || len(all) != 2 || all[0].name != "refs/heads/main" || len(all[0].options) != 1 || all[1].refused != "hook declined" {
			t.Fatalf("%q, %+v, %v", unpacked, all, err)
		}
		out.Reset()
		all[1].refused = "because\n  of me"
		if err := a.finish(unpacked, all); err != nil {
			t.Error(err)
		}
		if got := bands(t, out.String()); got.report != pkt("unpack ok\n", "ok refs/heads/main\n", "option old-oid 0\n", "ng refs/heads/x because   of me\n", "") {
			t.Fatalf("report %q", got.report)
		}
	}
}

// While it is held nothing is written; what came meanwhile comes before the report.
func TestAnswerHeld(t *testing.T) {
	var out bytes.Buffer
	a := &answer{asked: commands{sideBand: true, report: 1}, out: &out}
	a.hold()
	io.WriteString(a, band(2, "a hint\n")+band(1, pkt("unpack ok\n", "ok refs/heads/main\n", ""))+"0000")
	if out.Len() > 0 {
		t.Errorf("%q while held", out.String())
	}
	unpacked, all, err := a.said()
	if err != nil {
		t.Fatal(err)
	}
	a.finish(unpacked, all)
	if got := bands(t, out.String()); got.text != "a hint\n" || !strings.Contains(got.report, "ok refs/heads/main\n") || !strings.HasSuffix(out.String(), "0000") {
		t.Errorf("told %q", out.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

// A pusher who reads nothing any more stops nobody, and what git says is bounded and understood, or no report.
func TestAnswerBroken(t *testing.T) {
	a := &answer{asked: commands{sideBand: true}, out: broken{}}
	if n, err := io.WriteString(a, band(2, "text")); n != 9 || err != nil {
		t.Error(n, err)
	}
	if err := a.finish("ok", nil); err == nil {
		t.Error("told to somebody who is gone")
	}
	for _, said := range []string{
		"", "xxxx", "0003", "ffff", band(1, "zzzz"), band(1, pkt("ok refs/heads/main\n", "")), band(1, pkt("unpack ok\n", "yes\n", "")), band(1, "0040unpack ok\n"),
	} {
		a := &answer{asked: commands{sideBand: true, report: 1}, out: io.Discard}
		io.WriteString(a, said)
		if unpacked, all, err := a.said(); err == nil {
			t.Errorf("%q is understood as %q, %+v", said, unpacked, all)
		}
	}
	a = &answer{asked: commands{report: 1}, out: io.Discard}
	for range 2 * maxReport >> 20 {
		a.Write(make([]byte, 1<<20))
	}
	if _, _, err := a.said(); err == nil || len(a.report) > maxReport {
		t.Errorf("%d bytes held, %v", len(a.report), err)
	}
}

// When git ends without a report, what is on disk tells: branches that were made, and those that were removed.
func TestNoReport(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	run(t, r.dir, "branch", "made")
	run(t, r.dir, "branch", "stayed")
	p := &push{repo: r, answer: &answer{}, asked: commands{report: 1, updates: []RefUpdate{
		{Name: "refs/heads/made", New: head},
		{Name: "refs/heads/removed", Old: head},
		{Name: "refs/heads/stayed", Old: head},
		{Name: "refs/heads/unmade", New: head},
	}}}
	_, all := p.outcomes(errors.New("killed"))
	for i, refused := range []bool{false, false, true, true} {
		if got := all[i]; (got.refused != "") != refused {
			t.Errorf("%s: told %q", got.name, got.refused)
		}
	}
}

// Every kind of client is told why, beside the ref: with bands and without, in both versions of the report.
func TestRefusedBesideRef(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	_, now := r.Head()
	good := commitOf(now.Hash(), "good", head)
	pack := packOf(t, good)
	no := func(context.Context, Push) ([]string, error) { return nil, errors.New("Not on a Sunday.\nCome back.") }
	for _, test := range []struct {
		caps  string
		check checker
		want  string
	}{
		{"report-status side-band-64k", no, "ng refs/heads/main Not on a Sunday.\n"},
		{"report-status", no, "ng refs/heads/main Not on a Sunday.\n"},
		{"report-status-v2 side-band-64k", no, "ng refs/heads/main Not on a Sunday.\n"},
		{"", no, ""},
		{"report-status", letAll, "ok refs/heads/main\n"},
	} {
		in := pkt(moveLine(head, good.hash, "refs/heads/main")+"\x00"+test.caps, "") + pack
		var out bytes.Buffer
		if err := r.ReceivePack(t.Context(), "", strings.NewReader(in), &out, pusherOf(test.check)); err != nil {
			t.Errorf("%q: %v", test.caps, err)
		}
		got := pushed{report: out.String()}
		if strings.Contains(test.caps, "side-band") {
			if got = bands(t, out.String()); !strings.Contains(got.text, "Not on a Sunday.\nCome back.\n") {
				t.Errorf("%q: text %q", test.caps, got.text)
			}
		}
		if want := pkt("unpack ok\n", test.want, ""); test.want != "" && got.report != want || test.want == "" && got.report != "" {
			t.Errorf("%q: report %q, want %q", test.caps, got.report, want)
		}
	}
}

// What cannot be unpacked is told as such, and why git does not take it.
func TestNotUnpacked(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	_, now := r.Head()
	good := commitOf(now.Hash(), "good", head)
	pack := []byte(packOf(t, good))
	pack[len(pack)-30] ^= 1
	before := inventory(t, r.dir)
	told, err := rawPush(t, r, letAll, pkt(moveLine(head, good.hash, "refs/heads/main")+"\x00"+capable, "")+string(pack))
	if err != nil || strings.HasPrefix(told.report, pkt("unpack ok\n")) || !strings.Contains(told.report, "ng refs/heads/main What was sent could not be unpacked.") {
		t.Errorf("%v, told %+v", err, told)
	}
	if after := inventory(t, r.dir); strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("left a trace: %v", after)
	}
}

// noticed tells when something was written to it.
type noticed struct {
	bytes.Buffer
	came chan struct{}
}

func (f *noticed) Write(p []byte) (int, error) {
	if f.Len() == 0 {
		close(f.came)
	}
	return f.Buffer.Write(p)
}

// While a push is looked at, its connection is kept open; the verdict comes when it is true.
func TestKeepAlive(t *testing.T) {
	r := newRepo(t)
	run(t, r.dir, "config", "receive.keepAlive", "1")
	head := put(t, r, "page.md", "one\n")
	_, now := r.Head()
	good := commitOf(now.Hash(), "good", head)
	out := &noticed{came: make(chan struct{})}
	check := func(context.Context, Push) ([]string, error) {
		select {
		case <-out.came:
			return nil, nil
		case <-time.After(time.Minute):
			return nil, errors.New("nothing came")
		}
	}
	in := pkt(moveLine(head, good.hash, "refs/heads/main")+"\x00"+capable, "") + packOf(t, good)
	if err := r.ReceivePack(t.Context(), "", strings.NewReader(in), out, pusherOf(check)); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, band(1, "")) || !strings.Contains(bands(t, got).report, "ok refs/heads/main\n") {
		t.Errorf("told %q", got)
	}
}
