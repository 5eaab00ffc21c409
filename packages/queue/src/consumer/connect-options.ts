// The options of a worker of the queue, and their validation.

import { type IoredisPortOptions, leaseBoundsMs } from '@shardctl/cluster';
import { nearestName, redisUrlProblem, ShardctlError } from '@shardctl/core';
import { type Defer, interactionEvent, isDefer } from '../wire/subscription.js';

export interface ConnectQueueOptions {
	/** The name of the group. Its workers share its events; each group gets all of them. */
	group: string;
	/** Discord's names of the events that the group gets. */
	events: readonly string[];
	/** Intents as bits, where the events need more than their own, such as MESSAGE_CONTENT (default: those that the events need). */
	intents?: number;
	/**
	 * Interactions (commands, components and forms, not autocomplete) get a deferred response from the gateway process as soon as they arrive, so that
	 * a worker has 15 minutes in place of 3 seconds (default false). With `'ephemeral'` only the user sees the response. It holds for every group,
	 * as Discord accepts one response only: see `event.deferred` and `queue.isDeferred()`.
	 */
	defer?: Defer;
	/** Guilds whose events are handled at the same time (default 100). Those of one guild are handled one after the other. */
	concurrency?: number;
	/** Default: `SHARDCTL_QUEUE`, or `SHARDCTL_CLUSTER`. */
	url?: string;
	/** For a Redis with certificates of its own. PEM (default: those that shardctl gives its workers). */
	tls?: IoredisPortOptions['tls'];
	/** Default: `DISCORD_TOKEN`. It names the queue; nothing is sent to Discord with it. */
	token?: string;
	/** How long the partitions of a worker that died stay with it (default 3000). */
	leaseMs?: number;
	/** Receives how many events the queue had removed, too many or too old, before the group handled them (default: a warning). */
	onMissed?(missed: MissedEvents): void;
	/** Receives what goes wrong and is tried again (default: written to standard error). */
	onWarning?(message: string): void;
}

export interface MissedEvents {
	count: number;
	partition: number;
	shardId: number;
}

const groupName = /^[a-zA-Z0-9][\w.-]{0,63}$/;
const eventName = /^[A-Z][A-Z0-9_]{0,63}$/;
/** More than Discord has. */
const mostEvents = 500;
/** A problem for each would hide the first ones. */
const mostNamed = 5;

const known = Object.keys({
	group: true,
	events: true,
	intents: true,
	defer: true,
	concurrency: true,
	url: true,
	tls: true,
	token: true,
	leaseMs: true,
	onMissed: true,
	onWarning: true,
} satisfies Record<keyof ConnectQueueOptions, true>);

/** Throws every problem as one `OPTIONS_INVALID`. */
export function checkQueueOptions(options: ConnectQueueOptions): void {
	const problems =
		typeof options === 'object' && options !== null ? problemsOf(options) : ['the options must be an object: { group, events }'];
	if (problems.length > 0) throw new ShardctlError('OPTIONS_INVALID', problems.join('; '), { details: { problems } });
}

function problemsOf(options: ConnectQueueOptions): string[] {
	const { group, intents, concurrency, leaseMs, url, token } = options;
	const problems: string[] = [];
	if (typeof group !== 'string' || !groupName.test(group))
		problems.push('group must be a name of letters, digits, ".", "_" and "-", with at most 64 characters');
	problems.push(...eventProblems(options));
	if (intents !== undefined && (!Number.isSafeInteger(intents) || intents < 0))
		problems.push('intents must be a whole number, the sum of the bits');
	if (concurrency !== undefined && (!Number.isSafeInteger(concurrency) || concurrency < 1))
		problems.push('concurrency must be a whole number of at least 1');
	const { min, max } = leaseBoundsMs;
	if (leaseMs !== undefined && !(Number.isSafeInteger(leaseMs) && leaseMs >= min && leaseMs <= max))
		problems.push(`leaseMs must be a whole number from ${min} to ${max}`);
	if (url !== undefined) {
		const wrong = typeof url === 'string' ? redisUrlProblem(url) : 'must be the URL of a Redis, such as redis://10.0.0.5:6379';
		if (wrong !== undefined) problems.push(`url ${wrong}`);
	}
	if (token !== undefined && typeof token !== 'string') problems.push('token must be a text');
	for (const name of ['onMissed', 'onWarning'] as const) {
		const callback: unknown = options[name];
		if (callback !== undefined && typeof callback !== 'function') problems.push(`${name} must be a function`);
	}
	for (const key of Object.keys(options)) {
		if (known.includes(key)) continue;
		const meant = nearestName(key, known);
		problems.push(`there is no option ${JSON.stringify(key)}${meant === undefined ? '' : `; did you mean "${meant}"?`}`);
	}
	return problems;
}

function eventProblems({ events, defer }: ConnectQueueOptions): string[] {
	const isList = Array.isArray(events) && events.length > 0;
	const problems: string[] = [];
	if (!isList) problems.push("events must list Discord's names of events, such as MESSAGE_CREATE");
	else if (events.length > mostEvents) problems.push(`events has ${events.length} names, more than Discord has events`);
	else {
		const wrong = events.filter((name: unknown) => typeof name !== 'string' || !eventName.test(name));
		for (const name of wrong.slice(0, mostNamed))
			problems.push(`${shown(name)} is not Discord's name of an event, such as MESSAGE_CREATE`);
		if (wrong.length > mostNamed) problems.push(`${wrong.length - mostNamed} more in events are not either`);
	}
	if (defer !== undefined && defer !== false && !isDefer(defer)) problems.push('defer must be true, false or "ephemeral"');
	else if (defer && isList && !events.includes(interactionEvent))
		problems.push(`defer is for interactions: add ${interactionEvent} to events`);
	return problems;
}

/** In a line of its own it would break the message. */
function shown(name: unknown): string {
	return JSON.stringify(String(name).slice(0, 80));
}
