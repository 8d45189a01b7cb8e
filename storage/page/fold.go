package page

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// This file says when two names are equal. There are four levels, each wider than the one before:
//
//	1 exact      the same in normal form C, with extension
//	2 bare       the same without the page extension
//	3 caseless   the same when Unicode folds case
//	4 loose      space, "-", "_" and "+" are one, runs of them too, "%2D" is what it stands for, and Gitea's
//	             suffix ".-" does not count
//
// Folding works on each segment by itself, so the fold of a folder begins the folds of all that is in it.

// caseless folds for level 3.
func caseless(s string) string {
	if plain(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
}

// loose folds for level 4. It starts from the caseless form, so what is equal at level 3 is equal here.
func loose(s string) string {
	s = caseless(s)
	if !strings.ContainsAny(s, " _+%.-") {
		return s
	}
	segs := strings.Split(s, "/")
	for i, seg := range segs {
		segs[i] = looseSegment(seg)
	}
	return strings.Join(segs, "/")
}

func looseSegment(s string) string {
	if d := unescape(s); d != s {
		s = caseless(d)
	}
	s = strings.TrimSuffix(s, ".-")
	var b strings.Builder
	b.Grow(len(s))
	dash := false
	for i := range len(s) {
		c := s[i]
		if c == ' ' || c == '_' || c == '+' || c == '-' {
			if !dash {
				b.WriteByte('-')
			}
			dash = true
			continue
		}
		dash = false
		b.WriteByte(c)
	}
	return b.String()
}

// looseBase is the last segment of the loose fold; Gitea writes a slash in a name as "%2F", so it is taken afterwards.
func looseBase(s string) string { return baseOf(loose(s)) }

// unescape decodes percent-encoding once; what is not validly encoded text stays as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	d, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(d) {
		return s
	}
	return d
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func nfc(s string) string {
	if plain(s) {
		return s
	}
	return norm.NFC.String(s)
}
