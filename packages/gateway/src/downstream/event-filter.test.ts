import { intentBits } from '@shardctl/core';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { passesIntents } from './event-filter.js';

const entry = (type: string, { direct = false, ownMember = false } = {}) => ({
	offset: 1,
	event: EncodedDispatch.of(type, {}),
	data: undefined,
	guildId: direct ? null : '1',
	ownMember,
	coalesceKey: undefined,
	receivedAtMs: 0,
	tries: 0,
});

it('passes an event if the session has its intent, and separates guild messages from direct messages', () => {
	expect(passesIntents(entry('MESSAGE_CREATE'), intentBits.GUILD_MESSAGES)).toBe(true);
	expect(passesIntents(entry('MESSAGE_CREATE'), intentBits.GUILDS)).toBe(false);
	expect(passesIntents(entry('MESSAGE_CREATE', { direct: true }), intentBits.GUILD_MESSAGES)).toBe(false);
	expect(passesIntents(entry('MESSAGE_CREATE', { direct: true }), intentBits.DIRECT_MESSAGES)).toBe(true);
});

it('always passes events without an intent, and changes of the bot itself', () => {
	expect(passesIntents(entry('INTERACTION_CREATE'), 0)).toBe(true);
	expect(passesIntents(entry('GUILD_MEMBER_UPDATE'), 0)).toBe(false);
	expect(passesIntents(entry('GUILD_MEMBER_UPDATE', { ownMember: true }), 0)).toBe(true);
});
