// This file keeps the words store: one Bleve index for all spaces, moved on by net changes. The rules are:
//
//   - The position in a space moves in the same batch as the last pages of a delta; each batch before it says what it is
//     on the way to, so that what was cut short is done to its end first (followOnce).
//   - Whatever is wrong with the store, but for another process that holds it, is mended by building it again.
//   - A segment that could not be written is in no state to be read: the store is closed at the first such error.

package search

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"
	bolterrors "go.etcd.io/bbolt/errors"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

const (
	schemaKey = "schema"
	revKey    = "rev/"    // + space
	towardKey = "toward/" // + space

	maxBatchPages = 500
	maxBatchBytes = 3 << 20 // of text; a batch needs many times that in memory
	maxUnsaved    = 4       // full batches that are on no disk yet
)

// saveEvery is about how long what is indexed may be on no disk. Tests have less time.
var saveEvery = time.Second

// words is the words store.
type words struct {
	*held[bleve.Index]
	log *slog.Logger
	// settled waits until the log can tell the facts of the pages of a space as they are now. The error says that it will
	// not for some time: a page without its facts would never be found by them.
	settled func(ctx context.Context, space string) error
	facts   func(*wiki.Snapshot, page.Path) facts
	touched func(wiki.Delta) (map[page.Path]bool, error)
}

// failing has, for each folder with an open words store, whom to tell that it cannot be written. Bleve calls a function
// that was registered when the process began, and says no more to it than the path.
var failing sync.Map // of func(path string, err error)

const failingName = "cairn"

func init() {
	scorch.RegistryAsyncErrorCallbacks[failingName] = func(err error, store string) {
		if errors.Is(err, scorch.ErrCleanup) {
			return // a file too many
		}
		path := filepath.Dir(store)
		if tell, ok := failing.Load(filepath.Dir(path)); ok {
			tell.(func(string, error))(path, err)
		}
	}
}

// openWords opens the store in dir or makes it.
func openWords(dir string, log *slog.Logger) (*words, error) {
	log = log.With("store", "words")
	layout := layout()
	schema, err := schema(layout)
	if err != nil {
		return nil, err
	}
	// Without the time limit a second process would wait for ever.
	careful := map[string]any{"bolt_timeout": "2s", "asyncErrorCallbackName": failingName}
	// What is indexed is found at once, and written to disk about once a second: a small file with its fsyncs for every save
	// would take the disk from the saves. A crash loses what has not been written, and the position with it, which is part
	// of the same write: it is indexed again.
	quick := maps.Clone(careful)
	quick["unsafe_batch"] = true
	quick["scorchPersisterOptions"] = map[string]any{
		"PersisterNapTimeMSec": saveEvery.Milliseconds(), "PersisterNapUnderNumFiles": 1000,
	}
	open := func(path string) (bleve.Index, error) {
		idx, err := bleve.OpenUsing(path, maps.Clone(quick))
		switch {
		case errors.Is(err, bolterrors.ErrTimeout):
			return nil, errHeld
		case errors.Is(err, bleve.ErrorIndexPathDoesNotExist):
			return nil, fs.ErrNotExist
		case err != nil:
			return nil, err
		}
		if err := guard(func() error { return probe(idx, schema) }); err != nil {
			return nil, errors.Join(err, guard(idx.Close))
		}
		return idx, nil
	}
	create := func(path string) (bleve.Index, error) {
		idx, err := bleve.NewUsing(path, layout, scorch.Name, scorch.Name, maps.Clone(careful))
		if err != nil {
			return nil, err
		}
		err = idx.SetInternal([]byte(schemaKey), []byte(schema))
		if err = errors.Join(err, guard(idx.Close)); err != nil {
			return nil, err
		}
		return open(path)
	}
	probe := func(idx bleve.Index) error { return probe(idx, schema) }
	h, err := hold(dir, "words", log, maker[bleve.Index]{open, create, probe, prove, stuckAfter})
	if err != nil {
		return nil, err
	}
	failing.Store(dir, func(path string, err error) {
		go h.cannotWrite(path, err) // who calls must end before the store can be closed
	})
	return &words{held: h, log: log}, nil
}

func (w *words) close() error {
	defer failing.Delete(w.dir)
	// What is on no disk yet would have to be indexed again.
	saved := make(chan struct{})
	b, err := w.batch()
	if err == nil {
		b.SetPersistedCallback(func(error) { close(saved) })
		err = w.write(w.life(), b)
	}
	if err == nil {
		select {
		case <-saved:
		case <-time.After(2 * saveEvery):
		}
	}
	return w.held.close()
}

// prove compares the files of the index with the checksums at their ends.
func prove(ctx context.Context, idx bleve.Index) error {
	i, err := idx.Advanced()
	if err != nil {
		return err
	}
	r, err := i.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	snapshot, ok := r.(*scorch.IndexSnapshot)
	if !ok {
		return nil
	}
	for _, s := range snapshot.Segments() {
		file, ok := s.Segment().(interface{ Path() string })
		if !ok {
			continue // in memory still
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := proveFile(file.Path()); err != nil {
			return err
		}
	}
	return nil
}

func proveFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	if _, err := io.CopyN(sum, f, info.Size()-crc32.Size); err != nil {
		return err
	}
	var want [crc32.Size]byte
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
		return fmt.Errorf("%w: the checksum of %s", errDamaged, filepath.Base(path))
	}
	return nil
}

func (w *words) name() string { return "words" }

// probe looks whether the index is of this make and reads a page, so that the commonest damage shows before anybody asks.
func probe(idx bleve.Index, schema string) error {
	got, err := idx.GetInternal([]byte(schemaKey))
	if err != nil {
		return err
	}
	if string(got) != schema {
		return errors.New("it is of another make")
	}
	if _, err := idx.DocCount(); err != nil {
		return err
	}
	request := bleve.NewSearchRequestOptions(query.NewMatchAllQuery(), 1, 0, false)
	request.Fields = []string{fieldTitle, fieldBody}
	_, err = idx.Search(request)
	return err
}

// layout is the mapping: none, as the documents and the queries are made of terms by this package.
func layout() *mapping.IndexMappingImpl {
	m := bleve.NewIndexMapping()
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	m.IndexDynamic, m.StoreDynamic, m.DocValuesDynamic = false, false, false
	return m
}

// schema names all that decides which bytes a page becomes.
func schema(m *mapping.IndexMappingImpl) (string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	b = fmt.Appendf(b, " analyzer %d fields %d scorch %d", analyzerVersion, fieldsVersion, scorch.Version)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func (w *words) position(space string) (at, toward wiki.Rev, err error) {
	err = w.with(func(idx bleve.Index) error {
		a, err := idx.GetInternal([]byte(revKey + space))
		if err != nil {
			return err
		}
		b, err := idx.GetInternal([]byte(towardKey + space))
		at, toward = wiki.Rev(a), wiki.Rev(b)
		return err
	})
	return at, toward, err
}

func (w *words) move(ctx, life context.Context, d wiki.Delta) error {
	space := d.To.Space()
	if err := w.settled(ctx, space); err != nil {
		return err
	}
	b, err := w.batch()
	if err != nil {
		return err
	}
	bytes := 0 // in b, which itself does not count what is added by IndexAdvanced
	unsaved := make(chan struct{}, maxUnsaved)
	// put takes one page into the batch, and writes that when it is full.
	put := func(p page.Path, gone bool) error {
		if gone {
			b.Delete(docID(space, p))
		} else {
			n, err := w.add(ctx, b, d.To, p)
			if err != nil {
				return err
			}
			bytes += n
		}
		if b.Size() < maxBatchPages && bytes < maxBatchBytes {
			return nil
		}
		select {
		case unsaved <- struct{}{}:
		case <-life.Done():
			return life.Err()
		}
		b.SetInternal([]byte(towardKey+space), []byte(d.To.Rev()))
		b.SetPersistedCallback(func(error) { <-unsaved })
		err := w.write(life, b)
		b.Reset()
		b.SetPersistedCallback(nil)
		bytes = 0
		return err
	}
	// A page that was changed and changed back has other facts and the same text: it is in no net difference.
	touched, err := w.touched(d)
	if err != nil {
		return err
	}
	for c, err := range d.Changes(ctx) {
		if err != nil {
			return err
		}
		if !c.Path.Listed() {
			continue
		}
		delete(touched, c.Path)
		if err := put(c.Path, c.Kind == 'D'); err != nil {
			return err
		}
	}
	for p := range touched {
		if p.Listed() && d.To.Has(p) {
			if err := put(p, false); err != nil {
				return err
			}
		}
	}
	b.SetInternal([]byte(revKey+space), []byte(d.To.Rev()))
	b.DeleteInternal([]byte(towardKey + space))
	return w.write(life, b)
}

// add puts one page into the batch and tells how many bytes it takes. A page that cannot be read is found by its name.
func (w *words) add(ctx context.Context, b *bleve.Batch, in *wiki.Snapshot, p page.Path) (int, error) {
	doc, err := digest(ctx, in, p)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		w.log.Warn("index a page by its name only", "space", in.Space(), "path", p, "err", err)
		doc = &page.Doc{Path: p, Title: p.Title()}
	}
	entry := describe(in.Space(), doc, w.facts(in, p))
	return entry.Size(), b.IndexAdvanced(entry)
}

// digest is what a page says. A follower reads one page after another, and waits for no turn: it never keeps readers waiting
// by more than that one.
func digest(ctx context.Context, in *wiki.Snapshot, p page.Path) (*page.Doc, error) {
	source, err := in.Read(ctx, p)
	if err != nil {
		return nil, err
	}
	return page.Parse(p, source), nil
}

func (w *words) batch() (b *bleve.Batch, err error) {
	err = w.with(func(idx bleve.Index) error {
		b = idx.NewBatch()
		return nil
	})
	return b, err
}

func (w *words) write(life context.Context, b *bleve.Batch) error {
	err := w.within(life, func(idx bleve.Index) error { return idx.Batch(b) })
	if err == nil {
		w.wrote()
	}
	return err
}

// clear forgets a space, its position first.
func (w *words) clear(ctx, life context.Context, space string) error {
	return w.within(life, func(idx bleve.Index) error {
		b := idx.NewBatch()
		b.DeleteInternal([]byte(revKey + space))
		b.DeleteInternal([]byte(towardKey + space))
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			request := bleve.NewSearchRequestOptions(inSpace(space), 1000, 0, false)
			found, err := idx.SearchInContext(ctx, request)
			if err != nil {
				return err
			}
			for _, hit := range found.Hits {
				b.Delete(hit.ID)
			}
			if err := idx.Batch(b); err != nil {
				return err
			}
			if len(found.Hits) == 0 {
				return nil
			}
			b = idx.NewBatch()
		}
	})
}

// verify compares the number of pages with the snapshot.
func (w *words) verify(ctx, life context.Context, in *wiki.Snapshot) error {
	want, got := uint64(in.PageCount()), uint64(0)
	err := w.with(func(idx bleve.Index) error {
		found, err := idx.SearchInContext(ctx, bleve.NewSearchRequestOptions(inSpace(in.Space()), 0, 0, false))
		if err == nil {
			got = found.Total
		}
		return err
	})
	if err != nil || got == want {
		return err
	}
	w.log.Warn("build the words of a space anew", "space", in.Space(), "want", want, "got", got)
	if err := w.clear(ctx, life, in.Space()); err != nil {
		return err
	}
	return errAstray
}

func inSpace(space string) query.Query {
	q := query.NewTermQuery(space)
	q.SetField(fieldSpace)
	return q
}
