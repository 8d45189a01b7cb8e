package web

import (
	"context"
	"strconv"
	"time"
)

// History is the list of revisions of a page. Its form sends from and to to
// Compare by GET; other parts of the list get them as well, with before, so
// that any two can be chosen.
type History struct {
	Frame
	Path      string
	URL       string // of this list
	Compare   string
	Blame     string     // URL of who wrote each line; empty hides it
	Elsewhere []Revision // chosen on other parts of the list
	Entries   []Revision
	Before    string // where the next part begins; empty at the end
	Paging    Paging // Previous is newer
	Feed      string
}

// Revision is one entry of a history.
type Revision struct {
	Stamp
	Rev            string // whole, sent by the form
	URL            string // the page as it was
	Diff           string // what this revision changed; empty for the first
	Restore        string // URL of the form that brings it back; may be empty
	Undo           string // URL of the form that takes what it changed back; may be empty
	Kind           Text   // in words, such as 'changed', 'created', 'moved', 'deleted', 'restored'
	From           string // the path it was moved from
	Added, Removed int    // lines
	Current        bool
	Gone           bool // the page is not there in this revision: nothing to compare
	IsFrom, IsTo   bool // it is chosen
}

// revisionDay is the revisions of one day.
type revisionDay struct {
	date    time.Time
	entries []Revision
}

// days groups the revisions, which are sorted by time or nearly so.
func (h History) days() []revisionDay {
	var all []revisionDay
	for _, r := range h.Entries {
		date := r.When.UTC().Truncate(24 * time.Hour)
		if len(all) == 0 || !all[len(all)-1].date.Equal(date) {
			all = append(all, revisionDay{date: date})
		}
		last := &all[len(all)-1]
		last.entries = append(last.entries, r)
	}
	return all
}

// choice reports whether two revisions can be compared.
func (h History) choice() bool { return h.Compare != "" && len(h.Elsewhere)+len(h.Entries) > 1 }

// DiffView is a way to look at what has changed.
type DiffView string

// The ways: lines side by side, lines one below the other, the page as it looks.
const (
	Columns   DiffView = "columns"
	OneColumn DiffView = "one"
	AsPage    DiffView = "page"
)

// DiffViews are all ways, in the order in which they are offered.
var DiffViews = []DiffView{Columns, OneColumn, AsPage}

func (v DiffView) label() Text {
	switch v {
	case Columns:
		return "Side by side"
	case OneColumn:
		return "In one column"
	}
	return "As a page"
}

// Diff shows what changed between two revisions of a page.
type Diff struct {
	Frame
	Path     string
	From, To Side
	View     DiffView
	Ways     []Way
	Older    string // URL of the change of the page before; may be empty
	Newer    string // and after
	Added    int    // lines
	Removed  int
	TooLong  bool // the rest is left out
	TooMuch  bool // the page was asked for as it looks, and is too large for that
	Restore  *Button
	Undo     *Button // of what To changed, when that is what is compared
	Whole    string  // URL of all that To changed; may be empty

	Hunks []Hunk // of the views that show lines
	Tail  Gap    // after the last of them

	Parts   int          // that have changed, of the view as a page
	Redline []RedPart    // the page as it looks
	Meta    []MetaChange // what has changed in its front matter
}

// RedPart is some blocks of a page as it looks, with what has changed; Same is
// how many of them there are when none has, and they need not be seen.
type RedPart struct {
	HTML HTML
	Same int
}

// Way leads to the same comparison in another view.
type Way struct {
	View DiffView
	URL  string
}

// MetaChange is an entry of the front matter that has changed; a text is empty where it is not there.
type MetaChange struct{ Name, Old, Now string }

// Side is one end of a comparison: who changed the page last, and the page as it was then.
type Side struct {
	Stamp
	There   bool // the page was there
	Current bool // it is the page of today
	URL     string
}

// Hunk is a run of lines around a change.
type Hunk struct {
	Heading string // the heading of the page above the lines; may be empty
	Meta    bool   // they are front matter
	Gap     Gap    // before it
	Lines   []Line
	PutBack string // URL of the form that puts the older lines back; may be empty
}

// Gap is lines that are the same on both sides. Where they are too many they are only counted.
type Gap struct {
	Count int
	Lines []Line
}

// Op says what became of a line.
type Op string

// The ops.
const (
	Same    Op = "same"
	Added   Op = "added"
	Removed Op = "removed"
)

// Line is one line of a comparison, without its line end.
type Line struct {
	Op       Op
	Old, New int     // line numbers; 0 where there is none
	With     int     // number of the line on the other side that took its place; 0 for none
	Spans    []Piece // what changed inside of the line is marked
}

// word is the word that stands for the op.
func (o Op) word() Text {
	switch o {
	case Added:
		return "added"
	case Removed:
		return "removed"
	}
	return ""
}

// sign is the mark that stands for the op.
func (o Op) sign() string {
	switch o {
	case Added:
		return "+"
	case Removed:
		return "−"
	}
	return ""
}

// row is a line of the older text beside one of the newer; nil where there is none.
type row struct{ old, now *Line }

// rows puts lines beside those that took their place.
func rows(lines []Line) []row {
	var all []row
	var olds, nows []*Line
	flush := func() {
		for len(olds) > 0 || len(nows) > 0 {
			switch {
			case len(nows) == 0 || len(olds) > 0 && olds[0].With == 0 && nows[0].With != 0:
				all, olds = append(all, row{olds[0], nil}), olds[1:]
			case len(olds) == 0 || nows[0].With != olds[0].Old && nows[0].With == 0 && olds[0].With != 0:
				all, nows = append(all, row{nil, nows[0]}), nows[1:]
			default: // a pair, or two that stand alone
				all, olds, nows = append(all, row{olds[0], nows[0]}), olds[1:], nows[1:]
			}
		}
	}
	for i := range lines {
		switch l := &lines[i]; l.Op {
		case Removed:
			olds = append(olds, l)
		case Added:
			nows = append(nows, l)
		default:
			flush()
			all = append(all, row{l, l})
		}
	}
	flush()
	return all
}

// PartID is the id of a part of a comparison, the first one being 1.
func PartID(n int) string { return "cairn-part-" + strconv.Itoa(n) }

// number writes a line number; 0 is none.
func number(ctx context.Context, n int) string {
	if n == 0 {
		return ""
	}
	return count(ctx, n)
}
