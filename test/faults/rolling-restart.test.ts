// Rolling restarts of real workers: one at a time, and no further than the first failure.
import { expect, it } from 'vitest';
import { startFleet } from './fleet.js';

it('restarts one after the other, the next only when the last is ready again, and reports each step', async () => {
	const fleet = await startFleet({ simulator: { shards: 3 } });
	const before = [0, 1, 2].map((id) => fleet.pidOf(id));
	const steps: string[] = [];
	let fewestReady = 3;
	fleet.manager.on('restart:progress', ({ workerId, step, done, total }) => steps.push(`${workerId} ${step} ${done}/${total}`));
	fleet.manager.on('worker:state', () => {
		const ready = fleet.manager.workers.filter(({ child }) => child.state === 'ready').length;
		fewestReady = Math.min(fewestReady, ready);
	});
	await fleet.manager.respawnAll();
	expect(fewestReady).toBe(2);
	expect(steps).toEqual([0, 1, 2].flatMap((id) => [`${id} restarting ${id}/3`, `${id} ready ${id + 1}/3`]));
	const after = [0, 1, 2].map((id) => fleet.pidOf(id));
	expect(after.filter((pid) => before.includes(pid))).toEqual([]);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});

it('a deploy whose new process exits at its start costs one worker: the rest is untouched', async () => {
	const fleet = await startFleet({ simulator: { shards: 4 } });
	const before = [0, 1, 2, 3].map((id) => fleet.pidOf(id));
	fleet.dieAtStart(1, 1000);
	await expect(fleet.manager.respawnAll()).rejects.toMatchObject({
		code: 'WORKER_NOT_READY',
		message: expect.stringMatching(/^worker 1 \(shard 1\) did not .*dies while starting.* 2 of 4 workers were left unchanged$/),
		details: { workerId: 1, restarted: 1, untouched: 2 },
	});
	expect([fleet.pidOf(2), fleet.pidOf(3)]).toEqual(before.slice(2));
	// Detected after one replacement, not after a window of them.
	expect(fleet.manager.workers[1]?.child.epoch).toBeLessThanOrEqual(3);
	await fleet.stop();
});

it('a second one waits for the first, so that no two workers are down', async () => {
	const fleet = await startFleet({ simulator: { shards: 2 } });
	let fewestReady = 2;
	fleet.manager.on('worker:state', () => {
		fewestReady = Math.min(fewestReady, fleet.manager.workers.filter(({ child }) => child.state === 'ready').length);
	});
	await Promise.all([fleet.manager.respawnAll(), fleet.manager.respawnAll()]);
	expect(fewestReady).toBe(1);
	expect(fleet.manager.workers.map(({ child }) => child.epoch)).toEqual([3, 3]);
	await fleet.stop();
});

it('a stop in the middle ends it', async () => {
	const fleet = await startFleet({ simulator: { shards: 3 } });
	const restart = fleet.manager.respawnAll().catch((error: unknown) => error);
	await new Promise<void>((resolve) => fleet.manager.once('restart:progress', () => resolve()));
	await fleet.stop();
	expect(await restart).toMatchObject({ code: 'MANAGER_STOPPED' });
});
