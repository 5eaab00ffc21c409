// Several shards that share one session with Discord, each with its own client.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { readJournal } from '../src/snapshots/event-journal.js';
import { decodeSnapshot } from '../src/snapshots/shard-snapshot.js';
import { Client, GatewayProcess } from './support/gateway-process.js';
import { savedPath } from './support/saved-path.js';

/** Six shards in two sessions: 0, 2 and 4 in the first. */
const sixThroughTwo = {
	shards: 2,
	simulator: { guilds: 40 },
	config: { layout: { generation: 0, totalShards: 6, sessions: 2 }, shardIds: [0, 1, 2, 3, 4, 5] },
};
const guildIntents = { intents: 1 | 512 | 4096 | 32_768 };

function say(gateway: GatewayProcess, shardId: number, number: number): void {
	gateway.simulator.emit('MESSAGE_CREATE', { content: String(number) }, { guildId: gateway.guildOf(shardId) });
}

/** The position through which a shard is saved; 0 before its first save. */
function savedThrough({ config: { snapshotDir } }: GatewayProcess, shardId: number): number {
	const shard = savedPath(snapshotDir, shardId);
	const journal = `${shard}.journal`;
	if (!existsSync(journal)) return 0;
	const { cursor, through } = decodeSnapshot(readFileSync(shard));
	return [...readJournal(readFileSync(journal), cursor)].at(-1)?.through ?? through;
}

/** Resolves when these shards are saved through a client's newest event. */
function saved(gateway: GatewayProcess, shardIds: readonly number[], { seq }: Client): Promise<unknown> {
	return waitFor('it to be saved', () => shardIds.every((id) => savedThrough(gateway, id) >= (seq ?? 0)));
}

it('sends each shard its guilds, direct messages to shard 0, and events about the bot to all', async () => {
	const gateway = await GatewayProcess.start(sixThroughTwo);
	const clients = await Promise.all([0, 1, 2, 3, 4, 5].map((id) => Client.ready(gateway, id, guildIntents)));
	expect(gateway.upstream()).toMatchObject({ identify: 2, violations: 0 });
	const guilds = clients.map(({ frames }, shardId) => {
		const ready = frames.find(({ t }) => t === 'READY')?.d;
		expect(ready.shard).toEqual([shardId, 6]);
		return (ready.guilds as { id: string }[]).map(({ id }) => id);
	});
	expect(guilds.flat()).toHaveLength(40);
	for (const [shardId, ids] of guilds.entries()) {
		expect(ids.filter((id) => Number((BigInt(id) >> 22n) % 6n) !== shardId)).toEqual([]);
	}

	for (let shardId = 0; shardId < 6; shardId++) say(gateway, shardId, shardId + 1);
	const { world } = gateway.simulator;
	world.emit({ type: 'MESSAGE_CREATE', guildId: null, data: { channel_id: '1', content: '100', author: { id: '2' } } });
	world.emit({ type: 'USER_UPDATE', guildId: null, data: { ...world.bot, username: 'renamed' } });
	await waitFor('all of it', () => clients[4]?.frames.some(({ t }) => t === 'USER_UPDATE') && clients[5]?.numbers.length === 1);
	expect(clients.map(({ numbers }) => numbers)).toEqual([[1, 100], [2], [3], [4], [5], [6]]);
	expect(clients.map(({ frames }) => frames.filter(({ t }) => t === 'USER_UPDATE').length)).toEqual([1, 0, 1, 0, 1, 0]);
});

it('returns members to the shard that asked, and requests none for guilds of other shards', async () => {
	const gateway = await GatewayProcess.start(sixThroughTwo);
	const clients = await Promise.all([0, 2, 4].map((id) => Client.ready(gateway, id)));
	const ask = (client: Client | undefined, shardId: number, nonce: string) =>
		client?.send({ op: 8, d: { guild_id: gateway.guildOf(shardId), query: 'a', limit: 1, nonce } });
	ask(clients[1], 4, 'not its own');
	ask(clients[2], 4, 'its own');
	const chunks = (client: Client) => client.frames.filter(({ t }) => t === 'GUILD_MEMBERS_CHUNK').map(({ d }) => d.nonce);
	await waitFor('the answer', () => chunks(clients[2] as Client).length > 0);
	expect(clients.map(chunks)).toEqual([[], [], ['its own']]);
	expect(gateway.upstream().violations).toBe(0);
});

it('resumes from the lowest saved position, and sends no shard an event twice', async () => {
	const gateway = await GatewayProcess.start({ ...sixThroughTwo, config: { ...sixThroughTwo.config, epoch: 2 } });
	const [first, second, third] = (await Promise.all([0, 2, 4].map((id) => Client.ready(gateway, id)))) as [
		Client,
		Client,
		Client,
	];
	for (const [client, shardId] of [
		[first, 0],
		[second, 2],
		[third, 4],
	] as const) {
		say(gateway, shardId, 1);
		await waitFor('the first word', () => client.numbers.length === 1);
	}
	await waitFor('their word that they have it', async () => {
		const { shards } = await gateway.request('stats', null);
		return shards.every(({ bufferedEvents }) => bufferedEvents === 0);
	});
	// One is away while much happens to the next; nothing happens to the third.
	second.socket.terminate();
	await waitFor('it to be away', async () => (await gateway.stats(2)).worker === 'away');
	for (let number = 2; number <= 40; number++) {
		say(gateway, 0, number);
		if (number % 10 === 0) say(gateway, 2, number / 10 + 1);
	}
	await waitFor('the first to have it', () => first.numbers.length === 40);
	await saved(gateway, [0], first);
	await gateway.kill();
	await gateway.fork();
	const again = await Promise.all([first, second, third].map((client) => resumed(gateway, client)));
	say(gateway, 0, 41);
	await waitFor('what the second has missed', () => again[1]?.numbers.length === 4 && again[0]?.numbers.length === 1);
	expect(again.map(({ numbers }) => numbers)).toEqual([[41], [2, 3, 4, 5], []]);
	expect(gateway.upstream()).toMatchObject({ identify: 1, resume: 1, violations: 0 });
});

it('sends events at once to a worker that is ready and had no session any more when its gateway process was replaced', async () => {
	const workers = [{ incarnation: 1, shardIds: [0], ready: true }];
	const gateway = await GatewayProcess.start({ shards: 1, config: { epoch: 2, workers } });
	const discordJs = { properties: { browser: '@discordjs/ws 1.2.3' } };
	const before = await Client.ready(gateway, 0, discordJs);
	before.socket.close(1000);
	await waitFor('its session to end', async () => (await gateway.stats(0)).worker === 'none');
	await gateway.kill();
	await gateway.fork();
	const again = await Client.ready(gateway, 0, discordJs);
	say(gateway, 0, 1);
	await waitFor('the first word', () => again.numbers.length === 1);
	expect(gateway.upstream()).toMatchObject({ identify: 1, resume: 1 });
});

it('makes Discord replay few events when some of the shards had none', async () => {
	const gateway = await GatewayProcess.start(sixThroughTwo);
	const [busy] = (await Promise.all([0, 2, 4].map((id) => Client.ready(gateway, id)))) as [Client];
	for (let number = 1; number <= 500; number++) say(gateway, 0, number);
	await waitFor('all of it', () => busy.numbers.length === 500);
	await saved(gateway, [0, 2, 4], busy);
	await gateway.kill();
	await gateway.fork();
	const { message } = await gateway.noticed('snapshot:restored', 0);
	expect(Number(/\d+/.exec(message)?.[0])).toBeGreaterThan(500);
	await waitFor('the resume', () => gateway.upstream().resume === 1);
	expect((await gateway.stats(0)).received).toBe(0);
});

it('starts a new session when one of its shards was not saved with the others', async () => {
	const gateway = await GatewayProcess.start(sixThroughTwo);
	const clients = await Promise.all([0, 1, 2, 3, 4, 5].map((id) => Client.ready(gateway, id)));
	for (const [id, client] of clients.entries()) await saved(gateway, [id], client);
	await gateway.kill();
	rmSync(savedPath(gateway.config.snapshotDir, 2));
	await gateway.fork();
	const { message } = await gateway.noticed('snapshot:unusable', 0);
	expect(message).toMatch(/not all saved with the same session; starting a new session/);
	await gateway.noticed('snapshot:restored', 1);
	await Promise.all([0, 2, 4].map((id) => Client.ready(gateway, id)));
	expect(gateway.upstream()).toMatchObject({ identify: 3, violations: 0 });
});

/** The client of an earlier process, back with its session. */
async function resumed(gateway: GatewayProcess, { sessionId, seq }: Client): Promise<Client> {
	const client = await Client.connect(gateway.port);
	client.send({ op: 6, d: { token: gateway.simulator.token, session_id: sessionId, seq } });
	await waitFor('RESUMED', () => client.frames.some(({ t }) => t === 'RESUMED'));
	return client;
}
