// What follows when a worker reports that its bot does something that does not work under a manager.
import { type BotProblem, ShardctlError } from '@shardctl/core';
import type { ManagedWorker } from './managed-worker.js';
import type { RefusalPolicy } from './refusal-policy.js';
import type { WorkerFleet } from './worker-fleet.js';

const unattached =
	"cannot hook the bot's discord.js (bundled?), so its identifies, calls and stats are not seen. Leave discord.js out of the bundle, " +
	'or call attach(client) from shardctl/worker before client.login()';

export interface BotProblemsOptions {
	workers: Pick<WorkerFleet, 'owns'>;
	refusals: Pick<RefusalPolicy, 'refuse'>;
	logger: { warn(message: string): void };
}

export class BotProblems {
	readonly #options: BotProblemsOptions;
	readonly #logged = new Set<string>();

	constructor(options: BotProblemsOptions) {
		this.#options = options;
	}

	/** Follows a worker for its whole life. */
	watch(worker: ManagedWorker): void {
		worker.on('problem', (problem) => this.#onProblem(worker, problem));
		worker.on('unattached', () => this.#warnOnce(worker, unattached));
	}

	#onProblem(worker: ManagedWorker, { code, message, fatal }: BotProblem): void {
		if (!fatal) {
			this.#warnOnce(worker, message);
			return;
		}
		const { workers, refusals } = this.#options;
		const error = new ShardctlError('BOT_FILE_INVALID', message, { details: { problem: code } });
		// A process beside the worker ends alone, and with it its hand-over: the worker's own bot file runs.
		if (workers.owns(worker)) refusals.refuse(worker, error);
		else worker.child.fail('fatal', error);
	}

	/** Every worker runs the same bot, so a problem is logged for the first one only. */
	#warnOnce(worker: ManagedWorker, message: string): void {
		if (this.#logged.has(message)) return;
		this.#logged.add(message);
		this.#options.logger.warn(`${worker.label}: ${message}`);
	}
}
