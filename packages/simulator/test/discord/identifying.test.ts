// Numbered cases of the specification: IDENTIFY, its limits, sharding and intents.
import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { connected, everyIntent, guildsIntent, RawClient, rest, simulator } from '../raw-client.js';

const day = 86_400_000;

test('S4 an accepted IDENTIFY lowers the remaining starts, a rejected one and a RESUME do not', async () => {
	const sim = await simulator();
	const remaining = async () => (await rest(sim, '/gateway/bot')).json.session_start_limit.remaining;
	const client = await connected(sim);
	expect(await remaining()).toBe(999);
	const refused = await RawClient.connect(sim);
	refused.identify();
	await refused.next(9);
	const { sessionId, seq } = sim.state().sessions[0] ?? { sessionId: '', seq: 0 };
	await client.terminate();
	refused.resume(sessionId, seq);
	await refused.next('RESUMED');
	expect(await remaining()).toBe(999);
});

test.each([
	[1000, false, 1000],
	[200_000, true, 2000],
	[500_000, true, 2500],
	[1_000_000, true, 5000],
])('S5 a bot in %d guilds (large bot: %s) has %d starts a day', async (guilds, largeBot, total) => {
	const sim = await simulator({ guilds, largeBot });
	expect((await rest(sim, '/gateway/bot')).json.session_start_limit.total).toBe(total);
});

test('S6 all starts remain again when reset_after has passed', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock, sessionStarts: { total: 3 } });
	const limit = async () => (await rest(sim, '/gateway/bot')).json.session_start_limit;
	await connected(sim);
	await clock.advance(1000);
	expect(await limit()).toMatchObject({ total: 3, remaining: 2, reset_after: day - 1000 });
	await clock.advance(day - 1000);
	expect(await limit()).toMatchObject({ total: 3, remaining: 3, reset_after: 0 });
});

test('S8 in mode "reset" one start too many ends all sessions and the token, on the gateway and on REST', async () => {
	const sim = await simulator({ sessionStarts: { remaining: 1, onExhausted: 'reset' } });
	const oldToken = sim.token;
	const client = await connected(sim, { shard: [0, 2] });
	const over = await RawClient.connect(sim);
	over.identify({ shard: [1, 2] });
	expect([await over.closed, await client.closed]).toEqual([4004, 4004]);
	expect(sim.state().sessions).toEqual([]);
	expect(sim.token).not.toBe(oldToken);
	expect((await rest(sim, '/users/@me', { token: oldToken })).status).toBe(401);
	const late = await RawClient.connect(sim);
	late.identify({ token: oldToken });
	expect(await late.closed).toBe(4004);
});

test('in mode "soft" one start too many gets op 9 until the day is over', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock, sessionStarts: { remaining: 0, resetAfterMs: 60_000 } });
	const client = await RawClient.connect(sim);
	client.identify();
	expect(await client.next(9)).toMatchObject({ d: false });
	await clock.advance(60_000);
	await client.up();
	expect(sim.violations().map(({ kind }) => kind)).toEqual(['identify-budget']);
});

test('S18 a wrong token closes with 4004', async () => {
	const sim = await simulator();
	const client = await RawClient.connect(sim);
	client.identify({ token: 'wrong' });
	expect(await client.closed).toBe(4004);
});

test('S19 an unknown intent closes with 4013, a privileged one that was not granted with 4014', async () => {
	const sim = await simulator({ grantedIntents: 0 });
	const codes = [];
	for (const bit of [17, 1, 8, 15]) {
		const client = await RawClient.connect(sim);
		client.identify({ intents: 1 << bit });
		codes.push(await client.closed);
	}
	expect(codes).toEqual([4013, 4014, 4014, 4014]);
});

test('S20 READY has every field; shard only where it was sent', async () => {
	const sim = await simulator({ identifyWindowMs: 0 });
	const unsharded = await (await RawClient.connect(sim)).ready();
	const sharded = await (await RawClient.connect(sim)).ready({ shard: [1, 2] });
	expect(Object.keys(unsharded.d)).toEqual(
		expect.arrayContaining(['v', 'user', 'guilds', 'session_id', 'resume_gateway_url', 'application']),
	);
	expect(unsharded.d).toMatchObject({
		v: 10,
		user: { id: sim.world.bot.id, bot: true },
		application: { id: sim.world.applicationId },
	});
	expect(unsharded.d.application).toMatchObject({ flags: expect.any(Number), flags_new: expect.any(String) });
	expect(unsharded.d.resume_gateway_url).toBe(`ws://127.0.0.1:${sim.port}/resume`);
	expect([unsharded.d.shard, sharded.d.shard]).toEqual([undefined, [1, 2]]);
});

test('S21 READY lists the guilds of the formula, all unavailable; the shards together have all, each once', async () => {
	const sim = await simulator({ guilds: 50 });
	const ids: string[] = [];
	for (const id of [0, 1, 2]) {
		const ready = await (await RawClient.connect(sim)).ready({ shard: [id, 3] });
		for (const guild of ready.d.guilds) {
			expect(guild).toEqual({ id: guild.id, unavailable: true });
			expect((BigInt(guild.id) >> 22n) % 3n).toBe(BigInt(id));
			ids.push(guild.id);
		}
	}
	expect(ids.sort()).toEqual([...sim.world.guilds.ids()].sort());
});

test('S24 without the GUILDS intent no GUILD_CREATE and no CHANNEL event is sent, but interactions are', async () => {
	const sim = await simulator();
	const client = await connected(sim, { intents: 0 });
	const [guildId] = [...sim.world.guilds.ids()];
	await rest(sim, `/guilds/${guildId}/channels`, { method: 'POST', body: { name: 'new' } });
	sim.emit('INTERACTION_CREATE');
	await client.next('INTERACTION_CREATE');
	expect(client.types()).toEqual([10, 'READY', 'INTERACTION_CREATE']);
});

test('S28 an unsharded session of 2501 guilds closes with 4011; [0,2] is accepted', async () => {
	const sim = await simulator({ guilds: 2501 });
	const client = await RawClient.connect(sim);
	client.identify();
	expect(await client.closed).toBe(4011);
	expect((await (await RawClient.connect(sim)).ready({ shard: [0, 2] })).d.guilds.length).toBeLessThan(2500);
});

test('exactly 2500 guilds fit one session', async () => {
	const sim = await simulator({ guilds: 2500 });
	expect((await (await RawClient.connect(sim)).ready({ intents: 0 })).d.guilds).toHaveLength(2500);
});

test.each([
	[3, 3],
	[-1, 3],
	[0, 0],
])('S29 shard [%d, %d] closes with 4010', async (id, count) => {
	const sim = await simulator();
	const client = await RawClient.connect(sim);
	client.identify({ shard: [id, count] });
	expect(await client.closed).toBe(4010);
});

test('S30 a large bot needs a multiple: another shard count closes with 4010', async () => {
	const sim = await simulator({ largeBot: { multiple: 8 }, identifyWindowMs: 0 });
	const wrong = await RawClient.connect(sim);
	wrong.identify({ shard: [0, 12] });
	expect(await wrong.closed).toBe(4010);
	await connected(sim, { shard: [0, 16] });
	expect((await rest(sim, '/gateway/bot')).json.shards % 8).toBe(0);
});

test('S32 two IDENTIFYs of one key within 5 s: the second gets op 9; different keys are both READY', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock, maxConcurrency: 2 });
	await connected(sim, { shard: [0, 4] });
	await connected(sim, { shard: [1, 4] });
	const third = await RawClient.connect(sim);
	await clock.advance(4999);
	third.identify({ shard: [2, 4] });
	expect(await third.next(9)).toEqual({ op: 9, d: false, s: null, t: null });
	expect(sim.violations({ hardOnly: true })).toMatchObject([{ kind: 'identify-window', shardId: 2, key: 0, earlyByMs: 1 }]);
	await clock.advance(1);
	await third.up({ shard: [2, 4] });
});

test('S36 identify keys ignore the shard count: [0,4] then [0,8] within 5 s gets op 9', async () => {
	const sim = await simulator();
	await connected(sim, { shard: [0, 4] });
	const other = await RawClient.connect(sim);
	other.identify({ shard: [0, 8] });
	expect(await other.next(9)).toMatchObject({ d: false });
});

test('shards of a later bucket before an earlier one is complete are reported and not rejected', async () => {
	const sim = await simulator({ maxConcurrency: 2 });
	await connected(sim, { shard: [0, 4] });
	await connected(sim, { shard: [3, 4] });
	expect(sim.violations()).toMatchObject([{ kind: 'identify-order', shardId: 3, before: [1] }]);
	expect(sim.violations({ hardOnly: true })).toEqual([]);
});

test('intents decide the contents of a member list and a message', async () => {
	const sim = await simulator({ guilds: 1 });
	const withoutContent = await connected(sim, { shard: [0, 1], intents: guildsIntent | (1 << 9) });
	sim.emit('MESSAGE_CREATE', { content: 'secret', embeds: [{ title: 'x' }] });
	sim.emit('MESSAGE_CREATE', { content: `<@${sim.world.bot.id}> hi`, mentions: [sim.world.bot] });
	expect((await withoutContent.next('MESSAGE_CREATE')).d).toMatchObject({
		content: '',
		embeds: [],
		components: [],
		attachments: [],
	});
	expect((await withoutContent.next('MESSAGE_CREATE')).d.content).toBe(`<@${sim.world.bot.id}> hi`);
	const [create] = withoutContent.events('GUILD_CREATE');
	expect(create?.d.members.some((member: { user: { id: string } }) => member.user.id === sim.world.bot.id)).toBe(true);
	expect(create?.d.members.length).toBeLessThan(create?.d.member_count);
	expect(everyIntent & guildsIntent).toBe(1);
});
