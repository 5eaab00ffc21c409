// The REST client of a worker of the queue: with the class that the bot brings, within the one limit of the bot where shardctl runs the workers,
// and at Discord's own address where a person does.
import { fileURLToPath } from 'node:url';
import { Client } from '@discordjs/core';
import { DefaultRestOptions, REST } from '@discordjs/rest';
import { connectQueue } from '@shardctl/queue';
import { createSimulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager } from 'shardctl';
import { expect, it, onTestFinished, vi } from 'vitest';
import { describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';

const workerFile = fileURLToPath(new URL('fixtures/rest-worker.mjs', import.meta.url));
const perSecond = 20;

describeWithRedis('the REST client of a worker', () => {
	async function redis(): Promise<string> {
		const server = await redisServer();
		onTestFinished(() => server.close());
		return server.url;
	}

	it('shares the limit of the bot with the other workers of the fleet', async () => {
		const url = await redis();
		const simulator = await createSimulator({ guilds: 30, shards: 2, maxConcurrency: 16, rest: { globalPerSecond: perSecond } });
		onTestFinished(() => simulator.stop());
		const manager = createShardManager(workerFile, {
			token: simulator.token,
			api: simulator.url,
			gateway: 'queue',
			queue: url,
			workers: 2,
			totalShards: 2,
			rest: { globalPerSecond: perSecond },
			control: false,
			silent: true,
			logger: pino({ level: 'silent' }),
		});
		onTestFinished(() => manager.stop({ graceMs: 0 }));
		const answered: { pid: number; guild: string }[] = [];
		const edited: string[] = [];
		manager.on('message', ({ message }) => {
			if ((message as { edited?: string }).edited) edited.push((message as { edited: string }).edited);
			else answered.push(message as { pid: number; guild: string });
		});
		await manager.spawn();
		const partitions = async () => (await manager.getStats({ fresh: true })).workers.map(({ queue }) => queue?.partitions);
		await expect.poll(partitions).toEqual([16, 16]);
		const guilds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
		// More than three seconds of the limit, all at once.
		for (let round = 0; round < 2; round++)
			for (const guildId of guilds) simulator.emit('MESSAGE_CREATE', { content: 'a' }, { guildId });
		await waitFor('an answer to each', () => answered.length === 2 * guilds.length);
		const requests = simulator.log.entries({ type: 'rest' });
		expect(requests.filter(({ status }) => status === 429)).toEqual([]);
		expect(new Set(answered.map(({ pid }) => pid)).size).toBe(2);
		expect(new Set(answered.map(({ guild }) => guild))).toEqual(new Set(guilds));
		// The deferred response of a gateway process goes the same way.
		simulator.emit('INTERACTION_CREATE', { name: 'ping' });
		await waitFor('the edit of the deferred response', () => edited.length === 1);
		expect(simulator.log.entries({ type: 'interaction' }).map(({ callbackType }) => callbackType)).toEqual([5]);
		const { rest, queue } = await manager.getStats({ fresh: true });
		expect([edited, rest?.classes.interactions, queue?.deferFailed]).toEqual([['later'], 1, 0]);
	});

	it('is at the address of Discord where none is given, with the token of the bot', async () => {
		const url = await redis();
		const token = `Bot ${Buffer.from('80351110224678912').toString('base64')}.abc.def`;
		const queue = await connectQueue({ group: 'g', events: ['MESSAGE_CREATE'], url, token });
		onTestFinished(() => queue.close());
		onTestFinished(() => void vi.unstubAllEnvs());
		vi.stubEnv('SHARDCTL_API', undefined);
		const headers: unknown[] = [];
		const makeRequest: REST['options']['makeRequest'] = async (address, init) => {
			headers.push(address, (init.headers as Record<string, string>).Authorization);
			return new Response('{}', { headers: { 'content-type': 'application/json' } });
		};
		const alone = queue.rest(REST, { makeRequest });
		const client = new Client({ rest: alone, gateway: queue.gateway });
		await client.api.users.getCurrent();
		expect(headers).toEqual(['https://discord.com/api/v10/users/%40me', token]);
		expect(queue.rest(REST).options.api).toBe(DefaultRestOptions.api);
		vi.stubEnv('SHARDCTL_API', 'http://127.0.0.1:1/api');
		expect(queue.rest(REST).options.api).toBe('http://127.0.0.1:1/api');
		expect(queue.rest(REST, { api: 'http://127.0.0.1:2/api' }).options.api).toBe('http://127.0.0.1:2/api');
	});
});
