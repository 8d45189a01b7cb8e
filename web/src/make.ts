/** Makes an element with a class and a text. Text is never markup here. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", text = ""): HTMLElementTagNameMap[K] {
	const made = document.createElement(tag);
	if (className) made.className = className;
	if (text) made.textContent = text;
	return made;
}

/** Makes a button that does something, and sends no form. */
export function button(label: string, className: string, pressed: () => void): HTMLButtonElement {
	const made = make("button", className, label);
	made.type = "button";
	made.addEventListener("click", pressed);
	return made;
}
