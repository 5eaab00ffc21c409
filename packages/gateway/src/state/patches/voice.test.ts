import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

const state = { user_id: '2', channel_id: '7', self_mute: true };

it('lists who is in a channel, each state whole and without the member', () => {
	const member = { user: { id: '2', username: 'a' }, joined_at: 'then' };
	const guild = patched(
		{},
		['VOICE_STATE_UPDATE', { ...state, self_stream: true }],
		['VOICE_STATE_UPDATE', { ...state, member }],
	);
	expect(guild).toMatchObject({ voice_states: [state], members: [member] });
	expect(guild.voice_states).not.toHaveProperty([0, 'self_stream']);
	expect(guild.voice_states).not.toHaveProperty([0, 'member']);
});

it('removes users who left', () => {
	expect(patched({ voice_states: [state] }, ['VOICE_STATE_UPDATE', { user_id: '2', channel_id: null }]).voice_states).toEqual([]);
});

it('does not add a user who never joined as a member', () => {
	const guild = patched({ members: [] }, ['VOICE_STATE_UPDATE', { ...state, member: { user: { id: '2', username: 'a' } } }]);
	expect(guild.members).toEqual([]);
});
