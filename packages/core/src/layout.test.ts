import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionOfShard, sessionsOfShards, shardsOfSession } from './layout.js';
import { shardIdForGuild } from './shards.js';

test('a guild belongs to the session of its shard, for any counts', () => {
	fc.assert(
		fc.property(
			fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
			fc.integer({ min: 1, max: 64 }),
			fc.integer({ min: 1, max: 8 }),
			(guildId, sessions, factor) => {
				const shardId = shardIdForGuild(guildId, sessions * factor);
				expect(sessionOfShard({ sessions }, shardId)).toBe(shardIdForGuild(guildId, sessions));
			},
		),
	);
});

test('the shards of all sessions are all shards, each once', () => {
	const layout = { sessions: 4 };
	const shardIds = [0, 1, 2, 3, 4, 5, 6, 7];
	expect(sessionsOfShards(layout, shardIds)).toEqual([0, 1, 2, 3]);
	expect(shardsOfSession(layout, 1, shardIds)).toEqual([1, 5]);
	expect(
		sessionsOfShards(layout, shardIds)
			.flatMap((id) => shardsOfSession(layout, id, shardIds))
			.sort(),
	).toEqual(shardIds);
});
