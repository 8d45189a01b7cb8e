package web

import (
	"context"
	"time"
)

// Page is a page as readers see it.
type Page struct {
	Frame
	Body      HTML
	TitleID   string // id of the heading that the title came from; empty if it came from elsewhere
	BodyLang  string // language of the page, if it says so
	Header    HTML   // the wiki's own bar above the page
	Footer    HTML   // and below
	Outline   []Heading
	Tags      []Link
	Last      *Stamp    // the last change; nil when not known
	Owner     string    // who looks after the page; empty when nobody does
	Review    time.Time // the day by which somebody should look it through; may be zero
	Now       time.Time // whose day the words "3 days ago" and "overdue" are about
	Backlinks []PageLink
	Old       *OldRevision
	Clone     *Clone
}

// overdue reports whether the day of the review is over.
func (p Page) overdue() bool {
	return !p.Review.IsZero() && p.Now.UTC().Format(time.DateOnly) > p.Review.Format(time.DateOnly)
}

// daysAgo is how many days ago something was, by the calendar.
func daysAgo(ctx context.Context, now, then time.Time) string {
	const day = 24 * time.Hour
	switch days := now.UTC().Truncate(day).Sub(then.UTC().Truncate(day)) / day; {
	case days <= 0:
		return say(ctx, "today")
	case days == 1:
		return say(ctx, "yesterday")
	default:
		return ago(ctx, days*day)
	}
}

// Heading is an entry of 'On this page'.
type Heading struct {
	Text, ID string // ID as in the body, without '#'
	Children []Heading
}

// OldRevision marks a page as one that has been changed since.
type OldRevision struct {
	When    time.Time
	Who     string
	Current string  // URL of the page as it is now; empty if it is gone
	Restore *Button // brings this revision back; nil if the reader may not
}

// Clone tells people who work with git how to get the wiki.
type Clone struct {
	Address string
	Folder  string // that 'git clone' makes
}

// Folder is a folder that has no start page.
type Folder struct {
	Frame
	Write   string // URL of the editor for a start page; empty hides it
	Empty   bool   // the whole space has no page yet
	Entries []Listed
	More    int    // names that are not listed
	Clone   *Clone // may be nil
}

// Missing stands where there is no page, or no file.
type Missing struct {
	Frame
	Path    string
	File    bool       // it is not a page that is missing
	Write   string     // URL of the editor; empty if the reader may not write
	Search  string     // URL of a search for the name
	Close   []PageLink // pages of a similar name
	Wanted  []PageLink // pages that link here
	Deleted *Deleted   // set if there was one
}

// Deleted says what became of a page.
type Deleted struct {
	Stamp
	Restore string // URL of the form that brings it back; empty hides it
	History string
}
