// One request of a route and its major parameter at a time, in fair turns between workers. The queues of @discordjs/rest do that per bucket,
// but the bucket of a route is known only after its first answer: what was queued before that would be sent beside what is queued later.
import { FairQueue } from '../limits/fair-queue.js';

interface Waiting {
	admit(): void;
}

export class BucketLanes {
	/** Those that are in use: one request is let through, the others wait. */
	readonly #lanes = new Map<string, FairQueue<number, Waiting>>();

	/** Runs the work when its turn has come. Rejects with the signal's reason where that comes first. */
	async run(lane: string, source: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
		await this.#enter(lane, source, signal);
		try {
			await work();
		} finally {
			this.#leave(lane);
		}
	}

	#enter(lane: string, source: number, signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			signal.throwIfAborted();
			const queue = this.#lanes.get(lane);
			if (!queue) {
				this.#lanes.set(lane, new FairQueue());
				resolve();
				return;
			}
			const onAbort = () => {
				queue.remove(source, waiting);
				reject(signal.reason);
			};
			const waiting: Waiting = {
				admit: () => {
					signal.removeEventListener('abort', onAbort);
					resolve();
				},
			};
			signal.addEventListener('abort', onAbort, { once: true });
			queue.push(source, waiting);
		});
	}

	#leave(lane: string): void {
		const next = this.#lanes.get(lane)?.shift();
		if (next) next.admit();
		else this.#lanes.delete(lane);
	}
}
