import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import { QueueWorkers, type QueueWorkersOptions } from './queue-workers.js';

/** A fleet whose workers are ready at once, or are given up. */
class Workers {
	workers: ManagedWorker[] = [];
	failing = new Set<number>();

	create({ ids = [] }: { ids?: readonly number[] }): ManagedWorker[] {
		const made = ids.map((id) => {
			const child = Object.assign(new EventEmitter(), {
				lastExit: null,
				start: () => void (this.failing.has(id) ? child.emit('failed', { reason: 'no' }) : child.emit('ready')),
			});
			return { id, label: `worker ${id}`, shardIds: [], child } as unknown as ManagedWorker;
		});
		this.workers = [...this.workers, ...made];
		return made;
	}

	async remove(gone: readonly ManagedWorker[]): Promise<void> {
		this.workers = this.workers.filter((each) => !gone.includes(each));
	}
}

function scaled(options: Partial<QueueWorkersOptions> = {}) {
	const fleet = new Workers();
	const workers = new QueueWorkers({
		workers: fleet as unknown as WorkerFleet,
		hasFile: true,
		totalShards: () => 1,
		isRunning: () => true,
		inTurn: (work) => work(),
		signal: new AbortController().signal,
		...options,
	});
	return { fleet, workers, ids: () => fleet.workers.map(({ id }) => id) };
}

it('adds workers with the lowest free numbers, and ends those with the highest', async () => {
	const { workers, ids } = scaled();
	expect(await workers.scale(3)).toEqual({ from: 0, to: 3 });
	expect(await workers.scale(1)).toEqual({ from: 3, to: 1 });
	expect(ids()).toEqual([0]);
	await workers.scale(2);
	expect([ids(), await workers.scale(2)]).toEqual([[0, 1], { from: 2, to: 2 }]);
});

it('names the workers that were given up, and leaves the others', async () => {
	const { workers, fleet, ids } = scaled();
	fleet.failing.add(1);
	await expect(workers.scale(2)).rejects.toMatchObject({
		code: 'WORKERS_FAILED',
		message: expect.stringContaining('worker 1: no'),
	});
	expect(ids()).toEqual([0, 1]);
});

it.each([
	[{ hasFile: null }, 2, 'OPTIONS_INVALID', /only a fleet with gateway "queue" is scaled/],
	[{ hasFile: false }, 2, 'OPTIONS_INVALID', /no workers to scale/],
	[{}, 0, 'OPTIONS_INVALID', /from 1 to 1000, got 0/],
	[{}, 1001, 'OPTIONS_INVALID', /got 1001/],
	[{ isRunning: () => false }, 2, 'WORKER_UNAVAILABLE', /not running yet/],
])('refuses what cannot be scaled: %o to %d', async (options, count, code, message) => {
	await expect(scaled(options).workers.scale(count)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

it('starts nothing when the manager has stopped before its turn', async () => {
	const stop = new AbortController();
	const { workers, ids } = scaled({
		signal: stop.signal,
		// A deploy has the turn, and the manager stops meanwhile.
		inTurn: async (work) => {
			stop.abort(new Error('the manager was stopped'));
			await work();
		},
	});
	await expect(workers.scale(2)).rejects.toThrow('the manager was stopped');
	expect(ids()).toEqual([]);
});
