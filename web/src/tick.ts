// Ticks a task in place. Without scripts the same button sends the same form, and the page comes back.

import { say, t } from "./say";

/** What the wiki says to a program that it refuses something. */
interface Problem {
	status: number;
	detail: string;
}

const later = "cairn-said-later";

let turn = Promise.resolve();

function show(box: HTMLElement, done: boolean): void {
	box.setAttribute("aria-checked", String(done));
	box.setAttribute("name", done ? "open" : "done"); // what pressing it again asks for
}

async function send(form: HTMLFormElement, box: HTMLElement, body: URLSearchParams, done: boolean): Promise<void> {
	let answer: Response;
	try {
		answer = await fetch(form.getAttribute("action") ?? "", { method: "POST", body, headers: { Accept: "application/json" } });
	} catch {
		show(box, !done);
		say(t("Not saved: the wiki cannot be reached. Try again in a moment."), true);
		return;
	}
	if (answer.ok) {
		const { merged } = (await answer.json()) as { merged: boolean };
		if (merged) say(t("Saved. Others have changed this page since you opened it: load it again to see that."), true);
		else say(t("Saved"));
		return;
	}
	show(box, !done);
	const problem = (await answer.json().catch(() => ({ status: answer.status, detail: t("Not saved.") }))) as Problem;
	if (problem.status === 409) {
		try {
			sessionStorage.setItem(later, problem.detail); // said beside the page as it is now
		} catch {
			say(problem.detail, true); // nothing may be kept here
			return;
		}
		location.reload();
		return;
	}
	say(t("Not saved: %s", problem.detail), true);
}

export function ticking(): void {
	try {
		const why = sessionStorage.getItem(later);
		sessionStorage.removeItem(later);
		if (why) say(why, true);
	} catch {
		// nothing may be kept here, so nothing was
	}
	document.addEventListener("submit", (e) => {
		const form = e.target, box = e.submitter;
		if (!(form instanceof HTMLFormElement) || form.id !== "cairn-tick" || !box) return;
		e.preventDefault();
		if (box.ariaBusy === "true") return;
		const body = new URLSearchParams();
		for (const [name, value] of new FormData(form, box)) if (typeof value === "string") body.append(name, value);
		const done = box.getAttribute("name") === "done";
		show(box, done);
		box.ariaBusy = "true";
		// One after the other: each finds the page as the one before has left it.
		turn = turn.then(() => send(form, box, body, done)).catch(() => undefined).then(() => {
			box.ariaBusy = "false";
		});
	});
}
