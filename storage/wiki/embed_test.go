package wiki_test

import (
	"strings"
	"testing"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// A page that is shown in others is shown there as it is now, whatever was kept of them.
func TestEmbedded(t *testing.T) {
	_, s := open(t, t.TempDir())
	shown := func() *wiki.Page {
		t.Helper()
		got, err := head(t, s).Page(t.Context(), "Top.md")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	has := func(when string, want ...string) {
		t.Helper()
		got := shown().HTML
		for _, part := range want {
			if lack, ok := strings.CutPrefix(part, "!"); ok == strings.Contains(got, strings.TrimPrefix(lack, "!")) {
				t.Errorf("%s: %s in\n%s", when, part, got)
			}
		}
	}
	save(t, s, "Top.md", "![[Middle]]\n", "")
	has("nothing is there", `class="missing"`)
	middle := save(t, s, "Middle.md", "![[deep/Bottom#Part]]\n", "")
	has("one is there", `class="embed"`, `class="missing"`)
	bottom := save(t, s, "deep/Bottom.md", "# Bottom\n\n## Part\n\nfirst [[Other]]\n", "")
	has("both are", "first", "!\nsecond", `class="missing"`)
	if first := shown(); first != shown() {
		t.Error("the page is rendered again though nothing has changed")
	}
	before := head(t, s)
	bottom = save(t, s, "deep/Bottom.md", "# Bottom\n\n## Part\n\nsecond [[Other]]\n", bottom.Rev)
	has("the inner one is saved", "second", "!first")
	if old, err := before.Page(t.Context(), "Top.md"); err != nil || !strings.Contains(old.HTML, "first") {
		t.Errorf("the snapshot before shows another text, %v", err)
	}
	has("after the snapshot before was read", "second", "!first")
	save(t, s, "deep/Other.md", "x\n", "")
	has("what it links to is written", `href="/wiki/deep/Other"`, `!class="missing"`)
	save(t, s, "Aside.md", "y\n", "")
	has("another page is written", "second")
	save(t, s, "Middle.md", "no more\n", middle.Rev)
	has("the outer one is saved", "no more", "!second")
	blob, _ := head(t, s).Blob(t.Context(), "Middle.md")
	if _, err := s.Remove(t.Context(), ann, "Middle.md", blob, ""); err != nil {
		t.Fatal(err)
	}
	has("it is removed", `class="missing"`, "!no more")
	if got := page.Parse("New.md", []byte("![[deep/Bottom]]")).HTML(head(t, s).Context()); !strings.Contains(got, "second") {
		t.Errorf("a page that is not saved shows\n%s", got)
	}
	then, err := s.At(t.Context(), ann, string(bottom.Rev))
	if err != nil {
		t.Fatal(err)
	}
	if old, err := then.Page(t.Context(), "Top.md"); err != nil || !strings.Contains(old.HTML, "second") {
		t.Errorf("the past shows another text, %v", err)
	}
}

// A link to one of two headings of a name leads to it, however the page that has them changes.
func TestHeadingBelow(t *testing.T) {
	_, s := open(t, t.TempDir())
	save(t, s, "From.md", "[[To#C#B]]\n", "")
	for base, texts := wiki.Rev(""), [][2]string{{"## A\n### B\n## C\n### B\n", "/wiki/To#b-1"}, {"## C\n### B\n", "/wiki/To#b"}, {"## B\n\n## C\n### b\n", "/wiki/To#b-1"}}; len(texts) > 0; texts = texts[1:] {
		base = save(t, s, "To.md", texts[0][0], base).Rev
		got, err := head(t, s).Page(t.Context(), "From.md")
		if err != nil || !strings.Contains(got.HTML, `href="`+texts[0][1]+`"`) {
			t.Errorf("%q: %s, %v", texts[0][0], got.HTML, err)
		}
	}
}
