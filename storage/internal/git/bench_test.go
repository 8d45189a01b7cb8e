package git

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync/atomic"
	"testing"
)

const benchPages = 10000

func benchPath(i int) string { return fmt.Sprintf("folder %d/sub/page %d.md", i%100, i) }

// benchRepo is a repository of 10,000 pages of about 4 KB, each changed once.
func benchRepo(b *testing.B) *Repo {
	b.Helper()
	dir := newDir(b)
	random := rand.New(rand.NewPCG(1, 2))
	var in bytes.Buffer
	page := func() []byte {
		var p bytes.Buffer
		for p.Len() < 4000 {
			fmt.Fprintf(&p, "Word%d another%d and [a link](page %d.md)\n", random.IntN(5000), random.IntN(500), random.IntN(benchPages))
		}
		return p.Bytes()
	}
	for round := range 2 {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Bench <b@e> %d +0000\ndata 4\ntext\n", 1700000000+round)
		for i := range benchPages {
			text := page()
			fmt.Fprintf(&in, "M 644 inline \"%s\"\ndata %d\n%s\n", benchPath(i), len(text), text)
		}
	}
	cmd := exec.Command("git", "--git-dir="+dir, "fast-import", "--quiet")
	cmd.Env, cmd.Stdin = environ(), &in
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return open(b, dir)
}

// BenchmarkRead reads random pages: of all, which do not fit into the cache, with none of it, and of few.
func BenchmarkRead(b *testing.B) {
	r := benchRepo(b)
	run(b, r.dir, "repack", "-adfq")
	if err := r.objects.scan(); err != nil {
		b.Fatal(err)
	}
	_, tree := r.Head()
	for _, test := range []struct {
		name         string
		pages, cache int
	}{{"all", benchPages, cacheSize}, {"nocache", benchPages, 0}, {"few", 1000, cacheSize}} {
		b.Run(test.name, func(b *testing.B) {
			r.objects.cache = newCache(test.cache)
			for b.Loop() {
				e, err := tree.Lookup(b.Context(), benchPath(rand.IntN(test.pages)))
				if err == nil {
					_, err = r.Blob(b.Context(), e.Hash)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSave saves random pages durably.
func BenchmarkSave(b *testing.B) {
	r := benchRepo(b)
	var n atomic.Int64
	save := func(b *testing.B) {
		i := int(n.Add(1))
		path := benchPath(i * 7919 % benchPages)
		_, tree := r.Head()
		e, err := tree.Lookup(b.Context(), path)
		if err == nil {
			text := fmt.Appendf(make([]byte, 0, 4200), "saved %d\n%4000d\n", i, i)
			_, err = r.Commit(b.Context(), Change{Author: ann, Message: "save", Edits: []Edit{{Path: path, Old: e.Hash, Data: text}}})
		}
		if err == nil && i%100 == 0 {
			err = r.Maintain(b.Context())
		}
		if err != nil {
			b.Error(err)
		}
	}
	b.Run("writers=1", func(b *testing.B) {
		for b.Loop() {
			save(b)
		}
	})
	b.Run("writers=16", func(b *testing.B) {
		b.SetParallelism(8) // times GOMAXPROCS of 2
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				save(b)
			}
		})
	})
	b.Run("flat=20000", func(b *testing.B) {
		var edits []Edit
		for i := range 20000 {
			edits = append(edits, Edit{Path: fmt.Sprintf("flat/page %d.md", i), Data: []byte("x")})
		}
		if _, err := r.Commit(b.Context(), Change{Edits: edits}); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			put(b, r, "flat/page 777.md", fmt.Sprint(n.Add(1)))
		}
	})
}

// BenchmarkOpen opens the repository and loads its tree.
func BenchmarkOpen(b *testing.B) {
	r := benchRepo(b)
	for b.Loop() {
		again, err := Open(b.Context(), r.dir, testLog(b))
		if err != nil {
			b.Fatal(err)
		}
		again.Close()
	}
}
