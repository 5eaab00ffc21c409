import { expect, it } from 'vitest';
import { botKey, savedNames } from './saved-names.js';

it('separates shards of other bots and other generations', () => {
	const names = [
		savedNames({ bot: '1', generation: 0 }, 7),
		savedNames({ bot: '1', generation: 1 }, 7),
		savedNames({ bot: '2', generation: 0 }, 7),
		savedNames({ bot: '1', generation: 0 }, 8),
	].flatMap(({ shard, journal, worker }) => [shard, journal, worker]);
	expect(new Set(names).size).toBe(12);
	expect(names[0]).toBe('1.g0.shard-7');
});

it("takes the bot's id from its token, or a hash for a token of another form", () => {
	expect(botKey(`${Buffer.from('80351110224678912').toString('base64')}.abc.def`)).toBe('80351110224678912');
	const hash = botKey('a test token');
	expect(hash).toMatch(/^[\da-f]{16}$/);
	expect([botKey('a test token'), botKey('another'), botKey('')].map((key) => key === hash)).toEqual([true, false, false]);
});
