package page

import (
	"bytes"
	"strings"
)

// This file reads the tables of redirects that other wikis keep: a line for each name that something had, "old: new".
// They are YAML; no more of it is read than such lines, so that no table costs more than its length.

// RedirectTables are the files that are read, the first one first.
var RedirectTables = [...]Path{".redirects.gollum", ".gitlab/redirects.yml"}

// MaxTable is how many bytes are read of a table.
const MaxTable = 1 << 20

const maxRedirects = 20_000

// Redirects is what tables of redirects say. It does not change. The zero value has none.
type Redirects struct {
	byKey map[string][]Move
	dirs  map[string]string
	to    map[Path][]Move
}

// NewRedirects reads tables against the names that there are: what leads nowhere, or away from a name that is there, is
// left out, and chains are collapsed.
func NewRedirects(n *Names, tables ...[]byte) Redirects {
	next := map[string]string{}
	var order []string
	for _, table := range tables {
		for line := range bytes.Lines(table[:min(len(table), MaxTable)]) {
			from, to, ok := redirectIn(strings.TrimRight(string(line), "\r\n"))
			if _, twice := next[from]; !ok || twice || len(next) == maxRedirects {
				continue
			}
			next[from] = to
			order = append(order, from)
		}
	}
	r := Redirects{byKey: map[string][]Move{}, dirs: map[string]string{}, to: map[Path][]Move{}}
	ends := ends{n, next, map[string]end{}}
	for _, old := range order {
		from, err := ParsePath(old)
		if err != nil {
			continue
		}
		if !from.IsPage() && !isFile(old) {
			from += ".md"
		}
		if n.Has(from) || n.HasDir(old) {
			continue
		}
		switch e := ends.of(next[old]); {
		case e.file != "":
			mv := Move{from, e.file}
			for _, key := range PathKeys(from) {
				r.byKey[key] = append(r.byKey[key], mv)
			}
			r.to[e.file] = append(r.to[e.file], mv)
		case e.dir != "":
			r.dirs[old] = e.dir
		}
	}
	return r
}

// end is where a chain of redirects leads: to a file or a folder that is there, or nowhere.
type end struct {
	file Path
	dir  string
}

// ends finds where chains lead. Each name is looked at once, however many chains go through it.
type ends struct {
	names *Names
	next  map[string]string
	known map[string]end
}

func (e ends) of(name string) end {
	var passed []string
	var to end
	for {
		var ok bool
		if to, ok = e.known[name]; ok {
			break
		}
		if file, ok := e.names.named(name); ok {
			to.file = file
			break
		}
		if e.names.HasDir(name) {
			to.dir = name
			break
		}
		passed = append(passed, name)
		e.known[name] = end{} // where a loop ends
		if name, ok = e.next[name]; !ok {
			break
		}
	}
	for _, name := range passed {
		e.known[name] = to
	}
	return to
}

// named is the page or file of a name with or without its extension.
func (n *Names) named(name string) (Path, bool) {
	if p := Path(name); n.Has(p) {
		return p, p.Served()
	}
	p, ok := n.Near(stripExt(name))
	return p, ok && p.Served()
}

// redirectIn reads one line of a table.
func redirectIn(line string) (from, to string, ok bool) {
	from, line, ok = scalar(line, ":")
	if !ok || from == "" || !strings.HasPrefix(line, ":") {
		return "", "", false
	}
	to, line, ok = scalar(strings.TrimSpace(line[1:]), "#")
	if line = strings.TrimSpace(line); !ok || to == "" || line != "" && line[0] != '#' {
		return "", "", false
	}
	clean := func(s string) string { return strings.Trim(strings.TrimSpace(s), "/") }
	from, to = clean(from), clean(to)
	return from, to, from != "" && to != ""
}

// scalar reads a plain or quoted text from the beginning of a line; a plain one ends before a mark: ": " at the key, " #"
// at the value.
func scalar(s, mark string) (text, rest string, ok bool) {
	if s == "" || strings.IndexByte("#-[{&*!|>%@`? \t", s[0]) >= 0 {
		return "", "", false
	}
	switch s[0] {
	case '"':
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '"':
				return b.String(), s[i+1:], true
			case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == '/'):
				i++
				b.WriteByte(s[i])
			case s[i] == '\\':
				return "", "", false
			default:
				b.WriteByte(s[i])
			}
		}
		return "", "", false
	case '\'':
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] != '\'':
				b.WriteByte(s[i])
			case i+1 < len(s) && s[i+1] == '\'':
				i++
				b.WriteByte('\'')
			default:
				return b.String(), s[i+1:], true
			}
		}
		return "", "", false
	}
	if mark == "#" {
		if i := strings.Index(s, " #"); i >= 0 {
			return strings.TrimSpace(s[:i]), s[i:], true
		}
		return strings.TrimSpace(s), "", true
	}
	i := strings.Index(s+" ", ": ")
	if i < 0 {
		return "", "", false
	}
	return strings.TrimSpace(s[:i]), s[i:], true
}

// Moved are the files that had a name with this key, and where they are now. The caller may append to it.
func (r Redirects) Moved(key string) []Move { return append([]Move(nil), r.byKey[key]...) }

// Folder is where a folder has gone.
func (r Redirects) Folder(dir string) (string, bool) {
	to, ok := r.dirs[dir]
	return to, ok
}

// To are the moves that lead to a file.
func (r Redirects) To(p Path) []Move { return r.to[p] }

// At is where an address leads, by the name that is exactly it: a page's without extension, or a file's.
func (r Redirects) At(address string) (Path, bool) {
	address = strings.Trim(address, "/")
	for _, mv := range r.byKey[looseBase(stripExt(address))] {
		if mv.From.Address() == stripExt(address) {
			return mv.To, true
		}
	}
	return "", false
}
