package git

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ErrEmptySource is returned by Import when there is nothing to import.
var ErrEmptySource = errors.New("nothing to import: no branch has a commit and there are no files")

// transports are the ways that git may take to a source. Others, ext:: above all, run commands.
const transports = "http:https:git:ssh:file"

var (
	urlSource = regexp.MustCompile(`^(https?|git|ssh|file)://[^-]`)
	scpSource = regexp.MustCompile(`^([\w.-]+@)?[\w.][\w.-]*:[^:]`) // git@host:path
)

// Import copies a repository, URL or bundle, or a folder of files as one commit, into a new bare repository at dir, and
// returns when all of it is on disk. Of a repository it takes the branches and tags; the live branch is the one that
// the source's HEAD names, else main, master or the only one. Progress is text for a person; it may be nil.
//
// The error wraps fs.ErrExist when dir is not empty, fs.ErrNotExist or fs.ErrInvalid for a source that cannot be one,
// and ErrEmptySource when there is nothing in it. Then nothing is left at dir.
func Import(ctx context.Context, dir, source string, author Signature, progress io.Writer) error {
	if progress == nil {
		progress = io.Discard
	}
	st, err := os.Stat(source)
	switch {
	case err == nil && st.IsDir() && !isRepository(source):
		return build(dir, func(at string) error { return importFolder(ctx, at, source, author, progress) })
	case err == nil:
		if source, err = filepath.Abs(source); err != nil {
			return err
		}
	case urlSource.MatchString(source):
	case strings.Contains(source, "://") || strings.Contains(source, "::"):
		return fmt.Errorf("import %q: only http, https, git, ssh and file addresses can be imported: %w", source, fs.ErrInvalid)
	case scpSource.MatchString(source):
	default:
		return fmt.Errorf("import: %w", err)
	}
	return build(dir, func(at string) error { return importRepository(ctx, at, source, progress) })
}

// isRepository reports whether a folder is a repository, bare or with files.
func isRepository(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
		return true
	}
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// importRepository fetches into a new repository. Not by git clone, which takes all refs there are (each pull request,
// on some hosts) and leaves a remote behind; and which copies files and alternates from local sources.
func importRepository(ctx context.Context, dir, source string, progress io.Writer) error {
	if err := initAt(ctx, dir, "main"); err != nil {
		return err
	}
	// The process at the other end of a local source does not inherit configuration given by arguments or environment.
	trust, err := os.CreateTemp("", "cairn-import-*")
	if err != nil {
		return err
	}
	defer os.Remove(trust.Name())
	if _, err := trust.WriteString("[safe]\n\tdirectory = *\n"); err != nil {
		return err
	}
	if err := trust.Close(); err != nil {
		return err
	}
	env := []string{"GIT_ALLOW_PROTOCOL=" + transports, "GIT_CONFIG_GLOBAL=" + trust.Name()}
	for _, name := range []string{"HOME", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"} {
		if value, ok := os.LookupEnv(name); ok { // keys for ssh; the way out
			env = append(env, name+"="+value)
		}
	}
	fetch := command{dir: dir, env: env, stderr: progress, slots: fetching,
		args: []string{"fetch", "--progress", "--no-write-fetch-head", "--no-auto-maintenance", "--end-of-options", source,
			"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}}
	if err := fetch.run(ctx); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	list := command{dir: dir, env: env, slots: fetching, args: []string{"ls-remote", "--symref", "--end-of-options", source, "HEAD"}}
	heads, err := list.output(ctx)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	branches := command{dir: dir, args: []string{"for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"}}
	have, err := branches.output(ctx)
	if err != nil {
		return err
	}
	live, tip, err := chooseBranch(string(heads), string(have))
	if err != nil {
		return err
	}
	point := command{dir: dir, args: []string{"symbolic-ref", "HEAD", live}}
	if err := point.run(ctx); err != nil {
		return err
	}
	return begin(dir, live, tip, "import: from a repository")
}

// chooseBranch finds the live branch: what HEAD names; without a name (a bundle, an old server), a branch that is where
// HEAD is; else main, master, or the only one. heads is what ls-remote --symref told, have is "hash ref" by line.
func chooseBranch(heads, have string) (live string, tip Hash, err error) {
	at := map[string]Hash{}
	var names []string
	for line := range strings.Lines(have) {
		hash, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if at[name], err = ParseHash(hash); err != nil {
			return "", Hash{}, err
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "", Hash{}, ErrEmptySource
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b)) })
	var head Hash
	for line := range strings.Lines(heads) {
		what, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if target, ok := strings.CutPrefix(what, "ref: "); ok && name == "HEAD" {
			if hash, ok := at[target]; ok {
				return target, hash, nil
			}
		} else if name == "HEAD" {
			head, _ = ParseHash(what)
		}
	}
	for _, name := range names {
		if at[name] == head {
			return name, head, nil
		}
	}
	if len(names) == 1 || rank(names[0]) < 2 {
		return names[0], at[names[0]], nil
	}
	return "", Hash{}, fmt.Errorf("the source's HEAD names no branch and it has several, none of them main or master: %w", fs.ErrInvalid)
}

func rank(branch string) int {
	switch branch {
	case "refs/heads/main":
		return 0
	case "refs/heads/master":
		return 1
	}
	return 2
}

// begin leaves the live branch's reflog as ours: one line, and none for other branches' sake removed.
func begin(dir, live string, tip Hash, message string) error {
	r := ref{dir: dir, name: live, disk: realDisk}
	for _, old := range []string{"refs/heads/main", live} {
		if err := os.Remove(ref{dir: dir, name: old}.log()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	os.Remove(filepath.Join(dir, "FETCH_HEAD"))
	return r.appendLog(Hash{}, tip, Signature{Name: "cairn", Email: "cairn@localhost", When: time.Now()}, message)
}

// importFolder makes one commit of all regular files below source. Nothing is held in memory but one buffer.
func importFolder(ctx context.Context, dir, source string, author Signature, progress io.Writer) error {
	if err := initAt(ctx, dir, "main"); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := command{dir: dir, args: []string{"fast-import", "--quiet", "--done", "--date-format=raw"}, slots: fetching}
	release, err := c.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	var said tail
	cmd := c.prepare(ctx)
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	files, skipped, err := sendFolder(ctx, stdin, source, author)
	if err != nil {
		cancel() // without done, nothing is made
		return errors.Join(fmt.Errorf("import: %w", err), ignoreCancel(c.wait(ctx, cmd, &said)))
	}
	stdin.Close()
	if err := c.wait(ctx, cmd, &said); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	fmt.Fprintf(progress, "%d files imported\n", files)
	if skipped > 0 {
		fmt.Fprintf(progress, "%d skipped: links, special files and git's own\n", skipped)
	}
	tip, err := ref{dir: dir, name: "refs/heads/main"}.read()
	if err != nil {
		return err
	}
	return begin(dir, "refs/heads/main", tip, "import: from a folder")
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// sendFolder writes fast-import's language.
func sendFolder(ctx context.Context, out io.Writer, source string, author Signature) (files, skipped int, err error) {
	w := bufio.NewWriterSize(out, 256<<10)
	if author.When.IsZero() {
		author.When = time.Now()
	}
	message := "Import files"
	fmt.Fprintf(w, "commit refs/heads/main\nauthor %[1]s\ncommitter %[1]s\ndata %d\n%s\n", author.line(), len(message)+1, message+"\n")
	err = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case path != source && strings.EqualFold(d.Name(), ".git"):
			skipped++
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			skipped++
			return nil
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		files++
		return sendFile(w, path, filepath.ToSlash(name))
	})
	if err == nil && files == 0 {
		err = ErrEmptySource
	}
	if err != nil {
		return 0, 0, err
	}
	w.WriteString("done\n")
	return files, skipped, w.Flush()
}

func sendFile(w *bufio.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	mode := File
	if st.Mode()&0o111 != 0 {
		mode = Exec
	}
	fmt.Fprintf(w, "M %o inline %s\ndata %d\n", mode, quote(name), st.Size())
	if n, err := io.Copy(w, io.LimitReader(f, st.Size())); err != nil {
		return err
	} else if n < st.Size() {
		return fmt.Errorf("%s became shorter while it was read", path)
	}
	return w.WriteByte('\n')
}

// quote writes a path as git quotes it, so that any byte may be in it.
func quote(name string) string {
	var b bytes.Buffer
	b.WriteByte('"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
