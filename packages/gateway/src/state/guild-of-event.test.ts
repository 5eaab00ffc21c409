import { expect, it } from 'vitest';
import { guildIdOf } from './guild-of-event.js';

it.each([
	['MESSAGE_CREATE', { id: '7', guild_id: '1' }, '1'],
	['GUILD_CREATE', { id: '1' }, '1'],
	['GUILD_UPDATE', { id: '1' }, '1'],
	['GUILD_DELETE', { id: '1', unavailable: true }, '1'],
	['GUILD_ROLE_DELETE', { guild_id: '1', role_id: '3' }, '1'],
	['RATE_LIMITED', { opcode: 8, meta: { guild_id: '1' } }, '1'],
	['MESSAGE_CREATE', { id: '7' }, null],
	['USER_UPDATE', { id: '7' }, null],
	['RATE_LIMITED', { opcode: 8 }, null],
	['MESSAGE_CREATE', { guild_id: 1 }, null],
	['MESSAGE_CREATE', { guild_id: null }, null],
	['RESUMED', null, null],
])('%s %j belongs to guild %s', (t, d, guildId) => {
	expect(guildIdOf({ t, d })).toBe(guildId);
});
