package wiki_test

import (
	"os"
	"path/filepath"
	"testing"
)

// What is on its way has no name in the data folder, and what a crash has left is gone at the next start.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	incoming := filepath.Join(dir, "incoming")
	if err := os.MkdirAll(incoming, 0o755); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(incoming, "left")
	if err := os.WriteFile(left, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ := open(t, dir)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what was left: %v", err)
	}
	f, err := w.Spool()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if filepath.Dir(f.Name()) != incoming {
		t.Errorf("it is in %s", f.Name())
	}
	if names, err := os.ReadDir(incoming); err != nil || len(names) > 0 {
		t.Errorf("it has a name: %v, %v", names, err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Error(err)
	}
}
