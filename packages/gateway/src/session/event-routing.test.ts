import { shardIdForGuild } from '@shardctl/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readyOfShard, shardOfEvent } from './event-routing.js';

/** The id of a guild of a shard, with six shards. */
const guildOf = (shardId: number) => String(BigInt(shardId + 6) << 22n);
const sessionOne = { session: 1, totalShards: 6 };

it('routes a guild to a shard of the session through which Discord sends it', () => {
	fc.assert(
		fc.property(
			fc.bigInt(0n, 2n ** 64n - 1n),
			fc.integer({ min: 1, max: 200 }),
			fc.integer({ min: 1, max: 20 }),
			(id, sessions, factor) => {
				const session = shardIdForGuild(id, sessions);
				const event = { t: 'MESSAGE_CREATE', d: { guild_id: String(id) } };
				const shardId = shardOfEvent(event, { session, totalShards: sessions * factor }) as number;
				expect(shardId % sessions).toBe(session);
				expect(shardId).toBe(shardIdForGuild(id, sessions * factor));
			},
		),
	);
});

it.each([
	['an event in a guild', 'MESSAGE_CREATE', { guild_id: guildOf(5) }, 5],
	['a guild itself', 'GUILD_CREATE', { id: guildOf(3) }, 3],
	['a guild that is gone', 'GUILD_DELETE', { id: guildOf(5), unavailable: true }, 5],
	['an answer', 'GUILD_MEMBERS_CHUNK', { guild_id: guildOf(3), nonce: 'n' }, 3],
	['a question that came too often', 'RATE_LIMITED', { opcode: 8, meta: { guild_id: guildOf(5) } }, 5],
	['a limit that names no guild', 'RATE_LIMITED', { opcode: 8 }, 1],
	['what belongs to no guild', 'INTERACTION_CREATE', { id: guildOf(5), user: { id: '1' } }, 1],
	['what Discord adds tomorrow', 'SOMETHING_NEW', null, 1],
	['a list', 'PRESENCES_REPLACE', [], 1],
	['a broken id', 'MESSAGE_CREATE', { guild_id: 'x' }, 1],
	['the bot itself', 'USER_UPDATE', { id: '9' }, undefined],
])('routes %s', (_, t, d, expected) => {
	expect(shardOfEvent({ t, d }, sessionOne)).toBe(expected);
});

it('routes direct messages to shard 0, as Discord does', () => {
	expect(shardOfEvent({ t: 'MESSAGE_CREATE', d: { channel_id: '1' } }, { session: 0, totalShards: 6 })).toBe(0);
});

it('gives each shard the READY of its own guilds', () => {
	const ready = { user: { id: '9' }, guilds: [1, 3, 5, 3].map((shardId) => ({ id: guildOf(shardId), unavailable: true })) };
	expect(readyOfShard(ready, 3, 6)).toEqual({
		user: { id: '9' },
		guilds: [
			{ id: guildOf(3), unavailable: true },
			{ id: guildOf(3), unavailable: true },
		],
	});
	expect(readyOfShard({ user: { id: '9' } }, 3, 6)).toEqual({ user: { id: '9' }, guilds: [] });
});
