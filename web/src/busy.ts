// A form is sent once, however often its button is pressed, and the button shows that something is under way.

const patience = 20_000; // milliseconds; whoever has stopped the browser may send again then, or after a change

export function busy(): void {
	const sent = new Map<HTMLFormElement, [time: number, by: Element | null]>();
	const rest = (form: HTMLFormElement) => {
		sent.get(form)?.[1]?.removeAttribute("aria-busy");
		sent.delete(form);
	};
	document.addEventListener("submit", (e) => {
		const form = e.target;
		if (e.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post") return;
		const before = sent.get(form);
		if (before && e.timeStamp - before[0] < patience) {
			e.preventDefault();
			return;
		}
		rest(form);
		e.submitter?.setAttribute("aria-busy", "true");
		sent.set(form, [e.timeStamp, e.submitter]);
	});
	addEventListener("input", (e) => e.target instanceof Element && [...sent.keys()].filter((f) => f.contains(e.target as Element)).forEach(rest));
	addEventListener("keydown", (e) => e.key === "Escape" && [...sent.keys()].forEach(rest)); // which stops the browser
	addEventListener("pageshow", (e) => e.persisted && [...sent.keys()].forEach(rest)); // gone back to
}
