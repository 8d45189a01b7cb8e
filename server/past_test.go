package server

import (
	"strings"
	"testing"
	"time"

	"cairn/storage/wiki"
	"cairn/web"
)

func TestParseWhen(t *testing.T) {
	for _, test := range []struct {
		in, want string // "" for no time
		day      bool
	}{
		{"2026-01-31", "2026-01-31T23:59:59Z", true},
		{"2024-02-29", "2024-02-29T23:59:59Z", true},
		{"1969-12-31", "1969-12-31T23:59:59Z", true},
		{"2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z", false},
		{"2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.5Z", false},
		{"2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z", false},
		{"2026-01-31T01:00:00+02:00", "2026-01-30T23:00:00Z", false},
		{"2023-02-29", "", false},
		{"2026-13-01", "", false},
		{"2026-1-31", "", false},
		{"20260131", "", false},
		{"2026-01-31 ", "", false},
		{"2026-01-31T12:00:00", "", false},
		{"2026-01-31T12:00:00.00000000000000000000000000000000Z", "", false},
		{"12026-01-31", "", false},
		{"-2026-01-31", "", false},
		{"yesterday", "", false},
		{"0123456789abcdef0123456789abcdef01234567", "", false},
		{"", "", false},
	} {
		at, day, ok := parseWhen(test.in)
		got := ""
		if ok {
			got = at.Format(time.RFC3339Nano)
		}
		if got != test.want || day != test.day || ok && at.Location() != time.UTC {
			t.Errorf("%q: %q, %v; want %q, %v", test.in, got, day, test.want, test.day)
		}
	}
}

func TestAgesOf(t *testing.T) {
	run := func(rev wiki.Rev, day int) wiki.Written {
		return wiki.Written{By: wiki.Commit{Rev: rev, When: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}}
	}
	for _, test := range []struct {
		name string
		in   []wiki.Written
		want map[wiki.Rev]int
	}{
		{"none", nil, map[wiki.Rev]int{}},
		{"one", []wiki.Written{run("a", 1), run("a", 1)}, map[wiki.Rev]int{"a": 5}},
		{"two", []wiki.Written{run("b", 2), run("a", 1), run("b", 2)}, map[wiki.Rev]int{"a": 1, "b": 5}},
		{"six", []wiki.Written{run("f", 6), run("a", 1), run("b", 2), run("c", 3), run("d", 4), run("e", 5)},
			map[wiki.Rev]int{"a": 1, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5}},
	} {
		got := agesOf(test.in)
		for rev, age := range test.want {
			if got[rev] != age || len(got) != len(test.want) {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
			}
		}
	}
}

func TestJoined(t *testing.T) {
	run := func(by string, lines ...string) web.WrittenRun { return web.WrittenRun{Diff: by, Lines: lines} }
	for _, test := range []struct {
		name string
		in   []web.WrittenRun
		want string
	}{
		{"of two changes", []web.WrittenRun{run("a", "1"), run("b", "2")}, "a:1 b:2"},
		{"an empty line of another", []web.WrittenRun{run("a", "1"), run("b", ""), run("a", "2")}, "a:1,,2"},
		{"an empty line between two", []web.WrittenRun{run("a", "1"), run("c", "", " "), run("b", "2")}, "a:1,,  b:2"},
		{"an empty line first", []web.WrittenRun{run("a", ""), run("b", "1")}, "a: b:1"},
	} {
		var runs []web.WrittenRun
		for _, r := range test.in {
			runs = joined(runs, r)
		}
		var got []string
		for _, r := range runs {
			got = append(got, r.Diff+":"+strings.Join(r.Lines, ","))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
