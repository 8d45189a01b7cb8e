package web

import (
	"context"
	"embed"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/leonelquinteros/gotext"
	"golang.org/x/text/language"
)

// This file says things in the language of who reads them.
//
// Every text for people stands in the code in English, as a whole sentence or label, and is of the type [Text]. English is
// its key in the catalogues locales/*.po, one a language; what a catalogue does not have is said in English. A language
// is offered as soon as its catalogue is there.

// Text is a text for people in English, in the form of [fmt.Sprintf]. What tells two meanings of one text apart may stand
// before it, ended by \x04, which is not shown: "month\x04May".
type Text string

//go:embed locales/*.po
var locales embed.FS

// LanguageURL is where the server takes which language somebody chooses: language, a tag, and back, the address to come
// back to.
const LanguageURL = "/-/language"

// english is the language that needs no catalogue.
const english = "en"

// Tongue is a language that the interface speaks.
type Tongue struct {
	Tag  string // such as "fr"
	Name string // in that language
}

// catalogue is one of locales.
type catalogue struct {
	*gotext.Po
	texts map[Text]*gotext.Translation
}

// catalogues are those of all languages but English, by their tags, and the languages in the order of their names.
type catalogues struct {
	of      map[string]catalogue
	tongues []Tongue
	matcher language.Matcher
	matched []string // tags in the order of the matcher
}

var spoken = sync.OnceValue(func() catalogues {
	all := catalogues{of: map[string]catalogue{}, tongues: []Tongue{{english, "English"}}, matched: []string{english}}
	tags := []language.Tag{language.English}
	names, _ := locales.ReadDir("locales") // embedded: they are there
	for _, f := range names {
		b, _ := locales.ReadFile("locales/" + f.Name())
		po := gotext.NewPo()
		po.Parse(b)
		texts := map[Text]*gotext.Translation{}
		for id, said := range po.GetDomain().GetTranslations() {
			texts[Text(id)] = said
		}
		for about, some := range po.GetDomain().GetCtxTranslations() {
			for id, said := range some {
				if id == "" { // gotext's own
					continue
				}
				texts[Text(about+"\x04"+id)] = said
			}
		}
		tag := strings.TrimSuffix(f.Name(), ".po")
		all.of[tag] = catalogue{po, texts}
		all.tongues = append(all.tongues, Tongue{tag, po.Headers.Get("X-Language-Name")})
		all.matched = append(all.matched, tag)
		tags = append(tags, language.Make(tag))
	}
	slices.SortFunc(all.tongues, func(a, b Tongue) int { return strings.Compare(a.Name, b.Name) })
	all.matcher = language.NewMatcher(tags)
	return all
})

// Tongues are the languages that the interface speaks, in the order of their names.
func Tongues() []Tongue { return slices.Clone(spoken().tongues) }

// Choose is the tag of the language for somebody who has chosen one, "" for none, and whose browser accepts those of an
// Accept-Language header. Both may be anything.
func Choose(chosen, accepted string) string {
	all := spoken()
	if slices.Contains(all.matched, chosen) {
		return chosen
	}
	if tags, _, err := language.ParseAcceptLanguage(accepted); err == nil && len(tags) > 0 {
		if _, i, sure := all.matcher.Match(tags...); sure > language.No {
			return all.matched[i]
		}
	}
	return english
}

type languageKey struct{}

// InLanguage is a context in which the views speak the language of that tag.
func InLanguage(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, languageKey{}, tag)
}

// Language is the tag of the language that the views speak in ctx.
func Language(ctx context.Context) string {
	if tag, ok := ctx.Value(languageKey{}).(string); ok {
		return tag
	}
	return english
}

// Say is the text in the language of ctx. Whole numbers among args are written as people do, whichever the verb.
func Say(ctx context.Context, text Text, args ...any) string { return say(ctx, text, args...) }

// SayN is the text for n things: one if it is 1, else other, as far as the language makes that difference. Its first verb
// is for n; a text that does not say n counts its verbs: "the page %[2]s".
func SayN(ctx context.Context, n int, one, other Text, args ...any) string {
	return sayN(ctx, n, one, other, args...)
}

func say(ctx context.Context, text Text, args ...any) string {
	return filled(ctx, translate(ctx, text), args)
}

func sayN(ctx context.Context, n int, one, other Text, args ...any) string {
	return filled(ctx, translateN(ctx, n, one, other), append([]any{n}, args...))
}

// translate is the format in the language of ctx.
func translate(ctx context.Context, text Text) string {
	if text == "" { // is the head of a catalogue
		return ""
	}
	if said := spoken().of[Language(ctx)].texts[text]; said != nil {
		return said.Get()
	}
	_, plain, about := strings.Cut(string(text), "\x04")
	if !about {
		return string(text)
	}
	return plain
}

func translateN(ctx context.Context, n int, one, other Text) string {
	if in, ok := spoken().of[Language(ctx)]; ok && n >= 0 {
		return in.GetN(string(one), string(other), n)
	}
	if n == 1 {
		return string(one)
	}
	return string(other)
}

// filled writes the args into a format. One without args, or that says none of them, is whole already.
func filled(ctx context.Context, format string, args []any) string {
	if len(args) == 0 || !strings.Contains(format, "%") {
		return format
	}
	written := make([]any, len(args))
	for i, a := range args {
		written[i] = spelt{spell(ctx, a), translate(ctx, "quoted\x04\"%s\"")}
	}
	return fmt.Sprintf(format, written...)
}

// spell writes one arg as people do.
func spell(ctx context.Context, a any) string {
	switch a := a.(type) {
	case int:
		return count(ctx, a)
	case string:
		return a
	}
	return fmt.Sprint(a)
}

// spelt is an arg that is written already, whatever the verb; only %q sets it in quotation marks.
type spelt struct{ text, quoted string }

func (s spelt) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		s.text = strings.Replace(s.quoted, "%s", s.text, 1)
	}
	io.WriteString(f, s.text)
}

// phrase is a text with components in it, such as links: @phrase("Saved by %s on %s", person(s), when(t)). Other args are
// written as say does, and escaped. `code` and *names of what can be pressed* stand out.
func phrase(text Text, args ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return compose(ctx, w, translate(ctx, text), args)
	})
}

// phraseN is phrase for n things, with n as its first arg.
func phraseN(n int, one, other Text, args ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return compose(ctx, w, translateN(ctx, n, one, other), append([]any{n}, args...))
	})
}

// compose writes a format whose args may be components. First each arg leaves a mark, its number between two NULs, which
// no format has; so nothing that an arg says is taken for one.
func compose(ctx context.Context, w io.Writer, format string, args []any) error {
	marks := make([]any, len(args))
	for i := range args {
		marks[i] = spelt{text: "\x00" + string(rune('A'+i)) + "\x00"}
	}
	if len(args) > 0 && strings.Contains(format, "%") {
		format = fmt.Sprintf(format, marks...)
	}
	for i, part := range strings.Split(format, "\x00") {
		if i%2 == 0 {
			if _, err := io.WriteString(w, inline.ReplaceAllStringFunc(templ.EscapeString(part), stress)); err != nil {
				return err
			}
			continue
		}
		arg := args[part[0]-'A']
		if c, ok := arg.(templ.Component); ok {
			if err := c.Render(ctx, w); err != nil {
				return err
			}
		} else if _, err := io.WriteString(w, templ.EscapeString(spell(ctx, arg))); err != nil {
			return err
		}
	}
	return nil
}

// inline is what stands out in a phrase.
var inline = regexp.MustCompile("`[^`]+`|\\*[^*]+\\*")

// stress marks up a part of a phrase that stands out.
func stress(part string) string {
	inner := part[1 : len(part)-1]
	if part[0] == '`' {
		return "<code>" + inner + "</code>"
	}
	return "<em>" + inner + "</em>"
}

// count writes a number, its digits in groups of three from five on.
func count(ctx context.Context, n int) string {
	s := fmt.Sprint(n)
	if n < 10000 {
		return s
	}
	comma := translate(ctx, "between thousands\x04,")
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString(comma)
		}
		b.WriteRune(r)
	}
	return b.String()
}

var months = [...]Text{
	"January", "February", "March", "April", "month\x04May", "June", "July", "August", "September", "October", "November", "December",
}

var weekdays = [...]Text{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

// clock writes a moment. It is absolute, because pages are cached.
func clock(ctx context.Context, t time.Time) string {
	t = t.UTC()
	return say(ctx, "date and time\x04%s, %s UTC", date(ctx, t), t.Format("15:04"))
}

// hour writes the time of a day.
func hour(ctx context.Context, t time.Time) string {
	return say(ctx, "time\x04%s UTC", t.UTC().Format("15:04"))
}

// day writes a date with its weekday.
func day(ctx context.Context, t time.Time) string {
	t = t.UTC()
	return say(ctx, "weekday and date\x04%s, %s", say(ctx, weekdays[t.Weekday()]), date(ctx, t))
}

// Date writes the date of a moment (UTC).
func Date(ctx context.Context, t time.Time) string { return date(ctx, t) }

// date writes a date without its weekday.
func date(ctx context.Context, t time.Time) string {
	t = t.UTC()
	month, year := say(ctx, months[t.Month()-1]), t.Format("2006")
	if t.Day() == 1 {
		return say(ctx, "the first of a month\x041 %s %s", month, year)
	}
	return say(ctx, "day, month and year\x04%d %s %s", t.Day(), month, year)
}

// ago writes how long ago something was.
func ago(ctx context.Context, d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 365*day:
		return sayN(ctx, int(d/(365*day)), "%d year ago", "%d years ago")
	case d >= 30*day:
		return sayN(ctx, int(d/(30*day)), "%d month ago", "%d months ago")
	case d >= day:
		return sayN(ctx, int(d/day), "%d day ago", "%d days ago")
	case d >= time.Hour:
		return sayN(ctx, int(d/time.Hour), "%d hour ago", "%d hours ago")
	case d >= time.Minute:
		return sayN(ctx, int(d/time.Minute), "%d minute ago", "%d minutes ago")
	}
	return say(ctx, "just now")
}

// took writes a duration in milliseconds.
func took(ctx context.Context, d time.Duration) string {
	if d < time.Millisecond {
		return say(ctx, "less than 1 ms")
	}
	return say(ctx, "%d ms", int(d.Milliseconds()))
}
