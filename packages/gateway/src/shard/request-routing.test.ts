import type { ClientRequest } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { requestOfShard } from './request-routing.js';

/** The id of a guild of a shard, with six shards. */
const guildOf = (shardId: number) => String(BigInt(shardId + 6) << 22n);

it("forwards a worker's requests only for its own guilds", () => {
	const voice = (guildId: string): ClientRequest => ({ op: 4, d: { guild_id: guildId, channel_id: null } });
	const members = (guildId: string): ClientRequest => ({ op: 8, d: { guild_id: guildId, query: '', limit: 0 } });
	const info = (guildId: string): ClientRequest => ({ op: 43, d: { guild_id: guildId, fields: ['status'] } });
	for (const request of [voice, members, info]) {
		expect(requestOfShard(request(guildOf(3)), 3, 6)).toEqual(request(guildOf(3)));
		expect(requestOfShard(request(guildOf(5)), 3, 6)).toBeUndefined();
	}
	const sounds = (...shardIds: number[]): ClientRequest => ({ op: 31, d: { guild_ids: shardIds.map(guildOf) } });
	expect(requestOfShard(sounds(5, 3, 1), 3, 6)).toEqual(sounds(3));
	expect(requestOfShard(sounds(5, 1), 3, 6)).toBeUndefined();
	const presence: ClientRequest = { op: 3, d: { status: 'idle' } };
	expect(requestOfShard(presence, 3, 6)).toBe(presence);
});
