// One replacement at a time of the same worker: a second one waits until the first is over, and that of a deploy is over when nothing of it
// can be undone any more. Replacements of different workers do not wait for each other.
import { deferred, orAborted } from '@shardctl/core';
import type { Replacement } from './replacement.js';

export class WorkerTurns {
	/** The end of the last replacement of each worker, by its id. Never rejects. */
	readonly #last = new Map<number, Promise<void>>();

	/** Rejects as the work does, or with the signal's reason where it has aborted by the time of the turn: then nothing is started. */
	take(workerId: number, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
		const done = (this.#last.get(workerId) ?? Promise.resolve()).then(() => {
			signal?.throwIfAborted();
			return work();
		});
		this.#last.set(
			workerId,
			done.catch(() => {}),
		);
		return done;
	}

	/** As {@link take}, of several workers at once. */
	takeAll(workerIds: readonly number[], signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
		const before = Promise.all(workerIds.map((id) => this.#last.get(id) ?? Promise.resolve()));
		const done = before.then(() => {
			signal?.throwIfAborted();
			return work();
		});
		const over = done.catch(() => {});
		for (const id of workerIds) this.#last.set(id, over);
		return done;
	}

	/** As {@link take}, with a turn that ends with the replacement, or when the signal aborts. */
	hold(workerId: number, signal: AbortSignal | undefined, begin: () => Promise<Replacement>): Promise<Replacement> {
		const begun = deferred<Replacement>();
		this.take(workerId, signal, async () => {
			const replacement = await begin();
			begun.resolve(replacement);
			await (signal ? orAborted(replacement.over, signal) : replacement.over).catch(() => {});
		}).catch((error: unknown) => begun.reject(error));
		return begun.promise;
	}
}
