package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// This file writes all of a repository into one file, and makes a repository of such a file. The rules are:
//
//   - The file is a git bundle of version 2, which git clones. Its header is written here and its pack by git: git bundle
//     itself reads the refs twice, and leaves out a branch that has moved meanwhile.
//   - The repository may belong to a wiki that runs: it is only read, and never opened as a Repo, which would sweep it.
//   - What has been written is read back before anybody relies on it: git copies what is packed without looking at it.

// bundleHead is the first line of a bundle. Version 3 may leave objects out.
const bundleHead = "# v2 git bundle\n"

// maxBundleHead is how long a bundle's header may be, in bytes.
const maxBundleHead = 64 << 20

// Ref is a name of an object: a branch, a tag.
type Ref struct {
	Name string // refs/…
	Hash Hash
}

// Refs are all refs of a repository at one moment.
type Refs struct {
	Live string // the branch that HEAD names, refs/heads/…
	Head Hash   // where that is; zero before its first commit
	All  []Ref  // by name
}

// ReadRefs reads the refs of the repository at dir, which may be in use. A ref that cannot be read is an error.
func ReadRefs(ctx context.Context, dir string) (Refs, error) {
	live, err := liveBranch(dir)
	if err != nil {
		return Refs{}, err
	}
	refs := Refs{Live: live}
	if refs.All, err = listRefs(ctx, dir); err != nil {
		return Refs{}, err
	}
	for _, r := range refs.All {
		if r.Name == live {
			refs.Head = r.Hash
			return refs, nil
		}
	}
	// Not there: because it never was, or because it is lost.
	r := ref{dir: dir, name: live}
	if _, err := r.read(); !errors.Is(err, fs.ErrNotExist) {
		return Refs{}, fmt.Errorf("%s cannot be read: %w", live, err)
	}
	lines, err := r.readLog()
	unknown := errors.Is(err, fs.ErrNotExist)
	if err != nil && !unknown {
		return Refs{}, err
	}
	packs, _ := filepath.Glob(filepath.Join(escapeGlob(dir), "objects/pack/pack-*.pack"))
	if len(lines) > 0 || unknown && len(packs) > 0 && !r.others() {
		return Refs{}, fmt.Errorf("%s: %w", live, errLost)
	}
	return refs, nil
}

func listRefs(ctx context.Context, dir string) ([]Ref, error) {
	var complaints bytes.Buffer
	c := command{dir: dir, stderr: &complaints, args: []string{"for-each-ref", "--format=%(objectname) %(refname)"}}
	out, err := c.output(ctx)
	if err == nil && complaints.Len() > 0 {
		err = fmt.Errorf("git for-each-ref: %s", bytes.TrimSpace(complaints.Bytes())) // it passes over what is broken
	}
	if err != nil {
		return nil, err
	}
	var refs []Ref
	for line := range strings.Lines(string(out)) {
		r, err := parseRef(line)
		if err != nil {
			return nil, err
		}
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

func parseRef(line string) (Ref, error) {
	hash, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	h, err := ParseHash(hash)
	if err == nil && (h.IsZero() || !fs.ValidPath(name) || name != "HEAD" && !strings.HasPrefix(name, "refs/")) {
		err = fmt.Errorf("ref %.100q: %w", name, fs.ErrInvalid)
	}
	return Ref{name, h}, err
}

// Bundle writes a bundle of what the refs, of which there must be some, lead to in the repository at dir.
func Bundle(ctx context.Context, dir string, refs Refs, w io.Writer) error {
	return writeBundle(ctx, dir, refs, w, nil)
}

func writeBundle(ctx context.Context, dir string, refs Refs, w io.Writer, slots *slots) error {
	head, tips := bytes.NewBufferString(bundleHead), new(bytes.Buffer)
	for _, r := range refs.All {
		fmt.Fprintf(head, "%s %s\n", r.Hash, r.Name)
		fmt.Fprintln(tips, r.Hash)
	}
	if !refs.Head.IsZero() {
		fmt.Fprintf(head, "%s HEAD\n", refs.Head)
	}
	head.WriteByte('\n')
	c := command{dir: dir, stdin: tips, stdout: w, slots: slots, args: []string{"pack-objects", "--stdout", "--revs", "--delta-base-offset", "-q"}}
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	if _, err := w.Write(head.Bytes()); err != nil {
		return err
	}
	return c.runHere(ctx)
}

// Unbundle makes a new bare repository at dir of a bundle, durably, and whole or not at all. live becomes its live
// branch, which must be at head. With file "" it has no commits. What stands at dir must be an empty folder or nothing.
func Unbundle(ctx context.Context, dir, file, live string, head Hash) error {
	return build(dir, func(at string) error { return unbundle(ctx, at, file, live, head) })
}

// Prove unpacks a bundle of refs at dir, which must not be there and is removed again. It returns nil when Unbundle
// would make of it the repository that the refs were read from.
func Prove(ctx context.Context, dir, file string, refs Refs) error {
	defer os.RemoveAll(dir)
	if err := unbundle(ctx, dir, file, refs.Live, refs.Head); err != nil {
		return err
	}
	have, err := listRefs(ctx, dir)
	if err == nil && !slices.Equal(have, refs.All) {
		err = errors.New("other branches came out than went in")
	}
	return err
}

// unbundle makes the repository without fsync of its folders. Git computes the name of each object anew and looks
// whether all that the refs lead to is there, so that nothing damaged passes.
func unbundle(ctx context.Context, dir, file, live string, head Hash) error {
	branch, ok := strings.CutPrefix(live, "refs/heads/")
	if !ok || !fs.ValidPath(branch) {
		return fmt.Errorf("branch %.100q: %w", live, fs.ErrInvalid)
	}
	if err := initAt(ctx, dir, branch); err != nil || file == "" {
		return err
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	told, err := bundleRefs(file)
	if err != nil {
		return err
	}
	fetch := command{dir: dir, args: []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--end-of-options", file, "+refs/*:refs/*"}}
	if err := fetch.run(ctx); err != nil {
		return err
	}
	have, err := listRefs(ctx, dir)
	if err != nil {
		return err
	}
	if !slices.Equal(have, told) {
		return errors.New("git does not take all of its branches")
	}
	at := slices.IndexFunc(have, func(r Ref) bool { return r.Name == live })
	switch {
	case at < 0 && head.IsZero():
		return nil // other branches only
	case at < 0:
		return fmt.Errorf("the branch %q is not in it", branch)
	case have[at].Hash != head:
		return fmt.Errorf("the branch %q is at %s in it, not at %s", branch, have[at].Hash, head)
	}
	if _, err := (&command{dir: dir, args: []string{"cat-file", "commit", head.String()}}).output(ctx); err != nil {
		return err
	}
	return begin(dir, live, head, "restore: from a backup")
}

// bundleRefs reads the header of a bundle that needs no other objects.
func bundleRefs(file string) ([]Ref, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(io.LimitReader(f, maxBundleHead))
	if line, err := in.ReadString('\n'); err != nil || line != bundleHead {
		return nil, errors.New("it is no git bundle of version 2")
	}
	var refs []Ref
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, errors.New("its header has no end")
		}
		if line == "\n" {
			break
		}
		r, err := parseRef(line)
		if err != nil {
			return nil, err
		}
		if r.Name != "HEAD" {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}
