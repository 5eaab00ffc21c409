import { allIntents, intentBits, privilegedIntentBits } from '@shardctl/core';
import { expect, test } from 'vitest';
import { intentsCloseCode, intentsForEvent } from './intents.js';

test('the combined bits are the documented ones', () => {
	expect(allIntents).toBe(53_608_447);
	expect(allIntents & ~privilegedIntentBits).toBe(53_575_421);
});

test.each([
	[0, 4014 - 4014, undefined],
	[allIntents, privilegedIntentBits, undefined],
	[1 << 17, privilegedIntentBits, 4013],
	[-1, privilegedIntentBits, 4013],
	[1.5, privilegedIntentBits, 4013],
	[2 ** 40, privilegedIntentBits, 4013],
	[intentBits.GUILD_MEMBERS, 0, 4014],
	[intentBits.GUILD_PRESENCES, intentBits.GUILD_MEMBERS, 4014],
	[intentBits.MESSAGE_CONTENT | intentBits.GUILDS, 0, 4014],
	[allIntents & ~privilegedIntentBits, 0, undefined],
])('intents %d with %d granted: %s', (intents, granted, code) => {
	expect(intentsCloseCode(intents, granted)).toBe(code);
});

test('direct messages need their own intents', () => {
	expect(intentsForEvent('MESSAGE_CREATE')).toBe(intentBits.GUILD_MESSAGES);
	expect(intentsForEvent('MESSAGE_CREATE', { direct: true })).toBe(intentBits.DIRECT_MESSAGES);
	expect(intentsForEvent('TYPING_START', { direct: true })).toBe(intentBits.DIRECT_MESSAGE_TYPING);
});

test.each([
	'READY',
	'RESUMED',
	'INTERACTION_CREATE',
	'USER_UPDATE',
	'VOICE_SERVER_UPDATE',
	'GUILD_MEMBERS_CHUNK',
	'RATE_LIMITED',
	'ENTITLEMENT_CREATE',
])('always sends %s', (type) => {
	expect(intentsForEvent(type)).toBe(0);
});
