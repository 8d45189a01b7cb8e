package search

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	bolt "go.etcd.io/bbolt"

	"cairn/storage/wiki"
)

// closer is a store that takes its time to close.
type closer struct{ hang chan struct{} }

func (c closer) Close() error {
	if c.hang != nil {
		<-c.hang
	}
	return nil
}

// What hangs is left where it is; what is begun anew has another name.
func TestHeldHangs(t *testing.T) {
	dir := t.TempDir()
	hang := make(chan struct{})
	defer close(hang)
	var opened []string
	note := func(path string) { opened = append(opened, filepath.Base(path)) }
	m := maker[closer]{
		open: func(path string) (closer, error) {
			<-hang
			return closer{}, nil
		},
		create: func(path string) (closer, error) {
			note(path)
			return closer{hang}, os.WriteFile(path, nil, 0o666)
		},
		probe: func(closer) error { return nil },
		prove: func(context.Context, closer) error { return nil },
		limit: 20 * time.Millisecond,
	}
	if err := os.WriteFile(filepath.Join(dir, "log.db"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	h, err := hold(dir, "log.db", quiet(t), m)
	if err != nil {
		t.Fatal(err)
	}
	life := h.life()
	if err := h.with(func(closer) error { panic("boom") }); !errors.Is(err, errDamaged) {
		t.Error(err)
	}
	<-life.Done()
	for end := time.Now().Add(time.Minute); h.with(func(closer) error { return nil }) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not begun anew while the old one hangs")
		}
	}
	check(t, "made", fmt.Sprint(opened), "[log-1.db log-2.db]")
	if err := h.close(); !errors.Is(err, errStuck) {
		t.Errorf("close of what hangs: %v", err)
	}
	if got := numbers(dir, "log.db"); len(got) != 1 || got[0] != 2 {
		t.Errorf("stores left: %v", got)
	}
}

// Where nothing can be made there is no store, until something can.
func TestNoDisk(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi. [[b]]")
	h.catchUp()
	h.stop()
	if err := os.RemoveAll(h.derived()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.derived(), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	h.start()
	empty := func() {
		t.Helper()
		in := h.head()
		r, err := h.index.Find(h.ctx, []*wiki.Snapshot{in}, Query{Text: "okapi"})
		if err != nil || !r.Behind || len(r.Hits) > 0 {
			t.Errorf("Find: %+v, %v", r, err)
		}
		p, err := h.index.History(h.ctx, in, path("a.md"), "", 10)
		if err != nil || !p.Behind || len(p.Changes) > 0 {
			t.Errorf("History: %+v, %v", p, err)
		}
		if _, err := h.index.Last(h.ctx, in, path("a.md")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Last: %v", err)
		}
		if paths, _, err := h.index.Backlinks(h.ctx, in, path("b.md"), 1); err != nil || len(paths) > 0 {
			t.Errorf("Backlinks: %v, %v", paths, err)
		}
	}
	empty()
	if err := os.Remove(h.derived()); err != nil {
		t.Fatal(err)
	}
	if !h.index.words.recover() || !h.index.trail.recover() {
		t.Error("not made when it can be")
	}
	h.catchUp()
	check(t, "found", h.find(Query{Text: "okapi"}), "a.md")

	// A store that cannot be written is closed at the first error, and kept.
	life := h.index.words.life()
	h.index.words.cannotWrite(h.store("words"), errors.New("no space left on device"))
	if life.Err() == nil {
		t.Error("a store that cannot be written goes on")
	}
	r, err := h.index.Find(h.ctx, []*wiki.Snapshot{h.head()}, Query{Text: "okapi"})
	if err != nil || !r.Behind {
		t.Errorf("Find without words: %+v, %v", r, err)
	}
	for end := time.Now().Add(time.Minute); !h.index.words.recover(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not opened again")
		}
	}
	h.catchUp()
	check(t, "found again", h.find(Query{Text: "okapi"}), "a.md")
	if got := numbers(h.derived(), "words"); len(got) != 1 || got[0] != 0 {
		t.Errorf("begun anew: %v", got)
	}
}

// A bit that has changed in a file is noticed soon after the start.
func TestProve(t *testing.T) {
	h := build(t)
	for i := range 30 {
		h.save("Ann", fmt.Sprintf("p%d.md", i), "---\ntags: [x]\n---\nThe okapi. [[b]]")
	}
	h.catchUp()
	h.stop()
	db, err := openDB(h.store("log.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := proveDB(h.ctx, db); err != nil {
		t.Errorf("a good log: %v", err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		l, err := openBook(tx, "wiki")
		if err != nil {
			return err
		}
		k := binary.BigEndian.AppendUint64(nil, 3)
		v := bytes.Clone(l.commit.Bucket.Get(k))
		v[len(v)/2] ^= 1
		return l.commit.Bucket.Put(k, v)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := damage(guard(func() error { return proveDB(h.ctx, db) })); !errors.Is(err, errDamaged) {
		t.Errorf("a log with a changed bit: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	zaps, err := filepath.Glob(filepath.Join(h.store("words"), "store", "*.zap"))
	if err != nil || len(zaps) == 0 {
		t.Fatal(zaps, err)
	}
	for _, z := range zaps {
		if err := proveFile(z); err != nil {
			t.Errorf("a good segment: %v", err)
		}
		if err := flip(z); err != nil {
			t.Fatal(err)
		}
		if err := proveFile(z); !errors.Is(err, errDamaged) {
			t.Errorf("a segment with a changed bit: %v", err)
		}
	}
	h.start()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if numbers(h.derived(), "words")[0] > 0 && numbers(h.derived(), "log.db")[0] > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("damage is not noticed")
		}
	}
	h.catchUp()
	if got := len(recent(h, 100)); got < 30 {
		t.Errorf("%d commits", got)
	}
	check(t, "found", fmt.Sprint(len(h.find(Query{Text: "okapi"})) > 0), "true")
}

// flip changes a bit in the middle of a file.
func flip(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, size/2); err != nil {
		return err
	}
	b[0] ^= 1
	_, err = f.WriteAt(b, size/2)
	return err
}

// A store that fails two questions is begun anew, but not as often as somebody likes to ask.
func TestSuspect(t *testing.T) {
	h := build(t)
	h.save("Ann", "a.md", "The okapi.")
	h.catchUp()
	words := h.index.words.held
	fail := func() error { return words.ask(func(bleve.Index) error { return errSuspect }) }
	for i, want := range []bool{false, true, false, false, false} {
		if err := fail(); errors.Is(err, errNone) != want {
			t.Errorf("question %d: %v", i, err)
		}
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if words.with(func(bleve.Index) error { return nil }) == nil {
				break
			}
		}
	}
}
