import type { HealthChange } from '@shardctl/control';
import type { FleetHealth, HealthCause } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { HealthWatch } from './health-watch.js';

const cause = (kind: HealthCause['kind'], shardIds: number[], rest: Partial<HealthCause> = {}) =>
	({ kind, shardIds, message: kind, since: null, ...rest }) as HealthCause;

function watched(first: FleetHealth | Error) {
	const clock = fakeClock(1_000_000);
	const world = { health: first, suspects: false, looks: 0 };
	const changes: HealthChange[] = [];
	const watch = new HealthWatch({
		clock,
		health: async () => {
			world.looks++;
			if (world.health instanceof Error) throw world.health;
			return world.health;
		},
		suspects: () => world.suspects,
		onChange: (change) => changes.push(change),
	});
	return {
		clock,
		watch,
		world,
		/** The reports since the last call. */
		async after(next: FleetHealth | Error) {
			world.health = next;
			watch.note();
			await clock.advance(2000);
			return changes.splice(0);
		},
	};
}

const healthy: FleetHealth = { status: 'healthy', served: 4, shards: 4, causes: [] };
const away = cause('session-down', [2, 3], { message: 'shards 2-3 have no connection, 1 failed attempt' });
const degraded: FleetHealth = { status: 'degraded', served: 2, shards: 4, causes: [away] };

it('B7: reports an end for every cause that begins, with its duration', async () => {
	const { after, watch, clock } = watched(healthy);
	expect(await after(healthy)).toEqual([]);
	expect(await after(degraded)).toEqual([{ status: 'degraded', served: 2, shards: 4, began: [away], ended: [] }]);
	const down = cause('worker-down', [0], { since: clock.now() - 500 });
	expect(await after({ ...degraded, served: 1, causes: [away, down] })).toMatchObject([{ served: 1, began: [down], ended: [] }]);
	expect(await after({ ...degraded, causes: [down] })).toMatchObject([{ began: [], ended: [{ ...away, lastedMs: 4000 }] }]);
	const ended = [{ ...down, lastedMs: 6500 }];
	expect(await after(healthy)).toMatchObject([{ status: 'healthy', served: 4, began: [], ended: [ended[0]] }]);
	watch.stop();
	expect(clock.pendingTimers()).toBe(0);
});

it('counts an outage from its beginning, though its figures and its shards change', async () => {
	const { after, watch } = watched(healthy);
	await after(degraded);
	expect(await after({ ...degraded, causes: [{ ...away, message: '2 failed attempts', tries: 2 }] })).toEqual([]);
	const wider = cause('session-down', [1, 2, 3]);
	expect(await after({ ...degraded, causes: [wider] })).toMatchObject([{ began: [wider], ended: [] }]);
	// Recovery, shard by shard, is not reported as trouble again.
	expect(await after({ ...degraded, served: 3, causes: [cause('session-down', [1])] })).toEqual([]);
	expect(await after(healthy)).toMatchObject([{ ended: [{ shardIds: [1], lastedMs: 8000 }] }]);
	watch.stop();
});

it('does not report what is only progress: a requested restart, a session that moves to this node', async () => {
	const { after, watch } = watched(healthy);
	const starting = cause('starting', [2], { effect: 'progress' });
	const arriving: FleetHealth = { status: 'down', served: 0, shards: 1, causes: [starting] };
	expect(await after(arriving)).toEqual([]);
	expect(await after(healthy)).toEqual([]);
	await after(arriving);
	expect(await after({ ...arriving, causes: [cause('worker-down', [2])] })).toMatchObject([{ began: [{ kind: 'worker-down' }] }]);
	expect(await after(healthy)).toMatchObject([{ status: 'healthy', ended: [{ kind: 'worker-down' }] }]);
	watch.stop();
});

it('distinguishes causes of one kind by their shards', async () => {
	const { after, watch } = watched(healthy);
	const [first, second] = [cause('worker-down', [0, 1]), cause('worker-down', [2, 3])];
	await after({ ...degraded, causes: [first] });
	expect(await after({ ...degraded, causes: [second] })).toMatchObject([{ began: [second], ended: [{ shardIds: [0, 1] }] }]);
	watch.stop();
});

it('treats unavailable figures as no change, and asks again', async () => {
	const { after, watch, world } = watched(healthy);
	expect(await after(new Error('no'))).toEqual([]);
	world.health = healthy;
	expect(await after(degraded)).toHaveLength(1);
	watch.stop();
});

it('judges a healthy fleet seldom, and at once when there is a reason', async () => {
	const { after, watch, world, clock } = watched(healthy);
	await after(healthy);
	world.looks = 0;
	await clock.advance(60_000);
	expect(world.looks).toBe(6);
	watch.note();
	await clock.advance(2000);
	expect(world.looks).toBe(7);
	world.suspects = true;
	await clock.advance(4000);
	expect(world.looks).toBe(9);
	world.suspects = false;
	await after(degraded);
	await clock.advance(4000);
	expect(world.looks).toBe(12);
	watch.stop();
});
