// The parts of a fleet, and who asks whom. What each part does is in its own file; when they start and end, in fleet-life.ts.
import { join } from 'node:path';
import { type Fleet, stateDir } from '@shardctl/control';
import type { ShardctlError } from '@shardctl/core';
import { Calls } from './calls/calls.js';
import { type ServedFleet, serveWorker } from './calls/serve-worker.js';
import type { Cluster } from './cluster/cluster.js';
import type { Membership } from './cluster/membership.js';
import type { NodeParts } from './cluster/node-parts.js';
import { Deploys } from './deploy/deploys.js';
import { freeBytes, hasMemory } from './deploy/memory.js';
import { publishIdentify } from './diagnostics/channels.js';
import type { EmitFleetEvent } from './events.js';
import { HostWatch } from './health/host-facts.js';
import { LossLedger } from './health/loss-ledger.js';
import { LastIdentify } from './identify/last-identify.js';
import { LocalIdentifyCoordinator } from './identify/local-coordinator.js';
import { SessionStarts } from './identify/session-starts.js';
import type { LifecycleState } from './lifecycle.js';
import { createSessionMode } from './modes/create-session-mode.js';
import { Replacements } from './modes/replacements.js';
import type { SessionMode } from './modes/session-mode.js';
import type { ResolvedClusterOptions } from './options/cluster-options.js';
import type { ResolvedManagerOptions } from './options/manager-options.js';
import { FleetQueue } from './queue/fleet-queue.js';
import { QueueWorkers } from './queue/queue-workers.js';
import { ReshardRecord } from './reshard/reshard-record.js';
import { noReshardOfQueueInCluster, noReshardWithoutState } from './reshard/reshard-request.js';
import { Reshards } from './reshard/reshards.js';
import type { FleetKind } from './reshard/sizing.js';
import { SizingWatch } from './reshard/sizing-watch.js';
import { FleetRest } from './rest/fleet-rest.js';
import { BotProblems } from './workers/bot-problems.js';
import type { ManagedWorker } from './workers/managed-worker.js';
import { ProcessRecords } from './workers/process-records.js';
import { RefusalPolicy } from './workers/refusal-policy.js';
import { forwardWorkerEvents } from './workers/worker-events.js';
import { WorkerFleet } from './workers/worker-fleet.js';

/** How long a new process may leave a question without an answer while a deploy watches it. */
const longestSilenceMs = 10_000;

export interface FleetContext {
	options: ResolvedManagerOptions;
	/** The fleet as its callers and workers see it. */
	fleet: ServedFleet & { readonly workers: readonly ManagedWorker[]; readonly totalShards: number };
	/** What this machine runs, for the other nodes of a cluster. */
	local(): Fleet;
	state(): LifecycleState;
	/** Aborts when the manager stops, or when Discord refuses a worker during the start: a reason without a stop. */
	abort: AbortController;
	/** Of shardctl. */
	version: string;
	/** The process that is this worker from here on is ready. */
	onPromoted(workerId: number): void;
	/** Discord has refused, and no worker is left. */
	onRefused(error: ShardctlError): void;
	emit: EmitFleetEvent;
}

export interface FleetParts {
	starts: SessionStarts;
	workers: WorkerFleet;
	mode: SessionMode;
	rest: FleetRest;
	/** Null where events do not go through a queue. */
	queue: FleetQueue | null;
	queueWorkers: QueueWorkers;
	calls: Calls<ManagedWorker>;
	processes: ProcessRecords;
	replacements: Replacements;
	deploys: Deploys;
	reshards: Reshards;
	sizing: SizingWatch;
	host: HostWatch;
	losses: LossLedger;
	/** Makes the next two, before anything else of a node of a cluster starts; null without a cluster. */
	readonly loadNode: (() => Promise<void>) | null;
	/** Null without a cluster. */
	readonly membership: Membership | null;
	/** All nodes, for callers, bots and the control API; null without a cluster. */
	readonly cluster: Cluster | null;
}

/** Makes the parts; nothing is started or opened. */
export function createFleetParts({
	options,
	fleet,
	local,
	state,
	abort,
	version,
	onPromoted,
	onRefused,
	emit,
}: FleetContext): FleetParts {
	const { api, token, clock, logger } = options;
	const { signal } = abort;
	const processes = new ProcessRecords({ clock, logger });
	const rest = new FleetRest({ options, rest: options.rest, emit, watchProcess: (child) => processes.watch(child) });
	const starts = new SessionStarts({
		api,
		via: () => rest.apiOfManager(),
		token,
		clock,
		coordinator: new LocalIdentifyCoordinator({
			clock,
			reserve: options.identifyReserve,
			windowMs: options.identifyWindowMs,
			// A manager without a control API keeps nothing in the state folder.
			last: options.control === false ? undefined : new LastIdentify({ token, clock }),
		}),
		onIdentify: (session, waitedMs) => publishIdentify(options.name, { session, waitedMs }),
		onStale: (error) => logger.warn({ err: error }, 'Discord did not answer, so its last answer is used'),
		onRetry: ({ message }, delayMs) => logger.warn(`${message}; trying again in ${Math.ceil(delayMs / 1000)} s`),
	});
	const losses = new LossLedger(clock);
	const calls = new Calls<ManagedWorker>(
		options.cluster
			? {
					/** Without those of a session that is only prepared here. Workers of a queue are of no session. */
					get workers() {
						return fleet.workers.filter(({ shardIds: [first] }) => first === undefined || node?.membership.owns(first));
					},
					get totalShards() {
						return fleet.totalShards;
					},
				}
			: fleet,
		options.callTimeoutMs,
		options.name,
	);
	let node: NodeParts | undefined;
	const callsOfAll = () => node?.cluster.calls ?? calls;
	const workers: WorkerFleet = new WorkerFleet({
		options,
		prepare: (worker, aborted) => mode.prepare(worker, aborted),
		acquireIdentify: (worker, shardId, aborted) => mode.acquireIdentify(worker, shardId, aborted),
		viewOf: (worker) => mode.viewOf(worker),
		callOf: ({ name, args = [], shard, guildId, timeoutMs }, aborted) =>
			callsOfAll().call(name, args, {
				...(shard === undefined ? {} : { shard }),
				...(guildId === undefined ? {} : { guildId }),
				...(timeoutMs === undefined ? {} : { timeoutMs }),
				signal: aborted,
			}),
		serve: (peer) => serveWorker(peer, { calls: callsOfAll(), fleet }),
		apiOf: (workerId) => rest.apiOfWorker(workerId) ?? api,
		onCreated: (worker) => {
			worker.child.on('ready', () => mode.onReady(worker));
			forwardWorkerEvents(worker, clock, emit);
			refusals.watch(worker);
			problems.watch(worker);
			processes.watch(worker.child);
			// In resident mode a worker's session is with its gateway process, which loses nothing of Discord's.
			if (options.gateway || options.queue) return;
			worker.on('shard.status', ({ shardId, status }) => {
				if (status === 'ready') losses.noteSession([shardId]);
			});
		},
		onPromoted: (worker) => onPromoted(worker.id),
	});
	const refusals = new RefusalPolicy({
		starts,
		workers,
		isResident: Boolean(options.gateway || options.queue),
		onRefused: (error) => {
			if (state() === 'starting') abort.abort(error);
		},
		onAllFailed: (error) => {
			onRefused(error);
			if (state() === 'running') emit('fleet:refused', { error });
		},
	});
	const problems = new BotProblems({
		workers,
		refusals,
		logger,
		botFile: options.file,
		program: options.program,
		threads: options.workerMode === 'thread',
	});
	const queue = options.queue && new FleetQueue({ queue: options.queue, token, clock, logger });
	const mode: SessionMode = createSessionMode({
		queue,
		options,
		workers,
		starts,
		isRunning: () => state() === 'running',
		onRefused: (worker, error) => refusals.refuse(worker, error),
		onFleetRefused: (error) => refusals.refuseFleet(error),
		emit,
		losses,
		watchProcess: (child) => processes.watch(child),
		apiOfGateway: (gatewayId) => rest.apiOfGateway(gatewayId) ?? api,
	});
	const replacements = new Replacements({
		mode,
		workers: () => workers.workers,
		clock,
		signal,
		onProgress: (progress) => emit('restart:progress', progress),
	});
	const queueWorkers = new QueueWorkers({
		workers,
		hasFile: options.queue ? options.file !== '' : null,
		totalShards: () => fleet.totalShards,
		isRunning: () => state() === 'running',
		inTurn: (work) => replacements.inTurn(work),
		signal,
	});
	const deploys = new Deploys({
		clock,
		signal,
		workers: () => workers.workers,
		replace: (worker, how) => mode.deploy(worker, how),
		hasMemory,
		silenceMs: options.heartbeatTimeoutMs > 0 ? Math.min(options.heartbeatTimeoutMs, longestSilenceMs) : longestSilenceMs,
		inTurn: (work) => void replacements.inTurn(work).catch(() => {}),
		onChange: (deploy) => emit('deploy:progress', deploy.stats()),
	});
	const reshards = new Reshards({
		mode,
		starts,
		record: new ReshardRecord(
			options.control === false || options.cluster ? undefined : join(stateDir(), `${options.name}.reshard.json`),
		),
		token,
		clock,
		windowMs: options.identifyWindowMs,
		shardsPerWorker: options.shardsPerWorker,
		cores: options.cores,
		memory: () => {
			const known = workers.workers.flatMap(({ sample }) => (sample ? [sample.rssBytes] : []));
			const average = known.reduce((sum, bytes) => sum + bytes, 0) / known.length;
			return { used: known.length === 0 ? null : average * workers.workers.length, free: freeBytes() };
		},
		signal,
		inTurn: (work) => replacements.inTurn(work),
		onProgress: (stats) => emit('reshard:progress', stats),
	});
	const decides = () => node?.reshards.decides ?? true;
	const sizing = new SizingWatch({
		reshard: options.reshard,
		how: kindOf(options),
		clock,
		windowMs: options.identifyWindowMs,
		figures: () => (options.reshard.mode === 'auto' && decides() ? (node?.cluster.whole ?? local()) : local()).getStats(),
		layout: () => mode.plan?.layout,
		decides,
		refresh: (age) => starts.refresh(age),
		recommended: () => starts.lastGateway.shards,
		answeredAt: () => starts.lastGatewayAt,
		start: (sessions) => (node ? node.reshards.reshard({ sessions }, { byPerson: false }) : reshards.reshard({ sessions })),
		onChange: (stats) => emit('fleet:sizing', stats),
	});
	const { cluster } = options;
	const loadNode = async (cluster: ResolvedClusterOptions) => {
		const { createNodeParts } = await import('./cluster/node-parts.js');
		node = createNodeParts({
			options,
			cluster,
			version,
			calls,
			local,
			carry: (session) => mode.carry(session),
			keepSpares: (count) => mode.keepSpares(count),
			gatewayUrl: () => starts.lastGateway.url,
			emit,
			starts,
			requireReshardable: () => requireReshardable(options, mode, signal),
			replace: async (group, ends) => (await mode.reshard(group, ends)).done,
			inTurn: (work) => replacements.inTurn(work),
			onLayout: (layout) => mode.noteLayout?.(layout),
			onPerson: (atMs) => sizing.notePerson(atMs),
			onProgress: (stats) => emit('reshard:progress', stats),
			signal,
		});
	};
	return {
		starts,
		workers,
		mode,
		rest,
		queue,
		queueWorkers,
		calls,
		processes,
		replacements,
		deploys,
		reshards,
		sizing,
		host: new HostWatch(clock),
		losses,
		loadNode: cluster && (() => loadNode(cluster)),
		get membership() {
			return node?.membership ?? null;
		},
		get cluster() {
			return node?.cluster ?? null;
		},
	};
}

/** How the fleet can get more sessions with Discord. */
function kindOf({ queue, cluster, gateway }: ResolvedManagerOptions): FleetKind {
	// As one that shares no state, it is stopped for that.
	if (queue) return cluster ? 'unshared' : 'queue';
	if (!gateway) return 'direct';
	if (!cluster) return 'resident';
	return cluster.state === 'none' ? 'unshared' : 'cluster';
}

/** Rejects with `RESHARD_UNSUPPORTED` in a cluster that cannot be resharded while it runs. */
async function requireReshardable(options: ResolvedManagerOptions, mode: SessionMode, signal: AbortSignal): Promise<void> {
	const kind = kindOf(options);
	if (options.queue) throw noReshardOfQueueInCluster();
	// The mode refuses what it cannot do.
	if (kind === 'direct') await mode.reshard({ group: 0, from: 1, to: 1 }, signal);
	if (kind === 'unshared') throw noReshardWithoutState();
}
