import { expect, it } from 'vitest';
import { savedNames } from './saved-names.js';

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
