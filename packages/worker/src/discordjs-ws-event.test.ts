import { expect, it } from 'vitest';
import { shardEvent } from './discordjs-ws-event.js';

it.each([
	['ready', 2, [{ user: 1 }, 4], undefined, { user: 1 }],
	['closed', 2, [1006, 4], 'code', 1006],
	['dispatch', 2, [{ t: 'READY' }, 4], 'data', { t: 'READY' }],
	['resumed', 2, [4], undefined, 4],
	['closed', 1, [{ code: 1006, shardId: 4 }], 'code', 1006],
	['dispatch', 1, [{ data: { t: 'READY' }, shardId: 4 }], 'data', { t: 'READY' }],
	['heartbeat', 1, [{ latency: 3, shardId: 4 }], undefined, { latency: 3, shardId: 4 }],
	['resumed', 1, [{ shardId: 4 }], undefined, { shardId: 4 }],
] as const)('reads the shard and the value of "%s" of version %i', (_, __, args, name, value) => {
	expect(shardEvent(args, name)).toEqual({ shardId: 4, value });
});
