// This file keeps and answers what points where: links from page to page, and tags.
//
// What a link means depends on which pages there are, so no targets are kept. Kept are the folded names (page.Link.Keys)
// by which a link might find something: whoever shares one with a page is asked, and each link is resolved again.

package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"sort"
	"strings"

	bolt "go.etcd.io/bbolt"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

const (
	maxSources  = 5000  // pages whose links Backlinks resolves
	maxLinks    = 10000 // of one page that are kept
	maxLinkText = 2048  // bytes of a link; longer ones are data or spam
)

// Tag is a tag with the number of pages that carry it.
type Tag struct {
	Name  string // as most pages write it
	Pages int
}

// Backlinks lists the pages that link to p, in byte order, whether or not p exists: at most limit of them, and whether
// there are more. Each link is resolved against the snapshot now, so the answer is right whatever was made or removed
// since the link was written. It also stops, and says that there are more, when it has resolved the links of 5,000 pages
// that use the name of p, as thousands of pages may that mean others of that name.
func (x *Index) Backlinks(ctx context.Context, in *wiki.Snapshot, p page.Path, limit int) (paths []page.Path, more bool, err error) {
	x.reached(ctx, x.trail, in)
	asked := 0
	err = x.trail.view(in.Space(), func(b book) error {
		keys, err := b.otherKeys(ctx, in, p)
		if err != nil {
			return err
		}
		keys = append(keys, page.PathKeys(p)...)
		slices.Sort(keys)
		keys = slices.Compact(keys)
		where := in.Context()
		where.Also = b.also(ctx, in)
		for source := range b.candidates(keys) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if source == p || !in.Has(source) {
				continue
			}
			if asked++; asked > maxSources {
				more = true
				return nil
			}
			links, _, _, err := b.linksOf(source)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(links, func(l page.Link) bool { return leadsTo(where, source, l, p, keys) }) {
				continue
			}
			if len(paths) >= limit {
				more = true
				return nil
			}
			paths = append(paths, source)
		}
		return nil
	})
	return paths, more, ignoreUnknown(err)
}

func leadsTo(in page.Context, source page.Path, l page.Link, p page.Path, keys []string) bool {
	shared := slices.ContainsFunc(l.Keys(), func(k string) bool { return slices.Contains(keys, k) })
	if !shared {
		return false
	}
	t := in.Resolve(source, l)
	return t.External == "" && !t.IsDir && t.Path == p
}

// candidates yields the pages with a link that has one of the keys, in byte order.
func (l book) candidates(keys []string) iter.Seq[page.Path] {
	type list struct {
		prefix []byte
		*bolt.Cursor
		at []byte // the page that comes next; nil at the end
	}
	set := func(c *list, k, v []byte) {
		c.at = nil
		if p, ok := bytes.CutPrefix(k, c.prefix); ok {
			unseal(k, v)
			c.at = p
		}
	}
	return func(yield func(page.Path) bool) {
		var lists []*list
		for _, key := range keys {
			c := &list{prefix: append([]byte(key), 0), Cursor: l.key.Cursor()}
			k, v := c.Seek(c.prefix)
			set(c, k, v)
			lists = append(lists, c)
		}
		for {
			var first []byte
			for _, c := range lists {
				if c.at != nil && (first == nil || bytes.Compare(c.at, first) < 0) {
					first = c.at
				}
			}
			if first == nil || !yield(page.Path(first)) {
				return
			}
			for _, c := range lists {
				if bytes.Equal(c.at, first) {
					k, v := c.Next()
					set(c, k, v)
				}
			}
		}
	}
}

// Tagged lists the pages that carry the tag, case and accents not told apart, in byte order.
func (x *Index) Tagged(ctx context.Context, in *wiki.Snapshot, tag string) ([]page.Path, error) {
	x.reached(ctx, x.trail, in)
	var pages []page.Path
	err := x.trail.view(in.Space(), func(b book) error {
		prefix := append([]byte(plain(tag)), 0)
		c := b.tag.Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			unseal(k, v)
			if p := page.Path(k[len(prefix):]); in.Has(p) {
				pages = append(pages, p)
			}
		}
		return nil
	})
	return pages, ignoreUnknown(err)
}

// Tags lists the tags of the space, those of most pages first.
func (x *Index) Tags(ctx context.Context, in *wiki.Snapshot) ([]Tag, error) {
	x.reached(ctx, x.trail, in)
	var tags []Tag
	err := x.trail.view(in.Space(), func(b book) error {
		var folded []byte
		spellings := map[string]int{}
		flush := func() {
			var t Tag
			most := 0
			for name, n := range spellings {
				t.Pages += n
				if n > most || n == most && name < t.Name {
					most, t.Name = n, name
				}
			}
			if t.Pages > 0 {
				tags = append(tags, t)
			}
			clear(spellings)
		}
		c := b.tag.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			tag, p, _ := bytes.Cut(k, []byte{0})
			if !bytes.Equal(tag, folded) {
				flush()
				folded = bytes.Clone(tag)
			}
			if in.Has(page.Path(p)) {
				spellings[string(unseal(k, v))]++
			}
		}
		flush()
		return nil
	})
	slices.SortFunc(tags, func(a, b Tag) int {
		return cmp.Or(cmp.Compare(b.Pages, a.Pages), cmp.Compare(a.Name, b.Name))
	})
	return tags, ignoreUnknown(err)
}

// said is what is kept of a page's links, its tags, and the names by which it and places in it may be meant.
type said struct {
	links       []page.Link
	tags, names []string
	places      []uint32 // see placeSum; nil of a page of which nobody can tell
}

func saidBy(p page.Path, doc *page.Doc) *said {
	places, known := doc.Places()
	s := &said{links: kept(doc.Links, places, known), tags: doc.Tags, names: calls(p, doc)}
	if known {
		s.places = make([]uint32, len(places))
		for i, name := range places {
			s.places[i] = placeSum(name)
		}
		slices.Sort(s.places)
		s.places = slices.Compact(s.places)
	}
	return s
}

// putLinks replaces what is kept of p; now is nil when the page is gone.
func (l book) putLinks(p page.Path, now *said) error {
	if len(p) > maxKey || len(p) == 0 {
		return nil
	}
	old, oldTags, oldNames, err := l.linksOf(p)
	if err != nil {
		return err
	}
	for _, k := range linkKeys(p, old) {
		if err := l.key.Delete(k); err != nil {
			return err
		}
	}
	for k := range tagKeys(p, oldTags) {
		if err := l.tag.Delete([]byte(k)); err != nil {
			return err
		}
	}
	for _, name := range oldNames {
		if err := l.called.Delete(nameKey(name, p)); err != nil {
			return err
		}
	}
	if now == nil {
		now = &said{}
	}
	if err := l.putPlaces(p, now.places); err != nil {
		return err
	}
	links, names := now.links, now.names
	if len(links) == 0 && len(names) == 0 && len(now.tags) == 0 {
		return l.link.Delete([]byte(p))
	}
	for _, k := range linkKeys(p, links) {
		if err := l.key.Put(k, nil); err != nil {
			return err
		}
	}
	for k, tag := range tagKeys(p, now.tags) {
		if err := l.tag.Put([]byte(k), []byte(tag)); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := l.called.Put(nameKey(name, p), nil); err != nil {
			return err
		}
	}
	return l.link.Put([]byte(p), encodeLinks(links, now.tags, names))
}

// putPlaces replaces what is kept of the places in p that links can name.
func (l book) putPlaces(p page.Path, sums []uint32) error {
	if sums == nil {
		return l.place.Delete([]byte(p))
	}
	v := make([]byte, 0, 4*len(sums))
	for _, sum := range sums {
		v = binary.BigEndian.AppendUint32(v, sum)
	}
	return l.place.Put([]byte(p), v)
}

func placeSum(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}

// misplaced tells whether a target names a place that its page does not have.
func (l book) misplaced(t page.Target) bool {
	if t.External != "" || !t.Found || t.IsDir || t.Fragment == "" || !t.Path.IsPage() {
		return false
	}
	v := l.place.Get([]byte(t.Path))
	if v == nil {
		return false
	}
	return !page.Place(t.Fragment, func(fold string) bool {
		sum := placeSum(fold)
		i := sort.Search(len(v)/4, func(i int) bool { return binary.BigEndian.Uint32(v[4*i:]) >= sum })
		return 4*i < len(v) && binary.BigEndian.Uint32(v[4*i:]) == sum
	})
}

// linksOf is what is kept of a page's links, its tags, and the names that it calls itself.
func (l book) linksOf(p page.Path) (links []page.Link, tags, names []string, err error) {
	v := l.link.Get([]byte(p))
	if v == nil {
		return nil, nil, nil, nil
	}
	if links, tags, names, err = decodeLinks(v); err != nil {
		err = fmt.Errorf("links of %s: %w", p, err)
	}
	return links, tags, names, err
}

// kept are the links worth keeping: those that may lead to a page, each once, and those to places that the page itself does
// not have, as far as these are known.
func kept(links []page.Link, places []string, known bool) []page.Link {
	var some []page.Link
	seen := map[page.Link]bool{}
	has := func(fold string) bool {
		_, ok := slices.BinarySearch(places, fold)
		return ok
	}
	within := func(k page.Link) bool {
		for _, part := range []string{k.A, k.B} {
			if f, ok := strings.CutPrefix(strings.TrimSpace(part), "#"); ok && !page.Place(f, has) {
				return false
			}
		}
		return true
	}
	for _, k := range links {
		k.Start, k.End = 0, 0
		if len(k.A)+len(k.B) > maxLinkText || seen[k] || len(some) == maxLinks || len(k.Keys()) == 0 && (!known || within(k)) {
			continue
		}
		seen[k] = true
		some = append(some, k)
	}
	return some
}

// linkKeys are the keys of bucketKey for the links of p.
func linkKeys(p page.Path, links []page.Link) [][]byte {
	seen := map[string]bool{}
	var keys [][]byte
	for _, k := range links {
		for _, name := range k.Keys() {
			if !seen[name] && name != "" && len(name) <= maxKey {
				seen[name] = true
				keys = append(keys, append(append([]byte(name), 0), p...))
			}
		}
	}
	return keys
}

// tagKeys are the keys of bucketTag for the tags of p, with the tags as they are written.
func tagKeys(p page.Path, tags []string) map[string]string {
	keys := make(map[string]string, len(tags))
	for _, t := range tags {
		if folded := plain(t); folded != "" && len(folded) <= 1024 {
			keys[folded+"\x00"+string(p)] = t
		}
	}
	return keys
}

// Doubts counts the links of a page that may not lead where its author meant; see page.Target.Doubtful.
type Doubts struct {
	Path                                page.Path
	Broken, Ambiguous, Renamed, Against int
	Misplaced                           int // they name a place that the page which they lead to does not have
}

// Wants is what the links of a space ask for.
type Wants struct {
	Pages    []Wanted // that nobody has written, those that most pages ask for first
	Doubtful int      // links that may not lead where their author meant; see page.Target.Doubtful
	More     bool     // not all pages have been looked at
}

// Wanted is a page that links lead to though nobody has written it.
type Wanted struct {
	Path  page.Path
	Pages int // that ask for it
}

// Wants tells what the links of a space ask for: at most limit pages. It looks at 5,000 pages with links, and says so when
// there are more.
func (x *Index) Wants(ctx context.Context, in *wiki.Snapshot, limit int) (w Wants, err error) {
	x.reached(ctx, x.trail, in)
	asked := map[page.Path]int{}
	err = x.trail.view(in.Space(), func(b book) error {
		where := in.Context()
		where.Also = b.also(ctx, in)
		looked := 0
		c := b.link.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			p := page.Path(k)
			if !in.Has(p) || !p.Served() {
				continue
			}
			if looked++; looked > maxSources {
				w.More = true
				return nil
			}
			links, _, _, err := decodeLinks(unseal(k, v))
			if err != nil {
				return fmt.Errorf("links of %s: %w", p, err)
			}
			here := map[page.Path]bool{}
			for _, l := range links {
				t := where.Resolve(p, l)
				if t.Doubtful() {
					w.Doubtful++
				}
				if t.External == "" && !t.Found && t.Path.IsPage() && t.Path.Served() && !here[t.Path] {
					here[t.Path] = true
					asked[t.Path]++
				}
			}
		}
		return nil
	})
	for p, n := range asked {
		w.Pages = append(w.Pages, Wanted{p, n})
	}
	slices.SortFunc(w.Pages, func(a, b Wanted) int { return cmp.Or(cmp.Compare(b.Pages, a.Pages), cmp.Compare(a.Path, b.Path)) })
	w.Pages = w.Pages[:min(limit, len(w.Pages))]
	return w, ignoreUnknown(err)
}

// Doubtful lists pages with doubtful links after a path (""), in byte order, at most limit of them; next is where the rest
// begins, "" at the end. It looks at no more than 5,000 pages at once, so that a part may be short or empty and yet not
// the last.
func (x *Index) Doubtful(ctx context.Context, in *wiki.Snapshot, after page.Path, limit int) (list []Doubts, next page.Path, err error) {
	x.reached(ctx, x.trail, in)
	err = x.trail.view(in.Space(), func(b book) error {
		where := in.Context()
		where.Also = b.also(ctx, in)
		asked := 0
		var last page.Path
		c := b.link.Cursor()
		for k, v := c.Seek(append([]byte(after), 0)); k != nil; k, v = c.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			p := page.Path(k)
			if !in.Has(p) || !p.Served() {
				continue
			}
			if asked == maxSources || len(list) == limit {
				next = last
				return nil
			}
			asked++
			last = p
			links, _, _, err := decodeLinks(unseal(k, v))
			if err != nil {
				return fmt.Errorf("links of %s: %w", p, err)
			}
			one := Doubts{Path: p}
			for _, l := range links {
				switch t := where.Resolve(p, l); {
				case !t.Doubtful():
					if b.misplaced(t) {
						one.Misplaced++
					}
				case !t.Found:
					one.Broken++
				case t.Moved:
					one.Renamed++
				case t.Ambiguous:
					one.Ambiguous++
				default:
					one.Against++
				}
			}
			if one.Broken+one.Renamed+one.Ambiguous+one.Against+one.Misplaced > 0 {
				list = append(list, one)
			}
		}
		return nil
	})
	return list, next, ignoreUnknown(err)
}
