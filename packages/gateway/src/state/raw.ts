// Types for raw JSON as Discord sent it, and the few safe ways of looking into it. Nothing here knows a schema: what Discord
// adds tomorrow passes through untouched, and what it sends broken reads as absent.

/** A JSON object as Discord sent it. */
export interface RawObject {
	[key: string]: unknown;
}

/** One dispatch: its type and its data, as Discord sent them. */
export interface Dispatch {
	t: string;
	d: unknown;
	/** The whole frame, where it came from the wire. */
	text?: string;
	/** The worker has it from the session before this one: it concerns the state alone. */
	repeated?: true;
	/** Monotonic: when it arrived, where it was kept back before it reached its shard. */
	receivedAtMs?: number;
}

/** A dispatch whose data is JSON text already, ready to be sent. */
export interface EncodedData {
	t: string;
	json: string;
}

/** The value as an object, or undefined when it is not one. */
export function objectOf(value: unknown): RawObject | undefined {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawObject) : undefined;
}

/** The objects in a list; empty when it is no list. */
export function objectsOf(value: unknown): RawObject[] {
	if (!Array.isArray(value)) return [];
	return value.every((item) => objectOf(item)) ? (value as RawObject[]) : value.filter((item) => objectOf(item) !== undefined);
}

/** The strings in a list, or undefined when it is no list. */
export function stringsOf(value: unknown): string[] | undefined {
	return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

/** The value as a string, or undefined. Ids are strings. */
export function stringOf(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/** The id of the user that an object (a member, a presence) carries. */
export function userIdOf(holder: RawObject): string | undefined {
	return stringOf(objectOf(holder.user)?.id);
}
