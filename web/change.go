package web

// Move gives a page another name. It posts to, base, note and name.
type Move struct {
	Frame
	Form      Form
	Path      string
	To        string
	Backlinks []PageLink // their links are not rewritten yet
}

// Delete removes a page, which can be undone. It posts base, note and name.
type Delete struct {
	Frame
	Form      Form
	Path      string
	Backlinks []PageLink
}

// Restore brings a revision back as a new one. It posts rev, was, base,
// note and name.
type Restore struct {
	Frame
	Form    Form
	Path    string
	Rev     string // whole, sent by the form
	Called  string // the path that the page had then, when it was another; sent by the form
	Short   string
	Was     Stamp  // who made that revision
	Deleted bool   // the page is not there now
	Diff    string // URL of the comparison with the page as it is now
	Preview HTML
}
