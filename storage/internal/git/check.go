package git

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
)

// This file looks whether a repository is sound. It writes nothing and takes no lock, so that the repository may be in
// use. What git says is put into sentences; much of it says one thing many times.

// Health is what Check has found.
type Health struct {
	Head  Hash     // of the live branch; zero before its first commit, or when it cannot be read
	Wrong []string // what is wrong, as sentences without their stop; nil: nothing
	Odd   int      // objects that today's git would write otherwise, as old histories have them: no damage
}

// Check examines the repository at dir with git fsck, and calls file for each file of the live branch's head, with the
// error when it cannot be read. A folder that cannot be read comes as a file, with its error.
func Check(ctx context.Context, dir string, file func(path string, e Entry, err error)) (Health, error) {
	var h Health
	refs, err := ReadRefs(ctx, dir)
	switch {
	case ctx.Err() != nil:
		return h, context.Cause(ctx)
	case err != nil:
		h.Wrong = append(h.Wrong, fmt.Sprintf("its branches cannot be read (%v)", err))
	}
	h.Head = refs.Head
	said, err := complain(ctx, dir)
	if err != nil {
		return h, err
	}
	h.Wrong, h.Odd = append(h.Wrong, said.sentences()...), len(said.odd)
	if h.Head.IsZero() {
		return h, nil
	}
	objects, err := openObjects(filepath.Join(dir, "objects"), nil)
	if err != nil {
		h.Wrong = append(h.Wrong, fmt.Sprintf("its packs cannot be opened (%v)", err))
		return h, nil
	}
	defer objects.close()
	tree, err := treeOf(ctx, objects, h.Head)
	if err != nil {
		h.Wrong = append(h.Wrong, fmt.Sprintf("its newest revision cannot be read (%v)", err))
		return h, nil
	}
	left := maxEntries
	err = checkFolder(ctx, tree, "", 0, &left, file)
	if err != nil && ctx.Err() == nil {
		h.Wrong, err = append(h.Wrong, err.Error()), nil
	}
	return h, err
}

func checkFolder(ctx context.Context, t *Tree, dir string, depth int, left *int, file func(string, Entry, error)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := t.ReadDir(ctx, dir)
	if err != nil {
		file(dir, Entry{Mode: Dir}, err)
		return nil
	}
	if *left -= len(entries); *left < 0 || depth > maxDepth {
		return fmt.Errorf("it has more files or deeper folders than can be shown, at %.200q", dir)
	}
	for _, e := range entries {
		path := e.Name
		if dir != "" {
			path = dir + "/" + e.Name
		}
		switch e.Mode {
		case Dir:
			if err := checkFolder(ctx, t, path, depth+1, left, file); err != nil {
				return err
			}
		case Sub:
			file(path, e, nil)
		default:
			_, err := t.Blob(ctx, e)
			file(path, e, err)
		}
	}
	return nil
}

// complain asks git fsck. When it complains it is asked again: a wiki that runs may have rolled up what it was reading.
func complain(ctx context.Context, dir string) (*complaints, error) {
	for again := false; ; again = true {
		said := new(complaints)
		c := command{dir: dir, stdout: said, stderr: said, args: []string{"fsck", "--full", "--strict", "--no-dangling", "--no-reflogs", "--no-progress"}}
		err := c.run(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		said.flush()
		if err != nil && exitCode(err) < 0 {
			return nil, err
		}
		if err != nil && len(said.sentences()) == 0 && len(said.odd) == 0 {
			said.keep(&said.others, err.Error())
		}
		if again || len(said.sentences()) == 0 {
			return said, nil
		}
	}
}

var (
	oddLine    = regexp.MustCompile(`^(?:error|warning) in \w+ ([0-9a-f]{40}): `)
	refLine    = regexp.MustCompile(`^error: (HEAD|refs/\S+): `)
	packName   = regexp.MustCompile(`pack-[0-9a-f]{40}\.(?:pack|idx)`)
	objectName = regexp.MustCompile(`(?:^|[^-0-9a-f])([0-9a-f]{40})\b`)
	silent     = regexp.MustCompile(`^(?:notice: |dangling |unreachable |Checking |broken link | +to )`) // said otherwise as well, or no fault
)

// maxKept is how many complaints of a kind are kept.
const maxKept = 10_000

// complaints takes what git fsck writes, from both its outputs, line by line.
type complaints struct {
	mu                                sync.Mutex // guards what follows
	rest                              []byte
	packs, refs, objects, others, odd []string
}

func (c *complaints) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p {
		switch {
		case b == '\n':
			c.line(string(c.rest))
			c.rest = c.rest[:0]
		case len(c.rest) < 4096:
			c.rest = append(c.rest, b)
		}
	}
	return len(p), nil
}

// flush takes a last line without an end.
func (c *complaints) flush() {
	if len(c.rest) > 0 {
		c.Write([]byte("\n"))
	}
}

func (c *complaints) line(l string) {
	switch {
	case l == "" || silent.MatchString(l):
	case oddLine.MatchString(l):
		c.keep(&c.odd, oddLine.FindStringSubmatch(l)[1])
	case refLine.MatchString(l):
		c.keep(&c.refs, refLine.FindStringSubmatch(l)[1])
	case packName.MatchString(l) || objectName.MatchString(l):
		if pack := packName.FindString(l); pack != "" {
			c.keep(&c.packs, pack)
		}
		if object := objectName.FindStringSubmatch(l); object != nil {
			c.keep(&c.objects, object[1])
		}
	default:
		c.keep(&c.others, l)
	}
}

// keep adds what is not there yet. Lists are short where nothing is wrong, and bounded where much is.
func (c *complaints) keep(list *[]string, what string) {
	if i, found := slices.BinarySearch(*list, what); !found && len(*list) < maxKept {
		*list = slices.Insert(*list, i, what)
	}
}

func (c *complaints) sentences() []string {
	var all []string
	add := func(list []string, one, many string) {
		switch {
		case len(list) == 1:
			all = append(all, fmt.Sprintf(one, list[0]))
		case len(list) > 1:
			all = append(all, fmt.Sprintf(many, len(list), list[0]))
		}
	}
	add(c.packs, "its file %s is damaged", "%d of its packs are damaged, %s among them")
	add(c.refs, "%s names a commit that cannot be read", "%d branches or tags name commits that cannot be read, %[2]s among them")
	add(c.objects, "the object %s is missing or damaged", "%d objects are missing or damaged, %s among them")
	add(c.others, "git says: %s", "git says %d things, among them: %s")
	return all
}
