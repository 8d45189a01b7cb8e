package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file asks git about the past: which commit wrote each line of a file, and which one was the last at some time.

// Written is a run of lines that one commit wrote.
type Written struct {
	By    Hash
	Lines int
}

// Bounds of Blame. Its processes have slots of their own, so that nobody who asks for long histories can keep the wiki
// from its work.
const (
	maxBlamed      = 1 << 20
	maxBlameTime   = 10 * time.Second
	maxBlameMemory = 1 << 30
)

var blaming = newSlots(max(2, runtime.NumCPU()), 0)

// Blame tells which commit last wrote each line of a file as it is at a commit, in the order of the file; a line ends
// behind "\n" and where the file does. It follows a file that was moved. The error wraps fs.ErrNotExist when there is no
// such file, ErrTooLarge when it has more than 1 MiB, and context.DeadlineExceeded when it took more than ten seconds,
// waiting for others included.
func (r *Repo) Blame(ctx context.Context, commit Hash, path string) ([]Written, error) {
	tree, err := r.Tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	e, err := tree.Lookup(ctx, path)
	if err == nil && e.Mode != File && e.Mode != Exec {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("blame %q: %w", path, err)
	}
	size, err := r.objects.size(ctx, e.Hash)
	if err == nil && size > maxBlamed {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("blame %q: %w", path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, maxBlameTime)
	defer cancel()
	var out blameParser
	// Told run by run instead of line by line, without texts. git blame does not know --end-of-options: the revision is
	// 40 digits, and what stands behind "--" is a path, letter by letter.
	c := command{dir: r.dir, slots: blaming, memory: maxBlameMemory, stdout: &out, config: []string{"blame.ignoreRevsFile="},
		args: []string{"blame", "--incremental", "--root", "--no-progress", "--no-textconv", commit.String(), "--", path}}
	if err := c.run(ctx); err != nil {
		return nil, fmt.Errorf("blame %q: %w", path, err)
	}
	return out.written()
}

// blameParser reads what git blame --incremental writes: for each run of lines its commit and place, then what git knows
// of them, of which "filename" is the last and the only part that is always there.
type blameParser struct {
	line []byte // the beginning of the line that is being read
	in   bool   // inside of a run, behind its first line
	runs []blameRun
}

type blameRun struct {
	by           Hash
	first, lines int
}

// maxBlameLine is as much of a line as is kept: those that matter are shorter, but for a path.
const maxBlameLine = 200

func (p *blameParser) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte("\n"))
		p.line = append(p.line, part[:min(len(part), maxBlameLine-len(p.line))]...)
		if ended {
			if err := p.next(string(p.line)); err != nil {
				return 0, err
			}
			p.line = p.line[:0]
		}
		b = rest
	}
	return n, nil
}

func (p *blameParser) next(line string) error {
	if p.in {
		p.in = !strings.HasPrefix(line, "filename ")
		return nil
	}
	var r blameRun
	f := strings.Split(line, " ") // the commit, the first line in it, the first line here, how many
	if len(f) != 4 {
		return fmt.Errorf("git blame: line %q", line)
	}
	var err [3]error
	r.by, err[0] = ParseHash(f[0])
	r.first, err[1] = strconv.Atoi(f[2])
	r.lines, err[2] = strconv.Atoi(f[3])
	if e := cmp.Or(err[:]...); e != nil {
		return fmt.Errorf("git blame: line %q: %w", line, e)
	}
	p.runs, p.in = append(p.runs, r), true
	return nil
}

// written are the runs in the order of the file, neighbours of one commit joined.
func (p *blameParser) written() ([]Written, error) {
	if p.in || len(p.line) > 0 {
		return nil, fmt.Errorf("git blame: %w", io.ErrUnexpectedEOF)
	}
	slices.SortFunc(p.runs, func(a, b blameRun) int { return cmp.Compare(a.first, b.first) })
	var all []Written
	next := 1
	for _, r := range p.runs {
		if r.first != next || r.lines <= 0 {
			return nil, errors.New("git blame: its runs do not make a file")
		}
		next += r.lines
		if last := len(all) - 1; last >= 0 && all[last].By == r.by {
			all[last].Lines += r.lines
			continue
		}
		all = append(all, Written{By: r.by, Lines: r.lines})
	}
	return all, nil
}

// maxAsOfTime bounds the search for a commit by time.
const maxAsOfTime = 10 * time.Second

// AsOf is the last commit at or before a time, by the committers' clocks, on the way of first parents down from tip. The
// error wraps fs.ErrNotExist when all are later.
func (r *Repo) AsOf(ctx context.Context, tip Hash, when time.Time) (Hash, error) {
	none := fmt.Errorf("a commit as of %s: %w", when.UTC().Format(time.RFC3339), fs.ErrNotExist)
	if tip.IsZero() || when.Unix() < 0 {
		return Hash{}, none
	}
	ctx, cancel := context.WithTimeout(ctx, maxAsOfTime)
	defer cancel()
	c := command{dir: r.dir, args: []string{"rev-list", "-1", "--first-parent", fmt.Sprintf("--before=@%d +0000", when.Unix()),
		"--end-of-options", tip.String(), "--"}}
	out, err := c.output(ctx)
	if err != nil {
		return Hash{}, err
	}
	line := strings.TrimSpace(string(out))
	if line == "" {
		return Hash{}, none
	}
	return ParseHash(line)
}
