package web

// Upload is the form for files, sent as multipart/form-data: file, note and name. After an upload it shows what to do
// with Stored; what is added to the page is posted to the same URL, as add and name.
type Upload struct {
	Frame
	Form   Form
	Page   string // its title
	Folder string // where the files will lie; empty for the top
	Limit  string // how large they may be, as a sentence
	Files  string // URL of the page's files; may be empty
	Stored []Stored
}

// Stored is a file that has just been stored.
type Stored struct {
	Name, URL string
	Markdown  string // shows it on the page
	Picture   bool
}
