import { expect, it } from 'vitest';
import { patched } from '../../../test/support/patched.js';

it.each([
	['GUILD_EMOJIS_UPDATE', 'emojis'],
	['GUILD_STICKERS_UPDATE', 'stickers'],
])('replaces the whole list on %s', (t, key) => {
	const author = { id: '5', username: 'e' };
	const guild = patched({ [key]: [{ id: '1', name: 'old', user: author }, { id: '2' }] }, [
		t,
		{ [key]: [{ id: '1', name: 'new' }, { id: '3' }] },
	]);
	expect(guild[key]).toEqual([{ id: '1', name: 'new', user: author }, { id: '3' }]);
	expect(patched({ [key]: [{ id: '1' }] }, [t, { [key]: [] }])[key]).toEqual([]);
});

it('adds, changes and removes sounds, one or several', () => {
	const { soundboard_sounds: sounds } = patched(
		{ soundboard_sounds: [{ sound_id: '1', volume: 1 }, { sound_id: '2' }] },
		['GUILD_SOUNDBOARD_SOUND_CREATE', { sound_id: '3' }],
		['GUILD_SOUNDBOARD_SOUND_UPDATE', { sound_id: '1', volume: 0.5 }],
		['GUILD_SOUNDBOARD_SOUND_DELETE', { sound_id: '2' }],
		['GUILD_SOUNDBOARD_SOUNDS_UPDATE', { soundboard_sounds: [{ sound_id: '3', name: 'bang' }] }],
		['SOUNDBOARD_SOUNDS', { soundboard_sounds: [{ sound_id: '4' }] }],
	);
	expect(sounds).toMatchObject([{ sound_id: '1', volume: 0.5 }, { sound_id: '3', name: 'bang' }, { sound_id: '4' }]);
});
