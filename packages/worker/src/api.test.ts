// The public functions in a process without a manager; their effect in a worker is tested in packages/manager/test.
import { describe, expect, it } from 'vitest';
import {
	attach,
	broadcastEval,
	call,
	fetchClientValues,
	getShardInfo,
	getShardStats,
	handle,
	onShutdown,
	respawnAll,
	respawnShard,
	waitForIdentify,
} from './api.js';

describe('in a process that is not sharded', () => {
	it('getShardInfo reports it', () => {
		expect(getShardInfo()).toEqual({
			sharded: false,
			shardId: null,
			shardIds: [],
			totalShards: 1,
			guildCount: 0,
			node: null,
			api: null,
			gateway: null,
		});
	});

	it('the setup functions do nothing, so that the bot runs with node alone', async () => {
		expect(attach({ some: 'client' })).toBeUndefined();
		expect(handle('name', () => 1)).toBeUndefined();
		expect(onShutdown(() => {})).toBeUndefined();
		await expect(waitForIdentify(0)).resolves.toBeUndefined();
	});

	it.each<[string, () => Promise<unknown>]>([
		['broadcastEval', () => broadcastEval(() => 1)],
		['fetchClientValues', () => fetchClientValues('guilds.cache.size')],
		['call', () => call('name')],
		['respawnShard', () => respawnShard(0)],
		['respawnAll', () => respawnAll()],
		['getShardStats', () => getShardStats()],
	])('%s fails because it needs a manager', async (name, asking) => {
		await expect(asking()).rejects.toMatchObject({
			code: 'MANAGER_NOT_RUNNING',
			message: `${name}() needs a manager, and no manager started this process: run the bot with "shardctl start"`,
		});
	});
});
