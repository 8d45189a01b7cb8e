package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// floors is the plan of the house: each room, the floor it is on, and the libraries that it knows and rooms without them
// in their list do not. A room imports rooms of lower floors only.
var floors = map[string]struct {
	floor int
	knows []string
}{
	"cairn/web":                  {1, []string{"github.com/a-h/templ", "github.com/leonelquinteros/gotext"}},
	"cairn/storage/page":         {1, []string{"github.com/yuin/goldmark", "github.com/alecthomas/chroma", "github.com/microcosm-cc/bluemonday", "go.yaml.in/yaml", "github.com/dop251/goja"}},
	"cairn/storage/internal/git": {1, []string{"github.com/go-git"}},
	"cairn/storage/accounts":     {2, nil},
	"cairn/storage/wiki":         {2, nil},
	"cairn/search":               {3, []string{"github.com/blevesearch", "go.etcd.io/bbolt"}},
	"cairn/server":               {4, []string{"github.com/labstack/echo"}},
	// Echo and goldmark are what bench compares the wiki with, go-fuse makes a disk for the tests of torture_test.go.
	"cairn/cmd/cairn": {5, []string{"github.com/spf13/pflag", "github.com/labstack/echo", "github.com/yuin/goldmark", "github.com/hanwen/go-fuse"}},
	"cairn/web/build": {1, []string{"github.com/evanw/esbuild"}},
	"cairn/web/e2e":   {5, []string{"github.com/chromedp"}},
}

func TestFloors(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "cairn/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		room, ok := floors[p.ImportPath]
		if !ok {
			t.Errorf("%s is not in the plan of the house", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if other, ok := floors[imp]; ok && other.floor >= room.floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.ImportPath, room.floor, imp, other.floor)
			}
		}
		// A test may look at its neighbours, never up.
		tests := append(p.TestImports, p.XTestImports...)
		for _, imp := range tests {
			if other, ok := floors[imp]; ok && other.floor > room.floor {
				t.Errorf("a test of %s (floor %d) imports %s (floor %d)", p.ImportPath, room.floor, imp, other.floor)
			}
		}
		for _, imp := range append(p.Imports, tests...) {
			for owner, o := range floors {
				for _, lib := range o.knows {
					if strings.HasPrefix(imp, lib) && !slices.Contains(room.knows, lib) {
						t.Errorf("%s imports %s, which is for %s", p.ImportPath, imp, owner)
					}
				}
			}
		}
	}
	if seen != len(floors) {
		t.Errorf("%d packages, %d rooms in the plan", seen, len(floors))
	}
}
