// Pictures that are shown smaller than they are open large when they are pressed.

import { button, make } from "./make";
import { t } from "./say";
import { scrollable } from "./scroll";

const dialog = make("dialog", "large");
dialog.setAttribute("aria-label", t("Picture"));

function open(picture: HTMLImageElement, src: string): void {
	const large = make("img"), view = make("div"), row = make("div", "row");
	large.src = src;
	large.alt = picture.alt;
	view.append(large);
	const size = button(t("Larger"), "", () => {
		const whole = dialog.classList.toggle("whole");
		size.textContent = whole ? t("Fit the window") : t("Larger");
		// A drawing has no size of its own: twice the window shows what is in it.
		large.style.width = whole ? `${Math.max(large.naturalWidth, 2 * view.clientWidth)}px` : "";
		if (whole) view.scrollLeft = (view.scrollWidth - view.clientWidth) / 2;
	});
	large.addEventListener("click", () => size.click());
	row.append(size, button(t("Close"), "", () => dialog.close()));
	dialog.classList.remove("whole");
	dialog.replaceChildren(row, view);
	if (picture.alt) dialog.append(make("p", "hint", picture.alt));
	document.body.append(dialog);
	dialog.showModal();
	scrollable(view, picture.alt || t("Picture"));
}

dialog.addEventListener("click", (e) => {
	if (e.target === dialog) dialog.close(); // beside the picture
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
	press.setAttribute("aria-label", picture.alt ? t("%s: open large", picture.alt) : t("Open the picture large"));
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
