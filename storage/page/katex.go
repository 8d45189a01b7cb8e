package page

import (
	_ "embed"
	"errors"
	"html"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// This file makes MathML of TeX by KaTeX, which is JavaScript, in an interpreter that is written in Go. What a formula
// costs is counted and not timed, so a page looks alike on a busy machine and an idle one: each token that KaTeX reads,
// each element that it makes. What a formula says beyond its budget is not shown.

// Costs are about in microseconds, for the slowest of what was tried.
const (
	costFormula = 200
	costByte    = 3
	costToken   = 15
	costChem    = 300   // a token in \ce and \pu
	costCell    = 150   // "&" and "\\"
	costNode    = 25    // an element of what KaTeX makes
	costMost    = 300e3 // of one formula
	costPage    = 800e3 // of all formulas of a page, beyond which the next are shown as their source
)

const (
	maxTeX     = 16 << 10 // bytes of one formula
	maxEngines = 2
	maxKept    = 4 << 20 // bytes of formulas that are kept
)

var (
	//go:embed katex/katex.min.js
	katexSource string
	//go:embed katex/mhchem.min.js
	mhchemSource string
)

// glue counts what KaTeX does. It gives a function of a formula, whether it is displayed, and what it may cost; that gives
// the tree, or null and the reason, and what it did cost.
const glue = `(function (katex) {
	let left = 0, gullet;
	const spend = cost => { if ((left -= cost) < 0) throw new Error("budget"); };
	katex.__defineMacro("\\cairn@gullet", context => { gullet = Object.getPrototypeOf(context); return ""; });
	katex.__parse("\\cairn@gullet", {});
	katex.__defineMacro("\\cairn@gullet", undefined);
	const {popToken, pushTokens} = gullet;
	gullet.popToken = function () {
		const token = popToken.call(this);
		spend(token.text === "&" || token.text === "\\\\" ? COST_CELL : COST_TOKEN);
		return token;
	};
	gullet.pushTokens = function (tokens) { spend(tokens.length); return pushTokens.call(this, tokens); };
	const chemistry = {
		__defineMacro(name, macro) {
			katex.__defineMacro(name, typeof macro !== "function" ? macro : context => {
				const args = context.consumeArgs(1);
				spend(args[0].length * COST_CHEM);
				return macro({consumeArgs: () => args});
			});
		}
	};
	return {chemistry, render(tex, displayMode, most) {
		left = most;
		try {
			const tree = katex.__renderToDomTree(tex, {
				output: "mathml", displayMode, trust: false, throwOnError: true, strict: "ignore", maxExpand: 500, maxSize: 20
			});
			return [tree, "", most - left];
		} catch (e) {
			return [null, e.message === "budget" ? "" : String(e.rawMessage || "it is not understood"), most - left];
		}
	}};
})(katex)`

var errMathCostly = errors.New("it takes too much work")

// formulaHTML is how a formula looks.
type formulaHTML struct {
	html string // MathML, or the source with the reason why
	cost int
	sure bool // it is the same another time
}

type formulaKey struct {
	tex     string
	display bool
}

// mathematics makes formulas, and keeps what it made last. Safe for concurrent use.
type mathematics struct {
	engines chan *engine // maxEngines; nil for one that is not made yet
	mu      sync.Mutex   // guards what follows
	kept    *simplelru.LRU[formulaKey, formulaHTML]
	size    int
}

var theMathematics = sync.OnceValue(func() *mathematics {
	m := &mathematics{engines: make(chan *engine, maxEngines)}
	for range maxEngines {
		m.engines <- nil
	}
	m.kept, _ = simplelru.NewLRU(1<<20, func(k formulaKey, f formulaHTML) { m.size -= keptSize(k, f) })
	return m
})

func keptSize(k formulaKey, f formulaHTML) int { return 200 + len(k.tex) + len(f.html) }

// formula is the look of a formula: safe HTML that fits within a line, MathML or else the source in <code> with the
// reason as its title.
func (m *mathematics) formula(k formulaKey) formulaHTML {
	m.mu.Lock()
	f, ok := m.kept.Get(k)
	m.mu.Unlock()
	if ok {
		return f
	}
	if f = m.make(k); !f.sure {
		return f
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept.Contains(k) {
		return f
	}
	m.kept.Add(k, f)
	m.size += keptSize(k, f)
	for m.size > maxKept {
		m.kept.RemoveOldest()
	}
	return f
}

// make makes a formula.
func (m *mathematics) make(k formulaKey) (f formulaHTML) {
	f.sure = true
	f.cost = costFormula + costByte*len(k.tex)
	if len(k.tex) > maxTeX {
		f.html = formulaSource(k, "it is too long")
		return f
	}
	e := <-m.engines
	defer func() { m.engines <- e }()
	if e == nil {
		e = newEngine()
	}
	out, cost, err := e.render(k)
	f.cost += cost
	if err == nil {
		f.html = out
		return f
	}
	f.html = formulaSource(k, err.Error())
	if errors.Is(err, errEngine) {
		e, f.sure = nil, false
	}
	return f
}

// formulaSource shows a formula as it was written, and why.
func formulaSource(k formulaKey, reason string) string {
	dollars := "$"
	if k.display {
		dollars = "$$"
	}
	return `<code class="formula" title="` + html.EscapeString("This formula cannot be shown: "+reason) + `">` +
		html.EscapeString(dollars+k.tex+dollars) + "</code>"
}

// engine is one interpreter with KaTeX in it. For one goroutine at a time.
type engine struct {
	vm       *goja.Runtime
	call     goja.Callable
	elements int
}

var errEngine = errors.New("it could not be made this time")

var katexPrograms = sync.OnceValue(func() [3]*goja.Program {
	costs := strings.NewReplacer("COST_TOKEN", strconv.Itoa(costToken), "COST_CHEM", strconv.Itoa(costChem),
		"COST_CELL", strconv.Itoa(costCell))
	return [3]*goja.Program{
		goja.MustCompile("katex.js", katexSource, true),
		goja.MustCompile("glue.js", costs.Replace(glue), true),
		goja.MustCompile("mhchem.js", mhchemSource, false),
	}
})

// newEngine starts an interpreter, with the programs that are compiled in.
func newEngine() *engine {
	vm := goja.New()
	vm.SetMaxCallStackSize(2000)
	must := func(v goja.Value, err error) goja.Value {
		if err != nil {
			panic(err) // the programs are our own
		}
		return v
	}
	programs := katexPrograms()
	must(vm.RunProgram(programs[0]))
	katex := vm.Get("katex")
	made := must(vm.RunProgram(programs[1])).ToObject(vm)
	must(nil, vm.Set("katex", made.Get("chemistry")))
	must(vm.RunProgram(programs[2]))
	must(nil, vm.Set("katex", katex))
	call, _ := goja.AssertFunction(made.Get("render"))
	return &engine{vm: vm, call: call}
}

// render makes a formula. The error is for the reader, unless it is errEngine: the engine is then of no more use.
func (e *engine) render(k formulaKey) (out string, cost int, err error) {
	defer func() {
		if r := recover(); r != nil { // in the interpreter
			err = errEngine
		}
	}()
	// The count bounds the work; this is for what it should have missed.
	stop := time.AfterFunc(20*time.Second, func() { e.vm.Interrupt(errEngine) })
	defer stop.Stop()
	v, err := e.call(goja.Undefined(), e.vm.ToValue(k.tex), e.vm.ToValue(k.display), e.vm.ToValue(int(costMost)))
	if err != nil {
		var deep *goja.StackOverflowError
		if errors.As(err, &deep) {
			return "", costMost / 10, errMathDeep
		}
		return "", 0, errEngine
	}
	got := v.ToObject(e.vm)
	cost = int(got.Get("2").ToInteger())
	root, ok := got.Get("0").(*goja.Object)
	if !ok {
		if reason := got.Get("1").String(); reason != "" {
			return "", cost, errors.New(cutRunes(reason, 200))
		}
		return "", cost, errMathCostly
	}
	e.elements = int(costMost) / costNode
	tree, err := e.tree(root, 0)
	cost += costNode * (int(costMost)/costNode - e.elements)
	if err != nil {
		return "", cost, err
	}
	out, err = mathML(tree)
	return out, cost, err
}

// tree copies what KaTeX made.
func (e *engine) tree(o *goja.Object, depth int) (*mathNode, error) {
	if e.elements--; e.elements < 0 {
		return nil, errMathCostly
	}
	if depth > 3*maxMathDepth {
		return nil, errMathDeep
	}
	n := &mathNode{name: "span"}
	if name := o.Get("type"); name != nil {
		n.name = name.String()
	} else if text := o.Get("text"); text != nil {
		return &mathNode{text: text.String()}, nil
	} else if c := o.Get("character"); c != nil {
		if s, ok := c.Export().(string); ok {
			return &mathNode{name: "mtext", children: []*mathNode{{text: s}}}, nil
		}
		width := strconv.FormatFloat(o.Get("width").ToFloat(), 'f', 4, 64)
		return &mathNode{name: "mspace", attrs: map[string]string{"width": width + "em"}}, nil
	}
	if attrs, ok := o.Get("attributes").(*goja.Object); ok && n.name != "span" {
		for _, key := range attrs.Keys() {
			if n.attrs == nil {
				n.attrs = map[string]string{}
			}
			n.attrs[key] = attrs.Get(key).String()
		}
	}
	children, ok := o.Get("children").(*goja.Object)
	if !ok || n.name == "annotation" {
		return n, nil
	}
	count := int(children.Get("length").ToInteger())
	for i := range count {
		child, ok := children.Get(strconv.Itoa(i)).(*goja.Object)
		if !ok {
			return nil, errMathUnknown
		}
		c, err := e.tree(child, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, c)
	}
	return n, nil
}

// cutRunes cuts a text after so many bytes, not within a character.
func cutRunes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
