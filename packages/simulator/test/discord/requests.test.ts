// Numbered cases of the specification: what a session requests over the gateway.
import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import type { Simulator } from '../../src/index.js';
import { connected, everyIntent, simulator } from '../raw-client.js';

function firstGuild(sim: Simulator): string {
	return [...sim.world.guilds.ids()][0] as string;
}

test('S48 the whole list of 2500 members is sent in 3 chunks, 0 to 2 of 3, with the nonce', async () => {
	const sim = await simulator({ guilds: 1, guildSizes: { min: 2499, max: 2499 } });
	const client = await connected(sim);
	client.send(8, { guild_id: firstGuild(sim), query: '', limit: 0, nonce: 'mine' });
	const chunks = [];
	for (let n = 0; n < 3; n++) chunks.push((await client.next('GUILD_MEMBERS_CHUNK')).d);
	expect(chunks.map((chunk) => [chunk.chunk_index, chunk.chunk_count, chunk.members.length, chunk.nonce])).toEqual([
		[0, 3, 1000, 'mine'],
		[1, 3, 1000, 'mine'],
		[2, 3, 500, 'mine'],
	]);
	const ids = chunks.flatMap((chunk) => chunk.members.map((member: { user: { id: string } }) => member.user.id));
	expect(new Set(ids).size).toBe(2500);
});

test('S49 at most 100 of user_ids are returned, unknown ones are in not_found, a nonce of 33 bytes is dropped', async () => {
	const sim = await simulator({ guilds: 1, guildSizes: { min: 300, max: 300 } });
	const client = await connected(sim);
	const known = [...(sim.world.guilds.read(firstGuild(sim))?.members.all() ?? [])].slice(0, 101).map(({ user }) => user.id);
	client.send(8, { guild_id: firstGuild(sim), user_ids: known, nonce: 'x'.repeat(33) });
	const many = (await client.next('GUILD_MEMBERS_CHUNK')).d;
	expect([many.members.length, many.not_found, many.nonce]).toEqual([100, undefined, undefined]);
	client.send(8, { guild_id: firstGuild(sim), user_ids: [known[0], '1300000000000000001', '7'], nonce: 'x'.repeat(32) });
	const few = (await client.next('GUILD_MEMBERS_CHUNK')).d;
	expect([few.members.length, few.not_found, few.nonce]).toEqual([1, ['1300000000000000001', 7], 'x'.repeat(32)]);
});

test('S50 a second whole list of one guild within 30 s is RATE_LIMITED, also from another shard set; another guild and a search are not', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock, guilds: 2, identifyWindowMs: 0 });
	const [one, two] = [await connected(sim), await connected(sim, { shard: [0, 1] })];
	const [guildId, other] = [...sim.world.guilds.ids()];
	one.send(8, { guild_id: guildId, query: '', limit: 0 });
	await one.next('GUILD_MEMBERS_CHUNK');
	await clock.advance(10_000);
	two.send(8, { guild_id: guildId, query: '', limit: 0, nonce: 'n' });
	expect((await two.next('RATE_LIMITED')).d).toEqual({ opcode: 8, retry_after: 20, meta: { guild_id: guildId, nonce: 'n' } });
	two.send(8, { guild_id: other, query: '', limit: 0 });
	await two.next('GUILD_MEMBERS_CHUNK');
	two.send(8, { guild_id: guildId, query: 'a', limit: 5 });
	await two.next('GUILD_MEMBERS_CHUNK');
	await clock.advance(20_000);
	two.send(8, { guild_id: guildId, query: '', limit: 0 });
	await two.next('GUILD_MEMBERS_CHUNK');
});

test('S51 a whole list without GUILD_MEMBERS is rejected; presences are left out without their intent', async () => {
	const sim = await simulator({ guilds: 1, identifyWindowMs: 0 });
	const without = await connected(sim, { intents: 1 });
	without.send(8, { guild_id: firstGuild(sim), query: '', limit: 0 });
	await without.settled();
	expect(without.events('GUILD_MEMBERS_CHUNK')).toEqual([]);
	without.send(8, { guild_id: firstGuild(sim), query: 'a', limit: 1, presences: true });
	expect((await without.next('GUILD_MEMBERS_CHUNK')).d).not.toHaveProperty('presences');
	const withIntent = await connected(sim, { intents: everyIntent });
	withIntent.send(8, { guild_id: firstGuild(sim), query: 'a', limit: 1, presences: true });
	expect((await withIntent.next('GUILD_MEMBERS_CHUNK')).d.presences).toEqual([]);
});

test('S52 op 31 is answered once for each guild; op 43 only with the requested fields', async () => {
	const sim = await simulator({ guilds: 2 });
	const client = await connected(sim);
	const ids = [...sim.world.guilds.ids()];
	client.send(31, { guild_ids: ids });
	const sounds = [(await client.next('SOUNDBOARD_SOUNDS')).d, (await client.next('SOUNDBOARD_SOUNDS')).d];
	expect(sounds.map(({ guild_id }) => guild_id)).toEqual(ids);
	const { setVoiceChannelInfo } = await import('../../src/world/changes/voice.js');
	const voice = [...(sim.world.guilds.read(firstGuild(sim))?.channels.values() ?? [])].find(({ type }) => type === 2);
	const channelId = voice?.id ?? '';
	setVoiceChannelInfo(sim.world, { guildId: firstGuild(sim), channelId, field: 'status', value: 'chess' });
	setVoiceChannelInfo(sim.world, {
		guildId: firstGuild(sim),
		channelId,
		field: 'voice_start_time',
		value: '2026-01-01T00:00:00Z',
	});
	await client.next('VOICE_CHANNEL_STATUS_UPDATE');
	client.send(43, { guild_id: firstGuild(sim), fields: ['status'] });
	expect((await client.next('CHANNEL_INFO')).d).toEqual({
		guild_id: firstGuild(sim),
		channels: [{ id: channelId, status: 'chess' }],
	});
	client.send(43, { guild_id: firstGuild(sim), fields: ['voice_start_time'] });
	expect((await client.next('CHANNEL_INFO')).d.channels).toEqual([{ id: channelId, voice_start_time: '2026-01-01T00:00:00Z' }]);
});

test('op 4 joins voice: sends VOICE_STATE_UPDATE and VOICE_SERVER_UPDATE, and an update on leaving', async () => {
	const sim = await simulator({ guilds: 1 });
	const client = await connected(sim);
	const voice = [...(sim.world.guilds.read(firstGuild(sim))?.channels.values() ?? [])].find(({ type }) => type === 2);
	client.send(4, { guild_id: firstGuild(sim), channel_id: voice?.id, self_mute: true, self_deaf: false });
	expect((await client.next('VOICE_STATE_UPDATE')).d).toMatchObject({
		user_id: sim.world.bot.id,
		channel_id: voice?.id,
		self_mute: true,
	});
	expect((await client.next('VOICE_SERVER_UPDATE')).d).toMatchObject({ guild_id: firstGuild(sim), token: expect.any(String) });
	client.send(4, { guild_id: firstGuild(sim), channel_id: null });
	expect((await client.next('VOICE_STATE_UPDATE')).d.channel_id).toBeNull();
});

test('the sixth presence in 20 s is dropped, the fifth counts', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim, { presence: { status: 'idle', activities: [], since: null, afk: false } });
	expect(sim.state().sessions[0]?.presence).toBe('idle');
	for (const status of ['a', 'b', 'c', 'd', 'e', 'f']) client.send(3, { since: null, activities: [], status, afk: false });
	await client.settled();
	expect(sim.state().sessions[0]?.presence).toBe('e');
});
