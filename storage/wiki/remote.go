package wiki

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

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
// for each refusal. When it was accepted it is on disk and is the head, and PushedBy tells who sent it. The error is
// ErrBusy when no place is free, and wraps fs.ErrInvalid for what is no push; then nothing has been written to out.
//
// A push to the branch that is shown is answered with hints: what it did that may not have been meant, and the address
// where it can be seen, which see gives.
func (s *Space) Push(ctx context.Context, by Actor, protocol string, see func(from, to Rev) string, in io.Reader, out io.Writer) error {
	if err := s.mayServe(by, PushService); err != nil {
		return err
	}
	before := s.latest()
	return s.repo.ReceivePack(ctx, protocol, in, out, git.Pusher{
		By:   signature(by),
		Path: mayHold,
		Check: func(ctx context.Context, p git.Push) ([]string, error) {
			return notShown(p), s.checkPush(ctx, by, p)
		},
		Taken: func(ctx context.Context, live git.RefUpdate) []string {
			was := before
			if was.commit != live.Old { // others have saved while this was sent, and it is based on what they saved
				var err error
				if was, err = s.at(ctx, live.Old); err != nil {
					s.log.WarnContext(ctx, "hints for a push", "from", live.Old, "err", err)
					return nil
				}
			}
			return s.hints(ctx, was, live.New, see(revOf(live.Old), revOf(live.New)))
		},
	})
}

// Pushed is who sent a revision by git, whoever its author is, and when.
type Pushed struct {
	By, Email string
	When      time.Time // UTC
}

// PushedBy is who pushed the revision. The error wraps fs.ErrNotExist when it came in another way, or was not the last
// one of its push.
func (s *Space) PushedBy(ctx context.Context, by Actor, rev Rev) (Pushed, error) {
	if !by.CanRead(s.name) {
		return Pushed{}, fmt.Errorf("space %q: %w", s.name, fs.ErrNotExist)
	}
	hash, err := git.ParseHash(string(rev))
	if err != nil {
		return Pushed{}, fmt.Errorf("revision %q: %w", rev, fs.ErrNotExist)
	}
	sig, err := s.repo.PushedBy(ctx, hash)
	if err != nil {
		return Pushed{}, fmt.Errorf("who pushed %s: %w", rev, err)
	}
	return Pushed{By: sig.Name, Email: sig.Email, When: sig.When}, nil
}

// Bundle writes the live branch with its whole history as a git bundle, for git clone --bundle-uri: what is copied
// often can be kept by whoever stands in front. The error wraps fs.ErrNotExist before the first commit.
func (s *Space) Bundle(ctx context.Context, by Actor, out io.Writer) error {
	if err := s.mayServe(by, FetchService); err != nil {
		return err
	}
	return s.repo.Bundle(ctx, out)
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

// mayHold tells whether a file or folder of this path may be pushed and how many bytes it may have.
func mayHold(path string) (limit int64, err error) {
	p, err := page.ParsePath(path)
	if err == nil {
		return int64(limitOf(p)), nil
	}
	var name *page.NameError
	if errors.As(err, &name) && name.Offer != "" {
		return 0, fmt.Errorf("%w Call it %q, for example", err, name.Offer)
	}
	return 0, fmt.Errorf("%w Give it another name", err)
}

// notShown tells somebody who has pushed to other branches only that nobody will see it.
func notShown(p git.Push) []string {
	for _, u := range p.Refs {
		if branch, ok := strings.CutPrefix(u.Name, "refs/heads/"); ok && p.Live == nil && !u.New.IsZero() {
			branch, live := visible(branch), visible(p.Branch)
			return []string{fmt.Sprintf("%s is kept, and not shown: the wiki shows the branch %s. To have it shown: git push origin %s:%s", branch, live, branch, live)}
		}
	}
	return nil
}

// checkPush makes sure that whoever pushes may change what the push changes. Git has judged the files by then.
func (s *Space) checkPush(ctx context.Context, by Actor, p git.Push) error {
	if p.Live == nil {
		return nil
	}
	for c, err := range git.Diff(ctx, p.Old, p.New) {
		if err != nil {
			return err
		}
		// What has no path was there already and goes, or is left as it is.
		if path, err := page.ParsePath(c.Path); err == nil && !by.CanWrite(s.name, path) {
			return fmt.Errorf("you may not change %s", path)
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
