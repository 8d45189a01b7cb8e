// Footnotes are read where they are referred to: pressed, the number shows its note beside itself. Escape, or a press
// elsewhere, shuts it, and the keyboard is back at the number.

import { beside } from "./card";
import { make } from "./make";
import { t } from "./say";

function open(number: HTMLAnchorElement, note: HTMLElement): void {
	const card = make("div", "card prose small");
	card.popover = "auto";
	card.role = "group";
	card.ariaLabel = t("Footnote %s", number.textContent ?? "");
	card.tabIndex = -1;
	card.autofocus = true;
	card.dir = "auto";
	card.append(...[...note.childNodes].map((n) => n.cloneNode(true)));
	for (const back of card.querySelectorAll(".footnote-backref")) back.remove();
	for (const named of card.querySelectorAll("[id]")) named.removeAttribute("id");
	card.addEventListener("toggle", (e) => {
		if (e.newState === "closed") card.remove();
	});
	document.body.append(card);
	card.showPopover({ source: number });
	beside(card, number);
}

export function footnotes(): void {
	document.addEventListener("click", (e) => {
		const number = e.target instanceof Element && e.target.closest<HTMLAnchorElement>("a.footnote-ref");
		if (!number || e.ctrlKey || e.metaKey || e.shiftKey) return;
		const note = document.getElementById(decodeURIComponent(number.hash.slice(1)));
		if (!note) return;
		e.preventDefault();
		open(number, note);
	});
}
