import { EventEmitter } from 'node:events';
import type { ShardReport } from '@shardctl/core';
import { describe, expect, it, vi } from 'vitest';
import { fakeWorker } from '../../test/fake-worker.js';
import { discordJsAdapter } from './adapter.js';
import type { DiscordClient, WebSocketManager } from './library.js';

const worker = fakeWorker({ shardIds: [2, 3], totalShards: 4, api: 'http://api', isOwnToken: (token) => token === 'own' });
const gatewayLibrary = {
	SimpleShardingStrategy: class {
		readonly kind = 'strategy';
	},
	SimpleIdentifyThrottler: class {
		readonly maxConcurrency: number;
		constructor(maxConcurrency: number) {
			this.maxConcurrency = maxConcurrency;
		}
	},
};

class FakeClient {
	readonly #events = new EventEmitter();
	readonly on = (event: string, listener: (...args: never[]) => void) => this.#events.on(event, listener as () => void);
	readonly emit = (event: string, ...args: unknown[]) => this.#events.emit(event, ...args);
	token: string | null = 'own';
	options: DiscordClient['options'] = { shards: [2, 3], shardCount: 4, ws: {} };
	rest = { options: { api: 'https://discord.com/api' }, get: async (_route: string): Promise<unknown> => 'from Discord' };
	guilds = { cache: new Map<string, { shardId: number; memberCount: number }>() };
	ws = { shards: new Map<number, { ping: number }>() };
	destroy = async () => {};
}
const adapter = (first = true) => discordJsAdapter({ version: '14.0.0', gatewayLibrary, first });

/** @discordjs/ws's manager as discord.js creates it when a client logs in with a token. */
function webSocketManager(token: string) {
	const manager: WebSocketManager & { options: { rest: { get?: () => Promise<unknown> } } } = Object.assign(new EventEmitter(), {
		options: { rest: {}, token },
		fetchGatewayInformation: async () => ({ session_start_limit: { max_concurrency: 2 } }),
	});
	return manager;
}

describe('discordJsAdapter', () => {
	it("keeps a bot's options when they match this worker's shards", () => {
		const client = new FakeClient();
		const { shards } = client.options;
		adapter().prepare?.(client, worker);
		expect(client.options.shards).toBe(shards);
	});

	it('overrides shards that a bot sets itself, and reports it', () => {
		const complaint = vi.spyOn(console, 'error').mockReturnValue();
		const client = new FakeClient();
		client.options = { shards: 'auto', shardCount: 1, ws: {} };
		adapter().prepare?.(client, worker);
		expect(client.options).toMatchObject({ shards: [2, 3], shardCount: 4 });
		expect(complaint).toHaveBeenCalledWith(expect.stringContaining('this process runs 2,3 of 4 instead'));
		complaint.mockRestore();
	});

	it('keeps the shards of a second client', () => {
		const client = new FakeClient();
		client.options = { shards: [0], shardCount: 1, ws: {} };
		adapter(false).prepare?.(client, worker);
		expect(client.options).toMatchObject({ shards: [0], shardCount: 1 });
	});

	it("answers the gateway request from the manager, and gates identifies, for the fleet's token", async () => {
		const client = new FakeClient();
		adapter().prepare?.(client, worker);
		const manager = webSocketManager('own');
		expect(client.options.ws.buildStrategy?.(manager)).toEqual({ kind: 'strategy' });
		expect(await manager.options.rest.get?.()).toMatchObject({ url: 'wss://gateway', session_start_limit: { remaining: 1000 } });
		expect(await client.options.ws.buildIdentifyThrottler?.(manager)).toHaveProperty('waitForIdentify');
	});

	it("leaves the client of another bot to the library's own limits", async () => {
		const client = new FakeClient();
		adapter().prepare?.(client, worker);
		const manager = webSocketManager('other');
		client.options.ws.buildStrategy?.(manager);
		expect(manager.options.rest).toEqual({});
		expect(await client.options.ws.buildIdentifyThrottler?.(manager)).toEqual({ maxConcurrency: 2 });
	});

	it('points a bundled client, whose library is not accessible, to the API by itself', () => {
		const client = new FakeClient();
		discordJsAdapter({ version: '14.0.0', gatewayLibrary: undefined, first: true }).prepare?.(client, worker);
		expect(client.rest.options.api).toBe('http://api');
		expect(client.options.ws).toEqual({ buildIdentifyThrottler: expect.any(Function) });
	});

	it("uses a strategy and a throttler of the bot's own, with this worker's shards and gateway", async () => {
		const client = new FakeClient();
		const throttler = () => 2;
		client.options.ws = { buildStrategy: () => 1, buildIdentifyThrottler: throttler };
		adapter().prepare?.(client, worker);
		const manager = webSocketManager('own');
		expect(client.options.ws.buildStrategy?.(manager)).toBe(1);
		expect(manager.options).toMatchObject({ shardIds: [2, 3], shardCount: 4, buildIdentifyThrottler: throttler });
		expect(await manager.options.rest.get?.()).toMatchObject({ url: 'wss://gateway' });
	});

	it('passes the throttler on, which discord.js 14.10 and 14.11 do not', () => {
		const client = new FakeClient();
		adapter().prepare?.(client, worker);
		const manager = webSocketManager('own');
		client.options.ws.buildStrategy?.(manager);
		expect(manager.options.buildIdentifyThrottler).toBe(client.options.ws.buildIdentifyThrottler);
	});

	it("answers an old or bundled client's own request for the gateway", async () => {
		const client = new FakeClient();
		discordJsAdapter({ version: '14.9.0', gatewayLibrary: undefined, first: true }).prepare?.(client, worker);
		expect(await client.rest.get('/gateway/bot')).toMatchObject({ url: 'wss://gateway' });
		expect(await client.rest.get('/users/@me')).toBe('from Discord');
		client.token = 'other';
		expect(await client.rest.get('/gateway/bot')).toBe('from Discord');
	});

	it('reports what happens to the shards; of a second client only with the same token', () => {
		const reports: ShardReport[] = [];
		const first = new FakeClient();
		const second = new FakeClient();
		second.token = 'other';
		for (const [client, isFirst] of [
			[first, true],
			[second, false],
		] as const) {
			const its = adapter(isFirst);
			its.prepare?.(client, worker);
			its.observe(client, (report) => reports.push(report));
			client.emit('shardReady', 2);
			client.emit('shardReconnecting', 2);
			client.emit('shardResume', 2);
			client.emit('shardDisconnect', { code: 4004 }, 2);
		}
		expect(reports).toEqual([
			{ shardId: 2, status: 'ready' },
			{ shardId: 2, status: 'reconnecting' },
			{ shardId: 2, status: 'resumed' },
			{ shardId: 2, status: 'disconnected', closeCode: 4004 },
		]);
	});

	it('counts guilds and members by shard, and has no ping before the first', () => {
		const client = new FakeClient();
		client.ws.shards.set(2, { ping: 40 }).set(3, { ping: -1 });
		client.guilds.cache
			.set('a', { shardId: 2, memberCount: 10 })
			.set('b', { shardId: 2, memberCount: 5 })
			.set('c', { shardId: 9, memberCount: 1 });
		expect(adapter().sample(client)).toEqual([
			{ shardId: 2, guildCount: 2, userCount: 15, ping: 40 },
			{ shardId: 3, guildCount: 0, userCount: 0, ping: null },
		]);
	});
});
