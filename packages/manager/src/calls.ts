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
import { PreparedValue } from '@shardctl/rpc';
import type { ManagedWorker } from './managed-worker.js';
import { ScriptRegistry } from './script-registry.js';

/** The fleet as calls see it. */
export interface CallFleet {
	/** In order of their first shard. */
	readonly workers: readonly ManagedWorker[];
	readonly totalShards: number;
}

type EvalParams = WorkerMethods['eval']['params'];

type Ask = (worker: ManagedWorker, options: { timeoutMs: number; signal?: AbortSignal }) => Promise<unknown>;

export class Calls {
	readonly #fleet: CallFleet;
	readonly #defaultTimeoutMs: number;
	readonly #scripts = new ScriptRegistry();

	constructor(fleet: CallFleet, defaultTimeoutMs: number) {
		this.#fleet = fleet;
		this.#defaultTimeoutMs = defaultTimeoutMs;
	}

	async eval(script: ScriptSource, context: unknown, options: CallOptions): Promise<unknown> {
		// The same goes to all workers, so it is encoded once; most of them know the script already.
		const rest = context === undefined ? {} : { context: new PreparedValue(context) };
		let withoutSource: PreparedValue | undefined;
		return this.#run(options, async (worker, request) => {
			const known = this.#scripts.scriptFor(script, { id: worker.id, epoch: worker.child.epoch });
			if (known.source === undefined) withoutSource ??= new PreparedValue({ script: known, ...rest });
			const params = known.source === undefined && withoutSource ? withoutSource : { script: known, ...rest };
			const result = await worker.request('eval', params, request);
			if (!('scriptMissing' in result)) return result.value;
			// The worker keeps a bounded number of scripts; one that it has let go is sent again.
			return evalWithSource(worker, { script: { ...known, ...script }, ...rest }, request);
		});
	}

	fetchClientValues(path: string, options: CallOptions): Promise<unknown> {
		if (typeof path !== 'string') return Promise.reject(wrongName('a dotted path of the client', path));
		return this.#run(options, (worker, request) => worker.request('fetchClientValue', { path }, request));
	}

	call(name: string, args: unknown[], options: CallOptions): Promise<unknown> {
		if (typeof name !== 'string') return Promise.reject(wrongName('the name of a handler', name));
		return this.#run(options, (worker, request) => worker.request('call', { name, args }, request));
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

	async #run(options: CallOptions, ask: Ask): Promise<unknown> {
		refuseUnknownOptions(options);
		const { shard, guildId, timeoutMs, settle, signal } = options;
		const request = { timeoutMs: timeoutMs ?? this.#defaultTimeoutMs, ...(signal ? { signal } : {}) };
		const target = this.#target(shard, guildId);
		if (target) return settle ? outcome(target, ask(target, request)) : ask(target, request);
		const workers = [...this.#fleet.workers];
		const answers = await askAll(workers, (worker) => ask(worker, request));
		if (!settle && answers.failures.size === 0) return answers.values;
		const outcomes = outcomesOf(workers, answers);
		if (settle) return outcomes;
		throw broadcastFailed(outcomes);
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

async function evalWithSource(worker: ManagedWorker, params: EvalParams, request: Parameters<Ask>[1]): Promise<unknown> {
	const result = await worker.request('eval', params, request);
	if ('scriptMissing' in result) throw new ShardctlError('PROTOCOL_ERROR', `${worker.label} does not take the script`);
	return result.value;
}

interface Answers {
	/** In order of the workers; undefined where one failed. */
	values: unknown[];
	/** What the others rejected with, by their place. */
	failures: Map<number, unknown>;
}

/** Asks all workers and waits for each. A promise per worker and no more: thousands of calls may be under way. */
function askAll(workers: readonly ManagedWorker[], ask: (worker: ManagedWorker) => Promise<unknown>): Promise<Answers> {
	return new Promise((resolve) => {
		const answers: Answers = { values: Array.from({ length: workers.length }), failures: new Map() };
		let waiting = workers.length;
		const settled = () => {
			waiting--;
			if (waiting === 0) resolve(answers);
		};
		if (waiting === 0) resolve(answers);
		for (const [index, worker] of workers.entries()) {
			ask(worker).then(
				(value) => {
					answers.values[index] = value;
					settled();
				},
				(reason: unknown) => {
					answers.failures.set(index, reason);
					settled();
				},
			);
		}
	});
}

function outcomesOf(workers: readonly ManagedWorker[], { values, failures }: Answers): WorkerOutcome[] {
	return workers.map(({ id: workerId, shardIds }, index) =>
		failures.has(index)
			? { status: 'rejected', reason: failures.get(index), workerId, shardIds }
			: { status: 'fulfilled', value: values[index], workerId, shardIds },
	);
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
