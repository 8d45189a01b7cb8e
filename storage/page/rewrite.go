package page

import (
	"bytes"
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file changes where links lead, and not one byte more. The rules are:
//
//   - Each link of a page is read twice: as it was, and as it would be if nothing were rewritten. One that would still
//     mean the same is left alone, whatever moved.
//   - So is a wiki link with a bare name that no file has: it may be a title, an alias or a name of former days, which are
//     not known here and mean the same from everywhere.
//   - Otherwise some spellings of the new name are tried, nearest to the author's first: a bare name stays bare, a rooted
//     one rooted, with or without extension, encoded or not. The first that is read as what is wanted is written.
//   - Where none is, the link stays as it is and counts as lost; so does one that could not be changed without the page
//     around it being read otherwise. A page that cannot be parsed within bounds is not touched.

// ErrIntricate says that a page's links cannot be changed: it is too intricate to be parsed, or no valid text.
var ErrIntricate = errors.New("the page is too intricate for its links to be changed")

// Moves are files and folders that get other names, as links see it.
type Moves struct {
	Before, After Context           // the space on either side; Also is empty in both
	Files         map[Path]Path     // each file that moves, and where to
	Folders       map[string]string // folders that move with all in them: what is not written yet moves with them
}

// To is the name that a path has afterwards.
func (m Moves) To(p Path) Path {
	if to, ok := m.Files[p]; ok {
		return to
	}
	for dir := p.Dir(); dir != ""; dir = dirOf(dir) {
		if to, ok := m.Folders[dir]; ok {
			return Path(to + string(p[len(dir):]))
		}
	}
	return p
}

func (m Moves) toDir(dir string) string {
	for d := dir; d != ""; d = dirOf(d) {
		if to, ok := m.Folders[d]; ok {
			return to + dir[len(d):]
		}
	}
	return dir
}

// Rewritten is a page after moves.
type Rewritten struct {
	Text    []byte // what it says now: the same slice when nothing had to be changed
	Changed int    // links that are written otherwise
	Lost    int    // links that no longer mean what they meant, as nothing could be written that does
}

// Rewrite makes the links of the page that was at a path mean after the moves what they meant before. The error is
// ErrIntricate.
func Rewrite(at Path, src []byte, m Moves) (Rewritten, error) {
	var out Rewritten
	d := parseLinks(at, src)
	if d.root == nil {
		return Rewritten{Text: src}, ErrIntricate
	}
	was := asker{Names: m.Before.Names.forPage(), pr: m.Before.Profile, from: at}
	is := asker{Names: m.After.Names.forPage(), pr: m.After.Profile, from: m.To(at)}
	type answer struct {
		raw string // how the part is written
		new string // how it must be
		ok  bool
	}
	seen := map[spot]answer{}
	tries := maxTries
	var edits []edit
	for _, s := range d.spots() {
		key := s
		key.a, key.b = span{}, span{}
		r := was.read(s.link)
		text, place := s.part(r.second)
		raw := string(d.source[place.start:place.end])
		a, ok := seen[key]
		if !ok || a.raw != raw {
			a = answer{raw: raw, new: raw, ok: true}
			if want, bound := m.want(s.link, r); bound && !same(is.read(s.link).Target, want) {
				a.new, a.ok = m.respell(was, is, s, r, text, raw, want, &tries)
			}
			seen[key] = a
		}
		switch {
		case !a.ok:
			out.Lost++
		case a.new != raw:
			edits = append(edits, edit{place, a.new})
		}
	}
	if was.short() || is.short() {
		return Rewritten{Text: src}, ErrIntricate
	}
	out.Text, out.Changed = src, len(edits)
	if len(edits) == 0 {
		return out, nil
	}
	if !utf8.Valid(src) {
		return Rewritten{Text: src}, ErrIntricate // places in it are not known
	}
	var failed int
	out.Text, failed = d.changeMost(src, edits)
	out.Changed -= failed
	out.Lost += failed
	return out, nil
}

// edit replaces some bytes of the parsed source.
type edit struct {
	span
	text string
}

// To find the edits that spoil a page it is parsed again and again: so often, and so many bytes in all.
const (
	maxProofs = 32
	maxProven = 3 << 20
)

// changeMost makes all edits that can be made together and be proven, and tells how many are not. To find out which
// those are it halves what fails, within bounds: what it does not come to is not made.
func (d *Doc) changeMost(src []byte, edits []edit) (text []byte, failed int) {
	text = src
	var made []edit
	left := [][]edit{edits} // the next one last
	for proofs := min(maxProofs, 1+maxProven/(len(src)+1)); len(left) > 0 && proofs > 0; proofs-- {
		group := left[len(left)-1]
		left = left[:len(left)-1]
		all := slices.Concat(made, group)
		if out, ok := d.change(src, all); ok {
			made, text = all, out
		} else if half := len(group) / 2; half > 0 {
			left = append(left, group[half:], group[:half])
		}
	}
	return text, len(edits) - len(made)
}

// change makes edits in the bytes that the page was parsed from, and proves that nothing else is read differently.
func (d *Doc) change(src []byte, edits []edit) ([]byte, bool) {
	edits = slices.Compact(slices.SortedFunc(slices.Values(edits), func(a, b edit) int { return a.start - b.start }))
	text, where := normalise(src)
	skip := len(text) - len(d.source)
	var out []byte
	at, plain := 0, true
	for _, e := range edits {
		start, end := where(e.start+skip), where(e.end+skip)
		if start < at || end-start != e.end-e.start {
			return nil, false // lines that overlap, or a text whose places are not known
		}
		out = append(append(out, src[at:start]...), e.text...)
		at = end
		plain = plain && isPlain(e.text)
	}
	out = append(out, src[at:]...)
	return out, plain || d.provenSame(out, edits)
}

// isPlain tells whether a text has only what no parser takes for anything else.
func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= utf8.RuneSelf || c >= 'a' && c <= 'z' || c >= '0' && c <= '9') && strings.IndexByte("/.-_% ,", s[i]) < 0 {
			return false
		}
	}
	return true
}

// provenSame tells whether a text that has been edited has the same links as before, but for those.
func (d *Doc) provenSame(out []byte, edits []edit) bool {
	now := parseLinks(d.Path, out)
	if now.root == nil {
		return false
	}
	before, after := d.spots(), now.spots()
	if len(before) != len(after) {
		return false
	}
	edited := make(map[span]string, len(edits))
	for _, e := range edits {
		edited[e.span] = e.text
	}
	for i, s := range before {
		for _, side := range [][2]span{{s.a, after[i].a}, {s.b, after[i].b}} {
			want, ok := edited[side[0]]
			if !ok {
				want = string(d.source[side[0].start:side[0].end])
			}
			if string(now.source[side[1].start:side[1].end]) != want {
				return false
			}
		}
		if s.how != after[i].how || s.link.Wiki != after[i].link.Wiki || s.link.Embed != after[i].link.Embed {
			return false
		}
	}
	return true
}

// want is what a link must mean after the moves; false for one that no move can change.
func (m Moves) want(l Link, r reading) (Target, bool) {
	t := r.Target
	switch {
	case t.External != "", t.Path == "" && !t.IsDir:
		return t, false
	case l.Wiki && !t.Found && !strings.Contains(r.form.page, "/"):
		return t, false
	case t.IsDir:
		t.Dir = m.toDir(t.Dir)
		return t, true
	}
	t.Path = m.To(t.Path)
	return t, true
}

// same tells whether two targets are one. That a folder has got a home page meanwhile is no other target.
func same(a, b Target) bool {
	return a.External == b.External && a.Path == b.Path && a.Dir == b.Dir && a.IsDir == b.IsDir && a.Found == b.Found && a.Fragment == b.Fragment
}

// maxTries bounds the bytes that are read for a page to find where names end that have escapes.
const maxTries = 8 << 20

// maxEscape is how much longer than what it stands for the beginning of an escape may be.
const maxEscape = 64

// endOf is where the bytes end that are read as a name, from first on; -1 when that is not found with so many tries.
func (h writing) endOf(raw string, first int, name string, tries *int) int {
	if strings.HasPrefix(raw[first:], name) && h.read(name) == name {
		return first + len(name)
	}
	for i := first; i <= len(raw) && *tries > 0; i++ {
		*tries -= i - first
		switch got := h.read(raw[first:i]); {
		case got == name:
			return i
		case len(got) > len(name)+maxEscape:
			return -1
		}
	}
	return -1
}

// hides tells whether a wiki link to a page would be taken for a picture, written anew, that was not before: then the
// page is no longer shown in its place.
func hides(before, after Link, want Target) bool {
	if !after.Wiki || !want.Path.IsPage() {
		return false
	}
	a, _ := before.parts()
	b, _ := after.parts()
	return isImage(b) && !isImage(a)
}

// respell finds how a link must be written to mean what is wanted.
func (m Moves) respell(was, is asker, s spot, r reading, text, raw string, want Target, tries *int) (string, bool) {
	f := r.form
	if f.page == "" {
		return raw, false
	}
	first := f.skip // where the name begins, in raw
	if first+f.size > len(text) || !strings.HasPrefix(raw, text[:first]) {
		return raw, false
	}
	last := s.how.endOf(raw, first, text[first:first+f.size], tries)
	if last < 0 {
		return raw, false
	}
	old := raw[first:last]
	decoded := f.decoded || unescape(old) != old && !strings.Contains(string(r.Path)+r.Dir, "%")
	doubtful := "" // would be ambiguous: only when nothing else will do
	for _, name := range m.spellings(was, is, s.link, r, want, decoded) {
		for _, enc := range s.encodings(name, old, decoded) {
			l := s.link
			part := text[:first] + s.how.read(enc) + text[first+f.size:]
			switch {
			case !l.Wiki:
				l.A = part
			case r.second:
				l.B = part + l.B[min(len(l.B), strings.Index(l.B, text)+len(text)):]
			default:
				l.A = part
			}
			got := is.read(l)
			switch {
			case got.second != r.second || !same(got.Target, want) || hides(s.link, l, want):
			case !got.Ambiguous:
				return raw[:first] + enc + raw[last:], true
			case doubtful == "":
				doubtful = raw[:first] + enc + raw[last:]
			}
		}
	}
	if doubtful != "" {
		return doubtful, true
	}
	return raw, false
}

// spellings lists how a wanted target may be named, what is most like the author's own way first. decoded: the author
// has encoded what stands for the old one.
func (m Moves) spellings(was, is asker, l Link, r reading, want Target, decoded bool) []string {
	name := r.form.page
	wrote := name
	if decoded && !r.form.decoded {
		wrote = unescape(name)
	}
	clean := path.Clean(name)
	old := string(r.Path)
	var ends []string // the target from the top, without and with what may be left out
	full := string(want.Path)
	bare := stripExt(full)
	slash := ""
	if strings.HasSuffix(name, "/") {
		slash = "/"
	}
	switch {
	case r.IsDir:
		ends = []string{want.Dir + slash}
	default:
		byFolder := homeRank(r.Path) >= 0 && (isFolderOnly(clean) || slash != "" || looseBase(stripExt(name)) != looseBase(stripExt(old)))
		if byFolder && want.Path.Dir() == "" {
			ends = append(ends, "")
		} else if byFolder {
			ends = append(ends, want.Path.Dir()+slash)
		}
		if isPageName(clean) && !byFolder && isPageName(full) {
			ends = append(ends, full, bare)
		} else {
			ends = append(ends, bare, full)
		}
	}
	var styled []string
	for _, end := range ends {
		if alike := inStyle(end, wrote, old); alike != end {
			styled = append(styled, alike)
		}
		styled = append(styled, end)
	}
	var all []string
	for _, end := range styled {
		all = append(all, m.ways(was, is, l, r, end)...)
	}
	return all
}

// inStyle writes a name with "-", "_" or "+" for spaces, or with spaces for them, where the author did so with the old
// one: what stands between the words of both is compared, place by place.
func inStyle(end, name, old string) string {
	had, wrote := gaps(old), gaps(name)
	if len(had) != len(wrote) {
		return end
	}
	spaces, signs := "", "" // what the author wrote for spaces, and for what the author wrote spaces
	keptSpaces, keptSigns := false, false
	for i, h := range had {
		w := wrote[i]
		switch a, b := strings.Contains(h, " "), strings.Contains(w, " "); {
		case a && b:
			keptSpaces = true
		case a:
			spaces = cmp.Or(spaces, w[:1])
		case b:
			signs = cmp.Or(signs, h[:1])
		default:
			keptSigns = true
		}
	}
	switch {
	case spaces != "" && !keptSpaces:
		return strings.ReplaceAll(end, " ", spaces)
	case signs != "" && !keptSigns:
		return join(dirOf(end), strings.ReplaceAll(baseOf(end), signs, " "))
	}
	return end
}

// gaps lists what stands between the words of a name's last segment, each a run of spaces and signs that are equal to
// them (see loose).
func gaps(name string) []string {
	name = strings.TrimSuffix(baseOf(stripExt(name)), ".-")
	between := func(r rune) bool { return r == ' ' || r == '-' || r == '_' || r == '+' }
	return strings.FieldsFunc(name, func(r rune) bool { return !between(r) })
}

// ways lists how a path from the top may be written on the page that asks.
func (m Moves) ways(was, is asker, l Link, r reading, end string) []string {
	name := r.form.page
	root := "/" + end
	dir := is.from.Dir()
	if !l.Wiki && is.pr == WikiJS {
		dir = is.from.Address()
	}
	near := relative(dir, end)
	dotted := near
	if !strings.HasPrefix(near, "../") && near != ".." && near != "." {
		dotted = "./" + near
	}
	clean := path.Clean(name)
	switch {
	case clean[0] == '/':
		return []string{root, near}
	case strings.HasPrefix(name, "./") || clean == ".":
		return []string{dotted, root}
	case strings.HasPrefix(clean, ".."):
		return []string{near, dotted, root}
	case l.Wiki && !strings.Contains(clean, "/"):
		return []string{baseOfEnd(end), below(near), end, root}
	}
	// With folders: from the page's own, or from the top, or the end of a path.
	from := was.from.Dir()
	if !l.Wiki && was.pr == WikiJS {
		from = was.from.Address()
	}
	here, inside := within(from, clean)
	leads := func(name string) bool {
		t := was.best([]place{{name: name}}, strings.HasSuffix(r.form.page, "/"))
		return t.Found && t.Path == r.Path || r.IsDir && t.Path == "" && loose(name) == loose(r.Dir) || !r.Found && string(r.Path.Address()) == stripExt(name)
	}
	isNear, isTop := inside && leads(here), leads(clean)
	switch {
	case !l.Wiki && (isNear || !isTop):
		return []string{near, dotted, end, root}
	case !l.Wiki:
		return []string{end, near, root}
	case isTop && !(isNear && is.pr == Gollum):
		return []string{end, below(near), root}
	case isNear:
		return []string{below(near), end, root}
	}
	short := end
	for strings.Count(short, "/") > strings.Count(clean, "/") {
		_, short, _ = strings.Cut(short, "/")
	}
	return []string{short, end, root}
}

// baseOfEnd is the last segment, with the slash that may follow it.
func baseOfEnd(end string) string {
	trimmed := strings.TrimSuffix(end, "/")
	return baseOf(trimmed) + end[len(trimmed):]
}

// below is a relative name as a wiki link may have it without dots, "" for one that leads up.
func below(near string) string {
	if strings.HasPrefix(near, ".") {
		return ""
	}
	return near
}

// relative is the way from a folder to a file, or to another folder.
func relative(dir, end string) string {
	slash := ""
	if strings.HasSuffix(end, "/") {
		end, slash = strings.TrimSuffix(end, "/"), "/"
	}
	up := ""
	for dir != "" && end != dir && !strings.HasPrefix(end, dir+"/") {
		dir = dirOf(dir)
		up += "../"
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(end, dir), "/")
	switch {
	case up == "" && rest == "":
		return "." + slash
	case rest == "":
		return strings.TrimSuffix(up, "/") + slash
	}
	return up + rest + slash
}

// encodings lists how a name may be written where the old one stands as old, the author's way first; none for a name that
// cannot be.
func (s spot) encodings(name, old string, decoded bool) []string {
	if name == "" {
		return nil
	}
	escaped := encode(name, func(c byte) bool {
		if c >= utf8.RuneSelf {
			return decoded && !hasHigh(old)
		}
		return strings.IndexByte(" \"#%<>?[\\]^`{|}()*'", c) >= 0 || c < ' ' || c == '&' && s.how != inBrackets
	})
	asIs := false // may stand there unencoded
	switch s.how {
	case inBrackets:
		switch {
		case strings.ContainsAny(name, "[]|\\\n\r"):
			return nil
		case decoded:
			return []string{escaped, name}
		}
		return []string{name, escaped}
	case inAngles:
		asIs = !strings.ContainsAny(name, "<>\\\n\r&|#?")
	case inQuotes:
		asIs = !strings.ContainsAny(name, "<>\"'`=\n\r&#?") && (strings.Contains(old, " ") || !strings.Contains(name, " "))
	case inBare:
		asIs = !strings.ContainsAny(name, " <>\"'`=\n\r\t&#?")
		escaped = strings.ReplaceAll(escaped, "=", "%3D")
	default:
		asIs = !strings.ContainsAny(name, " <>\\()\n\r\t&|`*[]\"'#?")
	}
	switch {
	case decoded || !asIs:
		return []string{escaped}
	case strings.Contains(name, "%"): // would be understood here, but others decode all destinations
		return []string{escaped, name}
	}
	return []string{name, escaped}
}

func hasHigh(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
}

// encode percent-encodes the bytes that must be.
func encode(s string, must func(byte) bool) string {
	const digits = "0123456789ABCDEF"
	var b bytes.Buffer
	for i := range len(s) {
		if c := s[i]; must(c) {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Uses lists the files that a page links to or shows, each once; none of a page that cannot be parsed within bounds.
func Uses(at Path, src []byte, in Context) []Path {
	var all []Path
	seen := map[Path]bool{}
	d := Parse(at, src)
	for i, t := range d.Targets(in) {
		if t.Found && t.External == "" && !t.IsDir && !seen[t.Path] && d.Links[i].A != "" {
			seen[t.Path] = true
			all = append(all, t.Path)
		}
	}
	return all
}
