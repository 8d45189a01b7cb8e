package web

import "time"

// Frame is everything around the main content of a view.
type Frame struct {
	Title     string // of the document, and the h1 of most views
	Canonical string // absolute URL of the page, for machines; may be empty
	NoIndex   bool   // asks search engines not to list this view
	Here      string // address of this view, to come back to in another language; empty offers none

	Site   string // name of the whole wiki; "Cairn" when empty
	Space  string // name of the space; empty outside of any space
	Spaces []SpaceLink
	Query  string // what was searched for, shown again in the search box

	Nav     Nav
	Tree    []TreeNode
	Sidebar HTML // the wiki's own side bar; shown above the tree
	Crumbs  []Crumb
	Actions Actions
	Trouble string // why nothing can be saved; empty when all is well
	Notice  *Notice
	Past    *Past // set where the wiki is shown as it was
}

func (f Frame) frame() Frame { return f }

// SpaceLink is one entry of the switcher, which is shown when there is more
// than one.
type SpaceLink struct {
	Name, URL string
	Current   bool
}

// Nav holds the URLs of the header; what is empty is not shown.
type Nav struct {
	Home    string // start page of the space, or of the wiki
	Search  string // where the search form goes; it sends q, and space if Frame.Space is set
	Start   string // tells at a glance what the space is about now
	Changes string
	Pages   string
	Tags    string
	Files   string
	Links   string // those that may not lead where they should
	New     string // asks for the name of a new page
	Keys    string // lists what can be done by keyboard
}

// Link is a text to follow.
type Link struct{ Label, URL string }

// TreeNode is a page or a folder in the side bar. A folder that is not open
// needs no children: following it, or asking Branch, shows them.
type TreeNode struct {
	Name, URL string
	Current   bool // this is the page being looked at
	IsFolder  bool
	Open      bool // a folder whose children are shown
	Children  []TreeNode
	Branch    string // URL of the children alone, for scripts; empty for a folder that is not opened in place
}

// Crumb is one step of the way to a page. The last one is the page itself;
// its URL may be empty.
type Crumb struct{ Name, URL string }

// Actions holds the URLs of what can be done with the page; what is empty is
// not offered.
type Actions struct {
	NewHere string // begins a page in the folder
	View    string // back to the page, from its forms and lists
	File    bool   // it is no page
	Edit    string
	History string
	Files   string // those of the page
	Source  string // the Markdown text
	Move    string
	Delete  string
	Links   string // those of the page that may not lead where they should
}

// more reports whether there is something for the menu.
func (a Actions) more() bool {
	return a.NewHere != "" || a.History != "" || a.Files != "" || a.Source != "" || a.Move != "" || a.Delete != "" || a.Links != ""
}

// Kind says how much a notice matters.
type Kind string

// The kinds of notice.
const (
	Success Kind = "success"
	Info    Kind = "info"
	Warning Kind = "warning"
)

// label is the word that stands for the colour.
func (k Kind) label() Text {
	switch k {
	case Success:
		return "Done:"
	case Warning:
		return "Please note:"
	}
	return "Note:"
}

// Notice is a sentence above the content, such as 'Saved.'.
type Notice struct {
	Kind   Kind
	Text   string
	Action *Button // for instance undo; may be nil
}

// Button is one thing to press, which leads to a form or a page.
type Button struct{ Label, URL string }

// Form is what all forms that change a page have in common. It is posted to
// URL with base, id, note and name beside the form's own fields.
type Form struct {
	URL     string
	Base    string // revision that the writer began from; empty for a new page
	ID      string // names this save, so that sending it twice saves once; may be empty
	Note    string
	Usual   string // the note of who leaves it empty; may be empty
	AskName bool   // for visitors, who sign with a name
	Name    string // the name to suggest
	Error   string // why it was not done, as a sentence; the form keeps its texts
	Cancel  string // URL to go back to
}

// Stamp says who did something and when.
type Stamp struct {
	Who  string
	When time.Time
	Note string
}

// PageLink names a page somewhere in a list.
type PageLink struct {
	Title, URL string
	Path       string // shown beside a title that differs from it; may be empty
}

// Paging holds the URLs of the neighbouring parts of a long list.
type Paging struct{ Previous, Next string }

// Piece is a part of a line of text, perhaps marked.
type Piece struct {
	Text string
	Mark bool
}

// heading is the title of the document, the most telling part first.
func (f Frame) heading() string {
	site := or(f.Site, "Cairn")
	switch {
	case f.Title == "":
		return site
	case f.Space != "" && len(f.Spaces) > 1:
		return f.Title + " · " + f.Space + " · " + site
	}
	return f.Title + " · " + site
}

// side reports whether there is something for the side bar.
func (f Frame) side() bool {
	return f.Sidebar != "" || len(f.Tree) > 0 || f.Nav.Changes != "" || f.Nav.Pages != "" || f.Nav.Tags != "" || f.Nav.Files != ""
}

// any reports whether something can be done here.
func (a Actions) any() bool {
	return a.View != "" || a.Edit != "" || a.more()
}
