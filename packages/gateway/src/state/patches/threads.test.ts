import { expect, it } from 'vitest';
import { patched, self } from '../../../test/support/patched.js';

const active = { archived: false };
const archived = { archived: true };

it('adds, changes and removes threads', () => {
	const { threads } = patched(
		{ threads: [{ id: '1', name: 'old', member: { user_id: self } }, { id: '2' }] },
		['THREAD_CREATE', { id: '3', newly_created: true }],
		['THREAD_UPDATE', { id: '1', name: 'renamed' }],
		['THREAD_DELETE', { id: '2' }],
	);
	expect(threads).toEqual([
		{ id: '1', name: 'renamed', guild_id: '10', member: { user_id: self } },
		{ id: '3', guild_id: '10' },
	]);
});

it('removes threads that a list of active threads omits, except archived ones', () => {
	const threads = ['1', '2', '3'].map((id) => ({
		id,
		parent_id: id === '3' ? '21' : '20',
		thread_metadata: id === '2' ? archived : active,
	}));
	const ids = (sync: object) =>
		(patched({ threads }, ['THREAD_LIST_SYNC', { ...sync }]).threads as { id: string }[]).map(({ id }) => id);
	expect(ids({ channel_ids: ['20'], threads: [{ id: '4' }], members: [] })).toEqual(['2', '3', '4']);
	expect(ids({ threads: [], members: [] })).toEqual(['2']);
	expect(ids({ channel_ids: [], threads: [], members: [] })).toEqual(['1', '2', '3']);
});

it('records whether the bot is in a thread', () => {
	const members = (...events: Parameters<typeof patched>[1][]) => patched({ threads: [{ id: '1' }] }, ...events).threads;
	const joined = { user_id: self, flags: 1 };
	expect(members(['THREAD_MEMBER_UPDATE', { id: '1', ...joined }])).toEqual([{ id: '1', member: { id: '1', ...joined } }]);
	expect(
		members(['THREAD_MEMBERS_UPDATE', { id: '1', member_count: 3, added_members: [{ ...joined, presence: null }] }]),
	).toEqual([{ id: '1', member_count: 3, member: { id: '1', ...joined } }]);
	expect(
		members(
			['THREAD_MEMBER_UPDATE', { id: '1', ...joined }],
			['THREAD_MEMBERS_UPDATE', { id: '1', member_count: 2, removed_member_ids: [self] }],
		),
	).toEqual([{ id: '1', member_count: 2 }]);
});

it('learns the members who join a thread', () => {
	const added = { user_id: '2', flags: 0, member: { user: { id: '2', username: 'a' }, roles: [] } };
	const guild = patched({ threads: [{ id: '1' }] }, [
		'THREAD_MEMBERS_UPDATE',
		{ id: '1', member_count: 1, added_members: [added] },
	]);
	expect(guild.members).toEqual([added.member]);
});
