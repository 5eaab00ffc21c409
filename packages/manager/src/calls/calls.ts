// The calls into a fleet, carried to its workers: picks the targets and sends each script's text once per process.
import {
	type CallOptions,
	describeValue,
	type FleetCalls,
	readCallOptions,
	readEvalOptions,
	readShardId,
	type ScriptSource,
	ShardctlError,
	scriptSource,
	shardIdForGuild,
	shardNotOwned,
	type WorkerMethods,
} from '@shardctl/core';
import { PreparedValue, type RequestOptions, type Settle } from '@shardctl/rpc';
import { type CallTrace, tracedCall } from '../diagnostics/channels.js';
import { askAll, askOne } from './broadcast.js';
import type { CallFleet, CallWorker } from './call-worker.js';
import { ScriptRegistry } from './script-registry.js';

type EvalResult = WorkerMethods['eval']['result'];

/** Starts the request of a call to one worker. */
type Send<Worker> = (worker: Worker, options: RequestOptions, settle: Settle<unknown>) => void;

export class Calls<Worker extends CallWorker = CallWorker>
	implements Pick<FleetCalls, 'broadcastEval' | 'fetchClientValues' | 'call'>
{
	readonly #fleet: CallFleet<Worker>;
	readonly #defaultTimeoutMs: number;
	readonly #manager: string;
	readonly #scripts = new ScriptRegistry();

	/** @param manager Name of the fleet, for traces. */
	constructor(fleet: CallFleet<Worker>, defaultTimeoutMs: number, manager = '') {
		this.#fleet = fleet;
		this.#manager = manager;
		this.#defaultTimeoutMs = defaultTimeoutMs;
	}

	/** Fields, not methods: their generic types are those of the interface. */
	readonly broadcastEval: FleetCalls['broadcastEval'] = async (script, target) => {
		const { context, options } = readEvalOptions(target);
		return this.eval(scriptSource(script), context, options);
	};

	readonly fetchClientValues: FleetCalls['fetchClientValues'] = async (path, target) => {
		const params = new PreparedValue({ path: readPath(path) });
		return this.#run({ method: 'fetchClientValues', name: path }, readCallOptions(target), (worker, request, settle) =>
			worker.ask('fetchClientValue', params, request, settle),
		);
	};

	readonly call: FleetCalls['call'] = async (name, args = [], target?) => {
		const params = new PreparedValue(readHandlerCall(name, args));
		return this.#run({ method: 'call', name }, readCallOptions(target), (worker, request, settle) =>
			worker.ask('call', params, request, settle),
		);
	};

	/** As {@link broadcastEval}, for a script whose text is known. */
	async eval<Value>(source: ScriptSource, context: unknown, options: CallOptions): Promise<Value> {
		const script = this.#scripts.get(source);
		// All workers receive the same, so it is encoded once; most of them have the script already.
		const rest = context === undefined ? {} : { context: new PreparedValue(context) };
		const reference = new PreparedValue({ script: script.reference, ...rest });
		const send: Send<Worker> = (worker, request, settle) => {
			const has = script.sendTo(worker);
			const params = has ? reference : new PreparedValue({ script: script.full, ...rest });
			const resolve = (result: EvalResult) => {
				if (!('scriptMissing' in result)) settle.resolve(result.value);
				else if (has) sendAgain(worker, request, settle);
				else settle.reject(new ShardctlError('PROTOCOL_ERROR', `${worker.label} keeps reporting the script as missing`));
			};
			worker.ask('eval', params, request, { resolve, reject: (reason) => settle.reject(reason) });
		};
		// A worker keeps a bounded number of scripts; one that it has dropped is sent again.
		const sendAgain: Send<Worker> = (worker, request, settle) => {
			script.forget(worker);
			send(worker, request, settle);
		};
		return this.#run({ method: 'broadcastEval', name: null }, options, send);
	}

	/** Those that a call to all reaches. */
	get workers(): readonly Worker[] {
		return this.#fleet.workers;
	}

	/** The worker that owns a shard. Throws `SHARD_NOT_OWNED` when this manager has none. */
	ownerOf(shardId: number): Worker {
		const wanted = readShardId(shardId);
		const { workers, totalShards } = this.#fleet;
		const owner = workers.find((worker) => worker.shardIds.includes(wanted));
		if (owner) return owner;
		throw shardNotOwned(wanted, { shardIds: workers.flatMap(({ shardIds }) => shardIds), totalShards });
	}

	/** @returns What the caller's options say comes back; nothing can check it. */
	#run<Value>(
		what: Pick<CallTrace, 'method' | 'name'>,
		{ shard, guildId, timeoutMs, settle = false, signal }: CallOptions,
		send: Send<Worker>,
	): Promise<Value> {
		const request = { timeoutMs: timeoutMs ?? this.#defaultTimeoutMs, ...(signal ? { signal } : {}) };
		const ask = (worker: Worker, answer: Settle<unknown>) => send(worker, request, answer);
		const target = this.#target(shard, guildId);
		const workers = target ? [target] : [...this.#fleet.workers];
		const run = () => (target ? askOne(target, settle, ask) : askAll(workers, settle, ask)) as Promise<Value>;
		return tracedCall({ manager: this.#manager, ...what, workers: workers.length }, run);
	}

	#target(shard: number | undefined, guildId: string | undefined): Worker | undefined {
		if (shard !== undefined) return this.ownerOf(shard);
		if (guildId === undefined) return undefined;
		// Without a plan no guild has a shard; any id then gives the same refusal.
		return this.ownerOf(shardIdForGuild(guildId, this.#fleet.totalShards || 1));
	}
}

/** A dotted path. Throws `OPTIONS_INVALID`. */
export function readPath(path: unknown): string {
	if (typeof path === 'string') return path;
	throw notAString('the path', path);
}

/** The name of a handler and its arguments. Throws `OPTIONS_INVALID`. */
export function readHandlerCall(name: unknown, args: unknown): { name: string; args: unknown[] } {
	if (typeof name !== 'string') throw notAString('the name of a handler', name);
	if (Array.isArray(args)) return { name, args };
	throw new ShardctlError('OPTIONS_INVALID', `the arguments of a handler must be an array, got ${describeValue(args)}`);
}

function notAString(what: string, got: unknown): ShardctlError {
	return new ShardctlError('OPTIONS_INVALID', `${what} must be a string, got ${describeValue(got)}`);
}
