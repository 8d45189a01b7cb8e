package web

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// colour is red, green and blue as light, 0 to 1.
type colour [3]float64

var pair = regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\);`)

// palette reads the colours of a style sheet, those for light and those for dark.
func palette(t *testing.T, names ...string) (light, dark map[string]colour) {
	t.Helper()
	light, dark = map[string]colour{}, map[string]colour{}
	for _, name := range names {
		css, err := files.ReadFile("styles/" + name + ".css")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pair.FindAllStringSubmatch(string(css), -1) {
			light[m[1]], dark[m[1]] = parseColour(t, m[2]), parseColour(t, m[3])
		}
	}
	return light, dark
}

func parseColour(t *testing.T, hex string) colour {
	t.Helper()
	digits := hex[1:]
	if len(digits) == 3 {
		digits = strings.Repeat(digits[:1], 2) + strings.Repeat(digits[1:2], 2) + strings.Repeat(digits[2:], 2)
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		t.Fatalf("%s is not a colour", hex)
	}
	var c colour
	for i := range c {
		v := float64(n>>(16-8*i)&0xff) / 255
		if v <= .04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return c
}

// mix is color-mix(in oklab, a, b share).
func mix(a, b colour, share float64) colour {
	lab := func(c colour) (l, m, s float64) {
		return math.Cbrt(.4122214708*c[0] + .5363325363*c[1] + .0514459929*c[2]),
			math.Cbrt(.2119034982*c[0] + .6806995451*c[1] + .1073969566*c[2]),
			math.Cbrt(.0883024619*c[0] + .2817188376*c[1] + .6299787005*c[2])
	}
	// Oklab is these three roots by a matrix, so that what lies between two colours there lies between their roots, too.
	l1, m1, s1 := lab(a)
	l2, m2, s2 := lab(b)
	between := func(x, y float64) float64 { return math.Pow(x+(y-x)*share, 3) }
	l, m, s := between(l1, l2), between(m1, m2), between(s1, s2)
	clamp := func(x float64) float64 { return min(1, max(0, x)) }
	return colour{
		clamp(4.0767416621*l - 3.3077115913*m + .2309699292*s),
		clamp(-1.2684380046*l + 2.6097574011*m - .3413193965*s),
		clamp(-.0041960863*l - .7034186147*m + 1.7076147010*s),
	}
}

// contrast is that of WCAG 2, 1 to 21.
func contrast(a, b colour) float64 {
	lum := func(c colour) float64 { return .2126*c[0] + .7152*c[1] + .0722*c[2] }
	x, y := lum(a), lum(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// TestContrast holds what the comment in tokens.css promises.
func TestContrast(t *testing.T) {
	if got := contrast(parseColour(t, "#000"), parseColour(t, "#ffffff")); math.Abs(got-21) > .001 {
		t.Fatalf("black on white is %f", got)
	}
	if got := contrast(parseColour(t, "#777777"), parseColour(t, "#fff")); math.Abs(got-4.478) > .001 { // as others compute it
		t.Fatalf("grey on white is %f", got)
	}
	light, dark := palette(t, "tokens", "code")
	for scheme, of := range map[string]map[string]colour{"light": light, "dark": dark} {
		// Boxes that are tinted by what they mean, and buttons that the pointer is on, as parts.css and page.css mix them.
		kinds := "note tip important warning caution soft"
		for kind := range strings.FieldsSeq(kinds) {
			of[kind+" box"] = mix(of[kind], of["paper"], .93)
		}
		of["press under the pointer"] = mix(of["press"], of["ink"], .3)
		of["caution under the pointer"] = mix(of["caution"], of["ink"], .3)
		of["row under the pointer"] = mix(of["ground"], of["ink"], .07)

		check := func(least float64, fronts, backs string) {
			t.Helper()
			for front := range strings.SplitSeq(fronts, ", ") {
				for back := range strings.SplitSeq(backs, ", ") {
					a, ok := of[front]
					b, ok2 := of[back]
					if !ok || !ok2 {
						t.Fatalf("no colour %q or %q", front, back)
					}
					if got := contrast(a, b); got < least {
						t.Errorf("%s: %s on %s has %.2f, want %.1f", scheme, front, back, got, least)
					}
				}
			}
		}
		const text, shape = 4.5, 3
		check(text, "ink, soft, link, visited, missing, caution", "paper, stone, ground")
		check(text, "ink, soft, link, caution", "tint")
		check(text, "ink", "mark, ins, del, ins-deep, del-deep, row under the pointer")
		check(text, "soft, link", "row under the pointer")
		check(text, "soft", "ins, del")
		check(text, "on-press", "press, caution, press under the pointer, caution under the pointer")
		check(text, "paper", "ink") // the sentence at the foot of the window
		check(text, "code-word, code-name, code-text, code-count, code-aside", "stone")
		for kind := range strings.FieldsSeq(kinds) {
			check(text, kind+", ink, soft, link, missing", kind+" box")
			check(shape, kind, "paper")
		}
		check(shape, "rim", "paper, ground, stone")
		check(shape, "focus", "paper, ground, stone, tint")
		check(shape, "press", "paper, ground, stone") // boxes that are ticked, the bar at the page that one is on
	}
}

// size is how many bytes go over the line to a browser of any age.
func (p Packed) size() int {
	body, _ := p.For("gzip")
	return len(body)
}

// TestWeight holds the budgets of what a page view loads: the page itself, about two screens of it, the style sheet, the
// scripts, and both pictures of the frame, all packed.
func TestWeight(t *testing.T) {
	site := newSite(t)
	packed := func(url string) int {
		a, ok := site.Asset(strings.TrimPrefix(url, AssetsURL))
		if !ok {
			t.Fatalf("%s is not there", url)
		}
		return a.size()
	}
	style, script := packed(site.style), packed(site.script)
	if most := 10 << 10; style > most {
		t.Errorf("the style sheet has %d bytes, want at most %d", style, most)
	}
	if sum, most := style+packed(site.work), 12<<10; sum > most {
		t.Errorf("the style sheets of views that are not for reading have %d bytes, want at most %d", sum, most)
	}
	if most := 8 << 10; script > most {
		t.Errorf("the scripts have %d bytes, want at most %d", script, most)
	}
	for _, s := range samples() {
		if _, ok := s.view.(Page); !ok {
			continue
		}
		b, err := site.Render(t.Context(), s.view)
		if err != nil {
			t.Fatal(err)
		}
		page := Pack(func() []byte { return b }).size()
		sum := page + style + script + packed(site.icon) + packed(sprite())
		if most := 30 << 10; sum > most {
			t.Errorf("%s weighs %d bytes, want at most %d", s.name, sum, most)
		}
		t.Logf("%s: %d = page %d, style %d, scripts %d, icons %d", s.name, sum, page, style, script, packed(site.icon)+packed(sprite()))
	}
}

func TestDaysAgo(t *testing.T) {
	now := time.Date(2026, 11, 28, 0, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		then time.Time
		want string
	}{
		{now, "today"},
		{now.Add(time.Hour), "today"},
		{now.Add(-31 * time.Minute), "yesterday"},
		{now.Add(-31 * time.Minute).In(time.FixedZone("", 3*60*60)), "yesterday"},
		{now.AddDate(0, 0, -2), "2 days ago"},
		{now.AddDate(-1, 0, -1), "1 year ago"},
	} {
		if got := daysAgo(t.Context(), now, tt.then); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.then, got, tt.want)
		}
	}
	for review, want := range map[time.Time]bool{{}: false, now: false, now.AddDate(0, 0, -1): true, now.AddDate(0, 0, 1): false} {
		if got := (Page{Now: now, Review: review}).overdue(); got != want {
			t.Errorf("a review on %v is overdue: %v, want %v", review, got, want)
		}
	}
}

// TestStyleShowsAll holds that no colour and no size of type is missing on the page that shows them.
func TestStyleShowsAll(t *testing.T) {
	tokens, err := files.ReadFile("styles/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	about, err := files.ReadFile("styles/about.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range pair.FindAllStringSubmatch(string(tokens), -1) {
		if !slices.Contains(shownColours[:], m[1]) || !strings.Contains(string(about), ".sw-"+m[1]+" { --of: var(--"+m[1]+"); }") {
			t.Errorf("the colour %s is not shown", m[1])
		}
	}
	for _, name := range shownSizes {
		if !strings.Contains(string(tokens), "--"+name+": ") || !strings.Contains(string(about), ".sz-"+name+" { font-size: var(--"+name+")") {
			t.Errorf("the size %s is not shown", name)
		}
	}
}
