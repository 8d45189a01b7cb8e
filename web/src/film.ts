// Videos of other sites are links. Beside each stands a button that shows the video here: before it is pressed nothing is
// asked of that site. Which sites may be shown the page's policy says.

import { button, make } from "./make";
import { t } from "./say";

function show(link: HTMLAnchorElement, from: URL): HTMLIFrameElement {
	const frame = make("iframe", "film-frame");
	frame.title = link.textContent ?? "";
	frame.allow = "fullscreen; picture-in-picture; encrypted-media";
	frame.referrerPolicy = "strict-origin"; // without an origin the site shows nothing
	frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-presentation");
	frame.src = from.href;
	return frame;
}

/** Offers to show the videos of the page. */
export function films(): void {
	for (const link of document.querySelectorAll<HTMLAnchorElement>(".prose a.film[data-frame]")) {
		const from = new URL(link.dataset["frame"] ?? "", location.href);
		const press = button(t("Show it here, from %s", from.host), "film-show", () => {
			const frame = show(link, from);
			press.replaceWith(frame);
			frame.focus();
		});
		link.after(" ", press);
	}
}
