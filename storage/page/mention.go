package page

import (
	"bytes"
	"path"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/util"
	"golang.org/x/text/unicode/norm"
)

// This file finds the pages that may link to a file without parsing them, so that whoever has moved or removed one need
// read all pages but parse few. A link finds a file by the folded last name of what is written (see Link.Keys), and a
// folded name is a row of words: runs of letters, digits and whatever is not ASCII. Nothing that may stand between a text
// and the name that is looked up joins, parts or moves words, but for percent-encoding and entities, which are decoded as
// often as a link could be. So the words of each name are looked for in the text, one behind the other.

// Mentions tells which texts may link to any of some files. It may say yes of one that does not, and never no of one
// that does: what Names.Resolve finds for a link of the text is no file of these then. Make one with NewMentions; it is
// safe for concurrent use.
type Mentions struct {
	names   step
	longest int       // bytes of a word
	begin   [256]bool // lengths of the first words; the last stands for all that are longer
	folder  bool      // a link that names a folder by its place alone may be meant: "../"
	all     bool      // a name has no word
}

// step is how far one is in a row of words.
type step struct {
	next map[string]*step
	end  bool // a name ends here
}

// NewMentions looks for links to these files.
func NewMentions(paths ...Path) *Mentions {
	m := &Mentions{}
	for _, p := range paths {
		for _, key := range PathKeys(p) {
			if key == folderKey {
				m.folder = true
				continue
			}
			at := &m.names
			for word := range runs([]byte(key)) {
				if at == &m.names {
					m.begin[min(len(word), 255)] = true
				}
				m.longest = max(m.longest, len(word))
				if at.next == nil {
					at.next = map[string]*step{}
				}
				to := at.next[string(word)]
				if to == nil {
					to = &step{}
					at.next[string(word)] = to
				}
				at = to
			}
			if at == &m.names {
				m.all = true
			}
			at.end = true
		}
	}
	return m
}

// In tells whether a page of these bytes may link to one of the files.
func (m *Mentions) In(src []byte) bool {
	if m.names.next == nil && !m.all && !m.folder {
		return false
	}
	// Of text that is not text the parser makes something else.
	if m.all || bytes.IndexByte(src, 0) >= 0 || !utf8.Valid(src) {
		return true
	}
	if m.escaped(src) {
		return true
	}
	for range 2 { // a reference to "&" may make another one
		if !hasEntity(src) {
			break
		}
		if bytes.IndexByte(src, '<') >= 0 {
			return true // in raw HTML they are read in another way
		}
		src = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(src)))
		if m.escaped(src) {
			return true
		}
	}
	return false
}

// escaped is mentioned for a text as it stands and with percent-encoding decoded: once by the link, once by the fold.
func (m *Mentions) escaped(src []byte) bool {
	for range 2 {
		if m.mentioned(src) {
			return true
		}
		plain, ok := decode(src)
		if !ok {
			return false
		}
		src = plain
	}
	return m.mentioned(src)
}

func (m *Mentions) mentioned(src []byte) bool {
	if m.folder && namesFolder(src) {
		return true
	}
	f := follower{m: m}
	var low [128]byte
	for i := 0; i < len(src); {
		if c := src[i]; c < utf8.RuneSelf && !alnum[c] {
			i++
			continue
		}
		start := i
		for i < len(src) && src[i] < utf8.RuneSelf && alnum[src[i]] {
			i++
		}
		if i < len(src) && src[i] >= utf8.RuneSelf {
			if i = start + runLen(src[start:]); i == start { // a space
				_, n := utf8.DecodeRune(src[i:])
				i += n
			} else if f.foreign(src[start:i]) {
				return true
			}
			continue
		}
		word := src[start:i]
		if len(word) > m.longest || len(f.at) == 0 && !m.begin[min(len(word), 255)] {
			f.at = f.at[:0]
			continue
		}
		folded := low[:0]
		for _, c := range word {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			folded = append(folded, c)
		}
		if f.word(folded) {
			return true
		}
	}
	return false
}

// follower goes through the words of a text.
type follower struct {
	m  *Mentions
	at []*step // in names that may be what is being read
}

// word takes the next word, and tells whether a name ends with it.
func (f *follower) word(w []byte) bool {
	kept := f.at[:0]
	for _, s := range f.at {
		if next := s.next[string(w)]; next != nil {
			if next.end {
				return true
			}
			kept = append(kept, next)
		}
	}
	f.at = kept
	if next := f.m.names.next[string(w)]; next != nil {
		if next.end {
			return true
		}
		f.at = append(f.at, next)
	}
	return false
}

// maxShrink is how many bytes may become one when Unicode's normal form and case are folded: a letter with its marks.
const maxShrink = 8

// foreign takes a word that is not ASCII.
func (f *follower) foreign(word []byte) bool {
	if len(word) > maxShrink*f.m.longest {
		f.at = f.at[:0]
		return false
	}
	low := simpleFolds()
	var buf [512]byte
	folded := buf[:0]
	for _, r := range string(word) {
		switch {
		case r < utf8.RuneSelf || isHan(r):
			if r >= 'A' && r <= 'Z' {
				r += 'a' - 'A'
			}
		case int(r) < len(low) && low[r] != 0:
			r = low[r]
		default:
			return f.folded(word)
		}
		folded = utf8.AppendRune(folded, r)
	}
	return f.word(folded)
}

// folded is foreign for whatever needs more than a table: folding may also part the word.
func (f *follower) folded(word []byte) bool {
	if bytes.Contains(word, []byte("\u0338")) {
		return true // makes a letter of "<", "=" and ">", which are no part of a word
	}
	for w := range runs([]byte(caseless(string(word)))) {
		if f.word(w) {
			return true
		}
	}
	return false
}

// isHan tells whether r is one of the many letters of China, Japan and Korea that nothing is ever folded to or from.
func isHan(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF || r >= 0xAC00 && r <= 0xD7A3 }

// simpleFolds are the letters of most alphabets as caseless folds them, each by itself; zero where one becomes several,
// or where it may join with the one before.
var simpleFolds = sync.OnceValue(func() []rune {
	low := make([]rune, 1<<16)
	for r := rune(utf8.RuneSelf); int(r) < len(low); r++ {
		if isHan(r) || r >= 0xD800 && r < 0xF900 {
			continue
		}
		folded := []rune(caseless(string(r)))
		if len(folded) != 1 || folded[0] < utf8.RuneSelf && !alnum[folded[0]] || unicode.IsSpace(r) || unicode.IsSpace(folded[0]) {
			continue
		}
		if norm.NFC.PropertiesString(string(r)).BoundaryBefore() && norm.NFC.PropertiesString(string(folded)).BoundaryBefore() {
			low[r] = folded[0]
		}
	}
	return low
})

// runs yields the words of a text.
func runs(s []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(s) > 0 {
			n := runLen(s)
			if n > 0 && !yield(s[:n]) {
				return
			}
			_, skip := utf8.DecodeRune(s[n:])
			s = s[n+skip:]
		}
	}
}

// runLen is how long the word is with which a text begins: 0 if it begins with none.
func runLen(s []byte) int {
	i := 0
	for i < len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			if !alnum[c] {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if unicode.IsSpace(r) { // what is written around a name is trimmed
			break
		}
		i += n
	}
	return i
}

var alnum = func() (is [utf8.RuneSelf]bool) {
	for c := range is {
		is[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	return is
}()

// decode decodes percent-encoding wherever it stands; false if there is none.
func decode(s []byte) ([]byte, bool) {
	at := bytes.IndexByte(s, '%')
	if at < 0 {
		return s, false
	}
	out, any := append(make([]byte, 0, len(s)), s[:at]...), false
	for i := at; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i, any = i+2, true
				continue
			}
		}
		out = append(out, s[i])
	}
	return out, any
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func hasEntity(s []byte) bool {
	for {
		i := bytes.IndexByte(s, '&')
		if i < 0 || i+1 == len(s) {
			return false
		}
		if c := s[i+1]; c == '#' || c < utf8.RuneSelf && alnum[c] {
			return true
		}
		s = s[i+1:]
	}
}

// namesFolder tells whether a text may have a link that is nothing but dots and slashes, or leads up.
func namesFolder(s []byte) bool {
	if bytes.Contains(s, []byte("..")) || bytes.Contains(s, []byte("wiki/")) { // the latter: see hosted
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '.' && s[i] != '/' {
			continue
		}
		start := i
		for i < len(s) && (s[i] == '.' || s[i] == '/') {
			i++
		}
		if (start == 0 || begins(s[start-1])) && (i == len(s) || s[i] >= utf8.RuneSelf || !alnum[s[i]]) && path.Clean(string(s[start:i])) != ".." {
			return true
		}
	}
	return false
}

// begins tells whether a target may begin after this byte.
func begins(c byte) bool {
	return c >= utf8.RuneSelf || bytes.IndexByte([]byte("[(<\"'|=:; \t\n\r\\>"), c) >= 0
}
