import type { HealthChange } from '@shardctl/control';
import type { FleetHealth, HealthCause } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { HealthWatch } from './health-watch.js';

const cause = (kind: HealthCause['kind'], shardIds: number[], message: string = kind) =>
	({ kind, shardIds, message }) as HealthCause;

function watched(first: FleetHealth | Error) {
	const clock = fakeClock();
	let present = first;
	const changes: HealthChange[] = [];
	const watch = new HealthWatch({
		clock,
		health: async () => {
			if (present instanceof Error) throw present;
			return present;
		},
		onChange: (change) => changes.push(change),
	});
	return {
		clock,
		watch,
		/** The reports since the last call. */
		async after(next: FleetHealth | Error) {
			present = next;
			await clock.advance(2000);
			return changes.splice(0);
		},
	};
}

const healthy: FleetHealth = { status: 'healthy', served: 4, shards: 4, causes: [] };
const away = cause('session-down', [2, 3], 'shards 2-3 have no connection, 1 failed attempt');
const degraded: FleetHealth = { status: 'degraded', served: 2, shards: 4, causes: [away] };

it('B7: reports an end for every cause that begins', async () => {
	const { after, watch, clock } = watched(healthy);
	expect(await after(healthy)).toEqual([]);
	expect(await after(degraded)).toEqual([{ status: 'degraded', served: 2, shards: 4, began: [away], ended: [] }]);
	const down = cause('worker-down', [0]);
	expect(await after({ ...degraded, served: 1, causes: [away, down] })).toMatchObject([{ served: 1, began: [down], ended: [] }]);
	expect(await after({ ...degraded, causes: [down] })).toMatchObject([{ began: [], ended: [away] }]);
	expect(await after(healthy)).toMatchObject([{ status: 'healthy', served: 4, began: [], ended: [down] }]);
	watch.stop();
	expect(clock.pendingTimers()).toBe(0);
});

it('does not repeat a cause whose figures change, and reports it again for other shards', async () => {
	const { after, watch } = watched(healthy);
	await after(degraded);
	expect(await after({ ...degraded, causes: [{ ...away, message: '2 failed attempts', tries: 2 }] })).toEqual([]);
	const wider = cause('session-down', [1, 2, 3]);
	expect(await after({ ...degraded, causes: [wider] })).toMatchObject([{ began: [wider], ended: [{ shardIds: [2, 3] }] }]);
	watch.stop();
});

it('treats unavailable figures as no change', async () => {
	const { after, watch } = watched(healthy);
	expect(await after(new Error('no'))).toEqual([]);
	expect(await after(degraded)).toHaveLength(1);
	watch.stop();
});
