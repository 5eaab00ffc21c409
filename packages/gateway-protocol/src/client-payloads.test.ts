import { expect, test } from 'vitest';
import { parseClientOperation } from './client-payloads.js';

const identify = { token: 't', properties: { os: 'linux', browser: 'x', device: 'x' }, intents: 1 };

test.each([
	[2, identify],
	[
		2,
		{
			...identify,
			shard: [0, 1],
			large_threshold: 250,
			compress: true,
			presence: { status: 'idle', activities: [], since: null, afk: false },
			capabilities: 0,
		},
	],
	[2, { ...identify, properties: { $os: 'linux' }, unknown_field: true }],
	[6, { token: 't', session_id: 's', seq: 0 }],
	[3, { since: null, activities: [{ name: 'x', type: 0 }], status: 'online', afk: false }],
	[4, { guild_id: '1', channel_id: null, self_mute: false, self_deaf: false }],
	[8, { guild_id: '1', query: '', limit: 0 }],
	[8, { guild_id: '1', user_ids: ['1', '2'], nonce: 'n' }],
	[31, { guild_ids: ['1'] }],
	[43, { guild_id: '1', fields: ['status'] }],
	[1, null],
	[1, 7],
])('op %d accepts a valid payload', (opcode, d) => {
	expect(parseClientOperation(opcode, d)).toHaveProperty('operation');
});

test.each([
	[2, undefined],
	[2, { ...identify, token: 5 }],
	[2, { ...identify, intents: 'all' }],
	[2, { ...identify, shard: [0] }],
	[2, { ...identify, large_threshold: 251 }],
	[6, { token: 't', session_id: 's', seq: -1 }],
	[6, { token: 't', session_id: 's' }],
	[4, { channel_id: '1' }],
	[8, { guild_id: '1' }],
	[31, {}],
	[43, { guild_id: '1', fields: ['nope'] }],
	[1, 'x'],
])('op %d rejects an invalid payload', (opcode, d) => {
	expect(parseClientOperation(opcode, d)).toHaveProperty('problem');
});

test('a single id is read as a list of one, both ways', () => {
	expect(parseClientOperation(8, { guild_id: ['1'], user_ids: '2' })).toMatchObject({
		operation: { d: { guild_id: '1', user_ids: ['2'] } },
	});
});
