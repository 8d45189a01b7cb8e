// A card beside a link to a page: how that page begins. It comes when a pointer rests on the link or the keyboard has come
// to it, stays while the pointer is on it, and goes by Escape. A finger gets none.

import { beside } from "./card";
import { make } from "./make";

/** What the wiki tells of a page. */
interface Glimpse {
	title: string;
	text: string;
	lang: string;
}

const known = new Map<string, Glimpse | null>(); // null for what is no page
const card = make("div", "card");
card.id = "cairn-glimpse";
card.role = "tooltip";
card.popover = "manual";

let at: HTMLAnchorElement | undefined; // the link that a card is wanted for, or is shown beside
let timer = 0;
let asking: AbortController | undefined;

/** Where the wiki tells of the page that a link leads to; "" for links that lead elsewhere. */
function address(link: HTMLAnchorElement): string {
	const path = link.pathname;
	if (link.origin !== location.origin || link.search || path === location.pathname || path.includes("/-/") || link.querySelector("img")) return "";
	return /^\/[^/]+\//.test(path) ? path.replace(/^\/[^/]+\//, "$&-/glimpse/") : "";
}

async function ask(url: string): Promise<Glimpse | null> {
	const before = known.get(url);
	if (before !== undefined) return before;
	asking?.abort(); // one at a time
	asking = new AbortController();
	const answer = await fetch(url, { signal: asking.signal, headers: { Accept: "application/json" } });
	const told = answer.ok ? ((await answer.json()) as Glimpse) : null;
	if (known.size > 99) known.clear();
	known.set(url, told);
	return told;
}

async function show(link: HTMLAnchorElement): Promise<void> {
	const told = await ask(address(link)).catch(() => null);
	if (!told?.text || at !== link) return;
	const text = make("p", "", told.text);
	text.dir = "auto";
	card.lang = told.lang;
	card.replaceChildren(make("strong", "", told.title), text);
	document.body.append(card);
	card.showPopover();
	beside(card, link);
	link.setAttribute("aria-describedby", card.id);
}

function hide(): void {
	clearTimeout(timer);
	at?.removeAttribute("aria-describedby");
	at = undefined;
	card.remove();
}

function want(link: HTMLAnchorElement | null): void {
	if (link === at) {
		clearTimeout(timer); // back on it
		return;
	}
	hide();
	if (!link || !address(link)) return;
	at = link;
	timer = window.setTimeout(() => void show(link), 450);
}

export function glimpses(): void {
	const linkAt = (e: Event) => (e.target as Element).closest<HTMLAnchorElement>("article a[href]");
	document.addEventListener("pointerover", (e) => {
		if (e.pointerType !== "mouse" || !(e.target instanceof Element)) return;
		const link = linkAt(e);
		if (link) want(link);
		else if (at) {
			clearTimeout(timer);
			if (!card.contains(e.target)) timer = window.setTimeout(hide, 300);
		}
	});
	document.addEventListener("focusin", (e) => {
		const link = linkAt(e);
		want(link?.matches(":focus-visible") ? link : null);
	});
	document.addEventListener("focusout", hide);
	document.addEventListener("click", hide);
	document.addEventListener("keydown", (e) => {
		if (e.key === "Escape") hide();
	});
}
