package wiki

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// This file lets git clients in, by the same door as everybody.

// Service is what a git client asks for.
type Service string

// The two services of git's smart HTTP protocol.
const (
	FetchService Service = "git-upload-pack"
	PushService  Service = "git-receive-pack"
)

// Advertise tells a git client which branches there are. protocol is what the client says it speaks ("version=2"), or "".
func (s *Space) Advertise(ctx context.Context, by Actor, service Service, protocol string, out io.Writer) error {
	if err := s.mayServe(by, service); err != nil {
		return err
	}
	return s.repo.Advertise(ctx, string(service), protocol, out)
}

// Fetch answers one request of git clone or git fetch.
func (s *Space) Fetch(ctx context.Context, by Actor, protocol string, in io.Reader, out io.Writer) error {
	if err := s.mayServe(by, FetchService); err != nil {
		return err
	}
	return s.repo.UploadPack(ctx, protocol, in, out)
}

// Push takes one git push. Whether it was accepted stands in what is written to out: git's own report, with a sentence
// for each refusal. When it was accepted it is on disk and is the head.
func (s *Space) Push(ctx context.Context, by Actor, protocol string, in io.Reader, out io.Writer) error {
	if err := s.mayServe(by, PushService); err != nil {
		return err
	}
	return s.repo.ReceivePack(ctx, protocol, in, out, func(ctx context.Context, p git.Push) ([]string, error) {
		return nil, s.checkPush(ctx, by, p)
	})
}

func (s *Space) mayServe(by Actor, service Service) error {
	if !by.CanRead(s.name) {
		return fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	if service == PushService && !by.CanWrite(s.name, "") {
		return fmt.Errorf("push to %q: %w", s.name, fs.ErrPermission)
	}
	return nil
}

// checkPush holds what a push would bring onto the live branch to the rules for files (security.md §3). It reads only
// what differs from the head.
func (s *Space) checkPush(ctx context.Context, by Actor, p git.Push) error {
	if p.Live == nil {
		return nil
	}
	for c, err := range git.Diff(ctx, p.Old, p.New) {
		if err != nil {
			return err
		}
		if c.New == (git.Entry{}) {
			if path, err := page.ParsePath(c.Path); err == nil && !by.CanWrite(s.name, path) {
				return fmt.Errorf("you may not change %s", path)
			}
			continue
		}
		path, err := page.ParsePath(c.Path)
		if err != nil {
			return fmt.Errorf("%q cannot be in the wiki: %w. Rename it and push again", c.Path, err)
		}
		if !isFile(c.New) {
			return fmt.Errorf("%q cannot be in the wiki: links to files outside and repositories inside are not kept. Remove it and push again", c.Path)
		}
		if !by.CanWrite(s.name, path) {
			return fmt.Errorf("you may not change %s", path)
		}
		size, err := p.Size(ctx, c.New.Hash)
		if err != nil {
			return err
		}
		if limit := limitOf(path); size > int64(limit) {
			return fmt.Errorf("%q is too large: a page may have at most %d KiB, any other file %d MiB. Make it smaller and push again", c.Path, MaxPage>>10, MaxFile>>20)
		}
	}
	return nil
}

// Trouble is why nothing can be saved at the moment, as far as the last save tells; nil when that went well. It wraps
// ErrReadOnly when it lasts until the wiki is started again, else what the disk said, such as syscall.ENOSPC.
func (s *Space) Trouble() error { return s.repo.Trouble() }

// Maintain tidies what many saves have left on disk, and finds out whether Trouble has passed. Readers and writers do
// not notice.
func (s *Space) Maintain(ctx context.Context) error { return s.repo.Maintain(ctx) }
