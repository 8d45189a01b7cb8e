// This file looks whether the stores can be read, without changing them: Open would begin a damaged one anew.

package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/blevesearch/bleve/v2"
	bolt "go.etcd.io/bbolt"
)

// Check reads the stores in dir through, which no process may have open, and returns what is wrong with them. A store
// that is not there is not wrong: it will be built.
func Check(ctx context.Context, dir string) error {
	return errors.Join(
		checkStore(dir, "log.db", func(path string) error { return checkLog(ctx, path) }),
		checkStore(dir, "words", func(path string) error { return checkWords(ctx, path) }),
	)
}

// checkStore checks the one that counts of the stores with that name.
func checkStore(dir, name string, check func(path string) error) error {
	all := numbers(dir, name)
	if len(all) == 0 {
		return nil
	}
	path := numbered(dir, name, slices.Max(all))
	if err := guard(func() error { return check(path) }); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func checkLog(ctx context.Context, path string) (err error) {
	options := *bolt.DefaultOptions
	options.Timeout = 2 * time.Second
	options.ReadOnly = true
	db, err := bolt.Open(path, 0o666, &options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, guard(db.Close)) }()
	err = guard(func() error {
		return db.View(func(tx *bolt.Tx) error {
			if info, err := os.Stat(path); err != nil || info.Size() < tx.Size() {
				return errors.Join(errDamaged, err)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return guard(func() error { return proveDB(ctx, db) })
}

func checkWords(ctx context.Context, path string) (err error) {
	schema, err := schema(layout())
	if err != nil {
		return err
	}
	idx, err := bleve.OpenUsing(path, map[string]any{"bolt_timeout": "2s", "read_only": true})
	if errors.Is(err, bleve.ErrorIndexPathDoesNotExist) {
		return fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, guard(idx.Close)) }()
	return guard(func() error { return errors.Join(probe(idx, schema), prove(ctx, idx)) })
}
