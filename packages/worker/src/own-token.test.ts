// Which tokens belong to the fleet.
import { expect, it } from 'vitest';
import { ownToken } from './own-token.js';

it("recognises the fleet's token with and without its prefix, and no other", () => {
	const isOwn = ownToken('secret');
	expect(['secret', 'Bot secret', 'bearer secret', 'other', 'Bot ', '', null, undefined].map(isOwn)).toEqual([
		true,
		true,
		true,
		false,
		false,
		false,
		false,
		false,
	]);
});

it("treats the first token in use as the fleet's when any token is accepted", () => {
	const isOwn = ownToken(undefined);
	expect([undefined, null, 'Bot ', 'Bot from-a-file', 'from-a-file', 'of another bot'].map(isOwn)).toEqual([
		false,
		false,
		false,
		true,
		true,
		false,
	]);
});
