package git

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"path"
	"slices"
	"strconv"
	"strings"
)

// This file finds files that were moved and edited in one commit. A move that was made here says so in the commit's
// message; others are found by what files have in common. git log only tells moves without an edit, which costs
// it nothing; its search for others holds the texts of all files in memory, whatever they are, and one commit of large
// files keeps it busy for minutes. This one is bounded: what is too large or too much stays a removal and an addition.

const (
	maxMoveSize  = 1 << 20  // bytes of a file that is compared: a page is no larger
	maxMoveBytes = 32 << 20 // bytes of all files of a commit that are
	maxMovePairs = 10_000   // beyond, only files with one base name are compared
	maxMoveWork  = 1 << 26  // lines looked at
)

// Move is one file, or all in a folder, that has another name now. The names of folders end in "/".
type Move struct{ From, To string }

const (
	movedKey = "Moved: "
	maxMoved = 8 // of a message
)

// movedTrailer is what stands at the end of a message, a line for each move:
//
//	Moved: "guide/Setup.md" "handbook/Setup.md"
func movedTrailer(moved []Move) string {
	var b strings.Builder
	for i, m := range moved[:min(len(moved), maxMoved)] {
		if i == 0 {
			b.WriteString("\n\n")
		}
		fmt.Fprintf(&b, "%s%q %q\n", movedKey, m.From, m.To)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// cutMoved takes the moves from a message's end. Whoever pushes may write them, too: they count only where the commit
// removes the one file and adds the other.
func cutMoved(message string) (text string, moved []Move) {
	message = strings.TrimRight(message, "\n")
	text = message
	for len(moved) < maxMoved {
		start := strings.LastIndexByte(text, '\n') + 1
		rest, ok := strings.CutPrefix(text[start:], movedKey)
		from, err := strconv.QuotedPrefix(rest)
		if !ok || err != nil || start == 0 {
			break
		}
		to, ok := strings.CutPrefix(rest[len(from):], " ")
		var m Move
		m.From, err = strconv.Unquote(from)
		if err == nil {
			m.To, err = strconv.Unquote(to)
		}
		if !ok || err != nil || m.From == "" || m.To == "" {
			break
		}
		moved, text = append(moved, m), text[:start-1]
	}
	if !strings.HasSuffix(text, "\n") { // no paragraph of its own
		return message, nil
	}
	slices.Reverse(moved)
	return strings.TrimRight(text, "\n"), moved
}

// newPath is where a file lies after the moves, or "" if none is about it.
func newPath(moved []Move, path string) string {
	for _, m := range moved {
		if rest, ok := strings.CutPrefix(path, m.From); ok && (rest == "" || strings.HasSuffix(m.From, "/") && strings.HasSuffix(m.To, "/")) {
			return m.To + rest
		}
	}
	return ""
}

// findMoves makes one 'R' of a 'D' and an 'A' whose files have at least half of their text in common. The order stays
// git's.
func findMoves(ctx context.Context, o *objects, c *Commit) {
	if len(c.Parents) > 1 {
		return
	}
	var gone, come []int
	for i, f := range c.Files {
		switch f.Kind {
		case 'D':
			gone = append(gone, i)
		case 'A':
			come = append(come, i)
		}
	}
	if len(gone) == 0 || len(come) == 0 {
		return
	}
	used := map[int]bool{}
	rename := func(from, to *FileChange) {
		to.Kind, to.From, to.Old = 'R', from.Path, from.Old
		from.Kind = 0
	}
	if len(c.Moved) > 0 {
		at := map[string]int{}
		for _, i := range come {
			at[c.Files[i].Path] = i
		}
		for _, i := range gone {
			if to, ok := at[newPath(c.Moved, c.Files[i].Path)]; ok && !used[to] {
				rename(&c.Files[i], &c.Files[to])
				used[i], used[to] = true, true
			}
		}
		isUsed := func(i int) bool { return used[i] }
		gone, come = slices.DeleteFunc(gone, isUsed), slices.DeleteFunc(come, isUsed)
	}
	bases := map[string][]int{}
	if len(gone)*len(come) > maxMovePairs {
		for _, i := range gone {
			base := path.Base(c.Files[i].Path)
			bases[base] = append(bases[base], i)
		}
	}
	type match struct{ from, to, score int }
	var found []match
	m := mover{ctx: ctx, objects: o, texts: map[Hash]*spans{}, left: maxMoveBytes, work: maxMoveWork}
	for _, to := range come {
		from := gone
		if len(bases) > 0 {
			from = bases[path.Base(c.Files[to].Path)]
		}
		for _, from := range from {
			if score := m.compare(c.Files[from].Old, c.Files[to].New); score >= 50 {
				if path.Base(c.Files[from].Path) == path.Base(c.Files[to].Path) {
					score++
				}
				found = append(found, match{from, to, score})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return cmp.Compare(b.score, a.score) })
	for _, m := range found {
		if !used[m.from] && !used[m.to] {
			rename(&c.Files[m.from], &c.Files[m.to])
			used[m.from], used[m.to] = true, true
		}
	}
	c.Files = slices.DeleteFunc(c.Files, func(f FileChange) bool { return f.Kind == 0 })
}

// Moves tells which of the files that a change brought were there before under another name, as Log does for the change
// of a commit: new path to old path. What said tells comes first.
func (r *Repo) Moves(ctx context.Context, changes []TreeChange, said []Move) map[string]string {
	moved, from := map[string]string{}, map[string]bool{}
	if len(said) > 0 {
		come := map[string]bool{}
		for _, f := range changes {
			come[f.Path] = f.Old == Entry{}
		}
		for _, f := range changes {
			if to := newPath(said, f.Path); f.New == (Entry{}) && come[to] && moved[to] == "" {
				moved[to], from[f.Path] = f.Path, true
			}
		}
	}
	gone := map[Hash][]string{}
	for _, f := range changes {
		if f.New == (Entry{}) && !from[f.Path] {
			gone[f.Old.Hash] = append(gone[f.Old.Hash], f.Path)
		}
	}
	for _, f := range changes {
		if same := gone[f.New.Hash]; f.Old == (Entry{}) && moved[f.Path] == "" && len(same) > 0 {
			// Of several with the same bytes, the one that keeps its name.
			i := max(0, slices.IndexFunc(same, func(p string) bool { return path.Base(p) == path.Base(f.Path) }))
			moved[f.Path], from[same[i]] = same[i], true
			gone[f.New.Hash] = slices.Delete(same, i, i+1)
		}
	}
	var c Commit
	for _, f := range changes {
		switch none := (Entry{}); {
		case f.New == none && !from[f.Path]:
			c.Files = append(c.Files, FileChange{Kind: 'D', Path: f.Path, Old: f.Old.Hash})
		case f.Old == none && moved[f.Path] == "":
			c.Files = append(c.Files, FileChange{Kind: 'A', Path: f.Path, New: f.New.Hash})
		}
	}
	findMoves(ctx, r.objects, &c)
	for _, f := range c.Files {
		if f.Kind == 'R' {
			moved[f.Path] = f.From
		}
	}
	return moved
}

// mover compares the files of one commit.
type mover struct {
	ctx     context.Context
	objects *objects
	texts   map[Hash]*spans
	left    int // bytes that may still be read
	work    int // lines that may still be compared
}

// spans is what a text consists of. Of a file that is not compared there is only the size, or not even that.
type spans struct {
	size  int64
	read  bool
	lines []span // by hash
}

// span is a line, or 64 bytes of one, and how many bytes of it the text has.
type span struct {
	hash  uint64
	bytes int
}

// compare returns how much two files have in common, in hundredths of the larger.
func (m *mover) compare(from, to Hash) int {
	a, b := m.text(from), m.text(to)
	small, large := min(a.size, b.size), max(a.size, b.size)
	if small == 0 || large > maxMoveSize || 2*small < large || m.work <= 0 || !m.read(from, a) || !m.read(to, b) {
		return 0
	}
	m.work -= len(a.lines) + len(b.lines)
	common := 0
	for x, y := a.lines, b.lines; len(x) > 0 && len(y) > 0; {
		switch c := cmp.Compare(x[0].hash, y[0].hash); {
		case c < 0:
			x = x[1:]
		case c > 0:
			y = y[1:]
		default:
			common += min(x[0].bytes, y[0].bytes)
			x, y = x[1:], y[1:]
		}
	}
	return int(100 * int64(common) / large)
}

func (m *mover) text(h Hash) *spans {
	s := m.texts[h]
	if s == nil {
		s = new(spans)
		s.size, _ = m.objects.size(m.ctx, h) // of what cannot be read: zero
		m.texts[h] = s
	}
	return s
}

// read splits a file into its lines, if there is room for them.
func (m *mover) read(h Hash, s *spans) bool {
	if s.read {
		return true
	}
	if m.left -= int(s.size); m.left < 0 {
		return false
	}
	data, err := m.objects.readAs(m.ctx, kindBlob, h)
	if err != nil {
		s.size = 0
		return false
	}
	s.read = true
	for len(data) > 0 {
		n := bytes.IndexByte(data[:min(64, len(data))], '\n') + 1
		if n == 0 {
			n = min(64, len(data))
		}
		s.lines = append(s.lines, span{maphash.Bytes(seed, data[:n]), n})
		data = data[n:]
	}
	slices.SortFunc(s.lines, func(a, b span) int { return cmp.Compare(a.hash, b.hash) })
	kept := s.lines[:1]
	for _, l := range s.lines[1:] {
		if last := &kept[len(kept)-1]; last.hash == l.hash {
			last.bytes += l.bytes
		} else {
			kept = append(kept, l)
		}
	}
	s.lines = slices.Clip(slices.Clone(kept))
	return true
}

var seed = maphash.MakeSeed()
