package page

import "strings"

// This file writes letters in bold, script, double-struck and so on as the characters that Unicode has for them. MathML
// once said that with an attribute, mathvariant, which browsers no longer read.

// alphabet is where the letters of one look begin, 0 for those that Unicode does not have in it.
type alphabet struct {
	upper, lower, digits, greek rune
	own                         map[rune]rune // letters that Unicode had before, somewhere else
}

var alphabets = map[string]alphabet{
	"bold":        {upper: 0x1D400, lower: 0x1D41A, digits: 0x1D7CE, greek: 0x1D6A8},
	"italic":      {upper: 0x1D434, lower: 0x1D44E, greek: 0x1D6E2, own: map[rune]rune{'h': 'ℎ', 'ı': 0x1D6A4, 'ȷ': 0x1D6A5}},
	"bold-italic": {upper: 0x1D468, lower: 0x1D482, greek: 0x1D71C},
	"script": {upper: 0x1D49C, lower: 0x1D4B6, own: map[rune]rune{'B': 'ℬ', 'E': 'ℰ', 'F': 'ℱ', 'H': 'ℋ', 'I': 'ℐ',
		'L': 'ℒ', 'M': 'ℳ', 'R': 'ℛ', 'e': 'ℯ', 'g': 'ℊ', 'o': 'ℴ'}},
	"bold-script":  {upper: 0x1D4D0, lower: 0x1D4EA},
	"fraktur":      {upper: 0x1D504, lower: 0x1D51E, own: map[rune]rune{'C': 'ℭ', 'H': 'ℌ', 'I': 'ℑ', 'R': 'ℜ', 'Z': 'ℨ'}},
	"bold-fraktur": {upper: 0x1D56C, lower: 0x1D586},
	"double-struck": {upper: 0x1D538, lower: 0x1D552, digits: 0x1D7D8, own: map[rune]rune{'C': 'ℂ', 'H': 'ℍ', 'N': 'ℕ',
		'P': 'ℙ', 'Q': 'ℚ', 'R': 'ℝ', 'Z': 'ℤ'}},
	"sans-serif":             {upper: 0x1D5A0, lower: 0x1D5BA, digits: 0x1D7E2},
	"bold-sans-serif":        {upper: 0x1D5D4, lower: 0x1D5EE, digits: 0x1D7EC, greek: 0x1D756},
	"sans-serif-italic":      {upper: 0x1D608, lower: 0x1D622},
	"sans-serif-bold-italic": {upper: 0x1D63C, lower: 0x1D656, greek: 0x1D790},
	"monospace":              {upper: 0x1D670, lower: 0x1D68A, digits: 0x1D7F6},
}

// greekOrder is how Unicode sorts the Greek letters in each alphabet.
var greekOrder = func() map[rune]rune {
	m := map[rune]rune{}
	i := rune(0)
	for _, r := range "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡϴΣΤΥΦΧΨΩ∇αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ" {
		m[r] = i
		i++
	}
	return m
}()

// mathLetters is the text in the look that MathML calls variant. What Unicode has no letter for stays as it is.
func mathLetters(variant, text string) string {
	a, ok := alphabets[variant]
	if !ok {
		return text
	}
	return strings.Map(func(r rune) rune {
		at := func(base, offset rune) rune {
			if base == 0 {
				return r
			}
			return base + offset
		}
		if own, ok := a.own[r]; ok {
			return own
		}
		switch {
		case r >= 'A' && r <= 'Z':
			return at(a.upper, r-'A')
		case r >= 'a' && r <= 'z':
			return at(a.lower, r-'a')
		case r >= '0' && r <= '9':
			return at(a.digits, r-'0')
		}
		if i, ok := greekOrder[r]; ok {
			return at(a.greek, i)
		}
		return r
	}, text)
}
