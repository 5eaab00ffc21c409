// Calls into the bots of all nodes: fans a call out, one message for each node, and puts the outcomes together in order of shard. A worker that
// is with no node at the moment, or with a node that does not respond, is an outcome like any other.
import type { ClusterView, NodeRow } from '@shardctl/cluster';
import {
	type CallOptions,
	type FleetCalls,
	type RemoteCallOptions,
	readCallOptions,
	readEvalOptions,
	readShardId,
	type ScriptSource,
	ShardctlError,
	scriptSource,
	shardIdForGuild,
	type WorkerOutcome,
} from '@shardctl/core';
import { PreparedValue } from '@shardctl/rpc';
import { callOutcomes } from '../calls/broadcast.js';
import { type Calls, readHandlerCall, readPath } from '../calls/calls.js';
import { planSession } from '../plan/plan-session.js';
import { type ClusterTerms, isLive, nameOf, ownerOfShard } from './cluster-nodes.js';
import type { NodeLinks } from './node-links.js';
import type { NodeCall } from './node-methods.js';

export type LocalCalls = Pick<Calls, 'eval' | 'fetchClientValues' | 'call'>;

export interface ClusterCallsOptions {
	links: NodeLinks;
	local: LocalCalls;
	terms(): Pick<ClusterTerms, 'layout' | 'slicing'>;
	defaultTimeoutMs: number;
	/** Undefined: all nodes; else only this one. */
	only?: NodeRow | undefined;
}

type Told = NodeCall extends infer Each ? (Each extends NodeCall ? Omit<Each, 'options'> : never) : never;

/** A node may take this much longer than its workers, whose outcomes would be lost otherwise. */
const spareMs = 1000;
/** Stands for all workers of a node that did not answer, where it is not known which it has. */
const unknownWorker = -1;

export class ClusterCalls implements Pick<FleetCalls, 'broadcastEval' | 'fetchClientValues' | 'call'> {
	readonly #options: ClusterCallsOptions;

	constructor(options: ClusterCallsOptions) {
		this.#options = options;
	}

	readonly broadcastEval: FleetCalls['broadcastEval'] = async (script, target) => {
		const { context, options } = readEvalOptions(target);
		return this.eval(scriptSource(script), context, options);
	};

	readonly fetchClientValues: FleetCalls['fetchClientValues'] = async (path, target) =>
		this.#run({ kind: 'fetch', path: readPath(path) }, readCallOptions(target));

	readonly call: FleetCalls['call'] = async (name, args = [], target?) =>
		this.#run({ kind: 'call', ...readHandlerCall(name, args) }, readCallOptions(target));

	async eval<Value>(script: ScriptSource, context: unknown, options: CallOptions): Promise<Value> {
		return this.#run({ kind: 'eval', script, ...(context === undefined ? {} : { context }) }, options);
	}

	/** @returns What the caller's options say comes back; nothing can check it. */
	async #run<Value>(call: Told, options: CallOptions): Promise<Value> {
		const { shard, guildId, settle = false } = options;
		const { layout } = this.#options.terms();
		if (shard !== undefined || guildId !== undefined) {
			const wanted = shard === undefined ? shardIdForGuild(guildId as string, layout.totalShards) : readShardId(shard, 'shard');
			return (await this.#one(call, wanted, options)) as Value;
		}
		return callOutcomes(await this.#all(call, options), settle) as Value;
	}

	async #one(call: Told, shard: number, options: CallOptions): Promise<unknown> {
		const { links, only } = this.#options;
		const { layout } = this.#options.terms();
		if (shard >= layout.totalShards) throw noSuchShard(shard, layout.totalShards);
		const { guildId: _guildId, ...rest } = options;
		const ask = (view: ClusterView) => {
			const owner = ownerOfShard(view, layout, shard);
			if (!owner) throw unplaced([shard]);
			if (only && only.node !== owner.node) {
				throw new ShardctlError('SHARD_NOT_OWNED', `shard ${shard} is on node ${nameOf(owner)}, not on node ${nameOf(only)}`, {
					details: { shardId: shard, node: nameOf(owner) },
				});
			}
			return this.#ask(owner, call, { ...rest, shard });
		};
		try {
			return await ask(await links.view());
		} catch (error) {
			// It moved since the cluster was read.
			if (!ShardctlError.is(error) || (error.code !== 'SHARD_NOT_OWNED' && error.code !== 'CHANNEL_CLOSED')) throw error;
			const now = await links.read();
			const [before, owner] = [error.details.node, ownerOfShard(now, layout, shard)];
			if (!owner || nameOf(owner) === before) throw error;
			return ask(now);
		}
	}

	/** The outcome in every worker of the bot, in order of shard. */
	async #all(call: Told, { signal, timeoutMs }: CallOptions): Promise<WorkerOutcome[]> {
		const { links, only } = this.#options;
		const { layout, slicing } = this.#options.terms();
		const view = await links.view();
		// Where workers have no shards, each live node may have some.
		const owners = view.nodes.filter((row) =>
			slicing.queue ? isLive(row) : view.sessions.some(({ owner }) => owner === row.node),
		);
		const asked = only ? [only] : owners;
		const options = { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(signal ? { signal } : {}), settle: true };
		const shared = asked.length > 1 ? new PreparedValue({ ...call, options: remote(options) }) : undefined;
		const slicesOf = (node: string | undefined) =>
			Array.from({ length: layout.sessions }, (_, session) => session)
				.filter((session) => view.sessions.find((row) => row.session === session)?.owner === node)
				.flatMap((session) => planSession(layout, session, slicing).slices);
		const parts = await Promise.all(
			asked.map(async (row): Promise<WorkerOutcome[]> => {
				try {
					const outcomes = (await this.#ask(row, call, options, shared)) as WorkerOutcome[];
					return outcomes.map((outcome) => ({ ...outcome, node: nameOf(row) }));
				} catch (reason) {
					// How many workers it has is not known: none of them was asked.
					if (slicing.queue) return [{ status: 'rejected', reason, workerId: unknownWorker, shardIds: [], node: nameOf(row) }];
					return slicesOf(row.node).map((shardIds) => ({
						status: 'rejected',
						reason,
						workerId: shardIds[0] as number,
						shardIds,
						node: nameOf(row),
					}));
				}
			}),
		);
		return complete(parts.flat(), only ? slicesOf(only.node) : allSlices(layout, slicing));
	}

	/** One node, which may be this one. */
	#ask(row: NodeRow, call: Told, options: CallOptions, shared?: PreparedValue): Promise<unknown> {
		const { links, local, defaultTimeoutMs } = this.#options;
		if (row.node === links.door.node.node)
			return answerCall(local, { ...call, options: remote(options) } as NodeCall, options.signal);
		const { signal, timeoutMs = defaultTimeoutMs } = options;
		return links.request(row, 'call', shared ?? ({ ...call, options: remote(options) } as NodeCall), {
			signal,
			timeoutMs: timeoutMs > 0 && Number.isFinite(timeoutMs) ? timeoutMs + spareMs : 0,
		});
	}
}

/** Carries out a call of another node, or of this one, in the workers of this machine. */
export function answerCall(local: LocalCalls, call: NodeCall, signal: AbortSignal | undefined): Promise<unknown> {
	const options: CallOptions = { ...call.options, ...(signal ? { signal } : {}) };
	switch (call.kind) {
		case 'eval':
			return local.eval(call.script, call.context, options);
		case 'fetch':
			return local.fetchClientValues(call.path, options);
		case 'call':
			return local.call(call.name, call.args as never, options);
	}
}

function remote({ shard, guildId, timeoutMs, settle }: CallOptions): RemoteCallOptions {
	return {
		...(shard === undefined ? {} : { shard }),
		...(guildId === undefined ? {} : { guildId }),
		...(timeoutMs === undefined ? {} : { timeoutMs }),
		...(settle === undefined ? {} : { settle }),
	};
}

function allSlices(layout: ClusterTerms['layout'], slicing: ClusterTerms['slicing']): number[][] {
	return Array.from({ length: layout.sessions }, (_, session) => planSession(layout, session, slicing).slices).flat();
}

/** One outcome for each worker, in order of shard: of two nodes that have it, as while it moves, the one where it succeeded. */
export function complete(outcomes: readonly WorkerOutcome[], slices: readonly (readonly number[])[]): WorkerOutcome[] {
	const byShard = new Map<number, WorkerOutcome>();
	for (const outcome of outcomes) {
		for (const id of outcome.shardIds) {
			if (byShard.get(id)?.status !== 'fulfilled') byShard.set(id, outcome);
		}
	}
	const found = new Set([...outcomes.filter(({ shardIds }) => shardIds.length === 0), ...byShard.values()]);
	const missing = slices
		.filter((shardIds) => !shardIds.some((id) => byShard.has(id)))
		.map(
			(shardIds): WorkerOutcome => ({
				status: 'rejected',
				reason: unplaced(shardIds),
				workerId: shardIds[0] as number,
				shardIds,
			}),
		);
	return [...found, ...missing].sort((a, b) => (a.shardIds[0] ?? 0) - (b.shardIds[0] ?? 0));
}

function unplaced(shardIds: readonly number[]): ShardctlError {
	const what = shardIds.length === 1 ? `shard ${shardIds[0]} is` : `shards ${shardIds.join(', ')} are`;
	return new ShardctlError(
		'WORKER_UNAVAILABLE',
		`${what} on no node at the moment: being moved or placed; try again in a moment`,
		{
			details: { shardIds },
		},
	);
}

export function noSuchShard(shardId: number, totalShards: number): ShardctlError {
	return new ShardctlError('SHARD_NOT_OWNED', `there is no shard ${shardId}: the bot has shards 0-${totalShards - 1}`, {
		details: { shardId },
	});
}
