import type { ClusterView, TableChange } from '@shardctl/cluster';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { requestChange } from './requested-change.js';

const move: TableChange = { op: 'move', session: 1, from: 'a', to: 'b' };

/** A table that refuses as many changes as there are entries; what follows is done. */
function request(refusals: string[], changes: readonly TableChange[] = [move]) {
	const clock = fakeClock();
	let asked = 0;
	const node = {
		change: async (wanted: (view: ClusterView) => readonly TableChange[]) => {
			asked++;
			return wanted({} as ClusterView).map(() => refusals.shift() ?? 'done');
		},
	};
	return { clock, asked: () => asked, outcome: requestChange(() => changes, { node, clock, signal: undefined }) };
}

it('waits for the end of a quiet period instead of passing for a move that was called off', async () => {
	const { clock, asked, outcome } = request(['quiet', 'quiet']);
	for (let step = 0; step < 3; step++) await clock.advance(100);
	expect(await outcome).toBe(true);
	expect(asked()).toBe(3);
});

it('leaves any other outcome, and nothing to change, to the caller', async () => {
	expect(await request(['owner']).outcome).toBe(true);
	expect(await request([], []).outcome).toBe(false);
});
