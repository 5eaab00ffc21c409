import type { FleetEvent } from '@shardctl/control';
import { expect, it } from 'vitest';
import { type EventFilter, passes } from './event-filter.js';

const at = 1_700_000_000_000;
const events = {
	ready: { seq: 1, at, type: 'fleet:ready', shards: 4, workers: 2, tookMs: 1 },
	spawned: { seq: 2, at: at + 1000, type: 'worker:spawned', workerId: 1, shardIds: [2, 3], pid: 7, epoch: 1 },
	lost: { seq: 3, at: at + 2000, type: 'shard:reconnecting', workerId: 0, shardId: 1 },
	notice: {
		seq: 4,
		at: at + 3000,
		type: 'gateway:notice',
		gatewayId: 0,
		shardIds: [0, 1],
		kind: 'snapshot:failed',
		message: 'no',
	},
} satisfies Record<string, FleetEvent>;

it.each<[EventFilter, string[]]>([
	[{}, ['ready', 'spawned', 'lost', 'notice']],
	[{ shard: 1 }, ['ready', 'lost', 'notice']],
	[{ shard: 2 }, ['ready', 'spawned']],
	[{ worker: 1 }, ['spawned']],
	[{ since: at + 2000 }, ['lost', 'notice']],
	[{ types: ['worker'] }, ['spawned']],
	[{ types: ['shard:reconnecting', 'fleet'] }, ['ready', 'lost']],
	[{ types: ['snapshot'] }, ['notice']],
	[{ types: ['snapshot:failed'] }, ['notice']],
	[{ types: ['gateway:notice'] }, ['notice']],
	[{ types: ['work'] }, []],
	[{ shard: 1, since: at + 1000, types: ['shard', 'worker'] }, ['lost']],
])('%j', (filter, names) => {
	expect(Object.entries(events).flatMap(([name, event]) => (passes(event, filter) ? [name] : []))).toEqual(names);
});
