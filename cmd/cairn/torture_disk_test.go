package main

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// disk is a file system in memory that behaves as disks do at their worst: of what was written it keeps, when the power
// fails, only what was fsynced, files and folders each for themselves; and a test may let any call fail. The rules are:
//
//   - fsync of a file keeps its bytes, and not its name.
//   - fsync of a folder keeps its names as they are then, and not what is in the files or folders that they name.
//   - A rename is a name gone and a name come. Of two folders, the one that was fsynced has it.
//
// This process serves it: so no test may do to its files what could keep this process from going on (start a program in
// a folder of it, map a file). Other processes do.
type disk struct {
	mount string // where others see it

	mu    sync.Mutex // guards what follows, and all nodes
	root  *node
	last  uint64 // the last node's number
	dead  bool   // the power has failed
	fault func(call, path string) syscall.Errno
}

// node is a file, a folder or a symbolic link.
type node struct {
	fusefs.Inode
	disk   *disk
	number uint64
	mode   uint32 // with the type
	names  uint32 // how many lead here
	parent *node  // the folder in which it was named last, and how
	name   string
	when   time.Time
	data   []byte           // of a file, or where a link leads
	in     map[string]*node // of a folder

	kept   []byte           // data as of the last fsync
	since  []change         // what was done to data since
	keptIn map[string]*node // in as of the last fsync
}

// change is a write, or a truncation when data is nil.
type change struct {
	at   int64
	data []byte
}

func (c change) apply(to []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.data == nil && end <= int64(len(to)) {
		return to[:end]
	}
	if n := int(end) - len(to); n > 0 {
		to = append(to, make([]byte, n)...)
	}
	copy(to[c.at:], c.data)
	return to
}

// mountDisk makes a disk with a copy of a folder on it, which is as good as fsynced, and mounts it.
func mountDisk(t testing.TB, from string) *disk {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skipf("SKIPPED, nothing has been proved: this machine has no FUSE (%v)", err)
	}
	d := &disk{mount: t.TempDir()}
	var err error
	if d.root, err = d.load(from, nil); err != nil {
		t.Fatal(err)
	}
	always := time.Hour // nobody changes anything but through the kernel
	server, err := fusefs.Mount(d.mount, d.root, &fusefs.Options{
		EntryTimeout: &always, AttrTimeout: &always,
		RootStableAttr: &fusefs.StableAttr{Ino: d.root.number},
		MountOptions:   fuse.MountOptions{DirectMountStrict: true, FsName: "lossy", Name: "cairntest", Options: []string{"default_permissions"}, DisableXAttrs: true},
	})
	if err != nil {
		t.Skipf("SKIPPED, nothing has been proved: this user may not mount a FUSE file system here (%v)", err)
	}
	t.Cleanup(func() {
		syscall.Unmount(d.mount, syscall.MNT_DETACH)
		server.Wait()
	})
	return d
}

// load is a copy of what lies at a path elsewhere.
func (d *disk) load(path string, parent *node) (*node, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	n := d.make(uint32(info.Mode().Perm()))
	n.names, n.parent, n.name = 1, parent, filepath.Base(path)
	switch {
	case info.IsDir():
		n.mode |= syscall.S_IFDIR
		n.in = map[string]*node{}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if n.in[e.Name()], err = d.load(filepath.Join(path, e.Name()), n); err != nil {
				return nil, err
			}
		}
		n.keptIn = maps.Clone(n.in)
	case info.Mode().IsRegular():
		n.mode |= syscall.S_IFREG
		n.data, err = os.ReadFile(path)
		n.kept = bytes.Clone(n.data)
	default:
		n.mode |= syscall.S_IFLNK
		var to string
		to, err = os.Readlink(path)
		n.data, n.kept = []byte(to), []byte(to)
	}
	return n, err
}

func (d *disk) make(mode uint32) *node {
	d.last++
	return &node{disk: d, number: d.last + 1, mode: mode, when: time.Now()}
}

// cut is the power's failing: nothing that comes later succeeds.
func (d *disk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

// fail makes calls below a folder fail from the n-th on, or only that one. It counts those that its error can befall.
// The answer tells later which was the first to fail; "" when none has.
func (d *disk) fail(below string, n int, err syscall.Errno, once bool) (first func() string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var befallen string
	d.fault = func(call, path string) syscall.Errno {
		if !strings.HasPrefix(path, below) || err == syscall.ENOSPC && !takesRoom[call] {
			return 0
		}
		if n--; n > 0 || once && n < 0 {
			return 0
		}
		if befallen == "" {
			befallen = call + " " + path
		}
		return err
	}
	return func() string {
		d.mu.Lock()
		defer d.mu.Unlock()
		return befallen
	}
}

// heal ends what fail has begun.
func (d *disk) heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
}

// takesRoom are the calls that a full disk refuses. A file's fsync is one: not all file systems look for
// room before.
var takesRoom = map[string]bool{"create": true, "mkdir": true, "symlink": true, "link": true, "rename": true, "write": true,
	"allocate": true, "fsync": true}

// loss is what a power cut takes.
type loss struct {
	name  string
	bytes bool // of files, what was written since they were fsynced
	torn  bool // of that, only what came after some write, which is cut in two
	names bool // what was done to the names in folders since they were fsynced
}

var losses = []loss{
	{name: "data", bytes: true},
	{name: "metadata", names: true},
	{name: "strict", bytes: true, names: true},
	{name: "torn", bytes: true, torn: true},
}

// remains writes what has survived a power cut into a folder.
func (d *disk) remains(to string, l loss) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.root.remains(to, l)
}

func (n *node) remains(to string, l loss) error {
	perm := fs.FileMode(n.mode & 0o777)
	switch n.mode & syscall.S_IFMT {
	case syscall.S_IFLNK:
		return os.Symlink(string(n.data), to)
	case syscall.S_IFDIR:
		if err := os.Mkdir(to, perm|0o700); err != nil {
			return err
		}
		in := n.in
		if l.names {
			in = n.keptIn
		}
		for name, child := range in {
			if err := child.remains(filepath.Join(to, name), l); err != nil {
				return err
			}
		}
		return nil
	}
	data := n.data
	if l.bytes {
		data = bytes.Clone(n.kept)
		if l.torn {
			whole := rand.IntN(len(n.since) + 1)
			for i, c := range n.since[:min(whole+1, len(n.since))] {
				if i == whole && len(c.data) > 0 {
					c.data = c.data[:rand.IntN(len(c.data))]
				}
				data = c.apply(data)
			}
		}
	}
	return os.WriteFile(to, data, perm)
}

// enter begins a call that changes something. It returns how the call fails, if it does.
func (n *node) enter(call string, names ...string) syscall.Errno {
	if n.disk.dead {
		return syscall.EIO
	}
	if n.disk.fault != nil {
		return n.disk.fault(call, filepath.Join(append([]string{n.path()}, names...)...))
	}
	return 0
}

// path is where a node is, or was last.
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	return filepath.Join(n.parent.path(), n.name)
}

func (n *node) lock() (unlock func()) {
	n.disk.mu.Lock()
	return n.disk.mu.Unlock
}

func (n *node) fill(a *fuse.Attr) {
	a.Ino, a.Mode, a.Nlink = n.number, n.mode, n.names
	a.Size = uint64(len(n.data))
	a.Blocks, a.Blksize = (a.Size+511)/512, 4096
	a.SetTimes(&n.when, &n.when, &n.when)
}

// child is how a name in a folder is told to the kernel.
func (n *node) child(ctx context.Context, c *node, out *fuse.EntryOut) *fusefs.Inode {
	c.fill(&out.Attr)
	return n.NewInode(ctx, c, fusefs.StableAttr{Mode: c.mode, Ino: c.number})
}

// put gives a node a name in a folder.
func (n *node) put(name string, c *node) {
	n.drop(name)
	n.in[name] = c
	c.names++
	c.parent, c.name = n, name
	n.when = time.Now()
}

// drop takes a name away. The node lives on while the folder as it was fsynced, or a process, has it.
func (n *node) drop(name string) {
	if c := n.in[name]; c != nil {
		c.names--
		delete(n.in, name)
		n.when = time.Now()
	}
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	defer n.lock()()
	c := n.in[name]
	if c == nil {
		return nil, syscall.ENOENT
	}
	return n.child(ctx, c, out), 0
}

func (n *node) Getattr(_ context.Context, _ fusefs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	defer n.lock()()
	n.fill(&out.Attr)
	return 0
}

func (n *node) Setattr(_ context.Context, _ fusefs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	defer n.lock()()
	if mode, ok := in.GetMode(); ok {
		n.mode = n.mode&syscall.S_IFMT | mode&0o7777
	}
	if size, ok := in.GetSize(); ok {
		if errno := n.enter("truncate"); errno != 0 {
			return errno
		}
		n.change(change{at: int64(size)})
	}
	if when, ok := in.GetMTime(); ok {
		n.when = when
	}
	n.fill(&out.Attr)
	return 0
}

func (n *node) change(c change) {
	n.data = c.apply(n.data)
	n.since = append(n.since, c)
	n.when = time.Now()
}

func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	c, errno := n.new(ctx, "create", name, syscall.S_IFREG|mode&0o7777, out)
	return c, nil, 0, errno
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	return n.new(ctx, "mkdir", name, syscall.S_IFDIR|mode&0o7777, out)
}

func (n *node) Symlink(ctx context.Context, to, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	c, errno := n.new(ctx, "symlink", name, syscall.S_IFLNK|0o777, out)
	if errno == 0 {
		defer n.lock()()
		c.Operations().(*node).data = []byte(to)
	}
	return c, errno
}

func (n *node) new(ctx context.Context, call, name string, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	defer n.lock()()
	if errno := n.enter(call, name); errno != 0 {
		return nil, errno
	}
	if n.in[name] != nil {
		return nil, syscall.EEXIST
	}
	c := n.disk.make(mode)
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		c.in, c.keptIn = map[string]*node{}, map[string]*node{}
	}
	n.put(name, c)
	return n.child(ctx, c, out), 0
}

func (n *node) Link(ctx context.Context, target fusefs.InodeEmbedder, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	defer n.lock()()
	if errno := n.enter("link", name); errno != 0 {
		return nil, errno
	}
	if n.in[name] != nil {
		return nil, syscall.EEXIST
	}
	c := target.(*node)
	n.put(name, c)
	return n.child(ctx, c, out), 0
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	defer n.lock()()
	if errno := n.enter("unlink", name); errno != 0 {
		return errno
	}
	n.drop(name)
	return 0
}

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	defer n.lock()()
	if errno := n.enter("rmdir", name); errno != 0 {
		return errno
	}
	if len(n.in[name].in) > 0 {
		return syscall.ENOTEMPTY
	}
	n.drop(name)
	return 0
}

func (n *node) Rename(_ context.Context, name string, into fusefs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	defer n.lock()()
	to := into.(*node)
	if errno := to.enter("rename", newName); errno != 0 {
		return errno
	}
	if flags != 0 {
		return syscall.EINVAL
	}
	c, there := n.in[name], to.in[newName]
	switch {
	case there == c:
		return 0
	case there != nil && len(there.in) > 0:
		return syscall.ENOTEMPTY
	}
	n.drop(name)
	to.put(newName, c)
	return 0
}

func (n *node) Readlink(context.Context) ([]byte, syscall.Errno) {
	defer n.lock()()
	return bytes.Clone(n.data), 0
}

func (n *node) Readdir(context.Context) (fusefs.DirStream, syscall.Errno) {
	defer n.lock()()
	var list []fuse.DirEntry
	for _, name := range slices.Sorted(maps.Keys(n.in)) {
		list = append(list, fuse.DirEntry{Name: name, Mode: n.in[name].mode, Ino: n.in[name].number})
	}
	return fusefs.NewListDirStream(list), 0
}

func (n *node) Open(_ context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	defer n.lock()()
	if flags&syscall.O_TRUNC != 0 {
		if errno := n.enter("truncate"); errno != 0 {
			return nil, 0, errno
		}
		n.change(change{})
	}
	return nil, 0, 0
}

func (n *node) Read(_ context.Context, _ fusefs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	defer n.lock()()
	if off >= int64(len(n.data)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, n.data[off:])]), 0
}

func (n *node) Write(_ context.Context, _ fusefs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	defer n.lock()()
	if errno := n.enter("write"); errno != 0 {
		return 0, errno
	}
	n.change(change{at: off, data: bytes.Clone(data)})
	return uint32(len(data)), 0
}

func (n *node) Allocate(_ context.Context, _ fusefs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	defer n.lock()()
	if errno := n.enter("allocate"); errno != 0 {
		return errno
	}
	if mode != 0 {
		return syscall.ENOTSUP
	}
	if end := int64(off + size); end > int64(len(n.data)) {
		n.change(change{at: end})
	}
	return 0
}

// Fsync is asked for files and for folders.
func (n *node) Fsync(context.Context, fusefs.FileHandle, uint32) syscall.Errno {
	defer n.lock()()
	call := "fsync"
	switch {
	case n.in != nil:
		call = "fsync folder"
	case len(n.since) == 0:
		call = "fsync again"
	}
	if errno := n.enter(call); errno != 0 {
		return errno
	}
	n.kept, n.since = bytes.Clone(n.data), nil
	n.keptIn = maps.Clone(n.in)
	return 0
}

func (n *node) Flush(context.Context, fusefs.FileHandle) syscall.Errno { return 0 }

func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Blocks, out.Bfree, out.Bavail, out.Bsize, out.NameLen, out.Frsize = 1<<24, 1<<23, 1<<23, 4096, 255, 4096
	return 0
}
