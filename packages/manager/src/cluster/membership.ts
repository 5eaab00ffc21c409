// This manager as a node of a cluster: joins, plans with the others, and leaves. Which sessions it has is decided in packages/cluster; what
// becomes of each of them here is in carried-sessions.
import type { ClusterNode, ClusterView } from '@shardctl/cluster';
import {
	botKey,
	describeShards,
	type GatewayClusterConfig,
	type IdentifyCoordinator,
	type Layout,
	type LimitPart,
	type LimitWish,
	messageOf,
	orAborted,
	type SessionLease,
	ShardctlError,
	sessionOfShard,
	sessionsOfShards,
	sleep,
} from '@shardctl/core';
import type { EmitFleetEvent } from '../events.js';
import type { Carried } from '../modes/carried.js';
import type { SessionToCarry } from '../modes/carried-session.js';
import type { ResolvedClusterOptions } from '../options/cluster-options.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import { planSession } from '../plan/plan-session.js';
import type { StartOutcome } from '../workers/start-watch.js';
import { CarriedSessions } from './carried-sessions.js';
import { type ClusterConnection, connectToCluster } from './cluster-connection.js';
import { sessionCount } from './cluster-nodes.js';
import type { ClusterReshards } from './cluster-reshards.js';
import { DiscordReach } from './discord-reach.js';
import { firstPlacement, liveNodes } from './first-placement.js';
import { GoneNodes } from './gone-nodes.js';
import { announceLeave, askedToJoin, drainNode, joinCluster } from './node-entry.js';
import type { NodeLinks } from './node-links.js';
import { isRunning, layoutNow, reshardEntry, sessionsEach, startedLayout } from './reshard-entry.js';
import { SharingNodes } from './sharing-nodes.js';
import { sparesFor } from './spares-for.js';

export interface MembershipOptions {
	options: ResolvedManagerOptions;
	cluster: ResolvedClusterOptions;
	/** Of shardctl. */
	version: string;
	/** Starts the processes of a session. */
	carry(session: SessionToCarry): Carried;
	/** How many processes wait for sessions that come to this node. */
	keepSpares(count: number): void;
	/** Asks Discord's gateway for anything at all; resolves with whether there was an answer. */
	probe(): Promise<boolean>;
	emit: EmitFleetEvent;
	/** To the other nodes, from before this one joins until it has left. */
	links: Pick<NodeLinks, 'open' | 'note' | 'close'>;
	/** Hears of each table that was read. */
	reshards: Pick<ClusterReshards, 'note'>;
	/** The sessions with Discord, before any of them is this node's. */
	onLayout(layout: Layout): void;
}

const pollMs = 100;

/** What there is from {@link Membership.join} on. */
interface Place {
	readonly layout: Layout;
	readonly node: ClusterNode;
	readonly sessions: CarriedSessions;
}

export class Membership {
	readonly #options: MembershipOptions;
	#connection: ClusterConnection | undefined;
	#place: Place | undefined;
	#joined = false;
	#view: ClusterView | undefined;
	readonly #sharing: SharingNodes;
	/** Ends a drain that is under way. */
	readonly #hurry = new AbortController();
	#redisFails = false;
	readonly #reach: DiscordReach;
	/** What the cluster is still to learn about {@link #reach}. */
	#reachToSay: boolean | undefined;
	/** Monotonic; undefined before the first mute, and while the lease is confirmed. */
	#mutedSince: number | undefined;

	constructor(options: MembershipOptions) {
		this.#options = options;
		const { probe } = options;
		this.#sharing = new SharingNodes(options.cluster.expect);
		this.#reach = new DiscordReach({ clock: options.options.clock, probe, onChanged: (reaches) => this.#onReach(reaches) });
	}

	/**
	 * Connects to Redis. Rejects with `REDIS_UNAVAILABLE`, or `REDIS_UNSUITABLE` with everything that is wrong with it. Resolves with the
	 * coordinator of all nodes.
	 */
	async connect(): Promise<IdentifyCoordinator> {
		const { options, cluster } = this.#options;
		this.#connection = await connectToCluster({
			options,
			cluster,
			nodes: () => this.#sharing.count,
			onFailed: (error) => this.#onRedisFailed(error),
		});
		return this.#connection.coordinator;
	}

	/** What asks for this node's part of the limit of REST requests that all nodes share. */
	restLimit(perSecond: number): (wish: LimitWish) => Promise<LimitPart> {
		return this.#connected().restLimit(perSecond);
	}

	/**
	 * Joins. Resolves when every session has an owner, and those of this node are ready or were given up. Rejects with `NODE_NAME_TAKEN`,
	 * `CLUSTER_MISMATCH`, or the signal's reason. `onJoined`: called when the cluster has accepted this node, before any session is placed.
	 */
	async join(
		{ layout: planned, maxConcurrency, onJoined }: { layout: Layout; maxConcurrency: number; onJoined?(): void },
		signal: AbortSignal,
	): Promise<StartOutcome> {
		const { options, links, emit, onLayout } = this.#options;
		const { clock, logger } = options;
		const { redis, keys, timings, ready } = this.#connected();
		const { readCluster } = await import('@shardctl/cluster');
		// Without it, a node that was started with the sessions to which the cluster was resharded would be refused.
		const reading = askedToJoin(() => readCluster({ redis, keys }), { reconnected: ready, logger });
		// Where Redis does not answer twice, it is tried again below.
		const before = await reading.catch(() => ({ layout: undefined, reshard: undefined }));
		const { gateway, totalShards } = options;
		const anySessions = totalShards !== 'auto' && gateway?.sessions === 'auto';
		const layout = startedLayout(before, planned, { anySessions });
		onLayout(layoutNow(before, layout));
		const { node, sessions } = await this.#makePlace(layout, maxConcurrency);
		if (!this.#movable) {
			logger.warn(
				`a session that gets to another node starts there with an IDENTIFY, and nothing is moved to even out the nodes, because ${this.#whyNotMovable}`,
			);
		}
		// Who sees it in the table can call it.
		await links.open({ node, redis, keys, timings, layout });
		const since = clock.monotonic();
		await joinCluster({ node, timings, reconnected: ready, clock, logger, signal });
		emit('cluster:joined', { tookMs: Math.round(clock.monotonic() - since) });
		this.#joined = true;
		onJoined?.();
		for (;;) {
			signal.throwIfAborted();
			const outcome = this.#view && firstPlacement(this.#view, layout.sessions, sessions.all);
			if (outcome) return outcome;
			await sleep(clock, pollMs, signal);
		}
	}

	/**
	 * Moves every session to other nodes, as far as there are others; what is left then is released, and another node, or this one, resumes
	 * it later. A second call ends the first at once.
	 *
	 * @param options `drain: false` moves nothing: every node stops.
	 */
	async leave({ deadlineMs = 120_000, drain = true }: { deadlineMs?: number; drain?: boolean } = {}): Promise<void> {
		const place = this.#place;
		this.#reach.stop();
		if (!place || !this.#joined) return;
		const { node, sessions } = place;
		const { clock, logger } = this.#options.options;
		const { signal } = this.#hurry;
		const since = clock.monotonic();
		try {
			if (!drain) await orAborted(node.update({ draining: true }), signal);
			else if (this.#movable) await drainNode({ node, deadlineMs, clock, logger, signal });
			else await announceLeave({ node, because: this.#whyNotMovable, logger, signal });
		} catch (error) {
			if (!signal.aborted) logger.warn(`cannot drain this node: ${messageOf(error)}`);
		}
		// Its workers confirm what they have, unless the stop is not to wait.
		if (!signal.aborted) await orAborted(sessions.pause(), signal).catch(() => {});
		// Saved before they are released: the next owner reads it then.
		await sessions.close();
		await node.stop();
		this.#options.emit('cluster:left', { tookMs: Math.round(clock.monotonic() - since) });
	}

	/** Whether a shard is this node's now: not while its session is only prepared here. */
	owns(shardId: number): boolean {
		const place = this.#place;
		return place?.node.state.holding(sessionOfShard(place.layout, shardId)) !== undefined;
	}

	/** Whether a session of the layout is this node's, and each of its workers is ready. */
	isReady(session: number): boolean {
		const place = this.#place;
		return place?.node.state.holding(session) !== undefined && place.sessions.isReady(session);
	}

	/** Ends {@link leave} without waiting for other nodes. */
	hurry(): void {
		this.#hurry.abort(new ShardctlError('MANAGER_STOPPED', 'the manager is to stop at once'));
	}

	/** Ends the connection to Redis, after everything else. */
	async close(): Promise<void> {
		await this.#options.links.close();
		await this.#connection?.close();
	}

	async #makePlace(layout: Layout, maxConcurrency: number): Promise<Place> {
		const { ClusterNode, keyId } = await import('@shardctl/cluster');
		const { options, cluster, version, carry, keepSpares, emit, links } = this.#options;
		const { redis, keys, timings } = this.#connected();
		const { clock, logger } = options;
		const sessionsOf = (view: ClusterView, id: string) => sessionCount(view, { layout, slicing: options }, id);
		const node: ClusterNode = new ClusterNode({
			redis,
			keys,
			timings,
			clock,
			host: {
				own: (session) => sessions.own(session),
				disown: (session) => sessions.disown(session),
				prepare: (session, signal) => sessions.prepare(session, signal),
				handOver: (session) => sessions.handOver(session),
				muted: () => this.#onMuted(sessions, this.#view ? sessionsOf(this.#view, node.node) : 0),
				unmuted: () => this.#onUnmuted(sessions),
			},
			member: {
				name: cluster.node,
				version,
				pid: process.pid,
				startedAt: clock.now(),
				capacity: cluster.capacity,
				autoReshard: options.reshard.mode === 'auto',
			},
			layout: { totalShards: layout.totalShards, sessions: layout.sessions },
			common: {
				fleet: options.name,
				key: keyId({ secret: cluster.secret ?? options.token, applicationId: botKey(options.token) }),
				...(options.queue && { gateway: 'queue' as const }),
			},
			movable: this.#movable,
			// What the next owner needs is with the snapshots of a session.
			records: false,
			assignAhead: 2 * maxConcurrency,
			starting: () => sessions.starting,
			sessionsEach: (view) => sessionsEach(view, layout),
			mayRebalance: (view) => {
				const entry = reshardEntry(view, layout);
				return !entry || !isRunning(entry);
			},
			mayPlan: (view) => liveNodes(view) >= cluster.expect || view.sessions.length > 0,
			on: {
				failed: (error) => this.#onRedisFailed(error),
				renewed: () => {
					this.#redisFails = false;
					sessions.passLeases();
					if (this.#reachToSay !== undefined) this.#sayReach();
				},
				viewed: (view) => {
					this.#view = view;
					this.#sharing.note(view, clock.monotonic());
					for (const dead of gone.note(view)) emit('cluster:node-gone', dead);
					links.note(view);
					sessions.note(view);
					this.#options.reshards.note(view);
					keepSpares(sparesFor(view, node.node));
				},
			},
		});
		const gone = new GoneNodes(node.node, sessionsOf);
		const sessions: CarriedSessions = new CarriedSessions({
			clock,
			node,
			planOf: (session) => planSession(layout, session, options),
			sessionsOf: (shardIds) => sessionsOfShards(this.#view ? layoutNow(this.#view, layout) : layout, shardIds),
			carry,
			gatewayConfig: (session, lease) => this.#gatewayConfig(node, session, lease),
			reach: this.#reach,
			emit,
			onCloseFailed: (shardIds, error) =>
				logger.error({ err: error }, `the processes of ${describeShards(shardIds)} could not be ended`),
		});
		this.#place = { layout, node, sessions };
		return this.#place;
	}

	#gatewayConfig(node: ClusterNode, session: number, lease: SessionLease | null): GatewayClusterConfig {
		const { cluster, options } = this.#options;
		const { timings } = this.#connected();
		return {
			redis: cluster.redis,
			applicationId: botKey(options.token),
			node: node.node,
			member: JSON.stringify(node.member),
			session,
			timings,
			state: cluster.state,
			lease,
		};
	}

	#onMuted(sessions: CarriedSessions, count: number): void {
		this.#mutedSince = this.#options.options.clock.monotonic();
		this.#options.emit('cluster:muted', { sessions: count });
		this.#reach.hold();
		sessions.passLeases();
	}

	#onUnmuted(sessions: CarriedSessions): void {
		if (this.#mutedSince !== undefined) {
			const mutedMs = Math.round(this.#options.options.clock.monotonic() - this.#mutedSince);
			this.#mutedSince = undefined;
			this.#options.emit('cluster:confirmed', { mutedMs });
		}
		this.#reach.release();
		sessions.passLeases();
	}

	#onReach(reaches: boolean): void {
		this.#options.emit('cluster:discord', { reached: reaches });
		this.#reachToSay = reaches;
		this.#sayReach();
	}

	/** Where Redis does not answer, the next renewal is the next try. */
	#sayReach(): void {
		const reachesDiscord = this.#reachToSay;
		const node = this.#place?.node;
		if (reachesDiscord === undefined || !node) return;
		this.#reachToSay = undefined;
		node.update({ reachesDiscord }).catch(() => {
			this.#reachToSay ??= reachesDiscord;
		});
	}

	/** Whether a session can continue on another node. */
	get #movable(): boolean {
		const { options, cluster } = this.#options;
		return options.gateway !== null && cluster.state === 'redis';
	}

	get #whyNotMovable(): string {
		const { gateway } = this.#options.options;
		return gateway ? 'their state is not shared (--cluster-state none)' : 'the workers hold them (--gateway direct)';
	}

	#connected(): ClusterConnection {
		if (this.#connection) return this.#connection;
		throw new ShardctlError('INTERNAL', 'the node is not connected to Redis');
	}

	/** Once for a series of failures. */
	#onRedisFailed(error: ShardctlError): void {
		if (this.#redisFails) return;
		this.#redisFails = true;
		this.#options.options.logger.warn(`${error.message}; trying again`);
	}
}
