package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"cairn/storage/page"
)

// This file has the lines of bench that are about pages: looking at them, saving them, their history, and what the wiki
// needs for that. bench_doors.go has those about git and search.

// at says on what wiki a line was measured.
func (s *stage) at(what string) string { return fmt.Sprintf("%s, %s pages", what, thousands(s.pages)) }

// mirror lets the reference answer what the wiki answers at each of the paths, and returns the requests to both. Browsers
// take answers packed; plain asks for them as they are.
func (b *bench) mirror(ctx context.Context, s *stage, encoding string, paths []string) (ours, theirs, known, knownTheirs []request, err error) {
	for _, path := range paths {
		r := ask(s.server, "GET", path, nil, 200, "Accept: text/html", "Accept-Encoding: "+encoding)
		if _, _, err = once(ctx, s.server, r); err != nil { // into the caches
			return
		}
		res, body, err := once(ctx, s.server, r)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		headers := []string{"ETag: " + res.Header.Get("ETag"), "Content-Type: " + res.Header.Get("Content-Type")}
		if packed := res.Header.Get("Content-Encoding"); packed != "" {
			headers = append(headers, "Content-Encoding: "+packed)
		}
		if _, _, err := once(ctx, b.reference, ask(b.reference, "PUT", path, body, 204, headers...)); err != nil {
			return nil, nil, nil, nil, err
		}
		since := "If-None-Match: " + res.Header.Get("ETag")
		ours = append(ours, r)
		theirs = append(theirs, ask(b.reference, "GET", path, nil, 200, "Accept: text/html", "Accept-Encoding: "+encoding))
		known = append(known, ask(s.server, "GET", path, nil, 304, "Accept: text/html", "Accept-Encoding: "+encoding, since))
		knownTheirs = append(knownTheirs, ask(b.reference, "GET", path, nil, 304, "Accept: text/html", since))
	}
	return ours, theirs, known, knownTheirs, nil
}

// compare loads the wiki and the reference in turns, with requests that go round.
func (b *bench) compare(ctx context.Context, s *stage, clients int, ours, theirs []request) (pairs, error) {
	round := func(p *process, all []request) func() (measured, error) {
		return func() (measured, error) {
			return load(ctx, p, clients, b.Time, func(client, turn int) (request, bool) { return all[(client*7+turn)%len(all)], true })
		}
	}
	return inTurns(round(s.server, ours), round(b.reference, theirs))
}

// views looks at pages that are in the caches.
func (b *bench) views(ctx context.Context, s *stage) error {
	var paths []string
	for i := range min(64, s.pages-1) {
		paths = append(paths, "/bench/"+s.address(i+1))
	}
	for _, encoding := range []string{"gzip", "identity"} {
		ours, theirs, known, knownTheirs, err := b.mirror(ctx, s, encoding, paths)
		if err != nil {
			return err
		}
		p, err := b.compare(ctx, s, 16, ours, theirs)
		if err != nil {
			return err
		}
		what := s.at("page view, warm, 16 connections, " + encoding)
		r, rRef, ratio := p.by(rate)
		b.atLeast(what, fmt.Sprintf("%.0f/s", r), fmt.Sprintf("Echo, same bytes: %.0f/s", rRef), ratio, 0.5)
		c, cRef, over := p.by(cost)
		key := "view " + encoding
		if small, ok := b.costs[key]; ok {
			b.atMost("time of the server for it, against the small wiki", seconds(c), fmt.Sprintf("%.2f × Echo's there, %.2f here", small, over), over/small, 1.1)
		} else {
			b.row("time of the server for it", seconds(c), "Echo: "+seconds(cRef), fmt.Sprintf("%.2f", over), "", "")
		}
		b.costs[key] = over
		if encoding == "identity" {
			continue
		}
		if p, err = b.compare(ctx, s, 16, known, knownTheirs); err != nil {
			return err
		}
		r, rRef, ratio = p.by(rate)
		b.atLeast(s.at("page view, 304, 16 connections"), fmt.Sprintf("%.0f/s", r), fmt.Sprintf("Echo, 304: %.0f/s", rRef), ratio, 0.8)
	}
	return nil
}

// coldViews looks at each page once.
func (b *bench) coldViews(ctx context.Context, s *stage) error {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	share := (s.pages - 100) / turns
	if share < 1 {
		share = s.pages / turns
	}
	first := s.pages - share*turns
	ours := func() (measured, error) {
		from := first
		first += share
		return load(ctx, s.server, 1, b.Time, func(_, turn int) (request, bool) {
			// Far apart, so that no page is near one that was just read.
			return get(s.server, "/bench/"+s.address(max(1, from+turn))), turn < share
		})
	}
	var texts [64][]byte
	for i := range texts {
		texts[i] = []byte(s.text(i%s.pages, 0))
	}
	theirs := func() (measured, error) {
		return repeat(b.Time, func(n int) error { return md.Convert(texts[n%len(texts)], io.Discard) })
	}
	p, err := inTurns(ours, theirs)
	if err != nil {
		return err
	}
	o, t, ratio := p.by(half)
	b.atMost(s.at("page view, in no cache, p50"), seconds(o), "goldmark GFM renders it: "+seconds(t), ratio, 4)
	return nil
}

// repeat does something over and over.
func repeat(long time.Duration, do func(n int) error) (m measured, err error) {
	begun := time.Now()
	for n := 0; n == 0 || time.Since(begun) < long; n++ {
		at := time.Now()
		if err := do(n); err != nil {
			return m, err
		}
		m.each = append(m.each, time.Since(at))
	}
	m.took = time.Since(begun)
	slices.Sort(m.each)
	return m, nil
}

// writer saves pages of a space as programs do. Each client has pages of its own, up to eight from first on, and knows
// what it wrote last.
func (b *bench) writer(ctx context.Context, s *stage, space string, m *made, first, clients int) (func(client, turn int) (request, bool), error) {
	own := min(8, m.pages/clients)
	tags, paths, texts, saved := make([]string, clients*own), make([]string, clients*own), make([]string, clients*own), make([]int, clients*own)
	for i := range tags {
		n := (first + i) % m.pages
		paths[i], texts[i] = "/"+space+"/"+escapePath(m.path(n)), m.text(n, 0)
		res, _, err := once(ctx, s.server, get(s.server, paths[i]))
		if err != nil {
			return nil, err
		}
		tags[i] = res.Header.Get("ETag")
	}
	begun := time.Now().UnixNano()
	return func(client, turn int) (request, bool) {
		i := client*own + turn%own
		saved[i]++
		text := fmt.Appendf(nil, "%s\nSaved %d, for the %dth time.\n", texts[i], begun, saved[i])
		r := ask(s.server, "PUT", paths[i], text, 204, "If-Match: "+tags[i])
		r.then = func(res *http.Response, _ []byte) { tags[i] = res.Header.Get("ETag") }
		return r, true
	}, nil
}

// saving is a load of saves.
func (b *bench) saving(ctx context.Context, s *stage, space string, m *made, clients int) func() (measured, error) {
	return func() (measured, error) {
		next, err := b.writer(ctx, s, space, m, min(200, m.pages/2), clients)
		if err != nil {
			return measured{}, err
		}
		return load(ctx, s.server, clients, b.Time, next)
	}
}

// fsyncs is what the disk needs for five files of 5 KB.
func (b *bench) fsyncs(s *stage) func() (measured, error) {
	return func() (measured, error) {
		text := bytes.Repeat([]byte("stone"), 1000)
		return repeat(b.Time, func(int) error {
			for i := range 5 {
				f, err := os.Create(filepath.Join(s.data, fmt.Sprintf("bench-%d", i)))
				if err != nil {
					return err
				}
				_, err = f.Write(text)
				if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// saves saves pages, alone and with others.
func (b *bench) saves(ctx context.Context, s *stage) error {
	p, err := inTurns(b.saving(ctx, s, "bench", s.made, 1), b.fsyncs(s))
	if err != nil {
		return err
	}
	o, t, ratio := p.by(half)
	b.atMost(s.at("save, one writer, p50"), seconds(o), "five times 5 KB and fsync: "+seconds(t), ratio, 2)
	if p, err = inTurns(b.saving(ctx, s, "bench", s.made, 16), b.saving(ctx, s, "bench", s.made, 1)); err != nil {
		return err
	}
	o, t, ratio = p.by(rate)
	b.atLeast(s.at("saves, 16 writers"), fmt.Sprintf("%.0f/s", o), fmt.Sprintf("one writer: %.0f/s", t), ratio, 4)
	return nil
}

// flatFolder asks for pages of a folder of 20,000, and saves there. Beside it in the same wiki are a folder of fifty and
// a thousand nested pages to compare with.
func (b *bench) flatFolder(ctx context.Context, s *stage) error {
	few := (&made{pages: 50, edits: 20}).in("few")
	nested := &made{pages: min(1_000, b.Pages), edits: 20}
	// Not beside a running wiki, which takes what fast-import is writing for something left over.
	if err := s.server.stop(); err != nil {
		return err
	}
	if err := errors.Join(b.generate(ctx, s, "few", few), b.generate(ctx, s, "nested", nested), b.serve(ctx, s)); err != nil {
		return err
	}
	for _, line := range []struct {
		what, path, reference string
	}{
		{"page in one flat folder", "/bench/" + s.address(s.pages/2), "/few/" + few.address(25)},
		{"list of all pages, flat folder", "/bench/-/pages", "/few/-/pages"},
		{"editor, flat folder", "/bench/-/edit/" + s.address(s.pages/2), "/few/-/edit/" + few.address(25)},
	} {
		one := func(path string) func() (measured, error) {
			return func() (measured, error) {
				return load(ctx, s.server, 1, b.Time, func(_, turn int) (request, bool) { return get(s.server, path), true })
			}
		}
		p, err := inTurns(one(line.path), one(line.reference))
		if err != nil {
			return err
		}
		o, t, ratio := p.by(half)
		b.atMost(s.at(line.what)+", p50", seconds(o), "in a folder of 50: "+seconds(t), ratio, 1.5)
	}
	p, err := inTurns(b.saving(ctx, s, "bench", s.made, 1), b.saving(ctx, s, "nested", nested, 1))
	if err != nil {
		return err
	}
	o, t, ratio := p.by(half)
	b.atMost(s.at("save in one flat folder, p50"), seconds(o), fmt.Sprintf("nested, %s pages: %s", thousands(nested.pages), seconds(t)), ratio, 10)
	return nil
}

// histories asks what happened to a page, and to the wiki. What is left when the way over the wire is taken off is time
// of the server.
func (b *bench) histories(ctx context.Context, s *stage) error {
	page := s.address(7)
	for _, line := range []struct{ what, path string }{
		{"history of a page with some 600 revisions", "/bench/-/history/Home"},
		{"recent changes", "/bench/-/changes"},
		{"a folder with the last changes of its pages", "/bench/" + page[:strings.LastIndexByte(page, '/')+1]},
		{"a page with its last change, as JSON", "/-/api/v1/spaces/bench/pages/" + page},
	} {
		ours, theirs, _, _, err := b.mirror(ctx, s, "gzip", []string{line.path})
		if err != nil {
			return err
		}
		p, err := b.compare(ctx, s, 1, ours, theirs)
		if err != nil {
			return err
		}
		o, t, _ := p.by(half)
		b.within(fmt.Sprintf("%s, %s commits, p50", line.what, thousands(s.commits())), seconds(o-t), "without the way over the wire, "+seconds(t), "1 ms", o-t <= 1e-3)
	}
	return nil
}

// building compares what serve has seen with git reading the same history.
func (b *bench) building(ctx context.Context, s *stage) error {
	read, err := b.git(ctx, "-C", filepath.Join(s.data, "spaces", "bench.git"), "log", "--raw", "-z", "HEAD")
	if err != nil {
		return err
	}
	log, all := s.built["log"], s.built["words"]
	b.atMost(fmt.Sprintf("history and links from nothing, %s commits", thousands(s.commits())), brief(log), "git log --raw: "+seconds(read.took.Seconds()), log.Seconds()/read.took.Seconds(), 2.5)
	b.row(s.at("words from nothing, at the same time"), brief(all), "", "", "", "")
	return nil
}

// starting starts the wiki with indexes that are current.
func (b *bench) starting(ctx context.Context, s *stage) error {
	var took []float64
	for range turns {
		if err := s.server.stop(); err != nil {
			return err
		}
		begun := time.Now()
		var err error
		if s.server, err = start(ctx, b.log, "serve", "--data", s.data, "--listen", "127.0.0.1:0"); err != nil {
			return err
		}
		if _, _, err := once(ctx, s.server, get(s.server, "/bench/"+s.address(s.pages/2))); err != nil {
			return err
		}
		took = append(took, time.Since(begun).Seconds())
	}
	t := median(took)
	b.within(s.at("start until the first page"), seconds(t), "", "1 s", t <= 1)
	return nil
}

// atRest is the memory of a wiki that has just started and has nothing to do.
func (b *bench) atRest(ctx context.Context, s *stage) error {
	if err := b.again(ctx, s); err != nil {
		return err
	}
	if _, _, err := once(ctx, s.server, get(s.server, "/bench/"+s.address(1))); err != nil {
		return err
	}
	all, own := s.settled(ctx, b.Time)
	s.rest = all
	limit := int64(40e6)
	if s.pages > 1000 {
		limit = 300e6
	}
	b.within(s.at("memory at rest"), megabytes(all), "without mapped files: "+megabytes(own), megabytes(limit), all <= limit)
	return nil
}

func (b *bench) afterLoad(ctx context.Context, s *stage) error {
	all, own := s.settled(ctx, 10*b.Time)
	b.atMost(s.at("memory after load"), megabytes(all), "at rest: "+megabytes(s.rest)+"; without mapped files: "+megabytes(own), float64(all)/float64(s.rest), 1.5)
	return nil
}

// settled is the memory of the wiki after some time in which nobody asks.
func (s *stage) settled(ctx context.Context, pause time.Duration) (all, own int64) {
	select {
	case <-ctx.Done():
	case <-time.After(3 * pause):
	}
	return s.server.memory()
}

// weights is what a browser has to fetch before it shows a page.
func (b *bench) weights(ctx context.Context, s *stage) error {
	asset := regexp.MustCompile(`(?:href|src)="(/-/assets/[^"]+\.(?:css|js))"`)
	for _, line := range []struct {
		what, path string
		limit      int
	}{
		{"page weight, packed, with styles and scripts", "/bench/" + s.address(7), 30_000},
		{"editor, the same", "/bench/-/edit/" + s.address(7), 170_000},
	} {
		_, plain, err := once(ctx, s.server, ask(s.server, "GET", line.path, nil, 200, "Accept: text/html"))
		if err != nil {
			return err
		}
		_, packed, err := once(ctx, s.server, get(s.server, line.path))
		if err != nil {
			return err
		}
		sum := len(packed)
		for _, found := range asset.FindAllSubmatch(plain, -1) {
			_, body, err := once(ctx, s.server, get(s.server, string(found[1])))
			if err != nil {
				return err
			}
			sum += len(body)
		}
		b.within(line.what, fmt.Sprintf("%.1f KB", float64(sum)/1e3), fmt.Sprintf("HTML alone: %.1f KB", float64(len(packed))/1e3),
			fmt.Sprintf("%d KB", line.limit/1000), sum <= line.limit)
	}
	return nil
}

// texts merges texts, and weighs the program: what needs no wiki.
func (b *bench) texts(_ context.Context, _ *stage) error {
	for _, line := range []struct {
		what  string
		lines int
		limit time.Duration
	}{
		{"merge of two edits, 5 KB", 100, time.Millisecond},
		{"merge of two edits, 1 MB, every line changed", 20_000, 500 * time.Millisecond},
	} {
		var base, mine, theirs strings.Builder
		for n := range line.lines {
			text := fmt.Sprintf("line %d of some fifty characters, as they come in", n)
			fmt.Fprintln(&base, text)
			if line.lines > 100 || n == 10 {
				text += " mine"
			}
			fmt.Fprintln(&mine, text)
			if text = strings.TrimSuffix(text, " mine"); line.lines > 100 || n == 80 {
				text += " theirs"
			}
			fmt.Fprintln(&theirs, text)
		}
		m, err := repeat(b.Time, func(int) error {
			page.Merge([]byte(base.String()), []byte(mine.String()), []byte(theirs.String())).Marked("mine", "theirs")
			return nil
		})
		if err != nil {
			return err
		}
		b.within(line.what+", p50", seconds(half(m)), "", brief(line.limit), half(m) <= line.limit.Seconds())
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.Stat(self)
	if err != nil {
		return err
	}
	b.within("size of the program", megabytes(program.Size()), "", "60 MB", program.Size() <= 60e6)
	return nil
}
