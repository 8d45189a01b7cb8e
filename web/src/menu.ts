// Menus shut by Escape, as those of other programs do.

export function menus(): void {
	document.addEventListener("keydown", (e) => {
		if (e.key !== "Escape") return;
		for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
			const inside = menu.contains(document.activeElement);
			menu.open = false;
			if (inside) menu.querySelector("summary")?.focus();
		}
	});
}
