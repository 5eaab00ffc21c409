import { describe, expect, it } from 'vitest';
import { atOnce } from '../../test/support/at-once.js';
import type { Dispatch, RawObject } from './raw.js';
import { ShardState } from './shard-state.js';

const ready = () => ({
	v: 10,
	user: { id: '1', username: 'bot', verified: true },
	application: { id: '1', flags: 3 },
	session_id: 'upstream',
	guilds: [
		{ id: '10', unavailable: true },
		{ id: '11', unavailable: true },
	],
});

const create = (id: string, more: RawObject = {}): Dispatch => ({
	t: 'GUILD_CREATE',
	d: { id, name: `guild ${id}`, member_count: 1, roles: [{ id }], channels: [], members: [], threads: [], ...more },
});

function stateOf(...dispatches: Dispatch[]): ShardState {
	const state = ShardState.fromReady(ready());
	for (const dispatch of dispatches) state.apply(dispatch);
	return state;
}

const named = (id: string, username: string) => ({ id, username });

describe('READY', () => {
	it('lists every guild as unavailable, and includes the given keys', () => {
		expect(stateOf(create('12'), create('10')).ready({ session_id: 'local', shard: [0, 1] })).toEqual({
			...ready(),
			session_id: 'local',
			shard: [0, 1],
			guilds: ['11', '12', '10'].map((id) => ({ id, unavailable: true })),
		});
	});

	it('contains the current bot user, whichever event changed it', () => {
		const byItself = stateOf({ t: 'USER_UPDATE', d: named('1', 'renamed') });
		const byMember = stateOf(create('10'), { t: 'GUILD_MEMBER_UPDATE', d: { guild_id: '10', user: named('1', 'renamed') } });
		const byGuild = stateOf(create('10', { members: [{ user: named('1', 'renamed') }] }));
		for (const state of [byItself, byMember, byGuild]) {
			expect(state.ready().user).toEqual({ id: '1', username: 'renamed', verified: true });
		}
	});
});

describe('the guilds after READY', () => {
	it('are sent as available, or as unavailable during an outage so that the client does not wait', () => {
		const state = stateOf(create('10'), create('11'), { t: 'GUILD_DELETE', d: { id: '11', unavailable: true } });
		expect([...state.guildDispatches()]).toEqual([
			{ t: 'GUILD_CREATE', d: { ...(create('10').d as RawObject), unavailable: false } },
			{ t: 'GUILD_DELETE', d: { id: '11', unavailable: true } },
		]);
		expect(state.guildCount).toBe(2);
	});

	it('are removed when the bot leaves', () => {
		const state = stateOf(
			create('10'),
			{ t: 'GUILD_DELETE', d: { id: '10' } },
			{ t: 'GUILD_DELETE', d: { id: '99', unavailable: true } },
		);
		expect(state.guildIds()).toEqual(['11']);
	});

	it('have the same text, frozen or not', () => {
		const state = stateOf(create('10', { threads: [{ id: '5', thread_metadata: {} }] }), {
			t: 'THREAD_MEMBERS_UPDATE',
			d: { guild_id: '10', id: '5', member_count: 2, added_members: [{ user_id: '2', flags: 1 }] },
		});
		const open = [...state.guildDispatches()];
		expect(open).toContainEqual({
			t: 'THREAD_LIST_SYNC',
			d: { guild_id: '10', channel_ids: [], threads: [], members: [{ id: '5', user_id: '2', flags: 1 }] },
		});
		state.compressCold(1);
		expect(state.openGuildCount).toBe(0);
		expect([...state.guildDispatches()]).toEqual(open);
	});
});

describe('an event', () => {
	it('of an unknown type, of an unknown guild or malformed changes nothing', () => {
		const state = stateOf(create('10'));
		const before = [...state.guildDispatches()];
		const broken = [
			undefined,
			null,
			3,
			'x',
			[],
			{},
			{ id: 3 },
			{ guild_id: '10' },
			{ guild_id: '10', user: null, member: 3, role: [] },
		];
		const types = [
			'SOMETHING_NEW',
			'MESSAGE_CREATE',
			'GUILD_ROLE_CREATE',
			'PRESENCE_UPDATE',
			'VOICE_STATE_UPDATE',
			'THREAD_CREATE',
			'GUILD_UPDATE',
		];
		for (const t of types) for (const d of broken) state.apply({ t, d });
		state.apply({ t: 'CHANNEL_CREATE', d: { guild_id: '99', id: '1' } });
		expect([...state.guildDispatches()]).toEqual(before);
	});

	it('is never changed by a later one', () => {
		const d = { guild_id: '10', id: '5', type: 0, name: 'first' };
		stateOf(
			create('10'),
			{ t: 'CHANNEL_CREATE', d },
			{ t: 'CHANNEL_UPDATE', d: { guild_id: '10', id: '5', type: 0, name: 'second' } },
		);
		expect(d.name).toBe('first');
	});
});

describe('a user in several guilds', () => {
	const member = { user: named('2', 'old') };

	it('is renamed in all of them, also in frozen ones', () => {
		const state = stateOf(
			create('10', { members: [structuredClone(member)] }),
			create('11', { members: [structuredClone(member)] }),
		);
		state.compressCold(1);
		state.apply({ t: 'GUILD_MEMBER_UPDATE', d: { guild_id: '10', user: named('2', 'new') } });
		for (const { d } of state.guildDispatches()) expect(d).toMatchObject({ members: [{ user: named('2', 'new') }] });
	});

	it('has the name from the newest GUILD_CREATE', () => {
		const state = stateOf(
			create('10', { members: [structuredClone(member)] }),
			create('11', { members: [structuredClone(member)] }),
		);
		state.apply(create('10', { members: [{ user: named('2', 'new') }] }));
		expect([...state.guildDispatches()].at(-1)?.d).toMatchObject({ id: '10', members: [{ user: named('2', 'new') }] });
	});
});

describe('saving', () => {
	it('restores the same state', () => {
		const state = stateOf(create('10'), create('12', { name: '☕' }));
		state.compressCold(1);
		state.apply({ t: 'GUILD_ROLE_CREATE', d: { guild_id: '12', role: { id: '5' } } });
		const restored = ShardState.restore(atOnce(state.serialize()));
		expect(restored.ready()).toEqual(state.ready());
		expect([...restored.guildDispatches()]).toEqual([...state.guildDispatches()]);
	});
});

describe('memory', () => {
	it('is counted, and decreases when guilds are frozen', () => {
		const roles = Array.from({ length: 200 }, (_, index) => ({ id: `${index}`, name: 'role' }));
		const state = stateOf(create('10', { roles }));
		const open = state.bytes;
		state.compressCold(1);
		expect(state.bytes).toBeLessThan(open / 5);
	});

	it('drops long archived threads and long finished events when guilds freeze', () => {
		const hour = 3_600_000;
		const thread = (id: string, hoursAgo: number) => ({
			id,
			thread_metadata: { archived: true, archive_timestamp: new Date(100 * hour - hoursAgo * hour).toISOString() },
		});
		const event = (id: string, hoursAgo: number, status: number) => ({
			id,
			status,
			scheduled_start_time: new Date(100 * hour - hoursAgo * hour).toISOString(),
		});
		const state = stateOf(
			create('10', {
				threads: [thread('1', 3), thread('2', 5)],
				guild_scheduled_events: [event('3', 30, 3), event('4', 30, 1), event('5', 3, 4)],
			}),
		);
		state.compressCold(100 * hour);
		expect(state.guild('10')).toMatchObject({ threads: [{ id: '1' }], guild_scheduled_events: [{ id: '4' }, { id: '5' }] });
	});
});

it('is assembled from the guilds of other states of the session, whatever form they are in', () => {
	const ready = (id: string) => ({ user: { id: '9', username: 'bot' }, session_id: 's', guilds: [{ id, unavailable: true }] });
	const guild = (id: string) => ({ id, name: id, member_count: 2, members: [{ user: { id: '9' }, nick: id }] });
	const [one, other] = [ShardState.fromReady(ready('1'), { coldAfterMs: 0 }), ShardState.fromReady(ready('2'))];
	for (const id of ['3', '5']) one.apply({ t: 'GUILD_CREATE', d: guild(id) });
	one.compressCold(1);
	other.apply({ t: 'GUILD_CREATE', d: guild('4') });
	const all = ShardState.assemble([one, other], (id) => id !== '5');
	expect(all.guildIds().sort()).toEqual(['1', '2', '3', '4']);
	expect([all.guild('3')?.name, all.guild('4')?.name, all.guild('1')]).toEqual(['3', '4', undefined]);
	expect(all.ready()).toMatchObject({ session_id: 's', user: { username: 'bot' } });
	all.apply({ t: 'USER_UPDATE', d: { id: '9', username: 'renamed' } });
	expect([all.ready().user, one.ready().user]).toMatchObject([{ username: 'renamed' }, { username: 'bot' }]);
	expect(
		ShardState.assemble([one], () => true)
			.guildIds()
			.sort(),
	).toEqual(['1', '3', '5']);
});
