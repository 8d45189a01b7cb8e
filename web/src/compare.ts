// In a history, keeps pairs of revisions that say nothing from being chosen: the older one must be older. Without scripts
// each can be chosen, and is compared as it is asked for.

export function comparing(): void {
	const form = document.querySelector<HTMLFormElement>("form.history");
	if (!form) return;
	const all = (name: string) => [...form.querySelectorAll<HTMLInputElement>(`input[name=${name}]`)];
	const from = all("from"), to = all("to"); // the newest first
	const update = () => {
		const older = from.findIndex((one) => one.checked), newer = to.findIndex((one) => one.checked);
		from.forEach((one, i) => { one.disabled = newer >= 0 && i <= newer && i !== older; });
		to.forEach((one, i) => { one.disabled = older >= 0 && i >= older && i !== newer; });
	};
	form.addEventListener("change", update);
	addEventListener("pageshow", update); // the browser may have chosen again what was chosen before
	update();
}
