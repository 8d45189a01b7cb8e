/** Puts a box that floats below a place in the text, or above it where there is more room; it moves on with the text. */
export function beside(box: HTMLElement, place: Element): void {
	const lines = place.getClientRects(), first = lines[0], last = lines[lines.length - 1];
	if (!first || !last) return;
	const { offsetWidth: wide, offsetHeight: high } = box, wall = document.documentElement.clientWidth;
	const above = last.bottom + high + 16 > innerHeight && first.top > high + 16;
	box.style.left = `${scrollX + Math.max(8, Math.min(last.left, wall - wide - 8))}px`;
	box.style.top = `${scrollY + (above ? first.top - high - 6 : last.bottom + 6)}px`;
}
