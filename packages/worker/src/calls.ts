// The calls that a bot can make to the rest of the fleet, all of them answered by the manager.
import {
	type ManagerMethods,
	type RemoteCallOptions,
	type RespawnAllOptions,
	type ScriptKind,
	ShardctlError,
} from '@shardctl/core';
import type { WorkerRuntime } from './runtime.js';

export interface CallOptions extends RemoteCallOptions {
	/** Cancels the call; workers that still work on it are told. */
	signal?: AbortSignal;
}

export interface BroadcastEvalOptions extends CallOptions {
	/** Handed to the script as its second argument. */
	context?: unknown;
}

/** The calls, bound to a runtime. */
export function calls(runtime: WorkerRuntime) {
	/** Sends a request whose deadline the manager keeps; ours is only for a manager that does not answer at all. */
	function ask<M extends keyof ManagerMethods & string>(
		method: M,
		params: ManagerMethods[M]['params'],
		{ timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined } = {},
	): Promise<ManagerMethods[M]['result']> {
		return runtime.request(method, params, {
			timeoutMs: timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs + 5000,
			...(signal ? { signal } : {}),
		});
	}

	return {
		broadcastEval(script: unknown, { context, signal, ...options }: BroadcastEvalOptions = {}): Promise<unknown> {
			const { kind, source } = scriptSource(script);
			return ask('broadcastEval', { kind, source, context, options }, { ...options, signal });
		},
		fetchClientValues(path: string, { signal, ...options }: CallOptions = {}): Promise<unknown> {
			return ask('fetchClientValues', { path, options }, { ...options, signal });
		},
		call(name: string, args: unknown[], { signal, ...options }: CallOptions = {}): Promise<unknown> {
			return ask('call', { name, args, options }, { ...options, signal });
		},
		respawnShard: (shardId: number) => ask('respawnShard', { shardId }),
		respawnAll: (options: RespawnAllOptions) => ask('respawnAll', options),
		getShardStats: (options: { fresh?: boolean } = {}) => ask('getShardStats', options),
	};
}

/** The text of a script that travels; only functions and strings have one. */
function scriptSource(script: unknown): { kind: ScriptKind; source: string } {
	if (typeof script === 'function') return { kind: 'function', source: String(script) };
	if (typeof script === 'string') return { kind: 'text', source: script };
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`broadcastEval takes a function or a string, got ${script === null ? 'null' : typeof script}`,
	);
}
