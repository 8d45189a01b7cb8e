package search

import (
	"context"
	"log/slog"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// Index is the derived stores of one data folder. Its methods are safe for concurrent use.
type Index struct{}

// Open opens the stores in dir (<data>/derived) or makes them. A store that is damaged or of another make is deleted
// and built again by Run; only a dir that cannot be written, or that another process holds, is an error.
func Open(dir string, log *slog.Logger) (*Index, error) { panic("soon") }

// Remove deletes what Open made in dir, so that all is built again. No process may have it open.
func Remove(dir string) error { panic("soon") }

// Close closes the stores. End Run first.
func (x *Index) Close() error { panic("soon") }

// Run follows every space of w, also those that appear later, until ctx ends, and then returns nil. What goes wrong
// with one space is logged, shown by Status and tried again.
func (x *Index) Run(ctx context.Context, w *wiki.Wiki) error { panic("soon") }

// Status tells how far each store has come, by space and store; empty before Run.
func (x *Index) Status() []Status { panic("soon") }

// Find looks for pages in the snapshots, which are the spaces that the asker may read, and in no others: hits and Total
// count nothing else. It waits a moment until the words have reached them.
func (x *Index) Find(ctx context.Context, in []*wiki.Snapshot, q Query) (Result, error) {
	panic("soon")
}

// Backlinks lists the pages that link to p, in byte order, whether or not p exists. Each link is resolved against the
// snapshot now, so the answer is right whatever was made or removed since the link was written.
func (x *Index) Backlinks(ctx context.Context, in *wiki.Snapshot, p page.Path) ([]page.Path, error) {
	panic("soon")
}

// History lists at most limit changes of p up to the snapshot, newest first, and goes on under the names it had before.
// before is "" or the Next of an earlier part; an error wraps fs.ErrInvalid when it is neither.
func (x *Index) History(ctx context.Context, in *wiki.Snapshot, p page.Path, before string, limit int) (History, error) {
	panic("soon")
}

// Recent lists at most limit commits of the space up to the snapshot, newest first; before as for History.
func (x *Index) Recent(ctx context.Context, in *wiki.Snapshot, before string, limit int) (Recent, error) {
	panic("soon")
}

// Last is the last change of p up to the snapshot. The error wraps fs.ErrNotExist when the log knows none.
func (x *Index) Last(ctx context.Context, in *wiki.Snapshot, p page.Path) (Change, error) {
	panic("soon")
}

// Moved tells where a path that is gone leads now, over all moves since; false when it is not gone or leads nowhere.
func (x *Index) Moved(ctx context.Context, in *wiki.Snapshot, p page.Path) (page.Path, bool, error) {
	panic("soon")
}

// Deleted tells how a path that is gone was removed, and which revision still has it. The error wraps fs.ErrNotExist
// when it is there, was moved away or never was.
func (x *Index) Deleted(ctx context.Context, in *wiki.Snapshot, p page.Path) (Removal, error) {
	panic("soon")
}

// Tagged lists the pages that carry the tag, case not told apart, in byte order.
func (x *Index) Tagged(ctx context.Context, in *wiki.Snapshot, tag string) ([]page.Path, error) {
	panic("soon")
}

// Tags lists the tags of the space, those of most pages first.
func (x *Index) Tags(ctx context.Context, in *wiki.Snapshot) ([]Tag, error) { panic("soon") }
