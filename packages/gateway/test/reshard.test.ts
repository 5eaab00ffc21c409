// Sessions with Discord are replaced by more or fewer, while numbered messages flow: clients receive every one once, in order.
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { Client, GatewayProcess } from './support/gateway-process.js';

const guildIntents = { intents: 1 | 512 | 4096 | 32_768 };
const totalShards = 8;

/** A fleet of eight shards, with a client for each of them. */
async function start({ sessions, config = {}, more = 0 }: { sessions: number; config?: object; more?: number }) {
	const gateway = await GatewayProcess.start({
		shards: sessions,
		simulator: { guilds: 80 },
		config: {
			layout: { generation: 0, totalShards, sessions },
			shardIds: Array.from({ length: totalShards }, (_, id) => id),
			delivery: 'at-least-once',
			...config,
		},
	});
	const intents = { intents: guildIntents.intents | more };
	const clients = await Promise.all(Array.from({ length: totalShards }, (_, id) => Client.ready(gateway, id, intents)));
	return { gateway, clients, talk: talkIn(gateway) };
}

/** Sends numbered messages around all guilds, and direct messages. */
function talkIn({ simulator }: GatewayProcess) {
	const { world } = simulator;
	const guildIds = [...world.guilds.ids({ id: 0, count: 1 })];
	const numbers = new Map<string, number>();
	let sent = 0;
	const next = (guildId: string) => {
		const number = (numbers.get(guildId) ?? 0) + 1;
		numbers.set(guildId, number);
		return String(number);
	};
	const say = () => {
		sent++;
		if (sent % 20 === 0) {
			const data = { channel_id: '1', id: String(sent), content: next('direct'), author: { id: '2' } };
			world.emit({ type: 'MESSAGE_CREATE', guildId: null, direct: true, data });
			return;
		}
		const guildId = guildIds[sent % guildIds.length] as string;
		simulator.emit('MESSAGE_CREATE', { content: next(guildId) }, { guildId });
	};
	const timer = setInterval(() => {
		for (let count = 0; count < 5; count++) say();
	}, 10);
	onTestFinished(() => clearInterval(timer));
	return { numbers, hush: () => clearInterval(timer) };
}

/** Guild → numbers in the order of arrival, over all clients. */
function heard(clients: readonly Client[]): Map<string, number[]> {
	const byGuild = new Map<string, number[]>();
	for (const { frames } of clients) {
		for (const { t, d } of frames) {
			if (t !== 'MESSAGE_CREATE') continue;
			const guildId = d.guild_id ?? 'direct';
			byGuild.set(guildId, [...(byGuild.get(guildId) ?? []), Number(d.content)]);
		}
	}
	return byGuild;
}

/** Resolves when everything has arrived; fails unless it did once, in order. */
async function expectExactlyOnce(clients: readonly Client[], { numbers, hush }: ReturnType<typeof talkIn>): Promise<void> {
	hush();
	const missing = () => [...numbers].filter(([guildId, last]) => !heard(clients).get(guildId)?.includes(last)).length;
	await waitFor('the last messages', () => missing() === 0);
	const wrong = [...heard(clients)].filter(([guildId, got]) => {
		const expected = Array.from({ length: numbers.get(guildId) ?? 0 }, (_, index) => index + 1);
		return got.join() !== expected.join();
	});
	expect(wrong).toEqual([]);
}

async function reshard(gateway: GatewayProcess, from: number, to: number) {
	const done = [];
	for (let group = 0; group < Math.min(from, to); group++) {
		done.push(await gateway.request('session.reshard', { group, from, to }));
	}
	return done;
}

const sessionsOf = async (gateway: GatewayProcess) =>
	(await gateway.request('stats', null)).sessions.map(({ id, of }) => [id, of]).sort(([a = 0], [b = 0]) => a - b);

it('replaces 2 sessions by 4 and by 2 again, and every event arrives once', async () => {
	const { gateway, clients, talk } = await start({ sessions: 2 });
	const grown = await reshard(gateway, 2, 4);
	expect(grown.map(({ identifies }) => identifies)).toEqual([2, 2]);
	expect(await sessionsOf(gateway)).toEqual([
		[0, 4],
		[1, 4],
		[2, 4],
		[3, 4],
	]);
	const shrunk = await reshard(gateway, 4, 2);
	expect(shrunk.map(({ identifies }) => identifies)).toEqual([1, 1]);
	expect(await sessionsOf(gateway)).toEqual([
		[0, 2],
		[1, 2],
	]);
	await expectExactlyOnce(clients, talk);
	expect(gateway.upstream()).toMatchObject({ identify: 2 + 4 + 2, resume: 0, violations: 0 });
});

it.each([
	['the new sessions are behind', 4, 400],
	['the new sessions are far behind', 4, 700],
	['the present sessions are behind', 2, 700],
])('delivers every event once where %s', { timeout: 60_000 }, async (_, shardCount, ms) => {
	const { gateway, clients, talk } = await start({ sessions: 2 });
	gateway.simulator.faults.latency({ ms, jitterMs: 100, shardCount });
	const done = await reshard(gateway, 2, 4);
	expect(done.every(({ repeated }) => repeated > 0)).toBe(true);
	await expectExactlyOnce(clients, talk);
	expect(gateway.upstream()).toMatchObject({ identify: 2 + 4, violations: 0 });
});

it('carries presence and voice over, and lets answers arrive from the session that was asked', { timeout: 60_000 }, async () => {
	const guildMembers = 2;
	const { gateway, clients, talk } = await start({ sessions: 2, more: 128 | guildMembers });
	const { simulator } = gateway;
	const [client] = clients as [Client];
	const guildId = gateway.guildOf(0);
	const got = (type: string) => client.frames.filter(({ t, d }) => t === type && (d.guild_id ?? d.meta?.guild_id) === guildId);
	client.send({ op: 3, d: { status: 'idle', since: null, afk: false, activities: [] } });
	const guild = client.frames.find(({ t, d }) => t === 'GUILD_CREATE' && d.id === guildId)?.d;
	const channelId = guild.channels.find((channel: { type: number }) => channel.type === 2).id as string;
	client.send({ op: 4, d: { guild_id: guildId, channel_id: channelId, self_mute: false, self_deaf: false } });
	await waitFor('where to connect', () => got('VOICE_SERVER_UPDATE').length > 0);

	// What is asked shortly before arrives while the sessions are replaced.
	const late = simulator.faults.latency({ ms: 700, shardCount: 2 });
	const ask = (nonce: string) => client.send({ op: 8, d: { guild_id: guildId, query: '', limit: 0, nonce } });
	ask('first');
	ask('refused');
	await reshard(gateway, 2, 4);
	await waitFor('the members', () => got('GUILD_MEMBERS_CHUNK').length > 0);
	await waitFor('the refusal', () => got('RATE_LIMITED').length > 0);
	simulator.faults.end(late);
	await expectExactlyOnce(clients, talk);

	const chunks = got('GUILD_MEMBERS_CHUNK').map(({ d }) => [d.nonce, d.chunk_index]);
	expect(new Set(chunks.map(([nonce]) => nonce))).toEqual(new Set(['first']));
	expect(chunks.map(([, index]) => index)).toEqual(chunks.map((_, index) => index));
	expect(got('RATE_LIMITED').map(({ d }) => d.meta.nonce)).toEqual(['refused']);
	await waitFor('the presence', () =>
		simulator.state().sessions.every(({ shardId, presence }) => shardId !== 0 || presence === 'idle'),
	);
	await waitFor('the sessions before to end', () => simulator.state().sessions.length === 4);
	const bot = simulator.world.bot.id;
	expect(simulator.world.guilds.edit(guildId)?.voiceStates.get(bot)?.channel_id).toBe(channelId);
	const channels = got('VOICE_STATE_UPDATE').filter(({ d }) => d.user_id === bot);
	expect(new Set(channels.map(({ d }) => d.channel_id))).toEqual(new Set([channelId]));
	expect(gateway.upstream()).toMatchObject({ identify: 2 + 4, violations: 0 });
});

it('continues with the new sessions in the next process, and resumes them', { timeout: 60_000 }, async () => {
	const { gateway, clients, talk } = await start({ sessions: 2 });
	await reshard(gateway, 2, 4);
	await gateway.kill();
	gateway.config.epoch++;
	await gateway.fork();
	await waitFor('the sessions to be resumed', async () =>
		(await gateway.request('stats', null)).sessions.every(({ status }) => status === 'ready'),
	);
	expect(await sessionsOf(gateway)).toEqual([
		[0, 4],
		[1, 4],
		[2, 4],
		[3, 4],
	]);
	expect(gateway.upstream()).toMatchObject({ identify: 2 + 4, resume: 4, violations: 0 });
	talk.hush();
	expect(clients).toHaveLength(totalShards);
});
