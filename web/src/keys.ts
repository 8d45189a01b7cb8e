// Keys press what an element of the page names by aria-keyshortcuts, or by data-keys those that follow each other; the server
// writes both from one table. What types no letter works everywhere. A key alone works where nobody types, and not at all for
// whoever has switched that off, since those who speak to their computer press many.

import { keep, kept } from "./keep";
import { button, make } from "./make";

const choice = "cairn-keys", folded = "cairn-side"; // what this browser keeps
const mac = /Mac|iP(hone|ad|od)/.test(navigator.platform);

let letters = kept(choice) !== "off";

const find = (selector: string) => document.querySelector<HTMLElement>(selector);

/** Shows the side bar or not, where there is room for it beside the page. */
function side(hide: boolean): void {
	const bar = find("aside.side");
	if (!bar) return;
	if (hide && bar.contains(document.activeElement)) find("main")?.focus();
	bar.hidden = hide;
	bar.parentElement?.classList.toggle("bare", hide);
}

function press(what: HTMLElement): void {
	if (what instanceof HTMLInputElement) {
		what.focus();
		what.select();
	} else if (what.matches("[popovertarget]") && !what.offsetParent) {
		const hide = !find("aside.side")?.hidden;
		side(hide);
		keep(folded, hide ? "off" : "on");
	} else what.click();
}

/** Lets somebody switch off the keys that are letters. */
function choosing(sheet: ParentNode): void {
	const line = sheet.querySelector<HTMLElement>(".letters"), box = line?.querySelector("input");
	if (!line || !box) return;
	line.hidden = false;
	box.checked = letters;
	box.addEventListener("change", () => {
		letters = box.checked;
		keep(choice, letters ? "on" : "off");
	});
}

/** Shows the page that lists the keys in a dialog. */
function sheet(link: HTMLAnchorElement): void {
	const page = new XMLHttpRequest();
	page.open("GET", link.href);
	page.responseType = "document"; // which is no string that becomes markup
	page.addEventListener("loadend", () => {
		const list = page.response instanceof Document && page.response.querySelector<HTMLElement>(".keys");
		if (!list) {
			location.href = link.href;
			return;
		}
		const dialog = make("dialog", "sheet-of-keys"), title = make("h2", "", link.textContent?.trim());
		title.id = "cairn-keys-title";
		title.tabIndex = -1;
		title.autofocus = true; // else the switch at the end is, and the sheet begins there
		dialog.setAttribute("aria-labelledby", title.id);
		dialog.append(title, document.adoptNode(list), button(list.dataset.close ?? "", "main", () => dialog.close()));
		choosing(dialog);
		dialog.addEventListener("click", (e) => e.target === dialog && dialog.close()); // beside it
		dialog.addEventListener("close", () => dialog.remove());
		document.body.append(dialog);
		dialog.showModal();
	});
	page.send();
}

export function keys(): void {
	choosing(document);
	if (kept(folded) === "off" && !find("[popovertarget=cairn-pages]")?.offsetParent) side(true);

	const link = find('a[aria-keyshortcuts="?"]');
	if (link instanceof HTMLAnchorElement && link.pathname !== location.pathname) {
		link.addEventListener("click", (e) => {
			if (e.button || e.ctrlKey || e.metaKey || e.shiftKey && e.detail) return; // into another window
			e.preventDefault();
			if (!find("dialog[open]")) sheet(link);
		});
	}

	let first = "", since = 0;
	document.addEventListener("keydown", (e) => {
		if (e.defaultPrevented || e.isComposing || e.repeat || find("dialog[open]")) return;
		let key = e.key;
		if (mac ? e.metaKey && !e.ctrlKey : e.ctrlKey && !e.metaKey && !e.getModifierState("AltGraph")) {
			if (e.altKey || e.shiftKey) return;
			key = (mac ? "Meta+" : "Control+") + (key.length === 1 ? key.toUpperCase() : key);
		} else {
			const typing = e.target instanceof Element && e.target.closest("input, textarea, select, [contenteditable]");
			if (!letters || typing || key.length !== 1 || (e.altKey || e.ctrlKey || e.metaKey) && !e.getModifierState("AltGraph")) return;
		}
		const together = `${first} ${key}`, soon = e.timeStamp - since < 2000;
		first = key;
		since = e.timeStamp;
		const named = (attribute: string) => find(`[${attribute}="${CSS.escape(key)}"]`);
		const what = soon && find(`[data-keys="${CSS.escape(together)}"]`) || named("aria-keyshortcuts~");
		if (!what) return;
		first = "";
		e.preventDefault();
		press(what);
	});
}
