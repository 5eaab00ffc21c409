// The calls into a fleet, carried to its workers: picks the targets and sends each script's text once per process.
import {
	type CallOptions,
	describeValue,
	type FleetCalls,
	isScriptMissing,
	readCallOptions,
	readEvalOptions,
	readShardId,
	type ScriptSource,
	ShardctlError,
	scriptSource,
	shardIdForGuild,
	shardNotOwned,
} from '@shardctl/core';
import { PreparedValue, type RequestOptions, type Settle } from '@shardctl/rpc';
import { type CallTrace, tracedCall } from '../diagnostics/channels.js';
import { askAll, askOne } from './broadcast.js';
import type { CallFleet, CallWorker } from './call-worker.js';
import { type KnownScript, ScriptRegistry } from './script-registry.js';

/** Starts the request of a call to one worker. */
type Send<Worker> = (worker: Worker, options: RequestOptions, settle: Settle<unknown>) => void;

/** A script on its way to workers. All of them receive the same, so it is encoded once; most of them have its text already. */
class ScriptCall<Worker extends CallWorker> {
	readonly #script: KnownScript;
	readonly #context: { context?: PreparedValue };
	readonly #reference: PreparedValue;

	constructor(script: KnownScript, context: unknown) {
		this.#script = script;
		this.#context = context === undefined ? {} : { context: new PreparedValue(context) };
		this.#reference = new PreparedValue({ script: script.id, ...this.#context });
	}

	send(worker: Worker, request: RequestOptions, settle: Settle<unknown>): void {
		const has = this.#script.sendTo(worker);
		const { id, text } = this.#script;
		const params = has ? this.#reference : new PreparedValue({ script: id, text, ...this.#context });
		worker.ask('eval', params, request, new ScriptAnswer(this, { worker, request, settle, has }));
	}

	/** A worker has failed. Where it is because it has no text of the script, of which it keeps a bounded number, it is sent that. */
	failed({ worker, request, settle, has }: ScriptRequest<Worker>, reason: unknown): void {
		if (!isScriptMissing(reason, this.#script.id)) {
			settle.reject(reason);
		} else if (has) {
			this.#script.forget(worker);
			this.send(worker, request, settle);
		} else settle.reject(new ShardctlError('PROTOCOL_ERROR', `${worker.label} keeps reporting the script as missing`));
	}
}

/** A script sent to one worker, by its id alone if the worker `has` the text. */
interface ScriptRequest<Worker extends CallWorker> {
	readonly worker: Worker;
	readonly request: RequestOptions;
	readonly settle: Settle<unknown>;
	readonly has: boolean;
}

/** Receives the result of a script. One object and no closures: thousands of calls may be in flight, each to every worker. */
class ScriptAnswer<Worker extends CallWorker> implements ScriptRequest<Worker>, Settle<unknown> {
	readonly #call: ScriptCall<Worker>;
	readonly worker: Worker;
	readonly request: RequestOptions;
	readonly settle: Settle<unknown>;
	readonly has: boolean;

	constructor(call: ScriptCall<Worker>, { worker, request, settle, has }: ScriptRequest<Worker>) {
		this.#call = call;
		this.worker = worker;
		this.request = request;
		this.settle = settle;
		this.has = has;
	}

	resolve(result: unknown): void {
		this.settle.resolve(result);
	}

	reject(reason: unknown): void {
		this.#call.failed(this, reason);
	}
}

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
		const call = new ScriptCall<Worker>(this.#scripts.get(source), context);
		const send: Send<Worker> = (worker, request, settle) => call.send(worker, request, settle);
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
		const shardIds = workers.flatMap((worker) => worker.shardIds);
		throw shardNotOwned(wanted, { shardIds, totalShards, isQueue: workers.length > 0 && shardIds.length === 0 });
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
