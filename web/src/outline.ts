// 'On this page' marks the part that is being read.

export function following(): void {
	const links = new Map<Element, HTMLAnchorElement>();
	for (const link of document.querySelectorAll<HTMLAnchorElement>(".outline a")) {
		const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
		if (heading) links.set(heading, link);
	}
	let now: HTMLAnchorElement | undefined;
	// Told whenever a heading comes into the upper quarter of the window, or leaves it.
	const passing = new IntersectionObserver(() => {
		let next: HTMLAnchorElement | undefined;
		for (const [heading, link] of links) {
			if (heading.getBoundingClientRect().top > innerHeight / 4) break;
			next = link;
		}
		if (next === now) return;
		now?.removeAttribute("aria-current");
		now = next;
		now?.setAttribute("aria-current", "location");
		const list = now?.closest("details");
		if (now && list) list.scrollTop = now.offsetTop - list.clientHeight / 2;
	}, { rootMargin: "0px 0px -75%" });
	for (const heading of links.keys()) passing.observe(heading);
}
