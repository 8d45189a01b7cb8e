package page

import (
	"errors"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file is the wall behind KaTeX: the tree that it makes is written with the elements and attributes that stand
// here, and with nothing else. So a mistake in KaTeX can spoil a formula, and not the page. It also says in other
// words what browsers' MathML (the Core) has none for: letters of other alphabets (mathletters.go), how the columns of a
// table stand, lines round and through something (classes, see page.css). Sizes and shifts are bounded, so that a
// formula stays where it is.

// mathNode is an element of a formula, or a text when it has no name.
type mathNode struct {
	name     string
	attrs    map[string]string
	text     string
	children []*mathNode
}

var (
	errMathDeep    = errors.New("it is nested too deeply")
	errMathUnknown = errors.New("it uses something that cannot be shown here")
)

const (
	maxMathDepth = 120 // elements in one another
	maxMathSize  = 5.0 // of a letter in a formula, in sizes of the text around
)

// mathElements are those that are written, with the attributes of their own that they may have.
var mathElements = map[string][]string{
	"math": nil, "mrow": nil, "mphantom": nil, "msqrt": nil, "mroot": nil, "msub": nil, "msup": nil, "msubsup": nil,
	"mi": {"mathvariant"}, "mn": nil, "mtext": nil, "mstyle": nil,
	"mo":         {"form", "fence", "separator", "stretchy", "symmetric", "largeop", "movablelimits", "lspace", "rspace", "minsize", "maxsize"},
	"mspace":     {"width", "height", "depth"},
	"mfrac":      {"linethickness"},
	"mover":      {"accent"},
	"munder":     {"accentunder"},
	"munderover": {"accent", "accentunder"},
	"mpadded":    {"width", "height", "depth", "lspace", "voffset"},
	"mtable":     nil, "mtr": nil, "mtd": nil,
}

// mathAttributes are what the values must be like.
var mathAttributes = func() map[string]func(string) bool {
	matches := func(s string) func(string) bool { return regexp.MustCompile(`^(?:` + s + `)$`).MatchString }
	boolean, colour := matches(`true|false`), matches(`#[0-9A-Fa-f]{3,8}|[A-Za-z]{1,30}`)
	within := func(least, most float64) func(string) bool {
		return func(s string) bool {
			em, ok := mathLength(s)
			return ok && em >= least && em <= most
		}
	}
	return map[string]func(string) bool{
		"displaystyle": boolean, "scriptlevel": matches(`[+-]?[0-3]`), "mathcolor": colour, "mathbackground": colour,
		"mathvariant": matches(`normal`),
		"form":        matches(`prefix|infix|postfix`), "fence": boolean, "separator": boolean, "stretchy": boolean,
		"symmetric": boolean, "largeop": boolean, "movablelimits": boolean, "accent": boolean, "accentunder": boolean,
		"lspace": within(-1, 20), "rspace": within(-1, 20), "minsize": within(0, 20), "maxsize": within(0, 20),
		"width": within(-1, 60), "height": within(0, 20), "depth": within(-5, 20), "voffset": within(-3, 3),
		"linethickness": within(0, 2),
	}
}()

var mathUnit = regexp.MustCompile(`^(-?[0-9]{1,5}(?:\.[0-9]{1,8})?)(em|ex|pt|px|mu)?$`)

// mathLength reads a length, in ems.
func mathLength(s string) (em float64, ok bool) {
	m := mathUnit.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || m[2] == "" && n != 0 {
		return 0, false
	}
	return n * map[string]float64{"": 0, "em": 1, "ex": .45, "pt": .1, "px": .075, "mu": .056}[m[2]], true
}

// mathWriter writes one formula.
type mathWriter struct {
	strings.Builder
	depth int
	size  float64 // of the letters here
	back  float64 // how far it has gone backwards and off its line, in ems
}

// mathML is the formula as MathML.
func mathML(n *mathNode) (string, error) {
	w := &mathWriter{size: 1}
	if err := w.node(n, ""); err != nil {
		return "", err
	}
	return w.String(), nil
}

// node writes one node, with a class that its parent gives it.
func (w *mathWriter) node(n *mathNode, class string) error {
	if w.depth++; w.depth > maxMathDepth {
		return errMathDeep
	}
	defer func(size float64) { w.depth--; w.size = size }(w.size)
	switch n.name {
	case "annotation":
		return nil
	case "semantics":
		if len(n.children) == 0 {
			return errMathUnknown
		}
		return w.node(n.children[0], class)
	case "span":
		return w.all(n.children)
	case "mrow":
		if sign := primes(n); sign != "" {
			return w.token(&mathNode{name: "mo", children: []*mathNode{{text: sign}}}, class)
		}
	case "menclose":
		return w.element("mrow", n, strings.TrimSpace(class+" "+enclosure(n.attrs["notation"])))
	case "mtable":
		return w.table(n, class)
	case "mi", "mn", "mo", "mtext":
		return w.token(n, class)
	case "mpadded":
		if wide, ok := strings.CutPrefix(n.attrs["width"], "+"); ok { // room on both sides
			return w.padded(n, wide)
		}
		if strings.HasSuffix(n.attrs["lspace"], "width") { // to the left of its place: there is no word for that
			return w.element("mrow", n, class)
		}
	}
	if _, ok := mathElements[n.name]; !ok {
		return errMathUnknown
	}
	return w.element(n.name, n, class)
}

func (w *mathWriter) all(nodes []*mathNode) error {
	for _, n := range nodes {
		if err := w.node(n, ""); err != nil {
			return err
		}
	}
	return nil
}

func (w *mathWriter) element(name string, n *mathNode, class string) error {
	w.open(name, n, class)
	if err := w.all(n.children); err != nil {
		return err
	}
	w.WriteString("</" + name + ">")
	return nil
}

// open writes the start of an element with the attributes that it may have.
func (w *mathWriter) open(name string, n *mathNode, class string) {
	w.WriteString("<" + name)
	w.attribute("class", class)
	if name == "math" && n.attrs["display"] == "block" {
		w.attribute("display", "block")
	}
	for _, key := range []string{"displaystyle", "scriptlevel", "mathcolor", "mathbackground"} {
		if v := n.attrs[key]; v != "" && mathAttributes[key](v) {
			w.attribute(key, v)
		}
	}
	if v := n.attrs["mathsize"]; v != "" {
		if em, ok := mathLength(v); ok && em > .2 && em*w.size <= maxMathSize {
			w.attribute("mathsize", v)
			w.size *= em
		}
	}
	for _, key := range mathElements[name] {
		if v := n.attrs[key]; v != "" && mathAttributes[key](v) && !w.strays(name, key, v) {
			w.attribute(key, v)
		}
	}
	w.WriteString(">")
}

// strays tells whether a shift, with all those before, would take parts of the formula to where other text is.
func (w *mathWriter) strays(name, key, value string) bool {
	em, _ := mathLength(value)
	if key == "voffset" || name == "mpadded" && key == "depth" {
		em = -max(em, -em)
	}
	if em >= 0 {
		return false
	}
	w.back += -em * w.size
	return w.back > maxMathSize
}

func (w *mathWriter) attribute(key, value string) {
	if value != "" {
		w.WriteString(" " + key + `="` + html.EscapeString(value) + `"`)
	}
}

// token writes an element that holds text alone.
func (w *mathWriter) token(n *mathNode, class string) error {
	var text strings.Builder
	for _, c := range n.children {
		if c.name != "" {
			return errMathUnknown
		}
		text.WriteString(c.text)
	}
	variant := n.attrs["mathvariant"]
	s := mathLetters(variant, text.String())
	if bar := bars[s]; n.name == "mo" && bar != "" && (n.attrs["fence"] == "true" || n.attrs["stretchy"] == "false") {
		s = bar
		n.attrs["lspace"], n.attrs["rspace"] = "0em", "0em"
	}
	// The one value that browsers read: one letter alone would be slanted.
	if variant != "" && variant != "italic" && s == text.String() && utf8.RuneCountInString(s) == 1 {
		n.attrs["mathvariant"] = "normal"
	}
	w.open(n.name, n, class)
	w.WriteString(html.EscapeString(s) + "</" + n.name + ">")
	return nil
}

// bars are the signs of a relation that KaTeX writes for fences, which do not grow with what is between them, and those
// that do.
var bars = map[string]string{"∣": "|", "∥": "‖"}

// primes is one sign for two to four in a row: browsers set each for itself, apart.
func primes(n *mathNode) string {
	count := len(n.children)
	if n.name != "mrow" || count < 2 || count > 4 {
		return ""
	}
	for _, c := range n.children {
		if c.name != "mo" || len(c.children) != 1 || c.children[0].text != "′" {
			return ""
		}
	}
	return []string{"″", "‴", "⁗"}[count-2]
}

// padded writes what has room on both sides, wide in all.
func (w *mathWriter) padded(n *mathNode, wide string) error {
	em, ok := mathLength(wide)
	space := `<mspace width="` + strconv.FormatFloat(min(max(em, 0), 10)/2, 'f', 4, 64) + `em"></mspace>`
	if !ok {
		space = ""
	}
	w.open("mrow", n, "")
	w.WriteString(space)
	if err := w.all(n.children); err != nil {
		return err
	}
	w.WriteString(space + "</mrow>")
	return nil
}

// enclosure is the class for lines round and through something; what none is for goes without.
func enclosure(notation string) string {
	var class []string
	for s := range strings.FieldsSeq(notation) {
		switch s {
		case "box", "left", "right", "top", "bottom":
			class = append(class, "math-"+s)
		case "updiagonalstrike":
			class = append(class, "math-up")
		case "downdiagonalstrike":
			class = append(class, "math-down")
		case "horizontalstrike":
			class = append(class, "math-through")
		case "actuarial":
			class = append(class, "math-top", "math-right")
		case "phasorangle":
			class = append(class, "math-left", "math-bottom")
		}
	}
	return strings.Join(class, " ")
}

// table writes rows and cells with classes for how their columns stand, which lines part them, and how much room is
// between them.
func (w *mathWriter) table(n *mathNode, class string) error {
	columns := strings.Fields(n.attrs["columnalign"])
	gaps := strings.Fields(n.attrs["columnspacing"])
	across, down := strings.Fields(n.attrs["columnlines"]), strings.Fields(n.attrs["rowlines"])
	of := func(list []string, i int) string { // the last one goes on
		if len(list) == 0 || i < 0 {
			return ""
		}
		return list[min(i, len(list)-1)]
	}
	if n.attrs["width"] == "100%" {
		class = strings.TrimSpace(class + " math-wide")
		n.attrs["displaystyle"] = "true"
	}
	if rowGap, ok := mathLength(of(strings.Fields(n.attrs["rowspacing"]), 0)); ok && rowGap < .12 {
		class = strings.TrimSpace(class + " math-close")
	}
	w.open("mtable", n, class)
	for i, row := range n.children {
		if row.name != "mtr" && row.name != "mlabeledtr" {
			return errMathUnknown
		}
		w.open("mtr", row, "")
		for j, cell := range row.children {
			if cell.name != "mtd" {
				return errMathUnknown
			}
			var is []string
			if a := of(columns, j); a == "left" || a == "right" {
				is = append(is, "math-"+a)
			}
			for _, side := range []struct{ gap, class string }{{of(gaps, j-1), "math-near"}, {of(gaps, j), "math-by"}} {
				// Of the pair "right left" of an alignment, the two sides touch.
				if em, ok := mathLength(side.gap); ok && em < .1 && len(columns) > 1 {
					is = append(is, side.class)
				}
			}
			if line := of(across, j); (line == "solid" || line == "dashed") && j < len(row.children)-1 && j < len(across) {
				is = append(is, "math-line")
			}
			if line := of(down, i); (line == "solid" || line == "dashed") && i < len(n.children)-1 && i < len(down) {
				is = append(is, "math-under")
			}
			if cell.attrs["width"] == "50%" {
				is = append(is, "math-glue")
			}
			if err := w.element("mtd", cell, strings.Join(is, " ")); err != nil {
				return err
			}
		}
		w.WriteString("</mtr>")
	}
	w.WriteString("</mtable>")
	return nil
}
