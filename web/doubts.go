package web

import "context"

// Doubtful lists the pages of a space with links that may not lead where
// their authors meant.
type Doubtful struct {
	Frame
	Pages  []DoubtfulPage
	Paging Paging
}

// DoubtfulPage counts such links of one page.
type DoubtfulPage struct {
	Name, URL                           string
	Links                               string // URL of the list of its links
	Broken, Ambiguous, Renamed, Against int
	Misplaced                           int
}

// sums are the parts of the sentence that says what is the matter.
func (p DoubtfulPage) sums(ctx context.Context) []string {
	var all []string
	if n := p.Broken; n > 0 {
		all = append(all, sayN(ctx, n, "%d link leads nowhere", "%d links lead nowhere"))
	}
	if n := p.Ambiguous; n > 0 {
		all = append(all, sayN(ctx, n, "%d link could mean several pages", "%d links could mean several pages"))
	}
	if n := p.Renamed; n > 0 {
		all = append(all, sayN(ctx, n, "%d link has an old name", "%d links have old names"))
	}
	if n := p.Against; n > 0 {
		all = append(all, sayN(ctx, n, "%d link is the other way round", "%d links are the other way round"))
	}
	if n := p.Misplaced; n > 0 {
		all = append(all, sayN(ctx, n, "%d link names a heading that is not there", "%d links name headings that are not there"))
	}
	return all
}

// Doubts lists the links of a page that may not lead where they were meant
// to. Each offer posts base, at, text, and to or place.
type Doubts struct {
	Frame
	Form Form
	Path string
	List []Doubt
	More bool // not all are listed
}

// Doubt is one such link.
type Doubt struct {
	Written  string // as it stands in the source
	Line     int
	Kind     string // what is the matter, as the rest of a sentence
	Leads    *Link  // where it leads now; nil for nowhere
	At, Text string // which link it is, for the form
	Write    string // URL of the editor for the page that it wants; may be empty
	Upload   string // URL of the form for the file that it wants; may be empty
	Restore  string // URL of the form that brings back what it leads to and has been deleted; may be empty
	Offers   []Offer
}

// Offer is what a link could lead to: a page, or with To empty a place of the
// page that it leads to already.
type Offer struct{ Label, To, Place, URL string }
