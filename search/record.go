// This file writes and reads the values of the log store. What cannot be read back is errDamaged.

package search

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// kindAway is the kind of the entry that a move leaves at the old name.
const kindAway = 'r'

// entry is what one commit did to one page; under its name of that time.
type entry struct {
	name  page.Path
	seq   uint64
	kind  byte      // as in wiki.FileChange, or kindAway
	other page.Path // where it was moved from ('R') or to (kindAway)
	blob  string
}

// entryKey sorts the entries of a page together, the newest first.
func entryKey(p page.Path, seq uint64) []byte {
	k := make([]byte, 0, len(p)+9)
	k = append(append(k, p...), 0)
	return binary.BigEndian.AppendUint64(k, ^seq)
}

func (e entry) encode() ([]byte, error) {
	b := []byte{e.kind}
	b, err := appendHex(b, e.blob)
	return append(b, e.other...), err
}

func decodeEntry(p page.Path, k, v []byte) (entry, error) {
	if len(k) != len(p)+9 || len(v) < 2 {
		return entry{}, fmt.Errorf("%w: an entry of %s", errDamaged, p)
	}
	r := reader{b: v[1:]}
	e := entry{name: p, seq: ^binary.BigEndian.Uint64(k[len(p)+1:]), kind: v[0], blob: r.hex()}
	e.other = page.Path(r.b)
	return e, r.err
}

func encodeCommit(c wiki.Commit) ([]byte, error) {
	b, err := appendHex(nil, string(c.Rev))
	if err != nil {
		return nil, err
	}
	b = binary.AppendVarint(b, c.When.Unix())
	b = appendString(b, c.Author)
	b = appendString(b, c.Email)
	b = appendString(b, c.Note)
	b = binary.AppendUvarint(b, uint64(len(c.Parents)))
	for _, p := range c.Parents {
		if b, err = appendHex(b, string(p)); err != nil {
			return nil, err
		}
	}
	files := c.Files[:min(len(c.Files), MaxFiles)]
	b = binary.AppendUvarint(b, uint64(len(c.Files)-len(files)))
	b = binary.AppendUvarint(b, uint64(len(files)))
	for _, f := range files {
		b = append(b, f.Kind)
		b = appendString(b, string(f.Path))
		b = appendString(b, string(f.From))
		if b, err = appendHex(b, f.Blob); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// decodeHead reads who, when and why: all but parents and files.
func decodeHead(v []byte) (Commit, *reader, error) {
	r := &reader{b: v}
	var c Commit
	c.Rev = wiki.Rev(r.hex())
	c.When = time.Unix(r.varint(), 0).UTC()
	c.Author, c.Email, c.Note = r.string(), r.string(), r.string()
	return c, r, r.err
}

func decodeCommit(v []byte) (Commit, error) {
	c, r, err := decodeHead(v)
	if err != nil {
		return c, err
	}
	for n := r.count(); n > 0; n-- {
		c.Parents = append(c.Parents, wiki.Rev(r.hex()))
	}
	c.More = int(r.uvarint())
	for n := r.count(); n > 0; n-- {
		f := wiki.FileChange{Kind: r.byte()}
		f.Path, f.From = page.Path(r.string()), page.Path(r.string())
		f.Blob = r.hex()
		c.Files = append(c.Files, f)
	}
	return c, r.err
}

// encodeLinks writes what is needed to resolve the links of a page again, its tags, and the
// names that it calls itself.
func encodeLinks(links []page.Link, tags, names []string) []byte {
	b := binary.AppendUvarint(nil, uint64(len(links)))
	for _, l := range links {
		var flags byte
		for i, set := range []bool{l.Wiki, l.Embed, l.Piped} {
			if set {
				flags |= 1 << i
			}
		}
		b = append(b, flags)
		b = appendString(b, l.A)
		b = appendString(b, l.B)
	}
	for _, list := range [][]string{tags, names} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendString(b, s)
		}
	}
	return b
}

func decodeLinks(v []byte) (links []page.Link, tags, names []string, err error) {
	r := &reader{b: v}
	for n := r.count(); n > 0; n-- {
		flags := r.byte()
		l := page.Link{Wiki: flags&1 != 0, Embed: flags&2 != 0, Piped: flags&4 != 0}
		l.A, l.B = r.string(), r.string()
		links = append(links, l)
	}
	for n := r.count(); n > 0; n-- {
		tags = append(tags, r.string())
	}
	for n := r.count(); n > 0; n-- {
		names = append(names, r.string())
	}
	return links, tags, names, r.err
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendHex writes an object id as its bytes after their number; "" is a single zero.
func appendHex(b []byte, id string) ([]byte, error) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) > 255 {
		return nil, fmt.Errorf("%q is no object id", id)
	}
	return append(append(b, byte(len(raw))), raw...), nil
}

// reader takes values off b; after the first that is not there it gives zeros and keeps err.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	r.b, r.err = nil, fmt.Errorf("%w: a value is cut off", errDamaged)
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is a number of things to come, each of at least a byte.
func (r *reader) count() uint64 {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return n
}

func (r *reader) string() string { return string(r.take(r.uvarint())) }
func (r *reader) hex() string    { return hex.EncodeToString(r.take(uint64(r.byte()))) }
