// A bot behind a gateway process whose sessions are replaced again and again has the same cache as one that is connected to Discord itself,
// while members come and go, talk, change their presence, and guilds change. Both are discord.js clients on the same simulated Discord.
// SHARDCTL_EQUALITY_SEED repeats a run, SHARDCTL_RESHARDS sets how often the sessions are replaced.
import { waitFor } from '@shardctl/test-support';
import { Events } from 'discord.js';
import { expect, it, onTestFinished } from 'vitest';
import { cacheOf } from './support/cached-client.js';
import { firstDifferences } from './support/differences.js';
import { GatewayProcess } from './support/gateway-process.js';
import { LiveClient } from './support/live-client.js';

const totalShards = 4;
const shardIds = Array.from({ length: totalShards }, (_, id) => id);
const seed = Number(process.env.SHARDCTL_EQUALITY_SEED ?? Math.floor(Math.random() * 2 ** 31));
const counts = [2, 4, 1, 4, 2, 1];
const times = Number(process.env.SHARDCTL_RESHARDS ?? 3);

const mix = { message: 3, voice: 20, presence: 20, join: 20, leave: 15, thread: 3 };

it(`keeps the cache of a bot equal to that of one without a gateway (seed ${seed})`, { timeout: 300_000 }, async () => {
	const gateway = await GatewayProcess.start({
		shards: counts.at(-1) as number,
		simulator: { guilds: 24, seed, guildSizes: { min: 3, max: 12 }, maxConcurrency: 16, population: 400 },
		config: { layout: { generation: 0, totalShards, sessions: 1 }, shardIds, delivery: 'at-least-once' },
	});
	const { simulator } = gateway;
	const { world } = simulator;
	const guildOf = new Map(shardIds.map((id) => [id, gateway.guildOf(id)]));
	const marked = new Map<LiveClient, string>();
	const connect = async (api: string, shardId: number) => {
		const client = new LiveClient({ api, shard: [shardId, totalShards], outages: new Set(), token: simulator.token });
		onTestFinished(() => client.end());
		client.client.on(Events.MessageCreate, ({ content }) => marked.set(client, content));
		await waitFor(`a client of shard ${shardId}`, () => client.client.isReady());
		return client;
	};
	const pairs: { shardId: number; direct: LiveClient; behind: LiveClient }[] = [];
	for (const shardId of shardIds) {
		const [direct, behind] = [
			await connect(simulator.url, shardId),
			await connect(`http://127.0.0.1:${gateway.port}/api`, shardId),
		];
		pairs.push({ shardId, direct, behind });
	}

	let marks = 0;
	const compare = async (when: string) => {
		simulator.activity.stop();
		const mark = `mark ${++marks}`;
		for (const guildId of guildOf.values()) simulator.emit('MESSAGE_CREATE', { content: mark }, { guildId });
		for (const { shardId, direct, behind } of pairs) {
			const both = () => [direct, behind].every((client) => marked.get(client) === mark && client.isIdle);
			await waitFor(`${mark} on shard ${shardId}`, both);
			const differences = firstDifferences(cacheOf(direct.client), cacheOf(behind.client));
			expect({ when, shardId, differences }).toEqual({ when, shardId, differences: [] });
		}
	};
	const start = () => simulator.activity.start(400, mix);

	await compare('before');
	let from = 1;
	for (let count = 0; count < times; count++) {
		const to = counts[count % counts.length] as number;
		// Discord is late on one of the generations, or on neither.
		const late = [to, from][count % 3];
		const fault = late === undefined ? undefined : simulator.faults.latency({ ms: 400, jitterMs: 100, shardCount: late });
		start();
		for (let group = 0; group < Math.min(from, to); group++) {
			await gateway.request('session.reshard', { group, from, to });
		}
		if (fault !== undefined) simulator.faults.end(fault);
		await compare(`after ${from} to ${to} sessions`);
		from = to;
	}
	expect(world.guilds.count).toBe(24);
	expect(simulator.activity.happened).toBeGreaterThan(500);
	expect(gateway.upstream().violations).toBe(0);
});
