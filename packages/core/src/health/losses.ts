// The sum of what a fleet has lost: every count of a loss, of whatever process, ends here. Pure.
import { type EventLossReason, eventLossReasons, type FleetLosses, type Loss } from '../contract/losses.js';
import { plural } from '../plural.js';
import { describeShards } from '../shards.js';
import { sorted } from './cause.js';

export function noLosses(since: number): FleetLosses {
	const byReason = Object.fromEntries(eventLossReasons.map((reason) => [reason, 0])) as Record<EventLossReason, number>;
	return { since, events: 0, byReason, sessions: 0, last: null };
}

/** The losses with one more. */
export function withLoss(losses: FleetLosses, { at, reason, shardIds, events }: Loss): FleetLosses {
	const last = { at, reason, shardIds: sorted(shardIds), events };
	if (reason === 'session-replaced') return { ...losses, sessions: losses.sessions + 1, last };
	const lost = events ?? 0;
	return {
		...losses,
		events: losses.events + lost,
		byReason: { ...losses.byReason, [reason]: losses.byReason[reason] + lost },
		last,
	};
}

const reasons = {
	'worker-died': 'in flight to a worker that died',
	'buffer-full': 'the buffer was full',
	expired: 'interactions that waited too long',
	poisoned: 'they crashed their worker',
	'session-replaced': 'Discord started a new session',
} satisfies Record<Loss['reason'], string>;

/** The loss as a sentence without its end: `55 events lost, 2 sessions replaced`; undefined before the first loss. */
export function describeLosses({ events, sessions, last }: FleetLosses): { total: string; last: string } | undefined {
	if (!last) return undefined;
	const parts = [
		events > 0 ? `${plural(events, 'event')} lost` : undefined,
		sessions > 0 ? `${plural(sessions, 'session')} replaced` : undefined,
	];
	return {
		total: parts.filter((part) => part !== undefined).join(', '),
		last: `${describeShards(last.shardIds)}: ${reasons[last.reason]}`,
	};
}
