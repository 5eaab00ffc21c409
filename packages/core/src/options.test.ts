import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nearestName } from './nearest-name.js';
import { optionProblems, optionsError, safelyParsed } from './options.js';

describe('optionProblems', () => {
	const schema = z.strictObject({
		token: z.string({ error: 'must be a text' }),
		shards: z.number({ error: 'must be a number' }),
	});

	it('names every problem at once, and the option that was probably meant', () => {
		const result = schema.safeParse({ tokn: 'x', token: 5, shards: 'many' });
		const problems = optionProblems(result.error as z.ZodError, Object.keys(schema.shape));
		expect(problems).toEqual([
			{ option: 'token', problem: 'must be a text' },
			{ option: 'shards', problem: 'must be a number' },
			{ option: 'tokn', problem: 'is not an option; did you mean "token"?' },
		]);
		const error = optionsError('options of createShardManager', problems);
		expect(error.code).toBe('OPTIONS_INVALID');
		expect(error.message).toBe(
			'options of createShardManager: 3 problems\n  token: must be a text\n  shards: must be a number\n  tokn: is not an option; did you mean "token"?',
		);
	});
});

describe('nearestName', () => {
	it.each([
		['tokn', 'token'],
		['Shards', 'shards'],
		['shardlist', 'shardList'],
	])('%s means %s', (typed, meant) => {
		expect(nearestName(typed, ['token', 'shards', 'shardList', 'respawn'])).toBe(meant);
	});

	it('returns nothing when no name is near', () => {
		expect(nearestName('banana', ['token', 'shards'])).toBeUndefined();
	});
});

describe('safelyParsed', () => {
	it.each([
		['a text', z.string().min(1)],
		['a list', z.array(z.string()).max(3)],
	])('reads nothing in an object in place of %s whose length cannot be compared', (_, schema: z.ZodType) => {
		const value = { length: { toString: [], valueOf: 1 } };
		expect(() => schema.safeParse(value)).toThrow(TypeError);
		expect(safelyParsed(schema, value)).toBeUndefined();
	});

	it('reads every other value as the schema does', () => {
		expect(safelyParsed(z.string().min(1), 'a')).toMatchObject({ success: true, data: 'a' });
		expect(safelyParsed(z.string().min(1), '')).toMatchObject({ success: false });
	});
});
