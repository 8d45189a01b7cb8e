package wiki

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"cairn/storage/accounts"
	"cairn/storage/page"
)

// A move goes on without the large pages for which there is no time left, and names them; files that those may use stay.
func TestMoveWithoutTime(t *testing.T) {
	w, err := Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s, err := w.Space(t.Context(), First)
	if err != nil {
		t.Fatal(err)
	}
	by := accounts.Visitor("Ann")
	long := "[[Old]] ![[pic.png]]\n" + strings.Repeat("\nThe okapi.\n", cheap/10)
	longer := long + "\nThe [[okapi]].\n"
	for p, text := range map[page.Path]string{"Old.md": "![[pic.png]]\n", "Short.md": "[[Old]]\n", "Long.md": long, "Longer.md": longer, "pic.png": "x", "Okapi.md": strings.Repeat("\nThe okapi.\n", cheap/10)} {
		if _, err := s.Save(t.Context(), by, Edit{Path: p, Text: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(p page.Path) string {
		t.Helper()
		head, err := s.Head(by)
		if err != nil {
			t.Fatal(err)
		}
		b, err := head.Read(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s.moveTime = 0
	saved, err := s.Move(t.Context(), by, Moving{From: "Old.md", To: "far/New.md"})
	if err != nil {
		t.Fatal(err)
	}
	if len(saved.Left) != 2 || !errors.Is(saved.Left["Long.md"], ErrNoTime) || !errors.Is(saved.Left["Longer.md"], ErrNoTime) {
		t.Errorf("left %v", saved.Left)
	}
	if read("Short.md") != "[[New]]\n" || read("Long.md") != long || read("pic.png") != "x" {
		t.Errorf("short is %q", read("Short.md"))
	}
	s.moveTime = time.Hour
	saved, err = s.Move(t.Context(), by, Moving{From: "Okapi.md", To: "Zebra.md"})
	if err != nil || len(saved.Left) != 0 || !strings.HasSuffix(read("Longer.md"), "The [[Zebra]].\n") {
		t.Errorf("left %v, %v: %q", saved.Left, err, read("Longer.md"))
	}
}
