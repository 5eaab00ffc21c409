import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.js';

const known = ['token', 'shards', 'shardsPerWorker', 'api'];

it.each([
	['tokn', 'token'],
	['TOKEN', 'token'],
	['shard', 'shards'],
	['shardPerWorkers', 'shardsPerWorker'],
	['apo', 'api'],
	['token', 'token'],
])('takes %s for %s', (typed, meant) => {
	expect(nearestName(typed, known)).toBe(meant);
});

it.each(['', 'xyz', 'logger', 'okne'])('does not guess at "%s"', (typed) => {
	expect(nearestName(typed, known)).toBe(undefined);
});

it('takes the first of those that are as near, and nothing where there is nothing', () => {
	expect(nearestName('cat', ['bat', 'hat'])).toBe('bat');
	expect(nearestName('cat', [])).toBe(undefined);
});
