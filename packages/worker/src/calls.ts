// The calls that a bot can make to the rest of the fleet. The manager handles all of them.
import {
	type CallOptions,
	type FleetCalls,
	type ManagerMethods,
	readCallOptions,
	readEvalOptions,
	readRespawnAllOptions,
	readShardId,
	readShardStatsOptions,
	scriptSource,
} from '@shardctl/core';

/** This side waits longer than the call's deadline by this: the manager enforces the deadline, unless it does not reply at all. */
const managerMarginMs = 5000;

/** The part of the runtime that the calls need. */
export interface ManagerRequests {
	request<M extends keyof ManagerMethods & string>(
		method: M,
		params: ManagerMethods[M]['params'],
		options?: { timeoutMs?: number; signal?: AbortSignal },
	): Promise<ManagerMethods[M]['result']>;
}

const noDeadline = { timeoutMs: Number.POSITIVE_INFINITY };

/** Fields, not methods: their types are those of the interface, and they can be passed on without their object. */
export class WorkerCalls implements FleetCalls {
	readonly #manager: ManagerRequests;

	constructor(manager: ManagerRequests) {
		this.#manager = manager;
	}

	readonly broadcastEval: FleetCalls['broadcastEval'] = async (script, target) => {
		const { context, options } = readEvalOptions(target);
		return this.#ask('broadcastEval', { ...scriptSource(script), context }, options);
	};

	readonly fetchClientValues: FleetCalls['fetchClientValues'] = async (path, target) =>
		this.#ask('fetchClientValues', { path }, readCallOptions(target));

	readonly call: FleetCalls['call'] = async (name, args = [], target?) =>
		this.#ask('call', { name, args }, readCallOptions(target));

	/** A worker that replaces itself gets no reply. */
	readonly respawnShard: FleetCalls['respawnShard'] = async (shardId) =>
		this.#manager.request('respawnShard', { shardId: readShardId(shardId) }, noDeadline);

	readonly respawnAll: FleetCalls['respawnAll'] = async (options) => {
		await this.#manager.request('respawnAll', readRespawnAllOptions(options), noDeadline);
	};

	readonly getShardStats: FleetCalls['getShardStats'] = async (options) =>
		this.#manager.request('getShardStats', readShardStatsOptions(options));

	/** @returns What the caller's options say comes back; nothing can check it. */
	async #ask<Value>(
		method: 'broadcastEval' | 'fetchClientValues' | 'call',
		params: Omit<ManagerMethods[typeof method]['params'], 'options'>,
		{ signal, ...options }: CallOptions,
	): Promise<Value> {
		const result = await this.#manager.request(method, { ...params, options } as ManagerMethods[typeof method]['params'], {
			// 0 is no deadline, as for the manager.
			timeoutMs: options.timeoutMs ? options.timeoutMs + managerMarginMs : Number.POSITIVE_INFINITY,
			...(signal ? { signal } : {}),
		});
		return result as Value;
	}
}
