import { expect, it } from 'vitest';
import { diffStates } from './diff-states.js';
import type { RawObject } from './raw.js';
import { ShardState } from './shard-state.js';

function stateOf(guilds: Record<string, RawObject | undefined>, username = 'bot'): ShardState {
	const ids = Object.keys(guilds);
	const state = ShardState.fromReady({ user: { id: '1', username }, guilds: ids.map((id) => ({ id, unavailable: true })) });
	for (const [id, guild] of Object.entries(guilds)) if (guild) state.apply({ t: 'GUILD_CREATE', d: { id, ...guild } });
	return state;
}

function types(before: ShardState, after: ShardState): string[] {
	return diffStates(before, after).map(({ t, d }) => `${t}${(d as RawObject).unavailable === true ? ' unavailable' : ''}`);
}

it('yields nothing for equal guilds, in whatever order their parts are listed', () => {
	const before = stateOf({ 10: { name: 'a', roles: [{ id: '1', x: 1 }, { id: '2' }] } });
	const after = stateOf({ 10: { roles: [{ id: '2' }, { x: 1, id: '1' }], name: 'a' } });
	expect(diffStates(before, after)).toEqual([]);
});

it('yields guilds that were removed, added, became unavailable or became available', () => {
	const before = stateOf({ 10: { name: 'gone' }, 11: { name: 'falls' }, 12: undefined, 13: undefined });
	const after = stateOf({ 11: undefined, 12: { name: 'rises' }, 13: undefined, 14: { name: 'new' }, 15: undefined });
	expect(diffStates(before, after)).toEqual([
		{ t: 'GUILD_DELETE', d: { id: '10' } },
		{ t: 'GUILD_DELETE', d: { id: '11', unavailable: true } },
		{ t: 'GUILD_CREATE', d: { id: '12', name: 'rises', unavailable: false } },
		{ t: 'GUILD_CREATE', d: { id: '14', name: 'new', unavailable: false } },
	]);
});

it('rebuilds a changed guild, after removing what a client would keep', () => {
	const metadata = { archived: false };
	const before = stateOf({
		10: {
			channels: [
				{ id: '1', type: 0 },
				{ id: '2', type: 0 },
			],
			threads: [{ id: '3', parent_id: '2', thread_metadata: metadata }],
			presences: [{ user: { id: '5' }, status: 'online' }],
		},
	});
	const after = stateOf({ 10: { channels: [{ id: '2', type: 5 }], threads: [], presences: [] } });
	expect(types(before, after)).toEqual([
		'PRESENCE_UPDATE',
		'THREAD_LIST_SYNC',
		'CHANNEL_DELETE',
		'CHANNEL_UPDATE',
		'GUILD_DELETE unavailable',
		'GUILD_CREATE',
	]);
});

it("yields the bot's new user name", () => {
	expect(diffStates(stateOf({}, 'old'), stateOf({}, 'new'))).toEqual([{ t: 'USER_UPDATE', d: { id: '1', username: 'new' } }]);
});
