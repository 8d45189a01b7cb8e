package search

import (
	"fmt"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"cairn/storage/wiki"
)

// lasts tells who has changed each name last; "." for nobody.
func (h *house) lasts(in *wiki.Snapshot, names ...string) string {
	h.t.Helper()
	var list []wiki.Child
	for _, n := range names {
		dir, folder := strings.CutSuffix(n, "/")
		list = append(list, wiki.Child{Path: path(dir), Folder: folder})
	}
	changes, err := h.index.Lasts(h.ctx, in, list)
	if err != nil || len(changes) != len(names) {
		h.t.Fatalf("%d changes of %d names: %v", len(changes), len(names), err)
	}
	var all []string
	for i, c := range changes {
		switch {
		case c.Rev == "":
			all = append(all, ".")
		case c.Path != list[i].Path || c.When.IsZero():
			h.t.Errorf("of %s: %+v", names[i], c)
		default:
			all = append(all, c.By)
		}
	}
	return strings.Join(all, " ")
}

func TestLasts(t *testing.T) {
	h := build(t)
	h.save("Ann", "a/b/one.md", "one")
	h.save("Bob", "a/two.md", "two")
	first := h.head()
	h.save("Eve", "a/b/c/three.md", "three")
	names := []string{"a/", "a/b/", "a/b/c/", "a/two.md", "a/b/one.md", "a/b", "none/", "none.md"}
	check(t, "each last", h.lasts(h.head(), names...), "Eve Eve Eve Bob Ann . . .")
	h.save("Zoe", "a/b/one.md", "one and more")
	check(t, "a page up to an older snapshot", h.lasts(first, "a/b/one.md"), "Ann")
	h.remove("a/b/c/three.md") // by Bob
	check(t, "after a removal", h.lasts(h.head(), names...), "Bob Bob Bob Bob Zoe . . .")
	h.save("Zoe", "x.md", "x")
	h.save("Zoe", "a/b/one.md", "one and much more")
	h.move("a/b/one.md", "d/one.md") // by Bob
	check(t, "after a move", h.lasts(h.head(), "a/b/", "d/", "x.md"), "Bob Bob Zoe")

	// What was begun anew says the same.
	h.stop()
	if err := Remove(h.derived()); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.catchUp()
	check(t, "built anew", h.lasts(h.head(), "a/", "a/b/", "a/b/c/", "d/", "x.md", "a/two.md"), "Bob Bob Bob Bob Zoe Bob")
}

// What a first screen reads does not grow with the number of commits, and a save costs the log one transaction.
func TestHistoryCosts(t *testing.T) {
	h := build(t)
	db := func() (d *bolt.DB) {
		if err := h.index.trail.with(func(open *bolt.DB) error { d = open; return nil }); err != nil {
			t.Fatal(err)
		}
		return d
	}()
	transactions := func() (n int) {
		if err := db.View(func(tx *bolt.Tx) error { n = tx.ID(); return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 3 {
		h.save("Ann", "a/one.md", fmt.Sprint("text ", i))
		h.catchUp()
	}
	lookUps := func() int64 {
		before := db.Stats().TxStats
		h.lasts(h.head(), "a/", "a/one.md")
		if _, err := h.index.History(h.ctx, h.head(), "a/one.md", "", 2); err != nil {
			t.Fatal(err)
		}
		after := db.Stats().TxStats
		return after.GetCursorCount() - before.GetCursorCount()
	}
	few, begun := lookUps(), transactions()
	const more = 60
	for i := range more {
		h.save("Bob", "a/one.md", fmt.Sprint("more text ", i))
		h.catchUp()
	}
	if n := transactions() - begun; n != more {
		t.Errorf("%d saves took %d transactions", more, n)
	}
	if many := lookUps(); many != few || few == 0 {
		t.Errorf("%d look-ups after %d commits, %d before", many, more, few)
	}
}
