// What a page and the frame in which diagrams are drawn say to each other.

export interface Asked {
	id: number;
	source: string;
	dark: boolean;
}

/** The answer to what was asked under id: a picture, or an error. It comes from a frame in which anything may have run. */
export interface Drawn {
	id: number;
	svg?: string;
	width?: number;
	height?: number;
	title?: string;
	described?: string;
	error?: string;
}
