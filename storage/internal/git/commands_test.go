package git

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const capable = "report-status side-band-64k object-format=sha1"

// pkt makes pkt-lines; "" is a flush.
func pkt(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		if line == "" {
			b.WriteString("0000")
		} else {
			fmt.Fprintf(&b, "%04x%s", len(line)+4, line)
		}
	}
	return b.String()
}

// command is a ref's move, as a push asks for it.
func moveLine(old, new Hash, name string) string { return fmt.Sprintf("%s %s %s", old, new, name) }

// packOf is a pack as a pusher sends it.
func packOf(t testing.TB, objects ...object) string {
	t.Helper()
	var b bytes.Buffer
	w := packWriter{out: &b, sum: sha1.New()}
	if _, _, err := w.write(unique(objects)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// commitOf makes a commit of a tree.
func commitOf(tree Hash, message string, parents ...Hash) object {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author A <a@a> 1700000000 +0000\ncommitter A <a@a> 1700000000 +0000\n\n%s", message)
	return object{hashObject(kindCommit, []byte(b.String())), kindCommit, []byte(b.String())}
}

// pushed is what a pusher was told: text, and the report.
type pushed struct{ text, report string }

// rawPush pushes bytes as they are.
func rawPush(t testing.TB, r *Repo, check checker, in string) (pushed, error) {
	t.Helper()
	var out bytes.Buffer
	err := r.ReceivePack(t.Context(), "", strings.NewReader(in), &out, pusherOf(check))
	return bands(t, out.String()), err
}

// bands takes an answer apart.
func bands(t testing.TB, answer string) pushed {
	t.Helper()
	var p pushed
	for rest := answer; len(rest) >= 4; {
		var size int
		if _, err := fmt.Sscanf(rest[:4], "%04x", &size); err != nil || size > len(rest) {
			t.Fatalf("answer %q", answer)
		}
		if size == 0 {
			if rest != "0000" {
				t.Errorf("%q behind the end of the answer", rest[4:])
			}
			break
		}
		switch rest[4] {
		case 1:
			p.report += rest[5:size]
		case 2:
			p.text += rest[5:size]
		default:
			t.Errorf("band %d: %q", rest[4], rest[5:size])
		}
		rest = rest[size:]
	}
	return p
}

// inventory is all that a repository's folder holds, with sizes.
func inventory(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size := int64(0)
		if !d.IsDir() {
			size = info.Size()
		}
		all = append(all, fmt.Sprint(path, " ", info.Mode(), " ", size))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReadCommands(t *testing.T) {
	one, two := blobHash("one"), blobHash("two")
	line := func(name string) string { return moveLine(one, two, name) }
	first := func(name, caps string) string { return line(name) + "\x00" + caps }
	many := func(n int) string {
		lines := []string{first("refs/heads/live", capable)}
		for i := range n {
			lines = append(lines, line(fmt.Sprint("refs/tags/", i)))
		}
		return pkt(append(lines, "")...)
	}
	for _, test := range []struct {
		name, in string
		refused  string // part of a refusal
		err      error  // another error
		updates  int
	}{
		{name: "a push", in: pkt(first("refs/heads/live", capable), line("refs/tags/v1"), ""), updates: 2},
		{name: "with newlines", in: pkt(first("refs/heads/live", capable)+"\n", line("refs/tags/v1")+"\n", ""), updates: 2},
		{name: "from a shallow clone", in: pkt("shallow "+one.String(), first("refs/heads/live", capable), ""), updates: 1},
		{name: "without capabilities", in: pkt(line("refs/heads/live"), ""), updates: 1},
		{name: "a try", in: "0000"},
		{name: "many", in: many(200), updates: 201},

		{name: "below the live branch", in: pkt(first("refs/heads/live/x", capable), ""), refused: "cannot be beside"},
		{name: "above the live branch", in: pkt(first("refs/heads", capable), ""), refused: "Only branches and tags"},
		{name: "twice", in: pkt(first("refs/heads/live", capable), line("refs/heads/live"), ""), refused: "occurs twice"},
		{name: "notes", in: pkt(first("refs/notes/pushes", capable), ""), refused: "Only branches and tags"},
		{name: "all or nothing", in: pkt(first("refs/heads/live", capable+" atomic"), line("refs/replace/x"), ""), refused: "--mirror"},
		{name: "aside, with a bad name", in: pkt(first("refs/heads/live", capable), line("refs/x/../y"), ""), refused: "--mirror"},
		{name: "aside twice", in: pkt(first("refs/heads/live", capable), line("refs/x/y"), line("refs/x/y"), ""), refused: "occurs twice"},
		{name: "aside, and capabilities again", in: pkt(first("refs/x/y", capable), first("refs/heads/live", capable), ""), err: fs.ErrInvalid},
		{name: "an option", in: pkt(first("refs/heads/-x", capable), ""), refused: "begin with a hyphen"},
		{name: "an option as a tag", in: pkt(first("refs/tags/--all", capable), ""), refused: "begin with a hyphen"},
		{name: "HEAD as a branch", in: pkt(first("refs/heads/HEAD", capable), ""), refused: "called HEAD"},
		{name: "the other way round", in: pkt(first("refs/heads/a\u202eb", capable), ""), refused: "turn round"},
		{name: "C1", in: pkt(first("refs/heads/a\u0085b", capable), ""), refused: "nobody sees"},
		{name: "a hyphen further on", in: pkt(first("refs/heads/a-/-b", capable), ""), updates: 1},
		{name: "an odd name goes", in: pkt(moveLine(one, Hash{}, "refs/heads/-x")+"\x00"+capable, moveLine(one, Hash{}, "refs/heads/\u202e"), ""), updates: 2},
		{name: "ours", in: pkt(first("refs/cairn", capable), ""), refused: "Only branches and tags"},
		{name: "HEAD", in: pkt(first("HEAD", capable), ""), refused: "Only branches and tags"},
		{name: "newline in a name", in: pkt(first("refs/heads/a\nb", capable), ""), refused: "no name that"},
		{name: "newline before the capabilities", in: pkt(first("refs/heads/a\n", capable), ""), refused: "no name that"},
		{name: "a space", in: pkt(first("refs/heads/a b", capable), ""), refused: "no name that"},
		{name: "up", in: pkt(first("refs/heads/../../config", capable), ""), refused: "no name that"},
		{name: "lock", in: pkt(first("refs/heads/live.lock", capable), ""), refused: "no name that"},
		{name: "no UTF-8", in: pkt(first("refs/heads/\xff", capable), ""), refused: "no name that"},
		{name: "too many beside the live branch", in: many(201), refused: "at most 200"},
		{name: "too many", in: many(4000), refused: "at most 4000"},
		{name: "too many, long", in: pkt(first("refs/heads/a", capable)) + strings.Repeat(pkt(line("refs/tags/"+strings.Repeat("x", 900))), 50_000) + "0000", refused: ""},
		{name: "signed", in: pkt("push-cert\x00"+capable, "certificate version 0.1\n", "push-cert-end\n", ""), refused: "Signed pushes"},
		{name: "options", in: pkt(first("refs/heads/live", capable+" push-options"), "", "option", ""), refused: "--push-option"},
		{name: "other names", in: pkt(first("refs/heads/live", "object-format=sha256"), ""), refused: "SHA-1"},

		{name: "nothing", in: "", err: io.ErrUnexpectedEOF},
		{name: "cut off in a size", in: "00", err: io.ErrUnexpectedEOF},
		{name: "cut off in a line", in: pkt(first("refs/heads/live", capable))[:60], err: io.ErrUnexpectedEOF},
		{name: "without an end", in: pkt(first("refs/heads/live", capable)), err: io.ErrUnexpectedEOF},
		{name: "no pkt-line", in: "GET / HTTP/1.1", err: fs.ErrInvalid},
		{name: "empty line", in: "00040000", err: fs.ErrInvalid},
		{name: "delimiter", in: "00010000", err: fs.ErrInvalid},
		{name: "too long a line", in: "ffff" + strings.Repeat("x", 70_000), err: fs.ErrInvalid},
		{name: "sign", in: "+0c4" + strings.Repeat("x", 200), err: fs.ErrInvalid},
		{name: "no hash", in: pkt(strings.Repeat("g", 40)+" "+two.String()+" refs/heads/x", ""), err: fs.ErrInvalid},
		{name: "no name", in: pkt(one.String()+" "+two.String(), ""), err: fs.ErrInvalid},
		{name: "git's error", in: pkt("ERR no", ""), err: fs.ErrInvalid},
		{name: "capabilities twice", in: pkt(first("refs/heads/a", capable), first("refs/heads/b", capable), ""), err: fs.ErrInvalid},
		{name: "two NULs", in: pkt(first("refs/heads/a", "x\x00y"), ""), err: fs.ErrInvalid},
		{name: "a strange shallow line", in: pkt("shallow "+one.String()+"\n\n", ""), err: fs.ErrInvalid},
	} {
		const rest = "PACK and so on"
		in := bufio.NewReader(strings.NewReader(test.in + rest))
		if test.err == io.ErrUnexpectedEOF {
			in = bufio.NewReader(strings.NewReader(test.in))
		}
		c, err := readCommands(in, "refs/heads/live")
		told, refused := errors.AsType[refusal](err)
		switch {
		case test.err != nil:
			if !errors.Is(err, test.err) || refused {
				t.Errorf("%s: %v, want %v", test.name, err, test.err)
			}
		case test.refused != "" || strings.HasPrefix(test.name, "too many"):
			if !refused || !strings.Contains(string(told), test.refused) {
				t.Errorf("%s: %v, want %q", test.name, err, test.refused)
			}
			if len(c.raw) > maxCommands+maxPktLine || len(c.updates) > maxRefs+1 {
				t.Errorf("%s: %d bytes and %d refs are kept", test.name, len(c.raw), len(c.updates))
			}
		default:
			left, _ := io.ReadAll(in)
			if err != nil || len(c.updates) != test.updates || string(c.raw) != test.in || string(left) != rest {
				t.Errorf("%s: %d updates, %v; %d bytes for git, want %d; left %q", test.name, len(c.updates), err, len(c.raw), len(test.in), left)
			}
		}
	}
}

// Our judgement of names is git's, or narrower.
func TestValidRef(t *testing.T) {
	for _, name := range []string{
		"refs/heads/main", "refs/heads/a/b", "refs/heads/ä", "refs/heads/-", "refs/heads/@", "refs/heads/a@b", "refs/heads/{", "refs/tags/v1.0",
		"refs/heads/", "refs/heads//a", "refs/heads/a/", "refs/heads/.a", "refs/heads/a/.b", "refs/heads/a.", "refs/heads/a.lock", "refs/heads/a.lock/b",
		"refs/heads/a..b", "refs/heads/a b", "refs/heads/a~", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[",
		"refs/heads/a\\b", "refs/heads/@{", "refs/heads/a@{b", "refs/heads/a\x7f", "refs/heads/a\tb", "refs/heads/a\nb", "refs/heads/a\x01", "main", "@", "",
	} {
		cmd := exec.Command("git", "check-ref-format", name)
		cmd.Env = environ()
		if got, want := validRef(name), cmd.Run() == nil; got != want {
			t.Errorf("%q: %v, git says %v", name, got, want)
		}
	}
	for _, name := range []string{"refs/heads/\xff", "refs/heads/" + strings.Repeat("a", 251), "refs/heads" + strings.Repeat("/a", 1000)} {
		if validRef(name) {
			t.Errorf("%.80q is taken", name)
		}
	}
}

// Pushes whose commands are meant to be read one way by us and another by git are refused, and leave nothing.
func TestPushAttacks(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	_, now := r.Head()
	good := commitOf(now.Hash(), "good", head)
	evilTree := tree(Entry{"passwd", Link, blobHash("/etc/passwd")})
	evil := commitOf(evilTree.hash, "evil", head)
	pack := packOf(t, good, evil, evilTree, object{blobHash("/etc/passwd"), kindBlob, []byte("/etc/passwd")})
	main, caps := "refs/heads/main", "\x00"+capable
	before := inventory(t, r.dir)
	for name, in := range map[string]string{
		"live twice, one judged":   pkt(moveLine(head, evil.hash, main)+caps, moveLine(head, good.hash, main), ""),
		"live twice, after itself": pkt(moveLine(head, good.hash, main)+caps, moveLine(good.hash, evil.hash, main), ""),
		"newline hides the live":   pkt(moveLine(head, evil.hash, "refs/heads/x\n"+moveLine(head, good.hash, main))+caps, ""),
		"line ends the question":   pkt(moveLine(Hash{}, good.hash, "refs/heads/x\n\n")+caps, moveLine(head, evil.hash, main), ""),
		"quarantine by a name":     pkt(moveLine(Hash{}, good.hash, "refs/heads/x\nquarantine /tmp")+caps, ""),
		"replacement":              pkt(moveLine(Hash{}, evil.hash, "refs/replace/"+head.String())+caps, ""),
		"one bad of all or none":   pkt(moveLine(Hash{}, good.hash, "refs/heads/fine")+caps+" atomic", moveLine(Hash{}, good.hash, "refs/notes/pushes"), ""),
		"deletion":                 pkt(moveLine(head, Hash{}, main)+caps, ""),
		"stale":                    pkt(moveLine(Hash{}, good.hash, main)+caps, ""),
		"evil":                     pkt(moveLine(head, evil.hash, main)+caps, ""),
		"evil on a branch":         pkt(moveLine(Hash{}, evil.hash, "refs/heads/x")+caps, ""),
		"evil on a tag":            pkt(moveLine(Hash{}, evil.hash, "refs/tags/x")+caps, ""),
	} {
		told, err := rawPush(t, r, letAll, in+pack)
		if err != nil || strings.Contains(told.report, "ok refs/") || told.text == "" {
			t.Errorf("%s: %v, told %+v", name, err, told)
		}
		if after := inventory(t, r.dir); !slices.Equal(before, after) {
			t.Errorf("%s has left a trace:\n%s\nwas\n%s", name, strings.Join(after, "\n"), strings.Join(before, "\n"))
			before = after
		}
	}
	if now, _ := r.Head(); now != head {
		t.Errorf("head moved to %s", now)
	}
	// Each ref of a push that is refused is told so.
	told, err := rawPush(t, r, letAll, pkt(moveLine(Hash{}, good.hash, "refs/x/a")+caps+" atomic", moveLine(Hash{}, good.hash, "refs/heads/b"), moveLine(head, good.hash, main), "")+pack)
	if err != nil || strings.Count(told.report, "ng refs/") != 3 {
		t.Errorf("%v, told %+v", err, told)
	}
	told, err = rawPush(t, r, letAll, pkt(moveLine(Hash{}, good.hash, "refs/x/a")+caps, moveLine(Hash{}, good.hash, "refs/heads/-b"), moveLine(head, good.hash, main), "")+pack)
	if err != nil || strings.Count(told.report, "ng refs/") != 3 {
		t.Errorf("%v, told %+v", err, told)
	}
	// What is neither a branch nor a tag is refused alone, wherever it stands.
	for i, name := range []string{"refs/heads/b", "refs/heads/c"} {
		lines := []string{moveLine(head, Hash{}, "refs/notes/pushes"), moveLine(Hash{}, good.hash, name), moveLine(Hash{}, evil.hash, "refs/remotes/origin/main")}
		if i == 1 {
			slices.Reverse(lines)
		}
		lines[0] += caps
		told, err = rawPush(t, r, letAll, pkt(append(lines, "")...)+pack)
		if err != nil || !strings.Contains(told.report, "ok "+name+"\n") || strings.Count(told.report, "ng refs/") != 2 {
			t.Errorf("%v, told %+v", err, told)
		}
	}
	if out := run(t, r.dir, "for-each-ref", "--format=%(refname)"); out != "refs/heads/b\nrefs/heads/c\nrefs/heads/main\n" {
		t.Errorf("refs %q", out)
	}
	// The same with nothing wrong is taken.
	told, err = rawPush(t, r, letAll, pkt(moveLine(head, good.hash, main)+caps, "")+pack)
	if err != nil || !strings.Contains(told.report, "ok refs/heads/main\n") {
		t.Errorf("%v, told %+v", err, told)
	}
	fsck(t, r.dir)
}

// What the hook tells must be what was read: here it lies.
func TestHookDiffers(t *testing.T) {
	r := newRepo(t)
	head := put(t, r, "page.md", "one\n")
	_, now := r.Head()
	good := commitOf(now.Hash(), "good", head)
	// A git that understands a push otherwise than we do.
	bin := t.TempDir()
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *receive-pack*) sed 's,refs/heads/draft,refs/heads/other,' | exec %s \"$@\";; *) exec %[1]s \"$@\";; esac\n", real)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	checked := false
	check := func(context.Context, Push) ([]string, error) { checked = true; return nil, nil }
	in := pkt(moveLine(Hash{}, good.hash, "refs/heads/draft")+"\x00report-status", "") + packOf(t, good)
	var out bytes.Buffer
	if err := r.ReceivePack(t.Context(), "", strings.NewReader(in), &out, pusherOf(check)); err != nil {
		t.Error(err)
	}
	if checked || strings.Contains(out.String(), "ok refs/") || !strings.Contains(out.String(), "ng refs/heads/draft") {
		t.Errorf("told %q, checked: %v", out.String(), checked)
	}
	if out := run(t, r.dir, "for-each-ref", "--format=%(refname)"); out != "refs/heads/main\n" {
		t.Errorf("refs %q", out)
	}
}

func FuzzReadCommands(f *testing.F) {
	one := blobHash("one")
	f.Add(pkt(moveLine(Hash{}, one, "refs/heads/main")+"\x00"+capable, moveLine(one, Hash{}, "refs/tags/v1")+"\n", "") + "PACK")
	f.Add(pkt("shallow "+one.String(), moveLine(one, one, "refs/heads/a/b")+"\x00report-status-v2 push-options", ""))
	f.Add(pkt("push-cert\x00", "x", ""))
	f.Add(pkt(moveLine(one, Hash{}, "refs/notes/pushes")+"\x00"+capable, moveLine(Hash{}, one, "refs/heads/a"), moveLine(Hash{}, one, "refs/x/b"), ""))
	f.Add("0000")
	f.Fuzz(func(t *testing.T, in string) {
		r := bufio.NewReader(strings.NewReader(in))
		c, err := readCommands(r, "refs/heads/main")
		if err != nil {
			return
		}
		left, _ := io.ReadAll(r)
		if len(c.aside) == 0 && string(c.raw)+string(left) != in || !strings.HasSuffix(in, string(left)) {
			t.Fatal("git would get other bytes than were sent")
		}
		seen := map[string]bool{}
		for _, u := range c.updates {
			if checkRef(u, "refs/heads/live") != nil || seen[u.Name] || strings.ContainsAny(u.Name, "\n\x00 ") {
				t.Errorf("%q is taken", u.Name)
			}
			seen[u.Name] = true
		}
		if len(c.updates) > maxRefs || seen["refs/heads/main"] && len(c.updates) > maxRefsLive+1 {
			t.Errorf("%d refs are taken", len(c.updates))
		}
		if again, err := readCommands(bufio.NewReader(bytes.NewReader(c.raw)), "refs/heads/main"); err != nil || sameUpdates(c.updates, again.updates) != nil ||
			again.report != c.report || again.sideBand != c.sideBand {
			t.Errorf("git reads %q, %v", c.raw, err)
		}
		// The same updates, written plainly, are read as the same.
		var lines []string
		for i, u := range c.updates {
			line := moveLine(u.Old, u.New, u.Name)
			if i == 0 {
				line += "\x00"
			}
			lines = append(lines, line)
		}
		again, err := readCommands(bufio.NewReader(strings.NewReader(pkt(append(lines, "")...))), "refs/heads/main")
		if err != nil || sameUpdates(c.updates, again.updates) != nil {
			t.Errorf("%v is read again as %v, %v", c.updates, again.updates, err)
		}
	})
}
