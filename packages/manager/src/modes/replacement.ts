// A worker's new process after it has taken over, with the old one kept beside it. The operator has overwritten the files of the old
// version, so the old version can be brought back only as the process that it is: it keeps running without the stream, and its clients
// wait to identify. Ends by `release` (the old process ends) or `undo` (the new one ends, the old one is the worker again).
import { messageOf, ShardctlError, type ShardReport } from '@shardctl/core';
import type { ExitReport } from '@shardctl/supervisor';
import type { ManagedWorker } from '../workers/managed-worker.js';

export interface ReplacementOptions {
	/** The worker's new process. */
	successor: ManagedWorker;
	/** Null where it could not be kept: it was not ready itself, or had to end first. */
	old: ManagedWorker | null;
	/** Ends the new process and makes the old one the worker again. Rejects when that fails. */
	bringBack(old: ManagedWorker): Promise<void>;
	/** The replacement is over: nothing is kept. */
	onOver(): void;
}

/** What happened to a new process that a deploy has to stop for. */
export type FailureListener = (reason: string) => void;

export class Replacement {
	readonly #options: ReplacementOptions;
	#over = false;
	/** What happened before anybody watched. */
	#failure: string | undefined;
	#onFailure: FailureListener = (reason) => {
		this.#failure ??= reason;
	};
	#countError: () => void = () => {};

	constructor(options: ReplacementOptions) {
		this.#options = options;
		const { child } = options.successor;
		child.on('exited', this.#onExited);
		child.on('failed', this.#onGivenUp);
		child.on('log', this.#onLog);
		options.successor.on('shard.status', this.#onShardStatus);
	}

	get worker(): ManagedWorker {
		return this.#options.successor;
	}

	/** Whether the old process is there, and well enough to be the worker again. */
	get canUndo(): boolean {
		return !this.#over && this.#options.old?.child.state === 'ready';
	}

	/** Watches the new process until the replacement is over. */
	watch({ onFailure, onError }: { onFailure: FailureListener; onError(): void }): void {
		this.#onFailure = onFailure;
		this.#countError = onError;
		if (this.#failure !== undefined) onFailure(this.#failure);
	}

	/** The new process has proven itself: the old one ends. */
	async release(): Promise<void> {
		if (!this.#end()) return;
		await this.#options.old?.child.stop();
		this.#options.onOver();
	}

	/** Ends the new process and makes the old one the worker again. Resolves with false where there is none to bring back. */
	async undo(): Promise<boolean> {
		const { successor, old, bringBack, onOver } = this.#options;
		const kept = this.canUndo ? old : null;
		if (!this.#end()) return false;
		if (!kept) {
			await old?.child.stop();
			// Where its death was met while an old process was still there, nothing else would start it again.
			successor.child.start();
			onOver();
			return false;
		}
		try {
			await bringBack(kept);
			return true;
		} catch (error) {
			throw new ShardctlError('WORKER_NOT_READY', `${kept.label} could not be brought back: ${messageOf(error)}`, {
				cause: error,
			});
		} finally {
			onOver();
		}
	}

	#end(): boolean {
		if (this.#over) return false;
		this.#over = true;
		const { successor } = this.#options;
		successor.child.off('exited', this.#onExited);
		successor.child.off('failed', this.#onGivenUp);
		successor.child.off('log', this.#onLog);
		successor.off('shard.status', this.#onShardStatus);
		return true;
	}

	readonly #onExited = ({ message }: ExitReport) => {
		// The restart policy would start the new version again, while the old one is about to be the worker.
		if (this.canUndo) void this.#options.successor.child.stop({ graceMs: 0 });
		this.#onFailure(message);
	};
	readonly #onGivenUp = ({ reason }: { reason: string }) => this.#onFailure(reason);
	readonly #onShardStatus = ({ shardId, status, closeCode }: ShardReport) => {
		if (status === 'disconnected') this.#onFailure(`shard ${shardId} was closed with ${closeCode} and does not reconnect`);
	};
	readonly #onLog = ({ stream, line }: { stream: string; line: string }) => {
		if (isLoggedError(stream, line)) this.#countError();
	};
}

/** A line of standard error that begins an error, or a JSON line of that level: `{"level":50,…}`, `{"level":"error",…}`. */
export function isLoggedError(stream: string, line: string): boolean {
	if (/"level":\s*(?:[56]0\b|"(?:error|fatal|critical)")/i.test(line)) return true;
	return stream === 'stderr' && /^(?!\s)(?:.*\b)?(?:\w*Error\b|ERROR\b|FATAL\b|error:)/.test(line);
}
