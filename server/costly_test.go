package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Handlers read pages by storage/wiki alone, where whatever may be costly waits for its turn.
func TestNothingIsParsedHere(t *testing.T) {
	costly := []string{"Parse", "Doubts", "Mend", "Tick", "Follow", "TaskText", "Rewrite", "Uses", "Redline", "Diff"}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if room, ok := sel.X.(*ast.Ident); ok && room.Name == "page" {
				if calls++; slices.Contains(costly, sel.Sel.Name) {
					t.Errorf("%s: page.%s takes no turn; ask the snapshot", set.Position(n.Pos()), sel.Sel.Name)
				}
			}
			return true
		})
	}
	if calls == 0 {
		t.Error("nothing of page is used here")
	}
}
