import type { SessionPlace } from '@shardctl/control';
import type { HealthCause } from '@shardctl/core';
import { expect, it } from 'vitest';
import { reshardWaits } from './reshard-waits.js';

const cause = (message: string, shardIds: number[], effect: HealthCause['effect'] = 'outage'): HealthCause => ({
	kind: 'worker-failed',
	effect,
	shardIds,
	message,
	since: null,
	tries: 0,
	nextTryAt: null,
	lost: 0,
	remedy: null,
});
const place = (session: number, shardIds: number[], target: string | null = null): SessionPlace => ({
	session,
	shardIds,
	node: 'a',
	phase: target === null ? 'held' : 'moving',
	target,
});

it('names what keeps shards from being ready, and what moves, of the sessions that are left', () => {
	const causes = [
		cause('node b: worker 1 (shard 1) keeps failing', [1]),
		cause('node c: worker 2 (shard 2) keeps failing', [2]),
		cause('node b: the disk is nearly full', [1], 'risk'),
		cause('Redis does not answer', [], 'risk'),
	];
	const places = [place(0, [0, 4], 'c'), place(1, [1, 5]), place(2, [2, 6], 'a')];
	expect(reshardWaits([0, 1, 3, 4, 5, 7], { health: { causes }, places })).toEqual([
		'shards 0,4 move to node c',
		'node b: worker 1 (shard 1) keeps failing',
	]);
	expect(reshardWaits([], { health: { causes }, places })).toEqual([]);
});
