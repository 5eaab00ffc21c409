// This manager as a node of a cluster: joins, carries the sessions that are its own, and leaves. Which sessions those are is decided in
// packages/cluster, which is loaded here and only with the option `cluster`; how a session is carried, in modes/carried-session.
import type {
	ClusterKeys,
	ClusterNode,
	ClusterView,
	HeldSession,
	IoredisPort,
	RedisRestLimit,
	SessionHost,
	Timings,
} from '@shardctl/cluster';
import type { SessionArrival } from '@shardctl/control';
import {
	botKey,
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
	sleep,
} from '@shardctl/core';
import type { EmitFleetEvent } from '../events.js';
import type { Carried } from '../modes/carried.js';
import type { SessionToCarry } from '../modes/carried-session.js';
import type { ResolvedClusterOptions } from '../options/cluster-options.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import { planSession } from '../plan/plan-session.js';
import type { StartOutcome } from '../workers/start-watch.js';
import { DiscordReach } from './discord-reach.js';
import type { NodeLinks } from './node-links.js';

export interface MembershipOptions {
	options: ResolvedManagerOptions;
	cluster: ResolvedClusterOptions;
	/** Of shardctl. */
	version: string;
	/** Starts the processes of a session. */
	carry(session: SessionToCarry): Carried;
	/** Asks Discord's gateway for anything at all; resolves with whether there was an answer. */
	probe(): Promise<boolean>;
	emit: EmitFleetEvent;
	/** To the other nodes, from before this one joins until it has left. */
	links: Pick<NodeLinks, 'open' | 'note' | 'close'>;
}

/** How long Redis may take to answer at the start. */
const connectMs = 5000;
const pollMs = 100;
const joinAgainMs = 500;

/** What there is from {@link Membership.connect} on. */
interface Connection {
	redis: IoredisPort;
	keys: ClusterKeys;
	timings: Timings;
	coordinator: IdentifyCoordinator & { close(): Promise<void> };
	restLimit(perSecond: number): RedisRestLimit;
}

export class Membership implements SessionHost {
	readonly #options: MembershipOptions;
	#connection: Connection | undefined;
	#node: ClusterNode | undefined;
	#joined = false;
	#layout: Layout | undefined;
	#view: ClusterView | undefined;
	readonly #carried = new Map<number, Carried>();
	/** Sessions whose processes are ending. */
	readonly #closing = new Set<Promise<void>>();
	/** Ends a drain that is under way. */
	readonly #hurry = new AbortController();
	#redisFails = false;
	readonly #reach: DiscordReach;
	/** What the cluster is still to learn about {@link #reach}. */
	#reachToSay: boolean | undefined;
	/** Sessions that were prepared here, and are not this node's yet. */
	readonly #prepared = new Set<number>();
	/** Sessions that this node is about to hand over. */
	readonly #handing = new Set<number>();
	/** Monotonic; undefined before the first mute, and while the lease is confirmed. */
	#mutedSince: number | undefined;

	constructor(options: MembershipOptions) {
		this.#options = options;
		const { probe } = options;
		this.#reach = new DiscordReach({ clock: options.options.clock, probe, onChanged: (reaches) => this.#onReach(reaches) });
	}

	/**
	 * Connects to Redis. Rejects with `REDIS_UNAVAILABLE`, or `REDIS_UNSUITABLE` with everything that is wrong with it. Resolves with the
	 * coordinator of all nodes.
	 */
	async connect(): Promise<IdentifyCoordinator> {
		const cluster = await import('@shardctl/cluster');
		const { options, cluster: settings } = this.#options;
		const redis = new cluster.IoredisPort({ ...settings.redis });
		try {
			await redis.ready(connectMs);
			await cluster.requireSuitableEngine(redis);
			const keys = cluster.clusterKeys(botKey(options.token));
			const coordinator = new cluster.RedisIdentifyCoordinator({
				redis,
				keys,
				clock: options.clock,
				reserve: options.identifyReserve,
				windowMs: options.identifyWindowMs,
				onFailed: (error) => this.#onRedisFailed(error),
			});
			await coordinator.start();
			const restLimit = (perSecond: number) =>
				new cluster.RedisRestLimit({
					redis,
					keys,
					node: settings.node,
					perSecond,
					nodes: () => (this.#view ? liveNodes(this.#view) : settings.expect),
					onFailed: (error) => this.#onRedisFailed(error),
				});
			this.#connection = { redis, keys, timings: cluster.timingsFor({ leaseMs: settings.leaseMs }), coordinator, restLimit };
			return coordinator;
		} catch (error) {
			await redis.close();
			throw error;
		}
	}

	/** What asks for this node's part of the limit of REST requests that all nodes share. */
	restLimit(perSecond: number): (wish: LimitWish) => Promise<LimitPart> {
		const limit = this.#connected().restLimit(perSecond);
		return (wish) => limit.ask(wish);
	}

	/**
	 * Joins. Resolves when every session has an owner, and those of this node are ready or were given up. Rejects with `NODE_NAME_TAKEN`,
	 * `CLUSTER_MISMATCH`, or the signal's reason.
	 */
	async join({ layout, maxConcurrency }: { layout: Layout; maxConcurrency: number }, signal: AbortSignal): Promise<StartOutcome> {
		const { ClusterNode } = await import('@shardctl/cluster');
		const { options, cluster, version } = this.#options;
		const { redis, keys, timings } = this.#connected();
		const { clock } = options;
		this.#layout = layout;
		const node = new ClusterNode({
			redis,
			keys,
			timings,
			clock,
			host: this,
			member: { name: cluster.node, version, pid: process.pid, startedAt: clock.now(), capacity: cluster.capacity },
			layout: { totalShards: layout.totalShards, sessions: layout.sessions },
			movable: this.#movable,
			assignAhead: 2 * maxConcurrency,
			starting: () => this.#starting(),
			mayPlan: (view) => liveNodes(view) >= cluster.expect || view.sessions.length > 0,
			on: {
				failed: (error) => this.#onRedisFailed(error),
				renewed: () => {
					this.#redisFails = false;
					this.#passLeases();
					if (this.#reachToSay !== undefined) this.#sayReach();
				},
				viewed: (view) => {
					this.#view = view;
					this.#options.links.note(view);
					this.#dropUnused(view);
				},
			},
		});
		this.#node = node;
		if (!this.#movable) {
			options.logger.warn(
				`a session that gets to another node starts there with an IDENTIFY, and nothing is moved to even out the nodes, because ${this.#whyNotMovable}`,
			);
		}
		// Who sees it in the table can call it.
		await this.#options.links.open({ node, redis, keys, timings, layout });
		const since = clock.monotonic();
		await this.#start(node, signal);
		this.#options.emit('cluster:joined', { tookMs: Math.round(clock.monotonic() - since) });
		this.#joined = true;
		for (;;) {
			signal.throwIfAborted();
			const outcome = this.#outcome(layout.sessions);
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
		const node = this.#node;
		this.#reach.stop();
		if (!node || !this.#joined) return;
		const { clock } = this.#options.options;
		const since = clock.monotonic();
		try {
			if (!drain) await orAborted(node.update({ draining: true }), this.#hurry.signal);
			else if (this.#movable) await this.#drain(node, deadlineMs);
			else await this.#announceLeave(node);
		} catch (error) {
			if (!this.#hurry.signal.aborted) this.#options.options.logger.warn(`cannot drain this node: ${messageOf(error)}`);
		}
		// Its workers confirm what they have, unless the stop is not to wait.
		if (!this.#hurry.signal.aborted) {
			const paused = Promise.all([...this.#carried.values()].map((carried) => carried.pause().catch(() => {})));
			await orAborted(paused, this.#hurry.signal).catch(() => {});
		}
		// Saved before they are released: the next owner reads it then.
		for (const session of this.#carried.keys()) this.#close(session, 'released');
		await Promise.all(this.#closing);
		await node.stop();
		this.#options.emit('cluster:left', { tookMs: Math.round(clock.monotonic() - since) });
	}

	/** Whether a shard is this node's now: not while its session is only prepared here. */
	owns(shardId: number): boolean {
		const layout = this.#layout;
		return layout !== undefined && this.#node?.state.holding(sessionOfShard(layout, shardId)) !== undefined;
	}

	/** Ends {@link leave} without waiting for other nodes. */
	hurry(): void {
		this.#hurry.abort(new ShardctlError('MANAGER_STOPPED', 'the manager is to stop at once'));
	}

	/** Ends the connection to Redis, after everything else. */
	async close(): Promise<void> {
		await this.#options.links.close();
		await this.#connection?.coordinator.close().catch(() => {});
		await this.#connection?.redis.close();
	}

	// ---- what the cluster says (SessionHost)

	own({ session }: HeldSession): void {
		const present = this.#carried.get(session);
		const carried = present ?? this.#open(session);
		if (this.#prepared.delete(session)) this.#reportReady(session, carried, 'moved');
		else if (!present) this.#reportReady(session, carried, this.#hadOwner(session) ? 'taken-over' : 'started');
		this.#handing.delete(session);
		carried.resume();
		carried.lease(this.#leaseOf(session) as SessionLease);
	}

	disown({ session }: HeldSession): void {
		this.#close(session, this.#handing.delete(session) ? 'moved' : 'lost');
	}

	muted(): void {
		this.#mutedSince = this.#options.options.clock.monotonic();
		this.#options.emit('cluster:muted', { sessions: this.#carried.size });
		this.#reach.hold();
		this.#passLeases();
	}

	unmuted(): void {
		if (this.#mutedSince !== undefined) {
			const mutedMs = Math.round(this.#options.options.clock.monotonic() - this.#mutedSince);
			this.#mutedSince = undefined;
			this.#options.emit('cluster:confirmed', { mutedMs });
		}
		this.#reach.release();
		this.#passLeases();
	}

	async prepare(session: number, signal: AbortSignal): Promise<void> {
		if (!this.#node?.state.holding(session)) this.#prepared.add(session);
		await (this.#carried.get(session) ?? this.#open(session)).whenPrepared(signal);
	}

	async handOver({ session }: HeldSession): Promise<string> {
		this.#handing.add(session);
		await this.#carried.get(session)?.pause();
		return '';
	}

	// ----

	/**
	 * A connection that breaks once, as where a network is just set up, is no reason not to start. Neither is the name of a process that has
	 * just been killed, and is started again by a service manager: it is this node's when the lease of that one is over.
	 */
	async #start(node: ClusterNode, signal: AbortSignal): Promise<void> {
		const { clock, logger } = this.#options.options;
		const { leaseMs, takeMarginMs } = this.#connected().timings;
		const until = clock.monotonic() + leaseMs + 2 * takeMarginMs;
		let waits = false;
		let tried = false;
		for (;;) {
			try {
				await node.start();
				return;
			} catch (error) {
				const code = ShardctlError.is(error) ? error.code : undefined;
				if (code === 'NODE_NAME_TAKEN' && clock.monotonic() < until) {
					if (!waits)
						logger.warn(
							`${messageOf(error)}. If it was just killed, its lease ends within ${leaseMs / 1000} s: waiting for that`,
						);
					waits = true;
					await sleep(clock, joinAgainMs, signal);
				} else if (!tried && (code === 'REDIS_UNAVAILABLE' || code === 'CALL_TIMEOUT')) {
					tried = true;
					logger.warn(`${messageOf(error)}; trying once more to join`);
					await this.#connected().redis.ready(connectMs);
				} else throw error;
			}
		}
	}

	#onReach(reaches: boolean): void {
		this.#options.emit('cluster:discord', { reached: reaches });
		this.#reachToSay = reaches;
		this.#sayReach();
	}

	/** Where Redis does not answer, the next renewal is the next try. */
	#sayReach(): void {
		const reachesDiscord = this.#reachToSay;
		const node = this.#node;
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

	/** Without shared state nothing can move: what is released starts elsewhere. */
	async #announceLeave(node: ClusterNode): Promise<void> {
		const { logger } = this.#options.options;
		const count = node.state.sessions.length;
		if (count > 0) {
			const sessions = count === 1 ? 'session starts on another node' : `${count} sessions start on other nodes`;
			logger.info(`the ${sessions} with an IDENTIFY each, because ${this.#whyNotMovable}`);
		}
		await orAborted(node.update({ draining: true }), this.#hurry.signal);
	}

	async #drain(node: ClusterNode, deadlineMs: number): Promise<void> {
		const { clock, logger } = this.#options.options;
		const until = clock.monotonic() + deadlineMs;
		await orAborted(node.update({ draining: true }), this.#hurry.signal);
		let said = 0;
		while (node.state.sessions.length > 0) {
			// As it is now: a node that has just joined may not be in the last view yet.
			const view = await orAborted(node.read(), this.#hurry.signal);
			const others = view.nodes.filter((row) => row.node !== node.node && row.leaseMs > 0 && row.member && !row.member.draining);
			if (others.length === 0) return;
			if (clock.monotonic() >= until)
				throw new ShardctlError('CALL_TIMEOUT', `not every session has moved within ${deadlineMs / 1000} s`);
			const left = node.state.sessions.length;
			if (left !== said) logger.info(`draining: ${left} ${left === 1 ? 'session' : 'sessions'} left to move to other nodes`);
			said = left;
			await sleep(clock, pollMs, this.#hurry.signal);
		}
	}

	#open(session: number): Carried {
		const layout = this.#layout as Layout;
		const carried: Carried = this.#options.carry({
			session,
			...planSession(layout, session, this.#options.options),
			gateway: () => this.#gatewayConfig(session),
			onConnection: (state) => {
				if (this.#carried.get(session) === carried) this.#reach.note(session, state);
			},
		});
		this.#carried.set(session, carried);
		return carried;
	}

	/** From the moment at which it is this node's. */
	#reportReady(session: number, carried: Carried, how: SessionArrival): void {
		const { clock } = this.#options.options;
		const since = clock.monotonic();
		const report = () => {
			if (this.#carried.get(session) !== carried) return;
			const tookMs = Math.round(clock.monotonic() - since);
			this.#options.emit('cluster:session-ready', { session, shardIds: this.#shardsOf(session), how, tookMs });
		};
		carried.whenReady().then(report, () => {});
	}

	/** As far as this node has seen: Discord has a session then, unless it has ended it. */
	#hadOwner(session: number): boolean {
		return (this.#view?.sessions.find((row) => row.session === session)?.epoch ?? 0) > 0;
	}

	#shardsOf(session: number): number[] {
		return planSession(this.#layout as Layout, session, this.#options.options).shardIds;
	}

	/** `how`: undefined for a session that was prepared here and never this node's. */
	#close(session: number, how?: 'moved' | 'lost' | 'released'): void {
		const carried = this.#carried.get(session);
		if (!carried) return;
		this.#carried.delete(session);
		this.#prepared.delete(session);
		const { clock } = this.#options.options;
		const since = clock.monotonic();
		const shardIds = this.#shardsOf(session);
		this.#reach.forget(session);
		const closing: Promise<void> = carried
			.close()
			.catch((error: unknown) => this.#options.options.logger.error({ err: error }, `session ${session} could not be ended`))
			.then(() => {
				const tookMs = Math.round(clock.monotonic() - since);
				if (how) this.#options.emit('cluster:session-gone', { session, shardIds, how, tookMs });
			})
			.finally(() => this.#closing.delete(closing));
		this.#closing.add(closing);
	}

	/** A move to this node that was called off, or that got another target. */
	#dropUnused(view: ClusterView): void {
		const node = this.#node;
		for (const session of this.#carried.keys()) {
			if (node?.state.holding(session)) continue;
			const row = view.sessions.find((each) => each.session === session);
			if (row?.target !== node?.node && row?.owner !== node?.node) this.#close(session);
		}
	}

	#passLeases(): void {
		for (const [session, carried] of this.#carried) {
			const lease = this.#leaseOf(session);
			if (lease) carried.lease(lease);
		}
	}

	#leaseOf(session: number): SessionLease | null {
		const state = this.#node?.state;
		const held = state?.holding(session);
		if (!state || !held) return null;
		const untilMs = state.mayAct(session) ? Number(process.hrtime.bigint()) / 1e6 + state.leaseMs : 0;
		return { epoch: held.epoch, identity: state.identity, untilMs };
	}

	#gatewayConfig(session: number): GatewayClusterConfig {
		const { cluster, options } = this.#options;
		const { timings } = this.#connected();
		const node = this.#node as ClusterNode;
		return {
			redis: cluster.redis,
			applicationId: botKey(options.token),
			node: node.node,
			member: JSON.stringify(node.member),
			session,
			timings,
			state: cluster.state,
			lease: this.#leaseOf(session),
		};
	}

	/** Owned, and not ready yet. */
	#starting(): number {
		return [...this.#carried].filter(([session, { isReady }]) => this.#node?.state.holding(session) && !isReady).length;
	}

	/** Undefined while the first placement is under way. */
	#outcome(sessions: number): StartOutcome | undefined {
		const view = this.#view;
		if (!view) return undefined;
		const live = new Set(view.nodes.filter(({ leaseMs }) => leaseMs > 0).map(({ node }) => node));
		const owned = view.sessions.filter(({ owner }) => owner !== undefined && live.has(owner)).length;
		if (owned < sessions) return undefined;
		const workers = [...this.#carried.values()].flatMap((carried) => carried.workers);
		const failed = workers.filter(({ child }) => child.state === 'failed');
		if (
			[...this.#carried.values()].some((carried) => !carried.isReady && !carried.workers.some((each) => failed.includes(each)))
		) {
			return undefined;
		}
		return {
			ready: workers.filter((worker) => !failed.includes(worker)),
			failed: new Map(failed.map((worker) => [worker, worker.child.lastExit?.message ?? 'it could not be started'])),
		};
	}

	#connected(): Connection {
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

function liveNodes({ nodes }: ClusterView): number {
	return nodes.filter(({ leaseMs, member }) => leaseMs > 0 && member).length;
}
