// The cluster as this node's manager uses it: the whole fleet for its callers, its bots and its control API, and what a person may change of the
// placement. Which sessions this node has, and how they move, is decided in packages/cluster; membership.ts carries it out.
import type { ClusterView, NodeRow } from '@shardctl/cluster';
import type {
	ClusterInfo,
	DrainOutcome,
	DrainRequest,
	Fleet,
	FleetCluster,
	FleetEvent,
	FollowRequest,
	FrameSink,
	NodeFeed,
	NodeInfo,
	SessionMove,
	SessionPlace,
} from '@shardctl/control';
import {
	botKey,
	type DeployOutcome,
	type DeployStats,
	describeShards,
	ShardctlError,
	sessionOfShard,
	sessionsOfShards,
	sleep,
} from '@shardctl/core';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import { planSession } from '../plan/plan-session.js';
import { atNode } from './at-node.js';
import { ClusterCalls, type LocalCalls, noSuchShard } from './cluster-calls.js';
import type { DeployConductor, DeployState } from './cluster-deploys.js';
import {
	type ClusterTerms,
	isLive,
	namedMoves,
	nameOf,
	nodeInfos,
	nodeNamed,
	ownerOfShard,
	requestedMove,
	requireOthers,
	sessionCount,
	sessionPlaces,
} from './cluster-nodes.js';
import type { ClusterReshards } from './cluster-reshards.js';
import { FollowedStreams } from './followed-streams.js';
import { NodeFeeds } from './node-feeds.js';
import { NodeLinks } from './node-links.js';
import { RemoteFleet } from './remote-fleet.js';
import { requestChange } from './requested-change.js';
import { layoutNow, requireNoReshard, sessionsEach } from './reshard-entry.js';
import { serveNode } from './serve-node.js';
import { type ClusterTable, type NodeFleet, WholeFleet } from './whole-fleet.js';

export interface ClusterOptions {
	options: ResolvedManagerOptions;
	/** Into the workers of this machine. */
	calls: LocalCalls;
	/** To a worker of this machine, or to all. */
	send(shardId: number | null, message: unknown): Promise<void>;
	/** What this machine runs. */
	local(): Fleet;
	reshards: Pick<ClusterReshards, 'reshard' | 'stats' | 'shardsLeft'>;
}

const pollMs = 100;
const defaultDeadlineMs = 120_000;
/** How long a node may take to mark itself. */
const markTimeoutMs = 5000;

export class Cluster implements FleetCluster {
	readonly links: NodeLinks;
	readonly calls: ClusterCalls;
	readonly whole: WholeFleet;
	readonly #options: ClusterOptions;
	readonly #feeds: NodeFeeds;
	readonly #streams: FollowedStreams;
	#feed: NodeFeed | undefined;
	#engine: Promise<{ engine: string; version: string }> | undefined;
	readonly #remote = new Map<string, RemoteFleet>();

	constructor(given: ClusterOptions) {
		const { options } = given;
		this.#options = given;
		const { token, clock, cluster } = options;
		this.links = new NodeLinks({
			token,
			secret: cluster?.secret,
			clock,
			serve: (peer) => {
				this.#feeds.listen(peer);
				serveNode(peer, {
					local: given.local(),
					calls: given.calls,
					send: given.send,
					drain: async (draining) => this.links.door.node.update({ draining }),
					stop: (how) => void given.local().stop(how),
					deploys: () => this.whole.deploys,
					recentEvents: () => this.#feed?.recentEvents() ?? [],
					streams: this.#streams,
				});
			},
			closing: () => this.#streams.close(),
		});
		const feed = () => this.#feed;
		this.#streams = new FollowedStreams({ clock, node: this.node, feed });
		this.#feeds = new NodeFeeds({ links: this.links, clock, feed });
		this.calls = this.#callsTo(undefined);
		this.whole = new WholeFleet({
			clock,
			get local() {
				return given.local();
			},
			calls: this.calls,
			totalShards: () => given.local().totalShards,
			nodes: () => this.#fleets(),
			table: () => this.#table(),
			conductors: () => this.#conductors(),
			reshards: given.reshards,
		});
	}

	get node(): string {
		return this.#options.options.cluster?.node ?? '';
	}

	get joined(): boolean {
		return this.links.isOpen;
	}

	serve(feed: NodeFeed): void {
		this.#feed = feed;
	}

	async fleetOf(name: string): Promise<Fleet> {
		const row = nodeNamed(await this.links.read(), name);
		return this.#fleetOf(row);
	}

	async nodes(): Promise<ClusterInfo> {
		const view = await this.links.read();
		const { redis } = this.links.door;
		// It may be another one after a failover; that is worth no question each second.
		this.#engine ??= import('@shardctl/cluster').then(({ engineFacts }) => engineFacts(redis));
		this.#engine.catch(() => {
			this.#engine = undefined;
		});
		const { engine, version } = await this.#engine;
		const app = botKey(this.#options.options.token);
		const nodes = nodeInfos(view, this.#terms());
		return {
			cluster: { app, engine, version },
			nodes: this.#options.options.queue ? await this.#withReaders(nodes, view) : nodes,
		};
	}

	/** Workers of a queue do not follow from the sessions: each node says how many it has, and one that does not respond may have any number. */
	async #withReaders(infos: NodeInfo[], view: ClusterView): Promise<NodeInfo[]> {
		const live = new Map(view.nodes.filter(isLive).map((row) => [nameOf(row), row]));
		return Promise.all(
			infos.map(async (info) => {
				const row = live.get(info.name);
				const workers =
					row &&
					(await this.#fleetOf(row)
						.getWorkers()
						.catch(() => undefined));
				return { ...info, workers: workers?.length ?? null };
			}),
		);
	}

	async placement(): Promise<SessionPlace[]> {
		return sessionPlaces(await this.links.read(), this.#terms());
	}

	async drain(request: DrainRequest): Promise<DrainOutcome> {
		const { node: name = this.node, deadlineMs = defaultDeadlineMs, undo = false, force = false, wait = true, signal } = request;
		const { clock } = this.#options.options;
		const until = clock.monotonic() + deadlineMs;
		if (!undo) this.#requireState();
		const before = await this.links.read();
		const row = nodeNamed(before, name);
		const had = sessionCount(before, this.#terms(), row.node);
		// A Redis that was restarted knows the other nodes only when its quiet period is over.
		if (!undo && !force && before.quietMs === 0) requireOthers(before, row);
		await this.#mark(row, !undo);
		if (undo || !wait) return { node: name, moved: 0, left: had };
		for (;;) {
			const view = await this.links.read();
			const left = sessionCount(view, this.#terms(), row.node);
			const moved = Math.max(0, had - left);
			if (left === 0 && view.quietMs === 0) return { node: name, moved, left };
			const hasOthers = view.nodes.some((each) => each.node !== row.node && isLive(each) && !each.member?.draining);
			if (!hasOthers && view.quietMs === 0) {
				// With force nothing else can happen to it.
				if (force) return { node: name, moved, left };
				requireOthers(view, row);
			}
			if (clock.monotonic() >= until) {
				throw new ShardctlError(
					'CALL_TIMEOUT',
					`node "${name}" still has ${left} of ${had} sessions after ${deadlineMs / 1000} s; it stays marked as draining, and they continue to move`,
					{ details: { node: name, moved, left } },
				);
			}
			await sleep(clock, pollMs, signal);
		}
	}

	async move({
		shardId,
		node,
		signal,
	}: {
		shardId: number;
		node: string;
		signal?: AbortSignal;
	}): Promise<SessionMove & { moved: boolean }> {
		const { clock } = this.#options.options;
		this.#requireState();
		const { layout, slicing } = this.#terms();
		const view = await this.#readSettled(signal);
		const target = nodeNamed(view, node);
		const session = sessionOfShard(layout, shardId);
		const from = ownerOfShard(view, layout, shardId);
		const at = { node: this.links.door.node, clock, signal };
		const moved = await requestChange((now) => requestedMove(now, layout, { shardId, node }), at);
		const { shardIds } = planSession(layout, session, slicing);
		const outcome = { shardIds, from: from ? nameOf(from) : node, to: node, moved: moved || from?.node !== target.node };
		for (;;) {
			const now = await this.links.read();
			const row = now.sessions.find((each) => each.session === session);
			if (row?.owner === target.node && row.phase === 'held' && (await this.#isReady(target, shardIds))) {
				return { sessions: sessionsOfShards(layoutNow(now, layout), shardIds), ...outcome };
			}
			const isThere = row?.owner === target.node || row?.target === target.node;
			if (!isThere && row?.owner !== undefined) {
				throw new ShardctlError(
					'WORKER_NOT_READY',
					`the move of ${describeShards(shardIds)} to node "${node}" was called off; node "${nameById(now.nodes, row.owner)}" has the session`,
					{ details: { shardIds, node } },
				);
			}
			if (now.quietMs <= 0 && !now.nodes.some((each) => each.node === target.node && isLive(each))) nodeNamed(now, node);
			await sleep(clock, pollMs, signal);
		}
	}

	async rebalance({ dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal }): Promise<SessionMove[]> {
		const { rebalanceMoves, rebalanceStep } = await import('@shardctl/cluster');
		this.#requireState();
		const { clock } = this.#options.options;
		const terms = this.#terms();
		const { sessions } = terms.layout;
		if (dryRun) {
			const view = await this.#readSettled(signal);
			requireNoReshard(view, terms.layout);
			return namedMoves(view, terms, rebalanceMoves(view, sessions, sessionsEach(view, terms.layout)));
		}
		const made = new Map<number, SessionMove>();
		for (;;) {
			let isMoving = false;
			let begun: [number, SessionMove][] = [];
			const hasBegun = await requestChange(
				(now) => {
					requireNoReshard(now, terms.layout);
					isMoving = now.sessions.some(({ phase }) => phase !== 'held');
					if (isMoving) return [];
					const all = rebalanceStep(now, sessions, sessionsEach(now, terms.layout));
					const step = all.filter(({ session }) => !made.has(session));
					begun = step.flatMap((change) =>
						namedMoves(now, terms, [change]).map((move): [number, SessionMove] => [change.session, move]),
					);
					return step;
				},
				{ node: this.links.door.node, clock, signal },
			);
			if (!hasBegun && !isMoving) return [...made.values()];
			for (const [session, move] of begun) made.set(session, move);
			await sleep(clock, pollMs, signal);
		}
	}

	/** The table once no quiet period is left: within it nothing is planned, and a node may look as if it were gone. */
	async #readSettled(signal: AbortSignal | undefined): Promise<ClusterView> {
		for (;;) {
			const view = await this.links.read();
			if (view.quietMs <= 0) return view;
			await sleep(this.#options.options.clock, pollMs, signal);
		}
	}

	async stopNodes({ node, ...how }: { node?: string; graceMs?: number; reason: string }): Promise<string[]> {
		const view = await this.links.read();
		const self = this.links.door.node.node;
		const rows = node === undefined ? view.nodes.filter((row) => isLive(row) && row.node !== self) : [nodeNamed(view, node)];
		const drain = node !== undefined;
		await Promise.all(rows.map((row) => this.links.request(row, 'stop', { ...how, drain }, { timeoutMs: markTimeoutMs })));
		const { clock } = this.#options.options;
		const asked = new Set(rows.map((row) => row.node));
		for (;;) {
			const now = await this.links.read();
			if (!now.nodes.some((row) => asked.has(row.node) && row.leaseMs > 0)) return rows.map(nameOf);
			await sleep(clock, pollMs);
		}
	}

	async recentEvents(node?: string): Promise<FleetEvent[]> {
		const asked = await this.#rows(node);
		const lists = await Promise.allSettled(
			asked.map(async ({ row, isSelf }) =>
				isSelf
					? [...(this.#feed?.recentEvents() ?? [])]
					: this.links.request(row, 'recentEvents', null, { timeoutMs: markTimeoutMs }),
			),
		);
		const [only] = lists;
		if (node !== undefined && only?.status === 'rejected') throw only.reason;
		return lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : [])).sort((a, b) => a.at - b.at);
	}

	follow(
		sink: FrameSink,
		{ node, ...request }: FollowRequest & { node?: string | undefined },
		signal: AbortSignal,
	): Promise<void> {
		return this.#feeds.follow(sink, request, () => this.#rows(node), signal);
	}

	/** To `process.on('message')` of the worker that owns a shard. */
	async send(shardId: number, message: unknown): Promise<void> {
		const { layout } = this.#terms();
		if (shardId >= layout.totalShards) throw noSuchShard(shardId, layout.totalShards);
		const owner = ownerOfShard(await this.links.view(), layout, shardId);
		if (!owner)
			throw new ShardctlError('WORKER_UNAVAILABLE', `shard ${shardId} is on no node at the moment; try again in a moment`);
		return this.#sendTo(owner, shardId, message);
	}

	/** To every worker of every node. */
	async broadcast(message: unknown): Promise<void> {
		const rows = await this.#rows(undefined);
		await Promise.all(rows.map(({ row }) => atNode(nameOf(row), this.#sendTo(row, null, message))));
	}

	/** `true` once the worker of a shard is ready again, `false` when it could not be. */
	async respawnShard(shardId: number): Promise<boolean> {
		const { layout } = this.#terms();
		if (shardId >= layout.totalShards) throw noSuchShard(shardId, layout.totalShards);
		const workers = await this.whole.getWorkers();
		const worker = workers.find(({ shardIds }) => shardIds.includes(shardId));
		if (!worker)
			throw new ShardctlError('WORKER_UNAVAILABLE', `shard ${shardId} is on no node at the moment; try again in a moment`);
		try {
			return await this.whole.replaceWorker(worker.id, 'respawn requested');
		} catch (error) {
			if (ShardctlError.is(error) && error.code === 'WORKER_NOT_READY') return false;
			throw error;
		}
	}

	async #sendTo(row: NodeRow, shardId: number | null, message: unknown): Promise<void> {
		if (this.#isSelf(row)) return this.#options.send(shardId, message);
		await this.links.request(row, 'send', { shardId, message }, { timeoutMs: this.#options.options.callTimeoutMs });
	}

	#terms(): ClusterTerms {
		const { layout, timings } = this.links.door;
		return { layout, timings, slicing: this.#options.options };
	}

	/** Without shared state a session that goes to another node starts there with an IDENTIFY, which no one may request by a move. */
	#requireState(): void {
		if (this.#options.options.cluster?.state !== 'none') return;
		throw new ShardctlError(
			'OPTIONS_INVALID',
			'this cluster shares no state (--cluster-state none), so its sessions cannot move; stop a node to have the others start its sessions',
		);
	}

	#isSelf(row: NodeRow): boolean {
		return row.node === this.links.door.node.node;
	}

	/** The live nodes, or the one of this name. */
	async #rows(name: string | undefined): Promise<{ row: NodeRow; isSelf: boolean }[]> {
		const { view } = await this.links.look();
		const rows = name === undefined ? view.nodes.filter(isLive) : [nodeNamed(view, name)];
		return rows.map((row) => ({ row, isSelf: this.#isSelf(row) })).sort((a, b) => (nameOf(a.row) < nameOf(b.row) ? -1 : 1));
	}

	async #fleets(): Promise<NodeFleet[]> {
		return (await this.#rows(undefined)).map(({ row, isSelf }) => ({ name: nameOf(row), fleet: this.#fleetOf(row), isSelf }));
	}

	async #table(): Promise<ClusterTable> {
		const { view, problem } = await this.links.look();
		const terms = this.#terms();
		return {
			nodes: nodeInfos(view, terms),
			places: sessionPlaces(view, terms),
			sessionsEach: sessionsEach(view, terms.layout),
			problem,
		};
	}

	async #conductors(): Promise<DeployConductor[]> {
		const others = (await this.#rows(undefined)).filter(({ isSelf }) => !isSelf);
		const found = await Promise.allSettled(
			others.map(async ({ row }): Promise<DeployConductor> => {
				const state = (await this.links.request(row, 'deploy', { ask: 'state' }, { timeoutMs: markTimeoutMs })) as DeployState;
				return {
					...state,
					cancel: (id, options) => this.links.request(row, 'deploy', { ask: 'cancel', id, ...options }) as Promise<DeployStats>,
					outcome: (id) => this.links.request(row, 'deploy', { ask: 'outcome', id }) as Promise<DeployOutcome>,
				};
			}),
		);
		return found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
	}

	#fleetOf(row: NodeRow): Fleet {
		if (this.#isSelf(row)) return this.#options.local();
		const known = this.#remote.get(row.node);
		if (known) return known;
		const { name, totalShards, queue } = this.#options.local();
		const fleet = new RemoteFleet({
			row,
			links: this.links,
			calls: this.#callsTo(row),
			name,
			totalShards,
			queue,
			stop: async ({ graceMs, reason = 'another node' }) => {
				await this.stopNodes({ node: nameOf(row), reason, ...(graceMs === undefined ? {} : { graceMs }) });
			},
		});
		// Incarnations that are gone; there are as many as nodes were restarted.
		for (const node of this.#remote.keys())
			if (!this.links.lastView?.nodes.some((each) => each.node === node)) this.#remote.delete(node);
		this.#remote.set(row.node, fleet);
		return fleet;
	}

	#callsTo(only: NodeRow | undefined): ClusterCalls {
		return new ClusterCalls({
			links: this.links,
			local: this.#options.calls,
			terms: () => this.#terms(),
			defaultTimeoutMs: this.#options.options.callTimeoutMs,
			only,
		});
	}

	async #mark(row: NodeRow, draining: boolean): Promise<void> {
		if (this.#isSelf(row)) return this.links.door.node.update({ draining });
		await this.links.request(row, 'drain', { draining }, { timeoutMs: markTimeoutMs });
	}

	async #isReady(row: NodeRow, shardIds: readonly number[]): Promise<boolean> {
		const fleet = this.#fleetOf(row);
		if (this.#options.options.queue) {
			const { shards, queue } = await fleet.getStats();
			// Until a group subscribes, no session starts anywhere.
			const isIdle = queue?.connected === true && queue.groups.length === 0;
			return isIdle || shardIds.every((id) => shards.some(({ shardId, ready }) => shardId === id && ready));
		}
		const workers = await fleet.getWorkers();
		return shardIds.every((id) =>
			workers.some((worker) => worker.shardIds.includes(id) && worker.statuses[worker.shardIds.indexOf(id)] === 'ready'),
		);
	}
}

function nameById(rows: readonly NodeRow[], node: string): string {
	const row = rows.find((each) => each.node === node);
	return row ? nameOf(row) : node;
}
