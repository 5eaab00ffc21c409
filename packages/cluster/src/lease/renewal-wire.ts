// A renewal and its answer in the form of the script.
import type { RedisArgument } from '../redis/redis-port.js';
import type { Hold, Renewal, RenewalReply, SessionAnswer } from './node-state.js';
import type { Timings } from './timings.js';

const holdNumber: Readonly<Record<Hold, number>> = { acting: 0, giving: 1, waiting: 2 };

/** The arguments that every ownership script begins with. `nonce` is a part of the identity if this script meets a new engine. */
export function commonArguments(identity: string, timings: Timings, nonce: string): RedisArgument[] {
	return [nonce, identity, timings.leaseMs, timings.quietMs, timings.gapMs];
}

export function renewalArguments(node: string, renewal: Renewal): RedisArgument[] {
	return [
		node,
		renewal.ripe ? 1 : 0,
		renewal.unlapsed ? 1 : 0,
		'',
		...renewal.sessions.flatMap(({ session, epoch, hold }) => [session, epoch, holdNumber[hold]]),
	];
}

export function renewalReply(answer: unknown): RenewalReply {
	const [kind, identity, ...rest] = answer as [string, string, ...unknown[]];
	if (kind === 'ENGINE') return { kind: 'engine', identity };
	const [quietMs, version, registered, sessions, renewals] = rest as [number, number, number, string[], string[]];
	return {
		kind: 'renewed',
		identity,
		quietMs,
		version,
		registered: registered === 1,
		sessions: new Map(pairs(sessions).map(([id, epoch]) => [Number(id), sessionAnswer(epoch)])),
		renewals: new Map(pairs(renewals).map(([node, count]) => [node, Number(count)])),
	};
}

/** A flat list of names and values as pairs. */
export function pairs(flat: readonly string[]): [string, string][] {
	return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index] as string, flat[2 * index + 1] as string]);
}

function sessionAnswer(text: string): SessionAnswer {
	return text === 'wait' || text === 'none' ? text : Number(text);
}
