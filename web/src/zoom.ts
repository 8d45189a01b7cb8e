// Pictures that are shown smaller than they are open large when they are pressed.

import { button, make } from "./make";

const dialog = make("dialog", "large");
dialog.setAttribute("aria-label", "Picture");

function open(picture: HTMLImageElement, src: string): void {
	const large = make("img");
	large.src = src;
	large.alt = picture.alt;
	const shut = button("Close", "", () => dialog.close());
	dialog.replaceChildren(shut, large);
	if (picture.alt) dialog.append(make("p", "hint", picture.alt));
	document.body.append(dialog);
	dialog.showModal();
}

dialog.addEventListener("click", (e) => {
	if (e.target === dialog || e.target instanceof HTMLImageElement) dialog.close(); // beside the picture, or on it
});

/** The address of the whole picture, where the wiki sends a smaller one; "" if that is what is shown. */
function whole(picture: HTMLImageElement): string {
	const address = new URL(picture.src, location.href);
	if (address.origin !== location.origin || !/^\?(width|thumbnail)=/.test(address.search)) return "";
	address.search = "";
	return address.href;
}

/** Makes a picture open large, if there is more to see of it; one that an author made a link leads where it leads. */
export function enlarge(picture: HTMLImageElement): void {
	const link = picture.closest<HTMLAnchorElement>("a.whole");
	const src = link?.href ?? whole(picture);
	if ((link?.parentElement ?? picture).closest("a, button, summary") || !src && picture.naturalWidth < 1.2 * picture.clientWidth) return;
	const press = button("", "enlarge", () => open(picture, src || picture.src));
	press.setAttribute("aria-label", picture.alt ? `${picture.alt}: open large` : "Open the picture large");
	(link ?? picture).replaceWith(press);
	press.append(picture);
}

/** Looks at the pictures of the page as they come in. */
export function largePictures(): void {
	for (const picture of document.querySelectorAll<HTMLImageElement>(".prose img")) {
		if (picture.complete) enlarge(picture);
		else picture.addEventListener("load", () => enlarge(picture), { once: true });
	}
}
