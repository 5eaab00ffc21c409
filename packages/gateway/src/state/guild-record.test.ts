import { expect, it } from 'vitest';
import { GuildRecord } from './guild-record.js';

it('returns the GUILD_CREATE it was made of, with unknown keys and empty lists', () => {
	const create = {
		id: '1',
		new_thing: { a: 1 },
		emojis: [],
		roles: [{ id: '1', name: 'all' }],
		members: [{ user: { id: '2' } }],
		unavailable: false,
	};
	expect(new GuildRecord(structuredClone(create)).toCreate()).toEqual(create);
});

it('sets the guild as available, and adds no list that was not sent', () => {
	expect(new GuildRecord({ id: '1' }).toCreate()).toEqual({ id: '1', unavailable: false });
});

it('creates a list that was not sent when an item is added to it', () => {
	const guild = new GuildRecord({ id: '1' });
	guild.presences.set('2', { user: { id: '2' } });
	expect(guild.toCreate().presences).toEqual([{ user: { id: '2' } }]);
});

it('drops items without an id, and values that are not lists', () => {
	const guild = new GuildRecord({ id: '1', roles: [{ name: 'nameless' }, null, 3, { id: '4' }], channels: 'none' });
	expect(guild.toCreate()).toMatchObject({ roles: [{ id: '4' }], channels: [] });
});

it('updates every copy of a user', () => {
	const user = { id: '2', username: 'old' };
	const guild = new GuildRecord({
		id: '1',
		members: [{ user }],
		emojis: [{ id: '5', user }, { id: '6' }],
		guild_scheduled_events: [{ id: '7', creator: user }],
		soundboard_sounds: [{ sound_id: '8', user: { id: '9', username: 'other' } }],
	});
	expect([...new Set(guild.userIds())].sort()).toEqual(['2', '9']);
	guild.updateUser('2', { id: '2', username: 'new', avatar: 'x' });
	const renamed = { id: '2', username: 'new', avatar: 'x' };
	expect(guild.toCreate()).toMatchObject({
		members: [{ user: renamed }],
		emojis: [{ user: renamed }, { id: '6' }],
		guild_scheduled_events: [{ creator: renamed }],
		soundboard_sounds: [{ user: { username: 'other' } }],
	});
	expect(user.username).toBe('old');
});
