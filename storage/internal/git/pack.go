package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// tmpPrefix begins the names of our temporary files in objects/pack. git prune knows tmp_ as rubbish, too.
const tmpPrefix = "tmp_cairn_"

// errSync marks a failed fsync: what the disk holds is unknown from then on.
var errSync = errors.New("fsync")

// disk is how files are made to last. Tests put failures in its place.
type disk struct {
	sync func(*os.File) error
}

var realDisk = disk{sync: (*os.File).Sync}

// file fsyncs an open file. A full disk before anything was promised is no broken disk.
func (d disk) file(f *os.File) error {
	err := d.sync(f)
	if err == nil || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return fmt.Errorf("%w %s: %w", errSync, f.Name(), err)
}

// path fsyncs a file or a folder by name.
func (d disk) path(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.sync(f); err != nil {
		return fmt.Errorf("%w %s: %w", errSync, name, err)
	}
	return nil
}

// writePack stores objects as one pack with its index in dir, durably. It returns the pack's path without extension.
// When it fails nothing of it is left, unless the folder's fsync failed.
func writePack(d disk, dir string, objects []object) (path string, err error) {
	objects = unique(objects)
	if len(objects) > math.MaxInt32 {
		return "", fmt.Errorf("pack of %d objects: %w", len(objects), ErrTooLarge)
	}
	w := packWriter{sum: sha1.New()}
	pack, err := os.CreateTemp(dir, tmpPrefix+"pack_*")
	if err != nil {
		return "", err
	}
	defer os.Remove(pack.Name()) // after the rename there is none
	defer pack.Close()
	w.out = pack
	index, sum, err := w.write(objects)
	if err != nil {
		return "", err
	}
	if err := finish(d, pack); err != nil {
		return "", err
	}
	idx, err := os.CreateTemp(dir, tmpPrefix+"idx_*")
	if err != nil {
		return "", err
	}
	defer os.Remove(idx.Name())
	defer idx.Close()
	if _, err := idx.Write(index); err != nil {
		return "", err
	}
	if err := finish(d, idx); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "pack-"+hex.EncodeToString(sum))
	// The pack first: git looks for indexes and then expects their packs.
	if err := os.Rename(pack.Name(), path+".pack"); err != nil {
		return "", err
	}
	if err := os.Rename(idx.Name(), path+".idx"); err != nil {
		os.Remove(path + ".pack")
		return "", err
	}
	return path, d.path(dir)
}

func finish(d disk, f *os.File) error {
	if err := f.Chmod(0o444); err != nil {
		return err
	}
	if err := d.file(f); err != nil {
		return err
	}
	return f.Close()
}

func unique(objects []object) []object {
	seen := make(map[Hash]bool, len(objects))
	return slices.DeleteFunc(slices.Clone(objects), func(o object) bool {
		again := seen[o.hash]
		seen[o.hash] = true
		return again
	})
}

// packWriter writes the bytes of a pack and remembers what its index needs.
type packWriter struct {
	out io.Writer
	sum interface {
		io.Writer
		Sum([]byte) []byte
	}
	buf bytes.Buffer
	off int64
}

type packed struct {
	hash   Hash
	crc    uint32
	offset int64
}

// write writes the pack and returns the bytes of its index and its checksum. Objects lie in the order given.
func (w *packWriter) write(objects []object) (index, sum []byte, err error) {
	w.buf.WriteString("PACK\x00\x00\x00\x02")
	w.buf.Write(binary.BigEndian.AppendUint32(nil, uint32(len(objects))))
	fast, _ := zlib.NewWriterLevel(&w.buf, zlib.BestSpeed)
	// A large folder is mostly hashes, which do not compress: time spent there is lost on every save in it.
	huffman, _ := zlib.NewWriterLevel(&w.buf, zlib.HuffmanOnly)
	entries := make([]packed, 0, len(objects))
	for _, o := range objects {
		if err := w.flush(); err != nil {
			return nil, nil, err
		}
		size := uint64(len(o.data))
		head := []byte{byte(o.kind)<<4 | byte(size&15)}
		for size >>= 4; size > 0; size >>= 7 {
			head[len(head)-1] |= 0x80
			head = append(head, byte(size&0x7f))
		}
		w.buf.Write(head)
		z := fast
		if o.kind == kindTree && len(o.data) > 32<<10 {
			z = huffman
		}
		z.Reset(&w.buf)
		z.Write(o.data) // into memory: cannot fail
		z.Close()
		entries = append(entries, packed{o.hash, crc32.ChecksumIEEE(w.buf.Bytes()), w.off})
	}
	if err := w.flush(); err != nil {
		return nil, nil, err
	}
	sum = w.sum.Sum(nil)
	if _, err := w.out.Write(sum); err != nil {
		return nil, nil, err
	}
	return packIndex(entries, sum), sum, nil
}

func (w *packWriter) flush() error {
	w.sum.Write(w.buf.Bytes())
	n, err := w.out.Write(w.buf.Bytes())
	w.off += int64(n)
	w.buf.Reset()
	return err
}

// packIndex is an index of version 2.
func packIndex(entries []packed, packSum []byte) []byte {
	slices.SortFunc(entries, func(a, b packed) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	b := make([]byte, 0, idxHead+28*len(entries)+idxTrail)
	b = append(b, "\xfftOc\x00\x00\x00\x02"...)
	n := 0
	for high := range 256 {
		for n < len(entries) && int(entries[n].hash[0]) <= high {
			n++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	for _, e := range entries {
		b = append(b, e.hash[:]...)
	}
	for _, e := range entries {
		b = binary.BigEndian.AppendUint32(b, e.crc)
	}
	var far []int64
	for _, e := range entries {
		if e.offset < 1<<31 {
			b = binary.BigEndian.AppendUint32(b, uint32(e.offset))
		} else {
			b = binary.BigEndian.AppendUint32(b, 1<<31|uint32(len(far)))
			far = append(far, e.offset)
		}
	}
	for _, off := range far {
		b = binary.BigEndian.AppendUint64(b, uint64(off))
	}
	b = append(b, packSum...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}
