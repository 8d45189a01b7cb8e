package page

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// Link is a link as the author wrote it.
type Link struct {
	Wiki       bool   // [[…]] or ![[…]]; else a link or image in Markdown or raw HTML
	Embed      bool   // ![[…]] or ![…](…)
	A, B       string // Wiki: the parts before and after the first pipe (B == "" and !Piped without one); Markdown: A is the destination
	Piped      bool
	Start, End int // bytes of the whole link in the source, 0,0 when not known
}

// folderKey is the key of links that name a folder only by where they stand (".", "../", "/"), and of all pages that
// may be a folder's home. No name has it.
const folderKey = "./"

// Keys are the folded names by which a link may find its target, whatever exists today: the backlinks index stores
// them per link. A page p can only be the target of links that share a key with PathKeys(p). A link within its own
// page ("#part") and one to another site have none.
func (l Link) Keys() []string {
	var keys []string
	add := func(part string) {
		if len(part) > maxTarget {
			return
		}
		if rest, ok := strings.CutPrefix(part, including); ok && l.Wiki && rest != "" {
			part = rest
		}
		for _, f := range forms(part, l.Wiki) {
			if f.page == "" {
				continue
			}
			name := path.Clean(f.page)
			if isFolderOnly(name) {
				keys = append(keys, folderKey)
				continue
			}
			keys = append(keys, looseBase(name))
			if isPageName(name) {
				keys = append(keys, looseBase(stripExt(name)))
			}
		}
	}
	if !l.Wiki {
		if !isExternal(l.A) {
			add(l.A)
			if rest, ok := hosted(l.A); ok {
				add(rest)
			}
		}
	} else if a, b := l.parts(); !isURL(a) && !isURL(b) {
		add(a)
		if l.Piped && !isImage(a) {
			add(b)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// PathKeys are the folded names by which links may find p: its own, and for a page that may be the home of its folder
// the folder's.
func PathKeys(p Path) []string {
	keys := []string{looseBase(stripExt(string(p)))}
	if homeRank(p) >= 0 {
		keys = append(keys, folderKey)
		if dir := p.Dir(); dir != "" {
			keys = append(keys, looseBase(dir))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// hosted is the address within the wiki of a Markdown link to "/wiki/Name": hosts of wikis serve pages there. "/wiki"
// and "/wiki/" themselves are not such links.
func hosted(s string) (string, bool) {
	rest, ok := strings.CutPrefix(s, "/wiki/")
	return "/" + rest, ok && rest != ""
}

// parts are both sides of the pipe, trimmed; what stands after a second pipe counts for images only.
func (l Link) parts() (a, b string) {
	a, b = strings.TrimSpace(l.A), strings.TrimSpace(l.B)
	if !isImage(a) {
		b, _, _ = strings.Cut(b, "|")
		b = strings.TrimSpace(b)
	}
	return a, b
}

// form is one way to read a target: a page and a place in it.
type form struct {
	page, fragment string
	split          bool // the fragment was written, though it may be empty
	decoded        bool // percent-encoding was decoded
	skip, size     int  // where in the target, as it is written, the page stands: behind so many bytes, so many long
}

// forms lists the ways to read a target in the order in which they are tried: the whole as a name ("C#"), then split at
// the first "#", then at the last; all of them again with percent-encoding decoded.
func forms(s string, wiki bool) []form {
	list := []form{{page: s, size: len(s)}}
	if i := strings.IndexByte(s, '#'); i >= 0 {
		list = append(list, form{page: s[:i], fragment: s[i+1:], split: true, size: i})
		if j := strings.LastIndexByte(s, '#'); j != i {
			list = append(list, form{page: s[:j], fragment: s[j+1:], split: true, size: j})
		}
	}
	if !wiki { // "pic.png?width=300"
		for _, f := range list {
			if page, _, ok := strings.Cut(f.page, "?"); ok {
				list = append(list, form{page: page, fragment: f.fragment, split: f.split, size: len(page)})
			}
		}
	}
	for _, f := range list {
		page, fragment := unescape(f.page), unescape(f.fragment)
		if page != f.page || fragment != f.fragment {
			f.page, f.fragment, f.decoded = page, fragment, true
			list = append(list, f)
		}
	}
	return list
}

// isFolderOnly tells whether a cleaned target names a folder by its place and not by its name.
func isFolderOnly(clean string) bool {
	return clean == "/" || clean == "." || clean == ".." || strings.HasSuffix(clean, "/..")
}

// isURL tells whether one side of a wiki link is an address on the web.
func isURL(s string) bool {
	if strings.HasPrefix(s, "//") || len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		return true
	}
	scheme, _, ok := strings.Cut(s, "://")
	return ok && len(scheme) > 1 && isScheme(scheme)
}

// isExternal is isURL for Markdown destinations, where any scheme makes a URL.
func isExternal(s string) bool {
	if strings.HasPrefix(s, "//") {
		return true
	}
	scheme, _, ok := strings.Cut(s, ":")
	return ok && len(scheme) > 1 && isScheme(scheme)
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if c >= 'a' && c <= 'z' || i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.') {
			continue
		}
		return false
	}
	return s != ""
}

// isImage tells whether the target's name is that of a picture.
func isImage(s string) bool {
	switch strings.ToLower(path.Ext(s)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".bmp", ".ico":
		return true
	}
	return false
}

// isFile tells whether a name is that of a file that is no page, so that a new page would not be named so.
func isFile(s string) bool {
	if isImage(s) {
		return true
	}
	switch strings.ToLower(path.Ext(s)) {
	case ".pdf", ".zip", ".gz", ".tgz", ".7z", ".csv", ".tsv", ".json", ".yaml", ".yml", ".toml", ".xml", ".txt", ".log",
		".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".odp", ".rtf", ".epub", ".html", ".htm",
		".css", ".js", ".mp3", ".mp4", ".webm", ".ogg", ".wav", ".m4a", ".mov", ".drawio", ".canvas", ".excalidraw":
		return true
	}
	return false
}

const maxPixels = 4096

// imageOptions reads what stands after the name of a picture: "300", "300x200", "x200", "alt=…", "width=300px"; anything
// else is the text. Zero is no size.
func imageOptions(s string) (alt string, width, height int) {
	for opt := range strings.SplitSeq(s, "|") {
		for part := range strings.SplitSeq(opt, ",") {
			part = strings.TrimSpace(part)
			key, value, ok := strings.Cut(part, "=")
			switch key = strings.TrimSpace(key); {
			case ok && key == "alt", ok && key == "title" && alt == "":
				alt = strings.Trim(strings.TrimSpace(value), `"`)
			case ok && key == "width":
				width = pixels(strings.TrimSuffix(strings.TrimSpace(value), "px"))
			case ok && key == "height":
				height = pixels(strings.TrimSuffix(strings.TrimSpace(value), "px"))
			case ok || part == "" || part == "frame" || part == "float":
			default:
				w, h, _ := strings.Cut(part, "x")
				if (w == "" || pixels(w) > 0) && (h == "" || pixels(h) > 0) {
					width, height = pixels(w), pixels(h)
				} else if alt == "" {
					alt = part
				} else {
					alt += ", " + part
				}
			}
		}
	}
	return alt, width, height
}

func pixels(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, maxPixels)
}
