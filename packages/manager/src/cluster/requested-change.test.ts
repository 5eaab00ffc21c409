import type { ClusterView, TableChange } from '@shardctl/cluster';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { requestChange } from './requested-change.js';

const move: TableChange = { op: 'move', session: 1, from: 'a', to: 'b' };

/** A table that refuses as many changes as there are entries, and is read as quiet as often as it says; what follows is done. */
function request(refusals: string[], changes: readonly TableChange[] = [move], quietReadings = 0) {
	const clock = fakeClock();
	let asked = 0;
	const node = {
		change: async (wanted: (view: ClusterView) => readonly TableChange[]) => {
			const quietMs = asked++ < quietReadings ? 7000 : 0;
			return wanted({ quietMs } as ClusterView).map(() => refusals.shift() ?? 'done');
		},
	};
	const plan = (view: ClusterView) => {
		// The planner would plan nothing.
		expect(view.quietMs).toBe(0);
		return changes;
	};
	return { clock, asked: () => asked, outcome: requestChange(plan, { node, clock, signal: undefined }) };
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

it('plans when the quiet period is over, instead of finding nothing to change', async () => {
	const { clock, asked, outcome } = request([], [move], 2);
	for (let step = 0; step < 3; step++) await clock.advance(100);
	expect(await outcome).toBe(true);
	expect(asked()).toBe(3);
});
