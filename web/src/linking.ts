// Names of pages are offered after "[[", in a list below the caret that arrows walk through. Ctrl or Cmd and K begins a link.

import { make } from "./make";
import { write } from "./text";

interface Offered {
	name: string;
	folder?: string;
	write: string;
}

/** Where the caret is in the window: a copy of the text, laid out alike, tells. */
function caret(text: HTMLTextAreaElement): { left: number; below: number } {
	const copy = make("div", "unseen"), style = getComputedStyle(text), mark = make("span", "", "|");
	for (const name of ["font", "padding", "border", "letterSpacing", "tabSize", "direction"] as const) copy.style[name] = style[name];
	Object.assign(copy.style, { width: `${text.offsetWidth}px`, height: "auto", whiteSpace: "pre-wrap", overflowWrap: "break-word" });
	copy.append(text.value.slice(0, text.selectionStart), mark);
	document.body.append(copy);
	const box = text.getBoundingClientRect();
	const place = { left: box.left + mark.offsetLeft, below: box.top + mark.offsetTop + mark.offsetHeight - text.scrollTop };
	copy.remove();
	return place;
}

export function linking(): void {
	const text = document.querySelector<HTMLTextAreaElement>("textarea[data-names]");
	const url = text?.dataset.names;
	if (!text || !url) return;
	const list = make("ul", "names");
	list.id = "cairn-names";
	list.setAttribute("role", "listbox");
	list.setAttribute("aria-label", text.dataset.label ?? "");
	list.hidden = true;
	text.after(list);
	let offered: Offered[] = [], at = 0, timer = 0, asked = 0;

	/** What is typed of a name at the caret; undefined outside of a link. */
	const typed = () => (text.selectionStart === text.selectionEnd
		? /\[\[([^[\]|#\n]{0,60})$/.exec(text.value.slice(Math.max(0, text.selectionStart - 64), text.selectionStart))?.[1] : undefined);
	const shut = () => {
		clearTimeout(timer);
		asked++;
		list.hidden = true;
		for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant", "aria-autocomplete"]) text.removeAttribute(name);
	};
	const mark = (to: number) => {
		at = (to + offered.length) % offered.length;
		[...list.children].forEach((one, i) => one.setAttribute("aria-selected", String(i === at)));
		list.children[at]?.scrollIntoView({ block: "nearest" });
		text.setAttribute("aria-activedescendant", `cairn-name-${at}`);
	};
	const choose = (one: Offered | undefined) => {
		const start = text.selectionStart - (typed()?.length ?? 0) - 2;
		const end = text.value.startsWith("]]", text.selectionStart) ? text.selectionStart + 2 : text.selectionStart;
		shut();
		if (!one || start < 0) return;
		write(text, start, end, one.write);
		text.setSelectionRange(start + one.write.length, start + one.write.length);
	};
	const offer = async (what: string) => {
		const turn = ++asked;
		try {
			const answer = await fetch(`${url}&q=${encodeURIComponent(what)}`, { headers: { Accept: "application/json" } });
			offered = answer.ok ? ((await answer.json()) as { names: Offered[] }).names : [];
		} catch {
			offered = []; // then the name is typed to its end
		}
		if (turn !== asked) return;
		if (!offered.length || typed() === undefined) {
			shut();
			return;
		}
		list.replaceChildren(...offered.map((one, i) => {
			const line = make("li", "", one.name);
			line.id = `cairn-name-${i}`;
			line.setAttribute("role", "option");
			if (one.folder) line.append(" ", make("span", "path", one.folder));
			line.addEventListener("pointerdown", (e) => e.preventDefault()); // the text keeps the focus
			line.addEventListener("click", () => choose(one));
			return line;
		}));
		list.hidden = false;
		const { left, below } = caret(text), field = text.getBoundingClientRect();
		list.style.left = `${Math.max(0, Math.min(left - field.left, field.width - list.offsetWidth))}px`;
		list.style.top = `${text.offsetTop + below - field.top + 4}px`;
		for (const [name, value] of [["role", "combobox"], ["aria-expanded", "true"], ["aria-controls", list.id], ["aria-autocomplete", "list"]] as const) text.setAttribute(name, value);
		mark(0);
	};
	const look = () => {
		const what = typed();
		clearTimeout(timer);
		if (what === undefined) shut();
		else timer = window.setTimeout(() => void offer(what), 120);
	};

	text.addEventListener("input", (e) => !(e instanceof InputEvent && e.isComposing) && look());
	text.addEventListener("compositionend", look);
	text.addEventListener("blur", shut);
	text.addEventListener("click", shut);
	text.addEventListener("keydown", (e) => {
		if (e.isComposing) return;
		if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k") {
			e.preventDefault();
			const { selectionStart: start, selectionEnd: end } = text, words = text.value.slice(start, end).split("\n", 1)[0] ?? "";
			write(text, start, start + words.length, `[[${words}`);
			text.setSelectionRange(start + words.length + 2, start + words.length + 2);
			look();
			return;
		}
		if (list.hidden) return;
		if (e.key === "ArrowDown" || e.key === "ArrowUp") mark(at + (e.key === "ArrowDown" ? 1 : -1));
		else if (!e.shiftKey && !e.ctrlKey && !e.metaKey && (e.key === "Enter" || e.key === "Tab")) choose(offered[at]);
		else if (e.key === "Escape") shut();
		else {
			if (/^(Arrow|Home|End|Page)/.test(e.key)) shut();
			return;
		}
		e.preventDefault();
	});
}
