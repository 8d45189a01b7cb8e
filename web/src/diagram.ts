// What runs in the frame in which diagrams are drawn: a document of no origin, with a policy of its own, that can reach
// nothing of the wiki. The page sends a source, and gets a picture or the reason why there is none.
//
// What a source says of configuration is left out, on two ways: it is cut off here, and Mermaid is told to take none.

import mermaid, { type MermaidConfig } from "mermaid";
import type { Asked, Drawn } from "./drawing";

const fontFamily = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Cantarell, sans-serif';

function config(dark: boolean): MermaidConfig {
	const [paper, tint, press, ink, soft, stone] = dark
		? ["#151817", "#1c2f2b", "#74cdbb", "#e3e7e4", "#a3aca7", "#262b29"]
		: ["#ffffff", "#e6f1ee", "#0a6257", "#1c211f", "#5a625e", "#f5f5f2"];
	// For what differs in colour alone; what is written on them can be read.
	const hues = dark
		? ["#2f6b61", "#5b6a2e", "#7a5a1f", "#7a3f2d", "#5b4680", "#34558a", "#2e6f4a", "#704060"]
		: ["#9fd0c5", "#cbd79f", "#ebcd8f", "#e8b39c", "#c3aee0", "#a3c0e8", "#a5dbb8", "#e0b0cf"];
	const themeVariables: Record<string, string | boolean> = {
		darkMode: dark, fontFamily, background: paper, primaryColor: tint, primaryBorderColor: press, primaryTextColor: ink,
		secondaryColor: stone, tertiaryColor: stone, lineColor: soft, textColor: ink, titleColor: ink, noteBkgColor: stone,
		noteTextColor: ink, noteBorderColor: soft, edgeLabelBackground: paper, pieStrokeColor: paper, pieOuterStrokeColor: soft, pieOpacity: "1",
	};
	for (let i = 0; i < 12; i++) {
		const hue = hues[i % hues.length] ?? tint;
		Object.assign(themeVariables, { [`pie${i + 1}`]: hue, [`cScale${i}`]: hue, [`cScaleLabel${i}`]: ink });
		if (i < 8) Object.assign(themeVariables, { [`git${i}`]: hue, [`gitBranchLabel${i}`]: ink });
	}
	const made: MermaidConfig = {
		startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true, look: "classic", theme: "base", darkMode: dark,
		fontFamily, themeVariables,
	};
	// Mermaid would rather take a layout that is not in our bundle.
	for (const kind of ["flowchart", "state", "class", "er", "requirement"] as const) made[kind] = { layout: "dagre" } as object;
	made.secure = [...Object.keys(mermaid.mermaidAPI.defaultConfig), "themeCSS", "htmlLabels", "elk"];
	return made;
}

/** The source without its configuration: of the front matter the title stays, of directives nothing. */
function plain(source: string): string {
	let rest = source.replace(/\r\n?/g, "\n").replace(/^\s*\n/, "");
	let title = "";
	const front = /^[ \t]*---[ \t]*\n([\s\S]*?\n)?[ \t]*---[ \t]*(?:\n|$)/.exec(rest);
	if (front) {
		rest = rest.slice(front[0].length);
		title = /^[ \t]*title:[ \t]*(.+)$/m.exec(front[1] ?? "")?.[1]?.trim().replace(/^(["'])(.*)\1$/, "$2") ?? "";
	}
	for (let before = ""; before !== rest; ) {
		before = rest;
		rest = rest.replace(/%%\{[\s\S]*?\}%%/g, "");
	}
	return title ? `---\ntitle: ${JSON.stringify(title)}\n---\n${rest}` : rest;
}

/** The drawing as a document of its own, which a browser takes as a picture. */
function picture(svg: string): Omit<Drawn, "id"> {
	const place = document.createElement("div");
	place.innerHTML = svg;
	const root = place.querySelector("svg");
	if (!root) throw new Error("nothing was drawn");
	const box = (root.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number);
	const width = Math.ceil(box[2] || 300), height = Math.ceil(box[3] || 150);
	root.setAttribute("width", String(width));
	root.setAttribute("height", String(height));
	root.removeAttribute("style");
	return {
		svg: new XMLSerializer().serializeToString(root), width, height,
		title: root.querySelector("title")?.textContent ?? "",
		described: root.querySelector("desc")?.textContent ?? "",
	};
}

let drawn = 0;

async function draw({ id, source, dark }: Asked): Promise<Drawn> {
	try {
		mermaid.initialize(config(dark));
		const { svg } = await mermaid.render(`d${++drawn}`, plain(source));
		return { id, ...picture(svg) };
	} catch (e) {
		return { id, error: e instanceof Error ? e.message : String(e) };
	}
}

addEventListener("message", (e: MessageEvent<Asked>) => {
	if (e.source !== parent) return;
	void draw(e.data).then((made) => parent.postMessage(made, "*"));
});
parent.postMessage({ ready: true }, "*");
