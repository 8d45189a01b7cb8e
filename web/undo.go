package web

import (
	"context"
	"time"
)

// Plan is what will happen to pages when a form is sent.
type Plan struct {
	Noun                    string // 'page', or 'file' when some are no pages
	Change, Back, Go, Named int    // how many change, come back, go, and get their old name back
	Files                   []Planned
	More                    int // that are not listed
}

// Planned is one page of a plan.
type Planned struct {
	Name, URL string // URL is empty for what is not there now
	Kind      string // in words, such as 'changes'
	From      string // the name that it has now, when it gets its old one back
	Last      *Stamp // who has changed it last; nil when not known
	Diff      string // URL of that change; may be empty
}

// total is how many pages the plan touches.
func (p Plan) total() int { return p.Change + p.Back + p.Go + p.Named }

// sums are the parts of the sentence that says how many.
func (p Plan) sums(ctx context.Context) []string {
	var all []string
	add := func(n int, ofFile, ofPage string) {
		if n == 0 {
			return
		}
		if p.Noun == "file" {
			all = append(all, ofFile)
		} else {
			all = append(all, ofPage)
		}
	}
	add(p.Change, sayN(ctx, p.Change, "%d file changes", "%d files change"), sayN(ctx, p.Change, "%d page changes", "%d pages change"))
	add(p.Back, sayN(ctx, p.Back, "%d file comes back", "%d files come back"), sayN(ctx, p.Back, "%d page comes back", "%d pages come back"))
	add(p.Go, sayN(ctx, p.Go, "%d file goes away", "%d files go away"), sayN(ctx, p.Go, "%d page goes away", "%d pages go away"))
	add(p.Named, sayN(ctx, p.Named, "%d file gets its old name back", "%d files get their old names back"),
		sayN(ctx, p.Named, "%d page gets its old name back", "%d pages get their old names back"))
	return all
}

// restore is the label of the button.
func (p Plan) restore(ctx context.Context) string {
	if p.Noun == "file" {
		return sayN(ctx, p.total(), "Restore %d file", "Restore %d files")
	}
	return sayN(ctx, p.total(), "Restore %d page", "Restore %d pages")
}

// RestoreAll brings a folder, or the whole space, back to what it was. It
// posts rev, day, base, note and name.
type RestoreAll struct {
	Frame
	Form   Form
	Folder string    // empty for the whole space
	Rev    string    // whole, sent by the form
	Day    time.Time // set when a whole day was asked for; sent by the form
	Was    Stamp     // who made that revision
	Then   string    // URL of the folder as it was
	Plan   Plan
}

// Undo takes one change back and keeps what came after it. It posts note,
// name, and others when it shall leave out what collides.
type Undo struct {
	Frame
	Form     Form
	Was      Stamp // who made the change
	Plan     Plan
	Collided []Collided
	More     int  // pages that collide and are not named
	Merge    bool // a commit of git that has nothing of its own to undo
}

// Collided is a page that cannot be undone, and what can be done instead.
type Collided struct {
	Name, URL string
	Why       string // as a sentence
	Diff      string // URL of what has changed since
	Restore   string // URL of the form that brings back the version before the change
	Delete    string // URL of the form that deletes it, where the change wrote it anew
}
