package server

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"

	"cairn/web"
)

// This file keeps whole answers: a page that many read is rendered and packed once for as long as nothing in its space
// changes. An answer may be kept when it depends on its key alone.

// keptKey is all that the answer to a GET of a page depends on.
type keptKey struct {
	path    string // as it stands in the request, undecoded
	base    string // how the wiki is called in it
	seq     uint64 // the head that it shows, and that the index had reached
	spaces  string // which the visitor may see
	tongue  string // language of the interface
	trouble string
	day     int64 // since 1970: a page says how many days ago it was changed, and whether somebody should look it through
}

// keptAnswer is a page's answer, packed when somebody first takes it so. Safe for concurrent use.
type keptAnswer struct {
	key  int // bytes
	size int // of its HTML
	etag string
	web.Packed
}

// maxKept bounds the answers that are kept, in bytes of HTML.
const maxKept = 24 << 20

// kept keeps the answers that were asked for last. Safe for concurrent use.
type kept struct {
	mu   sync.Mutex // guards what follows
	lru  *simplelru.LRU[keptKey, *keptAnswer]
	size int
}

func newKept() *kept {
	k := &kept{}
	k.lru, _ = simplelru.NewLRU(1<<20, func(_ keptKey, a *keptAnswer) { k.size -= a.cost() })
	return k
}

// cost is about what the answer holds in memory, with a key that may be as long as a request's head.
func (a *keptAnswer) cost() int { return 1024 + a.key + a.size + a.size/2 }

func (k *kept) get(key keptKey) *keptAnswer {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, _ := k.lru.Get(key)
	return a
}

func (k *kept) put(key keptKey, body []byte) {
	a := &keptAnswer{key: len(key.path) + len(key.base) + len(key.spaces) + len(key.trouble), size: len(body), etag: weakTag(body), Packed: web.Pack(func() []byte { return body })}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lru.Remove(key)
	if a.cost() > maxKept/4 {
		return
	}
	k.lru.Add(key, a)
	k.size += a.cost()
	for k.size > maxKept {
		k.lru.RemoveOldest()
	}
}

// keyOf is what the answer to a request would be kept under. Not every request has one: a notice is told once, and a
// query asks for something else.
func (s *Server) keyOf(c echo.Context, in at) (keptKey, bool) {
	r := c.Request()
	if r.URL.RawQuery != "" || in.past != nil || in.Seq() == 0 || cookie(c, noticeCookie) != "" {
		return keptKey{}, false
	}
	var spaces strings.Builder
	for _, link := range s.spaceLinks(c, "") {
		spaces.WriteString(link.Name + "/")
	}
	return keptKey{r.URL.EscapedPath(), s.base(c), in.Seq(), spaces.String(), web.Language(r.Context()), string(trouble(in.space.Trouble())), time.Now().Unix() / (24 * 60 * 60)}, true
}

// keep sends a page and keeps it for the next who asks for it.
func (s *Server) keep(c echo.Context, in at, before keptKey, v web.Page) error {
	b, err := s.site.Render(c.Request().Context(), v)
	if err != nil {
		return err
	}
	// While the index is behind, it may say more in a moment. What has changed since the view was begun is not in it.
	if key, ok := s.keyOf(c, in); ok && key == before && s.Index.Reached(in.Snapshot) {
		s.kept.put(key, b)
	}
	return s.send(c, 200, b)
}

// again answers with what is kept, where there is something.
func (s *Server) again(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if method := c.Request().Method; c.Path() != "/:space/*" || method != http.MethodGet && method != http.MethodHead {
			return next(c)
		}
		in, err := s.in(c)
		if err != nil {
			return next(c)
		}
		key, ok := s.keyOf(c, in)
		if !ok {
			return next(c)
		}
		a := s.kept.get(key)
		if a == nil {
			return next(c)
		}
		h := c.Response().Header()
		s.heads(h)
		h.Add("Vary", "Accept-Encoding")
		if fresh(c, a.etag) {
			return c.NoContent(304)
		}
		return sendPacked(c, echo.MIMETextHTMLCharsetUTF8, a.Packed)
	}
}
