import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

it('adds, changes and removes channels, and the threads of a removed channel', () => {
	const guild = patched(
		{
			channels: [
				{ id: '1', type: 0, name: 'old', topic: 'kept' },
				{ id: '2', type: 0 },
			],
			threads: [
				{ id: '5', parent_id: '2' },
				{ id: '6', parent_id: '1' },
			],
		},
		['CHANNEL_UPDATE', { id: '1', type: 0, name: 'renamed' }],
		['CHANNEL_CREATE', { id: '3', type: 0 }],
		['CHANNEL_CREATE', { id: '3', type: 0 }],
		['CHANNEL_UPDATE', { id: '4', type: 0 }],
		['CHANNEL_DELETE', { id: '2' }],
	);
	expect(guild.channels).toMatchObject([{ id: '1', name: 'renamed', topic: 'kept' }, { id: '3' }, { id: '4' }]);
	expect(guild.threads).toEqual([{ id: '6', parent_id: '1' }]);
});

it('drops the fields of the old type when a channel changes its type', () => {
	const { channels } = patched({ channels: [{ id: '1', type: 0, rate_limit_per_user: 5 }] }, [
		'CHANNEL_UPDATE',
		{ id: '1', type: 5 },
	]);
	expect(channels).toEqual([{ id: '1', type: 5, guild_id: '10' }]);
});

it('keeps the fields that other events set: pins, voice status and start time', () => {
	const { channels, threads } = patched(
		{
			channels: [
				{ id: '1', type: 2 },
				{ id: '2', type: 0 },
				{ id: '4', type: 2, status: 'x' },
			],
			threads: [{ id: '3' }],
		},
		['VOICE_CHANNEL_STATUS_UPDATE', { id: '1', status: 'singing' }],
		['VOICE_CHANNEL_START_TIME_UPDATE', { id: '1', voice_start_time: 5 }],
		['CHANNEL_UPDATE', { id: '1', type: 2 }],
		['CHANNEL_PINS_UPDATE', { channel_id: '2' }],
		['CHANNEL_PINS_UPDATE', { channel_id: '3', last_pin_timestamp: 'then' }],
		['CHANNEL_INFO', { channels: [{ id: '4', status: null }] }],
	);
	expect(channels).toMatchObject([{ status: 'singing', voice_start_time: 5 }, { last_pin_timestamp: null }, { status: null }]);
	expect(threads).toMatchObject([{ last_pin_timestamp: 'then' }]);
});
