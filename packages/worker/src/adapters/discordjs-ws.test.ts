import { REST } from '@discordjs/rest';
import { WebSocketManager as RealManager } from '@discordjs/ws';
import type { ShardReport } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { fakeWorker } from '../../test/fake-worker.js';
import { discordjsCoreAdapter } from './discordjs-core.js';
import { discordjsWsAdapter, type WebSocketManager } from './discordjs-ws.js';

const worker = fakeWorker();

/** A real manager that never connects. */
const makeManager = () =>
	new RealManager({ token: 'token', intents: 0, rest: new REST() }) as unknown as WebSocketManager & {
		emit(event: string, ...args: unknown[]): void;
		fetchGatewayInformation(): Promise<unknown>;
		getShardIds(): Promise<number[]>;
		getShardCount(): Promise<number>;
	};

describe('discordjsWsAdapter', () => {
	it('sets the shards, the gateway information and the throttler', async () => {
		const manager = makeManager();
		discordjsWsAdapter().prepare?.(manager, worker);
		expect(await manager.getShardIds()).toEqual([2, 3, 7]);
		expect(await manager.getShardCount()).toBe(9);
		expect(await manager.fetchGatewayInformation()).toMatchObject({
			url: 'wss://gateway',
			session_start_limit: { remaining: 1000 },
		});
		expect(manager.options.buildIdentifyThrottler?.(manager as never)).toHaveProperty('waitForIdentify');
	});

	it('reports the shards, and counts guilds by their dispatches, outages included', () => {
		const manager = makeManager();
		const adapter = discordjsWsAdapter();
		const reports: ShardReport[] = [];
		adapter.observe(manager, (report) => reports.push(report));
		manager.emit('ready', {}, 2);
		manager.emit('closed', 1006, 2);
		manager.emit('resumed', 2);
		manager.emit('closed', 4010, 2);
		expect(reports).toEqual([
			{ shardId: 2, status: 'ready' },
			{ shardId: 2, status: 'reconnecting', closeCode: 1006 },
			{ shardId: 2, status: 'resumed' },
			{ shardId: 2, status: 'disconnected', closeCode: 4010 },
		]);
		const dispatch = (t: string, d: object) => manager.emit('dispatch', { op: 0, t, d }, 2);
		dispatch('GUILD_CREATE', { id: 'a', member_count: 4 });
		dispatch('GUILD_CREATE', { id: 'b', member_count: 6 });
		dispatch('GUILD_DELETE', { id: 'a', unavailable: true });
		manager.emit('heartbeat', { latency: 30 }, 2);
		expect(adapter.sample(manager)).toEqual([{ shardId: 2, guildCount: 2, userCount: 10, ping: 30 }]);
		dispatch('GUILD_DELETE', { id: 'a' });
		expect(adapter.sample(manager)).toMatchObject([{ guildCount: 1, userCount: 6 }]);
		dispatch('READY', {});
		expect(adapter.sample(manager)).toMatchObject([{ guildCount: 0 }]);
	});
});

describe('discordjsCoreAdapter', () => {
	it("prepares the gateway as the adapter for @discordjs/ws does, and points REST to the manager's API", async () => {
		const manager = makeManager();
		const client = { gateway: manager, rest: new REST() };
		discordjsCoreAdapter().prepare?.(client, worker);
		expect(await manager.getShardIds()).toEqual([2, 3, 7]);
		expect(client.rest.options.api).toBe('http://127.0.0.1:8080/api');
	});
});
