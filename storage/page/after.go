package page

import "iter"

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
