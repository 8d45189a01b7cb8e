package git

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// This file reads the bytes of packs, and caches what was read; objects.go finds objects in them.

// pack is one pack and its index (version 2). Immutable, but for the file being closed at the end.
type pack struct {
	path  string // without .pack or .idx
	id    uint64 // for the cache
	file  *os.File
	count int
	index []byte // the whole .idx
}

var packIDs atomic.Uint64

const (
	idxHead  = 8 + 256*4 // magic, version, fan-out
	idxTrail = 2 * 20    // the pack's checksum, the index's
)

// errDamagedPack is an index that cannot be used.
var errDamagedPack = errors.New("damaged")

// openPack opens a pack by its index. Whether the pack is whole is not looked at: each object is, when it is read, so
// that a pack that was cut off still gives what is left.
func openPack(path string) (*pack, error) {
	index, err := os.ReadFile(path + ".idx")
	if err != nil {
		return nil, err
	}
	p := &pack{path: path, id: packIDs.Add(1), index: index}
	damaged := func(what string) error { return fmt.Errorf("%s: %w: %s", path, errDamagedPack, what) }
	if len(index) < idxHead+idxTrail || string(index[:8]) != "\xfftOc\x00\x00\x00\x02" {
		return nil, damaged("not an index of version 2")
	}
	if sum := sha1.Sum(index[:len(index)-20]); !bytes.Equal(sum[:], index[len(index)-20:]) {
		return nil, damaged("the index does not match its checksum")
	}
	count := binary.BigEndian.Uint32(index[idxHead-4:])
	if uint64(len(index)) < idxHead+uint64(count)*28+idxTrail {
		return nil, damaged("the index is too short")
	}
	p.count = int(count)
	p.file, err = os.Open(path + ".pack")
	return p, err
}

func (p *pack) name(i int) Hash { return Hash(p.index[idxHead+20*i:]) }

// search is the position of the first object whose name is not before h.
func (p *pack) search(h Hash) int {
	lo, hi := 0, int(binary.BigEndian.Uint32(p.index[8+4*int(h[0]):]))
	if h[0] > 0 {
		lo = int(binary.BigEndian.Uint32(p.index[8+4*int(h[0])-4:]))
	}
	hi = min(hi, p.count)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		at := idxHead + 20*mid
		if bytes.Compare(p.index[at:at+20], h[:]) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// offset is where in the pack an object begins.
func (p *pack) offset(h Hash) (int64, bool) {
	i := p.search(h)
	if i >= p.count || p.name(i) != h {
		return 0, false
	}
	off := binary.BigEndian.Uint32(p.index[idxHead+24*p.count+4*i:])
	if off&(1<<31) == 0 {
		return int64(off), true
	}
	at := uint64(idxHead) + 28*uint64(p.count) + 8*uint64(off&^(1<<31))
	if at+8 > uint64(len(p.index)-idxTrail) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(p.index[at:]) & math.MaxInt64), true
}

// header is what stands before an object's compressed bytes.
type header struct {
	kind kind
	size int64 // of the bytes inflated: the delta's, for a delta
	data int64 // where the compressed bytes begin
	base int64 // kindOffDelta: where the base is
	ref  Hash  // kindRefDelta: the base
}

func (p *pack) header(b *inflater, off int64) (header, error) {
	n, err := p.file.ReadAt(b.head[:], off)
	if err != nil && err != io.EOF {
		return header{}, err
	}
	in := b.head[:n]
	short := errors.New("damaged: cut off")
	if len(in) == 0 {
		return header{}, short
	}
	h := header{kind: kind(in[0] >> 4 & 7), size: int64(in[0] & 15)}
	more, i := in[0]&0x80 != 0, 1
	for shift := 4; more; shift += 7 {
		if i >= len(in) || shift > 56 {
			return header{}, short
		}
		h.size |= int64(in[i]&0x7f) << shift
		more = in[i]&0x80 != 0
		i++
	}
	switch h.kind {
	case kindCommit, kindTree, kindBlob, kindTag:
	case kindOffDelta:
		var back int64
		for more = true; more; i++ {
			if i >= len(in) || back > math.MaxInt64>>8 {
				return header{}, short
			}
			more = in[i]&0x80 != 0
			back = back<<7 | int64(in[i]&0x7f)
			if more {
				back++
			}
		}
		if h.base = off - back; back <= 0 || h.base < 0 {
			return header{}, errors.New("damaged: a delta to nowhere")
		}
	case kindRefDelta:
		if i += copy(h.ref[:], in[i:]); i > len(in) {
			return header{}, short
		}
	default:
		return header{}, fmt.Errorf("damaged: %s", h.kind)
	}
	h.data = off + int64(i)
	return h, nil
}

// inflate reads what is stored at an offset: an object, or a delta.
func (p *pack) inflate(off int64) (header, []byte, error) {
	b := buffers.Get().(*inflater)
	defer buffers.Put(b)
	h, err := p.header(b, off)
	if err != nil {
		return h, nil, err
	}
	if h.size > maxObject {
		return h, nil, tooLarge("object", maxObject)
	}
	data, err := b.inflate(p.file, h.data, h.size)
	if err != nil {
		return h, nil, damage(err)
	}
	return h, data, nil
}

// damage is what is wrong with compressed bytes. That they end too soon must not look like a request that does.
func damage(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return errors.New("damaged: cut off")
	}
	return fmt.Errorf("damaged: %w", err)
}

// size is the length of the object at an offset, read from its head or from its delta's.
func (p *pack) size(off int64) (int64, error) {
	b := buffers.Get().(*inflater)
	defer buffers.Put(b)
	h, err := p.header(b, off)
	if err != nil || h.kind != kindOffDelta && h.kind != kindRefDelta {
		return h.size, err
	}
	start, err := b.inflate(p.file, h.data, -20)
	if err != nil {
		return 0, damage(err)
	}
	return deltaSize(start)
}

// kindAt is the kind of the object at an offset: that of what its deltas begin with.
func (p *pack) kindAt(off int64) (kind, error) {
	b := buffers.Get().(*inflater)
	defer buffers.Put(b)
	for range maxChain {
		h, err := p.header(b, off)
		if err != nil {
			return 0, err
		}
		switch h.kind {
		case kindOffDelta:
			off = h.base
		case kindRefDelta:
			var ok bool
			if off, ok = p.offset(h.ref); !ok {
				return 0, errors.New("damaged: a delta without its base")
			}
		default:
			return h.kind, nil
		}
	}
	return 0, errors.New("damaged: endless deltas")
}

// deltaSize is the length of what a delta makes: the second number in its head.
func deltaSize(delta []byte) (int64, error) {
	_, n := binary.Uvarint(delta) // git's numbers are Go's
	if n <= 0 {
		return 0, errors.New("damaged: a delta cut off")
	}
	size, n := binary.Uvarint(delta[n:])
	if n <= 0 || size > math.MaxInt64 {
		return 0, errors.New("damaged: a delta cut off")
	}
	return int64(size), nil
}

// inflater is what one reader needs, reused: making a zlib reader costs more than reading a page.
type inflater struct {
	head [64]byte
	src  window
	z    io.ReadCloser
}

var buffers = sync.Pool{New: func() any { return new(inflater) }}

// inflate reads size bytes whose compressed form begins at off, and compares their checksum. A negative size reads at
// most that many bytes from the beginning, checking nothing.
func (b *inflater) inflate(f *os.File, off, size int64) ([]byte, error) {
	b.src.reset(f, off)
	var err error
	if b.z == nil {
		b.z, err = zlib.NewReader(&b.src)
	} else {
		err = b.z.(zlib.Resetter).Reset(&b.src, nil)
	}
	if err != nil {
		return nil, err
	}
	if size < 0 {
		out := make([]byte, -size)
		n, err := io.ReadFull(b.z, out)
		if err == io.ErrUnexpectedEOF {
			err = nil
		}
		return out[:n], err
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(b.z, out); err != nil {
		return nil, err
	}
	// The checksum is compared only when the end is read.
	var end [1]byte
	if n, err := io.ReadFull(b.z, end[:]); n != 0 || err != io.EOF {
		return nil, cmp.Or(err, errors.New("longer than it says"))
	}
	return out, nil
}

// window is a buffered reader of a file from an offset. It keeps no position in the file, so files are shared.
type window struct {
	f    *os.File
	off  int64
	r, n int
	buf  [8 << 10]byte
}

func (w *window) reset(f *os.File, off int64) { w.f, w.off, w.r, w.n = f, off, 0, 0 }

func (w *window) fill() error {
	n, err := w.f.ReadAt(w.buf[:], w.off)
	w.r, w.n, w.off = 0, n, w.off+int64(n)
	if n > 0 {
		return nil
	}
	return cmp.Or(err, io.ErrUnexpectedEOF)
}

func (w *window) Read(p []byte) (int, error) {
	if w.r == w.n {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.buf[w.r:w.n])
	w.r += n
	return n, nil
}

func (w *window) ReadByte() (byte, error) {
	if w.r == w.n {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	w.r++
	return w.buf[w.r-1], nil
}

// cache keeps objects by where they lie, the bytes of all bounded. Safe for concurrent use.
type cache struct {
	limit int

	mu   sync.Mutex // guards what follows
	lru  *simplelru.LRU[cacheKey, cached]
	size int
}

type cacheKey struct {
	pack   uint64
	offset int64
}

type cached struct {
	kind kind
	data []byte
}

const cachedOverhead = 200 // bytes an entry costs beside its data, roughly

func newCache(limit int) *cache {
	c := &cache{limit: limit}
	c.lru, _ = simplelru.NewLRU(math.MaxInt, func(_ cacheKey, v cached) { c.size -= len(v.data) + cachedOverhead })
	return c
}

func (c *cache) get(k cacheKey) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(k)
}

func (c *cache) put(k cacheKey, v cached) {
	if len(v.data) > maxCached {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lru.Contains(k) {
		return
	}
	c.lru.Add(k, v)
	c.size += len(v.data) + cachedOverhead
	for c.size > c.limit {
		c.lru.RemoveOldest()
	}
}
