package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// This file has the lines of bench that are about git and about search.

// git runs git, and tells how long that took. What it prints is lost.
func (b *bench) git(ctx context.Context, args ...string) (measured, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.org", "GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.org")
	var said bytes.Buffer
	cmd.Stderr = &said
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		return measured{}, fmt.Errorf("git %s: %w: %s", args, err, said.Bytes())
	}
	took := time.Since(begun)
	return measured{took: took, each: []time.Duration{took}}, nil
}

// backend is the address at which git's own http-backend serves a repository of the stage.
func (b *bench) backend(s *stage, repository string) string {
	rel, err := filepath.Rel(b.dir, filepath.Join(s.data, repository))
	if err != nil {
		panic(err) // data lies below dir
	}
	return b.reference.url() + "/git/" + rel
}

// clones clones and fetches. The reference serves the very same repository.
func (b *bench) clones(ctx context.Context, s *stage) error {
	ours, theirs := s.server.url()+"/bench.git", b.backend(s, "spaces/bench.git")
	into, old := filepath.Join(s.data, "clone"), filepath.Join(s.data, "old")
	clone := func(from string, args ...string) func() (measured, error) {
		return func() (measured, error) {
			m, err := b.git(ctx, append(append([]string{"clone", "--quiet", "--bare"}, args...), from, into)...)
			return m, errors.Join(err, os.RemoveAll(into))
		}
	}
	fetch := func(from string) func() (measured, error) {
		return func() (measured, error) {
			if _, err := b.git(ctx, "clone", "--quiet", "--bare", old, into); err != nil {
				return measured{}, err
			}
			m, err := b.git(ctx, "-C", into, "fetch", "--quiet", from, "+refs/heads/*:refs/heads/*")
			return m, errors.Join(err, os.RemoveAll(into))
		}
	}
	// Fetched are a hundred saves.
	if _, err := b.git(ctx, "clone", "--quiet", "--bare", ours, old); err != nil {
		return err
	}
	save, err := b.writer(ctx, s, "bench", s.made, 1, 1)
	if err != nil {
		return err
	}
	if _, err := load(ctx, s.server, 1, time.Minute, func(client, turn int) (request, bool) {
		r, _ := save(client, turn)
		return r, turn < 100
	}); err != nil {
		return err
	}
	for _, line := range []struct {
		what         string
		ours, theirs func() (measured, error)
	}{
		{"clone", clone(ours), clone(theirs)},
		{"shallow clone", clone(ours, "--depth=1"), clone(theirs, "--depth=1")},
		{"fetch of a hundred changes", fetch(ours), fetch(theirs)},
	} {
		p, err := inTurns(line.ours, line.theirs)
		if err != nil {
			return err
		}
		o, t, ratio := p.by(half)
		b.atMost(s.at(line.what), seconds(o), "git http-backend: "+seconds(t), ratio, 1.1)
	}
	return nil
}

// pushes pushes a change of one page until the wiki shows it.
func (b *bench) pushes(ctx context.Context, s *stage) error {
	work, twin := filepath.Join(s.data, "work"), filepath.Join(s.data, "twin.git")
	ours, theirs := s.server.url()+"/bench.git", b.backend(s, "twin.git")
	for _, args := range [][]string{
		{"clone", "--quiet", "--bare", filepath.Join(s.data, "spaces", "bench.git"), twin},
		{"-C", twin, "config", "http.receivepack", "true"},
		{"clone", "--quiet", ours, work},
	} {
		if _, err := b.git(ctx, args...); err != nil {
			return err
		}
	}
	n := 0
	mark := func() string { return fmt.Sprintf("pushed %d", n) }
	p, err := inTurns(func() (measured, error) {
		n++
		file := filepath.Join(work, filepath.FromSlash(s.path(5)))
		if err := os.WriteFile(file, []byte(s.text(5, 0)+"\n"+mark()+"\n"), 0o644); err != nil {
			return measured{}, err
		}
		if _, err := b.git(ctx, "-C", work, "commit", "--quiet", "--all", "--message", mark()); err != nil {
			return measured{}, err
		}
		begun := time.Now()
		if _, err := b.git(ctx, "-C", work, "push", "--quiet", ours, "HEAD:main"); err != nil {
			return measured{}, err
		}
		_, body, err := once(ctx, s.server, ask(s.server, "GET", "/bench/"+s.address(5), nil, 200, "Accept: text/html"))
		if err == nil && !bytes.Contains(body, []byte(mark())) {
			err = errors.New("the wiki does not show what was pushed")
		}
		took := time.Since(begun)
		return measured{took: took, each: []time.Duration{took}}, err
	}, func() (measured, error) {
		return b.git(ctx, "-C", work, "push", "--quiet", theirs, "HEAD:main")
	})
	if err != nil {
		return err
	}
	o, t, ratio := p.by(half)
	b.atMost(s.at("push of one page until the wiki shows it"), seconds(o), "push to git http-backend: "+seconds(t), ratio, 1.5)
	return nil
}

// blames asks who wrote each line of a page with many revisions, each time after a save of it: what was asked before is
// kept.
func (b *bench) blames(ctx context.Context, s *stage) error {
	save, err := b.writer(ctx, s, "bench", s.made, 0, 1)
	if err != nil {
		return err
	}
	p, err := inTurns(func() (measured, error) {
		r, _ := save(0, 0) // the home page
		if _, _, err := once(ctx, s.server, r); err != nil {
			return measured{}, err
		}
		return load(ctx, s.server, 1, 0, func(_, turn int) (request, bool) { return get(s.server, "/bench/-/blame/Home"), turn == 0 })
	}, func() (measured, error) {
		return b.git(ctx, "-C", filepath.Join(s.data, "spaces", "bench.git"), "blame", "--porcelain", "HEAD", "--", s.path(0))
	})
	if err != nil {
		return err
	}
	o, t, ratio := p.by(half)
	b.atMost(s.at("who wrote each line"), seconds(o), "git blame: "+seconds(t), ratio, 1.5)
	return nil
}

// queries are one to three words, frequent and rare.
func (s *stage) queries() [][]string {
	all := make([][]string, 200)
	for i := range all {
		all[i] = []string{s.word(i * 37 % 4000)}
		for j := range i % 3 {
			all[i] = append(all[i], s.word((i*101+j*11)%3000))
		}
	}
	return all
}

// searching asks for all of them, one after the other. What the wiki gives up after a second counts as long as that took.
func (b *bench) searching(ctx context.Context, s *stage) func() (measured, error) {
	var asked []request
	for _, words := range s.queries() {
		r := ask(s.server, "GET", "/-/api/v1/search?space=bench&q="+url.QueryEscape(strings.Join(words, " ")), nil, 0)
		asked = append(asked, r)
	}
	return func() (measured, error) {
		return load(ctx, s.server, 1, time.Minute, func(_, turn int) (request, bool) {
			if turn == len(asked) {
				return request{}, false
			}
			return asked[turn], true
		})
	}
}

// searches looks for words.
func (b *bench) searches(ctx context.Context, s *stage) error {
	search := b.searching(ctx, s)
	if _, err := search(); err != nil { // what is read for the first time is not meant
		return err
	}
	m, err := search()
	if err != nil {
		return err
	}
	limit := 10 * time.Millisecond
	if s.pages > 10_000 {
		limit = 40 * time.Millisecond
	}
	p95 := m.percent(95)
	b.within(s.at("search with snippets, p95"), seconds(p95), "p50: "+seconds(half(m)), brief(limit), p95 <= limit.Seconds())
	return nil
}

// fullText compares searches with those of SQLite's full text search for the same words, any of them.
func (b *bench) fullText(ctx context.Context, s *stage) error {
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		b.row(s.at("search with snippets, against SQLite FTS5"), "", "sqlite3 is not installed", "", "≤ 0.5", "")
		return nil
	}
	sqlite := func(script *bytes.Buffer) (measured, error) {
		cmd := exec.CommandContext(ctx, program, "-bail", filepath.Join(s.data, "fts.db"))
		var said bytes.Buffer
		cmd.Stdin, cmd.Stderr = bytes.NewReader(script.Bytes()), &said
		begun := time.Now()
		if err := cmd.Run(); err != nil {
			return measured{}, fmt.Errorf("sqlite3: %w: %s", err, said.Bytes())
		}
		return measured{took: time.Since(begun), each: make([]time.Duration, len(s.queries()))}, nil
	}
	var fill, find bytes.Buffer
	fmt.Fprintln(&fill, "PRAGMA synchronous = off; CREATE VIRTUAL TABLE pages USING fts5(path, text); BEGIN;")
	for i := range s.pages {
		fmt.Fprintf(&fill, "INSERT INTO pages VALUES ('%s', '%s');\n", s.path(i), s.text(i, 0)) // neither has quotes
	}
	fmt.Fprintln(&fill, "COMMIT;")
	for _, words := range s.queries() {
		fmt.Fprintf(&find, "SELECT path, snippet(pages, 1, '<', '>', '…', 30) FROM pages WHERE pages MATCH '%s' ORDER BY rank LIMIT 20;\n", strings.Join(words, " OR "))
	}
	if _, err := sqlite(&fill); err != nil {
		return err
	}
	p, err := inTurns(b.searching(ctx, s), func() (measured, error) { return sqlite(&find) })
	if err != nil {
		return err
	}
	mean := func(m measured) float64 { return 1 / rate(m) }
	o, t, ratio := p.by(mean)
	b.atMost(s.at("search with snippets, mean"), seconds(o), "SQLite FTS5, any word: "+seconds(t), ratio, 0.5)
	return nil
}

// findable looks for what has just been saved until it is found.
func (b *bench) findable(ctx context.Context, s *stage) error {
	var m measured
	for n := range max(10, int(200*min(1, b.Time.Seconds()))) {
		// A word of letters that looks like no other.
		name := fmt.Sprintf("Found %d", n)
		word := s.word(n*67) + s.word(n*31+5) + s.word(n*13+7)
		save := ask(s.server, "PUT", "/bench/found/"+escapePath(name)+".md", []byte("Here is "+word+".\n"), 201, "If-None-Match: *")
		if _, _, err := once(ctx, s.server, save); err != nil {
			return err
		}
		saved := time.Now()
		look := ask(s.server, "GET", "/-/api/v1/search?space=bench&q="+word, nil, 200)
		for there := false; !there; {
			_, body, err := once(ctx, s.server, look)
			if err != nil {
				return err
			}
			if there = bytes.Contains(body, []byte(`"found/`+name+`"`)); !there && time.Since(saved) > time.Minute {
				return fmt.Errorf("%s is not found a minute after it was saved", name)
			}
		}
		m.each = append(m.each, time.Since(saved))
	}
	slices.Sort(m.each)
	p99 := m.percent(99)
	b.within(s.at("from save to findable, p99"), seconds(p99), "p50: "+seconds(half(m)), "50 ms", p99 <= 50e-3)
	return nil
}
