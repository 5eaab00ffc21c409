// Keeps the record of the workers' processes from the moment at which the manager holds its name, so that a later manager of that name
// finds what this one may leave behind. A manager without a name of its own keeps none.
import type { Clock } from '@shardctl/core';
import type { SupervisedChild } from '@shardctl/supervisor';
import type { Logger } from 'pino';
import { endOrphans, WorkerRecord } from './orphans.js';

export class ProcessRecords {
	readonly #options: { clock: Clock; logger: Pick<Logger, 'warn'> };
	#record: WorkerRecord | undefined;

	constructor(options: { clock: Clock; logger: Pick<Logger, 'warn'> }) {
		this.#options = options;
	}

	/** Ends the processes that an earlier manager left in the record at this path, and begins a record there. */
	async adopt(path: string, signal: AbortSignal): Promise<void> {
		await endOrphans(path, { ...this.#options, signal });
		this.#record = new WorkerRecord(path);
	}

	/** Records each process of a worker while it lives. */
	watch(child: SupervisedChild): void {
		child.on('spawned', ({ pid }) => this.#record?.add(pid));
		child.on('exited', ({ pid }) => {
			if (pid !== null) this.#record?.remove(pid);
		});
	}
}
