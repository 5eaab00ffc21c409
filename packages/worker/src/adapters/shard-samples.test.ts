import { expect, it } from 'vitest';
import { pingOf, sampleShards } from './shard-samples.js';

it('counts guilds and members by shard, and skips guilds of no shard and of other shards', () => {
	const guilds = [
		{ shard: 2, memberCount: 10 },
		{ shard: 2, memberCount: 5 },
		{ shard: 9, memberCount: 1 },
		{ shard: undefined, memberCount: 1 },
	];
	const pings: [number, number | null][] = [
		[2, 40],
		[3, null],
	];
	expect(sampleShards(pings, guilds, ({ shard }) => shard)).toEqual([
		{ shardId: 2, guildCount: 2, userCount: 15, ping: 40 },
		{ shardId: 3, guildCount: 0, userCount: 0, ping: null },
	]);
});

it('has no ping before the first heartbeat', () => {
	expect([pingOf({ latency: 12 }), pingOf({ latency: Number.POSITIVE_INFINITY })]).toEqual([12, null]);
});
