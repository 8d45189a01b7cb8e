/** Writes over a part of the text, so that undo knows it. The selection stays where it was. */
export function write(text: HTMLTextAreaElement, start: number, end: number, what: string): void {
	const before = document.activeElement, scrolled = text.scrollTop;
	const moved = (at: number) => (at <= start ? at : at >= end ? at + what.length - (end - start) : start + what.length);
	const from = moved(text.selectionStart), to = moved(text.selectionEnd);
	text.focus({ preventScroll: true });
	text.setSelectionRange(start, end);
	// The old way is the only one that undo knows.
	const done = what ? document.execCommand("insertText", false, what) : document.execCommand("delete");
	if (!done) text.setRangeText(what, start, end);
	text.setSelectionRange(from, to);
	text.scrollTop = scrolled;
	if (before instanceof HTMLElement && before !== text) before.focus({ preventScroll: true });
}
