package page

import (
	"cmp"
	"iter"
	"slices"
)

// After yields the paths that come after p in byte order; all of them when p is "".
func (n *Names) After(p Path) iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for e := range n.all.from(entry{path: p}) {
			if e.path != p && !yield(e.path) {
				return
			}
		}
	}
}

// Homes are the pages that may stand for a folder, the one that Home names first.
func (n *Names) Homes(dir string) []Path {
	var all []Path
	for _, h := range homes {
		for p := range n.whole.under(loose(join(dir, h))) {
			if homeRank(p) >= 0 && p.Dir() == dir && !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Path) int { return cmp.Or(cmp.Compare(homeRank(a), homeRank(b)), byExt(a, b)) })
	if beside, ok := n.Home(dir); ok && len(all) == 0 {
		return []Path{beside}
	}
	return all
}
