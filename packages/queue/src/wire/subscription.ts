// What a group subscribes to, as it is written in Redis. Pure.

export interface Subscription {
	/** Discord's names of events. */
	readonly events: readonly string[];
	/** Intents as bits; null: those that the events need. */
	readonly intents: number | null;
	/** The gateway process is to respond to interactions at once, with a deferred response; an ephemeral one only the user sees. */
	readonly defer?: Defer;
}

export type Defer = boolean | 'ephemeral';

/** The same subscription always has the same text. */
export function encodeSubscription({ events, intents, defer }: Subscription): string {
	return JSON.stringify({ events: [...new Set(events)].sort(), intents, ...(defer && { defer }) });
}

/** Undefined for what another version wrote. */
export function decodeSubscription(text: string): Subscription | undefined {
	try {
		const { events, intents, defer } = JSON.parse(text) as Partial<Subscription>;
		if (!Array.isArray(events) || !events.every((name) => typeof name === 'string')) return undefined;
		return { events, intents: typeof intents === 'number' ? intents : null, ...(isDefer(defer) && { defer }) };
	} catch {
		return undefined;
	}
}

export function isDefer(value: unknown): value is true | 'ephemeral' {
	return value === true || value === 'ephemeral';
}

/** The event that can be deferred. */
export const interactionEvent = 'INTERACTION_CREATE';
