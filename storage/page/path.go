package page

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file holds the one parser of paths. Its rules are those of every door (address, form, push, import):
//
//   - valid UTF-8, relative, no empty segment, no "." or "..", no backslash
//   - no control character, no bidirectional override, nothing that takes no width
//   - no segment that git, HFS+ or NTFS would read as ".git"
//   - at most 255 bytes a segment and 32 segments
//
// What passes may exist and is served. What may be created is narrower: see CheckNew.

const (
	maxSegment = 255
	maxDepth   = 32
)

// Path is the path of a file in a space, as git has it: "guide/Set up.md", "images/a.png". Only ParsePath makes one,
// so a Path is always valid UTF-8, relative, free of "." and ".." and of what git, HFS or NTFS would read as ".git".
type Path string

// ParsePath is the one parser for every path that comes from outside. The error is a *NameError (wraps
// fs.ErrInvalid) and offers a path that can be stored.
func ParsePath(s string) (Path, error) {
	if reason := problem(s); reason != "" {
		return "", &NameError{Reason: reason, Offer: offer(s)}
	}
	return Path(s), nil
}

// problem is why s is no path, "" if it is one.
func problem(s string) Reason {
	switch {
	case s == "":
		return "A path cannot be empty."
	case !utf8.ValidString(s):
		return "A path must be valid UTF-8 text."
	case s[0] == '/':
		return "A path cannot begin with “/”."
	case len(s) > maxDepth*(maxSegment+1) || strings.Count(s, "/") >= maxDepth:
		return "A path cannot be more than 32 folders deep."
	}
	for _, r := range s {
		switch {
		case r == '\\':
			return "A path cannot contain a backslash."
		case unicode.IsControl(r):
			return "A path cannot contain control characters."
		case invisible(r):
			return "A path cannot contain invisible characters."
		}
	}
	for seg := range strings.SplitSeq(s, "/") {
		switch {
		case seg == "":
			return "A path cannot contain an empty folder name."
		case seg == "." || seg == "..":
			return "A path cannot contain “.” or “..”."
		case len(seg) > maxSegment:
			return "A name cannot be longer than 255 bytes."
		case readsAsGit(seg):
			return "A path cannot contain a name that git keeps for itself."
		}
	}
	return ""
}

// invisible tells whether r takes no width or turns the direction of text: with such a name one thing
// can look like another. HFS+ ignores most of them, which is how they could hide a ".git".
func invisible(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5,
		r >= 0x180B && r <= 0x180E, r >= 0x200B && r <= 0x200F, r >= 0x2028 && r <= 0x202E,
		r >= 0x2060 && r <= 0x206F, r == 0x3164, r == 0xFEFF, r == 0xFFA0, r >= 0xFFF9 && r <= 0xFFFB,
		r >= 0x1BCA0 && r <= 0x1BCA3, r >= 0x1D173 && r <= 0x1D17A, r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return false
}

// readsAsGit covers ".git" in any case, NTFS's short name, streams (".git::$INDEX_ALLOCATION") and the spaces
// and dots that NTFS drops from the end.
func readsAsGit(seg string) bool {
	seg, _, _ = strings.Cut(seg, ":")
	seg = strings.TrimRight(seg, " .")
	return strings.EqualFold(seg, ".git") || strings.EqualFold(seg, "git~1")
}

// NameError says why a name is no path (from ParsePath) or cannot be stored (from CheckNew), and offers one that can.
type NameError struct {
	Path   Path   // "" if the name is no path
	Reason Reason // a sentence for the writer
	Args   []any  // what Reason speaks of
	Offer  Path   // a name that can be stored, or ""
}

// Reason is why a name cannot be had, in English and in the form of [fmt.Sprintf]: whoever shows it to people may know it
// in their language.
type Reason string

func (e *NameError) Error() string {
	if len(e.Args) == 0 {
		return string(e.Reason)
	}
	return fmt.Sprintf(string(e.Reason), e.Args...)
}

// Unwrap makes every NameError an fs.ErrInvalid.
func (e *NameError) Unwrap() error { return fs.ErrInvalid }

const maxNewFile = 245

// CheckNew says whether a new file may have this name: one that every system can check out and no address of ours
// hides. The error is a *NameError (wraps fs.ErrInvalid) and offers a name that can be stored. Files that exist
// already and break these rules are served all the same. Whether the name differs enough from those that exist is
// for Names.Twin to say.
func CheckNew(p Path) error {
	reason := newProblem(p)
	if reason == "" {
		return nil
	}
	return &NameError{Path: p, Reason: reason, Offer: offer(string(p))}
}

func newProblem(p Path) Reason {
	if reason := problem(string(p)); reason != "" {
		return reason
	}
	segs := strings.Split(string(p), "/")
	if segs[0] == "-" || p.Address() == "-" {
		return "The name “-” is used by the wiki itself."
	}
	for i, seg := range segs {
		stem := seg
		if i == len(segs)-1 {
			stem = stripExt(seg)
			if len(seg) > maxNewFile {
				return "The name is too long: at most 245 bytes."
			}
			if stem != seg && isPageName(stem) {
				return "The name ends in a page extension twice."
			}
		}
		switch {
		case strings.ContainsAny(seg, `\:*?"<>|`):
			return `A name cannot contain any of \ : * ? " < > |`
		case strings.Trim(seg, " .") != seg || strings.Trim(stem, " .") != stem || stem == "":
			return "A name cannot begin or end with a space or a dot."
		case isDevice(seg):
			return "Windows keeps this name for a device, so the page could not be checked out there."
		}
	}
	return ""
}

// maxMended is how long a name may be for an offer to be made, in bytes.
const maxMended = 64 << 10

// offer mends a name segment by segment; "" if what comes out still cannot be stored.
func offer(s string) Path {
	if len(s) > maxMended {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || invisible(r):
			return -1
		case strings.ContainsRune(`\:*?"<>|`, r):
			return '-'
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	segs := slices.DeleteFunc(strings.Split(s, "/"), func(seg string) bool { return strings.Trim(seg, " .") == "" })
	if len(segs) == 0 {
		return ""
	}
	for i, seg := range segs {
		ext := ""
		if i == len(segs)-1 {
			stem := stripExt(seg)
			ext = seg[len(stem):]
			seg = stem
			for isPageName(seg) {
				seg = stripExt(seg)
			}
		}
		seg = strings.Trim(seg, " .")
		if readsAsGit(seg) {
			seg = strings.ReplaceAll(seg, "~", "-")
		}
		if isDevice(seg) {
			seg = "_" + seg
		}
		limit := maxNewFile - len(ext)
		for len(seg) > limit {
			_, n := utf8.DecodeLastRuneInString(seg)
			seg = seg[:len(seg)-n]
		}
		segs[i] = strings.TrimRight(seg, " .") + ext
	}
	if segs[0] == "-" {
		segs[0] = "_"
	}
	q := Path(strings.Join(segs, "/"))
	if newProblem(q) != "" {
		return ""
	}
	return q
}

// isDevice tells whether Windows reads the name as a device, whatever its extension.
func isDevice(seg string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(seg), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if rest, ok := strings.CutPrefix(stem, "COM"); ok || strings.HasPrefix(stem, "LPT") {
		if !ok {
			rest = stem[3:]
		}
		switch rest {
		case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
			return true
		}
	}
	return false
}

// pageExts are the extensions of pages, in the order in which an address prefers them.
var pageExts = [...]string{".md", ".markdown", ".mkd", ".mkdn", ".mdown"}

func isPageName(s string) bool { return len(stripExt(s)) != len(s) }

// stripExt takes the page extension off, whatever its case; a name that is nothing but an extension keeps it.
func stripExt(s string) string {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || s[i-1] == '/' {
		return s
	}
	for _, ext := range pageExts {
		if strings.EqualFold(s[i:], ext) {
			return s[:i]
		}
	}
	return s
}

// IsPage tells whether the file is a page: its name ends in .md, .markdown, .mkd, .mkdn or .mdown, in any case.
func (p Path) IsPage() bool { return isPageName(string(p)) }

// Address is what stands in the page's URL after the space: the path without ".md". Other page extensions go too;
// a file that is no page keeps its whole path.
func (p Path) Address() string { return stripExt(string(p)) }

// Dir is the folder, "" for the top.
func (p Path) Dir() string { return dirOf(string(p)) }

func dirOf(s string) string { return s[:max(0, strings.LastIndexByte(s, '/'))] }

// Base is the last segment, with extension.
func (p Path) Base() string { return baseOf(string(p)) }

func baseOf(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// Title is the file name as a title: no page extension, "-" and "_" as spaces. Azure's "%2D" and Gitea's suffix ".-"
// are the two ways in which other wikis write a hyphen that is meant.
func (p Path) Title() string {
	name := stripExt(p.Base())
	title := name
	if literal, ok := strings.CutSuffix(name, ".-"); ok {
		title = literal
	} else {
		title = strings.NewReplacer("-", " ", "_", " ").Replace(title)
	}
	title = strings.TrimSpace(unescape(title))
	if title == "" {
		return name
	}
	return title
}

// IsBar tells whether the page is a header, sidebar or footer of a folder: it is shown beside pages, not as one.
func (p Path) IsBar() bool {
	if !p.IsPage() {
		return false
	}
	switch strings.ToLower(stripExt(p.Base())) {
	case "_sidebar", "_header", "_footer":
		return true
	}
	return false
}

// Hidden tells whether lists, search and statistics leave the file out: a name in the path begins with a dot, or it is
// a bar. Hidden files are served if asked for, unless Served says otherwise.
func (p Path) Hidden() bool {
	return strings.HasPrefix(string(p), ".") || strings.Contains(string(p), "/.") || p.IsBar()
}

// Listed tells whether this is a page that lists, counts and search show: one that is served and not hidden.
func (p Path) Listed() bool { return p.IsPage() && !p.Hidden() && p.Served() }

// Served tells whether the file is ever shown to anybody. Settings of git, Obsidian, GitLab and of this wiki are not,
// nor is what an application route hides.
func (p Path) Served() bool {
	if strings.HasPrefix(string(p), "-/") {
		return false
	}
	if !strings.HasPrefix(string(p), ".") && !strings.Contains(string(p), "/.") {
		return true
	}
	for seg := range strings.SplitSeq(strings.ToLower(string(p)), "/") {
		if strings.HasPrefix(seg, ".git") || strings.HasPrefix(seg, ".cairn") || seg == ".obsidian" || seg == ".trash" {
			return false
		}
	}
	return true
}

// URL is the escaped URL path of a file or page in a space: "/go/guide/Set%20up". Names.Page finds a page by what
// stands after the space.
func URL(space string, p Path) string {
	return "/" + space + "/" + escapePath(p.Address())
}

func escapePath(s string) string {
	segs := strings.Split(s, "/")
	for i, seg := range segs {
		segs[i] = url.PathEscape(seg)
	}
	return strings.Join(segs, "/")
}
