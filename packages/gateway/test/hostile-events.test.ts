// What Discord, or something that answers in its place, could send as events: none makes the state of a shard throw, grow without a bound or
// change what other objects inherit; and the largest guilds and member chunks pass. `FUZZ_INPUTS` is the number of random events (default 10,000).
import { seededRandom } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { guildPatches } from '../src/state/patches/patch-table.js';
import type { Dispatch, RawObject } from '../src/state/raw.js';
import { ShardState } from '../src/state/shard-state.js';

const inputs = Number(process.env.FUZZ_INPUTS ?? 10_000);
const ids = ['1', '2', '3', '__proto__', 'constructor', '', 5, null, {}, ['1'], '999999999999999999999'];
const keys = (
	'id guild_id user member members roles role role_id channel_id channels threads ' +
	'message_id emojis stickers presences voice_states nick status activities client_status unavailable parent_id ' +
	'guild_scheduled_event soundboard_sounds sounds owner name position thread_metadata member_count __proto__ constructor toString ' +
	'hasOwnProperty user_id added_members removed_member_ids entity_id'
).split(' ');
const types = [...guildPatches.keys(), 'GUILD_CREATE', 'GUILD_UPDATE', 'GUILD_DELETE', 'USER_UPDATE', 'RESUMED', '__proto__'];

function hostileEvents(random: () => number): () => Dispatch {
	const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
	const value = (depth: number): string => {
		if (depth > 4 || random() < 0.3) return JSON.stringify(one<unknown>([...ids, true, false, -1, 1e308, 'x', [], {}]));
		if (random() < 0.3) return `[${Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1)).join(',')}]`;
		return object(depth + 1);
	};
	// As JSON makes it: `__proto__` is a key like any other.
	const object = (depth: number, always: Record<string, unknown> = {}) =>
		`{${[
			...Object.entries(always).map(([key, given]) => `"${key}":${JSON.stringify(given)}`),
			...Array.from({ length: Math.floor(random() * 7) }, () => `"${one(keys)}":${value(depth)}`),
		].join(',')}}`;
	return () => {
		const d = random() < 0.03 ? value(0) : object(0, random() < 0.8 ? { id: one(ids), guild_id: one(ids.slice(0, 3)) } : {});
		return { t: one(types), d: JSON.parse(d) as RawObject } as Dispatch;
	};
}

it('random events never throw, and leave a state that can be encoded', () => {
	const next = hostileEvents(seededRandom(18));
	const state = ShardState.fromReady({ user: { id: '9' }, guilds: [{ id: '1' }, { id: '2' }] });
	for (let sent = 0; sent < inputs; sent++) {
		state.apply(next());
		if (sent % 100 === 0) for (const { json } of state.encodedGuildDispatches()) JSON.parse(json);
	}
	expect(JSON.stringify(state.ready({ session_id: 'x' })).length).toBeLessThan(1e6);
	for (const key of keys)
		expect(({} as Record<string, unknown>)[key]).toBe(
			Object.getOwnPropertyDescriptor(Object.prototype, key)?.value ?? (key === '__proto__' ? Object.prototype : undefined),
		);
});

it('a key named __proto__ changes what no object inherits', () => {
	const state = ShardState.fromReady({ user: { id: '9' }, guilds: [{ id: '1' }] });
	const hostile = '"__proto__":{"unavailable":true,"name":"inherited"}';
	const send = (t: string, d: string) => state.apply({ t, d: JSON.parse(d) as RawObject });
	send('GUILD_CREATE', `{"id":"1",${hostile},"channels":[{"id":"2",${hostile}}],"members":[{"user":{"id":"9",${hostile}}}]}`);
	send('CHANNEL_UPDATE', `{"id":"2","guild_id":"1",${hostile}}`);
	send('GUILD_UPDATE', `{"id":"1",${hostile}}`);
	send('USER_UPDATE', `{"id":"9",${hostile}}`);
	const inherited = (value: unknown): unknown[] =>
		typeof value !== 'object' || value === null
			? []
			: [
					...(Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype ? [] : [value]),
					...Object.values(value).flatMap(inherited),
				];
	expect(inherited([state.ready({ session_id: 'x' }), [...state.guildDispatches()]])).toEqual([]);
});

it('a guild of 100,000 members passes whole, and as member chunks', () => {
	const member = (id: number) => ({
		user: { id: String(id), username: `user ${id}` },
		roles: [],
		joined_at: '2020-01-01',
		deaf: false,
	});
	const members = Array.from({ length: 100_000 }, (_, index) => member(1000 + index));
	const guild = { id: '1', member_count: members.length, channels: [], roles: [], emojis: [], stickers: [] };
	const whole = ShardState.fromReady({ user: { id: '9' }, guilds: [{ id: '1' }] });
	whole.apply({ t: 'GUILD_CREATE', d: { ...guild, members } });
	const counts = [...whole.encodedGuildDispatches()].map(
		({ json }) => (JSON.parse(json) as { members: unknown[] }).members.length,
	);
	expect(counts).toEqual([100_000]);
	const chunked = ShardState.fromReady({ user: { id: '9' }, guilds: [{ id: '1' }] });
	chunked.apply({ t: 'GUILD_CREATE', d: { ...guild, members: [] } });
	chunked.apply({ t: 'GUILD_MEMBERS_CHUNK', d: { guild_id: '1', members, chunk_index: 0, chunk_count: 1 } });
	for (const dispatch of chunked.encodedGuildDispatches()) expect(JSON.parse(dispatch.json)).toMatchObject({ id: '1' });
});
