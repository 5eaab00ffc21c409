import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

const user = { id: '2', username: 'a' };
const online = { status: 'online', activities: [] };

it('lists users who are not offline, with only the id of the user', () => {
	const presences = (...statuses: string[]) =>
		patched(
			{ members: [{ user }] },
			...statuses.map((status) => ['PRESENCE_UPDATE', { user, status }] as [string, object] as never),
		).presences;
	expect(presences('online', 'idle')).toEqual([{ user: { id: '2' }, status: 'idle' }]);
	expect(presences('online', 'offline')).toBeUndefined();
});

it('ignores an unknown user', () => {
	const guild = patched({ members: [] }, ['PRESENCE_UPDATE', { user: { id: '5' }, ...online }]);
	expect(guild).toMatchObject({ members: [] });
	expect(guild).not.toHaveProperty('presences');
});

it('adds a user with a name as a member', () => {
	const { members } = patched({ members: [] }, ['PRESENCE_UPDATE', { user: { id: '5', username: 'e' }, ...online }]);
	expect(members).toMatchObject([{ user: { id: '5', username: 'e' }, roles: [] }]);
});

it('renames a member', () => {
	expect(patched({ members: [{ user }] }, ['PRESENCE_UPDATE', { user: { id: '2', username: 'b' }, ...online }]).members).toEqual([
		{ user: { id: '2', username: 'b' } },
	]);
});
