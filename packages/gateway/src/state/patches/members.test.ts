import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

const user = { id: '2', username: 'a' };

it('counts members as they join and leave, known or not', () => {
	const guild = patched(
		{
			member_count: 5,
			members: [{ user }],
			presences: [{ user: { id: '2' }, status: 'online' }],
			voice_states: [{ user_id: '2', channel_id: '7' }],
		},
		['GUILD_MEMBER_ADD', { user: { id: '3', username: 'b' }, roles: [] }],
		['GUILD_MEMBER_REMOVE', { user }],
		['GUILD_MEMBER_REMOVE', { user: { id: '9', username: 'unknown' } }],
	);
	expect(guild).toMatchObject({ member_count: 4, members: [{ user: { id: '3' }, roles: [] }], presences: [], voice_states: [] });
	expect(guild.members).not.toHaveProperty([0, 'guild_id']);
});

it('changes a known member and adds an unknown one on an update', () => {
	const { members } = patched(
		{ members: [{ user, nick: 'old', roles: ['5'], avatar_decoration_data: { asset: 'x' } }] },
		['GUILD_MEMBER_UPDATE', { user: { ...user, username: 'renamed' }, nick: null }],
		['GUILD_MEMBER_UPDATE', { user: { id: '3', username: 'b' } }],
	);
	expect(members).toEqual([
		{ user: { id: '2', username: 'renamed' }, nick: null, roles: ['5'] },
		{ user: { id: '3', username: 'b' } },
	]);
});

it('adds a chunk with its presences, without counting', () => {
	const guild = patched({ member_count: 5 }, [
		'GUILD_MEMBERS_CHUNK',
		{
			members: [{ user }, { user: { id: '3', username: 'b' } }],
			presences: [
				{ user: { id: '3' }, status: 'idle' },
				{ user, status: 'offline' },
			],
		},
	]);
	expect(guild).toMatchObject({
		member_count: 5,
		members: [{ user }, { user: { id: '3' } }],
		presences: [{ user: { id: '3' }, status: 'idle' }],
	});
});
