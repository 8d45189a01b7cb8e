package git

import (
	"context"
	"io"
)

func (r *Repo) writeHook() error { return nil }
func (r *Repo) Advertise(ctx context.Context, service, protocol string, out io.Writer) error {
	panic("not yet")
}
func (r *Repo) UploadPack(ctx context.Context, protocol string, in io.Reader, out io.Writer) error {
	panic("not yet")
}

// Push is what a pusher asks for, seen from inside the quarantine.
type Push struct {
	Refs []RefUpdate
	Live *RefUpdate // the update of the live branch, if any
	New  *Tree      // its new tree
	Old  *Tree
}

type RefUpdate struct {
	Name     string
	Old, New Hash
}

// ReceivePack takes a push.
func (r *Repo) ReceivePack(ctx context.Context, protocol string, in io.Reader, out io.Writer, check func(context.Context, Push) ([]string, error)) error {
	panic("not yet")
}

// Import copies a repository, URL or bundle, or a folder of files as one commit, into a new bare repository at dir.
func Import(ctx context.Context, dir, source string, author Signature, progress io.Writer) error {
	panic("not yet")
}
