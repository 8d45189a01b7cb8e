package page

import (
	"bytes"
	"math/rand/v2"
	"slices"
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
		{"byte order mark not sent", "\ufeff# a\r\nb\r\n", "Intro\r\n\r\n# a\r\nb\r\n", "\ufeffIntro\r\n\r\n# a\r\nb\r\n"},
		{"one of equal lines changed", " \r\na\na\r\n&amp;\n", " \r\naX\r\na\r\n&amp;\r\n", " \r\naX\na\r\n&amp;\n"},
		{"two of equal lines changed", "a\na\r\na\na\r\na\n", "a\r\nX\r\na\r\nY\r\na\r\n", "a\nX\r\na\nY\r\na\n"},
		{"one line gone and one more elsewhere", "a\nb\r\nc\nd\r\n", "b\r\nc\r\nd\r\ne\r\n", "b\r\nc\nd\r\ne\n"},
		{"a line before an empty one", "a\rb\r\nc\n\n", "a\r\nb\r\nc\r\nX\r\n\r\n", "a\rb\r\nc\nX\n\n"},
		{"an empty line after CR", "a\rb\nc\r", "a\r\n\r\nc\r\n", "a\r\n\nc\r"},
		{"repeated lines", "a\na\na\n", "a\r\na\r\n", "a\na\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(Adopt([]byte(test.original), []byte(test.text))); got != test.want {
				t.Errorf("Adopt(%q, %q) = %q, want %q", test.original, test.text, got, test.want)
			}
		})
	}
}

// Whatever line of a file is changed, no other one's bytes do.
func TestAdoptOneLine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for range 20_000 {
		mark := pick("", "", "\ufeff")
		var lines []endedLine
		for range 1 + r.IntN(12) {
			lines = append(lines, endedLine{[]byte(pick("", "a", "a", "b  ", " ", "&amp;", "x\ufeff")), []byte(pick("\n", "\n", "\r\n", "\r"))})
		}
		if r.IntN(2) == 0 {
			lines[len(lines)-1] = endedLine{text: []byte("end")}
		}
		for i := 1; i < len(lines); i++ {
			if string(lines[i-1].ending) == "\r" && len(lines[i].text) == 0 && string(lines[i].ending) == "\n" {
				lines[i-1].ending = []byte("\r\n") // they would be one line end
			}
		}
		changed := r.IntN(len(lines))
		original, sent, want := []byte(mark), []byte{}, []byte(mark)
		for i, l := range lines {
			original = append(append(original, l.text...), l.ending...)
			if i == changed {
				l.text = append(bytes.Clone(l.text), pick("NEW", "a", " ")...)
			}
			want = append(append(want, l.text...), l.ending...)
			if sent = append(sent, l.text...); len(l.ending) > 0 {
				sent = append(sent, "\r\n"...)
			}
		}
		if got := Adopt(original, sent); !bytes.Equal(got, want) {
			t.Fatalf("line %d of %q changed: got %q, want %q", changed+1, original, got, want)
		}
	}
}

// Whatever comes back is in the file, line by line.
func FuzzAdopt(f *testing.F) {
	f.Add([]byte("b  \n\na\rsame\nb\ra\rd\r"), []byte("b  \nX\n\na\nsame\nb\na\nd\n"))
	f.Add([]byte("\ufeffa\rb\n"), []byte("a\n\n"))
	f.Fuzz(func(t *testing.T, original, sent []byte) {
		sent = bytes.TrimPrefix(sent, []byte("\ufeff"))
		got := bytes.TrimPrefix(Adopt(original, sent), []byte("\ufeff"))
		if a, b := keysOfLines(splitEnded(got)), keysOfLines(splitEnded(sent)); !slices.Equal(a, b) {
			t.Errorf("%q for %q becomes %q", sent, original, got)
		}
	})
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
