package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// TestDist holds that what is committed is what the sources make, in whatever folder they lie. It needs nothing of npm's.
func TestDist(t *testing.T) {
	for _, name := range []string{"cairn", "write"} {
		t.Run(name, func(t *testing.T) { sameBundle(t, name) })
	}
}

func sameBundle(t *testing.T, name string) {
	found, err := filepath.Glob("../dist/" + name + "-*.js")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d bundles of the name %s, want one: %v", len(found), name, err)
	}
	want, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "another folder")
	if err := os.CopyFS(filepath.Join(elsewhere, "src"), os.DirFS("../src")); err != nil {
		t.Fatal(err)
	}
	got, err := bundle(elsewhere, name, api.FormatESModule)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("web/src has changed: commit what 'go run ./web/build' writes to web/dist")
	}
	if bytes.Contains(got, []byte(elsewhere)) {
		t.Error("the bundle tells where it was made")
	}
}
