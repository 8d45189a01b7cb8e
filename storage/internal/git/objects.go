package git

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
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

func tooLarge(what string, limit int) error {
	return fmt.Errorf("%s of more than %d bytes: %w", what, limit, ErrTooLarge)
}

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

	mu     sync.Mutex       // one scan at a time; guards what follows
	bad    map[string]error // packs that cannot be opened, by path: the others go on without them
	closed bool
}

// openObjects loads the indexes of all packs in dir. Those that are damaged are left out: see spoilt.
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
		if o.bad[path] != nil {
			continue
		}
		p, err := openPack(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // git is just putting it here or taking it away
		}
		if errors.Is(err, errDamagedPack) {
			if o.bad == nil {
				o.bad = map[string]error{}
			}
			o.bad[path] = err
			continue
		}
		if err != nil {
			return nil, err
		}
		packs = append(packs, p)
	}
	return packs, nil
}

// spoilt are the packs that could not be opened, as paths without extension, and forgets them: the next scan tries again.
func (o *objects) spoilt() map[string]error {
	o.mu.Lock()
	defer o.mu.Unlock()
	bad := o.bad
	o.bad = nil
	return bad
}

// add makes a pack that was just written known.
func (o *objects) add(path string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	packs := *o.packs.Load()
	if slices.ContainsFunc(packs, func(p *pack) bool { return p.path == path }) {
		return nil // a scan was quicker
	}
	p, err := openPack(path)
	if err != nil {
		return err
	}
	o.publish(append(slices.Clone(packs), p))
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

// readNamed is readAs for an object that a commit or a tree names: that it is not there is ErrMissing.
func (o *objects) readNamed(ctx context.Context, want kind, h Hash) ([]byte, error) {
	data, err := o.readAs(ctx, want, h)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s %s: %w", want, h, ErrMissing)
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

// readable reports whether an object is stored and not damaged.
func (o *objects) readable(h Hash) bool {
	_, _, err := o.find(h)
	return err == nil
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

// kindOf is what kind of object a name stands for; it reads no contents unless the object is loose. The error wraps
// fs.ErrNotExist when there is none.
func (o *objects) kindOf(ctx context.Context, h Hash) (kind, error) {
	for s := o; s != nil; s = s.outer {
		for _, p := range *s.packs.Load() {
			if off, ok := p.offset(h); ok {
				return p.kindAt(off)
			}
		}
	}
	k, _, err := o.read(ctx, h)
	return k, err
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
		return 0, nil, damage(err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxObject+64))
	if err != nil {
		return 0, nil, damage(err)
	}
	if len(raw) >= maxObject {
		return 0, nil, tooLarge("object", maxObject)
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
	if n, err := deltaSize(data); err != nil {
		return 0, nil, err
	} else if n > maxObject {
		return 0, nil, tooLarge("object", maxObject)
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
