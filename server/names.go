package server

import (
	"cmp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"cairn/storage/page"
)

// This file offers names to whoever writes a link.

const (
	maxNames     = 8
	maxNameQuery = 100 // bytes
)

// offered is a page that somebody may mean.
type offered struct {
	Name   string `json:"name"`
	Folder string `json:"folder,omitempty"`
	Write  string `json:"write"` // the link to it
}

// names lists the pages whose names have what is typed in them, the likeliest first: those that begin with it, then those of
// which a word does. at is the page that the link will stand on.
func (s *Server) names(c echo.Context) error {
	in, err := s.in(c)
	if err != nil {
		return err
	}
	typed := c.QueryParam("q")
	if len(typed) > maxNameQuery {
		return bad(400, "q may have at most %d bytes.", maxNameQuery)
	}
	from, _, err := pageAt(in, c.QueryParam("at"))
	if err != nil {
		return err
	}
	type match struct {
		page.Path
		rank int
	}
	var best []match
	want := page.Fold(typed)
	for p := range in.Names().All() {
		rank := nameRank(p, want)
		if rank == 0 || !p.Served() {
			continue
		}
		m := match{p, rank}
		at, _ := slices.BinarySearchFunc(best, m, func(a, b match) int {
			return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path))
		})
		if at < maxNames {
			best = slices.Insert(best, at, m)
			best = best[:min(len(best), maxNames)]
		}
	}
	list := make([]offered, 0, len(best))
	for _, m := range best {
		list = append(list, offered{m.Title(), m.Dir(), in.Context().Shortest(from, m.Path)})
	}
	return c.JSON(200, map[string]any{"names": list})
}

// nameRank is how well a page's name fits what is typed, folded: 1 is best, 0 not at all.
func nameRank(p page.Path, want string) int {
	if !p.IsPage() {
		return 0
	}
	whole := page.Fold(p.Address())
	name := whole[strings.LastIndexByte(whole, '/')+1:]
	switch at := strings.Index(name, want); {
	case at == 0:
		return 1
	case at > 0 && !isWord(name[at-1]):
		return 2
	case at > 0:
		return 3
	case strings.Contains(whole, want):
		return 4
	}
	return 0
}

func isWord(b byte) bool { return b >= 0x80 || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }
