// What a resharding leads to and how far it is, in one phrase each, for everything that prints it. Pure.
import { age } from './age.js';
import type { ReshardStats } from './contract/fleet.js';
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

const listedWaits = 3;

/** Of one that runs: `about 20s left`, or what holds it up, such as `waits: node b: worker 1 (shard 1) keeps failing`. */
export function describeReshardRest({ leftMs, waitsFor = [] }: Pick<ReshardStats, 'leftMs' | 'waitsFor'>): string {
	if (waitsFor.length === 0) return `about ${age(leftMs)} left`;
	const more = waitsFor.length - listedWaits;
	return `waits: ${[...waitsFor.slice(0, listedWaits), ...(more > 0 ? [`${more} more`] : [])].join('; ')}`;
}
