// Asks before an editor is left whose text is not saved.

export function leaving(): void {
	const form = document.querySelector<HTMLTextAreaElement>("form.write textarea[name=text]")?.form;
	if (!form) return;
	const texts = [...form.querySelectorAll("textarea")];
	// A preview, or a page that says why something was not saved, holds what is nowhere else.
	const already = document.querySelector("main > .preview, main > [role=alert]") !== null;
	const same = (s: string) => s.replace(/\r\n?/g, "\n");
	let sent = false;
	form.addEventListener("submit", (e) => (sent = !e.defaultPrevented));
	form.addEventListener("input", () => (sent = false));
	addEventListener("pageshow", () => (sent = false)); // gone back to
	addEventListener("beforeunload", (e) => {
		if (!sent && (already || texts.some((t) => same(t.value) !== same(t.defaultValue)))) e.preventDefault();
	});
}
