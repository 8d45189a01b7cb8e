package web

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
func (p DoubtfulPage) sums() []string {
	var all []string
	for _, s := range []struct {
		n          int
		one, other string
	}{
		{p.Broken, "leads nowhere", "lead nowhere"}, {p.Ambiguous, "could mean several pages", "could mean several pages"},
		{p.Renamed, "has an old name", "have old names"}, {p.Against, "is the other way round", "are the other way round"},
		{p.Misplaced, "names a heading that is not there", "name headings that are not there"},
	} {
		switch {
		case s.n == 1:
			all = append(all, "1 link "+s.one)
		case s.n > 1:
			all = append(all, many(s.n, "link")+" "+s.other)
		}
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
