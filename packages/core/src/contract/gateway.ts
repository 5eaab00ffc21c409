// The contract between a manager and its resident gateway processes: the requests each side handles, the events each side sends,
// and the config that a gateway process is forked with. Types only, like the contract between a manager and its workers.
import type { Layout } from '../layout.js';
import type { LostEvents } from './losses.js';
import type { LastExit, ShardSample } from './stats.js';
import type { GatewayInfo, WorkerEvents } from './worker.js';

/** Name of the environment variable that carries a gateway process's {@link GatewayConfig} as JSON. */
export const gatewayConfigVariable = 'SHARDCTL_GATEWAY';

/** What it carries to a process that is started before there is anything for it to hold: a {@link PassedGatewayConfig} follows. */
export interface SpareGatewayConfig {
	readonly follows: true;
	/** To which it connects meanwhile. */
	readonly redis: ClusterRedis;
}

/** The first message to such a process. */
export interface PassedGatewayConfig {
	readonly shardctlGatewayConfig: GatewayConfig;
}

/** `at-most-once`: events in flight to a dead worker are dropped and counted. `at-least-once`: they are sent again. */
export type Delivery = 'at-most-once' | 'at-least-once';

/** How Discord compresses what it sends to a gateway process. */
export type UpstreamCompression = 'zlib-stream' | 'none';

/** How much a gateway process keeps for a worker that is away or slow. What is beyond goes into the state and is counted. */
export interface BufferLimits {
	/** Per shard. */
	events: number;
	/** Per shard. */
	bytes: number;
	ageMs: number;
}

/** The configuration that the manager gives a gateway process at its fork. The token is not in it: it travels as `DISCORD_TOKEN`. */
export interface GatewayConfig {
	gatewayId: number;
	epoch: number;
	/** Shards as workers see them; ascending, and all shards of each session with Discord that one of them belongs to. */
	shardIds: number[];
	layout: Layout;
	/** Base URL of Discord's REST API. */
	api: string;
	/** What `GET /gateway/bot` answered to the manager. */
	gateway: GatewayInfo;
	/** The port at which the manager takes connections for this process; see {@link PassedConnection}. 0: it opens one itself. */
	port: number;
	/** Folder for snapshots, this gateway's own. */
	snapshotDir: string;
	delivery: Delivery;
	buffer: BufferLimits;
	compression: UpstreamCompression;
	/**
	 * From which the path of each worker is made (see `WorkerPaths`): then no other path is served, and a client on it can be no one but a
	 * worker. Of this fleet alone; without it, as in tests, every path is served.
	 */
	pathSecret?: string;
	/** The fleet runs on a simulator, which accepts any token; workers may then use any as well. */
	anyToken?: boolean;
	/** The workers of the fleet: no other incarnation is let in. */
	workers: readonly (WorkerIncarnation & {
		/** Whether every shard of it is ready (default: yes). Until then its events wait; see `worker.ready`. */
		ready?: boolean;
	})[];
	/** Of a node of a cluster. The process then has one session, saves it in Redis, and acts for it only while it has the lease. */
	cluster?: GatewayClusterConfig;
	/** The events go to the workers of a queue, and to no worker of this manager. */
	queue?: GatewayQueueConfig;
}

/** Where a gateway process writes the events of its shards. */
export interface GatewayQueueConfig {
	redis: ClusterRedis;
	applicationId: string;
	/** What Redis keeps of them. */
	keep: { bytes: number; ageMs: number };
}

/** How a gateway process of a node saves its session, and releases it when its manager is gone. */
export interface GatewayClusterConfig {
	redis: ClusterRedis;
	applicationId: string;
	/** This incarnation of the node. */
	node: string;
	/** The node as the cluster knows it, as JSON. */
	member: string;
	session: number;
	timings: ClusterTimings;
	/** Where the session is saved: `none` keeps it on this machine, for the next process of this node only. */
	state: 'redis' | 'none';
	/** Null for a session that is being prepared here and belongs to another node. */
	lease: SessionLease | null;
}

/** Where the Redis of a cluster is, with what is needed to connect. */
export interface ClusterRedis {
	url: string;
	/** PEM. */
	tls?: { ca?: string; cert?: string; key?: string };
}

/** The durations of the lease protocol; `timingsFor` of packages/cluster makes them. */
export interface ClusterTimings {
	readonly leaseMs: number;
	readonly validMs: number;
	readonly quietMs: number;
	readonly renewMs: number;
	readonly retryMs: number;
	readonly takeMarginMs: number;
	readonly observeMs: number;
	readonly gapMs: number;
	readonly doubtMs: number;
}

/** The right of a gateway process to act for its session. */
export interface SessionLease {
	/** Of the owner; the fence of everything that is saved. */
	epoch: number;
	/** The engine that has confirmed it. */
	identity: string;
	/** When it ends, by the clock that all processes of the machine share (`process.hrtime`), in ms. In the past: it is not confirmed. */
	untilMs: number;
}

/**
 * The message with which the manager passes a connection on to a gateway process, beside the socket, of which nothing was read. It is
 * the manager's until the process answers with `connection.taken`.
 */
export interface PassedConnection {
	shardctlConnection: number;
}

/** What a gateway process takes and what it holds. */
export interface GatewayStats {
	/** Resident memory. Null while the process does not answer. */
	rssBytes: number | null;
	/** Processor time since it began. Null while it does not answer. */
	cpuSeconds: number | null;
	sessions: GatewaySessionStats[];
	shards: GatewayShardStats[];
}

/** One gateway process as its manager shows it. */
export interface GatewayProcessStats extends GatewayStats {
	id: number;
	/** Null while no process is there. */
	pid: number | null;
	status: string;
	shardIds: readonly number[];
	/** Of its process, epoch ms; null while none is there. */
	startedAt: number | null;
	uptimeMs: number;
	restarts: number;
	/** Epoch ms when `status` began. */
	since: number;
	/** Processes in a row that ended before they had proved to be stable. */
	tries: number;
	/** Epoch ms when the first of them ended, or the last stable one; null where none has ended by itself. */
	failingSince?: number | null | undefined;
	/** Epoch ms of the next start; null while none is planned. */
	nextTryAt: number | null;
	lastExit: LastExit | null;
	/** Epoch ms of the last answered heartbeat; null before the first. */
	lastAnswerAt: number | null;
	/** Shards whose snapshots could not be saved; null where the last save of each succeeded. */
	snapshotFailure: { shardIds: number[]; since: number; error: string; folder: string } | null;
	/** In a cluster: the node that has it. */
	node?: string | undefined;
}

/** One session with Discord. */
export interface GatewaySessionStats {
	/** Its number: the shard id that Discord knows. */
	id: number;
	/** The shard count that it has identified with. While a bot is resharded, the sessions of one fleet can have two different ones. */
	of: number;
	/** The shards that come through it. */
	shardIds: number[];
	/** `idle`: no worker has identified yet, so the intents are unknown. */
	status: 'idle' | 'connecting' | 'resuming' | 'ready' | 'refused';
	/** Epoch ms when it became ready, or, while it is not, when it last was or was first tried; null while it is idle. */
	since: number | null;
	/** Attempts to connect in a row that did not lead to a ready session. */
	tries: number;
	/** Epoch ms of the next attempt to connect, while it waits for that; null otherwise. */
	nextTryAt: number | null;
	/** How its last connection ended; null before that. `code` is null where there was no connection to close. */
	lastClose: { code: number | null; reason: string; at: number } | null;
	/** The intents that it identifies with; null before a worker has identified. */
	intents: number | null;
	/** Whether its IDENTIFY waits for the day's session starts to reset. Known to the manager. */
	waitsForBudget: boolean;
	/** Epoch ms of the last event from Discord; null before the first. */
	lastEventAt: number | null;
	/** Heartbeat round trip to Discord in ms; null before the first. */
	ping: number | null;
	/** Sessions that Discord started, since the gateway process began, as everything that follows. */
	identifies: number;
	/** Times that it went on after its connection had broken. */
	resumes: number;
	/** Times that Discord took it away. */
	sessionsLost: number;
	/** Requests of workers that wait for Discord's rate limit or connection, and how many were dropped because too many did. */
	requestsWaiting: number;
	requestsDropped: number;
}

/** What a gateway process counts of a shard, since it began. */
export interface GatewayShardCounters {
	/** From Discord. */
	received: number;
	delivered: number;
	/** Times that a worker came new, and that one came back. */
	workerIdentifies: number;
	workerResumes: number;
	/** Folded into the state because the buffer was full; never seen by a worker. */
	overflowed: number;
	/** Interactions and typing that were too old to be of use. */
	expired: number;
	/** Presences and voice states that a newer one made needless while no worker was there. */
	coalesced: number;
	/** In the hands of a worker that died (at-most-once). */
	lost: number;
	/** Sent again after a worker had died (at-least-once). */
	repeated: number;
	/** Set aside because they killed their worker again and again. */
	poisoned: number;
}

/** The names of {@link GatewayShardCounters}: where one is listed, so that stats, metrics and schemas have the same ones. */
export const gatewayShardCounters = Object.keys({
	received: true,
	delivered: true,
	workerIdentifies: true,
	workerResumes: true,
	overflowed: true,
	expired: true,
	coalesced: true,
	lost: true,
	repeated: true,
	poisoned: true,
} satisfies Record<keyof GatewayShardCounters, true>) as readonly (keyof GatewayShardCounters)[];

/** One shard as its gateway process sees it. */
export interface GatewayShardStats extends GatewayShardCounters {
	shardId: number;
	/** The number of the session with Discord that it comes through. */
	session: number;
	/** Whether a worker is connected, and gets events. */
	worker: 'none' | 'connected' | 'away' | 'paused';
	guildCount: number;
	/** What the state holds, in bytes. */
	stateBytes: number;
	/** Events that wait for their worker or for its word that it has them. */
	bufferedEvents: number;
	bufferedBytes: number;
	/** Age of the oldest of them; 0 when there is none. */
	bufferAgeMs: number;
	/** Longest time that an event of the last 10 s waited before it went out to the worker, or waits now. */
	lagMs: number;
	/** Events from Discord, over the last 10 s. */
	eventsPerSecond: number;
	/** What this process has saved of the shard, the snapshot and the events behind it; null before the first time. */
	snapshotBytes: number | null;
	/** Since it saved something last: a shard to which nothing happens has nothing to save. Null before the first time. */
	snapshotAgeMs: number | null;
	/** Why the last save failed, and since when (epoch ms) saves fail; null where the last one succeeded. */
	snapshotFailure: { since: number; error: string } | null;
	/** Queue mode: why its events are not written to the queue, and since when (epoch ms); null where they are. */
	queueFailure?: { since: number; error: string } | null | undefined;
}

/** Requests that a gateway process handles. */
export interface GatewayMethods {
	ping: { params: null; result: null };
	/** Closes node's inspector, which the manager opened to find where the process hung. */
	'inspector.close': { params: null; result: null };
	stats: { params: null; result: GatewayStats };
	/**
	 * Admits this incarnation of a worker from now on, and none before it, which is dead. `crashed`: by its own fault, for which an
	 * event may be the cause.
	 */
	'worker.expect': { params: WorkerIncarnation & { crashed: boolean }; result: null };
	/**
	 * Stops the stream to the present worker, which is about to end; resolves with whether it has confirmed in time every event that it
	 * was sent. The stream continues to the incarnation that `worker.expect` names next.
	 */
	'worker.drain': { params: { shardIds: readonly number[] }; result: { drained: boolean } };
	/** Every shard of this incarnation of a worker is ready: its events may flow. */
	'worker.ready': { params: WorkerIncarnation; result: null };
	/** Resolves when the client of each connection of this process has answered a heartbeat; while there is none, it waits for one. */
	'worker.ping': { params: WorkerIncarnation; result: null };
	/** Figures of a worker that measures none itself. */
	'worker.figures': { params: WorkerIncarnation; result: { shards: ShardSample[] } };
	/**
	 * Resolves with `answerable: true` once an IDENTIFY for this shard would be answered at once, or refused. A session with Discord that
	 * was never started is started with `terms`; where `terms` is null it resolves with `answerable: false` immediately, because an
	 * IDENTIFY is needed to start it.
	 */
	'shard.prepare': {
		params: { shardId: number; totalShards?: number; terms: SessionTerms | null };
		result: { answerable: boolean };
	};
	// A hand-over: the incarnation in each request is the successor's. A request that does not fit the state of the hand-over, or
	// names another successor, changes nothing and rejects with `PROTOCOL_ERROR`.
	/** Announces a successor of the present worker: its IDENTIFYs are held. */
	'handover.begin': { params: WorkerIncarnation; result: null };
	/** Resolves once an IDENTIFY of the successor is held for every shard. */
	'handover.waiting': { params: WorkerIncarnation; result: null };
	/** Stops the present worker's stream; resolves with whether it has confirmed in time every event that it was sent. */
	'handover.pause': { params: WorkerIncarnation; result: { drained: boolean } };
	/** Responds to the successor's IDENTIFYs with READY and its guilds; no event follows yet. Only after a pause that was drained. */
	'handover.present': { params: WorkerIncarnation; result: null };
	/** Resolves once the present worker has logged out of every shard, which it does after its last handlers. */
	'handover.released': { params: WorkerIncarnation; result: null };
	/**
	 * The stream continues to the successor. With `keepPrevious` the process that had it is still running, and its IDENTIFYs are held
	 * until it is expected again (`worker.expect`), or the next hand-over begins.
	 */
	'handover.commit': { params: WorkerIncarnation & { keepPrevious?: boolean }; result: null };
	/** Drops the successor; the stream continues to the present worker. */
	'handover.abort': { params: WorkerIncarnation; result: null };
	/**
	 * Replaces the sessions whose number is `group` modulo the smaller of the two counts, all of this process, by sessions of the count
	 * `to`. Resolves when the new ones serve their shards; a rejection means that nothing has changed. Resolves at once where they do
	 * already. Rejects with `RESHARD_FAILED`.
	 */
	'session.reshard': { params: ReshardGroup; result: ReshardedGroup };
	// A change of the shard count: shards of another count replace all shards of the process, and its sessions with Discord stay. `generation`
	// is that of the new layout. A request that does not fit the state of the change rejects with `PROTOCOL_ERROR` and changes nothing.
	/** Announces the new shards and their workers, whose IDENTIFYs wait. Resolves with the number of guilds that they will have. */
	'shards.begin': { params: ShardsToBegin; result: { guilds: number } };
	/**
	 * Keeps all events back until the present workers have confirmed those before; then the new shards have the guilds, and their workers
	 * receive READY. Rejects with `RESHARD_FAILED`: then events flow as before. So they do without `shards.seal` within `sealedWithinMs`.
	 */
	'shards.cut': { params: { generation: number; sealedWithinMs: number }; result: null };
	/** Resolves when the new shards are saved, so that the manager can decide. Rejects with `RESHARD_FAILED`. */
	'shards.seal': { params: { generation: number }; result: null };
	/** The manager has decided for the new shards. Resolves once the present workers have logged out of every shard. */
	'shards.released': { params: { generation: number }; result: null };
	/** The new shards receive the events from now on, those that were kept back first. Resolves at once where they do already. */
	'shards.commit': { params: { generation: number }; result: { pausedMs: number; held: number } };
	/**
	 * Drops the new shards; the present ones receive what was kept back. `reason`: why the gateway process had dropped them before, such as
	 * because of a full buffer; null where it had not.
	 */
	'shards.drop': { params: { generation: number }; result: { reason: string | null } };
	/** In a cluster: the session is this node's, or the lease has been renewed. The first one restores the session. */
	'session.lease': { params: SessionLease; result: null };
	/** Saves everything; with `keepSessions` Discord keeps the sessions for the next process. The process exits right after. */
	shutdown: { params: { reason: string; keepSessions: boolean }; result: null };
}

/** The sessions that carry the same shards before and after a resharding: one before and several after, or the reverse. */
export interface ReshardGroup {
	group: number;
	/** Session counts. */
	from: number;
	to: number;
}

export interface ReshardedGroup {
	/** IDENTIFYs that Discord has accepted for it. */
	identifies: number;
	/** How long the shards received no event; 0 where nothing was left to do. */
	pausedMs: number;
	/** Events that both generations of sessions sent; each was delivered once. */
	repeated: number;
	/** Guilds, of a sample, that Discord shows to the new sessions otherwise than the events of the sessions before have led to. */
	drifted?: number | undefined;
}

export interface WorkerIncarnation {
	/** Of the worker; see `WorkerPaths`. */
	incarnation: number;
	shardIds: readonly number[];
	/** The shard count that its shards are of, where those of two counts are there (default: the present one). */
	totalShards?: number;
}

/** Shards of another count that are to replace those of a gateway process. */
export interface ShardsToBegin {
	layout: Layout;
	/** Of this process. */
	shardIds: readonly number[];
	workers: readonly WorkerIncarnation[];
}

/** What an IDENTIFY asks of a session with Discord. */
export interface SessionTerms {
	intents: number;
	largeThreshold: number | null;
	/** Discord's presence object; null for none. */
	presence: object | null;
}

/**
 * What has become of the connection of a worker's process for one shard.
 *
 * identifying  It has sent an IDENTIFY, which is not answered yet.
 * ready        It has confirmed READY and its guilds.
 * resumed      It has resumed its session.
 * gone         The connection of its session is gone.
 * refused      Its IDENTIFY was refused, with `closeCode`: the same one would be refused again.
 */
export const workerConnectionStatuses = ['identifying', 'ready', 'resumed', 'gone', 'refused'] as const;

export interface WorkerConnection {
	/** Of the worker; 0 for a client on a path of no worker. */
	incarnation: number;
	shardId: number;
	status: (typeof workerConnectionStatuses)[number];
	closeCode?: number | undefined;
}

/** Requests that the manager handles for a gateway process. */
export interface GatewayManagerMethods {
	/** Resolves when this session with Discord may send IDENTIFY now. `successor`: it will replace another one, which serves its shards. */
	'identify.acquire': { params: { session: number; successor?: boolean | undefined }; result: { slotId: number } };
}

/** Events that a gateway process sends; they have no reply. */
export interface GatewayEvents extends Pick<WorkerEvents, 'identify.sent' | 'identify.confirmed' | 'identify.released'> {
	/** Workers can connect. */
	listening: { port: number };
	/** The connection of this number is the process's now. */
	'connection.taken': { id: number };
	/** Discord has started this session, so it accepts these terms. */
	'session.started': { session: number; terms: SessionTerms };
	/** Of the processes of workers; most report the same themselves. */
	'worker.connection': WorkerConnection;
	/** Discord refused a session for good, with this close code. */
	'session.refused': { session: number; code: number };
	/** Events of a shard that no worker will receive, since the last report; within a second. */
	'events.lost': { shardId: number; lost: LostEvents };
	/** Something that people should hear of, with the level of its log line. */
	notice: GatewayNotice;
}

/** Of {@link GatewayNotice}. */
export const gatewayNoticeKinds = [
	'upstream:ready',
	'upstream:resumed',
	'upstream:disconnected',
	'upstream:refused',
	'upstream:session-lost',
	'upstream:intents',
	'reshard:begun',
	'reshard:done',
	'reshard:failed',
	'reshard:drift',
	'worker:refused',
	'worker:slow',
	'worker:flood',
	'requests:dropped',
	'requests:normal',
	'events:overflowed',
	'buffer:normal',
	'events:expired',
	'events:lost',
	'events:repeated',
	'events:poisoned',
	'interactions:not-deferred',
	'queue:failed',
	'queue:written',
	'queue:lost',
	'snapshot:failed',
	'snapshot:saved',
	'snapshot:restored',
	'snapshot:unusable',
] as const;

/** One thing that happened to a shard in a gateway process, or to all shards of a session with Discord. */
export interface GatewayNotice {
	shardIds: readonly number[];
	kind: (typeof gatewayNoticeKinds)[number];
	message: string;
}
