package web

// History is the list of revisions of a page. Its form sends from and to to
// Compare by GET.
type History struct {
	Frame
	Path    string
	Compare string
	Blame   string // URL of who wrote each line; empty hides it
	Entries []Revision
	Paging  Paging // Previous is newer
	Feed    string
}

// Revision is one entry of a history.
type Revision struct {
	Stamp
	Rev     string // whole, sent by the form
	URL     string // the page as it was
	Diff    string // what this revision changed; empty for the first
	Undo    string // URL of the form that takes this revision back; may be empty
	Kind    string // in words, such as 'changed', 'created', 'moved', 'deleted', 'restored'
	From    string // the path it was moved from
	Current bool
	Gone    bool // the page is not there in this revision: nothing to compare
}

// Diff shows what changed between two revisions of a page.
type Diff struct {
	Frame
	Path     string
	From, To Side
	Hunks    []Hunk
	Added    int // lines
	Removed  int
	TooLong  bool // the rest is left out
	Restore  *Button
	Undo     *Button // of what To changed, when that is what is compared
	Whole    string  // URL of all that To changed; may be empty
}

// Side is one end of a comparison.
type Side struct {
	Stamp
	URL string // the page then; empty if it was not there yet
}

// Hunk is a run of lines around a change.
type Hunk struct {
	Heading string // the heading of the page above the lines; may be empty
	Lines   []Line
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
	Spans    []Piece // what changed inside of the line is marked
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

// number writes a line number; 0 is none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return count(n)
}
