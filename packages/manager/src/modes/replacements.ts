// Replaces workers on request: one, or all of them in turn. How one is replaced is the session mode's affair.
import type { RestartProgress } from '@shardctl/control';
import { type Clock, type RespawnAllOptions, readRespawnAllOptions, ShardctlError } from '@shardctl/core';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { restartInTurn } from '../workers/rolling-restart.js';
import type { SessionMode } from './session-mode.js';

export interface ReplacementsOptions {
	mode: Pick<SessionMode, 'replace'>;
	/** In order of their first shard. */
	workers(): readonly ManagedWorker[];
	clock: Clock;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
	onProgress(progress: RestartProgress): void;
}

export class Replacements {
	readonly #options: ReplacementsOptions;
	/** The last restart of all, or deploy; the next one begins when it has ended. */
	#last: Promise<void> = Promise.resolve();

	constructor(options: ReplacementsOptions) {
		this.#options = options;
	}

	/** `true` once the new process is ready, `false` when it could not be. */
	async one(worker: ManagedWorker, reason: string): Promise<boolean> {
		try {
			await this.#options.mode.replace(worker, { reason });
			return true;
		} catch (error) {
			if (ShardctlError.is(error) && error.code === 'WORKER_NOT_READY') return false;
			throw error;
		}
	}

	/** See `ShardManager.respawnAll`. */
	async all(options?: RespawnAllOptions): Promise<void> {
		const { rolling = true, parallel = 1, delayMs = 0 } = readRespawnAllOptions(options);
		const { mode, workers, clock, signal, onProgress } = this.#options;
		// One failed replacement is enough to stop; the policy keeps trying with that worker, and the others are left unchanged.
		const how = { reason: 'restart of all requested', giveUpAfterExits: 1 };
		const restart = () => {
			const restartable = workers().map((worker) => ({
				id: worker.id,
				shardIds: worker.shardIds,
				restart: () => mode.replace(worker, how),
			}));
			return restartInTurn(restartable, {
				parallel: rolling ? parallel : restartable.length,
				delayMs,
				clock,
				signal,
				onProgress,
			});
		};
		return this.inTurn(restart);
	}

	/** Restarts of all workers, and deploys, are one at a time: two would take down twice as many workers as either allowed. */
	inTurn(work: () => Promise<void>): Promise<void> {
		const done = this.#last.then(work);
		this.#last = done.catch(() => {});
		return done;
	}
}
