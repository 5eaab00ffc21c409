// What a group subscribes to, as it is written in Redis. Pure.
import { ShardctlError } from '@shardctl/core';

export interface Subscription {
	/** Discord's names of events. */
	readonly events: readonly string[];
	/** Intents as bits; null: those that the events need. */
	readonly intents: number | null;
	/** The gateway process is to respond to interactions at once, with a deferred response. */
	readonly defer?: boolean;
}

/** The same subscription always has the same text. */
export function encodeSubscription({ events, intents, defer }: Subscription): string {
	return JSON.stringify({ events: [...new Set(events)].sort(), intents, ...(defer && { defer }) });
}

/** Undefined for what another version wrote. */
export function decodeSubscription(text: string): Subscription | undefined {
	try {
		const { events, intents, defer } = JSON.parse(text) as Partial<Subscription>;
		if (!Array.isArray(events) || !events.every((name) => typeof name === 'string')) return undefined;
		return { events, intents: typeof intents === 'number' ? intents : null, ...(defer === true && { defer }) };
	} catch {
		return undefined;
	}
}

/** The event that can be deferred. */
export const interactionEvent = 'INTERACTION_CREATE';

const groupName = /^[a-zA-Z0-9][\w.-]{0,63}$/;
const eventName = /^[A-Z][A-Z0-9_]*$/;

/** Every problem of what a worker asks for, as one `OPTIONS_INVALID`. */
export function checkSubscription({
	group,
	events,
	intents,
	concurrency,
	defer,
}: {
	group: string;
	events: readonly string[];
	intents?: number | undefined;
	concurrency?: number | undefined;
	defer?: boolean | undefined;
}): void {
	const problems: string[] = [];
	if (typeof group !== 'string' || !groupName.test(group)) {
		problems.push('group must be a name of letters, digits, ".", "_" and "-", with at most 64 characters');
	}
	if (!Array.isArray(events) || events.length === 0)
		problems.push("events must list Discord's names of events, such as MESSAGE_CREATE");
	else
		for (const name of events)
			if (typeof name !== 'string' || !eventName.test(name))
				problems.push(`"${String(name)}" is not Discord's name of an event, such as MESSAGE_CREATE`);
	if (intents !== undefined && (!Number.isSafeInteger(intents) || intents < 0))
		problems.push('intents must be a whole number, the sum of the bits');
	if (concurrency !== undefined && (!Number.isSafeInteger(concurrency) || concurrency < 1))
		problems.push('concurrency must be a whole number of at least 1');
	if (defer !== undefined && typeof defer !== 'boolean') problems.push('defer must be true or false');
	else if (defer && Array.isArray(events) && !events.includes(interactionEvent))
		problems.push(`defer is for interactions: add ${interactionEvent} to events`);
	if (problems.length > 0) throw new ShardctlError('OPTIONS_INVALID', problems.join('; '), { details: { problems } });
}
