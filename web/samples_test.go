package web

import "time"

var sampleTime = time.Date(2024, 3, 12, 14, 5, 0, 0, time.UTC)

// sample is a view with a name for messages.
type sample struct {
	name string
	view View
}

func sampleFrame(title string) Frame {
	return Frame{
		Title: title, Space: "wiki", Canonical: "https://wiki.example.org/wiki/Handbook/Holidays",
		Nav: Nav{Home: "/wiki/", Search: "/-/search", Changes: "/wiki/-/changes", Pages: "/wiki/-/pages", Tags: "/wiki/-/tags", Files: "/wiki/-/files", New: "/wiki/-/new", Keys: "/-/about/keys"},
		Tree: []TreeNode{
			{Name: "Home", URL: "/wiki/"},
			{Name: "Events", URL: "/wiki/Events/", IsFolder: true},
			{Name: "Handbook", URL: "/wiki/Handbook/", IsFolder: true, Open: true, Children: []TreeNode{
				{Name: "Expenses", URL: "/wiki/Handbook/Expenses"},
				{Name: "Holidays", URL: "/wiki/Handbook/Holidays", Current: true},
				{Name: "Teams", URL: "/wiki/Handbook/Teams/", IsFolder: true},
				{Name: "Working from abroad and what to tell payroll", URL: "/wiki/Handbook/Abroad"},
			}},
			{Name: "Opening hours", URL: "/wiki/Opening%20hours"},
			{Name: "Volunteers", URL: "/wiki/Volunteers/", IsFolder: true},
		},
		Crumbs:  []Crumb{{"wiki", "/wiki/"}, {"Handbook", "/wiki/Handbook/"}, {"Holidays", ""}},
		Actions: Actions{Edit: "/e", History: "/h", Files: "/f", Source: "/s", Move: "/m", Delete: "/d"},
	}
}

const sampleBody HTML = `<p>Everybody has <strong>25 days</strong> a year, and may carry over five of them. Ask your <a href="/wiki/Teams">team lead</a> first, then write it into the <a class="missing" href="/wiki/-/edit/Team%20calendar">team calendar</a>. It reads <code>holidays.csv</code> every night.</p>
<h2 id="asking">Asking for leave <a class="anchor" href="#asking" aria-label="Link to this section">#</a></h2>
<p>Write to your lead at least as many days ahead as you will be away. Nobody will say no without a reason, and the reason is written down here, so that the next person does not have to guess it.</p>
<ul><li>Say when you leave</li><li>Say who stands in for you<ul><li>and tell them</li></ul></li></ul>
<div class="callout warning"><p class="callout-title">Warning</p><p>Leave that is not taken by March is gone. Payroll cannot bring it back.</p></div>
<div class="callout tip"><p class="callout-title">Tip</p><p>Fridays in May are cheap.</p></div>
<h3 id="half">Half days</h3>
<table><thead><tr><th>Team</th><th align="right">Days</th><th>Stands in</th><th>Calendar</th></tr></thead><tbody><tr><td>Digital</td><td align="right">25</td><td>Asha</td><td>https://calendar.example.org/digital-team-and-friends</td></tr><tr><td>Fundraising</td><td align="right">27</td><td>Bo</td><td>none</td></tr></tbody></table>
<ul class="contains-task-list"><li><input type="checkbox" disabled checked aria-label="done"> tell the team</li><li><input type="checkbox" disabled aria-label="to do"> set the auto reply</li></ul>
<h2 id="script">For those who count</h2>
<pre class="chroma" tabindex="0"><code><span class="c1">// days left of the year</span>
<span class="kd">func</span> <span class="nf">Left</span>(<span class="nx">taken</span> <span class="kt">int</span>) <span class="kt">int</span> {
	<span class="k">return</span> <span class="mi">25</span> - <span class="nx">taken</span> <span class="c1">// a very long comment that does not fit on the line of a narrow screen</span>
}
<span class="nx">fmt</span>.<span class="nf">Println</span>(<span class="s">&#34;left&#34;</span>, <span class="nf">Left</span>(<span class="mi">3</span>))</code></pre>
<blockquote><p>Rest is part of the work.</p></blockquote>
<p>Press <kbd>Ctrl</kbd> + <kbd>K</kbd> to find it again.<sup><a href="#fn1">1</a></sup></p>
<details><summary>What about parents?</summary><p>Two weeks more.</p></details>
<hr>
<section class="footnotes"><ol><li id="fn1"><p>On a Mac it is another key.</p></li></ol></section>`

// samples are all views, full and empty.
func samples() []sample {
	t := sampleTime
	asha := Stamp{Who: "Asha", When: t, Note: "add the half days"}
	bo := Stamp{Who: "Bo (visitor)", When: t.Add(-26 * time.Hour)}
	form := Form{URL: "/post", Base: "0a1b2c3d", ID: "x1", Note: "say more", AskName: true, Name: "Asha", Cancel: "/wiki/Handbook/Holidays"}
	failed := form
	failed.Error = "The disk is full. Your text is still here; try again in a while."
	links := []PageLink{{"Home", "/wiki/", ""}, {"New starters", "/wiki/Handbook/New", "Handbook/New"}, {"Payroll", "/wiki/Payroll", ""}}
	clone := &Clone{Address: "https://wiki.example.org/wiki.git", Folder: "wiki"}
	diff := []Hunk{{Heading: "Asking for leave", Gap: Gap{Count: 2, Lines: []Line{
		{Op: Same, Old: 10, New: 10, Spans: []Piece{{"text", false}}}, {Op: Same, Old: 11, New: 11},
	}}, PutBack: "/b", Lines: []Line{
		{Op: Same, Old: 12, New: 12, Spans: []Piece{{"## Asking for leave", false}}},
		{Op: Same, Old: 13, New: 13},
		{Op: Removed, Old: 14, With: 14, Spans: []Piece{{"Everybody has ", false}, {"24", true}, {" days a year, and may carry over five of them into the next one.", false}}},
		{Op: Added, New: 14, With: 14, Spans: []Piece{{"Everybody has ", false}, {"25", true}, {" days a year, and may carry over five of them into the next one.", false}}},
		{Op: Same, Old: 15, New: 15},
	}}, {Meta: true, Gap: Gap{Count: 14}, Lines: []Line{{Op: Same, Old: 30, New: 30, Spans: []Piece{{"\tindented", false}}}, {Op: Added, New: 31, Spans: []Piece{{"- [ ] set the auto reply", false}}}}}}
	ways := []Way{{Columns, "/c"}, {OneColumn, "/o"}, {AsPage, "/p"}}

	page := Page{
		Frame: sampleFrame("Holidays"), Body: sampleBody, BodyLang: "en", Header: "<p>A bar of the wiki.</p>", Footer: "<p>Another one.</p>",
		Outline: []Heading{{"Asking for leave", "asking", []Heading{{"Half days", "half", nil}}}, {"For those who count", "script", nil}},
		Tags:    []Link{{"people", "/wiki/-/tags/people"}, {"leave", "/wiki/-/tags/leave"}}, Last: &asha, Backlinks: links, Clone: clone,
		Owner: "Bo", Review: t.AddDate(0, 6, 0), Now: t.AddDate(1, 0, 0),
	}
	saved := page
	saved.Notice = &Notice{Success, "Your page is saved.", &Button{"Undo", "/undo"}}
	saved.Spaces = []SpaceLink{{"wiki", "/wiki/", true}, {"board", "/board/", false}}
	saved.Sidebar = "<h2>Start here</h2><ul><li><a href=\"/wiki/\">Home</a></li></ul>"
	old := page
	old.NoIndex = true
	old.Old = &OldRevision{t, "Asha", "/wiki/Handbook/Holidays", &Button{Label: "Restore this revision", URL: "/r"}}
	bad := page
	bad.Body, bad.TitleID = "", "own-title"

	missing := Missing{Frame: sampleFrame("Team calendar"), Path: "Team calendar", Write: "/e", Search: "/-/search?q=team", Close: links, Wanted: links[:1]}
	deleted := missing
	deleted.Deleted = &Deleted{Stamp: asha, Restore: "/r", History: "/h"}

	edit := Edit{Frame: sampleFrame("Edit Holidays"), Form: form, Path: "Handbook/Holidays", Text: "\n# Holidays\n\nEverybody has **25 days** a year.\n", Limit: "Up to 1 MB."}
	preview := edit
	preview.Shown, preview.Preview, preview.Form = true, "<p>Everybody has <strong>25 days</strong> a year.</p>", failed
	fresh := edit

	search := Search{
		Frame: sampleFrame("Search"), URL: "/-/search", Here: true, Total: 12345, Took: 4 * time.Millisecond, Behind: "312 pages are not yet in the index.", Offer: &Link{"holidays", "/-/search?q=holidays"}, Write: "/e",
		Results: []Result{
			{[]Piece{{"Holi", true}, {"days", false}}, "/wiki/Handbook/Holidays", "Handbook/Holidays", "wiki", []Piece{{"Everybody has 25 days of ", false}, {"holiday", true}, {" a year, and may carry over five of them. Ask your team lead first, then write it into the team calendar.", false}}, t},
			{[]Piece{{"School terms", false}}, "/wiki/Terms", "Terms", "", []Piece{{"… the school ", false}, {"holidays", true}, {" begin on …", false}}, time.Time{}},
		},
		Paging: Paging{"/p", "/n"},
	}
	search.Query = "holiday"
	nothing := Search{Frame: sampleFrame("Search"), URL: "/-/search", Write: "/e"}
	nothing.Query = "holidya"

	changes := Changes{Frame: sampleFrame("Recent changes"), Feed: "/feed", Past: "/wiki/-/at/", Person: "/c?by=", Paging: Paging{Next: "/n"}, Days: []Day{
		{t, []Change{
			{Stamp: asha, Undo: "/u", Then: "/t", All: "/c", Pages: []ChangedPage{{Title: "Holidays", URL: "/wiki/Handbook/Holidays", Diff: "/d", Lines: "/l"}}},
			{Stamp: asha, Pages: []ChangedPage{{Title: "Teams", URL: "/wiki/Teams", Diff: "/d", Lines: "/l"}}, Parts: []Change{{Stamp: asha, Undo: "/u"}, {Stamp: Stamp{When: t}, Then: "/t"}}},
			{Stamp: bo, More: 12, Pages: []ChangedPage{{Title: "Opening hours", URL: "/wiki/O", Diff: "/d", Kind: "created"}, {Title: "Old rota", Diff: "/d", Kind: "deleted", Restore: "/r"}, {Title: "Terms", URL: "/wiki/T", From: &Link{"School terms", "/f"}}, {Title: "T", URL: "/wiki/T", From: &Link{Label: "S"}}}},
		}},
		{t.Add(-24 * time.Hour), []Change{{Stamp: Stamp{When: t}, Pages: []ChangedPage{{Title: "Home", URL: "/wiki/"}}}}},
	}}

	listed := []Listed{{Name: "Handbook", URL: "/wiki/Handbook/", IsFolder: true, Last: &asha, Ago: 50 * time.Hour}, {Name: "Working from abroad and what to tell payroll", URL: "/wiki/Abroad", Last: &bo, Ago: time.Minute, History: "/h"}, {Name: "New", URL: "/wiki/New"}}
	rows := []FileRow{
		{Name: "cat.png", URL: "/wiki/uploads/cat.png", Folder: "uploads", Kind: "Picture", Size: 345678, Last: &asha, Ago: time.Hour, Pages: links, More: true, Asked: true, Add: "/a", History: "/h", Move: "/m", Delete: "/d"},
		{Name: "a rota with a long name that somebody has given it.xlsx", URL: "/wiki/r", Kind: "Table", Size: 1, Asked: true, Delete: "/d"}, {Name: "big.bin", URL: "/wiki/big.bin", Kind: "BIN", Size: 31 << 20},
	}
	plan := Plan{Noun: "file", Change: 2, Back: 1, Go: 12, Named: 1, More: 11, Files: []Planned{
		{Name: "Handbook/Holidays", URL: "/wiki/Handbook/Holidays", Kind: "changes", Last: &asha, Diff: "/d"}, {Name: "Terms", Kind: "comes back", Last: &bo}, {Name: "Old", Kind: "gets its old name back", From: "New"},
	}}
	then := page
	then.Title, then.Actions, then.Last, then.Backlinks, then.Clone, then.Tags = "Holidays", Actions{Source: "/s"}, nil, nil, nil, nil
	then.Past = &Past{Day: t, Back: []Link{{"this page", "/r"}, {"the whole space", "/r"}}, Now: "/wiki/Handbook/Holidays", Home: "/wiki/", Pick: DayForm{URL: "/wiki/-/at/", Path: "Handbook/Holidays", On: "2024-03-12"}}
	thenGone := Message{Frame: sampleFrame("Holidays"), Status: 404, Text: "There was no such page at that time."}
	thenGone.Past = &Past{When: t, Rev: "0a1b2c3", Home: "/wiki/", Pick: DayForm{URL: "/wiki/-/at/"}}
	blame := Blame{Frame: sampleFrame("Who wrote Holidays"), Path: "Handbook/Holidays", History: "/h", TooLong: true, Runs: []WrittenRun{
		{Stamp: bo, Diff: "/d", Age: 1, First: 1, Lines: []string{"# Holidays", "", "Everybody has **25 days** a year, and may carry over five of them into the next one, which must be taken by March."}},
		{Stamp: asha, Diff: "/d", Before: "/b", Age: 5, First: 4, Lines: []string{"\t<script>alert(1)</script>"}},
		{Stamp: Stamp{When: t, Note: "a much longer note, which somebody wrote because they wanted to explain themselves in full"}, Age: 3, First: 5, Lines: []string{"", "- end"}},
	}}

	blameThen := blame
	blameThen.Then, blameThen.Now = &Side{Stamp: bo, There: true, URL: "/o"}, "/b"

	line := func(s string, mark ...string) []Piece {
		pieces := []Piece{{Text: s}}
		for _, m := range mark {
			pieces = append(pieces, Piece{Text: m, Mark: true})
		}
		return pieces
	}
	conflict := Conflict{
		Frame: sampleFrame("Choose what to keep: Holidays"), Form: form, Path: "Handbook/Holidays", Theirs: "0a1b2c3d",
		Mine: "Everybody has 26 days.\n", Whole: "<<<<<<< your text\nEverybody has 26 days.\n=======\nEverybody has 27 days.\n>>>>>>> saved meanwhile\n",
		Their: asha, Diff: "/d", Total: 70, Tail: 12, Places: []Place{
			{Name: "place-1", Skipped: 4, Before: []string{"# Holidays", ""}, Chosen: "both",
				Was: Version{Lines: [][]Piece{line("Everybody has 25 days.")}}, Mine: Version{Lines: [][]Piece{line("Everybody has ", "26", " days.")}},
				Theirs: Version{Lines: [][]Piece{line("Everybody has ", "27", " days."), line("", "Payroll knows.")}, More: 3}},
			{Name: "place-2", After: []string{"", "Ask your lead first."}, Chosen: "theirs", Theirs: Version{Lines: [][]Piece{line("Half days count.")}}},
			{Name: "place-3", Chosen: "joined", Mine: Version{Lines: [][]Piece{line("a ", "b")}}, Theirs: Version{Lines: [][]Piece{line("", "c ", "d")}}, Joined: Version{Lines: [][]Piece{line("", "c ", "b")}}},
		},
	}
	return []sample{
		{"style", Style{Frame{Title: "How this wiki looks"}}},
		{"page then", then}, {"message then", thenGone}, {"pick a day", PickDay{Frame: sampleFrame("The wiki on a day"), Form: then.Past.Pick, Error: "That is no day."}}, {"pick empty", PickDay{Frame: Frame{Title: "The wiki on a day"}}},
		{"restore all", RestoreAll{Frame: sampleFrame("Restore the whole space"), Form: failed, Rev: "0a1b", Was: asha, Then: "/t", Plan: plan}},
		{"restore day", RestoreAll{Frame: sampleFrame("Restore the whole space"), Form: form, Rev: "0a1b", Day: t, Was: bo, Plan: plan}}, {"restore folder", RestoreAll{Frame: sampleFrame("Restore the folder Handbook"), Form: form, Folder: "Handbook", Rev: "0a1b", Was: bo, Plan: plan}}, {"restore all empty", RestoreAll{Frame: Frame{Title: "Restore"}}},
		{"undo", Undo{Frame: sampleFrame("Undo a change"), Form: form, Was: asha, Plan: plan, Collided: []Collided{{Name: "Home", URL: "/wiki/", Why: "Its text has been changed in the same place since.", Diff: "/d", Restore: "/r"}, {Name: "Gone", Why: "It has been deleted since."}}}},
		{"undo clean", Undo{Frame: sampleFrame("Undo a change"), Form: form, Was: asha, Plan: plan}}, {"undo merge", Undo{Frame: sampleFrame("Undo a change"), Form: form, Merge: true}}, {"undo written", Undo{Frame: sampleFrame("Undo a change"), Form: form, Collided: []Collided{{Name: "New", URL: "/wiki/New", Why: "Its text has been changed since.", Delete: "/x"}}}}, {"undo empty", Undo{Frame: Frame{Title: "Undo"}}},
		{"blame", blame}, {"blame then", blameThen}, {"blame empty", Blame{Frame: Frame{Title: "Who wrote it"}}},
		{"page", page}, {"page saved", saved}, {"page old", old}, {"page own title", bad}, {"page empty", Page{Frame: Frame{Title: "Empty"}}},
		{"folder", Folder{Frame: sampleFrame("Handbook"), Write: "/e", Entries: listed, More: 3, Clone: clone}}, {"folder empty", Folder{Frame: Frame{Title: "Empty"}}},
		{"missing", missing}, {"deleted", deleted}, {"missing empty", Missing{Frame: Frame{Title: "No such page"}, Path: "x"}},
		{"edit", edit}, {"edit preview", preview}, {"edit fresh", fresh}, {"edit empty", Edit{Frame: Frame{Title: "Edit"}}},
		{"files", Files{Frame: sampleFrame("Files"), Total: 1234, List: rows, All: "/f", Unused: "/u", Stopped: true, Paging: Paging{"/p", "/n"}}}, {"files empty", Files{Frame: Frame{Title: "Files"}}}, {"files unused", Files{Frame: Frame{Title: "Unused"}, OnlyUnused: true}},
		{"page files", PageFiles{Frame: sampleFrame("Files of Holidays"), Used: rows, Near: rows[:1], More: true, Folder: "uploads", Upload: "/u", All: "/f"}}, {"page files empty", PageFiles{Frame: Frame{Title: "Files"}}},
		{"upload", Upload{Frame: sampleFrame("Upload files for Holidays"), Form: failed, Page: "Holidays", Folder: "uploads", Limit: "A file may have up to 32 MB.", Files: "/f", Stored: []Stored{{"uploads/cat.png", "/wiki/uploads/cat.png", "![cat](uploads/cat.png)", "/wiki/uploads/cat.png?width=160"}, {"uploads/rota.pdf", "/wiki/uploads/rota.pdf", "[rota.pdf](uploads/rota.pdf)", ""}}}}, {"upload empty", Upload{Frame: Frame{Title: "Upload"}}},
		{"new like another", NewPage{Frame: sampleFrame("New page"), URL: "/n", Path: "Kitchen-sink", Where: "Handbook", At: "Handbook / Kitchen-sink", Address: "/wiki/Handbook/Kitchen-sink", Sure: true, Error: "There is one like it.", There: &Link{"Kitchen sink", "/wiki/Kitchen%20sink"}}},
		{"new", NewPage{Frame: sampleFrame("New page"), URL: "/n", Path: "a:b", Where: "Handbook", Folders: []string{"Handbook", "Events"}, Error: "A name cannot hold a colon.", Offer: "a-b", Cancel: "/"}}, {"new taken", NewPage{Frame: sampleFrame("New page"), URL: "/n", Path: "Holidays", Error: "There is a page called that already.", There: &Link{"Holidays", "/wiki/Holidays"}}}, {"new empty", NewPage{Frame: Frame{Title: "New page"}}},
		{"conflict", conflict},
		{"conflict deleted", Conflict{Frame: Frame{Title: "Gone"}, Gone: true, Mine: "# My text\n"}},
		{"conflict with nobody", Conflict{Frame: Frame{Title: "Two texts"}, New: true, Self: true}},
		{"history", History{Frame: sampleFrame("History of Holidays"), Path: "Handbook/Holidays", Compare: "/d", Blame: "/b", Feed: "/f", URL: "/h", Before: "x", Paging: Paging{"/p", "/n"}, Elsewhere: []Revision{{Stamp: bo, Rev: "9a1b2c3d", URL: "/o", IsFrom: true}}, Entries: []Revision{
			{Stamp: asha, Rev: "0a1b2c3d", URL: "/o", Diff: "/d", Kind: "changed", Current: true, Added: 12, Removed: 3, IsTo: true, Undo: "/u"},
			{Stamp: bo, Rev: "1a1b2c3d", URL: "/o", Diff: "/d", Kind: "moved", From: "Leave", Restore: "/r", Undo: "/u"},
			{Stamp: bo, Rev: "3a1b2c3d", Diff: "/d", Kind: "deleted", Gone: true},
			{Stamp: Stamp{When: t, Note: "a much longer note, which somebody wrote because they wanted to explain themselves in full"}, Rev: "2a1b2c3d", URL: "/o", Kind: "created"},
		}}}, {"history empty", History{Frame: Frame{Title: "History"}}},
		{"diff", Diff{Frame: sampleFrame("Holidays: what changed"), From: Side{Stamp: bo, There: true, URL: "/o"}, To: Side{Stamp: asha, There: true, Current: true, URL: "/o"}, View: Columns, Ways: ways, Older: "/1", Newer: "/2", Hunks: diff, Tail: Gap{Count: 1200}, Added: 2, Removed: 1, TooLong: true, Whole: "/c", Restore: &Button{Label: "Restore the text before", URL: "/r"}}}, {"diff one column", Diff{Frame: sampleFrame("Holidays: what changed"), To: Side{Stamp: asha, There: true}, View: OneColumn, TooMuch: true, Ways: ways, Hunks: diff, Added: 2, Removed: 1}},
		{"diff as a page", Diff{Frame: sampleFrame("Holidays: what changed"), From: Side{Stamp: bo, There: true, URL: "/o"}, View: AsPage, Ways: ways, Parts: 2, Added: 2, Removed: 1, Meta: []MetaChange{{"tags", "leave", "leave, people"}, {"owner", "", "Asha"}}, Redline: []RedPart{{HTML: "<p>One</p><p>Two</p>", Same: 2}, {HTML: `<p>Everybody has <del>24</del><ins>25</ins> days.</p><del class="block"><p>Gone</p></del><ul><li class="added"><ins>set the auto reply</ins></li></ul>`}}}},
		{"diff empty", Diff{Frame: Frame{Title: "Nothing"}}},
		{"move", Move{Frame: sampleFrame("Move Holidays"), Form: failed, What: "page", Path: "Handbook/Holidays", To: "Leave", Heading: "Holidays", Retitle: true, Folder: &Link{"Handbook", "/m"}, Plan: &MovePlan{
			Heading: "Leave", Links: 14, Inside: 2, Along: []Moved{{"Handbook/team.png", "Leave/team.png", "/f"}}, MoreAlong: 3, MorePages: 7,
			Pages: []Relinked{{Name: "Home", URL: "/wiki/", Links: 1}, {Name: "Handbook/New starters", URL: "/wiki/Handbook/New", Links: 4}},
			Left:  []Relinked{{Name: "Payroll", URL: "/wiki/Payroll", Why: "it is too intricate to be changed by a program"}},
		}}}, {"move folder", Move{Frame: sampleFrame("Move the folder Handbook"), Form: form, What: "folder", Path: "Handbook", To: "Handbook", Files: 12, Plan: &MovePlan{}}}, {"move empty", Move{Frame: Frame{Title: "Move"}}},
		{"delete", Delete{Frame: sampleFrame("Delete Holidays"), Form: form, Path: "Handbook/Holidays", Backlinks: links}}, {"delete empty", Delete{Frame: Frame{Title: "Delete"}}},
		{"delete folder", DeleteFolder{Frame: sampleFrame("Delete the folder Handbook"), Form: failed, Path: "Handbook", Pages: 61, Files: 1, First: links, More: 59, Backlinks: links[:1], MoreLinks: true}}, {"delete folder empty", DeleteFolder{Frame: Frame{Title: "Delete"}}},
		{"restore", Restore{Frame: sampleFrame("Restore Holidays"), Form: form, Path: "Handbook/Holidays", Rev: "0a1b", Was: asha, Deleted: true, Diff: "/d", Preview: "<p>Text.</p>"}}, {"restore empty", Restore{Frame: Frame{Title: "Restore"}}},
		{"put back", PutBack{Frame: sampleFrame("Put a part back: Holidays"), Form: form, Path: "Handbook/Holidays", Was: Side{Stamp: bo, There: true, URL: "/o"}, Compare: "/d", Text: "\n# Holidays\n", Hunks: diff[:1], Redline: []RedPart{{HTML: "<p>Everybody has <del>25</del><ins>24</ins> days.</p>"}}}}, {"put back same", PutBack{Frame: Frame{Title: "Put back"}, Same: true, Compare: "/d"}}, {"put back changed", PutBack{Frame: Frame{Title: "Put back"}, Changed: true, Older: "\nEverybody has 24 days.\n", Edit: "/e", Compare: "/d"}},
		{"pages", Pages{Frame: sampleFrame("All pages"), Total: 4321, List: listed, Paging: Paging{"/p", "/n"}}}, {"pages empty", Pages{Frame: Frame{Title: "All pages"}}},
		{"changes", changes}, {"changes empty", Changes{Frame: Frame{Title: "Recent changes"}}}, {"overview", Overview{Frame: sampleFrame("Overview"), Recent: listed[:1], Changes: "/c", Wanted: []Wanted{{"Team calendar", "/wiki/T", 3}, {"x", "/x", 1}}, Name: "Asha", Mine: links, Doubtful: 2, More: true, Links: "/l"}}, {"overview empty", Overview{Frame: Frame{Title: "Overview"}, Changes: "/c", Links: "/l"}}, {"space empty", Folder{Frame: sampleFrame("wiki"), Empty: true, Write: "/e", Clone: clone}}, {"changes by", Changes{Frame: Frame{Title: "Recent changes"}, By: "Asha", All: "/c", Paging: Paging{Next: "/n"}}},
		{"between", Between{Frame: sampleFrame("All that changed"), Last: asha, Short: "0a1b2c3", Brought: &bo, Hints: []string{"Broken link: Home -> Terms", "New link, but no page of that name: Home -> Nowhere"}, Before: "/b", Then: "/t", Noun: "page", Changed: 2, Written: 1200, Moved: 1, More: 1201, MoreSteps: 12, Endless: true, View: Columns, Ways: ways[:2],
			Steps: []Step{{asha, "0a1b2c3", "/c"}, {Stamp{When: t}, "1a1b2c3", "/c"}},
			Files: []Differs{{Name: "Handbook/Holidays", URL: "/h", Kind: "changed", Hunks: diff, Added: 2, Removed: 1}, {Name: "Leave", Kind: "deleted", Left: "Not shown: there is too much of it.", Diff: "/d"}, {Name: "Terms", URL: "/t", Kind: "moved", From: "School terms"}}}},
		{"between single", Between{Frame: sampleFrame("A change"), Last: bo, Short: "0a1b2c3", Noun: "page", Deleted: 1, Undo: &Button{"Undo this change", "/u"}}}, {"between empty", Between{Frame: Frame{Title: "A change"}}},
		{"doubtful", Doubtful{Frame: sampleFrame("Links to look at"), Pages: []DoubtfulPage{{Name: "Handbook/Holidays", URL: "/wiki/Handbook/Holidays", Links: "/l", Broken: 3, Ambiguous: 1, Renamed: 1, Against: 2, Misplaced: 2}, {Name: "Home", URL: "/wiki/", Links: "/l", Broken: 1}}, Paging: Paging{"/p", "/n"}}}, {"doubtful none", Doubtful{Frame: Frame{Title: "Links"}}}, {"doubtful none yet", Doubtful{Frame: Frame{Title: "Links"}, Paging: Paging{Next: "/n"}}},
		{"doubts", Doubts{Frame: sampleFrame("Links of Holidays"), Form: failed, Path: "Handbook/Holidays", More: true, List: []Doubt{
			{Written: "[[Team calender|the calendar]]", Line: 12, Kind: "It leads nowhere", At: "100", Text: "Team calender", Write: "/e", Upload: "/u", Restore: "/r", Offers: []Offer{{Label: "Team calendar", To: "Team calendar.md", URL: "/c"}}},
			{Written: "[[Note]]", Line: 14, Kind: "It could mean several pages", Leads: &Link{"a/Note", "/wiki/a/Note"}, At: "140", Text: "Note", Offers: []Offer{{Label: "a/Note", To: "a/Note.md", URL: "/a"}, {Label: "b/Note", To: "b/Note.md", URL: "/b"}}},
			{Written: "[[Note#Setup]]", Line: 15, Kind: "The page has no such heading", Leads: &Link{"Note", "/wiki/Note"}, At: "150", Text: "Note#Setup", Offers: []Offer{{Label: "Set up", Place: "Set up"}, {Label: "the page as a whole"}}},
		}}}, {"doubts none", Doubts{Frame: Frame{Title: "Links"}}},
		{"tags", Tags{Frame: sampleFrame("Tags"), Tags: []TagCount{{"people", "/t", 3}, {"leave", "/t", 1}}}}, {"tags empty", Tags{Frame: Frame{Title: "Tags"}}},
		{"tag", Tag{Frame: sampleFrame("people"), Name: "people", All: "/t", Total: 3, Pages: links, Paging: Paging{"/p", "/n"}}}, {"tag empty", Tag{Frame: Frame{Title: "people"}}},
		{"search", search}, {"search nothing", nothing}, {"search empty", Search{Frame: Frame{Title: "Search"}, Error: "That is too long."}},
		{"spaces", Spaces{Frame: Frame{Title: "Spaces"}, List: []Space{{"wiki", "/wiki/", "All that volunteers need to know.", 4321, "Anyone may read and write", t}, {"board", "/board/", "", 1, "", time.Time{}}}}}, {"spaces empty", Spaces{Frame: Frame{Title: "Spaces"}}},
		{"keys", Keys{Frame: sampleFrame("Keyboard")}},
		{"message", Message{Frame: sampleFrame("The disk is full"), Status: 507, Text: "Your page could not be saved.", Kept: "# My text\n", Next: &Link{"Back", "/"}, ID: "r-123"}}, {"message empty", Message{Frame: Frame{Title: "Not found"}}},
	}
}
