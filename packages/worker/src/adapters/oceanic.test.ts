import type { ShardReport } from '@shardctl/core';
import { Client } from 'oceanic.js';
import { Client as OldClient } from 'oceanic.js-1.6';
import { describe, expect, it } from 'vitest';
import { fakeWorker } from '../../test/fake-worker.js';
import { type OceanicClient, oceanicAdapter } from './oceanic.js';

const worker = fakeWorker();

/** A real client that never connects. */
const makeClient = () =>
	new Client({ auth: 'Bot token' }) as unknown as OceanicClient & { emit(event: string, ...args: unknown[]): void };

describe('oceanicAdapter', () => {
	it("sets the shards and the gateway's address, without a request of its own", async () => {
		const client = makeClient();
		oceanicAdapter.prepare?.(client, worker);
		expect(client.shards.options).toMatchObject({ shardIDs: [2, 3, 7], maxShards: 9, concurrency: -1 });
		expect(await client.shards.options.override?.getBot?.()).toEqual({
			url: 'wss://gateway',
			shards: 9,
			sessionStartLimit: { total: 1000, remaining: 3, resetAfter: 7, maxConcurrency: 16 },
		});
		expect(client.rest.options).toMatchObject({ baseURL: 'http://127.0.0.1:8080/api/v10', host: '127.0.0.1:8080' });
	});

	it('sets them on a client from before overrides, whose own delay is removed', async () => {
		const client = new OldClient({ auth: 'Bot token' }) as unknown as OceanicClient;
		oceanicAdapter.prepare?.(client, worker);
		expect(client.shards.options).toMatchObject({ shardIDs: [2, 3, 7], maxShards: 9, concurrency: Number.POSITIVE_INFINITY });
		expect(await client.rest.getGateway()).toEqual({ url: 'wss://gateway' });
		expect(client.rest.options).toMatchObject({ baseURL: 'http://127.0.0.1:8080/api/v10', host: '127.0.0.1:8080' });
	});

	it('makes a shard wait before its first IDENTIFY, from when its socket is open', () => {
		const client = makeClient();
		oceanicAdapter.prepare?.(client, worker);
		const identify = () => {};
		const shard = { id: 2, ws: {}, identify, on: () => {}, latency: 5 };
		client.shards.set(2, shard);
		client.emit('connect', 2);
		expect(shard.identify).not.toBe(identify);
	});

	it('reports the shards and counts their guilds', () => {
		const client = makeClient();
		const reports: ShardReport[] = [];
		oceanicAdapter.observe(client, (report) => reports.push(report));
		client.emit('shardReady', 2);
		client.emit('shardDisconnect', Object.assign(new Error('no'), { code: 4000 }), 2);
		client.emit('shardResume', 2);
		expect(reports.map(({ status }) => status)).toEqual(['ready', 'reconnecting', 'resumed']);
		client.shards.set(2, { id: 2, latency: 12 } as never);
		const guilds = [{ shard: { id: 2 }, memberCount: 4 }, { memberCount: 9 }];
		Object.defineProperty(client, 'guilds', { value: { values: () => guilds } });
		expect(oceanicAdapter.sample(client)).toEqual([{ shardId: 2, guildCount: 1, userCount: 4, ping: 12 }]);
	});
});
