package accounts

import (
	"strings"
	"testing"
)

func TestVisitorName(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "Ann", "Ann"},
		{"empty", "", "Visitor"},
		{"only spaces", " \t\n ", "Visitor"},
		{"trimmed and folded", "  Ann \n  Bee ", "Ann Bee"},
		{"what would end a signature", "Ann <ann@example.org>", "Ann ann@example.org"},
		{"what git drops", ".,;'", "Visitor"},
		{"control characters", "A\x00n\x07n", "Ann"},
		{"text direction", "Ann\u202egnp", "Anngnp"},
		{"not UTF-8", "Ann\xff", "Ann"},
		{"other scripts", "Ζωή 山田", "Ζωή 山田"},
		{"too long", strings.Repeat("é", 200), strings.Repeat("é", 80)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Visitor(test.in).Name(); got != test.want {
				t.Errorf("Visitor(%q).Name() = %q, want %q", test.in, got, test.want)
			}
		})
	}
}
