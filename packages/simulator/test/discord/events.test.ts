// Numbered cases of the specification: guilds and their events, and which session receives them.
import { expect, test } from 'vitest';
import { connected, RawClient, simulator } from '../raw-client.js';

test('S22 each guild of READY is sent as GUILD_CREATE; one in an outage as GUILD_DELETE unavailable, and recovers', async () => {
	const sim = await simulator();
	const [sick] = [...sim.world.guilds.ids()] as [string];
	sim.faults.guildOutage(sick);
	const client = await connected(sim);
	const [ready] = client.events('READY');
	const ids = ready?.d.guilds.map(({ id }: { id: string }) => id);
	const created = client.events('GUILD_CREATE').map(({ d }) => d.id);
	expect(new Set([...created, sick])).toEqual(new Set(ids));
	expect(client.events('GUILD_DELETE').map(({ d }) => d)).toEqual([{ id: sick, unavailable: true }]);
	sim.faults.guildOutage(sick, { over: true });
	expect((await client.next('GUILD_CREATE')).d).toMatchObject({ id: sick, unavailable: false });
});

test('S23 removal is GUILD_DELETE without unavailable, an outage has it', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const [left, sick] = [...sim.world.guilds.ids()] as [string, string];
	sim.emit('GUILD_DELETE', {}, { guildId: left });
	expect((await client.next('GUILD_DELETE')).d).toEqual({ id: left });
	sim.faults.guildOutage(sick);
	expect((await client.next('GUILD_DELETE')).d).toEqual({ id: sick, unavailable: true });
	expect(sim.state().guilds).toBe(3);
});

test('a guild that the bot joins is sent as GUILD_CREATE to its shard', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const id = sim.emit('GUILD_CREATE', { name: 'Brand new' });
	expect((await client.next('GUILD_CREATE')).d).toMatchObject({ id, name: 'Brand new', unavailable: false, member_count: 10 });
	sim.emit('MESSAGE_CREATE', { content: 'first' }, { guildId: id as string });
	expect((await client.next('MESSAGE_CREATE')).d).toMatchObject({ guild_id: id, content: 'first' });
});

test('S26 shards follow the formula for ids over 2^53, in BigInt', async () => {
	const sim = await simulator({ guilds: 0 });
	const clients = [];
	for (let id = 0; id < 5; id++) clients.push(await connected(sim, { shard: [id, 5] }));
	const id = '1300000000000000001';
	expect(Number(BigInt(id))).not.toBe(BigInt(id));
	sim.emit('GUILD_CREATE', { id });
	const shard = Number((BigInt(id) >> 22n) % 5n);
	for (const client of clients) await client.settled();
	expect(clients.map((client) => client.events('GUILD_CREATE').length)).toEqual(clients.map((_, n) => (n === shard ? 1 : 0)));
});

test('S27 direct messages, entitlements, subscriptions and USER_UPDATE reach shard 0 only', async () => {
	const sim = await simulator();
	const [zero, one] = [await connected(sim, { shard: [0, 2] }), await connected(sim, { shard: [1, 2] })];
	const { openDirectChannel } = await import('../../src/world/changes/direct-messages.js');
	const channel = openDirectChannel(sim.world, sim.world.population.user(7));
	sim.emit('MESSAGE_CREATE', { channel_id: channel.id, content: 'psst' });
	sim.emit('INTERACTION_CREATE', { channel_id: channel.id });
	sim.emit('ENTITLEMENT_CREATE', { id: '1', application_id: sim.world.applicationId });
	sim.emit('SUBSCRIPTION_CREATE', { id: '2' });
	sim.emit('USER_UPDATE', sim.world.bot);
	await Promise.all([zero.settled(), one.settled()]);
	const events = (client: RawClient) => client.types().filter((type) => !['READY', 'GUILD_CREATE', 10, 11].includes(type));
	expect(events(zero)).toEqual([
		'MESSAGE_CREATE',
		'INTERACTION_CREATE',
		'ENTITLEMENT_CREATE',
		'SUBSCRIPTION_CREATE',
		'USER_UPDATE',
	]);
	expect(events(one)).toEqual([]);
	expect(zero.events('MESSAGE_CREATE')[0]?.d).not.toHaveProperty('guild_id');
});

test('S54 two sessions of one shard both get each event, and fleets of different counts run side by side', async () => {
	const sim = await simulator({ identifyWindowMs: 0 });
	const clients = [
		await connected(sim, { shard: [0, 2] }),
		await connected(sim, { shard: [0, 2] }),
		await connected(sim, { shard: [1, 2] }),
		await connected(sim, { shard: [0, 1] }),
		await connected(sim),
	];
	const [guildId] = [...sim.world.guilds.ids({ id: 0, count: 2 })] as [string];
	sim.emit('MESSAGE_CREATE', { content: 'once' }, { guildId });
	for (const client of clients) await client.settled();
	expect(clients.map((client) => client.events('MESSAGE_CREATE').length)).toEqual([1, 1, 0, 1, 1]);
});

test('an event of a guild that was not sent yet is preceded by its GUILD_CREATE', async () => {
	const sim = await simulator({ guilds: 400 });
	const client = await RawClient.connect(sim);
	await client.ready();
	const last = [...sim.world.guilds.ids()].at(-1) as string;
	sim.emit('MESSAGE_CREATE', { content: 'early' }, { guildId: last });
	await client.next('MESSAGE_CREATE');
	const types = client.frames.filter(({ d }) => d?.id === last || d?.guild_id === last).map(({ t }) => t);
	expect(types).toEqual(['GUILD_CREATE', 'MESSAGE_CREATE']);
	while (client.events('GUILD_CREATE').length < 400) await client.next('GUILD_CREATE');
	expect(new Set(client.events('GUILD_CREATE').map(({ d }) => d.id)).size).toBe(400);
});
