package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"cairn/storage/wiki"
)

// This file writes the wikis that bench measures: always the same pages for the same size, so that two runs can be
// compared. Pages are Markdown of 4 to 5 KB as people write it, in words that are as unevenly frequent as those of a
// language, with links to each other; their history is told to git fast-import.

// made is a wiki to measure.
type made struct {
	pages int
	edits int    // commits after those that write the pages
	flat  string // all pages in this one folder, written by one commit; "" nests them, some forty a folder, a commit each
	words []string
}

// in puts all pages into one folder.
func (m *made) in(folder string) *made {
	m.flat = folder
	return m
}

func (m *made) commits() int {
	if m.flat != "" {
		return 1 + m.edits
	}
	return m.pages + m.edits
}

// generate makes the space name in the data folder dir.
func (m *made) generate(ctx context.Context, dir, name string, log io.Writer) error {
	if err := os.MkdirAll(filepath.Join(dir, "spaces"), 0o755); err != nil {
		return err
	}
	if err := wiki.Create(ctx, dir, name, quiet(&env{stderr: log})); err != nil {
		return err
	}
	// What unpacks small imports into thousands of files is switched off; packing hard takes time and measures nothing.
	cmd := exec.CommandContext(ctx, "git", "-c", "fastimport.unpackLimit=1", "-c", "core.compression=1", "-C", filepath.Join(dir, "spaces", name+".git"),
		"fast-import", "--quiet", "--done", "--date-format=raw")
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(in, 1<<20)
	m.tell(w)
	fmt.Fprintln(w, "done")
	// A git that has ended says why by its exit.
	w.Flush()
	in.Close()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("git fast-import: %w", err)
	}
	return nil
}

// tell writes the history: first every page, by a commit each (all by one in a flat folder), then edits. Home is edited
// 600 times, if there are so many edits.
func (m *made) tell(w io.Writer) {
	const begin = 1577836800 // 2020
	r := rand.New(rand.NewPCG(1, uint64(m.pages)))
	revision := map[int]int{}
	for c := range m.pages + m.edits {
		i, note := c, "Write "+m.title(c)
		if c >= m.pages {
			if i = 1 + r.IntN(m.pages-1); c%max(1, m.edits/600) == 0 {
				i = 0
			}
			revision[i]++
			note = "Bring " + m.title(i) + " up to date"
		}
		if m.flat == "" || c == 0 || c >= m.pages {
			who := r.IntN(40)
			fmt.Fprintf(w, "commit refs/heads/main\ncommitter %s %s <%d@example.org> %d +0000\ndata %d\n%s\n",
				title(m.word(who)), title(m.word(who+100)), who, begin+c*600, len(note), note)
		}
		text := m.text(i, revision[i])
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", m.path(i), len(text), text)
	}
}

// path is the file of page i. Page 0 is the home page.
func (m *made) path(i int) string {
	switch {
	case i == 0 && m.flat == "":
		return "Home.md"
	case m.flat != "":
		return m.flat + "/" + m.title(i) + ".md"
	}
	folder := i / 40
	return fmt.Sprintf("%s %d/%s %d/%s.md", title(m.word(folder/40+300)), folder/40, title(m.word(folder+200)), folder, m.title(i))
}

func (m *made) title(i int) string {
	return fmt.Sprintf("%s %s %d", title(m.word(i*7+50)), m.word(i*13+90), i)
}

// address is where page i is shown, below its space.
func (m *made) address(i int) string { return escapePath(strings.TrimSuffix(m.path(i), ".md")) }

// text is page i at one of its revisions.
func (m *made) text(i, revision int) string {
	r := rand.New(rand.NewPCG(uint64(i), 2))
	zipf := rand.NewZipf(r, 1.1, 8, uint64(vocabulary-1))
	var b strings.Builder
	sentence := func() {
		for n := range 6 + r.IntN(14) {
			word := m.word(int(zipf.Uint64()))
			switch {
			case n == 0:
				word = title(word)
			case r.IntN(40) == 0:
				word = "**" + word + "**"
			case r.IntN(50) == 0:
				word = "`" + word + "`"
			}
			if n > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(word)
		}
		b.WriteString(". ")
	}
	link := func() {
		to := r.IntN(m.pages)
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "See [[%s]]. ", strings.TrimSuffix(m.path(to), ".md"))
		} else {
			fmt.Fprintf(&b, "See [%s](/%s.md). ", m.title(to), escapePath(strings.TrimSuffix(m.path(to), ".md")))
		}
	}
	fmt.Fprintf(&b, "# %s\n\n", m.title(i))
	for want := 4000 + r.IntN(900); b.Len() < want; {
		switch r.IntN(9) {
		case 0:
			fmt.Fprintf(&b, "## %s %s\n\n", title(m.word(int(zipf.Uint64()))), m.word(int(zipf.Uint64())))
		case 1, 2:
			for range 3 + r.IntN(4) {
				b.WriteString("- ")
				sentence()
				b.WriteByte('\n')
			}
		case 3:
			b.WriteString("| name | value |\n| --- | --- |\n")
			for range 3 {
				fmt.Fprintf(&b, "| %s | %d |\n", m.word(int(zipf.Uint64())), r.IntN(1000))
			}
		case 4:
			fmt.Fprintf(&b, "```sh\n%s --%s=%d\n```\n", m.word(int(zipf.Uint64())), m.word(int(zipf.Uint64())), r.IntN(100))
		default:
			for range 3 + r.IntN(4) {
				sentence()
			}
			link()
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
	}
	if revision > 0 {
		fmt.Fprintf(&b, "Looked after for the %dth time: %s.\n", revision, m.word(i+revision))
	}
	return b.String()
}

// vocabulary is how many words there are.
const vocabulary = 20_000

// word is the nth most frequent word.
func (m *made) word(n int) string {
	if m.words == nil {
		const onsets, vowels, codas = "bdfghjklmnprstvwz", "aeiou", "nrslt"
		r := rand.New(rand.NewPCG(3, 4))
		seen := map[string]bool{}
		for len(m.words) < vocabulary {
			var b strings.Builder
			for range 1 + r.IntN(2) + len(m.words)/4000 {
				b.WriteByte(onsets[r.IntN(len(onsets))])
				b.WriteByte(vowels[r.IntN(len(vowels))])
				if r.IntN(3) == 0 {
					b.WriteByte(codas[r.IntN(len(codas))])
				}
			}
			if !seen[b.String()] {
				seen[b.String()] = true
				m.words = append(m.words, b.String())
			}
		}
	}
	return m.words[n%vocabulary]
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func escapePath(p string) string { return (&url.URL{Path: path.Clean(p)}).EscapedPath() }
