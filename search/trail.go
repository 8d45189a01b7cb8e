// This file keeps the log store: one bbolt file with the commits of each space, what they did to each page, and the
// links and tags of the pages as they are now. The package comment has its bytes.

package search

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// trailVersion names the layout of the file: raise it when the bytes change, or what page.Link.Keys, Doc.Links Doc.Places or
// wiki.Commit.When gives.
const trailVersion = "7"

// Buckets, and the keys of bucketAt.
var (
	bucketMake   = []byte("_") // beside the spaces, whose names cannot begin so
	bucketAt     = []byte("at")
	bucketCommit = []byte("commit")
	bucketRev    = []byte("rev")
	bucketPage   = []byte("page")
	bucketLink   = []byte("link")
	bucketKey    = []byte("key")
	bucketTag    = []byte("tag")
	bucketFolder = []byte("folder")
	bucketGone   = []byte("gone")
	bucketCalled = []byte("called")
	bucketPlace  = []byte("place")

	keyRev    = []byte("rev")
	keyToward = []byte("toward")
	keyNext   = []byte("next")
)

const (
	maxTxCommits = 5000    // each transaction writes almost every page of a large file anew, so that few are better
	maxTxBytes   = 8 << 20 // about what they hold in memory
	maxTxPages   = 500
	maxKey       = 8 << 10 // bytes of a key; longer ones are no names that anybody looks for
)

// trail is the log store.
type trail struct {
	*held[*bolt.DB]
	log *slog.Logger
}

// openTrail opens the store in dir or makes it.
func openTrail(dir string, log *slog.Logger) (*trail, error) {
	log = log.With("store", "log")
	probe := func(db *bolt.DB) error { return proveDB(context.Background(), db) }
	h, err := hold(dir, "log.db", log, maker[*bolt.DB]{openDB, createDB, probe, proveDB, stuckAfter})
	if err != nil {
		return nil, err
	}
	return &trail{held: h, log: log}, nil
}

func openDB(path string) (*bolt.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err // bbolt would make it
	}
	return boltOpen(path)
}

func createDB(path string) (*bolt.DB, error) {
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		return nil, err
	}
	return boltOpen(path)
}

func boltOpen(path string) (*bolt.DB, error) {
	options := *bolt.DefaultOptions
	options.Timeout = 2 * time.Second
	options.FreelistType = bolt.FreelistMapType
	db, err := bolt.Open(path, 0o666, &options)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	err = guard(func() error {
		return db.Update(func(tx *bolt.Tx) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if info.Size() < tx.Size() {
				return fmt.Errorf("%w: it is cut off", errDamaged)
			}
			b, err := tx.CreateBucketIfNotExists(bucketMake)
			if err != nil {
				return err
			}
			switch v := b.Get(keyRev); {
			case v == nil:
				return b.Put(keyRev, []byte(trailVersion))
			case string(v) != trailVersion:
				return errors.New("it is of another make")
			}
			return nil
		})
	})
	if err != nil {
		return nil, errors.Join(err, guard(db.Close))
	}
	return db, nil
}

// proveDB reads the whole file once: each value, each key where it is looked for, and as many commits as there should be.
func proveDB(ctx context.Context, db *bolt.DB) error {
	each := func(b *bolt.Bucket) (n uint64, err error) {
		find := b.Cursor()
		err = b.ForEach(func(k, v []byte) error {
			n++
			unseal(k, v)
			if found, _ := find.Seek(k); !bytes.Equal(found, k) {
				return fmt.Errorf("%w: a key is out of order", errDamaged)
			}
			return ctx.Err()
		})
		return n, err
	}
	return db.View(func(tx *bolt.Tx) error {
		defer unmap(tx) // else a wiki at rest would hold the whole file
		return tx.ForEach(func(space []byte, _ *bolt.Bucket) error {
			if bytes.Equal(space, bucketMake) {
				return nil
			}
			l, err := openBook(tx, string(space))
			if err != nil {
				return fmt.Errorf("%w: %w", errDamaged, err)
			}
			var counts []uint64
			for _, s := range l.shelves() {
				n, err := each(s.Bucket)
				if err != nil {
					return err
				}
				counts = append(counts, n)
			}
			if counts[1] != l.next() || counts[2] != l.next() {
				return fmt.Errorf("%w: of %d commits, %d and %d are there", errDamaged, l.next(), counts[1], counts[2])
			}
			return nil
		})
	})
}

func (t *trail) name() string { return "log" }

// view calls fn, which answers a question, with the buckets of a space. It is not called for a space that the store does
// not know: then the error wraps fs.ErrNotExist.
func (t *trail) view(space string, fn func(book) error) error {
	return t.ask(func(db *bolt.DB) error { return viewBook(db, space, fn) })
}

func viewBook(db *bolt.DB, space string, fn func(book) error) error {
	return db.View(func(tx *bolt.Tx) error {
		l, err := openBook(tx, space)
		if err != nil {
			return err
		}
		return fn(l)
	})
}

// update calls fn with the buckets of a space, which it makes if need be.
func (t *trail) update(life context.Context, space string, fn func(book) error) error {
	return t.within(life, func(db *bolt.DB) error {
		return db.Update(func(tx *bolt.Tx) error {
			l, err := openBook(tx, space)
			if errors.Is(err, fs.ErrNotExist) {
				l, err = makeBook(tx, space)
			}
			if err != nil {
				return err
			}
			return fn(l)
		})
	})
}

func (t *trail) position(space string) (at, toward wiki.Rev, err error) {
	err = t.with(func(db *bolt.DB) error {
		return viewBook(db, space, func(l book) error {
			at, toward = wiki.Rev(l.at.Get(keyRev)), wiki.Rev(l.at.Get(keyToward))
			return nil
		})
	})
	return at, toward, ignoreNew(err)
}

// move takes the commits first, then links and tags. Commits that are there already are left as they are. The last commits
// and the first links are one transaction: a save costs the disk one, beside those of the door. It is fsynced, although
// git has it all: what a disk without power makes of a file that was not is not always to be told from a good one, and
// the door's saves do not get quicker without.
func (t *trail) move(ctx, life context.Context, d wiki.Delta) error {
	rest, err := t.commits(ctx, life, d)
	if err != nil {
		return err
	}
	return t.links(ctx, life, d, rest)
}

// verify has nothing to count: what the log has not read yet is after its position.
func (t *trail) verify(context.Context, context.Context, *wiki.Snapshot) error { return nil }

func (t *trail) clear(_, life context.Context, space string) error {
	return t.within(life, func(db *bolt.DB) error {
		return db.Update(func(tx *bolt.Tx) error {
			if err := tx.DeleteBucket([]byte(space)); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
				return err
			}
			return nil
		})
	})
}

// commits writes the commits of a delta but for the last ones, which it returns.
func (t *trail) commits(ctx, life context.Context, d wiki.Delta) (rest []wiki.Commit, err error) {
	bytes := 0
	for c, err := range d.Commits(ctx) {
		if err != nil {
			return nil, err
		}
		rest = append(rest, c)
		bytes += 200 + len(c.Note)
		for _, f := range c.Files {
			bytes += 100 + len(f.Path) + len(f.From)
		}
		if len(rest) < maxTxCommits && bytes < maxTxBytes {
			continue
		}
		err := t.update(life, d.To.Space(), func(l book) error {
			return errors.Join(l.appendAll(rest), l.at.Put(keyToward, []byte(d.To.Rev())))
		})
		if err != nil {
			return nil, err
		}
		rest, bytes = rest[:0], 0
	}
	return rest, nil
}

// links brings links and tags, and with the last of them the position, to d.To, after the commits that are left.
func (t *trail) links(ctx, life context.Context, d wiki.Delta, commits []wiki.Commit) error {
	space := d.To.Space()
	batch := make(map[page.Path]*said)
	write := func(last bool) error {
		err := t.update(life, space, func(l book) error {
			if err := l.appendAll(commits); err != nil {
				return err
			}
			for p, said := range batch {
				if err := l.putLinks(p, said); err != nil {
					return fmt.Errorf("links of %s: %w", p, err)
				}
			}
			if !last {
				return l.at.Put(keyToward, []byte(d.To.Rev()))
			}
			return errors.Join(l.at.Put(keyRev, []byte(d.To.Rev())), l.at.Delete(keyToward))
		})
		clear(batch)
		commits = nil
		return err
	}
	for c, err := range d.Changes(ctx) {
		if err != nil {
			return err
		}
		if !c.Path.IsPage() {
			continue
		}
		batch[c.Path] = nil
		if c.Kind != 'D' {
			doc, err := digest(ctx, d.To, c.Path)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				t.log.Warn("leave out the links of a page", "space", space, "path", c.Path, "err", err)
			} else {
				batch[c.Path] = saidBy(c.Path, doc)
			}
		}
		if len(batch) >= maxTxPages {
			if err := write(false); err != nil {
				return err
			}
		}
	}
	return write(true)
}

// touched are the files that the commits of a delta have changed, also those that a later one has changed back: at most
// MaxFiles of each commit. There are none for a delta of one commit, and for one from nothing.
func (t *trail) touched(d wiki.Delta) (map[page.Path]bool, error) {
	files := map[page.Path]bool{}
	err := t.view(d.To.Space(), func(l book) error {
		first, ok := l.seq(d.From)
		last, there := l.seq(d.To.Rev())
		if !ok || !there || last <= first+1 {
			return nil
		}
		for n := first + 1; n <= last; n++ {
			c, err := decodeCommit(l.commit.Get(number(n)))
			if err != nil {
				return err
			}
			for _, f := range c.Files {
				files[f.Path] = true
			}
		}
		return nil
	})
	return files, ignoreNew(err)
}

// ignoreNew drops the error that says that the store does not know a space yet. That there is no store remains one.
func ignoreNew(err error) error {
	if errors.Is(err, errNone) {
		return err
	}
	return ignoreUnknown(err)
}

// book is the buckets of one space in one transaction.
type book struct {
	at, commit, rev, page, link, key, tag, folder, gone, called, place shelf
}

func (l book) shelves() []shelf {
	return []shelf{l.at, l.commit, l.rev, l.page, l.link, l.key, l.tag, l.folder, l.gone, l.called, l.place}
}

// shelf is a bucket with a checksum in each value. To read one that is not right is a panic with errDamaged (guard).
type shelf struct{ *bolt.Bucket }

func (s shelf) Get(k []byte) []byte {
	v := s.Bucket.Get(k)
	if v == nil {
		return nil
	}
	return unseal(k, v)
}

func (s shelf) Put(k, v []byte) error {
	return s.Bucket.Put(k, binary.BigEndian.AppendUint32(bytes.Clone(v), checksum(k, v)))
}

// unseal is a value as it was put.
func unseal(k, v []byte) []byte {
	n := len(v) - crc32.Size
	if n < 0 || binary.BigEndian.Uint32(v[n:]) != checksum(k, v[:n]) {
		panic(fmt.Errorf("%w: the checksum of a value", errDamaged))
	}
	return v[:n:n]
}

func checksum(k, v []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(k, table), table, v)
}

func openBook(tx *bolt.Tx, space string) (book, error) {
	b := tx.Bucket([]byte(space))
	if b == nil {
		return book{}, fmt.Errorf("the log of space %q: %w", space, fs.ErrNotExist)
	}
	sub := func(name []byte) shelf { return shelf{b.Bucket(name)} }
	l := book{sub(bucketAt), sub(bucketCommit), sub(bucketRev), sub(bucketPage), sub(bucketLink), sub(bucketKey), sub(bucketTag), sub(bucketFolder), sub(bucketGone), sub(bucketCalled), sub(bucketPlace)}
	for _, s := range l.shelves() {
		if s.Bucket == nil {
			return book{}, fmt.Errorf("%w: a bucket of space %q is missing", errDamaged, space)
		}
	}
	return l, nil
}

func makeBook(tx *bolt.Tx, space string) (book, error) {
	b, err := tx.CreateBucket([]byte(space))
	if err != nil {
		return book{}, err
	}
	for _, name := range [][]byte{bucketAt, bucketCommit, bucketRev, bucketPage, bucketLink, bucketKey, bucketTag, bucketFolder, bucketGone, bucketCalled, bucketPlace} {
		sub, err := b.CreateBucket(name)
		if err != nil {
			return book{}, err
		}
		if string(name) == string(bucketCommit) {
			sub.FillPercent = 0.95 // grows at its end only
		}
	}
	return openBook(tx, space)
}

// next is the number of the commit to come.
func (l book) next() uint64 {
	if v := l.at.Get(keyNext); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// seq is the number of a commit; false when the log does not have it.
func (l book) seq(rev wiki.Rev) (uint64, bool) {
	raw, err := hex.DecodeString(string(rev))
	if err != nil || len(raw) == 0 {
		return 0, false
	}
	v := l.rev.Get(raw)
	if len(v) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(v), true
}

// appendAll adds commits at the end.
func (l book) appendAll(commits []wiki.Commit) error {
	folders := map[page.Path]uint64{}
	for _, c := range commits {
		if err := l.append(c, folders); err != nil {
			return fmt.Errorf("commit %s: %w", c.Rev, err)
		}
	}
	return l.putFolders(folders)
}

// append adds a commit at the end, unless it is there. It notes in which folders the commit has changed something.
func (l book) append(c wiki.Commit, folders map[page.Path]uint64) error {
	if _, there := l.seq(c.Rev); there {
		return nil
	}
	seq := l.next()
	number := binary.BigEndian.AppendUint64(nil, seq)
	raw, err := hex.DecodeString(string(c.Rev))
	if err != nil {
		return err
	}
	value, err := encodeCommit(c)
	if err != nil {
		return err
	}
	for _, err := range []error{
		l.rev.Put(raw, number),
		l.commit.Put(number, value),
		l.at.Put(keyNext, binary.BigEndian.AppendUint64(nil, seq+1)),
	} {
		if err != nil {
			return err
		}
	}
	for _, f := range c.Files {
		if len(f.Path)+len(f.From) > maxKey {
			continue
		}
		for _, p := range []page.Path{f.Path, f.From} {
			for dir := p.Dir(); dir != ""; dir = page.Path(dir).Dir() {
				folders[page.Path(dir)] = seq
			}
		}
		if f.Kind == 'R' {
			if err := l.putEntry(f.From, seq, entry{kind: kindAway, other: f.Path}); err != nil {
				return err
			}
			for _, key := range page.PathKeys(f.From) {
				if err := l.gone.Put(nameKey(key, f.From), nil); err != nil {
					return err
				}
			}
		}
		if err := l.putEntry(f.Path, seq, entry{kind: f.Kind, other: f.From, blob: f.Blob}); err != nil {
			return err
		}
	}
	return nil
}

// putFolders writes down the last commits of folders, in the order of their names: that of the file.
func (l book) putFolders(last map[page.Path]uint64) error {
	for _, dir := range slices.Sorted(maps.Keys(last)) {
		if err := l.folder.Put([]byte(dir), number(last[dir])); err != nil {
			return err
		}
	}
	return nil
}

func (l book) putEntry(p page.Path, seq uint64, e entry) error {
	v, err := e.encode()
	if err != nil {
		return err
	}
	return l.page.Put(entryKey(p, seq), v)
}
