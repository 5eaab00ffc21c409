// The words for raw JSON as Discord sent it. Nothing here knows a schema: what Discord adds tomorrow passes through untouched.

/** A JSON object as Discord sent it. */
export interface RawObject {
	[key: string]: unknown;
}

/** One dispatch: its type and its data, as Discord sent them. */
export interface Dispatch {
	t: string;
	d: unknown;
}
