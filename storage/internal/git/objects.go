package git

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// This file reads objects. go-git's own storage fails under concurrent readers and goes stale when git repacks, so only
// its delta decoder is used. The rules are:
//
//   - A pack's index is held in memory, checked once; its objects are read with pread. Nothing is shared between
//     readers but the cache, so any number may read at once.
//   - The set of packs is replaced as a whole. A reader that still holds an old one reads on from open files that git
//     has unlinked meanwhile; a reader that misses looks at the folder again, once.
//   - What was read from disk is hashed and compared with its name: a damaged object is an error, never a wrong page.

// kind is an object's type as packs number it.
type kind byte

const (
	kindCommit   kind = 1
	kindTree     kind = 2
	kindBlob     kind = 3
	kindTag      kind = 4
	kindOffDelta kind = 6
	kindRefDelta kind = 7
)

var kindNames = [...]string{kindCommit: "commit", kindTree: "tree", kindBlob: "blob", kindTag: "tag"}

func (k kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "object of kind " + strconv.Itoa(int(k))
}

const (
	maxObject = 256 << 20 // bytes; a larger object is not read into memory
	maxCached = 1 << 20   // bytes; a larger object is not cached
	cacheSize = 32 << 20  // bytes in all
	maxChain  = 4096      // deltas upon deltas; git makes at most 4095
)

// hashObject is the name of an object.
func hashObject(k kind, data []byte) Hash {
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", k, len(data))
	h.Write(data)
	return Hash(h.Sum(nil))
}

// objects reads one folder of objects. Safe for concurrent use.
type objects struct {
	dir   string
	outer *objects // looked into for what is not here: a quarantine's repository
	cache *cache
	packs atomic.Pointer[[]*pack] // largest first; never changed, only replaced

	mu     sync.Mutex // one scan at a time; guards closed
	closed bool
}

// openObjects loads the indexes of all packs in dir.
func openObjects(dir string, outer *objects) (*objects, error) {
	o := &objects{dir: dir, outer: outer}
	if outer != nil {
		o.cache = outer.cache
	} else {
		o.cache = newCache(cacheSize)
	}
	o.packs.Store(new([]*pack))
	return o, o.scan()
}

// close closes all packs. Reads in flight end with an error.
func (o *objects) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, p := range *o.packs.Swap(new([]*pack)) {
		p.file.Close()
	}
}

// scan looks at the folder of packs again. Packs that are still there stay open.
func (o *objects) scan() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return fs.ErrClosed
	}
	names, err := o.list()
	// A listing that git changes meanwhile may lack a new pack as well as the old ones that it replaces.
	for range 5 {
		if err != nil {
			return err
		}
		packs, err := o.openAll(names)
		if err != nil {
			return err
		}
		o.publish(packs)
		again, err := o.list()
		if err == nil && slices.Equal(names, again) {
			return nil
		}
		names = again
	}
	return err
}

// list names the packs that have an index, as paths without extension.
func (o *objects) list() ([]string, error) {
	dir := filepath.Join(o.dir, "pack")
	files, err := os.ReadDir(dir)
	if err != nil && !(o.outer != nil && errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if base, ok := strings.CutSuffix(f.Name(), ".idx"); ok && strings.HasPrefix(base, "pack-") {
			names = append(names, filepath.Join(dir, base))
		}
	}
	return names, nil
}

func (o *objects) openAll(names []string) ([]*pack, error) {
	old := *o.packs.Load()
	var packs []*pack
	for _, path := range names {
		if i := slices.IndexFunc(old, func(p *pack) bool { return p.path == path }); i >= 0 {
			packs = append(packs, old[i])
			continue
		}
		p, err := openPack(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // git is just putting it here or taking it away
		}
		if err != nil {
			return nil, err
		}
		packs = append(packs, p)
	}
	return packs, nil
}

// add makes a pack that was just written known.
func (o *objects) add(path string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, err := openPack(path)
	if err != nil {
		return err
	}
	o.publish(append(slices.Clone(*o.packs.Load()), p))
	return nil
}

func (o *objects) publish(packs []*pack) {
	slices.SortStableFunc(packs, func(a, b *pack) int { return cmp.Compare(b.count, a.count) })
	o.packs.Store(&packs)
}

// read returns an object whole. Do not change the bytes. The error wraps fs.ErrNotExist when there is none.
func (o *objects) read(ctx context.Context, h Hash) (kind, []byte, error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, context.Cause(ctx)
	}
	k, data, err := o.find(h)
	if errors.Is(err, fs.ErrNotExist) {
		if err := o.scan(); err != nil {
			return 0, nil, err
		}
		k, data, err = o.find(h)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("object %s: %w", h, err)
	}
	return k, data, nil
}

// readAs is read for an object that must be of one kind. Another kind wraps fs.ErrNotExist.
func (o *objects) readAs(ctx context.Context, want kind, h Hash) ([]byte, error) {
	k, data, err := o.read(ctx, h)
	if err == nil && k != want {
		return nil, fmt.Errorf("%s %s is a %s: %w", want, h, k, fs.ErrNotExist)
	}
	return data, err
}

// find looks into all packs known, then for a loose object, then into the outer folder. A damaged copy is passed over
// when there is a good one.
func (o *objects) find(h Hash) (kind, []byte, error) {
	var damaged error
	for _, p := range *o.packs.Load() {
		off, ok := p.offset(h)
		if !ok {
			continue
		}
		if e, ok := o.cache.get(cacheKey{p.id, off}); ok {
			return e.kind, e.data, nil
		}
		k, data, err := o.at(p, off, 0)
		if err == nil && hashObject(k, data) != h {
			err = errors.New("damaged: its bytes do not match its name")
		}
		if err == nil {
			o.cache.put(cacheKey{p.id, off}, cached{k, data})
			return k, data, nil
		}
		damaged = fmt.Errorf("%s: %w", filepath.Base(p.path), err)
	}
	k, data, err := o.loose(h)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return k, data, err
	}
	if o.outer != nil {
		if k, data, err = o.outer.find(h); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return k, data, err
		}
	}
	if damaged != nil {
		return 0, nil, damaged
	}
	return 0, nil, fs.ErrNotExist
}

// has reports whether an object is stored, without reading it.
func (o *objects) has(h Hash) bool {
	for _, p := range *o.packs.Load() {
		if _, ok := p.offset(h); ok {
			return true
		}
	}
	if _, err := os.Stat(o.loosePath(h)); err == nil {
		return true
	}
	return o.outer != nil && o.outer.has(h)
}

// size is an object's length in bytes; it does not read the object unless that is cheaper.
func (o *objects) size(ctx context.Context, h Hash) (int64, error) {
	for s := o; s != nil; s = s.outer {
		for _, p := range *s.packs.Load() {
			if off, ok := p.offset(h); ok {
				return p.size(off)
			}
		}
	}
	_, data, err := o.read(ctx, h)
	return int64(len(data)), err
}

// withPrefix lists the objects whose names begin with the hexadecimal digits given, at most limit of them.
func (o *objects) withPrefix(prefix string, limit int) []Hash {
	var found []Hash
	add := func(h Hash) bool {
		if !slices.Contains(found, h) {
			found = append(found, h)
		}
		return len(found) < limit
	}
	var low Hash
	digits := prefix
	if len(digits)%2 == 1 {
		digits += "0"
	}
	hex.Decode(low[:], []byte(digits))
	for _, p := range *o.packs.Load() {
		for i := p.search(low); i < p.count; i++ {
			h := p.name(i)
			if !strings.HasPrefix(h.String(), prefix) || !add(h) {
				break
			}
		}
	}
	loose, _ := os.ReadDir(filepath.Join(o.dir, prefix[:2]))
	for _, e := range loose {
		if h, err := ParseHash(prefix[:2] + e.Name()); err == nil && strings.HasPrefix(h.String(), prefix) && !add(h) {
			break
		}
	}
	return found
}

func (o *objects) loosePath(h Hash) string {
	s := h.String()
	return filepath.Join(o.dir, s[:2], s[2:])
}

func (o *objects) loose(h Hash) (kind, []byte, error) {
	f, err := os.Open(o.loosePath(h))
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	z, err := zlib.NewReader(f)
	if err != nil {
		return 0, nil, fmt.Errorf("damaged: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxObject+64))
	if err != nil {
		return 0, nil, fmt.Errorf("damaged: %w", err)
	}
	if len(raw) >= maxObject {
		return 0, nil, ErrTooLarge
	}
	if Hash(sha1.Sum(raw)) != h {
		return 0, nil, errors.New("damaged: its bytes do not match its name")
	}
	head, data, _ := bytes.Cut(raw, []byte{0})
	name, _, _ := strings.Cut(string(head), " ")
	k := slices.Index(kindNames[:], name)
	if k <= 0 {
		return 0, nil, fmt.Errorf("damaged: kind %.20q", name)
	}
	return kind(k), data, nil
}

// at reads the object at an offset of a pack, deltas resolved.
func (o *objects) at(p *pack, off int64, depth int) (kind, []byte, error) {
	if depth > maxChain {
		return 0, nil, errors.New("damaged: endless deltas")
	}
	h, data, err := p.inflate(off)
	if err != nil {
		return 0, nil, err
	}
	if h.kind != kindOffDelta && h.kind != kindRefDelta {
		return h.kind, data, nil
	}
	k, base, err := o.base(p, h, depth)
	if err != nil {
		return 0, nil, err
	}
	if n, err := deltaSize(data); err != nil || n > maxObject {
		return 0, nil, cmp.Or(err, ErrTooLarge)
	}
	data, err = packfile.PatchDelta(base, data)
	if err != nil {
		return 0, nil, fmt.Errorf("damaged: %w", err)
	}
	return k, data, nil
}

// base reads what a delta is a delta to.
func (o *objects) base(p *pack, h header, depth int) (kind, []byte, error) {
	off := h.base
	if h.kind == kindRefDelta {
		var ok bool
		if off, ok = p.offset(h.ref); !ok {
			return 0, nil, errors.New("damaged: a delta without its base")
		}
	}
	if e, ok := o.cache.get(cacheKey{p.id, off}); ok {
		return e.kind, e.data, nil
	}
	k, data, err := o.at(p, off, depth+1)
	if err == nil {
		o.cache.put(cacheKey{p.id, off}, cached{k, data})
	}
	return k, data, err
}

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

func openPack(path string) (*pack, error) {
	index, err := os.ReadFile(path + ".idx")
	if err != nil {
		return nil, err
	}
	p := &pack{path: path, id: packIDs.Add(1), index: index}
	damaged := func(what string) error { return fmt.Errorf("%s: damaged: %s", path, what) }
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
	if p.file, err = os.Open(path + ".pack"); err != nil {
		return nil, err
	}
	var sum [20]byte
	if st, err := p.file.Stat(); err != nil {
		return nil, err
	} else if _, err := p.file.ReadAt(sum[:], max(0, st.Size()-20)); err != nil || !bytes.Equal(sum[:], index[len(index)-40:len(index)-20]) {
		p.file.Close()
		return nil, damaged("the pack is not the one of its index")
	}
	return p, nil
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
		return h, nil, ErrTooLarge
	}
	data, err := b.inflate(p.file, h.data, h.size)
	if err != nil {
		return h, nil, fmt.Errorf("damaged: %w", err)
	}
	return h, data, nil
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
		return 0, err
	}
	return deltaSize(start)
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

// purge forgets everything.
func (c *cache) purge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Purge()
}
