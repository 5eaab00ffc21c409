// A worker's new process in a deploy, from the moment at which the old one may no longer be the worker. Ends by `release` (the new version
// has proven itself) or `undo` (the old version is the worker again). The operator may have overwritten the files of the old version, so
// it is brought back as the process that it is: that is kept beside the new one, without the stream, and its clients wait to identify.
// Where it could not be kept, or had to end before the new one was started, it is started again from its files, if they are still there.
import { deferred, describeFatalClose, messageOf, ShardctlError, type ShardReport } from '@shardctl/core';
import type { ExitReport } from '@shardctl/supervisor';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { isLoggedError } from './logged-error.js';

export interface ReplacementOptions {
	/** The worker with the new process. */
	successor: ManagedWorker;
	/** Set aside; null where it could not be kept: it was not ready itself, or had to end first. */
	old: ManagedWorker | null;
	/** The new process is not started yet. */
	hasToStart: boolean;
	/** Ends the new process and makes the old one the worker again. Rejects when that fails. */
	bringBack(old: ManagedWorker): Promise<void>;
	/** Starts the worker again, with the version before where its files are still there. Rejects when it does not become ready. */
	startAgain(): Promise<void>;
	/** The replacement is over: nothing is kept. Called once, after the end of the trial. */
	onOver(): void;
	/** From here on a failure of the new process is the deploy's affair, until the function returned is called. */
	beginTrial(): () => void;
}

/** What happened to a new process that a deploy has to stop for. */
export type FailureListener = (reason: string) => void;

/**
 * What `undo` has led to.
 *
 * resumed    The old process is the worker again.
 * restarted  The files of the old version were started again.
 * same-path  The worker was started again, by a path that leads to the same files as the new version's.
 * new        The new version keeps running: it does, and there is no other.
 */
export type Undone = 'resumed' | 'restarted' | 'same-path' | 'new';

export class Replacement {
	readonly #options: ReplacementOptions;
	readonly #endTrial: () => void;
	#isOver = false;
	readonly #ended = deferred();
	#failure: string | undefined;
	#onFailure: FailureListener = () => {};
	#onError: (line: string) => void = () => {};
	#wasReady: boolean;

	constructor(options: ReplacementOptions) {
		this.#options = options;
		this.#endTrial = options.beginTrial();
		const { child } = options.successor;
		// With an old process that had to end first it is still that one.
		this.#wasReady = !options.hasToStart;
		child.on('ready', this.#onReady);
		child.on('exited', this.#onExited);
		child.on('failed', this.#onGivenUp);
		child.on('log', this.#onLog);
		options.successor.on('shard.status', this.#onShardStatus);
	}

	get worker(): ManagedWorker {
		return this.#options.successor;
	}

	/** Resolves when nothing is kept any more. */
	get over(): Promise<void> {
		return this.#ended.promise;
	}

	/** Whether the new process has become ready. */
	get wasReady(): boolean {
		return this.#wasReady;
	}

	/** Whether the old process is there, and well enough to be the worker again. */
	get isKept(): boolean {
		return !this.#isOver && this.#options.old?.child.state === 'ready';
	}

	/** Watches the new process until the replacement is over. What has happened to it before is reported at once. */
	watch({ onFailure, onError }: { onFailure: FailureListener; onError(line: string): void }): void {
		this.#onFailure = onFailure;
		this.#onError = onError;
		if (this.#failure !== undefined) onFailure(this.#failure);
	}

	/** Resolves when the new process has answered a question. It fails where it takes longer. */
	async prove(timeoutMs: number, signal: AbortSignal): Promise<void> {
		const { successor } = this.#options;
		try {
			await successor.request('ping', null, { timeoutMs, signal });
		} catch (error) {
			signal.throwIfAborted();
			// Another end of the channel is an exit, which is reported with its reason.
			if (!ShardctlError.is(error) || error.code !== 'CALL_TIMEOUT') return;
			this.fail(`it has not answered for ${Math.round(timeoutMs / 1000)} s: something blocks its event loop`);
			// It cannot acknowledge events or log out.
			successor.child.stop({ graceMs: 0 }).catch(() => {});
		}
	}

	/** The new process has proven itself: the old one ends. */
	async release(): Promise<void> {
		if (!this.#end()) return;
		await this.#options.old?.child.stop();
		this.#onOver();
	}

	/** Brings the old version back. Rejects with `WORKER_NOT_READY` when that fails; the restart policy keeps trying then. */
	async undo(): Promise<Undone> {
		const { successor, old, bringBack, startAgain } = this.#options;
		const kept = this.isKept ? old : null;
		if (!this.#end()) return 'new';
		try {
			if (kept) {
				await bringBack(kept);
				return 'resumed';
			}
			await old?.child.stop();
			const isOld = successor.version.canRevert;
			// The same files would give the same version, for a pause.
			if (!isOld && this.#failure === undefined && successor.child.state === 'ready') return 'new';
			await startAgain();
			return isOld ? 'restarted' : 'same-path';
		} catch (error) {
			throw new ShardctlError('WORKER_NOT_READY', `${successor.label} could not be brought back: ${messageOf(error)}`, {
				cause: error,
			});
		} finally {
			this.#onOver();
		}
	}

	#end(): boolean {
		if (this.#isOver) return false;
		this.#isOver = true;
		const { successor } = this.#options;
		successor.child.off('ready', this.#onReady);
		successor.child.off('exited', this.#onExited);
		successor.child.off('failed', this.#onGivenUp);
		successor.child.off('log', this.#onLog);
		successor.off('shard.status', this.#onShardStatus);
		this.#endTrial();
		return true;
	}

	#onOver(): void {
		this.#options.onOver();
		this.#ended.resolve();
	}

	/** The new process has failed; the first reason counts. */
	fail(reason: string): void {
		if (this.#failure !== undefined) return;
		this.#failure = reason;
		this.#onFailure(reason);
	}

	readonly #onReady = () => {
		this.#wasReady = true;
	};
	readonly #onExited = ({ message, reason }: ExitReport) => {
		// The one before it, which had to end first.
		if (reason === 'requested') return;
		// The restart policy would start the new version again, while the old one is about to be the worker.
		if (this.isKept) this.#options.successor.child.stop({ graceMs: 0 }).catch(() => {});
		this.fail(message);
	};
	readonly #onGivenUp = ({ reason }: { reason: string }) => this.fail(reason);
	readonly #onShardStatus = ({ shardId, status, closeCode }: ShardReport) => {
		if (status === 'disconnected') this.fail(`shard ${shardId} was closed with ${describeFatalClose(closeCode)}`);
	};
	readonly #onLog = ({ stream, line }: { stream: 'stdout' | 'stderr'; line: string }) => {
		if (isLoggedError(stream, line)) this.#onError(line);
	};
}
