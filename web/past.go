package web

import (
	"context"
	"strconv"
	"time"
)

// Past says that a view shows the wiki as it was, and leads back to now.
type Past struct {
	Day  time.Time // set for a whole day: how it was at its end (UTC)
	When time.Time // set for a moment instead
	Rev  string    // with When: the revision that was asked for, short; may be empty
	Now  string    // URL of the same page today; empty if it is not there now
	Home string    // URL of the space today
	Pick DayForm
	Back []Link // what can be brought back from that time
}

// words are the time for people, machine is the time for programs.
func (p Past) words(ctx context.Context) string {
	if p.When.IsZero() {
		return date(ctx, p.Day)
	}
	return clock(ctx, p.When)
}

func (p Past) machine() string {
	if p.When.IsZero() {
		return p.Day.UTC().Format(time.DateOnly)
	}
	return p.When.UTC().Format(time.RFC3339)
}

// DayForm asks for a day. It sends on and path to URL by GET.
type DayForm struct {
	URL  string
	Path string // the address to show, within the space
	On   string // the day to suggest, such as 2026-01-31; may be empty
	Last string // the last day that there is, likewise
}

// PickDay is the view that asks for a day and nothing else.
type PickDay struct {
	Frame
	Form  DayForm
	Error string // what was wrong with the day, as a sentence
}

// Blame tells who wrote each line of a page.
type Blame struct {
	Frame
	Path    string
	History string // URL
	Then    *Side  // the page is shown as it was then; nil for now
	Now     string // URL of this view of the page as it is now
	Runs    []WrittenRun
	TooLong bool // the rest is left out
}

// WrittenRun is neighbouring lines that one change wrote.
type WrittenRun struct {
	Stamp
	Diff   string // URL of what that change did to the page
	Before string // URL of this view of the page before that change; may be empty
	Age    int    // from 1, the oldest changes of the page, to 5, the newest
	First  int    // number of the first line
	Lines  []string
}

// age is the class for the width of the bar.
func (r WrittenRun) age() string { return "age" + strconv.Itoa(r.Age) }
