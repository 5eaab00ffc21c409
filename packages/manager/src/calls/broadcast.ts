// Collects the answers of the workers to one call: all values, or an error that has every worker's outcome.
import { describeFailure, ShardctlError, type WorkerOutcome } from '@shardctl/core';
import type { Settle } from '@shardctl/rpc';
import type { CallWorker } from './call-worker.js';

/** Starts the request to one worker; `settle` receives its result. */
export type Ask<Worker extends CallWorker> = (worker: Worker, settle: Settle<unknown>) => void;

/**
 * Asks every worker. Resolves with their values in the order of the workers, or with `settle` with their outcomes; without it rejects
 * with `BROADCAST_FAILED` when one fails.
 */
export function askAll<Worker extends CallWorker>(
	workers: readonly Worker[],
	settle: boolean,
	ask: Ask<Worker>,
): Promise<unknown[]> {
	return new Promise((resolve, reject) => {
		const answers = new Answers(workers, () => {
			if (settle) resolve(answers.outcomes());
			else if (answers.failures.size === 0) resolve(answers.values);
			else reject(broadcastFailed(answers.outcomes()));
		});
		for (const [index, worker] of workers.entries()) ask(worker, new Answer(answers, index));
	});
}

/** Asks one worker. Resolves with its value, or with `settle` with its outcome. */
export async function askOne<Worker extends CallWorker>(worker: Worker, settle: boolean, ask: Ask<Worker>): Promise<unknown> {
	const answer = new Promise((resolve, reject) => ask(worker, { resolve, reject }));
	if (!settle) return answer;
	const { id: workerId, shardIds } = worker;
	try {
		return { status: 'fulfilled', value: await answer, workerId, shardIds } satisfies WorkerOutcome;
	} catch (reason) {
		return { status: 'rejected', reason, workerId, shardIds } satisfies WorkerOutcome;
	}
}

/** The answers to a broadcast. One object for all workers: thousands of calls may be in flight, and a promise per worker is expensive. */
class Answers {
	/** In the order of the workers; undefined where one failed. */
	readonly values: unknown[];
	/** The reasons of those that failed, by their place. */
	readonly failures = new Map<number, unknown>();
	readonly #workers: readonly CallWorker[];
	readonly #onComplete: () => void;
	#waiting: number;

	constructor(workers: readonly CallWorker[], onComplete: () => void) {
		this.#workers = workers;
		this.#onComplete = onComplete;
		this.#waiting = workers.length;
		this.values = workers.map(() => undefined);
		if (this.#waiting === 0) queueMicrotask(onComplete);
	}

	resolve(index: number, value: unknown): void {
		this.values[index] = value;
		this.#count();
	}

	reject(index: number, reason: unknown): void {
		this.failures.set(index, reason);
		this.#count();
	}

	outcomes(): WorkerOutcome[] {
		return this.#workers.map(({ id: workerId, shardIds }, index) =>
			this.failures.has(index)
				? { status: 'rejected', reason: this.failures.get(index), workerId, shardIds }
				: { status: 'fulfilled', value: this.values[index], workerId, shardIds },
		);
	}

	#count(): void {
		this.#waiting--;
		if (this.#waiting === 0) this.#onComplete();
	}
}

/** Receives the answer of the worker at one place. */
class Answer implements Settle<unknown> {
	readonly #answers: Answers;
	readonly #index: number;

	constructor(answers: Answers, index: number) {
		this.#answers = answers;
		this.#index = index;
	}

	resolve(value: unknown): void {
		this.#answers.resolve(this.#index, value);
	}

	reject(reason: unknown): void {
		this.#answers.reject(this.#index, reason);
	}
}

/** What the caller of a broadcast gets for its outcomes: with `settle` these, else the values, or the error. */
export function callOutcomes(outcomes: WorkerOutcome[], settle: boolean): unknown[] {
	if (settle) return outcomes;
	if (outcomes.some(({ status }) => status === 'rejected')) throw broadcastFailed(outcomes);
	return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
}

function broadcastFailed(outcomes: readonly WorkerOutcome[]): ShardctlError {
	const failed = outcomes.filter((result) => result.status === 'rejected');
	const [first] = failed;
	const what = first ? `; ${describeFailure(first, first.reason)}` : '';
	return new ShardctlError('BROADCAST_FAILED', `${failed.length} of ${outcomes.length} workers failed${what}`, {
		cause: first?.reason,
		details: { outcomes },
	});
}
