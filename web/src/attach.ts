// Files that are pasted into the text of a page, dropped on it, or chosen: they are uploaded, and what shows them is written
// where the caret was, or at the end. Undo takes that back like anything typed. Without scripts there is the form for uploads.

import { button, make } from "./make";
import { say, t } from "./say";
import { write } from "./text";

/** Uploads a file and gives the Markdown that shows it; the error is a sentence. */
function upload(url: string, file: File, name: string, progress: (part: number) => void): Promise<string> {
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		request.open("POST", url);
		request.setRequestHeader("Accept", "application/json");
		request.upload.addEventListener("progress", (e) => e.lengthComputable && progress(e.loaded / e.total));
		request.addEventListener("error", () => reject(new Error(t("It could not be read, or the wiki cannot be reached."))));
		request.addEventListener("load", () => {
			let answer: { markdown?: unknown; detail?: unknown } = {};
			try {
				answer = JSON.parse(request.responseText) as typeof answer;
			} catch {
				// whatever stands between the wiki and here has answered: the status tells
			}
			if (request.status === 201 && typeof answer.markdown === "string") resolve(answer.markdown);
			else reject(new Error(typeof answer.detail === "string" ? answer.detail : t("The answer was %s.", request.status)));
		});
		const form = new FormData();
		form.append("name", name);
		form.append("file", file);
		request.send(form);
	});
}

/** A name for what is pasted: browsers call every picture image.png. */
function named(file: File): File {
	const ending = /^image\.(\w+)$/.exec(file.name)?.[1];
	if (!ending) return file;
	const now = new Date();
	const time = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
	return new File([file], `pasted-${time}.${ending}`, { type: file.type });
}

/** Where the front matter of a text ends; 0 if it has none. */
function below(text: string): number {
	return /^---[ \t]*\n(?:[\s\S]*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text)?.[0].length ?? 0;
}

/**
 * The white space before and after what is put into a text. Within a line it is one of its words. At the beginning or end
 * of one it is a block, with an empty line around it; the lines of lists, quotations and tables keep what is put into them.
 */
function gaps(before: string, after: string): [string, string] {
	const left = /[^\n]*$/.exec(before)?.[0] ?? "", right = /^[^\n]*/.exec(after)?.[0] ?? "";
	if (left.trim() && right.trim() || /^[ \t]*([-*+>|]|\d+[.)])(\s|$)/.test(left)) return [/\s$/.test(before) ? "" : " ", ""];
	const lead = !before.trim() || /\n[ \t]*\n[ \t]*$/.test(before) ? "" : left.trim() ? "\n\n" : "\n";
	if (!after.trim()) return [lead, !after && before.endsWith("\n") ? "\n" : ""];
	return [lead, /^[ \t]*\n[ \t]*\n/.test(after) ? "" : right.trim() ? "\n\n" : "\n"];
}

export function attaching(): void {
	const text = document.querySelector<HTMLTextAreaElement>("form.write textarea[name=text]:not([readonly])");
	const form = text?.form;
	const editor = /^(\/[^/]+\/-\/)edit(\/.*)$/.exec(form?.getAttribute("action") ?? ""); // form.action is its button of that name
	if (!text || !form || !editor) return;
	const url = `${editor[1]}upload${editor[2]}`;

	const list = make("div", "uploads");
	const offer = make("p", "hint");
	text.after(list, offer);
	let pending = 0, stored = 0; // of those that came since none was under way
	let turn = Promise.resolve();
	let waiting: { submitter: HTMLElement | null } | undefined;

	// The caret stands at the beginning until somebody puts it somewhere. Walking over the text by Tab does not.
	let placed = false;
	for (const by of ["pointerdown", "keydown", "input"]) {
		text.addEventListener(by, (e) => (placed ||= !(e instanceof KeyboardEvent && (e.key === "Tab" || e.key === "Shift"))));
	}
	/** The part of the text that is written over: what is selected, or nothing at its end, and never in the front matter. */
	const place = (): [number, number] => {
		const { selectionStart: start, selectionEnd: end, value } = text;
		if (!placed && !end) return [value.length, value.length];
		const first = below(value);
		return [Math.max(start, first), Math.max(end, first)];
	};

	const one = async (file: File, [lead, mark, tail]: [string, string, string], line: HTMLElement, bar: HTMLProgressElement) => {
		let shown = "";
		try {
			shown = await upload(url, file, form.querySelector<HTMLInputElement>("input[name=name]")?.value ?? "", (part) => (bar.value = part));
			if (/^pasted-[\d-]+\.\w+$/.test(file.name)) shown = shown.replace(/^!\[[^\]]*\]/, "![]"); // the time tells nobody what it shows
			line.remove();
			stored++;
			say(stored > 1 ? t("%s files are in the wiki", stored) : t("%s is in the wiki", file.name));
		} catch (e) {
			const why = make("p");
			why.append(make("strong", "", t("Not added:")), ` ${file.name}. ${e instanceof Error ? e.message : String(e)}`);
			line.replaceChildren(why);
			line.className = "notice warning";
			line.setAttribute("role", "alert");
		}
		const around = shown ? -1 : text.value.indexOf(lead + mark + tail);
		const at = text.value.indexOf(mark);
		if (around >= 0) write(text, around, around + lead.length + mark.length + tail.length, "");
		else if (at >= 0) {
			const here = text.selectionStart === at + mark.length && text.selectionEnd === text.selectionStart;
			write(text, at, at + mark.length, shown);
			if (here && shown.startsWith("![](")) text.setSelectionRange(at + 2, at + 2); // to say what it shows
		}
		else if (shown) say(t("%s is in the wiki. Its place in the text is gone; to show it, write %s", file.name, shown), true);
	};

	const add = (files: Iterable<File>) => {
		for (const given of files) {
			const file = named(given);
			const plain = file.name.replace(/[[\]\n\r]/g, "");
			let mark = `![${t("Uploading %s", plain)} …]()`;
			for (let n = 2; text.value.includes(mark); n++) mark = `![${t("Uploading %s", plain)} (${n}) …]()`;
			const bar = make("progress");
			const line = make("div", "hint");
			const label = make("label", "", t("Uploading %s", file.name) + " ");
			label.append(bar);
			line.append(label);
			list.append(line);
			const [start, end] = place();
			const [lead, tail] = gaps(text.value.slice(0, start), text.value.slice(end));
			write(text, start, end, lead + mark + tail);
			const after = text.value.indexOf(mark) + mark.length;
			text.setSelectionRange(after, after);
			if (!pending++) stored = 0;
			turn = turn.then(() => one(file, [lead, mark, tail], line, bar)).finally(() => {
				if (--pending > 0 || !waiting) return;
				const { submitter } = waiting;
				waiting = undefined;
				if (!list.querySelector("[role=alert]")) form.requestSubmit(submitter);
			});
		}
	};

	text.addEventListener("paste", (e) => {
		const data = e.clipboardData;
		if (!data?.files.length || data.types.includes("text/plain")) return; // what is text as well is pasted as text
		e.preventDefault();
		add(data.files);
	});
	const carries = (e: DragEvent) => e.dataTransfer?.types.includes("Files") ?? false;
	text.addEventListener("dragover", (e) => {
		if (!carries(e)) return;
		e.preventDefault();
		text.classList.add("dropping");
	});
	for (const over of ["dragleave", "drop"]) text.addEventListener(over, () => text.classList.remove("dropping"));
	text.addEventListener("drop", (e) => {
		if (!carries(e)) return;
		e.preventDefault();
		add(e.dataTransfer?.files ?? []);
	});

	// By keyboard, and where there is nothing to drag.
	const choose = make("input");
	choose.type = "file";
	choose.multiple = true;
	choose.hidden = true;
	choose.addEventListener("change", () => {
		add(choose.files ?? []);
		choose.value = "";
	});
	offer.append(button(t("Add pictures or files"), "quiet", () => choose.click()), choose, " " + t("You can also paste them into the text, or drop them on it."));

	form.addEventListener("submit", (e) => {
		if (!pending) return;
		e.preventDefault();
		waiting = { submitter: e.submitter };
		say(t("This goes on as soon as the files are there."));
	});
}
