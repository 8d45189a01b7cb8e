package page

import (
	"iter"
	"slices"
	"sort"
)

// This file holds the sorted set behind Names: an immutable list of short sorted runs. A changed set shares all runs
// but those that changed. Beside a tree it costs a copy of the list (some thousand words at 100,000 names) for each
// change of the set, and saves most of the memory.

// entry is a path under the name by which it is looked up.
type entry struct {
	key  string
	path Path
}

const maxRun = 256

type sorted struct {
	order func(a, b entry) int // total: 0 for the same entry only
	runs  [][]entry            // none is empty
}

func newSorted(order func(a, b entry) int, entries []entry) sorted {
	slices.SortFunc(entries, order)
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return order(a, b) == 0 })
	s := sorted{order: order}
	for run := range slices.Chunk(entries, maxRun*3/4) {
		s.runs = append(s.runs, slices.Clip(run))
	}
	return s
}

// with is the set with some entries more and some fewer; one that is in both lists is in the result.
func (s sorted) with(added, removed []entry) sorted {
	if len(added)+len(removed) == 0 {
		return s
	}
	if len(added)+len(removed) > maxRun+len(s.runs) {
		return s.rebuilt(added, removed)
	}
	s.runs = slices.Clone(s.runs)
	for _, e := range removed {
		i, j, found := s.find(e)
		if !found {
			continue
		}
		run := slices.Delete(slices.Clone(s.runs[i]), j, j+1)
		if len(run) == 0 {
			s.runs = slices.Delete(s.runs, i, i+1)
		} else {
			s.runs[i] = run
		}
	}
	for _, e := range added {
		i, j, found := s.find(e)
		switch {
		case found:
		case len(s.runs) == 0:
			s.runs = [][]entry{{e}}
		default:
			run := slices.Insert(slices.Clone(s.runs[i]), j, e)
			if len(run) > maxRun {
				s.runs = slices.Insert(s.runs, i+1, slices.Clone(run[len(run)/2:]))
				run = slices.Clone(run[:len(run)/2])
			}
			s.runs[i] = run
		}
	}
	return s
}

func (s sorted) rebuilt(added, removed []entry) sorted {
	gone := make(map[entry]bool, len(removed))
	for _, e := range removed {
		gone[e] = true
	}
	var all []entry
	for _, run := range s.runs {
		for _, e := range run {
			if !gone[e] {
				all = append(all, e)
			}
		}
	}
	return newSorted(s.order, append(all, added...))
}

// find is the run and the place in it where e is or would be.
func (s sorted) find(e entry) (run, at int, found bool) {
	run = max(0, sort.Search(len(s.runs), func(i int) bool { return s.order(s.runs[i][0], e) > 0 })-1)
	if len(s.runs) == 0 {
		return 0, 0, false
	}
	at, found = slices.BinarySearchFunc(s.runs[run], e, s.order)
	return run, at, found
}

// from yields the entries from e on, in order.
func (s sorted) from(e entry) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		i, j, _ := s.find(e)
		for ; i < len(s.runs); i, j = i+1, 0 {
			for ; j < len(s.runs[i]); j++ {
				if !yield(s.runs[i][j]) {
					return
				}
			}
		}
	}
}

// under yields the entries of a key.
func (s sorted) under(key string) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for e := range s.from(entry{key: key}) {
			if e.key != key || !yield(e.path) {
				return
			}
		}
	}
}
