package web

import (
	"context"
	"strings"
)

// Move gives a page, a file or a folder another name. It posts to, base, note
// and name, and show to be told first what will change.
type Move struct {
	Frame
	Form    Form
	What    string // 'page', 'file' or 'folder'
	Path    string
	To      string
	Heading string    // what the page calls itself, when that is its name; the form sends title if that changes as well
	Retitle bool      // it does
	Files   int       // in the folder
	Folder  *Link     // moves the page's whole folder instead; may be nil
	Plan    *MovePlan // what will change; nil until a new name is given
}

// MovePlan is what a move will change.
type MovePlan struct {
	Heading   string // the page's new one; empty if it stays
	Links     int    // in all pages
	Inside    int    // of those, in what moves itself
	Along     []Moved
	MoreAlong int
	Pages     []Relinked
	MorePages int
	Left      []Relinked // pages whose links cannot be changed
}

// sum says in a sentence how many links change.
func (p MovePlan) sum(ctx context.Context) string {
	var all []string
	if n := p.Links - p.Inside; n > 0 {
		all = append(all, sayN(ctx, n, "%d link in %s", "%d links in %s", pagesOrFiles(ctx, len(p.Pages)+p.MorePages, "page")))
	}
	if p.Inside > 0 {
		all = append(all, sayN(ctx, p.Inside, "%d link in what moves", "%d links in what moves"))
	}
	if len(all) == 0 {
		return say(ctx, "No link has to be changed.")
	}
	return strings.Join(all, ", ") + "."
}

// button says what the button does.
func (m Move) button() Text {
	switch m.What {
	case "folder":
		return "Move the folder"
	case "file":
		return "Move the file"
	}
	return "Move the page"
}

// Moved is a file that moves with what was asked for.
type Moved struct{ From, To, URL string }

// Relinked is a page of which links are changed, or, with a reason, are not.
type Relinked struct {
	Name, URL string
	Links     int
	Why       string
}

// Delete removes a page, which can be undone. It posts base, note and name.
type Delete struct {
	Frame
	Form      Form
	Path      string
	File      bool  // it is no page
	Folder    *Link // deletes the page's whole folder instead; may be nil
	Backlinks []PageLink
}

// DeleteFolder removes a folder with all in it, which can be undone. It posts
// base, note and name.
type DeleteFolder struct {
	Frame
	Form         Form
	Path         string
	Pages, Files int        // in it
	First        []PageLink // of what is in it
	More         int        // that First does not name
	Backlinks    []PageLink // pages outside that link to something in it
	MoreLinks    bool       // there may be others that do
}

// Restore brings a revision back as a new one. It posts rev, was, base,
// note and name.
type Restore struct {
	Frame
	Form    Form
	Path    string
	File    bool   // it is no page
	Rev     string // whole, sent by the form
	Called  string // the path that the page had then, when it was another; sent by the form
	Was     Stamp  // who made that revision
	Deleted bool   // the page is not there now
	Diff    string // URL of the comparison with the page as it is now
	Preview HTML
}

// PutBack puts one part of a page back to what it was. Its form is that of
// [Edit], with the text that comes of it: it can be saved, or changed first.
type PutBack struct {
	Frame
	Form    Form
	Path    string
	Was     Side      // the page from which the part is
	Compare string    // URL of the comparison
	Text    string    // the whole page, when it is done
	Hunks   []Hunk    // what that changes
	Redline []RedPart // the page as it will look; may be empty
	Same    bool      // it is like that already
	Changed bool      // somebody has changed the place since, so that it cannot be done
	Older   string    // what stood there, to be copied
	Edit    string    // URL of the editor
}
