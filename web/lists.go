package web

import (
	"slices"
	"time"
)

// Pages lists all pages of a space.
type Pages struct {
	Frame
	Total  int
	List   []Listed
	Paging Paging
}

// Listed is a page, a file or a folder in a list.
type Listed struct {
	Name, URL string
	IsFolder  bool
	Last      *Stamp        // the last change of it, or of what is in it; nil when not known
	Ago       time.Duration // how long that is ago
	History   string        // URL of its history; may be empty
}

// Changes lists what changed lately, newest first.
type Changes struct {
	Frame
	Days   []Day
	By     string // only what this person did; empty for everybody
	All    string // URL of what everybody did
	Person string // URL to which a name is added, for what that person did
	Feed   string
	Past   string // URL of the wiki on a day; empty hides it
	Paging Paging // Previous is newer
}

// Overview tells at a glance what a space is about now.
type Overview struct {
	Frame
	Recent   []Listed // pages that changed last
	Changes  string   // URL of all changes
	Wanted   []Wanted
	Name     string // that the visitor signs with; may be empty
	Mine     []PageLink
	Doubtful int    // links that may not lead where they should
	More     bool   // of so large a space only a part has been looked through for links
	Links    string // URL of those links
}

// Wanted is a page that nobody has written yet.
type Wanted struct {
	Name, URL string
	Pages     int // that link to it
}

// Day is the changes of one day.
type Day struct {
	Date    time.Time
	Changes []Change
}

// one is what one person did on a day.
type one struct {
	who     string
	changes []Change
}

// people are those who changed something on the day, whoever did last first.
func (d Day) people() []one {
	var all []one
	for _, ch := range d.Changes {
		i := slices.IndexFunc(all, func(o one) bool { return o.who == ch.Who })
		if i < 0 {
			i = len(all)
			all = append(all, one{who: ch.Who})
		}
		all[i].changes = append(all[i].changes, ch)
	}
	return all
}

// Change is one save, move, push or the like, or several of one page that follow each other.
type Change struct {
	Stamp
	Pages []ChangedPage
	Parts []Change // of several: each of them
	More  int      // pages that are not listed
	All   string   // URL of all that it changed; may be empty
	Undo  string   // URL of the form that takes the change back; may be empty
	Then  string   // URL of the space as it was after the change; may be empty
}

// ChangedPage is a page in a change.
type ChangedPage struct {
	Title, URL string // URL may be empty: the page is gone
	Diff       string
	Kind       string // in words, such as 'created'; empty for an ordinary change
	Lines      string // URL of the lines that differ, for scripts; may be empty
	From       *Link  // where it was, if it moved; its URL may be empty
	Restore    string // URL of the form that brings a page back that is gone; may be empty
}

// Tags lists the tags of a space.
type Tags struct {
	Frame
	Tags []TagCount
}

// TagCount is a tag and how many pages carry it.
type TagCount struct {
	Name, URL string
	Pages     int
}

// Tag lists the pages with a tag.
type Tag struct {
	Frame
	Name   string
	All    string // URL of all tags
	Total  int
	Pages  []PageLink
	Paging Paging
}

// Search is the search box with what was found for Frame.Query. It sends q and, if Here is
// set, space.
type Search struct {
	Frame
	URL     string // where the form goes
	Here    bool   // only in Frame.Space
	Total   int
	Took    time.Duration
	Results []Result
	Behind  string // what the index has yet to read, as a sentence; empty if nothing
	Error   string
	Offer   *Link  // the word that was perhaps meant
	Write   string // URL of the editor for a page of that name; empty hides it
	Paging  Paging
}

// Result is a page that was found.
type Result struct {
	Title   []Piece
	URL     string
	Path    string
	Space   string // shown if the search went through several
	Snippet []Piece
	When    time.Time // last change; zero hides it
}

// Spaces lists the spaces.
type Spaces struct {
	Frame
	List []Space
}

// Space is one entry of the list.
type Space struct {
	Name, URL string
	Text      string // how its home page begins; may be empty
	Pages     int
	Door      string // who may read and write, in words
	Last      time.Time
}

// Message tells a person that something did not work, and what to do next.
type Message struct {
	Frame
	Status int    // of HTTP
	Text   string // what happened, as a sentence; Frame.Title is the short form
	Kept   string // what was typed, handed back
	Next   *Link
	ID     string // of the request, for whoever runs the wiki
}
