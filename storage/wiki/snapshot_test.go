package wiki

import (
	"strings"
	"testing"
	"time"

	"cairn/storage/internal/git"
	"cairn/storage/page"
)

// What the tables of redirects say is kept while they and the names are the same; one that is too long is not read.
func TestRedirectsKept(t *testing.T) {
	s := openFirst(t)
	type files = map[string]string
	history(t, s, files{"New.md": "x\n", ".redirects.gollum": "---\nOld: New\n"})
	moved := func(in *Snapshot) int { return len(in.Redirects(t.Context()).Moved("old")) }
	if moved(s.latest()) != 1 {
		t.Fatal("the redirect is not known")
	}
	kept := s.redirects.Load()
	history(t, s, files{"New.md": "y\n"})
	if moved(s.latest()) != 1 || s.redirects.Load() != kept {
		t.Error("the tables are read again though they are the same")
	}
	before, _ := history(t, s, files{".redirects.gollum": "---\nOlder: New\n"})
	if moved(s.latest()) != 0 || s.redirects.Load() == kept {
		t.Error("another table is not read")
	}
	if moved(before) != 1 {
		t.Error("before there was another table")
	}
	history(t, s, files{".redirects.gollum": "---\nOld: New\n" + strings.Repeat("#\n", page.MaxTable/2)})
	if moved(s.latest()) != 0 {
		t.Error("a table that is too long is read")
	}
}

// A page with one picture many times depends on it once.
func TestPictureOften(t *testing.T) {
	s := openFirst(t)
	history(t, s, map[string]string{"Home.md": strings.Repeat("![](a.gif) ![](b.gif)\n", 500), "a.gif": "GIF89a\x03\x00\x02\x00", "b.gif": "none"})
	in := s.latest()
	p, err := in.Page(t.Context(), "Home.md")
	if err != nil || strings.Count(p.HTML, `width="3" height="2"`) != 500 {
		t.Fatalf("%v: %.300s", err, p.HTML)
	}
	e, err := in.lookup(t.Context(), "Home.md")
	if err != nil {
		t.Fatal(err)
	}
	kept := s.cache.get(renderedKey{"Home.md", e.Hash})
	if kept == nil || len(kept.pictures) != 2 {
		t.Fatalf("kept: %+v", kept)
	}
	history(t, s, map[string]string{"b.gif": "GIF89a\x05\x00\x04\x00"})
	if p, err = s.latest().Page(t.Context(), "Home.md"); err != nil || !strings.Contains(p.HTML, `width="5" height="4"`) {
		t.Errorf("%v: another picture is not shown", err)
	}
}

// Nobody leads what people see by a date that cannot be: the author's counts where it is possible, else the commit's.
func TestDated(t *testing.T) {
	now := time.Now()
	committed := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name             string
		author, commit   time.Time
		want             time.Time
		believed, capped bool
	}{
		{"rebased", committed.AddDate(0, -2, 0), committed, committed.AddDate(0, -2, 0), true, false},
		{"a clock that is a little fast", committed.Add(time.Hour), committed, committed.Add(time.Hour), true, false},
		{"year 5138", time.Date(5138, 11, 16, 9, 46, 39, 0, time.UTC), committed, committed, false, false},
		{"later than its commit", committed.AddDate(0, 0, 2), committed, committed, false, false},
		{"none at all", time.Unix(0, 0), committed, committed, false, false},
		{"both in the future", now.AddDate(50, 0, 0), now.AddDate(50, 0, 0), now, true, true},
		{"imported from before", time.Unix(0, 0), time.Unix(0, 0), time.Unix(0, 0), false, false},
	} {
		got, believed := dated(git.Commit{Author: git.Signature{When: tt.author}, When: tt.commit})
		if believed != tt.believed || !tt.capped && !got.Equal(tt.want) || tt.capped && (got.Before(now.Truncate(time.Second)) || got.After(time.Now())) {
			t.Errorf("%s: %v, %t; want %v, %t", tt.name, got, believed, tt.want, tt.believed)
		}
	}
}
