package git

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rawCommit is a commit object, as far as we read it.
type rawCommit struct {
	tree      Hash
	parents   []Hash
	author    Signature
	committer Signature
	encoding  string // of names and message; "" for UTF-8
	message   string
}

// parseCommit reads a commit object. Only the tree must make sense; people have written everything else.
func parseCommit(data []byte) (rawCommit, error) {
	var c rawCommit
	head, message, _ := bytes.Cut(data, []byte("\n\n"))
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			h, err := ParseHash(value)
			if err != nil {
				return c, fmt.Errorf("damaged commit: tree %w", err)
			}
			c.tree = h
		case "parent":
			h, err := ParseHash(value)
			if err != nil {
				return c, fmt.Errorf("damaged commit: parent %w", err)
			}
			c.parents = append(c.parents, h)
		case "author":
			c.author = parseSignature(value)
		case "committer":
			c.committer = parseSignature(value)
		case "encoding":
			c.encoding = value
		}
	}
	if c.tree.IsZero() {
		return c, errors.New("damaged commit: no tree")
	}
	c.message = strings.TrimRight(string(message), "\n")
	return c, nil
}

// parseSignature reads "Name <email> seconds zone", as well as can be.
func parseSignature(s string) Signature {
	var sig Signature
	open, end := strings.IndexByte(s, '<'), strings.LastIndexByte(s, '>')
	if open < 0 || end < open {
		return Signature{Name: strings.TrimSpace(s), When: time.Unix(0, 0).UTC()}
	}
	sig.Name, sig.Email = strings.TrimSpace(s[:open]), s[open+1:end]
	seconds, _, _ := strings.Cut(strings.TrimSpace(s[end+1:]), " ")
	sig.When = parseTime(seconds)
	return sig
}

// parseTime reads Unix seconds; what cannot be a time is the beginning of all time.
func parseTime(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		n = 0
	}
	return time.Unix(n, 0).UTC()
}

func encodeCommit(tree, parent Hash, by Signature, when int64, message string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", tree)
	if !parent.IsZero() {
		fmt.Fprintf(&b, "parent %s\n", parent)
	}
	fmt.Fprintf(&b, "author %s\n", by.line())
	by.When = time.Unix(when, 0)
	fmt.Fprintf(&b, "committer %s\n\n", by.line())
	message = strings.ToValidUTF8(strings.ReplaceAll(message, "\x00", ""), "\uFFFD")
	if message = strings.TrimRight(message, "\n"); message != "" {
		b.WriteString(message + "\n")
	}
	return b.Bytes()
}

// line is the signature as commits and reflogs write it, with what git does not allow in a name left out.
func (s Signature) line() string {
	clean := func(s string) string {
		s = strings.Map(func(c rune) rune {
			if c < ' ' || c == 0x7f || c == '<' || c == '>' {
				return -1
			}
			return c
		}, strings.ToValidUTF8(s, "\uFFFD"))
		return strings.Trim(s, " .,:;\"'\\")
	}
	name, email := clean(s.Name), strings.ReplaceAll(clean(s.Email), " ", "")
	if name == "" {
		name = "nobody"
	}
	return fmt.Sprintf("%s <%s> %d +0000", name, email, max(0, s.When.Unix()))
}

// Show is one commit, without Files: those of many commits come cheaper from Log, and the whole difference from Diff.
// The error wraps fs.ErrNotExist when there is no such commit, also when a commit that is there names it as a parent.
func (r *Repo) Show(ctx context.Context, h Hash) (Commit, error) { return show(ctx, r.objects, h) }

func show(ctx context.Context, o *objects, h Hash) (Commit, error) {
	data, err := o.readAs(ctx, kindCommit, h)
	if err != nil {
		return Commit{}, err
	}
	raw, err := parseCommit(data)
	if err != nil {
		return Commit{}, fmt.Errorf("commit %s: %w", h, err)
	}
	c := Commit{Hash: h, Parents: raw.parents, Author: raw.author, When: raw.committer.When, foreign: raw.encoding != ""}
	c.Message, c.Moved = cutMoved(raw.message)
	return c, nil
}

// Log yields the commits that until has and since has not, parents before children; a zero since is the beginning of
// history. Each comes with the files that it changed. It streams: nothing is held but the commit yielded, and breaking
// off ends the git process behind it. After an error it ends.
//
// A file that was moved is found when its bytes are the same, or when at least half of its text is and the commit is of
// ordinary size: see rename.go. git may have 2 GiB of memory for it; a commit that needs more is an error.
func (r *Repo) Log(ctx context.Context, since, until Hash) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if short, err := r.shortLog(ctx, since, until); err != nil || short != nil {
			for _, c := range short {
				if !yield(c, nil) {
					return
				}
			}
			if err != nil {
				yield(Commit{}, err)
			}
			return
		}
		for c, err := range r.rawLog(ctx, since, until) {
			if err == nil {
				findMoves(ctx, r.objects, &c)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// maxShort is how many commits are looked at without asking git: after a save there are few, and starting git would cost
// more than the save.
const maxShort = 32

// shortLog is Log where until lies a few commits ahead of since on one line, all of them in UTF-8; else it is nil.
func (r *Repo) shortLog(ctx context.Context, since, until Hash) ([]Commit, error) {
	if since.IsZero() {
		return nil, nil
	}
	var all []Commit
	for h := until; h != since; h = all[len(all)-1].Parents[0] {
		c, err := r.Show(ctx, h)
		if err != nil || len(c.Parents) != 1 || c.foreign || len(all) == maxShort {
			return nil, ctx.Err() // git will tell
		}
		all = append(all, c)
	}
	slices.Reverse(all)
	for i := range all {
		c := &all[i]
		from, err := r.Tree(ctx, c.Parents[0])
		if err != nil {
			return nil, err
		}
		to, err := r.Tree(ctx, c.Hash)
		if err != nil {
			return nil, err
		}
		var changes []TreeChange
		for f, err := range Diff(ctx, from, to) {
			if err != nil {
				return nil, err
			}
			changes = append(changes, f)
		}
		moved := r.Moves(ctx, changes, c.Moved)
		c.Files = filesOf(changes, moved)
	}
	return all, nil
}

// filesOf are the changes of a commit as Log tells them: moved files once, under their new names.
func filesOf(changes []TreeChange, moved map[string]string) []FileChange {
	var files []FileChange
	old := map[string]Hash{}
	for _, from := range moved {
		old[from] = Hash{}
	}
	for _, f := range changes {
		if _, ok := old[f.Path]; ok && f.New == (Entry{}) {
			old[f.Path] = f.Old.Hash
		}
	}
	for _, f := range changes {
		from, isMove := moved[f.Path]
		_, left := old[f.Path]
		none := Entry{}
		switch {
		case f.New == none && left:
		case f.New == none:
			files = append(files, FileChange{Kind: 'D', Path: f.Path, Old: f.Old.Hash})
		case isMove:
			files = append(files, FileChange{Kind: 'R', Path: f.Path, From: from, Old: old[from], New: f.New.Hash})
		case f.Old == none:
			files = append(files, FileChange{Kind: 'A', Path: f.Path, New: f.New.Hash})
		default:
			files = append(files, FileChange{Kind: 'M', Path: f.Path, Old: f.Old.Hash, New: f.New.Hash})
		}
	}
	slices.SortFunc(files, func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
	return files
}

// maxLogMemory is what git log may have, in bytes.
const maxLogMemory = 2 << 30

// logFormat writes what git log shall tell of each commit, NUL behind each part: names and messages hold any other byte.
const logFormat = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%at%x00%ct%x00%B%x00"

// rawLog is the log as git tells it, with the moves that are no more than that.
func (r *Repo) rawLog(ctx context.Context, since, until Hash) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if until.IsZero() {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		c := command{dir: r.dir,
			config: []string{"i18n.logOutputEncoding=UTF-8", "log.showSignature=false", "log.showRoot=true"},
			args: []string{"log", "--raw", "-z", "--reverse", "--topo-order", "--find-renames=100%", "-c", "--root", "--no-abbrev",
				"--no-color", "--no-ext-diff", "--no-textconv", "--no-notes", "--no-decorate", "--no-mailmap", "--encoding=UTF-8",
				logFormat, until.String()}}
		if !since.IsZero() {
			c.args = append(c.args, "^"+since.String())
		}
		c.args = append(c.args, "--")
		release, err := c.slot(ctx)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		defer release()
		var said tail
		cmd := c.prepare(ctx)
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			yield(Commit{}, err)
			return
		}
		if err := limitMemory(cmd.Process.Pid, maxLogMemory); err != nil {
			r.log.WarnContext(ctx, "git log runs without a limit of memory", "err", err)
		}
		p := logParser{in: bufio.NewReaderSize(out, 64<<10)}
		for {
			commit, err := p.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				cancel()
				yield(Commit{}, cmp0(c.wait(ctx, cmd, &said), err))
				return
			}
			if !yield(commit, nil) {
				cancel()
				c.wait(ctx, cmd, &said)
				return
			}
		}
		if err := c.wait(ctx, cmd, &said); err != nil {
			yield(Commit{}, err)
		}
	}
}

// cmp0 prefers what the parser did not understand to a process that was killed because of it.
func cmp0(process, parse error) error {
	if errors.Is(process, context.Canceled) {
		return parse
	}
	return errors.Join(parse, process)
}

// logParser reads the output of git log -z --raw with logFormat.
type logParser struct {
	in *bufio.Reader
}

// maxField bounds one part of a commit, in bytes.
const maxField = 64 << 20

// field reads up to the next NUL.
func (p *logParser) field() (string, error) {
	var all []byte
	for {
		part, err := p.in.ReadSlice(0)
		if err == nil && all == nil {
			return string(part[:len(part)-1]), nil
		}
		all = append(all, part...)
		switch {
		case err == nil:
			return string(all[:len(all)-1]), nil
		case err == io.EOF && len(all) == 0:
			return "", io.EOF
		case err == io.EOF:
			return "", io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return "", err
		case len(all) > maxField:
			return "", tooLarge("part of a commit", maxField)
		}
	}
}

// next reads a commit with its files. io.EOF is the end.
func (p *logParser) next() (Commit, error) {
	// git parts commits, and a commit from its files, by NULs and newlines of its own.
	for {
		b, err := p.in.ReadByte()
		if err != nil {
			return Commit{}, err
		}
		if b != 0 && b != '\n' {
			p.in.UnreadByte()
			break
		}
	}
	var parts [7]string
	for i := range parts {
		var err error
		if parts[i], err = p.field(); err != nil {
			return Commit{}, unexpected(err)
		}
	}
	c := Commit{
		Author: Signature{Name: parts[2], Email: parts[3], When: parseTime(parts[4])},
		When:   parseTime(parts[5]),
	}
	c.Message, c.Moved = cutMoved(parts[6])
	var err error
	if c.Hash, err = ParseHash(parts[0]); err != nil {
		return Commit{}, fmt.Errorf("git log: %w", err)
	}
	for parent := range strings.FieldsSeq(parts[1]) {
		h, err := ParseHash(parent)
		if err != nil {
			return Commit{}, fmt.Errorf("git log: %w", err)
		}
		c.Parents = append(c.Parents, h)
	}
	for {
		more, err := p.file(&c)
		if err != nil {
			return Commit{}, unexpected(err)
		}
		if !more {
			return c, nil
		}
	}
}

// file reads one changed file, if the next thing is one.
func (p *logParser) file(c *Commit) (bool, error) {
	for {
		b, err := p.in.Peek(1)
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if b[0] == ':' {
			break
		}
		if b[0] != 0 && b[0] != '\n' {
			return false, nil
		}
		p.in.Discard(1)
	}
	line, err := p.field()
	if err != nil {
		return false, err
	}
	// One colon, and so one mode and hash, for each parent; then the commit's own; then a letter for each parent.
	parents := len(line) - len(strings.TrimLeft(line, ":"))
	parts := strings.Fields(line[parents:])
	if len(parts) != 2*parents+3 {
		return false, fmt.Errorf("git log: line %.200q", line)
	}
	var f FileChange
	if f.Old, err = ParseHash(parts[parents+1]); err == nil {
		f.New, err = ParseHash(parts[2*parents+1])
	}
	if err != nil {
		return false, fmt.Errorf("git log: %w", err)
	}
	letters := parts[2*parents+2]
	if f.Path, err = p.field(); err != nil {
		return false, err
	}
	switch {
	case parents > 1:
		f.Kind = mergeKind(letters)
	case letters[0] == 'R' || letters[0] == 'C':
		f.Kind, f.From = letters[0], f.Path
		if f.Path, err = p.field(); err != nil {
			return false, err
		}
		if f.Kind == 'C' { // only asked for by strange configuration
			f.Kind, f.From, f.Old = 'A', "", Hash{}
		}
	case letters[0] == 'A' || letters[0] == 'D':
		f.Kind = letters[0]
	default: // M, and T for another type
		f.Kind = 'M'
	}
	c.Files = append(c.Files, f)
	return true, nil
}

// mergeKind is the kind of a file that differs from every parent of a merge.
func mergeKind(letters string) byte {
	switch strings.Trim(letters, letters[:1]) {
	case "":
		if letters[0] == 'A' || letters[0] == 'D' {
			return letters[0]
		}
	}
	return 'M'
}

// unexpected is an end where none may be.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
