package page

import (
	"bytes"
	"testing"
)

func TestAdopt(t *testing.T) {
	for _, test := range []struct{ name, original, text, want string }{
		{"new file", "", "a\r\nb\r\n", "a\nb\n"},
		{"untouched LF", "a\nb\n", "a\r\nb\r\n", "a\nb\n"},
		{"untouched CRLF", "a\r\nb\r\n", "a\r\nb\r\n", "a\r\nb\r\n"},
		{"untouched mixed", "a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd", "a\nb\r\nc\rd"},
		{"changed line in CRLF", "a\r\nb\r\nc\r\n", "a\r\nX\r\nY\r\nc\r\n", "a\r\nX\r\nY\r\nc\r\n"},
		{"changed line in mixed", "a\r\nb\nc\r\nd\n", "a\r\nX\r\nc\r\nd\r\n", "a\r\nX\nc\r\nd\n"},
		{"two changes in mixed", "a\r\nb\nc\r\nd\ne\rf\n", "X\r\nb\r\nc\r\nd\r\ne\r\nY\r\n", "X\r\nb\nc\r\nd\ne\rY\n"},
		{"new lines in mixed", "a\r\nb\nc\n", "a\r\nX\r\nb\r\nY\r\nZ\r\nc\r\n", "a\r\nX\nb\nY\nZ\nc\n"},
		{"no newline at end stays", "a\nb", "a\r\nb", "a\nb"},
		{"newline added at end", "a\nb", "a\r\nb\r\n", "a\nb\n"},
		{"newline removed at end", "a\nb\n", "a\r\nb", "a\nb"},
		{"byte order mark stays", "\ufeffa\n", "a\r\nb\r\n", "\ufeffa\nb\n"},
		{"byte order mark sent back", "\ufeffa\n", "\ufeffa\r\n", "\ufeffa\n"},
		{"trailing spaces stay", "a  \nb\t\n", "a  \r\nb\t\r\n", "a  \nb\t\n"},
		{"everything removed", "a\nb\n", "", ""},
		{"lines removed", "a\r\nb\r\nc\r\n", "a\r\nc\r\n", "a\r\nc\r\n"},
		{"repeated lines", "a\na\na\n", "a\r\na\r\n", "a\na\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(Adopt([]byte(test.original), []byte(test.text))); got != test.want {
				t.Errorf("Adopt(%q, %q) = %q, want %q", test.original, test.text, got, test.want)
			}
		})
	}
}

// A form that is sent back as it was changes not one byte, whatever the file's line endings.
func FuzzAdoptUntouched(f *testing.F) {
	f.Add([]byte("a\r\nb\nc\rd"))
	f.Add([]byte("\ufeff\n\r\n"))
	f.Fuzz(func(t *testing.T, original []byte) {
		var sent []byte
		for _, l := range splitEnded(original) {
			sent = append(sent, l.text...)
			if len(l.ending) > 0 {
				sent = append(sent, "\r\n"...)
			}
		}
		if got := Adopt(original, sent); !bytes.Equal(got, original) {
			t.Errorf("got %q, want %q", got, original)
		}
	})
}
