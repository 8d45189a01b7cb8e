// This file looks whether the stores can be read, without changing them: Open would begin a damaged one anew.

package search

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/blevesearch/bleve/v2"
	bolt "go.etcd.io/bbolt"
)

// Check reads the stores in dir, which no process may have open, and returns what is wrong with them. A store that is not
// there is not wrong: it will be built.
func Check(dir string) error {
	return errors.Join(
		checkStore(filepath.Join(dir, "log.db"), checkLog),
		checkStore(filepath.Join(dir, "words"), checkWords),
	)
}

func checkStore(path string, check func(path string) error) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := guard(func() error { return check(path) }); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func checkLog(path string) error {
	options := *bolt.DefaultOptions
	options.Timeout = 2 * time.Second
	options.ReadOnly = true
	db, err := bolt.Open(path, 0o666, &options)
	if err != nil {
		return err
	}
	err = guard(func() error {
		return db.View(func(tx *bolt.Tx) error {
			if info, err := os.Stat(path); err != nil || info.Size() < tx.Size() {
				return errors.Join(errDamaged, err)
			}
			return nil
		})
	})
	if err == nil {
		err = guard(func() error { return probeDB(db) })
	}
	return errors.Join(err, guard(db.Close))
}

func checkWords(path string) error {
	schema, err := schema(layout())
	if err != nil {
		return err
	}
	idx, err := bleve.OpenUsing(path, map[string]any{"bolt_timeout": "2s", "read_only": true})
	if err != nil {
		return err
	}
	return errors.Join(guard(func() error { return probe(idx, schema) }), guard(idx.Close))
}
