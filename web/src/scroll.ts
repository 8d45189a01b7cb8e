// Boxes that are wider than the window can be reached and scrolled by keyboard, and say what they are.

import { t } from "./say";

const names = new Map<Element, string>();

const sizes = new ResizeObserver((entries) => {
	for (const { target } of entries) {
		if (!(target instanceof HTMLElement)) continue;
		const { overflowX, overflowY } = getComputedStyle(target);
		const scrolls = /auto|scroll/.test(overflowX) && target.scrollWidth > target.clientWidth + 1
			|| /auto|scroll/.test(overflowY) && target.scrollHeight > target.clientHeight + 2;
		if (!scrolls) {
			for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name);
			continue;
		}
		target.tabIndex = 0;
		if (target.matches("li, dd")) continue; // which would be none any more
		if (!target.matches("table")) target.setAttribute("role", "group");
		target.setAttribute("aria-label", t("%s, can be scrolled", names.get(target) ?? ""));
	}
});

/** Lets a box be reached by keyboard for as long as there is more in it than is to be seen. */
export function scrollable(box: Element, name: string): void {
	names.set(box, name);
	sizes.unobserve(box);
	sizes.observe(box);
}

export function scrolling(): void {
	const kinds = { table: t("Table"), "pre": t("Code"), ".formula": t("Formula"), ":is(p, li, dd):has(> math)": t("Formula") };
	for (const [of, name] of Object.entries(kinds)) {
		for (const box of document.querySelectorAll(`.prose ${of}:not([tabindex], [role], [aria-label])`)) scrollable(box, name);
	}
	for (const box of document.querySelectorAll(".lines")) scrollable(box, t("Lines"));
}
