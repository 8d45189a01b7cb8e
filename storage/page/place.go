package page

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file says where the files of a page go, under which name, and how the page shows them.

// obsidianSettings is where an Obsidian vault says in which folder it keeps files.
const obsidianSettings = Path(".obsidian/app.json")

// maxSettings is how much of Obsidian's settings is read, in bytes.
const maxSettings = 64 << 10

// FolderFor is the folder for new files of a page, "" for the top: the one that the wiki which the space comes from would
// take. read gives the bytes of a file, nil if there is none; only an Obsidian vault's settings are read, and a folder in
// them that no file of this wiki may lie in is passed over.
func (pr Profile) FolderFor(at Path, read func(Path) []byte) string {
	switch pr {
	case Gollum:
		return "uploads"
	case Otter:
		return at.Address()
	case Azure:
		return ".attachments"
	case Obsidian:
		if dir, ok := vaultFolder(at, read(obsidianSettings)); ok {
			return dir
		}
	}
	return at.Dir()
}

// vaultFolder reads attachmentFolderPath: "/" is the top, "./" begins at the page's folder, anything else at the top.
func vaultFolder(at Path, settings []byte) (dir string, ok bool) {
	var set struct {
		Folder *string `json:"attachmentFolderPath"`
	}
	if len(settings) == 0 || len(settings) > maxSettings || json.Unmarshal(settings, &set) != nil || set.Folder == nil {
		return "", false
	}
	dir = strings.TrimSuffix(*set.Folder, "/")
	if rest, here := strings.CutPrefix(dir+"/", "./"); here {
		dir = strings.TrimSuffix(join(at.Dir(), rest), "/")
	}
	if dir == "" {
		return "", true
	}
	p, err := ParsePath(dir)
	if err != nil || !p.Served() || CheckNew(Path(dir+"/x")) != nil {
		return "", false
	}
	return dir, true
}

// NamesFile tells whether an address looks like that of a file that is no page.
func NamesFile(address string) bool { return isFile(address) }

// Names of files are kept short enough for "-999" to be added.
const (
	maxFileName = maxNewFile - 4
	maxFileExt  = 20 // bytes; a longer one is no extension
)

// FileName is a name for a file that came from somewhere else: the name itself where it can be stored, else the nearest
// that can; "file" where nothing of it is left. Folders before it go.
func FileName(typed string) string {
	typed = typed[strings.LastIndexAny(typed, `/\`)+1:]
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case invisible(r) || r < ' ' || r >= 0x7f && r < 0xa0:
			return -1
		case strings.ContainsRune(`:*?"<>|`, r):
			return '-'
		}
		return r
	}, strings.ToValidUTF8(typed, "")), " .")
	ext := path.Ext(name)
	if len(ext) > maxFileExt || ext == name {
		ext = ""
	}
	stem := cutName(strings.Trim(strings.TrimSuffix(name, ext), " ."), maxFileName-len(ext))
	if stem == "" || stem == "-" {
		stem = "file"
	}
	if isDevice(stem) || readsAsGit(stem+ext) {
		stem = "_" + strings.ReplaceAll(stem, "~", "-")
	}
	return stem + ext
}

// cutName shortens a name to whole letters.
func cutName(s string, limit int) string {
	for len(s) > limit {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimRight(s, " .")
}

// Numbered is a file's name with a number before its extension: "cat-1.png".
func Numbered(name string, n int) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "-" + strconv.Itoa(n) + ext
}

// Insert is the Markdown that shows a file on a page: a picture as such, any other as a link. The address is relative,
// as other programs read it too; only where pages are not the files' neighbours in addresses (Wiki.js) it begins at the top.
func (pr Profile) Insert(at, file Path) string {
	to := "/" + escapePath(string(file))
	if pr != WikiJS {
		to = escapePath(relative(at.Dir(), string(file)))
		if first, _, _ := strings.Cut(to, "/"); strings.Contains(first, ":") {
			to = "./" + to // else it would read as the scheme of an address
		}
	}
	text := file.Base()
	if isImage(text) {
		return "![" + labelled(stripImageExt(text)) + "](" + to + ")"
	}
	return "[" + labelled(text) + "](" + to + ")"
}

// labelled is a text that stands between brackets as it is.
func labelled(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\[]*_`<>&~=$#!|^%:", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Shortest is the text of a link to a page in the shortest form that means it from another page.
func (in Context) Shortest(from, to Path) string {
	address := to.Address()
	for _, name := range []string{baseOf(address), address, "/" + address} {
		written := "[[" + name + "]]"
		if doc := Parse(from, []byte(written)); len(doc.Links) == 1 && in.Resolve(from, doc.Links[0]).Path == to {
			return written
		}
	}
	return in.Profile.Insert(from, to)
}
