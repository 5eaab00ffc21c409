// How long an event is of use to a worker. Past that it is not delivered, though the state still takes it in.

/** Discord waits 3 s for the first answer to an interaction; one that has waited this long cannot be answered any more. */
const interactionMs = 2500;
/** A typing indicator shows for 10 s. */
const typingMs = 8000;

const lifetimes: ReadonlyMap<string, number> = new Map([
	['INTERACTION_CREATE', interactionMs],
	['TYPING_START', typingMs],
]);

/** Whether an event of this type is dead after this time. */
export function isExpired(type: string, ageMs: number): boolean {
	return ageMs > (lifetimes.get(type) ?? Number.POSITIVE_INFINITY);
}
