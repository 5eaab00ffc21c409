// What holds up a resharding of a cluster, for people: a node begins with its sessions only while all of their workers are ready, and it
// owns them. Pure.
import type { SessionPlace } from '@shardctl/control';
import { describeShards, type FleetHealth } from '@shardctl/core';

/** Of the shards whose sessions are to be replaced; empty where nothing holds them up. */
export function reshardWaits(
	shardIds: readonly number[],
	{ health, places }: { health: Pick<FleetHealth, 'causes'>; places: readonly SessionPlace[] },
): string[] {
	const left = new Set(shardIds);
	const concerns = (ids: readonly number[]) => ids.some((id) => left.has(id));
	const moving = places
		.filter((place) => place.phase !== 'held' && concerns(place.shardIds))
		.map(({ shardIds: ids, target }) => `${describeShards(ids)} ${ids.length === 1 ? 'moves' : 'move'} to node ${target}`);
	const causes = health.causes.filter((cause) => cause.effect !== 'risk' && concerns(cause.shardIds));
	return [...moving, ...causes.map(({ message }) => message)];
}
