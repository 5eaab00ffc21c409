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

it('lets an event through by the intents of the session, those of direct messages being others', () => {
	expect(passesIntents(entry('MESSAGE_CREATE'), intentBits.GUILD_MESSAGES)).toBe(true);
	expect(passesIntents(entry('MESSAGE_CREATE'), intentBits.GUILDS)).toBe(false);
	expect(passesIntents(entry('MESSAGE_CREATE', { direct: true }), intentBits.GUILD_MESSAGES)).toBe(false);
	expect(passesIntents(entry('MESSAGE_CREATE', { direct: true }), intentBits.DIRECT_MESSAGES)).toBe(true);
});

it('lets what belongs to no intent always through, and changes of the bot itself', () => {
	expect(passesIntents(entry('INTERACTION_CREATE'), 0)).toBe(true);
	expect(passesIntents(entry('GUILD_MEMBER_UPDATE'), 0)).toBe(false);
	expect(passesIntents(entry('GUILD_MEMBER_UPDATE', { ownMember: true }), 0)).toBe(true);
});
