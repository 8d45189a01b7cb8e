package web

import (
	"strconv"
	"strings"
	"time"
)

// count writes a number, its digits in groups of three from five on.
func count(n int) string {
	s := strconv.Itoa(n)
	if n < 10000 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString(",")
		}
		b.WriteRune(r)
	}
	return b.String()
}

// many writes a number with its noun: many(2, "page") is "2 pages".
func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// took writes a duration in milliseconds.
func took(d time.Duration) string {
	ms := d.Milliseconds()
	if ms < 1 {
		return "less than 1 ms"
	}
	return count(int(ms)) + " ms"
}

// or is s, or what stands for it when it is empty.
func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// ago writes how long ago something was.
func ago(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		noun string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / u.of); n > 0 {
			return many(n, u.noun) + " ago"
		}
	}
	return "just now"
}

// noun is what a view is about.
func noun(file bool) string {
	if file {
		return "file"
	}
	return "page"
}
