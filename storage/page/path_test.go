package page

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParsePath(t *testing.T) {
	for _, tt := range []struct {
		in string
		ok bool
	}{
		{"a.md", true}, {"guide/Set up.md", true}, {"日本/語.md", true}, {"C#.md", true}, {"a%2Fb.md", true}, {".attachments/a.png", true},
		{"-/x.md", true}, {"...", true}, {".gitignore", true}, {"git~2", true}, {"agit~1", true}, {"what?.md", true},
		{"file:::x", true}, {strings.Repeat("a", 255), true}, {strings.Repeat("a/", 31) + "a", true},
		{"", false}, {"/a", false}, {"a/", false}, {"a//b", false}, {".", false}, {"a/../b", false}, {"./a", false}, {"a\\b", false},
		{"a\nb", false}, {"a\x00", false}, {"a\x7f", false}, {"a\u0085", false}, {"a\xff", false}, {"a\u202eb", false}, {"a\u200bb", false},
		{"a\ufeff", false}, {"a\u2066b", false}, {".git", false}, {".GIT/config", false}, {"a/.git/b", false}, {"git~1", false}, {"GIT~1", false},
		{".git ", false}, {".git.", false}, {".git. .", false}, {".git::$INDEX_ALLOCATION", false}, {".git:x", false}, {".g\u200cit", false},
		{"git~1.", false}, {strings.Repeat("a", 256), false}, {strings.Repeat("a/", 32) + "a", false},
	} {
		p, err := ParsePath(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("%q: got %v, want ok %v", tt.in, err, tt.ok)
		}
		if err != nil && (!errors.Is(err, fs.ErrInvalid) || !strings.HasSuffix(err.Error(), ".") || p != "") {
			t.Errorf("%q: got %q, %q", tt.in, p, err)
		}
	}
}

func TestOffer(t *testing.T) {
	for _, tt := range []struct{ in, offer string }{
		{"", ""}, {"/", ""}, {"..", ""}, {"/a/b.md", "a/b.md"}, {"a//b/", "a/b"}, {"a/../b.md", "a/b.md"}, {"./a", "a"}, {`a\b.md`, "a-b.md"},
		{"a\nb\u202e.md", "ab.md"}, {"a\xff.md", "a.md"}, {".git/config", "git/config"}, {"git~1.", "git-1"}, {".git:x", "git-x"},
		{strings.Repeat("ä", 200) + ".md", strings.Repeat("ä", 121) + ".md"}, {strings.Repeat("a", 9000), strings.Repeat("a", 245)},
		{strings.Repeat("a/", 32) + "a", ""}, {strings.Repeat("a", 1<<20), ""},
	} {
		_, err := ParsePath(tt.in)
		var bad *NameError
		if !errors.As(err, &bad) || string(bad.Offer) != tt.offer || string(bad.Reason) != err.Error() {
			t.Errorf("%.40q: got %+v, want the offer %q", tt.in, err, tt.offer)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"a/b.md", ".git", "a/../b", "x\u200d", "CON.md", "a:b?.md.md", "-", " a. ", "/-/..//con\\\x00.git/ .md", "git~1:/.git", "a.md/", "\xffgit~1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			var bad *NameError
			if !errors.Is(err, fs.ErrInvalid) || !errors.As(err, &bad) || bad.Reason == "" || bad.Path != "" {
				t.Fatalf("%q: %+v", s, err)
			}
			if bad.Offer != "" {
				if q, err := ParsePath(string(bad.Offer)); err != nil || q != bad.Offer || CheckNew(q) != nil {
					t.Fatalf("%q: the offer %q: %v, %v", s, bad.Offer, err, CheckNew(q))
				}
			}
			return
		}
		if string(p) != s || !utf8.ValidString(s) || !fs.ValidPath(s) || p == "." {
			t.Fatalf("%q passed as %q", s, p)
		}
		for seg := range strings.SplitSeq(strings.ToLower(s), "/") {
			if seg == ".git" || seg == "git~1" {
				t.Fatalf("%q passed", s)
			}
		}
		p.Title()
		p.Hidden()
		p.Served()
		PathKeys(p)
		if URL("x", p)[:3] != "/x/" {
			t.Fatalf("%q: URL %q", s, URL("x", p))
		}
		if n := names(s); !n.Has(p) {
			t.Fatalf("%q is not found", s)
		} else if q, ok := n.Page(p.Address()); p.IsPage() && (!ok || q != p) {
			t.Fatalf("%q: its address leads to %q", s, q)
		}
		var bad *NameError
		if err := CheckNew(p); errors.As(err, &bad) && bad.Offer != "" {
			if err := CheckNew(bad.Offer); err != nil {
				t.Fatalf("%q: the offer %q: %v", s, bad.Offer, err)
			}
		}
	})
}

func TestCheckNew(t *testing.T) {
	for _, tt := range []struct{ in, offer string }{
		{"a.md", "ok"}, {"Über uns.md", "ok"}, {"C#.md", "ok"}, {"a/b c.png", "ok"},
		{"what?.md", "what-.md"}, {"a:b/c.md", "a-b/c.md"}, {" a.md", "a.md"}, {"a .md", "a.md"}, {".hidden.md", "hidden.md"}, {"a/b./c.md", "a/b/c.md"},
		{"con.md", "_con.md"}, {"COM1/a.md", "_COM1/a.md"}, {"LPT9", "_LPT9"}, {"console.md", "ok"}, {"com.md", "ok"},
		{"-/a.md", "_/a.md"}, {"-.md", ""}, {"a.md.md", "a.md"}, {strings.Repeat("ä", 125) + ".md", strings.Repeat("ä", 121) + ".md"}, {"...", ""},
	} {
		got := "ok"
		var bad *NameError
		if err := CheckNew(Path(tt.in)); errors.As(err, &bad) {
			if got = string(bad.Offer); !errors.Is(err, fs.ErrInvalid) || bad.Reason == "" {
				t.Errorf("%q: %+v", tt.in, bad)
			}
		}
		if got != tt.offer {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.offer)
		}
	}
}

func TestPath(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"title", Path("a/Set-up_guide.md").Title(), "Set up guide"},
		{"title with hyphens that are meant", Path("2000-01-02 x.-.md").Title(), "2000-01-02 x"},
		{"title in azure", Path("Set%2Dup-guide.md").Title(), "Set-up guide"},
		{"address", Path("a/b.Markdown").Address(), "a/b"},
		{"address of a file", Path("a/b.png").Address(), "a/b.png"},
		{"URL", URL("go", "a b/C#?.md"), "/go/a%20b/C%23%3F"},
		{"dir", Path("a/b/c").Dir(), "a/b"},
		{"dir at the top", Path("c").Dir(), ""},
		{"base", Path("a/b/c.md").Base(), "c.md"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	for p, want := range map[Path][3]bool{ // hidden, served, listed
		"a.md": {false, true, true}, "a/b.Markdown": {false, true, true}, "a.png": {false, true, false},
		".attachments/a.png": {true, true, false}, ".notes/a.md": {true, true, false}, "a/_Sidebar.md": {true, true, false},
		".obsidian/x": {true, false, false}, "a/.gitignore": {true, false, false}, ".cairn.yml": {true, false, false},
		"-/a.md": {false, false, false}, ".order": {true, true, false},
	} {
		if got := [3]bool{p.Hidden(), p.Served(), p.Listed()}; got != want {
			t.Errorf("%s: got %v, want %v", p, got, want)
		}
	}
}
