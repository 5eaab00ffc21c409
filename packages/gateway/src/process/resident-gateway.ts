// Everything that one gateway process holds: its sessions with Discord and their shards, which can be added and released one by one,
// and the server that workers connect to.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
	age,
	botKey,
	type Clock,
	checkRequestTimeouts,
	deferred,
	formatShardIds,
	type GatewayConfig,
	type GatewayNotice,
	type GatewayStats,
	guardListener,
	type IdentifyClient,
	type Layout,
	type LostEvents,
	messageOf,
	orAborted,
	parseRequestTarget,
	plural,
	RefusalNotices,
	type ReshardedGroup,
	type ReshardGroup,
	type SessionLease,
	type SessionTerms,
	ShardctlError,
	type ShardsToBegin,
	type SnapshotStore,
	sessionCountOf,
	sessionsOfShards,
	shardsOfSession,
	sleep,
	UnprovenClients,
	type WorkerConnection,
	type WorkerIncarnation,
	WorkerPaths,
} from '@shardctl/core';
import { GatewayServer } from '@shardctl/gateway-protocol';
import { LocalBackend } from '../downstream/local-backend.js';
import { LocalRest } from '../downstream/local-rest.js';
import { type ReplacingSession, ReshardRecord } from '../session/reshard-record.js';
import { ResidentSession } from '../session/resident-session.js';
import { settledWrite } from '../session/settled-write.js';
import { ShardChange, type ShardChangeFigures } from '../session/shard-change.js';
import { Takeover } from '../session/takeover.js';
import { allSettled } from '../shard/all-settled.js';
import { ResidentShard } from '../shard/resident-shard.js';
import type { SessionLink } from '../shard/session-link.js';
import { within } from '../shard/within.js';
import { HeldSnapshots } from '../snapshots/held-snapshots.js';
import type { SavedScope } from '../snapshots/saved-names.js';
import { QueueConsumer } from '../stream/queue-consumer.js';
import type { ShardStream } from '../stream/shard-stream.js';
import { ConnectLimit } from '../upstream/connect-limit.js';
import { UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { UpstreamEvents, SessionTerms as UpstreamTerms } from '../upstream/upstream-shard.js';
import type { EventQueue } from './event-queue.js';
import type { LeaseWatch } from './lease-watch.js';
import { answerWorker } from './queue-requests.js';
import { turnClock } from './turn-clock.js';

/**
 * Clients are asked for heartbeats, and often. @discordjs/ws takes its connection for dead and reconnects when its own heartbeat falls
 * between its answer to such a request and our ACK, so its own interval is the longest that a timer takes: 24.8 days. The first of its own
 * is due after a random part of that, so a shorter interval makes it likelier with every worker that connects.
 */
const heartbeats = { heartbeatIntervalMs: 2 ** 31 - 1, heartbeatAskAfterMs: 20_000, heartbeatTimeoutMs: 60_000 };
/** Handshakes with Discord at the same time: at 100 ms each, 320 connections a second. */
const connectsAtOnce = 32;
/** Connections that have not shown that they are a worker's, or that have no session: what a boot of all workers at once needs, and room. */
const unprovenAtOnce = 64;
const unprovenPerShard = 4;
const unprovenForMs = 30_000;
/** Of workers; other clients are closed before. */
const requestLimits = { headersTimeout: 30_000, requestTimeout: 300_000, connectionsCheckingInterval: 10_000 };
/** How often a worker without a connection is looked for, whose heartbeat is waited for. */
const connectionPollMs = 250;
/** From the permission to identify to the cut, for one group of sessions. */
const takeoverWithinMs = 600_000;
/** Guilds that a notice about differences names. */
const driftedShown = 5;
/** How long Discord may take to confirm the close of a connection. Its session is kept either way. */
const closeMs = 1000;
/** How long the session of a worker without a connection can be resumed. */
const sessionTtlMs = 60_000;

/** What could not be done before a session is this process's is done then. */
const adoptedAnyway = (): void => {};

/** What a session is at the moment: one that is to replace others is not known to the manager. */
interface SessionRole {
	isSuccessor: boolean;
}

/** Shards of another count that are to replace those of the process; see `ShardChange`. */
interface NextShards {
	readonly change: ShardChange;
	readonly layout: Layout;
	readonly shardIds: readonly number[];
	readonly shards: Map<number, ResidentShard>;
	/** Of their workers. */
	readonly incarnations: ReadonlySet<number>;
	/** Resolves when nothing is left of shards that were dropped. */
	discarded: Promise<void>;
}

interface SessionSetup {
	layout: Layout;
	shardIds: readonly number[];
	workers: GatewayConfig['workers'];
	role: SessionRole;
	createShard(shardId: number, session: SessionLink): ResidentShard;
}

export interface ResidentGatewayOptions {
	config: GatewayConfig;
	token: string;
	clock: Clock;
	store: SnapshotStore;
	/** Resolves with the fence of this process, when the store can be reached; see {@link SnapshotStore}. */
	fence(): Promise<string>;
	/** Removes what is in the store of other generations of the layout. */
	tidy?(scope: SavedScope, fence: string): Promise<void>;
	identify: Pick<IdentifyClient, 'wait' | 'confirm'>;
	/** The same for sessions that are to replace others; their numbers can be those of sessions that identify as well. */
	identifySuccessor?: Pick<IdentifyClient, 'wait' | 'confirm'>;
	/** In a cluster: what is released, and each connection to Discord, depends on it. Nothing is restored before there is a lease. */
	lease?: LeaseWatch;
	/** The events go there in place of workers. */
	queue?: Pick<EventQueue, 'connected' | 'isReady' | 'wants' | 'defer' | 'writer' | 'answer' | 'start' | 'stop'>;
	/** Discord has started a session with these terms. */
	onSessionStarted(session: number, terms: SessionTerms): void;
	/** What has become of the connection of a worker's process. */
	onConnection(connection: WorkerConnection): void;
	/** Discord refused a session for good. */
	onRefused(refusal: { session: number; code: number }): void;
	/** Events of a shard were lost since the last call. */
	onLost?(shardId: number, lost: LostEvents): void;
	notice(notice: GatewayNotice): void;
}

export class ResidentGateway {
	readonly #options: ResidentGatewayOptions;
	/** The shard count and the session count, as far as the record has no others. */
	#layout: Layout;
	/** Of the shards of this process, with those of sessions that are not here yet. */
	#shardIds: readonly number[];
	readonly #sessions = new Map<number, ResidentSession>();
	/** The shards of all sessions. */
	#shards = new Map<number, ResidentShard>();
	/** Shards of another count that are to replace those. */
	#change: NextShards | undefined;
	/** The change before: was taken, or dropped. */
	#past: ShardChange | undefined;
	readonly #snapshots: HeldSnapshots;
	readonly #bot: string;
	/** Which sessions were replaced by others. */
	readonly #record: ReshardRecord;
	/** Ends every takeover that has not happened. */
	readonly #stopping = new AbortController();
	/** Groups of sessions that are being replaced. */
	readonly #resharding = new Map<number, Promise<ReshardedGroup>>();
	readonly #connects = new ConnectLimit(connectsAtOnce);
	readonly #server: GatewayServer;
	readonly #http: Server;
	readonly #rest: LocalRest;
	readonly #paths: WorkerPaths;
	readonly #refusals: RefusalNotices;
	readonly #unproven: UnprovenClients;
	/** Resolves when the sessions are this process's; see {@link ResidentGatewayOptions.lease}. */
	readonly #owned = deferred();
	#adopting: Promise<void> = Promise.resolve();
	/** The fence under which the snapshots are held; undefined before. */
	#fence: string | undefined;
	/** Of the shards and their sessions. */
	readonly #eventClock: Clock;
	/** In a cluster: of the engine in which that is. */
	#identity: string | undefined;
	/** The last attempt to use what is saved has failed. */
	#cannotAdopt = false;

	constructor(options: ResidentGatewayOptions) {
		const { config, token, clock, notice } = options;
		this.#options = options;
		this.#eventClock = turnClock(clock);
		this.#layout = config.layout;
		this.#shardIds = config.shardIds;
		this.#snapshots = new HeldSnapshots(options.store);
		this.#bot = botKey(token);
		this.#paths = new WorkerPaths(config.pathSecret);
		this.#refusals = new RefusalNotices(clock, (message) =>
			notice({ shardIds: [...this.#shards.keys()], kind: 'worker:refused', message }),
		);
		// The workers of another shard count all wait at the same time, beside the present ones.
		const shardCount = () => this.#shardIds.length + (this.#change?.shardIds.length ?? 0);
		const mostUnproven = () => unprovenAtOnce + unprovenPerShard * shardCount();
		const onClosed = (why: string) => this.#refusals.note(`closed a connection to the local gateway: ${why}`);
		this.#unproven = new UnprovenClients({
			clock,
			most: mostUnproven,
			withinMs: unprovenForMs,
			failing: 'did not show that it is a worker',
			onClosed,
		});
		const backend = new LocalBackend({
			token: config.anyToken ? undefined : token,
			paths: this.#paths,
			shardsOf: (totalShards) => this.#shardsOf(totalShards),
			clock,
			onRefused: (message) => this.#refusals.note(message),
			onWrongShard: (connection) => options.onConnection(connection),
			onFlood: (shardId) =>
				notice({
					shardIds: [shardId],
					kind: 'worker:flood',
					message: 'a worker sent more than 120 requests within a minute; its connection was closed (4008)',
				}),
		});
		this.#server = new GatewayServer({
			backend,
			clock,
			sessionTtlMs,
			maxUnidentified: mostUnproven,
			onUnidentifiedClosed: onClosed,
			createSession: (session) => backend.createSession(session),
			// Requested heartbeats would count against a limit on frames; the backend limits requests instead.
			rules: { ...heartbeats, sendLimit: { limit: Number.POSITIVE_INFINITY, windowMs: 60_000 } },
		});
		this.#rest = new LocalRest({
			api: config.api,
			token: config.anyToken ? undefined : token,
			paths: this.#paths,
			totalShards: (incarnation) =>
				this.#change?.incarnations.has(incarnation ?? 0) ? this.#change.layout.totalShards : this.#layout.totalShards,
			gatewayUrl: () => this.#url(),
			onProven: ({ socket }) => this.#unproven.prove(socket),
			onRefused: (detail) => this.#refusals.note(`refused ${detail}`),
		});
		this.#http = createServer(requestLimits, this.#rest.answer);
		this.#http.on('connection', (socket: Socket) => this.#unproven.add(socket));
		this.#http.on(
			'upgrade',
			guardListener(
				(request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head),
				(_error, _request, socket) => socket.destroy(),
			),
		);
		const { layout, shardIds } = config;
		this.#record = new ReshardRecord({ bot: this.#bot, layout, shardIds, store: this.#snapshots });
	}

	/** Restores what an earlier process left. Resolves with the port at which workers connect. */
	async start(): Promise<number> {
		const { config, lease } = this.#options;
		this.#createAll();
		// At the first process of a manager, the workers of the manager before it are gone.
		const withWorkers = config.epoch > 1;
		if (!lease) await this.#adopt({ withWorkers });
		else if (config.cluster?.lease) this.#adopting = this.#try(() => this.#adopt({ withWorkers }));
		else this.#adopting = this.#approach().catch(adoptedAnyway);
		this.#options.queue?.start((terms) => void this.#startSessions(terms));
		if (config.port === 0) await this.#listen();
		else checkRequestTimeouts(this.#http);
		return this.#port;
	}

	/** What the groups of the queue subscribe to needs these intents. */
	async #startSessions(terms: UpstreamTerms | null): Promise<void> {
		await this.#owned.promise;
		for (const shard of this.#shards.values()) shard.continueStream();
		if (terms) await Promise.all([...this.#sessions.values()].map((session) => session.ensure(terms, this)));
	}

	/** In a cluster: the lease of this process was confirmed, or is over. The first one makes the sessions this process's. */
	async hear(lease: SessionLease): Promise<void> {
		this.#options.lease?.hear(lease);
		this.#adopting = this.#adopting.then(() => this.#try(() => this.#follow(lease)));
		await this.#adopting;
		if (!this.#options.lease?.mayAct) return;
		for (const shard of this.#shards.values()) shard.continueStream();
		for (const session of this.#sessions.values()) session.continueRequests();
	}

	async #follow({ epoch, identity }: SessionLease): Promise<void> {
		const fence = String(epoch);
		if (this.#fence === undefined) return this.#adopt({ withWorkers: false });
		if (this.#fence === fence && this.#identity === identity) return;
		// An engine that was replaced may have lost it.
		if (this.#fence === fence) {
			await this.#record.writeAgain();
			this.#identity = identity;
			return;
		}
		// A later epoch of the same owner: what is saved from here on carries it.
		await this.#snapshots.hold(fence);
		await this.#record.writeAgain();
		this.#identity = identity;
		this.#fence = fence;
		for (const shard of this.#shards.values()) shard.saveAgain();
	}

	/** Where Redis does not answer, the next confirmation of the lease is the next try. */
	async #try(work: () => Promise<void>): Promise<void> {
		const report = (kind: GatewayNotice['kind'], message: string) =>
			this.#options.notice({ shardIds: [...this.#shards.keys()], kind, message });
		try {
			await work();
			if (this.#cannotAdopt) report('snapshot:saved', 'the saved state can be used again');
			this.#cannotAdopt = false;
		} catch (error) {
			if (!this.#cannotAdopt) report('snapshot:failed', `cannot use the saved state, retrying: ${messageOf(error)}`);
			this.#cannotAdopt = true;
		}
	}

	/** The sessions are still another node's: does what can be done before they are this one's. */
	async #approach(): Promise<void> {
		await this.#options.fence();
		await this.#record.read();
		this.#createReplaced();
		await allSettled([...this.#sessions.values()].map((session) => session.approach()));
	}

	async #adopt({ withWorkers }: { withWorkers: boolean }): Promise<void> {
		const fence = await this.#options.fence();
		await this.#snapshots.hold(fence);
		await this.#options.tidy?.({ bot: this.#bot, generation: this.#layout.generation }, fence);
		// Not before: until then the process or the owner before might have replaced sessions.
		await this.#record.read();
		if (this.#options.tidy) await this.#record.tidy();
		this.#createReplaced();
		await Promise.all([...this.#sessions.values()].map((session) => session.restore({ withWorkers })));
		this.#identity = this.#options.lease?.identity;
		this.#fence = fence;
		this.#owned.resolve();
	}

	/** The sessions of the configuration, and in place of those that were replaced the ones that carry their shards now. */
	#createAll(): void {
		for (const { session, ...setup } of this.#present()) this.#create(session, setup);
	}

	/** The shards are there, and so are the sessions that were to carry them. None of those has been started. */
	#createReplaced(): void {
		const present = this.#present();
		const isAsCreated = present.every(({ session, layout }) => this.#sessions.get(session)?.of === layout.sessions);
		if (isAsCreated && present.length === this.#sessions.size) return;
		for (const session of this.#sessions.values()) {
			session.retire();
			session.closeUpstream().catch(() => {});
		}
		this.#sessions.clear();
		for (const { session, ...setup } of present) {
			const created = this.#construct(session, { ...setup, createShard: (id) => this.#shards.get(id) as ResidentShard });
			this.#sessions.set(session, created);
			for (const shard of created.shards) shard.continueOn(created);
		}
	}

	/** The sessions that carry the shards, as far as is known. */
	#present(): { session: number; layout: Layout; shardIds: number[] }[] {
		const byCount = new Map<number, number[]>();
		for (const shardId of this.#shardIds) {
			const count = this.#record.sessionsOf(shardId) ?? sessionCountOf(this.#layout, shardId);
			byCount.set(count, [...(byCount.get(count) ?? []), shardId]);
		}
		return [...byCount].flatMap(([sessions, shardIds]) => {
			const layout = { generation: this.#layout.generation, totalShards: this.#layout.totalShards, sessions };
			return sessionsOfShards(layout, shardIds).map((session) => ({
				session,
				layout,
				shardIds: shardsOfSession(layout, session, shardIds),
			}));
		});
	}

	/**
	 * Replaces the sessions of a group by those of another count. Resolves at once where that has happened; a second call while it does
	 * resolves with the first. Rejects with `RESHARD_FAILED`.
	 */
	reshard({ group, from, to }: ReshardGroup): Promise<ReshardedGroup> {
		const running = this.#resharding.get(group);
		if (running) return running;
		const done = this.#replace({ group, from, to }).finally(() => this.#resharding.delete(group));
		this.#resharding.set(group, done);
		return done;
	}

	async #replace({ group, from, to }: ReshardGroup): Promise<ReshardedGroup> {
		const { config, clock, notice } = this.#options;
		await orAborted(this.#owned.promise, this.#stopping.signal);
		const groups = Math.min(from, to);
		const shardIds = this.#shardIds.filter((id) => id % groups === group);
		const present = [...this.#sessions.values()].filter(({ shards }) => shards.some(({ id }) => shardIds.includes(id)));
		if (present.length > 0 && present.every(({ of }) => of === to)) return { identifies: 0, pausedMs: 0, repeated: 0 };
		const whole = shardsOfAll(this.#layout.totalShards, groups, group).every((id) => shardIds.includes(id));
		// Whatever they are: after a crash they may be those of an earlier count.
		if (!whole || present.some(({ of }) => of % groups !== 0)) {
			throw new ShardctlError(
				'RESHARD_FAILED',
				`gateway process ${this.#id} does not have all sessions of group ${group} of ${groups}`,
			);
		}
		const report = (kind: GatewayNotice['kind'], message: string) => notice({ shardIds, kind, message });
		const layout = { generation: this.#layout.generation, totalShards: this.#layout.totalShards, sessions: to };
		const role: SessionRole = { isSuccessor: true };
		const successors = sessionsOfShards(layout, shardIds).map((session) =>
			this.#construct(session, {
				layout,
				shardIds: shardsOfSession(layout, session, shardIds),
				role,
				createShard: (id) => this.#shards.get(id) as ResidentShard,
			}),
		);
		const names = `${describeSessions(present)} by ${describeSessions(successors)}`;
		report('reshard:begun', `replacing ${names}; the former serve their shards until the others have all guilds`);
		const takeover = new Takeover({
			from: present,
			to: successors,
			clock,
			buffer: config.buffer,
			withinMs: takeoverWithinMs,
			signal: this.#stopping.signal,
			record: (replacing) => this.#writeDown(replacing),
			unrecord: (replacing) => this.#takeBack(replacing),
			onDrift: ({ compared, drifted }) => {
				if (drifted.length === 0) return;
				const some = drifted.slice(0, driftedShown).join('; ');
				report(
					'reshard:drift',
					`${drifted.length} of ${compared} guilds that were compared differ between their events and the new sessions; workers keep what the events led to: ${some}`,
				);
			},
			onTaken: () => {
				role.isSuccessor = false;
				for (const { id } of present) this.#sessions.delete(id);
				for (const session of successors) this.#sessions.set(session.id, session);
			},
		});
		try {
			const done = await takeover.run();
			report(
				'reshard:done',
				`replaced ${names}; no event was delivered for ${done.pausedMs} ms, ${done.repeated} arrived twice and were delivered once`,
			);
			return done;
		} catch (error) {
			report('reshard:failed', messageOf(error));
			throw error;
		}
	}

	/** Nothing else is saved once it is unknown whether the record was written: see {@link settledWrite}. */
	async #writeDown(replacing: readonly ReplacingSession[]): Promise<void> {
		const { lease, clock } = this.#options;
		const write = () => this.#record.add(replacing);
		if (!lease) return write();
		const isOver = () => this.#stopping.signal.aborted && !lease.mayAct;
		await settledWrite(write, { clock, isOver, onUnknown: () => this.#snapshots.drop() });
	}

	/** Repeated without a cluster too: the present sessions must not serve on while the record names others, which the next process would resume. */
	async #takeBack(replacing: readonly ReplacingSession[]): Promise<void> {
		const { lease, clock } = this.#options;
		const isOver = () => this.#stopping.signal.aborted && !lease?.mayAct;
		const onUnknown = () => {
			if (lease) this.#snapshots.drop();
		};
		await settledWrite(() => this.#record.undo(replacing), { clock, isOver, isUndo: true, onUnknown });
	}

	/**
	 * Makes the shards of another count, for workers that are started now: they receive READY at `shards.cut`. One that was not
	 * decided is dropped. Resolves with the number of their guilds. Throws `RESHARD_FAILED`.
	 */
	async beginShards({ layout, shardIds, workers }: ShardsToBegin): Promise<number> {
		await this.#dropChange('another change of the shards began');
		this.#past = undefined;
		const { config, clock, notice } = this.#options;
		const sessions = [...this.#sessions.values()];
		const isWhole = sessions.every(({ of }) => layout.totalShards % of === 0);
		const [one, other] = [layout.totalShards, this.#layout.totalShards];
		if (!isWhole || Math.max(one, other) % Math.min(one, other) !== 0 || this.#resharding.size > 0) {
			throw new ShardctlError(
				'RESHARD_FAILED',
				`gateway process ${this.#id} cannot have shards of ${one} in place of those of ${other}`,
			);
		}
		// They boot from here on.
		const booting = workers.map((worker) => ({ ...worker, ready: false }));
		const shards = sessions.flatMap((session) =>
			shardIds
				.filter((id) => id % session.of === session.id)
				.map((id) => this.#createShard(id, session, booting, { ...layout, sessions: session.of })),
		);
		const change = new ShardChange({
			sessions,
			totalShards: other,
			layout,
			shards,
			clock,
			buffer: config.buffer,
			onTaken: () => this.#takeShards(next),
			onGivenUp: ({ message }) => notice({ shardIds: [...this.#shardIds], kind: 'reshard:failed', message }),
			onDropped: () => {
				if (this.#change === next) this.#change = undefined;
				this.#past = change;
				next.discarded = this.#discard(next.shards.values());
			},
		});
		for (const shard of shards) shard.keepIntents(true);
		const next: NextShards = {
			change,
			layout,
			shardIds,
			shards: new Map(shards.map((shard) => [shard.id, shard])),
			incarnations: new Set(workers.map(({ incarnation }) => incarnation)),
			discarded: Promise.resolve(),
		};
		this.#change = next;
		return change.guildCount;
	}

	/**
	 * See `shards.cut` of the contract, and so on. One that was dropped rejects each step with the reason. Throws `PROTOCOL_ERROR` where there
	 * was no such change.
	 */
	changeOf(generation: number): ShardChange {
		const found = [this.#change?.change, this.#past].find((change) => change?.layout.generation === generation);
		if (found) return found;
		throw new ShardctlError(
			'PROTOCOL_ERROR',
			`gateway process ${this.#id} has no change of its shards to generation ${generation}`,
		);
	}

	/** The sessions carry the new shards from now on. Returns at once where they do already. */
	commitShards(generation: number): ShardChangeFigures {
		// One that was taken because of a full buffer has its figures; a process that started with the new shards has none.
		const isTaken = this.#layout.generation === generation;
		if (isTaken && this.#past?.layout.generation !== generation) return { pausedMs: 0, held: 0 };
		const change = this.changeOf(generation);
		change.take();
		return change.figures;
	}

	/** Resolves when nothing is left of the new shards. Where they count already, nothing happens. */
	async dropShards(generation: number): Promise<{ reason: string | null }> {
		if (this.#change?.layout.generation === generation) await this.#dropChange('it was called off');
		const isPast = this.#past?.layout.generation === generation;
		return { reason: (isPast && this.#past?.givenUp) || null };
	}

	async #dropChange(reason: string): Promise<void> {
		const next = this.#change;
		next?.change.drop(reason);
		await next?.discarded;
	}

	#takeShards(next: NextShards): void {
		const former = this.#shards;
		for (const shard of next.shards.values()) shard.keepIntents(false);
		this.#shards = next.shards;
		this.#layout = next.layout;
		this.#shardIds = next.shardIds;
		this.#change = undefined;
		this.#past = next.change;
		this.#record.begin(next);
		// It never rejects.
		this.#discard(former.values()).catch(() => {});
	}

	/** Ends shards whose guilds others have, with the sessions of their workers and with what is saved of them. Never rejects. */
	async #discard(shards: Iterable<ResidentShard>): Promise<void> {
		const discarded = new Set(shards);
		for (const shard of discarded) {
			for (const session of shard.workerSessions) this.#server.sessions.end(session, 'stopped');
			shard.close();
		}
		await Promise.allSettled([...discarded].map((shard) => shard.stop({ keepSession: false })));
	}

	/** The process ends: what is saved of new shards that may count by now is kept for the next one. */
	async #endChange({ keepSessions }: { keepSessions: boolean }): Promise<void> {
		const next = this.#change;
		if (!next) return;
		if (!keepSessions || next.change.state !== 'sealed') {
			await this.#dropChange('the gateway process is stopping');
			return;
		}
		for (const shard of next.shards.values()) {
			shard.close();
			await shard.stop({ keepSession: true });
		}
	}

	#shardsOf(totalShards: number): ReadonlyMap<number, ResidentShard> | undefined {
		if (totalShards === this.#layout.totalShards) return this.#shards;
		return totalShards === this.#change?.layout.totalShards ? this.#change.shards : undefined;
	}

	/**
	 * Adds a session with Discord to those of this process, with all shards of the configuration's layout that it carries and that are
	 * named here. It continues where another process released it, or starts when a worker identifies.
	 */
	async add({
		session,
		shardIds,
		workers,
	}: {
		session: number;
		shardIds: readonly number[];
		workers: GatewayConfig['workers'];
	}): Promise<void> {
		if (this.#sessions.has(session))
			throw new ShardctlError('INTERNAL', `gateway process ${this.#id} has session ${session} already`);
		await this.#create(session, { shardIds, workers }).restore({ withWorkers: false });
	}

	/**
	 * Gives up one session; the others are not affected. With `keepSession` everything is saved, and Discord keeps the session for the
	 * process that adds it next; else the session and its snapshots end. Workers of its shards lose their sessions.
	 * Throws `SHARD_NOT_OWNED` for a session that is not here.
	 */
	async release(session: number, { keepSession }: { keepSession: boolean }): Promise<void> {
		const released = this.#sessions.get(session);
		if (!released) throw new ShardctlError('SHARD_NOT_OWNED', `session ${session} is not in gateway process ${this.#id}`);
		this.#sessions.delete(session);
		await released.stop({ keepSession });
		const shardIds = new Set(released.shards.map(({ id }) => id));
		for (const id of shardIds) this.#shards.delete(id);
		for (const worker of this.#server.sessions.values()) {
			if (shardIds.has(worker.shardId)) this.#server.sessions.end(worker, 'stopped');
		}
	}

	/** A connection that the manager has accepted for this process; nothing was read from it. */
	take(socket: Socket): void {
		this.#http.emit('connection', socket);
		socket.resume();
	}

	/** A client that does not know the path of a worker is refused before it is a client of the gateway. */
	#upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		socket.on('error', () => socket.destroy());
		const target = parseRequestTarget(request.url);
		if (target && this.#paths.keyed && !this.#paths.parse(target.path)) {
			this.#refusals.note('refused a client of the local gateway that does not know the path of a worker');
			socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
			return;
		}
		if (target) this.#unproven.prove(request.socket);
		this.#server.handleUpgrade(request, socket, head);
	}

	stats(): GatewayStats {
		const { user, system } = process.cpuUsage();
		return {
			rssBytes: process.memoryUsage.rss(),
			cpuSeconds: (user + system) / 1e6,
			sessions: [...this.#sessions.values()].sort((a, b) => a.id - b.id).map((session) => session.stats()),
			shards: [...this.#shards.values()].sort((a, b) => a.id - b.id).map((shard) => shard.stats()),
		};
	}

	/**
	 * The shards of these ids, of a shard count where there are those of two (default: of the present one). Throws `SHARD_NOT_OWNED` for one
	 * that is not here.
	 */
	shards(shardIds: readonly number[], totalShards = this.#layout.totalShards): ResidentShard[] {
		const shards = this.#shardsOf(totalShards);
		return shardIds.map((id) => {
			const shard = shards?.get(id);
			if (shard) return shard;
			throw new ShardctlError('SHARD_NOT_OWNED', `shard ${id} is not in gateway process ${this.#id}`);
		});
	}

	/** See `worker.ping` of the contract. */
	async ping({ incarnation, shardIds, totalShards }: WorkerIncarnation, signal: AbortSignal): Promise<void> {
		for (;;) {
			const shards = this.shards(shardIds, totalShards);
			const connections = shards.flatMap((shard) => shard.connectionsOf(incarnation).map((session) => shard.heard(session)));
			if (connections.length > 0) {
				await orAborted(Promise.all(connections), signal);
				return;
			}
			await sleep(this.#options.clock, connectionPollMs, signal);
		}
	}

	/**
	 * With `keepSessions` everything is saved for the next process; else the sessions with Discord and their snapshots end.
	 *
	 * @param options `onSaved`: everything is saved, and nothing is received or delivered any more, so another process can continue
	 */
	async stop({ keepSessions, onSaved }: { keepSessions: boolean; onSaved?: () => void }): Promise<void> {
		const { clock, queue } = this.#options;
		this.#stopping.abort(new ShardctlError('MANAGER_STOPPED', 'the gateway process is stopping'));
		await Promise.allSettled(this.#resharding.values());
		await this.#endChange({ keepSessions });
		const sessions = [...this.#sessions.values()];
		await Promise.all(sessions.map((session) => session.stop({ keepSession: keepSessions })));
		if (!keepSessions) await this.#record.remove();
		for (const connection of this.#server.connections.values()) connection.terminate();
		await queue?.stop();
		onSaved?.();
		const closed = Promise.all(sessions.map((session) => session.closed));
		await within(
			clock,
			closeMs,
			closed.then(() => {}),
		);
		this.#refusals.stop();
		this.#unproven.stop();
		this.#rest.stop();
		this.#http.closeAllConnections();
		await new Promise<void>((resolve) => this.#http.close(() => resolve()));
	}

	#create(session: number, setup: Partial<SessionSetup> = {}): ResidentSession {
		const created = this.#construct(session, setup);
		this.#sessions.set(session, created);
		for (const shard of created.shards) this.#shards.set(shard.id, shard);
		return created;
	}

	#construct(
		session: number,
		{
			layout = this.#layout,
			shardIds = shardsOfSession(layout, session, this.#shardIds),
			workers = this.#options.config.workers,
			role = { isSuccessor: false },
			createShard = (shardId, link) => this.#createShard(shardId, link, workers),
		}: Partial<SessionSetup>,
	): ResidentSession {
		const { notice, onRefused } = this.#options;
		return new ResidentSession({
			id: session,
			shardIds,
			layout,
			createShard,
			createUpstream: (events) => this.#createUpstream(session, { events, sessions: layout.sessions, role }),
			continued: (shardId, savedWith) => this.#record.continued(shardId, savedWith),
			onRefused: (code) => onRefused({ session, code }),
			notice,
		});
	}

	#createShard(shardId: number, session: SessionLink, workers: GatewayConfig['workers'], layout = this.#layout): ResidentShard {
		const { config, notice, onConnection, onLost } = this.#options;
		const worker = workers.find(({ shardIds }) => shardIds.includes(shardId));
		return new ResidentShard({
			shardId,
			layout,
			session,
			incarnation: worker?.incarnation ?? 0,
			workerIsReady: worker?.ready ?? true,
			// What is in the queue is repeated there; nothing is lost between here and Redis.
			delivery: config.queue ? 'at-least-once' : config.delivery,
			...(this.#options.queue && { createQueue: (stream) => this.#createQueue(shardId, stream) }),
			buffer: config.buffer,
			clock: this.#eventClock,
			bot: this.#bot,
			...(config.pathSecret !== undefined && { manager: nameOfSecret(config.pathSecret) }),
			store: this.#snapshots,
			workerSessions: () => this.#server.sessions,
			owned: this.#owned.promise,
			mayRelease: () => this.#options.lease?.mayAct ?? true,
			// The lease is confirmed on another connection; without answers on this one, what is released is not saved.
			...(config.cluster?.state === 'redis' && { silentAfterMs: config.cluster.timings.validMs }),
			resumeUrl: (incarnation) => this.#url() + this.#paths.of(incarnation),
			onConnection: (connection) => onConnection({ shardId, ...connection }),
			notice: (kind, message) => notice({ shardIds: [shardId], kind, message }),
			onLost: (lost) => onLost?.(shardId, lost),
		});
	}

	#createQueue(shardId: number, stream: Pick<ShardStream, 'noteQueued' | 'continue'> & { isFirst(): boolean }): QueueConsumer {
		const { notice } = this.#options;
		const queue = this.#options.queue as NonNullable<ResidentGatewayOptions['queue']>;
		const writer = queue.writer(shardId, {
			onWritten: (position) => stream.noteQueued(position),
			onChange: () => stream.continue(),
			onFailed: ({ message }) => notice({ shardIds: [shardId], kind: 'queue:failed', message: `events wait: ${message}` }),
			onRecovered: (failedForMs) =>
				notice({ shardIds: [shardId], kind: 'queue:written', message: `events are written again, after ${age(failedForMs)}` }),
			onLost: (events) => notice({ shardIds: [shardId], kind: 'queue:lost', message: queueLossText(events) }),
		});
		const start = () => writer.start();
		// Neither rejects.
		Promise.all([this.#owned.promise, queue.connected]).then(start, start);
		queue.answer(shardId, writer, (request) => answerWorker(this.#shards.get(shardId), request));
		return new QueueConsumer({ writer, queue, isFirst: () => stream.isFirst() });
	}

	#createUpstream(
		session: number,
		{ events, sessions, role }: { events: UpstreamEvents; sessions: number; role: SessionRole },
	): UpstreamSessions {
		const { config, token, onSessionStarted } = this.#options;
		const { identify, identifySuccessor = identify } = this.#options;
		const permission = () => (role.isSuccessor ? identifySuccessor : identify);
		return new UpstreamSessions({
			...events,
			onReady: (terms) => {
				permission().confirm(session);
				if (!role.isSuccessor) onSessionStarted(session, terms);
				events.onReady(terms);
			},
			shardId: session,
			totalShards: sessions,
			token,
			gateway: config.gateway,
			compression: config.compression,
			clock: this.#eventClock,
			waitForIdentify: (signal) => permission().wait(session, signal),
			mayAct: () => this.#options.lease?.mayAct ?? true,
			connects: {
				// Nobody connects for a session that may be another node's by now.
				enter: async (signal, { isApproach }) => {
					if (!isApproach) await this.#options.lease?.confirmed(signal);
					return this.#connects.enter(signal);
				},
			},
		});
	}

	#listen(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#http.once('error', reject);
			this.#http.listen(0, '127.0.0.1', () => {
				this.#http.off('error', reject);
				// A connection could not be accepted, such as for want of file descriptors: its client tries again.
				this.#http.on('error', () => {});
				resolve();
			});
		});
	}

	get #id(): number {
		return this.#options.config.gatewayId;
	}

	get #port(): number {
		return this.#options.config.port || (this.#http.address() as AddressInfo).port;
	}

	#url(): string {
		return `ws://127.0.0.1:${this.#port}`;
	}
}

/** What is written down instead of the secret, which is of one manager alone. */
function nameOfSecret(secret: string): string {
	return createHash('sha256').update(secret).digest('hex').slice(0, 16);
}

/** Every shard of a group. */
function shardsOfAll(totalShards: number, groups: number, group: number): number[] {
	return Array.from({ length: totalShards / groups }, (_, index) => group + index * groups);
}

/** Such as `session 3 of 8`. */
function describeSessions(sessions: readonly ResidentSession[]): string {
	const ids = sessions.map(({ id }) => id);
	return `${ids.length === 1 ? 'session' : 'sessions'} ${formatShardIds(ids)} of ${sessions[0]?.of}`;
}

/** @param events Undefined: all that were in the queue. */
function queueLossText(events: number | undefined): string {
	const counted = 'what a group had not read counts as missed';
	return events === undefined
		? `Redis has lost the events that were in the queue, as after a restart without its data: ${counted}`
		: `Redis has lost ${plural(events, 'event')} that it had confirmed, as with "appendfsync everysec": ${counted}`;
}
