// Which events of a fleet `shardctl events` shows. Pure.
import type { FleetEvent } from '@shardctl/control';

export interface EventFilter {
	shard?: number | undefined;
	worker?: number | undefined;
	/** Epoch ms. */
	since?: number | undefined;
	/** Types such as `worker:exited`, kinds of notices such as `snapshot:failed`, or the part before the colon: `worker`. */
	types?: readonly string[] | undefined;
}

/** Whether an event passes. Events of the whole fleet pass `shard`, since they are about every shard. */
export function passes(event: FleetEvent, { shard, worker, since, types }: EventFilter): boolean {
	if (since !== undefined && event.at < since) return false;
	if (worker !== undefined && !('workerId' in event && event.workerId === worker)) return false;
	if (shard !== undefined) {
		const ids = shardsOf(event);
		if (ids && !ids.includes(shard)) return false;
	}
	if (types === undefined) return true;
	const names = event.type === 'gateway:notice' ? [event.type, event.kind] : [event.type];
	return names.some((name) => types.some((type) => name === type || name.startsWith(`${type}:`)));
}

/** The shards that an event is about; undefined for the whole fleet. */
export function shardsOf(event: FleetEvent): readonly number[] | undefined {
	// The list may be missing in an event of another version.
	if ('shardIds' in event) return Array.isArray(event.shardIds) ? event.shardIds : undefined;
	return 'shardId' in event ? [event.shardId] : undefined;
}
