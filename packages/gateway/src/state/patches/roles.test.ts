import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

it('adds, changes and removes roles', () => {
	const { roles } = patched(
		{ roles: [{ id: '10', name: 'all' }, { id: '1', name: 'old', hoist: true }, { id: '2' }] },
		['GUILD_ROLE_CREATE', { role: { id: '3', name: 'new' } }],
		['GUILD_ROLE_CREATE', { role: { id: '3', name: 'new' } }],
		['GUILD_ROLE_UPDATE', { role: { id: '1', name: 'renamed' } }],
		['GUILD_ROLE_DELETE', { role_id: '2' }],
	);
	expect(roles).toEqual([
		{ id: '10', name: 'all' },
		{ id: '1', name: 'renamed', hoist: true },
		{ id: '3', name: 'new' },
	]);
});

it('does not restore a deleted role on a late update', () => {
	expect(patched({ roles: [] }, ['GUILD_ROLE_UPDATE', { role: { id: '1' } }]).roles).toEqual([]);
});

it('removes the tags of a role that has none any more', () => {
	expect(patched({ roles: [{ id: '1', tags: { bot_id: '5' } }] }, ['GUILD_ROLE_UPDATE', { role: { id: '1' } }]).roles).toEqual([
		{ id: '1' },
	]);
});
