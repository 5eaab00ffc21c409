import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

const author = { id: '2', username: 'a' };
const thread = { id: '8', thread_metadata: {}, message_count: 5, total_message_sent: 5 };

it('updates the last message of a channel and the counts of a thread once per message', () => {
	const guild = patched(
		{ channels: [{ id: '7', last_message_id: null }], threads: [thread] },
		['MESSAGE_CREATE', { id: '100', channel_id: '7', author }],
		['MESSAGE_CREATE', { id: '101', channel_id: '8', author }],
		['MESSAGE_CREATE', { id: '101', channel_id: '8', author }],
		['MESSAGE_DELETE', { id: '101', channel_id: '8' }],
		['MESSAGE_DELETE_BULK', { ids: ['1', '2'], channel_id: '8' }],
	);
	expect(guild.channels).toEqual([{ id: '7', last_message_id: '100' }]);
	expect(guild.threads).toEqual([{ ...thread, last_message_id: '101', message_count: 3, total_message_sent: 6 }]);
});

it('learns the members who write, are mentioned, react, type and use commands', () => {
	const named = (id: string) => ({ id, username: `user ${id}` });
	const data = { resolved: { users: { 7: named('7') }, members: { 7: { nick: 'g' } } } };
	const { members } = patched(
		{ channels: [{ id: '7' }] },
		[
			'MESSAGE_CREATE',
			{
				id: '1',
				channel_id: '7',
				author: named('2'),
				member: { nick: 'b' },
				mentions: [{ ...named('3'), member: { nick: 'c' } }],
			},
		],
		['MESSAGE_REACTION_ADD', { channel_id: '7', member: { user: named('4'), nick: 'd' } }],
		['TYPING_START', { channel_id: '7', member: { user: named('5'), nick: 'e' } }],
		['TYPING_START', { channel_id: 'unknown', member: { user: named('9') } }],
		['INTERACTION_CREATE', { member: { user: named('6'), nick: 'f', permissions: '8' }, data }],
	);
	expect(members).toEqual(['b', 'c', 'd', 'e', 'f', 'g'].map((nick, index) => ({ nick, user: named(String(index + 2)) })));
});

it('does not add a webhook as a member', () => {
	const guild = patched({ channels: [{ id: '7' }] }, [
		'MESSAGE_CREATE',
		{ id: '1', channel_id: '7', webhook_id: '3', author: { id: '3', username: 'hook' } },
	]);
	expect(guild).not.toHaveProperty('members');
});
