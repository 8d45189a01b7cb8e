package web

import (
	"strconv"
	"strings"
)

// many writes a number with its noun: many(2, "page") is "2 pages".
func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return counted(n) + " " + noun + "s"
}

// counted writes a number in English.
func counted(n int) string {
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

// or is s, or what stands for it when it is empty.
func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// noun is what a view is about.
func noun(file bool) string {
	if file {
		return "file"
	}
	return "page"
}
