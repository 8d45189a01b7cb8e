package git

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The clock may jump by days, years, back and forward: within the branch time never goes backwards, history keeps its
// order, and everybody's own date is told as the clock had it.
func TestClockJumps(t *testing.T) {
	dir := newDir(t)
	var saved []Hash
	var clock []time.Time
	save := func(t *testing.T, r *Repo, days int) {
		clock = append(clock, time.Now())
		saved = append(saved, put(t, r, "page.md", strings.Repeat("x", len(saved)+1)))
		time.Sleep(time.Duration(days) * 24 * time.Hour)
	}
	r := open(t, dir)
	save(t, r, 0)
	r.Close()
	// In the bubble it is the year 2000, and days pass when everybody sleeps.
	synctest.Test(t, func(t *testing.T) {
		r := open(t, dir)
		for _, days := range []int{1, 400, 0} {
			save(t, r, days)
		}
		r.Close()
	})
	r = open(t, dir)
	save(t, r, 0)
	r.Close()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(40 * 365 * 24 * time.Hour) // the future
		r := open(t, dir)
		save(t, r, 3)
		save(t, r, 0)
		r.Close()
	})
	r = open(t, dir)
	save(t, r, 0)

	head, _ := r.Head()
	i, last := 0, time.Time{}
	for c, err := range r.Log(t.Context(), Hash{}, head) {
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(saved) || c.Hash != saved[i] {
			t.Fatalf("commit %d is %s, want %s", i, c.Hash, saved[min(i, len(saved)-1)])
		}
		if c.When.Before(last) {
			t.Errorf("commit %d: %v is before its parent's %v", i, c.When, last)
		}
		if off := c.Author.When.Sub(clock[i]); off.Abs() > time.Minute {
			t.Errorf("commit %d: author's date %v, the clock said %v", i, c.Author.When, clock[i])
		}
		last = c.When
		i++
	}
	if i != len(saved) {
		t.Errorf("%d commits, want %d", i, len(saved))
	}
	if last.Year() < 2039 {
		t.Errorf("the last commit is of %v: the clock has never jumped", last)
	}
	fsck(t, dir)
}
