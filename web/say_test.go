package web

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	parser "github.com/a-h/templ/parser/v2"
	"golang.org/x/tools/go/packages"
)

// rooms are those in which texts for people are written.
var rooms = []string{"cairn/web", "cairn/server"}

// entry is a text in the code, or in a catalogue.
type entry struct {
	one, other string // other is "" unless it is for a number of things
	at         string
}

// texts are all constants of the type Text, those of sayN and the like in pairs.
func texts(t *testing.T) []entry {
	t.Helper()
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax}, rooms...)
	if err != nil {
		t.Fatal(err)
	}
	var found []entry
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		isText := func(e ast.Expr) bool {
			named, ok := p.TypesInfo.Types[e].Type.(*types.Named)
			return ok && named.Obj().Name() == "Text" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "cairn/web"
		}
		said := func(e ast.Expr) (string, bool) {
			v := p.TypesInfo.Types[e].Value
			if v == nil || !isText(e) {
				return "", false
			}
			return constant.StringVal(v), true
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				at := p.Fset.Position(e.Pos()).String()
				if call, ok := e.(*ast.CallExpr); ok {
					if p.TypesInfo.Types[call.Fun].IsType() && isText(call) && p.TypesInfo.Types[call].Value == nil && !strings.HasSuffix(p.Fset.Position(e.Pos()).Filename, "/web/say.go") {
						t.Errorf("%s: a text that is no constant cannot be in a catalogue", at)
					}
					for i := 1; i < len(call.Args); i++ {
						one, ok := said(call.Args[i-1])
						if other, both := said(call.Args[i]); ok && both && counts(call) {
							found = append(found, entry{one, other, at})
						}
					}
				}
				if one, ok := said(e); ok {
					if one != "" {
						found = append(found, entry{one, "", at})
					}
					return false
				}
				return true
			})
		}
	}
	// What is said for a number of things has been found once more, each form by itself.
	var paired []string
	for _, e := range found {
		if e.other != "" {
			paired = append(paired, e.one, e.other)
		}
	}
	return slices.DeleteFunc(found, func(e entry) bool { return e.other == "" && slices.Contains(paired, e.one) })
}

// counts tells whether a function is called that takes a text for one thing and one for several.
func counts(call *ast.CallExpr) bool {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	return name == "sayN" || name == "SayN" || name == "phraseN"
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([a-z%])`)

// verbs are what a format says of its args, by their numbers: 1s 2d.
func verbs(format string) string {
	var all []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			fmt.Sscan(m[1], &next)
		}
		all = append(all, fmt.Sprint(next)+m[2])
		next++
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// Every text is in each catalogue, translated, with the same args; and no catalogue has more.
func TestCatalogues(t *testing.T) {
	wanted := texts(t)
	if len(wanted) < 20 {
		t.Fatalf("only %d texts were found", len(wanted))
	}
	for tag, in := range spoken().of {
		if n := in.Headers.Get("X-Language-Name"); n == "" {
			t.Errorf("%s: its head has no X-Language-Name", tag)
		}
		used := map[string]bool{"": true}
		var missing strings.Builder
		for _, e := range wanted {
			about, one, ok := strings.Cut(e.one, "\x04")
			if !ok {
				about, one = "", e.one
			}
			if used[e.one] {
				continue
			}
			used[e.one] = true
			tr := in.texts[Text(e.one)]
			switch {
			case tr == nil || tr.PluralID != e.other || tr.Trs[0] == "" || e.other != "" && tr.Trs[1] == "":
				fmt.Fprintf(&missing, "\n#: %s\n", e.at[strings.LastIndex(e.at, "/")+1:])
				if ok {
					fmt.Fprintf(&missing, "msgctxt %q\n", about)
				}
				fmt.Fprintf(&missing, "msgid %q\n", one)
				if e.other != "" {
					fmt.Fprintf(&missing, "msgid_plural %q\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n", e.other)
				} else {
					missing.WriteString("msgstr \"\"\n")
				}
			case e.other == "":
				if got, want := verbs(tr.Trs[0]), verbs(one); got != want {
					t.Errorf("%s: %q says %q, not %q", tag, tr.Trs[0], got, want)
				}
			default:
				for _, form := range tr.Trs {
					if got := verbs(form); got != verbs(one) && got != verbs(e.other) {
						t.Errorf("%s: %q says %q", tag, form, got)
					}
				}
			}
		}
		if missing.Len() > 0 {
			t.Errorf("locales/%s.po has no translation of:\n%s", tag, &missing)
		}
		for key := range in.texts {
			if !used[string(key)] {
				t.Errorf("%s: nobody says %q", tag, key)
			}
		}
	}
}

// Scripts say nothing that the catalogues do not have, and the wiki sends them nothing that they do not say.
func TestScriptsAreSaid(t *testing.T) {
	sources, err := filepath.Glob("src/*.ts")
	if err != nil || len(sources) == 0 {
		t.Fatal("no scripts", err)
	}
	said := map[Text]string{}
	for _, name := range sources {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bt\(("(?:[^"\\]|\\.)*")?`).FindAllStringSubmatch(string(b), -1) {
			if m[1] == "" {
				if name != "src/say.ts" { // where t is made
					t.Errorf("%s: t is called with what is no constant", name)
				}
				continue
			}
			text, err := strconv.Unquote(m[1])
			if err != nil {
				t.Fatal(name, err)
			}
			said[Text(text)] = name
		}
	}
	for _, text := range scriptTexts {
		if said[text] == "" {
			t.Errorf("no script says %q", text)
		}
		delete(said, text)
	}
	for text, name := range said {
		t.Errorf("%s: scriptTexts lacks %q", name, text)
	}
	site, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := site.Asset(strings.TrimPrefix(site.texts["fr"], AssetsURL)); !ok || !strings.Contains(string(a.plain()), `"Copy":"Copier"`) {
		t.Error("the scripts do not get their texts in French")
	}
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct{ chosen, accepted, want string }{
		{"", "", "en"},
		{"", "fr", "fr"},
		{"", "fr-CA,fr;q=0.9,en;q=0.8", "fr"},
		{"", "en-GB,en;q=0.9,fr;q=0.5", "en"},
		{"", "de,fr;q=0.5", "fr"},
		{"", "xx", "en"},
		{"en", "fr", "en"},
		{"fr", "en", "fr"},
		{"../fr", "fr", "fr"},
		{"tlh", "", "en"},
		{"", strings.Repeat("a-", 5000), "en"},
		{"", "\x00;;;q=", "en"},
	} {
		if got := Choose(tt.chosen, tt.accepted); got != tt.want {
			t.Errorf("Choose(%q, %q) = %q, want %q", tt.chosen, tt.accepted, got, tt.want)
		}
	}
}

// Numbers, dates and durations are written as people do in each language.
func TestSay(t *testing.T) {
	en, fr := t.Context(), InLanguage(t.Context(), "fr")
	may, first := time.Date(2024, 5, 8, 9, 5, 0, 0, time.UTC), time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ got, want string }{
		{clock(en, may), "8 May 2024, 09:05 UTC"},
		{clock(fr, may), "8 mai 2024 à 09:05 UTC"},
		{day(en, first), "Friday, 1 March 2024"},
		{day(fr, first), "vendredi 1er mars 2024"},
		{count(en, 1234567), "1,234,567"},
		{count(fr, 1234567), "1\u202f234\u202f567"},
		{count(fr, 9999), "9999"},
		{ago(en, 50*time.Hour), "2 days ago"},
		{ago(fr, 74*time.Hour), "il y a 3 jours"},
		{ago(fr, time.Minute), "il y a 1 minute"},
		{ago(fr, time.Second), "à l’instant"},
		{say(fr, "%s is a wiki.", "100 %d"), "100 %d est un wiki."},
		{ago(InLanguage(en, "nowhere"), 0), "just now"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// No text of a template is left in English alone: letters stand in say and phrase, or in what is the same everywhere.
func TestTemplatesAreSaid(t *testing.T) {
	letters := regexp.MustCompile(`\pL{2}`)
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	for _, name := range files {
		if name == "style.templ" { // samples, for whoever changes how the wiki looks
			continue
		}
		parsed, err := parser.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		var walk func(nodes []parser.Node, code bool)
		told := func(what string) {
			if letters.MatchString(what) {
				t.Errorf("%s: %q is not said", name, what)
			}
		}
		walk = func(nodes []parser.Node, code bool) {
			for _, n := range nodes {
				switch n := n.(type) {
				case *parser.Text:
					if !code {
						told(n.Value)
					}
				case *parser.StringExpression:
					// A constant of its own, or glued to something.
					if e := n.Expression.Value; !code && !strings.Contains(e, "say(") && !strings.Contains(e, "sayN(") && !strings.Contains(e, "\"git ") {
						for _, lit := range literal.FindAllString(e, -1) {
							if lit != `"Cairn"` && strings.Contains(lit, " ") {
								told(lit)
							}
						}
					}
				case *parser.Element:
					for _, a := range n.Attributes {
						if c, ok := a.(*parser.ConstantAttribute); ok {
							if key := c.Key.String(); key == "aria-label" || key == "title" || key == "placeholder" || key == "alt" {
								told(c.Value)
							}
						}
					}
					walk(n.Children, code || n.Name == "code" || n.Name == "kbd" || n.Name == "script")
				case *parser.IfExpression:
					walk(n.Then, code)
					for _, other := range n.ElseIfs {
						walk(other.Then, code)
					}
					walk(n.Else, code)
				case *parser.ForExpression:
					walk(n.Children, code)
				case *parser.SwitchExpression:
					for _, c := range n.Cases {
						walk(c.Children, code)
					}
				case *parser.TemplElementExpression:
					walk(n.Children, code)
				}
			}
		}
		for _, n := range parsed.Nodes {
			if h, ok := n.(*parser.HTMLTemplate); ok {
				walk(h.Children, false)
			}
		}
	}
}

var literal = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
