package wiki_test

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

func TestBlame(t *testing.T) {
	_, s := open(t, t.TempDir())
	one := save(t, s, "Plans.md", "a\r\nb\r\nc", "")
	two := save(t, s, "Plans.md", "a\r\nB\r\nc", one.Rev)
	for range 2 { // asked of git, then kept
		got, err := head(t, s).Blame(t.Context(), "Plans.md")
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, w := range got {
			if w.First != len(lines)+1 || w.By.Author != "Ann" {
				t.Errorf("a run is %+v", w)
			}
			for _, l := range w.Lines {
				lines = append(lines, string(w.By.Rev)+" "+l)
			}
		}
		want := []string{string(one.Rev) + " a", string(two.Rev) + " B", string(one.Rev) + " c"}
		if strings.Join(lines, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
	if _, err := head(t, s).Blame(t.Context(), "None.md"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such page: %v", err)
	}
}

func TestCounts(t *testing.T) {
	_, s := open(t, t.TempDir())
	one := save(t, s, "Plans.md", "a\nb\nc\n", "")
	two := save(t, s, "Plans.md", "a\nB\nc\nd\n", one.Rev)
	large := save(t, s, "Large.md", strings.Repeat("long\n", 200_000), "")
	steps := []wiki.Step{{Old: one.Blob, Now: two.Blob}, {Now: one.Blob}, {Old: two.Blob}, {Old: "nonsense", Now: one.Blob}, {Old: strings.Repeat("1", 40), Now: one.Blob}}
	want := []wiki.Count{{Removed: 1, Added: 2, Known: true}, {Added: 3, Known: true}, {Removed: 4, Known: true}, {}, {}}
	for range 2 { // counted, then kept
		if got, err := head(t, s).Counts(t.Context(), steps); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	// Beyond the budget nothing is counted.
	steps, second := []wiki.Step{{Now: large.Blob}}, large
	for i := range 3 {
		second = save(t, s, "Large.md", strings.Repeat("long\n", 200_000)+strings.Repeat("x", i+1), second.Rev)
		steps = append(steps, wiki.Step{Now: second.Blob})
	}
	got, err := head(t, s).Counts(t.Context(), steps)
	if err != nil || !got[0].Known || got[3].Known {
		t.Errorf("four megabytes: %+v, %v", got, err)
	}
}

func TestRedline(t *testing.T) {
	_, s := open(t, t.TempDir())
	save(t, s, "Part.md", "in *another* page", "")
	red, err := head(t, s).Redline(t.Context(), "Plans.md", []byte("old text of [[Part]]\n\n![[Part]]"), []byte("new text of [[Part]]\n\n![[Part]]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<del>old</del><ins>new</ins> text of <a href="/wiki/Part">Part</a>`, "<em>another</em>"} {
		if !strings.Contains(red.HTML(), want) {
			t.Errorf("%q is not in %s", want, red.HTML())
		}
	}
}

func TestAsOf(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	git := func(date string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", source, "-c", "user.name=Ann", "-c", "user.email=a@b"}, args...)...)
		cmd.Env = append(cmd.Environ(), "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	if out, err := exec.Command("git", "init", "-q", source).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	git("2020-01-01T12:00:00Z", "commit", "-q", "--allow-empty", "-m", "one")
	git("2020-01-03T12:00:00Z", "commit", "-q", "--allow-empty", "-m", "two")
	data := filepath.Join(dir, "data")
	if _, err := wiki.Import(t.Context(), data, "old", source, ann, io.Discard, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	w, _ := open(t, data)
	s, err := w.Space(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ when, want string }{
		{"2020-01-01T11:59:59Z", ""},
		{"2020-01-01T12:00:00Z", "one"},
		{"2020-01-02T12:00:00Z", "one"},
		{"2020-01-03T13:59:59+02:00", "one"},
		{"2020-01-03T14:00:00+02:00", "two"},
		{"2222-01-01T00:00:00Z", "two"},
	} {
		when, err := time.Parse(time.RFC3339, test.when)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // asked of git, then remembered
			got := ""
			old, err := s.AsOf(t.Context(), ann, when)
			if err == nil {
				c, cerr := s.Commit(t.Context(), ann, string(old.Rev()))
				if cerr != nil {
					t.Fatal(cerr)
				}
				got = c.Note
			}
			if got != test.want || err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %q, %v; want %q", test.when, got, err, test.want)
			}
		}
	}
}

// An old snapshot knows its own names only, and leads to itself when it is shown under an address of its own.
func TestUnder(t *testing.T) {
	_, s := open(t, t.TempDir())
	save(t, s, "A.md", "[[B]] [[C]]", "")
	then := save(t, s, "B.md", "b", "")
	save(t, s, "C.md", "c", "")
	old, err := s.At(t.Context(), ann, string(then.Rev))
	if err != nil {
		t.Fatal(err)
	}
	old = old.Under("/wiki/-/at/x")
	for _, test := range []struct {
		in   *wiki.Snapshot
		want string
	}{
		{old, `<p><a href="/wiki/-/at/x/B">B</a> <a class="missing" href="/wiki/-/at/x/C" title="This page is not there">C</a></p>`},
		{head(t, s), `<p><a href="/wiki/B">B</a> <a href="/wiki/C">C</a></p>`},
	} {
		got, err := test.in.Page(t.Context(), "A.md")
		if err != nil || strings.TrimSpace(got.HTML) != test.want {
			t.Errorf("got %s, %v; want %s", got.HTML, err, test.want)
		}
	}
	for _, in := range []*wiki.Snapshot{old, head(t, s), old} { // lists of both are kept side by side
		children, err := in.Children(t.Context(), "")
		if err != nil || len(children) != 3 && in == old || len(children) != 4 && in != old {
			t.Errorf("%v, %v", children, err)
		}
	}
	if got := old.URL(page.Path("a/b c.md")); got != "/wiki/-/at/x/a/b%20c" {
		t.Errorf("URL is %s", got)
	}
}
