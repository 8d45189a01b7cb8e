package web

import (
	"context"
	"strconv"
)

// Edit is the editor as a plain form. It posts text, base, note, name and
// action, which is "save" or "preview".
//
// Browsers send line ends as CRLF.
type Edit struct {
	Frame
	Form    Form
	New     bool   // the page is not there yet
	Path    string // where the page lives
	Text    string
	Preview HTML   // what a save would show
	Shown   bool   // a preview was asked for
	Upload  string // URL of the form for files; may be empty
	Limit   string // how long a page may be, in words; may be empty
	Names   string // URL where the script asks for names to link to; may be empty
}

// NewPage asks for the name of a new page and leads to the editor. It sends path,
// in (its folder) and sure by GET.
type NewPage struct {
	Frame
	URL     string
	Path    string
	Where   string   // the folder it will live in; empty for none
	Folders []string // to choose from
	At      string   // where it will live, in words; may be empty
	Address string   // its URL then
	Error   string   // why that name cannot be had, or needs thought, as a sentence
	Offer   string   // a name that can, with its folder; may be empty
	There   *Link    // the page that has the name already, or one like it; may be nil
	Sure    bool     // the name can be had all the same
	Cancel  string
}

// Conflict is shown when somebody saved the same lines meanwhile. It posts what
// [Edit] does, text being Mine, and theirs, places, rest, whole and a field for
// each place: "mine", "theirs", "both" or "joined". Its action is "save",
// "preview" or, for the text that was edited by hand, "whole".
type Conflict struct {
	Frame
	Form   Form // Base is what Mine began from
	Path   string
	Mine   string
	Theirs string // revision of the other text
	Whole  string // both, with marks around what must be decided

	Their Stamp  // who saved meanwhile, when and why
	Self  bool   // it was done under the writer's own name
	Diff  string // URL of what that changed; may be empty
	Gone  bool   // the page was deleted meanwhile
	New   bool   // the page was not there when the writer began

	Total  int     // places to choose in
	Places []Place // those that are shown one by one
	Tail   int     // lines after the last place that are not shown
}

// Place is where two texts collide.
type Place struct {
	Name    string // of the field
	Skipped int    // lines since the place before that are not shown
	Before  []string
	After   []string
	Was     Version // empty if nothing was there
	Mine    Version // empty if it was taken away
	Theirs  Version
	Joined  Version // the changed words of both; empty if they do not fit
	Chosen  string
}

// Version is one text of a place, changes marked.
type Version struct {
	Lines [][]Piece
	More  int // lines that are not shown
}

func (v Version) empty() bool { return len(v.Lines) == 0 }

// placeID begins the ids of what belongs to a place.
func placeID(i int) string { return "cairn-place-" + strconv.Itoa(i+1) }

// rest is how many places are not shown one by one.
func (c Conflict) rest() int { return max(0, c.Total-len(c.Places)) }

// who is the other writer in the middle of a sentence.
func (c Conflict) who(ctx context.Context) string {
	if c.Self || c.Their.Who == "" {
		return say(ctx, "somebody")
	}
	return c.Their.Who
}

// tookAway says that the other writer left nothing of a place.
func (c Conflict) tookAway(ctx context.Context) string {
	if c.Self || c.Their.Who == "" {
		return say(ctx, "Somebody took this away.")
	}
	return say(ctx, "%s took this away.", c.Their.Who)
}

// theirs says whose version the other one is.
func (c Conflict) theirs(ctx context.Context) string {
	if c.Self || c.Their.Who == "" {
		return say(ctx, "The other version")
	}
	return say(ctx, "%s’s version", c.Their.Who)
}
