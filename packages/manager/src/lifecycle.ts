// The life of one manager. It never starts twice, so that a caller cannot meet a fleet that is half gone.
//
// idle      Made. Nothing runs, nothing is open.
// starting  `spawn` was called. What is running by then is ended if the start fails.
// running   The start has ended with at least one worker that is ready. It stays so whatever becomes of the workers.
// stopping  `stop` was called, or the start has failed: nothing new is started, and everything is being ended.
// stopped   Nothing of it is left.
import { type Deferred, deferred, ShardctlError } from '@shardctl/core';

export type LifecycleState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped';

/** Which states may follow which. */
export const lifecycleTransitions: Record<LifecycleState, readonly LifecycleState[]> = {
	idle: ['starting', 'stopping'],
	starting: ['running', 'stopping'],
	running: ['stopping'],
	stopping: ['stopped'],
	stopped: [],
};

export class Lifecycle {
	#state: LifecycleState = 'idle';
	readonly #stopped: Deferred<void> = deferred();

	get state(): LifecycleState {
		return this.#state;
	}

	/** Resolves in `stopped`. */
	get stopped(): Promise<void> {
		return this.#stopped.promise;
	}

	/** The one writer of the state. */
	enter(to: LifecycleState): void {
		if (!lifecycleTransitions[this.#state].includes(to)) {
			throw new ShardctlError('INTERNAL', `a manager cannot change from ${this.#state} to ${to}`);
		}
		this.#state = to;
		if (to === 'stopped') this.#stopped.resolve();
	}
}
