// Diagrams: blocks of code in the language mermaid, drawn when they come near to the window.
//
// Mermaid is large, changes often, and is fed by whoever writes a page. So it runs in a frame that is not of our origin,
// loaded only when there is something to draw, one diagram after the other; what comes back is shown as a picture, in which
// nothing runs. When the frame does not answer it is thrown away. The source stays on the page, and is shown when there is
// no picture.

import type { Asked, Drawn } from "./drawing";
import { make } from "./make";
import { t } from "./say";
import { scrollable } from "./scroll";
import { enlarge } from "./zoom";

const loadTime = 60_000; // to load a megabyte over a slow line
const drawTime = 10_000;
const largest = 8 << 20; // characters of a picture

const dark = matchMedia("(prefers-color-scheme: dark)");

let frame: Promise<HTMLIFrameElement> | undefined;
let asked = 0;

/** Waits for a message of a frame; time counts only while the page is to be seen, as hidden pages are put to sleep. */
function answer<T>(from: HTMLIFrameElement, time: number, meant: (data: unknown) => data is T): Promise<T> {
	return new Promise((resolve, reject) => {
		let timer = 0;
		const end = () => {
			clearTimeout(timer);
			removeEventListener("message", heard);
		};
		const heard = (e: MessageEvent<unknown>) => {
			if (e.source !== from.contentWindow || !meant(e.data)) return;
			end();
			resolve(e.data);
		};
		const late = () => {
			if (document.hidden) {
				timer = window.setTimeout(late, time);
				return;
			}
			end();
			reject(new Error(t("it took longer than %s seconds", time / 1000)));
		};
		timer = window.setTimeout(late, time);
		addEventListener("message", heard);
	});
}

function isReady(data: unknown): data is { ready: true } {
	return typeof data === "object" && data !== null && "ready" in data;
}

async function open(): Promise<HTMLIFrameElement> {
	const made = make("iframe", "drawing");
	made.setAttribute("sandbox", "allow-scripts");
	made.setAttribute("aria-hidden", "true");
	made.tabIndex = -1;
	made.src = "/-/diagram";
	document.body.append(made);
	try {
		await answer(made, loadTime, isReady);
	} catch {
		made.remove();
		frame = undefined;
		throw new Error(t("the part of the wiki that draws could not be loaded"));
	}
	return made;
}

async function draw(source: string): Promise<Drawn> {
	const from = await (frame ??= open());
	const id = ++asked;
	const ours = (data: unknown): data is Drawn => typeof data === "object" && data !== null && (data as Drawn).id === id;
	from.contentWindow?.postMessage({ id, source, dark: dark.matches } satisfies Asked, "*");
	try {
		return await answer(from, drawTime, ours);
	} catch (late) {
		from.remove();
		frame = undefined;
		throw late;
	}
}

interface Diagram {
	readonly source: string;
	readonly box: HTMLElement; // holds what is shown in place of the source
	readonly fold: HTMLDetailsElement; // holds the source
	readonly code: HTMLElement;
}

function number(n: unknown): number {
	return typeof n === "number" && n >= 1 && n <= 100_000 ? Math.ceil(n) : 0;
}

/** Shows a picture, its source folded away below. */
function show(d: Diagram, made: Drawn): void {
	if (typeof made.svg !== "string" || made.svg.length > largest) throw new Error(String(made.error ?? t("it is too large")).slice(0, 1000));
	const img = make("img");
	img.alt = String(made.title || made.described || t("Diagram; its source is below")).slice(0, 500);
	img.width = number(made.width);
	img.height = number(made.height);
	img.style.minWidth = `${Math.floor(.75 * img.width)}px`; // letters of 16 pixels do not get smaller than 12
	img.addEventListener("load", () => enlarge(img), { once: true });
	img.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(made.svg);
	d.fold.open = false;
	d.box.replaceChildren(img);
	scrollable(d.box, t("Diagram"));
	d.fold.append(d.code);
	d.fold.hidden = false;
	if (held) document.querySelector(":target")?.scrollIntoView({ behavior: "instant" });
}

// The place that the address names stays where it is while what is above it grows, until the reader moves.
let held = true;
for (const moved of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(moved, () => { held = false; }, { passive: true });
addEventListener("hashchange", () => { held = true; });

/** Says why there is no picture, and shows the source as if there were no scripts. */
function fail(d: Diagram, why: string): void {
	const said = make("p", "hint", t("This diagram cannot be drawn:") + " ");
	said.setAttribute("role", "status");
	said.append(make("code", "", why.replace(/\n+Expecting [\s\S]*/, "").trim()));
	d.box.replaceChildren(said, d.code);
	d.fold.hidden = true;
}

let turn = Promise.resolve();

/** Draws a diagram when those before it are done. */
function next(d: Diagram): void {
	turn = turn.then(async () => {
		try {
			show(d, await draw(d.source));
		} catch (e) {
			fail(d, e instanceof Error ? e.message : String(e));
		}
	});
}

export function diagrams(): void {
	const all = new Map<Element, Diagram>();
	const seen = new Set<Diagram>();
	const near = new IntersectionObserver((entries) => {
		for (const e of entries) {
			const d = e.isIntersecting && all.get(e.target);
			if (!d) continue;
			near.unobserve(e.target);
			seen.add(d);
			next(d);
		}
	}, { rootMargin: "300px" });
	for (const code of document.querySelectorAll<HTMLElement>(".prose pre:is([data-kind=mermaid], :has(> .language-mermaid)) > code")) {
		const pre = code.parentElement?.closest<HTMLElement>(".with-copy") ?? code.parentElement;
		if (!pre) continue;
		const whole = make("div", "drawn"), box = make("div"), fold = make("details");
		fold.hidden = true;
		fold.append(make("summary", "", t("Source")));
		pre.replaceWith(whole);
		box.append(pre);
		whole.append(box, fold);
		all.set(whole, { source: code.textContent ?? "", box, fold, code: pre });
		near.observe(whole);
	}
	// Who changes from light to dark has the pictures drawn anew.
	dark.addEventListener("change", () => seen.forEach(next));
}
