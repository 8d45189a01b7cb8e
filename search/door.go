package search

import (
	"time"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// This file holds the nouns of the door: what is asked and what is answered. The verbs are methods of Index.

// Query is what somebody asks for. Text is words as typed: it is never read as a query language, but "two words" in
// quotes must both be there and -word must not. The other fields narrow the answer and may stand alone.
type Query struct {
	Text   string    // at most MaxText bytes and MaxTerms words count, the rest is left out
	Space  string    // only this space; "" is all that were passed to Find
	Tag    string    // only pages with this tag
	By     string    // only pages that this author has changed
	Since  time.Time // only pages changed at or after
	Limit  int       // hits wanted, 1 to MaxLimit; 0 is 20
	Offset int       // hits to skip; Offset+Limit is at most MaxDepth
}

// Bounds of a Query; what goes beyond is cut off, not refused.
const (
	MaxText  = 256
	MaxTerms = 20
	MaxLimit = 100
	MaxDepth = 1000
)

// Result is what Find found, best first.
type Result struct {
	Total  uint64 // all pages that match, not only the hits listed
	Took   time.Duration
	Hits   []Hit
	Behind bool // the words had not reached the snapshots in time: newer saves may be missing
}

// Hit is one page found.
type Hit struct {
	Space   string
	Path    page.Path
	Title   string
	Snippet []Piece
	Score   float64
	When    time.Time // of the last change; zero when not known yet
	By      string    // its author
}

// Piece is a run of plain text, never HTML; Mark says that it is what was looked for.
type Piece struct {
	Text string
	Mark bool
}

// Change is what one commit did to one page.
type Change struct {
	Rev   wiki.Rev
	Kind  byte // 'A', 'M', 'D', or 'R': moved From to Path
	Path  page.Path
	From  page.Path // 'R' only
	Blob  string    // "" for 'D'
	By    string
	Email string
	When  time.Time // UTC
	Note  string    // the whole message
}

// History is the changes of a page, newest first.
type History struct {
	Changes []Change
	Next    string // where the next part begins; "" at the end
	Behind  bool   // the log had not reached the snapshot in time
}

// Recent is the commits of a space, newest first.
type Recent struct {
	Commits []Commit
	Next    string // where the next part begins; "" at the end
	Behind  bool   // the log had not reached the snapshot in time
}

// Commit is a commit as Recent lists it. Files holds at most MaxFiles of its changes, More counts the others.
type Commit struct {
	wiki.Commit
	More int
}

// MaxFiles is how many files of one commit Recent lists.
const MaxFiles = 500

// Removal is how a page went away.
type Removal struct {
	Change          // the commit that removed it
	Before wiki.Rev // the last revision that changed the page: it has the text to offer again
	Text   string   // the blob of that text
}

// Tag is a tag with the number of pages that carry it.
type Tag struct {
	Name  string // as most pages write it
	Pages int
}

// Status is how far one store has followed one space.
type Status struct {
	Space  string
	Store  string   // "words" or "log"
	Rev    wiki.Rev // reached
	Seq    uint64   // reached, 0 when nothing has been reached since the start
	Head   uint64   // the Seq of the space's head
	Behind uint64   // heads still to go; at least 1 until the first has been reached
	Err    error    // why it does not get on, nil when it does
}
