package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// BlobHash is the name that the bytes have as a file.
func BlobHash(data []byte) Hash { return hashObject(kindBlob, data) }

// IsAncestor tells whether a commit lies on the way to another, or is that one. An unknown commit does
// not; the error wraps fs.ErrNotExist when it is the tip that is unknown.
func (r *Repo) IsAncestor(ctx context.Context, old, tip Hash) (bool, error) {
	if old == tip {
		return true, nil
	}
	if old.IsZero() || tip.IsZero() || !r.objects.has(old) {
		return false, nil
	}
	return isAncestor(ctx, r.objects, r.dir, nil, old, tip)
}

// isAncestor asks git, unless old is one of the last few commits: most questions are about those.
func isAncestor(ctx context.Context, o *objects, dir string, env []string, old, tip Hash) (bool, error) {
	at := tip
	for range 50 {
		if at == old {
			return true, nil
		}
		c, err := show(ctx, o, at)
		if errors.Is(err, fs.ErrNotExist) && at != tip {
			err = fmt.Errorf("commit %s: %w", at, ErrMissing)
		}
		if err != nil {
			return false, err
		}
		if len(c.Parents) == 0 {
			break
		}
		at = c.Parents[0]
	}
	c := command{dir: dir, env: env, args: []string{"merge-base", "--is-ancestor", "--end-of-options", old.String(), tip.String()}}
	err := c.run(ctx)
	if exitCode(err) == 1 {
		return false, nil
	}
	return err == nil, err
}
