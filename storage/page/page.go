// Package page is a page as a value: its path, its Markdown, its links, how two edits of it merge and how two
// revisions of it differ. It is pure: no files and no network; every function is safe for concurrent use.
//
// The nouns:
//
//   - A [Path] is a file's place in a space. Only [ParsePath] makes one.
//   - [Names] are the paths of a space at one moment. Addresses and links are looked up in them.
//   - A [Link] is what an author wrote, a [Target] what it means, a [Profile] whose habits decide doubtful cases.
//   - [Moves] are files that get other names; [Rewrite] keeps a page's links through them. A [Doubt] is a link that may not
//     lead where its author meant; [Mend] changes one. [Also] is what names mean beside those of files, [Redirects] a table
//     of that.
//   - A [Doc] is a parsed page; [Doc.HTML] is what a browser may be shown of it.
//   - [Tick] changes the box of one task, and not a byte more.
//   - [Merge] puts two edits of a text together, [Diff] compares two texts, both by lines and with bounded work. What a
//     merge cannot decide is a [Block] with a [Choice] for somebody to make.
//
// It does not know what a revision is, who may read a page, or where it is stored.
package page
