package web

import "time"

// Style shows the parts that the views are made of, in every state, by the templates that the views use: for whoever
// changes how the wiki looks, and for the test that takes its picture.
type Style struct{ Frame }

// shown are the names of the colours and of the sizes of type in tokens.css.
var (
	shownColours = [...]string{
		"ground", "paper", "stone", "tint", "mark", "edge", "rim", "ink", "soft", "link", "visited", "missing", "press", "on-press", "focus",
		"note", "tip", "important", "warning", "caution", "ins", "ins-deep", "del", "del-deep",
	}
	shownSizes = [...]string{"tiny", "small", "calm", "text", "h3", "h2", "h1"}
)

// shownProse is what the sanitiser makes of a page that has everything.
const shownProse HTML = `<h3>A heading of a page</h3><p>Everybody has <strong>25 days</strong> a year, and <em>may</em> carry over <mark>five</mark> of them. ` +
	`Ask your <a href="/">team lead</a> first, then write it into the <a class="missing" href="/-/about/style" title="This page is not there">team calendar</a>. It reads <code>holidays.csv</code>; press <kbd>Ctrl</kbd> + <kbd>K</kbd> to find it again.</p>` +
	`<ul><li>Say when you leave<ul><li>and who stands in for you</li></ul></li></ul><ol><li>Write it down</li><li>Go</li></ol>` +
	`<blockquote><p>Rest is part of the work.</p></blockquote>` +
	`<div class="callout note"><p class="callout-title"><span class="kind">Note</span></p><p>Something to know.</p></div>` +
	`<div class="callout tip"><p class="callout-title"><span class="kind">Tip</span></p><p>Fridays in May are cheap.</p></div>` +
	`<div class="callout important"><p class="callout-title"><span class="kind">Important</span></p><p>Tell your team.</p></div>` +
	`<div class="callout warning"><p class="callout-title"><span class="kind">Warning</span> Mind the date</p><p>Leave that is not taken by March is gone.</p></div>` +
	`<details class="callout caution"><summary class="callout-title"><span class="kind">Caution</span> Folded</summary><p>Payroll cannot bring it back.</p></details>` +
	`<div class="callout quote"><p class="callout-title"><span class="kind">Quote</span></p><p>It is said.</p></div>` +
	`<table><thead><tr><th scope="col">Team</th><th scope="col" align="right">Days</th></tr></thead><tbody><tr><td>Digital</td><td align="right">25</td></tr><tr><td>Fundraising</td><td align="right">27</td></tr></tbody></table>` +
	`<pre class="chroma"><code class="language-go"><span class="c1">// what is left of the year</span>` + "\n" +
	`<span class="kd">func</span> <span class="nf">Left</span>(<span class="nx">taken</span> <span class="kt">int</span>) <span class="kt">int</span> { <span class="k">return</span> <span class="mi">25</span> - <span class="nx">taken</span> } <span class="c1">// a line that is longer than its box is wide</span></code></pre>` +
	`<dl><dt>Leave</dt><dd>Days on which somebody does not work.</dd></dl><details><summary>What about parents?</summary><p>Two weeks more.</p></details><hr>`

// shownPage has all that a page says of itself beside its text.
func shownPage() Page {
	then := time.Date(2026, 5, 4, 14, 5, 0, 0, time.UTC)
	return Page{Last: &Stamp{Who: "Asha", When: then, Note: "Add the half days"}, Owner: "Bo", Review: then.AddDate(0, 3, 0), Now: then.AddDate(0, 6, 0)}
}

func shownListed() []Listed {
	last := shownPage().Last
	return []Listed{
		{Name: "Handbook", URL: "/-/about/style", IsFolder: true, Last: last, Ago: 50 * time.Hour},
		{Name: "Working from abroad and what to tell payroll", URL: "/-/about/style", Last: last, Ago: time.Minute},
	}
}

func shownTree() []TreeNode {
	return []TreeNode{
		{Name: "Events", URL: "/-/about/style", IsFolder: true},
		{Name: "Handbook", URL: "/-/about/style", IsFolder: true, Open: true, Children: []TreeNode{
			{Name: "Holidays", URL: "/-/about/style", Current: true},
			{Name: "Working from abroad and what to tell payroll", URL: "/-/about/style"},
		}},
		{Name: "Opening hours", URL: "/-/about/style"},
	}
}
