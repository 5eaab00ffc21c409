import { expect, it } from 'vitest';
import { botKey } from './bot-key.js';

it("takes the bot's id from its token, or a hash for a token of another form", () => {
	expect(botKey(`${Buffer.from('80351110224678912').toString('base64')}.abc.def`)).toBe('80351110224678912');
	const hash = botKey('a test token');
	expect(hash).toMatch(/^[\da-f]{16}$/);
	expect([botKey('a test token'), botKey('another'), botKey('')].map((key) => key === hash)).toEqual([true, false, false]);
});
