import { intentBits, systemClock } from '@shardctl/core';
import { GatewaySession } from '@shardctl/gateway-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WorldEvent } from '../world/model.js';
import { EventRouter } from './event-router.js';

const botId = '999';

function session(shard: readonly [number, number], intents = 53_608_447) {
	const heard: { t: string; d: Record<string, unknown> }[] = [];
	const one = new GatewaySession({
		id: `${shard.join('/')}-${Math.random()}`,
		shard,
		identify: { token: '', properties: {}, intents },
		clock: systemClock,
	});
	one.attach({
		id: 1,
		sendFrame: (frame) => heard.push(JSON.parse(frame) as (typeof heard)[number]),
		requestHeartbeat: () => {},
		close: () => {},
		sessionLost: () => {},
	});
	return { session: one, admit: () => true, heard };
}

const event = (type: string, more: Partial<WorldEvent> = {}): WorldEvent => ({ type, guildId: '4194304', data: {}, ...more });

test('sends each event of a guild to exactly the sessions of its shard, for random ids and counts', () => {
	const snowflake = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String);
	const counts = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
	fc.assert(
		fc.property(fc.array(snowflake, { minLength: 1, maxLength: 20 }), counts, (ids, shardCounts) => {
			const router = new EventRouter(() => botId);
			const sessions = shardCounts.flatMap((count) => Array.from({ length: count }, (_, id) => session([id, count])));
			for (const one of sessions) router.add(one);
			for (const id of ids) router.route(event('TYPING_START', { guildId: id, data: { guild_id: id } }));
			for (const {
				session: { shardId, shardCount },
				heard,
			} of sessions) {
				const expected = ids.filter((id) => (BigInt(id) >> 22n) % BigInt(shardCount) === BigInt(shardId));
				expect(heard.map(({ d }) => d.guild_id)).toEqual(expected);
			}
			expect(router.delivered).toBe(ids.length * shardCounts.length);
		}),
		{ numRuns: 60 },
	);
});

test('sends events without a guild to shard 0 of each fleet', () => {
	const router = new EventRouter(() => botId);
	const sessions = [session([0, 2]), session([1, 2]), session([0, 3])];
	for (const one of sessions) router.add(one);
	router.route(event('USER_UPDATE', { guildId: null }));
	expect(sessions.map(({ heard }) => heard.length)).toEqual([1, 0, 1]);
});

test('sends nothing to a removed session', () => {
	const router = new EventRouter(() => botId);
	const one = session([0, 1]);
	router.add(one);
	router.remove(one);
	router.route(event('TYPING_START'));
	expect(one.heard).toEqual([]);
});

test.each([
	['a user', {}, ''],
	['the bot itself', { userId: botId }, 'text'],
	['a direct message', { guildId: null, direct: true }, 'text'],
	['a mention of the bot', { data: { content: 'text', mentions: [{ id: botId }] } }, 'text'],
])('without MESSAGE_CONTENT the text of a message by %s is %j', (_, more, content) => {
	const router = new EventRouter(() => botId);
	const all = session([0, 1]);
	const without = session([0, 1], intentBits.GUILD_MESSAGES | intentBits.DIRECT_MESSAGES);
	router.add(all);
	router.add(without);
	router.route(event('MESSAGE_CREATE', { data: { content: 'text', poll: {} }, ...more }));
	expect([all.heard[0]?.d.content, without.heard[0]?.d.content]).toEqual(['text', content]);
});

test("sends the bot's own member update without the members intent, and no other's", () => {
	const router = new EventRouter(() => botId);
	const one = session([0, 1], 0);
	router.add(one);
	router.route(event('GUILD_MEMBER_UPDATE', { userId: botId }));
	router.route(event('GUILD_MEMBER_UPDATE', { userId: '1' }));
	expect(one.heard).toHaveLength(1);
});
