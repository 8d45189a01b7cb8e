package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file measures how quick and how small the wiki is. The rules are:
//
//   - Every figure stands beside a reference that is taken in the same run, in turns with it: machines differ and are
//     shared, ratios stay. Of several turns the median counts.
//   - The wiki is this program itself, run as a process of its own over generated pages in a temporary folder; what
//     loads it and what it is compared with are others. All traffic stays on the loopback.
//   - bench_wikis.go makes the pages, bench_load.go asks, bench_lines.go knows the lines of the table.

// turns is how often a figure and its reference are taken.
const turns = 3

// bench is one run.
type bench struct {
	*env
	dir       string
	log       *os.File // what the processes say, told when something goes wrong
	reference *process
	reached   int
	missed    int
	costs     map[string]float64 // figures that later lines are compared with, each over its own reference
}

// stage is a wiki of one size, with the process that serves it.
type stage struct {
	*made
	data   string // its data folder
	server *process
	built  map[string]time.Duration // how long each store took to be built from nothing
	next   int                      // the first page that nobody has looked at
	rest   int64                    // bytes of memory before any load
}

// part is some lines of the table; its name is what --only takes.
type part struct {
	name    string
	measure func(*bench, context.Context, *stage) error
}

func runBench(ctx context.Context, e *env, _ []string) (err error) {
	if !slices.Contains(strings.Split(benchParts, ", "), e.Only) && e.Only != "" {
		return fmt.Errorf("--only is one of %s, not %q", benchParts, e.Only)
	}
	if e.Pages < 50 {
		return errors.New("--pages is 50 or more: with fewer there is nothing to measure")
	}
	dir, err := os.MkdirTemp("", "cairn-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	b := &bench{env: e, dir: dir, log: log, costs: map[string]float64{}}
	if b.reference, err = start(ctx, log, "bench-reference", dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.reference.stop()) }()

	b.row("what", "figure", "reference in the same run", "ratio", "to reach", "")
	if err := b.all(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.New("ended before all was measured")
		}
		return fmt.Errorf("%w\n%s", err, b.said())
	}
	fmt.Fprintf(e.stdout, "\n%d reached, %d not.\n", b.reached, b.missed)
	return nil
}

// said is the end of what the processes have said.
func (b *bench) said() []byte {
	said, _ := os.ReadFile(b.log.Name())
	return said[max(0, len(said)-2000):]
}

// benchParts are the groups of lines that --only takes.
const benchParts = "text, memory, view, save, flat, git, search, build, start, history"

// all goes through the wikis, from the smallest on, and what is measured of each. A wiki that --pages makes as small as
// another is measured all the same, so that a small run goes the whole way.
func (b *bench) all(ctx context.Context) error {
	upTo := func(n int) *made { n = min(n, b.Pages); return &made{pages: n, edits: n} }
	for _, at := range []struct {
		*made
		parts []part
	}{
		{nil, []part{{"text", (*bench).texts}}},
		{upTo(1_000), []part{
			{"memory", (*bench).atRest}, {"view", (*bench).views}, {"view", (*bench).weights}, {"save", (*bench).saves}, {"memory", (*bench).afterLoad},
		}},
		{(&made{pages: min(20_000, 2*b.Pages), edits: 20}).in("flat"), []part{{"flat", (*bench).flatFolder}}},
		{upTo(10_000), []part{
			{"git", (*bench).clones}, {"git", (*bench).pushes}, {"git", (*bench).blames}, {"search", (*bench).searches}, {"search", (*bench).fullText},
		}},
		{upTo(100_000), []part{
			{"build", (*bench).building}, {"start", (*bench).starting}, {"memory", (*bench).atRest}, {"view", (*bench).views}, {"view", (*bench).coldViews},
			{"history", (*bench).histories}, {"search", (*bench).searches}, {"search", (*bench).findable}, {"save", (*bench).saves}, {"memory", (*bench).afterLoad},
		}},
	} {
		wanted := slices.DeleteFunc(at.parts, func(p part) bool { return b.Only != "" && b.Only != p.name })
		if len(wanted) == 0 {
			continue
		}
		if err := b.stage(ctx, at.made, wanted); err != nil {
			return err
		}
	}
	return nil
}

// stage makes a wiki, measures it, and removes it.
func (b *bench) stage(ctx context.Context, m *made, parts []part) (err error) {
	s := &stage{made: m, next: 1}
	if m != nil {
		if s.data, err = os.MkdirTemp(b.dir, "wiki-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(s.data)) }()
		if err := b.generate(ctx, s, "bench", m); err != nil {
			return err
		}
		if err := b.serve(ctx, s); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.server.stop()) }()
	}
	for _, p := range parts {
		if err := p.measure(b, ctx, s); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil { // the other lines can be measured all the same
			b.row("some of the lines "+p.name, "", "failed, see below", "", "", b.verdict(false))
			fmt.Fprintf(b.stderr, "%s: %v\n%s", p.name, err, b.said())
		}
	}
	return nil
}

// generate makes a space of a stage.
func (b *bench) generate(ctx context.Context, s *stage, name string, m *made) error {
	begun := time.Now()
	err := m.generate(ctx, s.data, name, b.log)
	fmt.Fprintf(b.stderr, "made %s pages and %s commits in %s\n", thousands(m.pages), thousands(m.commits()), brief(time.Since(begun)))
	return err
}

// serve starts the wiki of a stage, and waits until all that follows the log has caught up.
func (b *bench) serve(ctx context.Context, s *stage) (err error) {
	begun := time.Now()
	if s.server, err = start(ctx, b.log, "serve", "--data", s.data, "--listen", "127.0.0.1:0"); err != nil {
		return err
	}
	built := map[string]time.Duration{}
	for {
		var now struct {
			Ready     bool
			Followers []struct {
				Space, Store string
				Behind       uint64
			}
		}
		r := get(s.server, "/-/readyz")
		r.want = 0
		if _, body, err := once(ctx, s.server, r); err != nil {
			return errors.Join(err, s.server.stop())
		} else if err := json.Unmarshal(body, &now); err != nil {
			return errors.Join(err, s.server.stop())
		}
		for _, f := range now.Followers {
			if f.Behind == 0 && f.Space == "bench" && built[f.Store] == 0 {
				built[f.Store] = time.Since(begun)
			}
		}
		if now.Ready {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if s.built == nil {
		s.built = built
	}
	return nil
}

// again ends the wiki of a stage and starts it again.
func (b *bench) again(ctx context.Context, s *stage) error {
	if err := s.server.stop(); err != nil {
		return err
	}
	return b.serve(ctx, s)
}

// pairs are a figure and its reference, taken in turns.
type pairs [turns]struct{ ours, theirs measured }

func inTurns(ours, theirs func() (measured, error)) (p pairs, err error) {
	for i := range p {
		if p[i].ours, err = ours(); err != nil {
			return p, err
		}
		if p[i].theirs, err = theirs(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// by is the medians of what f takes from the turns: ours, theirs, and of their ratio.
func (p pairs) by(f func(measured) float64) (ours, theirs, ratio float64) {
	var o, t, r []float64
	for _, turn := range p {
		a, b := f(turn.ours), f(turn.theirs)
		o, t, r = append(o, a), append(t, b), append(r, a/b)
	}
	return median(o), median(t), median(r)
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// The columns of the table.
func (b *bench) row(what, figure, reference, ratio, reach, ok string) {
	fmt.Fprintf(b.stdout, "%-64s %16s  %-40s %8s %10s %s\n", what, figure, reference, ratio, reach, ok)
}

// atMost prints a line whose ratio may not be above a limit, atLeast one whose may not be below it, within one whose
// figure is judged by itself.
func (b *bench) atMost(what, figure, reference string, ratio, limit float64) {
	b.row(what, figure, reference, fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≤ %g", limit), b.verdict(ratio <= limit))
}

func (b *bench) atLeast(what, figure, reference string, ratio, limit float64) {
	b.row(what, figure, reference, fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≥ %g", limit), b.verdict(ratio >= limit))
}

func (b *bench) within(what, figure, remark, limit string, ok bool) {
	b.row(what, figure, remark, "", "≤ "+limit, b.verdict(ok))
}

func (b *bench) verdict(ok bool) string {
	if ok {
		b.reached++
		return "ok"
	}
	b.missed++
	return "NO"
}

// brief is a duration in three digits.
func brief(d time.Duration) string {
	switch {
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g µs", float64(d)/1e3)
}

func seconds(s float64) string { return brief(time.Duration(s * 1e9)) }

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// thousands is a number as people write it.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
