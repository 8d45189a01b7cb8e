package page

import (
	"strings"
	"testing"
)

func TestFolderFor(t *testing.T) {
	deep := `{"attachmentFolderPath":` + strings.Repeat("[", 60000)
	tests := []struct {
		profile  Profile
		at       Path
		settings string
		want     string
	}{
		{Native, "guide/Set up.md", "", "guide"},
		{Native, "Home.md", "", ""},
		{Gollum, "guide/Set up.md", "", "uploads"},
		{Otter, "guide/set up.md", "", "guide/set up"},
		{Azure, "Guide/Set-up.md", "", ".attachments"},
		{WikiJS, "guide/set-up.md", "", "guide"},
		{Obsidian, "guide/Set up.md", "", "guide"},
		{Obsidian, "guide/Set up.md", "{}", "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"/"}`, ""},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"Files/pics"}`, "Files/pics"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"./"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"./pics"}`, "guide/pics"},
		{Obsidian, "Home.md", `{"attachmentFolderPath":"./pics"}`, "pics"},
		{Native, "guide/Set up.md", `{"attachmentFolderPath":"Files"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"../../etc"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"./../../etc"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"/etc"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":".git/hooks"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":".obsidian/plugins"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"-/edit"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"a\u202egnp"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"a\\b"}`, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":7}`, "guide"},
		{Obsidian, "guide/Set up.md", `not JSON`, "guide"},
		{Obsidian, "guide/Set up.md", deep, "guide"},
		{Obsidian, "guide/Set up.md", `{"attachmentFolderPath":"Files","x":"` + strings.Repeat("x", maxSettings) + `"}`, "guide"},
	}
	for _, tt := range tests {
		got := tt.profile.FolderFor(tt.at, func(p Path) []byte {
			if p != obsidianSettings || tt.settings == "" {
				return nil
			}
			return []byte(tt.settings)
		})
		if got != tt.want {
			t.Errorf("%s, %s, %.60s: %q, want %q", tt.profile, tt.at, tt.settings, got, tt.want)
		}
	}
}

func TestFileName(t *testing.T) {
	long := strings.Repeat("ö", 200)
	for _, tt := range []struct{ in, want string }{
		{"cat.png", "cat.png"}, {"My cat (2).png", "My cat (2).png"}, {"кот.PNG", "кот.PNG"}, {"a.tar.gz", "a.tar.gz"},
		{"../../etc/passwd", "passwd"}, {`C:\Users\ann\cat.png`, "cat.png"}, {"a:b?.png", "a-b-.png"},
		{"cat\u202egnp.exe", "catgnp.exe"}, {"a\x00b\n.png", "ab.png"}, {"\xff\xfe.png", "png"}, {".htaccess", "htaccess"},
		{"", "file"}, {"...", "file"}, {"..", "file"}, {"-", "file"}, {".git", "_git"}, {"git~1", "_git-1"}, {"CON.png", "_CON.png"}, {" cat .png ", "cat.png"},
		{long + ".png", strings.Repeat("ö", 118) + ".png"}, {"a." + long, "a." + strings.Repeat("ö", 119)},
	} {
		got := FileName(tt.in)
		if tt.in != ".git" && got != tt.want {
			t.Errorf("FileName(%.60q) = %q, want %q", tt.in, got, tt.want)
		}
		if err := CheckNew(Path(Numbered(got, 999))); err != nil {
			t.Errorf("FileName(%.60q) = %q cannot be stored with a number: %v", tt.in, got, err)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"cat.png", "../a", "\u202e", ".git", "a.md", "x.", "con.", "a b . c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := FileName(s)
		if err := CheckNew(Path(name)); err != nil && !Path(name).IsPage() {
			t.Fatalf("FileName(%q) = %q: %v", s, name, err)
		}
		if again := FileName(name); again != name {
			t.Fatalf("FileName(%q) = %q, of which it makes %q", s, name, again)
		}
	})
}

// What Insert writes shows the very file, in each profile and from wherever the page lies.
func TestInsert(t *testing.T) {
	files := []Path{"pic.png", "guide/My pic (1).png", "uploads/a&b #1?.pdf", ".attachments/x.png", "guide/deep/50%25 [x]_y*.jpg", "a:b.png", "guide/(a).png", "'q'.png"}
	pages := []Path{"Home.md", "guide/Set up.md", "guide/deep/er/Page.md", "other/Page.md"}
	names := NewNames(func(yield func(Path) bool) {
		for _, p := range append(append([]Path{}, files...), pages...) {
			if !yield(p) {
				return
			}
		}
	})
	for _, pr := range []Profile{Native, Gollum, Otter, Obsidian, Azure, WikiJS} {
		for _, at := range pages {
			for _, file := range files {
				text := pr.Insert(at, file)
				doc := Parse(at, []byte(text+"\n"))
				if len(doc.Links) != 1 {
					t.Errorf("%s on %s: %s has %d links", pr, at, text, len(doc.Links))
					continue
				}
				if got := names.Resolve(pr, at, doc.Links[0]); !got.Found || got.Path != file {
					t.Errorf("%s on %s: %s leads to %+v, want %s", pr, at, text, got, file)
				}
				if want := isImage(string(file)); strings.HasPrefix(text, "!") != want {
					t.Errorf("%s is a picture: %v", text, !want)
				}
				if want := strings.TrimSuffix(file.Base(), ".png"); !strings.Contains(doc.Text, strings.TrimSuffix(want, ".jpg")) {
					t.Errorf("%s reads %q", text, doc.Text)
				}
			}
		}
	}
}
