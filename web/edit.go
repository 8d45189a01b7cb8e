package web

import "time"

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
	Limit   string // how long a page may be, in words; may be empty
}

// NewPage asks for the name of a new page and leads to the editor. It sends path
// by GET.
type NewPage struct {
	Frame
	URL    string
	Path   string
	Where  string // the folder it will live in, in words or as a path; may be empty
	Error  string // why that name cannot be had, as a sentence
	Offer  string // a name that can; may be empty
	Cancel string
}

// Conflict is shown when somebody saved the same lines meanwhile. It posts as
// [Edit] does; Form.Base is the revision of Theirs.
type Conflict struct {
	Frame
	Form       Form
	Path       string
	Mine       string
	Theirs     string
	Merged     string // both, with marks around what must be decided
	TheirWho   string
	TheirWhen  time.Time
	TheirNote  string
	Diff       string // URL of what the other person changed; may be empty
	TheirsGone bool   // the page was deleted meanwhile
}
