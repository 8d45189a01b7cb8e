package web

import (
	"context"
	"strconv"
	"strings"
	"time"
)

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
	Small     string // URL of a picture of it; may be empty
}

// Files lists the files of a space, or those that no page uses.
type Files struct {
	Frame
	Total      int // of all files
	List       []FileRow
	All        string // URL of all files
	Unused     string // URL of those that no page uses
	OnlyUnused bool
	Stopped    bool // not all files were looked at; Paging goes on
	Paging     Paging
}

// PageFiles lists the files of a page.
type PageFiles struct {
	Frame
	Used   []FileRow
	Near   []FileRow // others in Folder
	More   bool      // there are more of those
	Folder string    // where new files of the page go; empty for the top
	Upload string    // URL of the form
	All    string    // URL of all files of the space
}

// FileRow is a file in a list.
type FileRow struct {
	Name, URL string
	Folder    string // may be empty
	Kind      string // in a word
	Size      int64
	Last      *Stamp // the last change; nil when not known
	Ago       time.Duration
	Pages     []PageLink // some of those that use it
	More      bool       // there are more of them
	Asked     bool       // it is known which pages use it
	Add       string     // URL of what adds it to the page; may be empty
	History   string
	Move      string
	Delete    string
}

// size writes how large a file is.
func (f FileRow) size(ctx context.Context) string {
	n := float64(f.Size)
	tenths := func(n float64) string {
		return strings.Replace(strconv.FormatFloat(n, 'f', 1, 64), ".", translate(ctx, "before tenths\x04."), 1)
	}
	switch {
	case f.Size < 1<<10:
		return sayN(ctx, int(f.Size), "%d byte", "%d bytes")
	case f.Size < 10<<10:
		return say(ctx, "%s KiB", tenths(n/(1<<10)))
	case f.Size < 1<<20:
		return say(ctx, "%s KiB", strconv.FormatFloat(n/(1<<10), 'f', 0, 64))
	default:
		return say(ctx, "%s MiB", tenths(n/(1<<20)))
	}
}
