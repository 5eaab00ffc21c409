import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

it('adds, changes and removes stage instances of known channels', () => {
	const { stage_instances: stages } = patched(
		{
			channels: [{ id: '7' }],
			stage_instances: [
				{ id: '1', channel_id: '7', topic: 'old' },
				{ id: '2', channel_id: '7' },
			],
		},
		['STAGE_INSTANCE_UPDATE', { id: '1', channel_id: '7', topic: 'new' }],
		['STAGE_INSTANCE_CREATE', { id: '3', channel_id: '7' }],
		['STAGE_INSTANCE_CREATE', { id: '4', channel_id: 'gone' }],
		['STAGE_INSTANCE_DELETE', { id: '2', channel_id: '7' }],
	);
	expect(stages).toMatchObject([{ id: '1', topic: 'new' }, { id: '3' }]);
	expect(stages).toHaveLength(2);
});

it('adds, changes and removes scheduled events', () => {
	const { guild_scheduled_events: events } = patched(
		{ guild_scheduled_events: [{ id: '1', name: 'old', status: 1 }, { id: '2' }] },
		['GUILD_SCHEDULED_EVENT_UPDATE', { id: '1', name: 'new' }],
		['GUILD_SCHEDULED_EVENT_CREATE', { id: '3' }],
		['GUILD_SCHEDULED_EVENT_DELETE', { id: '2' }],
	);
	expect(events).toMatchObject([{ id: '1', name: 'new', status: 1 }, { id: '3' }]);
});

it('changes the user count only when the event has one', () => {
	const counted = (event: object) =>
		patched(
			{ guild_scheduled_events: [{ id: '1', ...event }] },
			['GUILD_SCHEDULED_EVENT_USER_ADD', { guild_scheduled_event_id: '1', user_id: '2' }],
			['GUILD_SCHEDULED_EVENT_USER_ADD', { guild_scheduled_event_id: '1', user_id: '3' }],
			['GUILD_SCHEDULED_EVENT_USER_REMOVE', { guild_scheduled_event_id: '1', user_id: '2' }],
		).guild_scheduled_events;
	expect(counted({ user_count: 4 })).toEqual([{ id: '1', user_count: 5 }]);
	expect(counted({})).toEqual([{ id: '1' }]);
});
