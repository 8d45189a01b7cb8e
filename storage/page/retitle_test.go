package page

import "testing"

func TestRetitle(t *testing.T) {
	for _, tt := range []struct{ src, title, want string }{
		{"# Old name\n\nOld name is here.\n", "New name", "# New name\n\nOld name is here.\n"},
		{"---\ntags: [a]\n---\r\n\r\n#  Old name  ##\r\ntext", "New", "---\ntags: [a]\n---\r\n\r\n#  New  ##\r\ntext"},
		{"Old name\n===\n\ntext\n", "New", "New\n===\n\ntext\n"},
		{"\ufeff# Old name", "N", "\ufeff# N"},
		{"text\n\n# Old name\n", "New", ""},
		{"---\ntitle: Old name\n---\n\n# Old name\n", "New", ""},
		{"# *Old* name\n", "New", ""},
		{"# Old name\n", "New *name*", ""},
		{"# Old name\n", "a\nb", ""},
		{"# Old name\n", "", ""},
		{"", "New", ""},
	} {
		got, ok := Retitle("Old name.md", []byte(tt.src), tt.title)
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("Retitle(%q, %q) = %q, %t, want %q", tt.src, tt.title, got, ok, tt.want)
		}
	}
}
