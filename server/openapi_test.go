package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What the description says and what the router answers are the same operations.
func TestDescriptionHasRoutes(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	routed := map[string]bool{}
	for _, r := range s.echo.Routes() {
		if strings.HasSuffix(r.Name, ".postOnly") {
			continue // a refusal is no operation
		}
		if strings.HasPrefix(r.Path, "/-/api/v1/") && slices.Contains([]string{"GET", "PUT", "POST", "DELETE"}, r.Method) {
			routed[r.Method+" "+described(r.Path)] = true
		}
	}
	if len(routed) == 0 {
		t.Fatal("the router has no route of the API")
	}
	operations := readOperations(t)
	for _, name := range slices.Sorted(maps.Keys(routed)) {
		if _, ok := operations[name]; !ok {
			t.Errorf("%s is answered, but not described", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		if !routed[name] {
			t.Errorf("%s is described, but not answered", name)
		}
	}
}

// described is a path of the router as the description writes it: "/:space/*" is "/{space}/{path}".
func described(path string) string {
	segs := strings.Split(path, "/")
	for i, seg := range segs {
		if name, ok := strings.CutPrefix(seg, ":"); ok {
			segs[i] = "{" + name + "}"
		} else if seg == "*" {
			segs[i] = "{path}"
		}
	}
	return strings.Join(segs, "/")
}

func TestDescriptionOfOperations(t *testing.T) {
	ids := map[string]string{}
	for name, op := range readOperations(t) {
		if op.Summary == "" {
			t.Errorf("%s has no summary", name)
		}
		if op.OperationID == "" {
			t.Errorf("%s has no operationId", name)
		} else if other := ids[op.OperationID]; other != "" {
			t.Errorf("%s and %s have the same operationId %q", name, other, op.OperationID)
		}
		ids[op.OperationID] = name
		good := func(status string) bool { return strings.HasPrefix(status, "2") }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(op.Responses)), good) {
			t.Errorf("%s has no response for success", name)
		}
	}
}

func TestDescriptionReferences(t *testing.T) {
	var doc any
	if err := json.Unmarshal(openapi, &doc); err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				found++
				if !resolves(doc, ref) {
					t.Errorf("%s: $ref %q leads nowhere", at, ref)
				}
			}
			for k, child := range v {
				walk(at+"/"+k, child)
			}
		case []any:
			for _, child := range v {
				walk(at, child)
			}
		}
	}
	walk("#", doc)
	if found == 0 {
		t.Error("no $ref was found")
	}
}

// resolves tells whether a reference within the document leads to an object.
func resolves(doc any, ref string) bool {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return false
	}
	for key := range strings.SplitSeq(path, "/") {
		m, _ := doc.(map[string]any)
		doc = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
	}
	_, ok = doc.(map[string]any)
	return ok
}

type operation struct {
	OperationID string
	Summary     string
	Responses   map[string]any
}

// readOperations are the operations of the description by method and path: "GET /-/api/v1/spaces".
func readOperations(t *testing.T) map[string]operation {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(openapi, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]operation{}
	for path, item := range doc.Paths {
		for key, raw := range item {
			if slices.Contains([]string{"summary", "description", "servers", "parameters"}, key) {
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatalf("%s %s: %v", key, path, err)
			}
			all[strings.ToUpper(key)+" "+path] = op
		}
	}
	return all
}
