// What a resharding leads to, in one phrase, for everything that prints it. Pure.
import { plural } from './plural.js';

interface ReshardCounts {
	/** Session counts. */
	from: number;
	to: number;
	/** Shard counts of the workers, where that changes. */
	shards?: { from: number; to: number } | undefined;
}

/** Such as `from 4 to 8 sessions and from 8 to 16 shards`. */
export function describeReshard({ from, to, shards }: ReshardCounts): string {
	const ofSessions = from === to && shards ? [] : [`from ${from} to ${plural(to, 'session')}`];
	return [...ofSessions, ...(shards ? [`from ${shards.from} to ${plural(shards.to, 'shard')}`] : [])].join(' and ');
}
