import type { ShardReport } from '@shardctl/core';
import { Client } from 'eris';
import { describe, expect, it } from 'vitest';
import { fakeWorker } from '../../test/fake-worker.js';
import { type ErisClient, erisAdapter } from './eris.js';

const worker = fakeWorker();

/** A real client that never connects. */
const makeClient = () =>
	new Client('Bot token', { intents: [] }) as unknown as ErisClient & { emit(event: string, ...args: unknown[]): void };

describe('erisAdapter', () => {
	it('sets the shards, and skips the gaps of its range where shards are created', () => {
		const client = makeClient();
		const spawned: number[] = [];
		client.shards.spawn = (id) => void spawned.push(id);
		erisAdapter.prepare?.(client, worker);
		expect(client.options).toMatchObject({ maxShards: 9, firstShardID: 2, lastShardID: 7 });
		for (let id = 2; id <= 7; id++) client.shards.spawn(id);
		expect(spawned).toEqual([2, 3, 7]);
	});

	it("answers the gateway request from the manager and points REST to the manager's API", async () => {
		const client = makeClient();
		erisAdapter.prepare?.(client, worker);
		expect(await client.getBotGateway()).toEqual(worker.gateway);
		expect(await client.getGateway()).toEqual(worker.gateway);
		expect(client.requestHandler.options).toMatchObject({ domain: '127.0.0.1', baseURL: '/api/v10' });
		expect(client.requestHandler.options?.agent).toBeDefined();
	});

	it("leaves REST unchanged when the API is Discord's", () => {
		const client = makeClient();
		const before = { ...client.requestHandler.options };
		erisAdapter.prepare?.(client, { ...worker, api: 'https://discord.com/api' });
		expect(client.requestHandler.options).toEqual(before);
	});

	it('reports the shards and counts their guilds', () => {
		const client = makeClient();
		const reports: ShardReport[] = [];
		erisAdapter.observe(client, (report) => reports.push(report));
		client.emit('shardReady', 2);
		client.emit('shardDisconnect', undefined, 2);
		client.emit('shardResume', 2);
		client.emit('shardDisconnect', Object.assign(new Error('no'), { code: 4014 }), 2);
		expect(reports).toEqual([
			{ shardId: 2, status: 'ready' },
			{ shardId: 2, status: 'reconnecting' },
			{ shardId: 2, status: 'resumed' },
			{ shardId: 2, status: 'disconnected', closeCode: 4014 },
		]);
		client.shards.set(2, { id: 2, latency: Number.POSITIVE_INFINITY } as never);
		client.guilds = {
			values: () => [
				{ shard: { id: 2 }, memberCount: 4 },
				{ shard: { id: 5 }, memberCount: 9 },
			],
		};
		expect(erisAdapter.sample(client)).toEqual([{ shardId: 2, guildCount: 1, userCount: 4, ping: null }]);
	});
});
