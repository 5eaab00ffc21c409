// Calls from the manager to its workers: picks the targets, waits for all of them, and is honest about partial failure.
import {
	type CallOptions,
	formatShardIds,
	isSnowflake,
	messageOf,
	nearestName,
	type ScriptSource,
	ShardctlError,
	shardIdForGuild,
	type WorkerMethods,
	type WorkerOutcome,
} from '@shardctl/core';
import { PreparedValue, type RequestOptions, type Settle } from '@shardctl/rpc';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { ScriptRegistry } from './script-registry.js';

/** The fleet as calls see it. */
export interface CallFleet {
	/** In order of their first shard. */
	readonly workers: readonly ManagedWorker[];
	readonly totalShards: number;
}

type EvalResult = WorkerMethods['eval']['result'];

/** Starts a call to one worker, which ends by what it was given to settle. */
type Ask = (worker: ManagedWorker, options: RequestOptions, settle: Settle<unknown>) => void;

export class Calls {
	readonly #fleet: CallFleet;
	readonly #defaultTimeoutMs: number;
	readonly #scripts = new ScriptRegistry();

	constructor(fleet: CallFleet, defaultTimeoutMs: number) {
		this.#fleet = fleet;
		this.#defaultTimeoutMs = defaultTimeoutMs;
	}

	async eval(source: ScriptSource, context: unknown, options: CallOptions): Promise<unknown> {
		const script = this.#scripts.get(source);
		// The same goes to all workers, so it is encoded once; most of them know the script already.
		const rest = context === undefined ? {} : { context: new PreparedValue(context) };
		const brief = new PreparedValue({ script: script.brief, ...rest });
		const ask: Ask = (worker, request, settle) => {
			const knows = script.sendTo(worker.id, worker.child.epoch);
			const params = knows ? brief : new PreparedValue({ script: script.whole, ...rest });
			const resolve = (result: EvalResult) => {
				if (!('scriptMissing' in result)) settle.resolve(result.value);
				else if (knows) askAgain(worker, request, settle);
				else settle.reject(new ShardctlError('PROTOCOL_ERROR', `${worker.label} does not take the script`));
			};
			worker.ask('eval', params, request, { resolve, reject: (reason) => settle.reject(reason) });
		};
		// The worker keeps a bounded number of scripts; one that it has let go is sent again.
		const askAgain: Ask = (worker, request, settle) => {
			script.forget(worker.id);
			ask(worker, request, settle);
		};
		return this.#run(options, ask);
	}

	async fetchClientValues(path: string, options: CallOptions): Promise<unknown> {
		if (typeof path !== 'string') throw wrongName('a dotted path of the client', path);
		const params = new PreparedValue({ path });
		return this.#run(options, (worker, request, settle) => worker.ask('fetchClientValue', params, request, settle));
	}

	async call(name: string, args: unknown[], options: CallOptions): Promise<unknown> {
		if (typeof name !== 'string') throw wrongName('the name of a handler', name);
		const params = new PreparedValue({ name, args });
		return this.#run(options, (worker, request, settle) => worker.ask('call', params, request, settle));
	}

	/** The worker that owns a shard. Throws `SHARD_NOT_OWNED` when this manager has none. */
	ownerOf(shardId: number): ManagedWorker {
		const owner = this.#fleet.workers.find((worker) => worker.shardIds.includes(shardId));
		if (owner) return owner;
		const owned = formatShardIds(this.#fleet.workers.flatMap(({ shardIds }) => shardIds));
		throw new ShardctlError(
			'SHARD_NOT_OWNED',
			`shard ${shardId} is not run by this manager, which has ${owned ? `shards ${owned}` : 'none'} of ${this.#fleet.totalShards}`,
			{ details: { shardId } },
		);
	}

	#run(options: CallOptions, ask: Ask): Promise<unknown> {
		refuseUnknownOptions(options);
		const { shard, guildId, timeoutMs, settle, signal } = options;
		const request = { timeoutMs: timeoutMs ?? this.#defaultTimeoutMs, ...(signal ? { signal } : {}) };
		const target = this.#target(shard, guildId);
		if (target) {
			const answer = new Promise((resolve, reject) => ask(target, request, { resolve, reject }));
			return settle ? outcome(target, answer) : answer;
		}
		const workers = [...this.#fleet.workers];
		return new Promise((resolve, reject) => {
			const answers = new Answers(workers, () => {
				if (settle) resolve(answers.outcomes());
				else if (answers.failures.size === 0) resolve(answers.values);
				else reject(broadcastFailed(answers.outcomes()));
			});
			for (const [index, worker] of workers.entries()) ask(worker, request, new Answer(answers, index));
		});
	}

	#target(shard: number | undefined, guildId: string | undefined): ManagedWorker | undefined {
		if (shard !== undefined && guildId !== undefined) {
			throw new ShardctlError('OPTIONS_INVALID', 'a call goes to a shard or to a guild, not both');
		}
		if (shard !== undefined) return this.ownerOf(shard);
		if (guildId === undefined) return undefined;
		if (typeof guildId !== 'string' || !isSnowflake(guildId)) {
			throw new ShardctlError('OPTIONS_INVALID', `guildId must be a Discord id as a string, got ${JSON.stringify(guildId)}`);
		}
		return this.ownerOf(shardIdForGuild(guildId, this.#fleet.totalShards));
	}
}

const knownOptions: readonly string[] = ['shard', 'guildId', 'timeoutMs', 'settle', 'signal'] satisfies (keyof CallOptions)[];

/** A mistyped target must not turn a call to one worker into a call to all. */
function refuseUnknownOptions(options: CallOptions): void {
	const unknown = Object.keys(options).find((key) => !knownOptions.includes(key));
	if (unknown === undefined) return;
	const meant = nearestName(unknown, knownOptions);
	const hint = meant ? `; did you mean "${meant}"?` : `; there are ${knownOptions.join(', ')}`;
	throw new ShardctlError('OPTIONS_INVALID', `a call has no option "${unknown}"${hint}`);
}

function wrongName(what: string, got: unknown): ShardctlError {
	return new ShardctlError('OPTIONS_INVALID', `${what} must be a text, got ${got === null ? 'null' : typeof got}`);
}

/** Collects what the workers of a broadcast answer. A promise per worker would be dear: thousands of calls may be under way. */
class Answers {
	/** In order of the workers; undefined where one failed. */
	readonly values: unknown[];
	/** What the others failed with, by their place. */
	readonly failures = new Map<number, unknown>();
	readonly #workers: readonly ManagedWorker[];
	readonly #onComplete: () => void;
	#waiting: number;

	constructor(workers: readonly ManagedWorker[], onComplete: () => void) {
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

/** What the call to the worker at one place ends by. */
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

async function outcome({ id: workerId, shardIds }: ManagedWorker, answer: Promise<unknown>): Promise<WorkerOutcome> {
	try {
		return { status: 'fulfilled', value: await answer, workerId, shardIds };
	} catch (reason) {
		return { status: 'rejected', reason, workerId, shardIds };
	}
}

function broadcastFailed(outcomes: readonly WorkerOutcome[]): ShardctlError {
	const failed = outcomes.filter((result) => result.status === 'rejected');
	const [first] = failed;
	const what = first ? `; worker ${first.workerId} (shards ${formatShardIds(first.shardIds)}): ${messageOf(first.reason)}` : '';
	return new ShardctlError('BROADCAST_FAILED', `${failed.length} of ${outcomes.length} workers failed${what}`, {
		cause: first?.reason,
		details: { outcomes },
	});
}
