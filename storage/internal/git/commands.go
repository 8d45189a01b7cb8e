package git

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file reads what a push asks for, before git gets a byte of it: the lines in front of the pack. The rules are:
//
//   - Only what has one meaning is taken: what git might read otherwise than we do is refused. The same bytes then go to
//     git, and its hook must tell the same moves.
//   - A ref is a branch or a tag, has a name that git check-ref-format accepts, and occurs once. Any other ref, as
//     git push --mirror names them, is set aside: git never hears of it, its pusher is told, and the rest goes on, unless
//     all or nothing was asked for.
//   - What is read is bounded, before it is kept.

const (
	maxCommands  = 2 << 20  // bytes in front of the pack that git gets
	maxRefused   = 64 << 20 // bytes there that are read of a push that is refused
	maxRefs      = 4000     // refs in one push
	maxRefsLive  = 200      // beside the live branch: all others wait while they move
	maxRefName   = 1000     // bytes of a ref's name
	maxRefPart   = 240      // bytes between two of its slashes: a file's name, with .lock
	maxPktLine   = 65520    // bytes, with its four digits
	sideBandName = "side-band-64k"
)

// commands is what a push asks for.
type commands struct {
	updates  []RefUpdate
	report   int  // version of the report that is wanted, 1 or 2; 0 for none
	sideBand bool // the answer comes in bands: progress beside the report
	shallow  bool // the pusher's history is cut off somewhere
	atomic   bool // all or nothing is wanted
	aside    []outcome
	raw      []byte
	size     int // bytes read
}

// errProtocol is a push that is none. It wraps fs.ErrInvalid.
var errProtocol = fmt.Errorf("what was sent is no push: %w", fs.ErrInvalid)

// readCommands reads the commands of a push, up to where its pack begins. No updates at all is a client that only tries
// whether it may talk. A refusal is meant for the pusher, and comes with what has been understood of the answer's form;
// any other error wraps fs.ErrInvalid or io.ErrUnexpectedEOF.
func readCommands(in *bufio.Reader, live string) (commands, error) {
	var c commands
	var refused error
	seen := map[string]bool{}
	caps := "" // with a NUL in front, as long as no line for git has them
	for {
		if refused != nil { // git gets nothing of it, but the pusher sends on whatever we say
			c.raw = c.raw[:0]
		}
		before := len(c.raw)
		line, flush, err := c.line(in)
		if err != nil {
			return c, err
		}
		if flush {
			break
		}
		if refused == nil && len(c.raw) > maxCommands {
			refused = tooManyRefs(maxRefs)
		}
		if refused != nil { // what else it asks for gets the same answer: git takes a ref without one for a broken server
			if u, err := parseUpdate(string(line)); err == nil && len(c.updates) < maxRefs {
				c.updates = append(c.updates, u)
			}
			continue
		}
		if hash, ok := bytes.CutPrefix(line, []byte("shallow ")); ok {
			if _, err := ParseHash(string(hash)); err != nil {
				return c, fmt.Errorf("shallow line %.100q: %w", line, errProtocol)
			}
			c.shallow = true
			continue
		}
		text, able, first := bytes.Cut(line, []byte{0})
		if first {
			if len(seen) > 0 || bytes.IndexByte(able, 0) >= 0 {
				return c, fmt.Errorf("second list of capabilities: %w", errProtocol)
			}
			line = text
			refused = c.capabilities(string(able))
		}
		if string(line) == "push-cert" {
			refused = cmp.Or[error](refused, refusal("Signed pushes are not taken here. Push with --no-signed."))
			continue
		}
		u, err := parseUpdate(string(line))
		if err != nil {
			return c, err
		}
		again := seen[u.Name]
		seen[u.Name] = true
		switch {
		case refused != nil:
		case len(seen) > maxRefs:
			refused = tooManyRefs(maxRefs)
		case again:
			refused = refusal(fmt.Sprintf("%s occurs twice in this push. Name each branch and tag once.", told(u.Name)))
		case !isShared(u.Name) && !c.atomic && validRef(u.Name):
			c.aside = append(c.aside, outcome{name: u.Name, refused: "only branches and tags are kept here"})
			c.raw = c.raw[:before]
			if first {
				caps = "\x00" + string(able)
			}
			continue
		default:
			refused = checkRef(u, live)
		}
		if caps != "" && refused == nil {
			whole := string(line) + caps
			if len(whole)+4 > maxPktLine {
				return c, fmt.Errorf("capabilities of %d bytes: %w", len(caps), errProtocol)
			}
			c.raw = fmt.Appendf(c.raw[:before], "%04x%s", len(whole)+4, whole)
			caps = ""
		}
		c.updates = append(c.updates, u)
	}
	if refused == nil && len(c.updates) == 0 && len(c.aside) > 0 {
		refused = onlyShared(c.aside[0].name)
	}
	if refused == nil && seen[live] && len(c.updates) > 1+maxRefsLive {
		refused = tooManyRefs(maxRefsLive)
	}
	return c, refused
}

func tooManyRefs(limit int) refusal {
	return refusal(fmt.Sprintf("Too many branches and tags in one push: at most %d are taken at once, and %d beside the branch with the pages. "+
		"Push them in several.", limit, maxRefsLive))
}

// line reads one pkt-line, and keeps its bytes for git.
func (c *commands) line(in *bufio.Reader) (line []byte, flush bool, err error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, false, fmt.Errorf("the commands of a push: %w", cutShort(err))
	}
	size, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil, size != 0 && size <= 4, size > maxPktLine:
		return nil, false, fmt.Errorf("line that begins with %q: %w", head, errProtocol)
	case c.size > maxRefused:
		return nil, false, fmt.Errorf("commands of more than %d bytes: %w", maxRefused, errProtocol)
	}
	c.size += 4 + int(size)
	c.raw = append(c.raw, head[:]...)
	if size == 0 {
		return nil, true, nil
	}
	from := len(c.raw)
	c.raw = slices.Grow(c.raw, int(size)-4)[:from+int(size)-4]
	if _, err := io.ReadFull(in, c.raw[from:]); err != nil {
		return nil, false, fmt.Errorf("the commands of a push: %w", cutShort(err))
	}
	// As git does: one newline at the end is no part of the line.
	return bytes.TrimSuffix(c.raw[from:], []byte("\n")), false, nil
}

// cutShort is io.ErrUnexpectedEOF for what ends too soon.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// capabilities reads what the client can do, as far as it matters here.
func (c *commands) capabilities(caps string) error {
	for name := range strings.FieldsSeq(caps) {
		switch name, value, _ := strings.Cut(name, "="); name {
		case "atomic":
			c.atomic = true
		case "report-status":
			c.report = max(c.report, 1)
		case "report-status-v2":
			c.report = 2
		case sideBandName:
			c.sideBand = true
		case "push-options":
			return refusal("Options of a push are not taken here. Push without --push-option.")
		case "object-format":
			if value != "sha1" {
				return refusal(fmt.Sprintf("Only repositories with SHA-1 names can be pushed here, not with %s.", told(value)))
			}
		}
	}
	return nil
}

// parseUpdate reads "old new name".
func parseUpdate(line string) (RefUpdate, error) {
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		return RefUpdate{}, fmt.Errorf("command %.100q: %w", line, errProtocol)
	}
	old, err1 := ParseHash(parts[0])
	new, err2 := ParseHash(parts[1])
	if cmp.Or(err1, err2) != nil {
		return RefUpdate{}, fmt.Errorf("command %.100q: %w", line, errProtocol)
	}
	return RefUpdate{Name: parts[2], Old: old, New: new}, nil
}

// isShared tells whether a ref is a branch or a tag.
func isShared(name string) bool {
	return strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/")
}

func onlyShared(name string) refusal {
	return refusal(fmt.Sprintf("Only branches and tags can be pushed here, not %s. Nothing of this push was taken: "+
		"push without it. Instead of --mirror, use --all, and --tags for the tags.", told(name)))
}

// checkRef refuses what is no branch and no tag, has a name that makes trouble, or stands in the way of the live branch: a
// ref is a file, and none can be in a folder's place. What is there by such a name can be removed.
func checkRef(u RefUpdate, live string) error {
	name := u.Name
	_, short, _ := strings.Cut(strings.TrimPrefix(name, "refs/"), "/")
	odd := func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	}
	switch {
	case !isShared(name):
		return onlyShared(name)
	case strings.HasPrefix(name, live+"/"), strings.HasPrefix(live, name+"/"):
		return refusal(fmt.Sprintf("%s cannot be beside %s, which holds the pages. Choose another name.", told(name), told(live)))
	case !validRef(name):
		return refusal(fmt.Sprintf("%s is no name that a branch or a tag can have. Choose another.", told(name)))
	case u.New.IsZero():
	case strings.HasPrefix(short, "-"):
		return refusal(fmt.Sprintf("%s cannot begin with a hyphen: git would take it for an option. Choose another name.", told(short)))
	case short == "HEAD":
		return refusal("No branch or tag can be called HEAD: that is what git calls the one that you are on. Choose another name.")
	case strings.ContainsFunc(short, odd):
		return refusal(fmt.Sprintf("%s has characters in it that nobody sees, or that turn round how the rest is read. Choose another name.", told(short)))
	}
	return nil
}

// validRef tells whether git check-ref-format accepts a ref's name. It is narrower: names are UTF-8, and short enough
// for a file system.
func validRef(name string) bool {
	if len(name) > maxRefName || !utf8.ValidString(name) || strings.Contains(name, "..") || strings.Contains(name, "@{") ||
		strings.HasSuffix(name, ".") || !strings.Contains(name, "/") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || len(part) > maxRefPart || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r)
	})
}

// told is something that a pusher typed, as it can be told back.
func told(name string) string {
	if len(name) > 200 {
		name = strings.ToValidUTF8(name[:200], "") + "…"
	}
	return strconv.Quote(name)
}

// sameUpdates compares what the hook tells with what was read.
func sameUpdates(ours, hooks []RefUpdate) error {
	if !slices.Equal(ours, hooks) {
		return errors.New("git understood the push otherwise than we did")
	}
	return nil
}
