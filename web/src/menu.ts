// Menus shut by Escape and by a press elsewhere, as those of other programs do.

function openMenus(): NodeListOf<HTMLDetailsElement> {
	return document.querySelectorAll("details.menu[open]");
}

export function menus(): void {
	document.addEventListener("keydown", (e) => {
		if (e.key !== "Escape") return;
		for (const menu of openMenus()) {
			const inside = menu.contains(document.activeElement);
			menu.open = false;
			if (inside) menu.querySelector("summary")?.focus();
		}
	});
	document.addEventListener("click", (e) => {
		for (const menu of openMenus()) if (!(e.target instanceof Node && menu.contains(e.target))) menu.open = false;
	});
}
