import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

it('merges an update into the guild, replacing the lists it carries and keeping the others', () => {
	const guild = patched(
		{ name: 'old', member_count: 5, roles: [{ id: '10' }, { id: '2' }], emojis: [{ id: '1' }], channels: [{ id: '7' }] },
		['GUILD_UPDATE', { id: '10', name: 'new', roles: [{ id: '10' }], emojis: [], unheard_of: 1 }],
	);
	expect(guild).toMatchObject({
		name: 'new',
		member_count: 5,
		roles: [{ id: '10' }],
		emojis: [],
		channels: [{ id: '7' }],
		unheard_of: 1,
		unavailable: false,
	});
});
