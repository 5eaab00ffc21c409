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
])('resolves %s to %s', (typed, meant) => {
	expect(nearestName(typed, known)).toBe(meant);
});

it.each(['', 'xyz', 'logger', 'okne'])('suggests nothing for "%s"', (typed) => {
	expect(nearestName(typed, known)).toBe(undefined);
});

it('returns the first of equally near names, and nothing from an empty list', () => {
	expect(nearestName('cat', ['bat', 'hat'])).toBe('bat');
	expect(nearestName('cat', [])).toBe(undefined);
});
