package web

import (
	"context"
	"strconv"
	"strings"
)

// Between is a whole change on all pages that it touched: one save, or all that
// a push brought.
type Between struct {
	Frame
	Last      Stamp // who made the last change
	Short     string
	Hints     []string // what it did that may not have been meant, as sentences
	Brought   *Stamp   // who sent it by git; nil when it came in another way
	Steps     []Step   // the changes that make it up, the last one first; none when it is a single one
	MoreSteps int      // that are not named
	Endless   bool     // there are more than were counted
	Before    string   // URL of the space as it was before; may be empty
	Then      string   // and as it was after
	Undo      *Button

	Noun                             string // 'page', or 'file' when some are no pages
	Changed, Written, Moved, Deleted int
	Files                            []Differs
	View                             DiffView // of lines
	Ways                             []Way
	More                             int // that are not named
}

// maxOpen is how many pages of a change are unfolded.
const maxOpen = 10

// fileID is the id of a page of a change.
func fileID(i int) string { return "cairn-file-" + strconv.Itoa(i+1) }

// Step is one of several changes.
type Step struct {
	Stamp
	Short, URL string
}

// Differs is one page of a change, with its lines.
type Differs struct {
	Name, URL      string // URL is empty for what is not there now
	Kind           string // in words, such as 'changed'
	From           string // the name that it had before
	Hunks          []Hunk
	Added, Removed int    // lines
	Left           Text   // what is not shown of it and why, as a sentence
	Diff           string // URL of the comparison of this page alone; empty for a file
}

// sum says how many pages were changed, and how.
func (b Between) sum(ctx context.Context) string {
	var all []string
	add := func(n int, ofFile, ofPage string) {
		if n == 0 {
			return
		}
		if b.Noun == "file" {
			all = append(all, ofFile)
		} else {
			all = append(all, ofPage)
		}
	}
	add(b.Changed, sayN(ctx, b.Changed, "%d file changed", "%d files changed"), sayN(ctx, b.Changed, "%d page changed", "%d pages changed"))
	add(b.Written, sayN(ctx, b.Written, "%d file written", "%d files written"), sayN(ctx, b.Written, "%d page written", "%d pages written"))
	add(b.Moved, sayN(ctx, b.Moved, "%d file moved", "%d files moved"), sayN(ctx, b.Moved, "%d page moved", "%d pages moved"))
	add(b.Deleted, sayN(ctx, b.Deleted, "%d file deleted", "%d files deleted"), sayN(ctx, b.Deleted, "%d page deleted", "%d pages deleted"))
	if len(all) == 0 {
		return say(ctx, "Nothing that is shown has changed.")
	}
	return strings.Join(all, ", ") + "."
}
