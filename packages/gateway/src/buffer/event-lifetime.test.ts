import { expect, it } from 'vitest';
import { isExpired } from './event-lifetime.js';

it.each([
	['INTERACTION_CREATE', 2400, false],
	['INTERACTION_CREATE', 2600, true],
	['TYPING_START', 7000, false],
	['TYPING_START', 9000, true],
	['MESSAGE_CREATE', 1e9, false],
	['GUILD_MEMBER_ADD', 1e9, false],
])('%s after %i ms: expired %s', (type, ageMs, expired) => {
	expect(isExpired(type, ageMs)).toBe(expired);
});
