// Package accounts is who somebody is and what they may do.
//
// A visitor is somebody without an account. Every space is open: whoever can reach the wiki reads and writes all of it.
// Nobody else decides what somebody may do.
//
// It does not know pages, spaces or requests: a User is handed down, and the door of the wiki asks it.
package accounts

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cairn/storage/page"
)

// User is somebody who reads or writes. The zero User is a visitor who gave no name.
type User struct {
	name string
}

// Visitor is somebody without an account who goes by this name. The name is cleaned of what a signature in git cannot
// hold (control characters, "<" and ">"), and cut to 80 letters; an empty one becomes "Visitor".
func Visitor(name string) User { return User{name: clean(name)} }

// Name is what stands beside the changes that the user makes.
func (u User) Name() string {
	if u.name == "" {
		return "Visitor"
	}
	return u.name
}

// Email is the address in the signature of the user's changes. Visitors have none, so it is one that no mail can reach
// (RFC 2606).
func (u User) Email() string { return "visitor@cairn.invalid" }

// CanRead tells whether the user may see the space at all.
func (u User) CanRead(space string) bool { return true }

// CanWrite tells whether the user may change the file.
func (u User) CanWrite(space string, p page.Path) bool { return true }

// CanManage tells whether the user may change who reads and writes the space. Nobody may yet: every space is open.
func (u User) CanManage(space string) bool { return false }

const maxName = 80 // letters

func clean(name string) string {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "")
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '<' || r == '>':
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > maxName {
		name = strings.TrimSpace(string([]rune(name)[:maxName]))
	}
	// Git drops these from the ends of a name, and refuses one that has nothing else.
	return strings.Trim(name, " .,:;\"'\\")
}
