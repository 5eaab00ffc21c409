import { expect, test } from 'vitest';
import { InteractionBook, interactionTokenTtlMs } from './interaction-book.js';

test('finds an interaction by id and token until its token expires', () => {
	const book = new InteractionBook();
	const interaction = {
		id: '1',
		token: 't',
		type: 2,
		createdAtMs: 0,
		channelId: 'c',
		guildId: null,
		userId: 'u',
		respondedAtMs: null,
		callbackType: null,
		message: null,
		followed: false,
		modal: null,
	};
	book.add(interaction);
	expect([book.get('1', 't', 10), book.get('2', 't', 10), book.get('1', 'x', 10)]).toEqual([interaction, undefined, undefined]);
	expect([book.byToken('t', interactionTokenTtlMs), book.byToken('t', interactionTokenTtlMs + 1)]).toEqual([
		interaction,
		undefined,
	]);
});
