/** What this browser has kept, if it keeps anything. */
export function kept(name: string): string | null {
	try {
		return localStorage.getItem(name);
	} catch {
		return null;
	}
}

/** Keeps a text for the pages that come. Where that is not allowed, it holds until the next one. */
export function keep(name: string, value: string): void {
	try {
		localStorage.setItem(name, value);
	} catch {
		// as said
	}
}
