// This file answers what names mean that no file has: where files and folders have gone from them, and which pages call
// themselves so. It is what page.Also is made of; links in views are resolved with it, and those of backlinks.

package search

import (
	"bytes"
	"cmp"
	"context"
	"strings"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

const (
	maxSeen   = 1000 // names with one key that are looked at, whatever comes of it
	maxPast   = 5000 // changes of a page that are looked at for the names that it had
	maxGone   = 100  // files that have gone from names with one key, and pages that call themselves one name
	maxCalled = 20   // names of one page that are kept
)

// Also is what names mean in the snapshot beside those of its files: by its history, by what its tables of redirects say
// (see wiki.Snapshot.Redirects), and by the titles and aliases of its pages. It answers until ctx ends; while the log has
// not reached the snapshot it knows less.
func (x *Index) Also(ctx context.Context, in *wiki.Snapshot) page.Also {
	asked := false
	ask := func(do func(also page.Also)) {
		if ctx.Err() != nil {
			return
		}
		if !asked {
			asked = true
			x.reached(ctx, x.trail, in)
		}
		err := x.trail.view(in.Space(), func(b book) error {
			do(b.also(ctx, in))
			return nil
		})
		if ignoreUnknown(err) != nil {
			x.log.Warn("look for other names", "space", in.Space(), "err", err)
		}
	}
	return page.Also{
		Moved: func(key string) (list []page.Move) {
			ask(func(also page.Also) { list = also.Moved(key) })
			return list
		},
		Folder: func(dir string) (to string, ok bool) {
			ask(func(also page.Also) { to, ok = also.Folder(dir) })
			return to, ok
		},
		Called: func(fold string) (list []page.Path) {
			ask(func(also page.Also) { list = also.Called(fold) })
			return list
		},
	}
}

// also is Also for as long as the book is open.
func (l book) also(ctx context.Context, in *wiki.Snapshot) page.Also {
	return page.Also{
		Moved: func(key string) []page.Move {
			list := in.Redirects(ctx).Moved(key)
			seen := 0
			for old := range l.named(l.gone, key) {
				if seen++; seen > maxSeen || ctx.Err() != nil {
					break
				}
				if in.Has(old) {
					continue
				}
				if to, err := l.whither(in, old); err == nil && to != "" {
					list = append(list, page.Move{From: old, To: to})
				}
				if len(list) >= maxGone {
					break
				}
			}
			return list
		},
		Folder: func(dir string) (string, bool) {
			if to, ok := in.Redirects(ctx).Folder(dir); ok {
				return to, true
			}
			to, err := l.folderWhither(in, dir)
			return to, err == nil && to != ""
		},
		Called: func(fold string) (list []page.Path) {
			seen := 0
			for p := range l.named(l.called, fold) {
				if seen++; seen > maxSeen || ctx.Err() != nil {
					break
				}
				if in.Has(p) {
					list = append(list, p)
				}
				if len(list) == 2 {
					break // which is one too many
				}
			}
			return list
		},
	}
}

// named yields the paths that a shelf has under a name, in byte order.
func (l book) named(s shelf, name string) func(yield func(page.Path) bool) {
	return func(yield func(page.Path) bool) {
		prefix := append([]byte(name), 0)
		c := s.Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			unseal(k, v)
			if !yield(page.Path(k[len(prefix):])) {
				return
			}
		}
	}
}

// otherKeys are the keys of links that may find p by a name that it had, or by one that it calls itself.
func (l book) otherKeys(ctx context.Context, in *wiki.Snapshot, p page.Path) (keys []string, err error) {
	_, _, called, err := l.linksOf(p)
	if err != nil {
		return nil, err
	}
	for _, fold := range called {
		keys = append(keys, fold[strings.LastIndexByte(fold, '/')+1:])
	}
	moves, seen := 0, 0
	for e, err := range l.entries(p, l.bound(in), true) {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return nil, err
		}
		if seen++; seen > maxPast {
			break
		}
		if e.kind != 'R' {
			continue
		}
		if !in.Has(e.other) {
			keys = append(keys, page.PathKeys(e.other)...)
		}
		if moves++; moves == maxMoves {
			break
		}
	}
	for _, mv := range in.Redirects(ctx).To(p) {
		keys = append(keys, page.PathKeys(mv.From)...)
	}
	return keys, nil
}

// calls are the names that a page calls itself and that are not its file's: by page.Fold.
func calls(p page.Path, doc *page.Doc) []string {
	var names []string
	own := page.PathKeys(p)
	for _, name := range append([]string{doc.Title}, doc.Aliases...) {
		fold := page.Fold(name)
		same := false
		for _, key := range own {
			same = same || key == fold
		}
		if fold == "" || same || len(fold) > 1024 || len(names) == maxCalled {
			continue
		}
		names = append(names, fold)
	}
	return names
}

func nameKey(name string, p page.Path) []byte { return append(append([]byte(name), 0), p...) }
