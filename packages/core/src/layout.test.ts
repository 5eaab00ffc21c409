import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Layout, sessionCountOf, sessionOfShard, sessionsOfShards, shardsOfSession, withGroup } from './layout.js';
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

test('a fleet that is resharded group by group has one session for each shard at every moment, and none of the same number', () => {
	const counts = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 2, max: 4 }), fc.boolean());
	fc.assert(
		fc.property(counts, fc.infiniteStream(fc.nat()), ([small, factor, grows], random) => {
			const [from, to] = grows ? [small, small * factor] : [small * factor, small];
			const shardIds = Array.from({ length: 2 * small * factor }, (_, id) => id);
			let layout: Layout = { generation: 0, totalShards: shardIds.length, sessions: from };
			const groups = Array.from({ length: small }, (_, group) => group).sort(() => ((random.next().value as number) % 3) - 1);
			for (const [done, group] of groups.entries()) {
				layout = withGroup(layout, group, to);
				for (const id of sessionsOfShards(layout, shardIds)) {
					const carried = shardsOfSession(layout, id, shardIds);
					const [count] = [...new Set(carried.map((shard) => sessionCountOf(layout, shard)))];
					expect(carried).toEqual(shardIds.filter((shard) => shard % (count as number) === id));
				}
				expect(layout.resharded === undefined).toBe(done === groups.length - 1);
			}
			expect(layout.sessions).toBe(to);
		}),
	);
});

test('the groups of a resharding can be taken back', () => {
	const before: Layout = { generation: 0, totalShards: 8, sessions: 2 };
	const between = withGroup(before, 1, 4);
	expect([0, 1, 2, 3, 7].map((id) => sessionOfShard(between, id))).toEqual([0, 1, 0, 3, 3]);
	expect(between.resharded).toEqual({ sessions: 4, groups: [1] });
	expect(withGroup(between, 1, 2)).toEqual(before);
});
