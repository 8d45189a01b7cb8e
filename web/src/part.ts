// What is folded away and comes when it is opened: a details with data-from, its address. The folders of the page tree that
// somebody has opened stay open from page to page.

import { keep, kept } from "./keep";

const name = "cairn-open"; // the addresses of those folders, a line each

const opened = () => (kept(name) ?? "").split("\n");

function fill(box: HTMLDetailsElement): void {
	const from = box.dataset.from;
	if (!from || box.children[1]) return;
	const asked = new XMLHttpRequest(); // unlike fetch it reads a document, and runs nothing in it
	asked.open("GET", from);
	asked.responseType = "document";
	asked.onloadend = () => {
		if (box.children[1]) return;
		box.open = asked.status === 200;
		if (box.open) {
			box.append(...(asked.response as Document).body.childNodes);
			reopen(box);
		}
	};
	asked.send();
}

function reopen(within: ParentNode): void {
	for (const box of within.querySelectorAll<HTMLDetailsElement>(".tree details")) if (opened().includes(box.dataset.from!)) box.open = true;
}

/** Shows where one is, in a side bar that is longer than the window. */
function showHere(): void {
	const here = document.querySelector(".tree [aria-current]"), bar = here?.closest(".side");
	if (here && bar) bar.scrollTop += here.getBoundingClientRect().top - bar.getBoundingClientRect().top - bar.clientHeight / 2;
}

export function parts(): void {
	document.addEventListener("toggle", (e) => {
		const box = e.target as HTMLDetailsElement;
		if (box.open) fill(box);
		if (box.matches(".side")) showHere();
	}, true);
	document.addEventListener("click", (e) => {
		const box = (e.target as Element).closest(".tree summary")?.parentElement as HTMLDetailsElement | undefined;
		if (!box) return;
		const from = box.dataset.from!, rest = opened().filter((one) => one !== from);
		if (!box.open) rest.push(from);
		keep(name, rest.slice(-50).join("\n"));
	});
	reopen(document);
	showHere();
}
