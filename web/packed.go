package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Packed is one body in the codings that browsers take, each made when
// somebody first asks for it, and then kept. Safe for concurrent use.
type Packed struct{ plain, gzip, brotli func() []byte }

// Pack makes a Packed of what body returns, which must be the same each time.
func Pack(body func() []byte) Packed {
	in := func(pack func(io.Writer) io.WriteCloser) func() []byte {
		return sync.OnceValue(func() []byte {
			var b bytes.Buffer
			w := pack(&b)
			w.Write(body()) // into memory: cannot fail
			w.Close()
			return b.Bytes()
		})
	}
	return Packed{
		plain:  body,
		gzip:   in(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		brotli: in(func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }),
	}
}

// For returns the body in the best coding that an Accept-Encoding header
// allows, and that coding's name, which is empty for the plain body. The bytes
// must not be changed.
func (p Packed) For(accept string) (body []byte, coding string) {
	switch {
	case allows(accept, "br"):
		return p.brotli(), "br"
	case allows(accept, "gzip"):
		return p.gzip(), "gzip"
	}
	return p.plain(), ""
}

// allows reports whether a header of codings has one, and not with a weight
// of nothing.
func allows(accept, coding string) bool {
	for one := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight = strings.ReplaceAll(weight, " ", "")
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}
