import { expect, it } from 'vitest';
import { plural } from './plural.js';

it('counts one and several', () => {
	expect([plural(1, 'shard'), plural(2, 'shard')]).toEqual(['1 shard', '2 shards']);
});
