package page

import (
	"strings"
	"testing"
)

// What wikis elsewhere read, and what is shown of it here.
func TestDialect(t *testing.T) {
	box := func(look, kind, title, rest string) string {
		if title != "" {
			title = " " + title
		}
		return "<div class=\"callout " + look + "\">\n<p class=\"callout-title\"><span class=\"kind\">" + kind + "</span>" + title + "</p>\n" + rest + "</div>"
	}
	for _, tt := range []struct{ name, in, want string }{
		{"alert", "> [!NOTE]\n> a\n>\n> b", box("note", "Note", "", "<p>a</p>\n<p>b</p>\n")},
		{"alert, lazy", "> [!TIP]\na", box("tip", "Tip", "", "<p>a</p>\n")},
		{"callout, titled", "> [!quote] By *A*\n> b", box("quote", "Quote", "By <em>A</em>", "<p>b</p>\n")},
		{"callout, title of two lines", "> [!bug] *a\n> b* c\n> d", box("caution", "Bug", "<em>a\nb</em> c", "<p>d</p>\n")},
		{"callout, unknown", "> [!our-rule] a", box("note", "Our rule", "a", "")},
		{"callout, other script", "> [!注意] a", box("note", "注意", "a", "")},
		{"callout, with metadata", "> [!info|right wide] a", box("note", "Info", "a", "")},
		{"callout, folded", "> [!faq]- a?\n> b", "<details class=\"callout important\">\n<summary class=\"callout-title\"><span class=\"kind\">FAQ</span> a?</summary>\n<p>b</p>\n</details>"},
		{"callout, unfolded", "> [!tldr]+\n> b", "<details class=\"callout note\" open=\"\">\n<summary class=\"callout-title\"><span class=\"kind\">TL;DR</span></summary>\n<p>b</p>\n</details>"},
		{"callout in a callout", "> [!todo]\n> > [!done] a", box("note", "Todo", "", box("tip", "Done", "a", "")+"\n")},
		{"callout in a list", "- > [!tip] a", "<ul>\n<li>\n" + box("tip", "Tip", "a", "") + "\n</li>\n</ul>"},
		{"no callout: a link", "> [!note](/Home)", "<blockquote>\n<p><a href=\"/go/Home\">!note</a></p>\n</blockquote>"},
		{"no callout: not first", "> a\n> [!note]", "<blockquote>\n<p>a\n[!note]</p>\n</blockquote>"},
		{"no callout: bold", "> **[!note]**", "<blockquote>\n<p><strong>[!note]</strong></p>\n</blockquote>"},

		{"mark", "==a *b*== c", "<p><mark>a <em>b</em></mark> c</p>"},
		{"mark in a word of another script", "这是==高亮==文字", "<p>这是<mark>高亮</mark>文字</p>"},
		{"no mark: comparisons", "a==b and c==d, e == f == g, ===h===", "<p>a==b and c==d, e == f == g, ===h===</p>"},
		{"no mark: open", "==a", "<p>==a</p>"},

		{"comment", "a %%b *c*%% d", "<p>a  d</p>"},
		{"comment of lines", "a %%b\nc%% d", "<p>a  d</p>"},
		{"comment alone", "%%b%%\n\nc", "<p>c</p>"},
		{"comment block", "a\n\n%%\n# b\n\n[[c]]\n%%\n\nd", "<p>a</p>\n<p>d</p>"},
		{"comment block right below", "a\n%%\nb\n\nc\n%%\nd", "<p>a</p>\n<p>d</p>"},
		{"comment block with text", "%% b\n\nc %% d", "<p>d</p>"},
		{"no comment: open", "a %%b", "<p>a %%b</p>"},
		{"no comment: an open block", "%%\nb\n\nc", "<p>%%\nb</p>\n<p>c</p>"},
		{"no comment: a block open in its quotation", "> %%\n> b\n\n%%c%%", "<blockquote>\n<p>%%\nb\n</p>\n</blockquote>"},
		{"no comment: numbers", "50%% to 60%%", "<p>50%% to 60%%</p>"},
		{"no comment: empty", "%%%%", "<p>%%%%</p>"},
		{"no comment: code", "`%%a%%`", "<p><code>%%a%%</code></p>"},

		{"emoji", ":tada::+1: a", "<p>🎉👍 a</p>"},
		{"no emoji", ":nonsense: 10:100:10 :octocat:", "<p>:nonsense: 10:100:10 :octocat:</p>"},
		{"emoji in a heading", "a\n\n## :tada: B", "<p>a</p>\n<h2 id=\"tada-b\">🎉 B <a aria-label=\"Link to this section\" class=\"anchor\" href=\"#tada-b\"></a></h2>"},

		{"macros", "<<Toc>> <<A(b, \"*c*\")>> {{Info|*a*}} {{<youtube x>}}", "<p>&lt;&lt;Toc&gt;&gt; &lt;&lt;A(b, &quot;*c*&quot;)&gt;&gt; {{Info|*a*}} {{&lt;youtube x&gt;}}</p>"},
		{"no macros", "1 << 2 >> *1* {{ *a*", "<p>1 &lt;&lt; 2 &gt;&gt; <em>1</em> {{ <em>a</em></p>"},

		{"definitions", "a *b*\n: c\n: d\n\ne\n\n:   f\n\n    g", "<dl>\n<dt>a <em>b</em></dt>\n<dd>c</dd>\n<dd>d</dd>\n<dt>e</dt>\n<dd>\n<p>f</p>\n<p>g</p>\n</dd>\n</dl>"},
		{"no definition", "a\n\nb:c\n:d", "<p>a</p>\n<p>b:c\n:d</p>"},

		{"contents by levels", "[[_TOC_|levels=1]]\n\n## A\n### B", "<nav class=\"toc\"><ul><li><a href=\"#a\">A</a></li></ul></nav>\n"},
		{"contents once", "[TOC]\n\n[[_TOC_]]\n\n## A", "<nav class=\"toc\"><ul><li><a href=\"#a\">A</a></li></ul></nav>\n<p>[[_TOC_]]</p>\n"},
		{"no contents: within a line", "a [[_TOC_]]", "<p>a [[_TOC_]]</p>"},

		{"picture with a width", "![a|300](pic.png)", "<p><img src=\"/go/guide/pic.png\" alt=\"a\" width=\"300\" loading=\"lazy\"/></p>"},
		{"picture with both", "![[pic.png|a|300x200]]", "<p><img src=\"/go/guide/pic.png\" alt=\"a\" width=\"300\" height=\"200\" loading=\"lazy\"/></p>"},
		{"picture with a height", "![[pic.png|x20]]", "<p><img src=\"/go/guide/pic.png\" alt=\"pic\" height=\"20\" loading=\"lazy\"/></p>"},
		{"picture of GitLab", "![a](pic.png){width=30 height=\"20px\"} b {width=30}", "<p><img src=\"/go/guide/pic.png\" alt=\"a\" width=\"30\" height=\"20\" loading=\"lazy\"/> b {width=30}</p>"},
		{"picture of Gollum", "![[pic.png|alt=a b, width=30px]]", "<p><img src=\"/go/guide/pic.png\" alt=\"a b\" width=\"30\" loading=\"lazy\"/></p>"},

		{"diagram", "```mermaid\na-->b\n```", "<pre class=\"diagram\" data-kind=\"mermaid\"><code class=\"language-mermaid\">a--&gt;b\n</code></pre>"},
		{"diagram of Azure", "a\n::: mermaid\nb\n\nc\n:::\nd", "<p>a</p>\n<pre class=\"diagram\" data-kind=\"mermaid\"><code class=\"language-mermaid\">b\n\nc\n</code></pre>\n<p>d</p>"},
		{"no diagram", "::: video\na\n:::", "<p>::: video\na\n:::</p>"},

		{"name of a paragraph", "a *b* ^abc-1\n\nc", "<p id=\"^abc-1\">a <em>b</em></p>\n<p>c</p>"},
		{"name of an item", "- a ^abc\n- b", "<ul>\n<li id=\"^abc\">a</li>\n<li>b</li>\n</ul>"},
		{"name of what is above", "> a\n\n^abc\n\nb", "<blockquote id=\"^abc\"><p>a</p>\n</blockquote>\n<p>b</p>"},
		{"name of a table", "|a|\n|-|\n\n^abc", "<table id=\"^abc\">\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n</table>"},
		{"name of a callout", "> [!tip] a\n\n^abc", "<div class=\"callout tip\" id=\"^abc\">\n<p class=\"callout-title\"><span class=\"kind\">Tip</span> a</p>\n</div>"},
		{"name of code", "```\na\n```\n^abc", "<pre class=\"chroma\" id=\"^abc\"><code>a\n</code></pre>"},
		{"link to a name", "[[Set up#^abc]]", "<p><a href=\"/go/guide/Set%20up#%5Eabc\">Set up#^abc</a></p>"},
		{"no name", "a ^2\n\nb^abc\n\n`c ^abc`\n\n^abc", "<p>a ^2</p>\n<p>b^abc</p>\n<p id=\"^abc\"><code>c ^abc</code></p>"},

		{"task", "1. [ ] a", "<ol>\n<li><input aria-label=\"Not done\" data-line=\"1\" disabled=\"\" type=\"checkbox\"/> a</li>\n</ol>"},
		{"no task: a link", "- [x](/Home)", "<ul>\n<li><a href=\"/go/Home\">x</a></li>\n</ul>"},
		{"table", "|a|b|c|\n|:-|-:|:-:|\n|`d\\|e`||f|", "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n<th align=\"center\">c</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"left\"><code>d|e</code></td>\n<td align=\"right\"></td>\n<td align=\"center\">f</td>\n</tr>\n</tbody>\n</table>"},
		{"link in a link", "[a [[Home]] b](/Home)", "<p><a href=\"/go/Home\">a Home b</a></p>"},
		{"picture that is not there, in a link", "[![a](x.png)](/Home)", "<p><a href=\"/go/Home\">a</a></p>"},
		{"note in a link", "[a[^1]](/Home)\n\n[^1]: b", "<p><a href=\"/go/Home\">a<sup id=\"fnref:1\">1</sup></a></p>\n<div class=\"footnotes\" role=\"doc-endnotes\">\n<hr>\n<ol>\n<li id=\"fn:1\">\n<p>b&#160;<a href=\"#fnref:1\" class=\"footnote-backref\" role=\"doc-backlink\">&#x21a9;&#xfe0e;</a></p>\n</li>\n</ol>\n</div>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkSafe(t, tt.in)
			got := Parse("guide/Page.md", []byte(tt.in)).HTML(shown)
			if strings.HasSuffix(tt.want, "</nav>\n") || strings.HasSuffix(tt.want, "_]]</p>\n") {
				got = got[:min(len(got), len(tt.want))]
			}
			if strings.TrimSpace(got) != strings.TrimSpace(tt.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// The ids of headings are GitHub's, in every script; Outline and links agree with them.
func TestAnchors(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Set Up, now!", "set-up-now"},
		{"A  b -- c", "a--b----c"},
		{"`code` & *more* <b>x</b>", "code--more-x"},
		{"snake_case a‿b", "snake_case-a‿b"},
		{"1.2 Ünï & Ødegård's", "12-ünï--ødegårds"},
		{"日本語 の 見出し", "日本語-の-見出し"},
		{"Привет, мир", "привет-мир"},
		{"العربية (١٢)", "العربية-١٢"},
		{"हिन्दी में", "हिन्दी-में"},
		{"ไทย ภาษา", "ไทย-ภาษา"},
		{"İstanbul", "i̇stanbul"},
		{"½ & ² ⅷ", "---ⅷ"},
		{"🎉 Party", "-party"},
		{":tada: Party", "tada-party"},
		{"[Link](x) and [[Page|text]]", "link-and-page-text"},
		{"!!!", "section"},
		{"cairn-menu", "h-cairn-menu"},
	} {
		d := Parse("a.md", []byte("x\n\n## "+tt.in+"\n"))
		if got := d.Outline[0].ID; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.in, got, tt.want)
		}
	}
	d := Parse("a.md", []byte("x\n\n## A\n## A\n## A-1\n## A\n"))
	var got []string
	for _, h := range d.Outline {
		got = append(got, h.ID)
	}
	if s := strings.Join(got, " "); s != "a a-1 a-1-1 a-2" {
		t.Errorf("ids of the same name: %s", s)
	}
}

// What readers do not see is neither found nor linked.
func TestHidden(t *testing.T) {
	d := Parse("a.md", []byte("a %%b #c [[d]]%% e ^abc\n\n%%\n[[f]] #g\n%%\n\n> [!tip] h\n> :tada: ==i==\n"))
	if d.Text != "a  e\nh\n🎉 i" || len(d.Links) != 0 || len(d.Tags) != 0 {
		t.Errorf("got %q, %v, %v", d.Text, d.Links, d.Tags)
	}
}
