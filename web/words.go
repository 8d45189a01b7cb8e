package web

import "context"

// or is s, or what stands for it when it is empty.
func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// either is the text for a file or that for a page.
func either(file bool, ofFile, ofPage Text) Text {
	if file {
		return ofFile
	}
	return ofPage
}

// pagesOrFiles says how many pages there are, or files if noun is "file".
func pagesOrFiles(ctx context.Context, n int, noun string) string {
	if noun == "file" {
		return sayN(ctx, n, "%d file", "%d files")
	}
	return sayN(ctx, n, "%d page", "%d pages")
}

// andMore ends a list that leaves out n pages, or files if noun is "file".
func andMore(ctx context.Context, n int, noun string) string {
	if noun == "file" {
		return sayN(ctx, n, "and %d more file", "and %d more files")
	}
	return sayN(ctx, n, "and %d more page", "and %d more pages")
}

// linesChanged says how many lines a change has put in and taken out.
func linesChanged(ctx context.Context, added, removed int) string {
	return sayN(ctx, added, "%d line added", "%d lines added") + ", " + sayN(ctx, removed, "%d line removed", "%d lines removed")
}
