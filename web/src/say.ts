// What scripts say: one sentence at the foot of the window, which screen readers read out as well.

// The bundles of a page share one place. It is empty at first: what is written into it later is read out.
const place = document.querySelector<HTMLElement>("body > .toast") ?? document.createElement("p");
place.className = "toast";
place.setAttribute("role", "status");
document.body.append(place);

/** Texts in the language of the reader by those in English, if that is another one. The wiki sends them before the scripts. */
const texts = (globalThis as { cairnTexts?: Record<string, string> }).cairnTexts ?? {};

/** A text in the language of the reader. Each %s stands for an arg; %[2]s for the second one. */
export function t(text: string, ...args: (string | number)[]): string {
	let next = 0;
	return (texts[text] ?? text).replace(/%(?:\[(\d)\])?s/g, (_, n?: string) => String(args[n ? Number(n) - 1 : next++]));
}

let timer = 0;

/** Says a sentence. It is to be seen for some seconds, or with stay until the next one. */
export function say(text: string, stay = false): void {
	clearTimeout(timer);
	place.textContent = text;
	place.classList.add("shown");
	if (!stay) timer = window.setTimeout(() => place.classList.remove("shown"), 5000);
}
