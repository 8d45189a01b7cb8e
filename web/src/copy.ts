// Buttons that copy code and addresses, and headings that give their address away when their mark is pressed.

import { button, make } from "./make";
import { say, t } from "./say";

/** Puts a text on the clipboard. The old way is for wikis that are served without https. */
async function toClipboard(text: string): Promise<boolean> {
	if (navigator.clipboard) {
		try {
			await navigator.clipboard.writeText(text);
			return true;
		} catch {
			// not allowed here: the old way may be
		}
	}
	const before = document.activeElement;
	const field = make("textarea", "unseen");
	field.value = text;
	field.readOnly = true;
	document.body.append(field);
	field.select();
	const done = document.execCommand("copy");
	field.remove();
	if (before instanceof HTMLElement) before.focus({ preventScroll: true });
	return done;
}

async function copy(text: string, said: string): Promise<void> {
	if (await toClipboard(text)) say(said);
	else say(t("This browser does not let pages copy. Select the text, and copy it yourself."));
}

/** Gives every block of code a button. */
export function copyButtons(): void {
	for (const pre of document.querySelectorAll<HTMLElement>("main pre")) {
		const box = make("div", "with-copy");
		pre.replaceWith(box);
		const text = () => (pre.textContent ?? "").replace(/\n$/, "");
		const press = button(t("Copy"), "quiet", () => void copy(text(), pre.closest(".clone") ? t("Commands copied") : t("Code copied")));
		box.append(pre, press);
		const language = /language-(\S+)/.exec(pre.firstElementChild?.className ?? "")?.[1];
		if (language) box.append(make("span", "language", language));
	}
	for (const address of document.querySelectorAll<HTMLElement>(".clone p > code")) {
		if (!/^\w+:\/\//.test(address.textContent ?? "")) continue; // a command
		const press = button(t("Copy"), "quiet", () => void copy(address.textContent ?? "", t("Address copied")));
		press.setAttribute("aria-label", t("Copy the address"));
		address.after(" ", press);
	}
}

/** Copies the address of a section when the mark beside its heading is followed. */
export function copyAnchors(): void {
	document.addEventListener("click", (e) => {
		const anchor = e.target instanceof Element && e.target.closest<HTMLAnchorElement>("a.anchor");
		if (anchor && e.button === 0 && !e.ctrlKey && !e.metaKey && !e.shiftKey) void copy(anchor.href, t("Link to this section copied"));
	});
}
