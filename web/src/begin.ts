// While the name of a new page is typed the form says where that page will live, and whether there is one already.

import { make } from "./make";

interface Judged {
	at: string;
	url: string;
	error: string;
	offer: string;
	there: { Label: string; URL: string } | null;
}

export function beginning(): void {
	const form = document.querySelector<HTMLFormElement>("form.begin");
	const name = form?.querySelector<HTMLInputElement>("#cairn-path"), folder = form?.querySelector<HTMLInputElement>("#cairn-in");
	const place = form?.querySelector<HTMLElement>("#cairn-at"), why = form?.querySelector<HTMLElement>("#cairn-problem");
	if (!form || !name || !folder || !place || !why) return;
	if (name.value) name.setSelectionRange(name.value.length, name.value.length);
	why.setAttribute("role", "status"); // what comes while one types does not interrupt
	let timer = 0, asked = 0;
	const judge = async () => {
		const turn = ++asked;
		let said: Judged;
		try {
			const answer = await fetch(`${form.action}?${new URLSearchParams({ path: name.value, in: folder.value, check: "yes" })}`, { headers: { Accept: "application/json" } });
			if (!answer.ok) return;
			said = (await answer.json()) as Judged;
		} catch {
			return; // what is sent is judged anyway
		}
		if (turn !== asked) return;
		place.replaceChildren();
		if (said.at) place.append(`${place.dataset.prefix} `, make("strong", "", said.at), " ", make("code", "", decodeURI(said.url)));
		why.replaceChildren();
		if (!said.error) return;
		const box = make("div", "notice warning"), text = make("p", "", said.error);
		if (said.offer) text.append(" → ", make("strong", "", said.offer));
		if (said.there) {
			const link = make("a", "", said.there.Label);
			link.href = said.there.URL;
			text.append(" → ", link);
		}
		box.append(text);
		why.append(box);
	};
	form.addEventListener("input", () => {
		clearTimeout(timer);
		timer = window.setTimeout(() => void judge(), 250);
	});
}
