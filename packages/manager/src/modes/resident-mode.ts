// Resident mode: gateway processes hold the sessions with Discord. Every process of a worker has a number, which the gateway process of
// its shards knows before the worker is forked. Not in here: how a worker is replaced (worker-replacer.ts).
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
	aborted,
	deferred,
	describeRefusal,
	type GatewayProcessStats,
	type GatewayQueueConfig,
	type GatewaySessionStats,
	type GatewayStats,
	type IdentifySlot,
	type IdentifyWait,
	type Layout,
	orAborted,
	type ReshardedGroup,
	type ReshardGroup,
	ShardctlError,
	sessionsOfShards,
	shardsOfSession,
	type WorkerConnection,
	type WorkerIncarnation,
	withGroup,
} from '@shardctl/core';
import { defaultRestartPolicy } from '@shardctl/supervisor';
import { heartbeatOf, ownerErrorLog } from '../children/child-rules.js';
import type { LocalGatewayView } from '../foreign/foreign-source.js';
import { GatewayFleet } from '../gateways/gateway-fleet.js';
import { IdentifyAdmission } from '../gateways/identify-admission.js';
import type { ManagedGateway } from '../gateways/managed-gateway.js';
import type { StartRequest } from '../identify/session-starts.js';
import type { ResolvedGatewayOptions } from '../options/gateway-options.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { Plan } from '../plan/plan.js';
import type { ShardPlan } from '../plan/plan-shards.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { StartTicket } from '../workers/start-ticket.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import { CarriedSession, type SessionToCarry } from './carried-session.js';
import { hasCrashed } from './crashed.js';
import { RefusedSessions } from './refused-sessions.js';
import type { Replacement } from './replacement.js';
import { whenServed } from './served.js';
import type { ChangeShardsOptions, DeployReplaceOptions, ReplaceOptions, SessionMode } from './session-mode.js';
import { openSnapshotFolder, type SnapshotFolder } from './snapshot-folder.js';
import { type ModeContext, startRequest } from './start-request.js';
import { WorkerReplacer } from './worker-replacer.js';
import { WorkerSetChange, type WorkerSetChanged } from './worker-set-change.js';

/** How long a session may take to be ready again after what carries it was replaced. */
const servedWithinMs = 10_000;
/** How long a gateway process may take to answer about a worker. */
const viewTimeoutMs = 2000;
/** The token is not valid: no session of the bot can be started. */
const tokenRefused = 4004;

export interface ResidentModeOptions extends ModeContext {
	options: ResolvedManagerOptions;
	resident: ResolvedGatewayOptions;
	workers: WorkerFleet;
	/** Where events are written, instead of being delivered to workers here. */
	queue?: GatewayQueueConfig;
	/** Where a gateway process finds Discord's REST API. */
	apiOfGateway(gatewayId: number): string;
}

/** What there is from `start` on. */
interface Running {
	plan: Plan;
	gateways: GatewayFleet;
	folder: SnapshotFolder;
	replacer: WorkerReplacer;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
}

export class ResidentMode implements SessionMode {
	readonly seamless = true;
	readonly #options: ResidentModeOptions;
	#running: Running | undefined;
	/** The number of the process that each worker has, or gets next. */
	readonly #incarnations = new WeakMap<ManagedWorker, number>();
	#lastIncarnation = 0;
	/** Workers with a process whose shards are not all ready. */
	readonly #booting = new WeakSet<ManagedWorker>();
	/** Sessions that wait for Discord's permission to identify. */
	readonly #queuedSessions = new Set<number>();
	/** Sessions whose IDENTIFY waits until the day's session starts reset. */
	readonly #waitingForBudget = new Set<number>();
	/** Sessions that Discord has ended, until it starts the next one. */
	readonly #ended = new Set<number>();
	readonly #refused = new RefusedSessions();
	readonly #admission: IdentifyAdmission;
	#lastSlotId = 0;

	constructor(options: ResidentModeOptions) {
		this.#options = options;
		this.#admission = new IdentifyAdmission(options.options.clock);
	}

	async start(plan: Plan, signal: AbortSignal): Promise<void> {
		const { name, control } = this.#options.options;
		const folder = openSnapshotFolder({ name, locked: control !== false });
		// A node continues nothing from its own files: another node may have had the sessions since.
		if (this.#options.options.cluster?.state === 'none') folder.empty();
		const gateways = this.#createGateways(plan, folder.path);
		const replacer = new WorkerReplacer({
			...this.#options,
			gateways,
			signal,
			incarnationOf: (worker) => this.#incarnationOf(worker),
			assignIncarnation: (worker) => this.#assignIncarnation(worker),
			allowSessions: (shardIds) => {
				for (const session of this.#sessionsOf(shardIds)) this.#refused.allow(session);
			},
			whyNotServed: (shardIds) => this.#whyNotServed(shardIds, { inWorkers: true }),
		});
		this.#running = { plan, gateways, folder, replacer, signal };
		await gateways.start(signal);
	}

	get plan(): Plan | undefined {
		return this.#running?.plan;
	}

	/** As a node of a cluster: makes and starts the gateway process and the workers of a session. */
	carry({ shardIds, slices, isTakenOver, gateway: config, onConnection }: SessionToCarry): CarriedSession {
		const { gateways, folder } = this.#started();
		const { workers, options } = this.#options;
		const gateway = gateways.add(shardIds, config);
		const connected = deferred();
		gateway.on('notice', ({ kind }) => {
			// The sessions that replaced others were ready before they reported anything.
			if (kind === 'upstream:ready' || kind === 'upstream:resumed' || kind === 'reshard:done') {
				connected.resolve();
				onConnection('up');
			} else if (kind === 'upstream:disconnected') onConnection('down');
		});
		this.#replan();
		const created = workers.create({ slices, totalShards: this.#started().plan.layout.totalShards, byShard: true });
		return new CarriedSession({
			clock: options.clock,
			gateway,
			workersAfter: isTakenOver ? connected.promise : undefined,
			slices,
			workers: () => workers.workers.filter((worker) => shardIds.includes(worker.shardIds[0] as number)),
			created,
			removeWorkers: (removed) => workers.remove(removed),
			onClosed: () => {
				gateways.remove(gateway);
				folder.empty(gateway.id);
				this.#replan();
			},
		});
	}

	/** Whether Discord has refused a session for good. */
	isRefused(session: number): boolean {
		return this.#refused.has(session);
	}

	keepSpares(count: number): void {
		this.#running?.gateways.keepSpares(count);
	}

	noteLayout(layout: Layout): void {
		if (this.#running) this.#replan(layout);
	}

	/** As a node of a cluster: with the shards of the gateway processes that there are now. */
	#replan(layout = this.#started().plan.layout): void {
		const running = this.#started();
		const shards = running.gateways.gateways.flatMap(({ shardIds }) => shardIds);
		const shardIds = [...new Set(shards)].sort((a, b) => a - b);
		running.plan = { ...running.plan, layout, shardIds, sessionIds: sessionsOfShards(layout, shardIds) };
	}

	async prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket> {
		const { gateways } = this.#started();
		const { shardIds, totalShards, child } = worker;
		const gateway = this.#gatewayOf(worker);
		if (this.#options.workers.owns(worker)) {
			const incarnation = this.#assignIncarnation(worker);
			const expected = { incarnation, shardIds, totalShards, crashed: hasCrashed(child.lastExit) };
			await gateways.expect(expected, signal, gateway);
		} else if (child.epoch > 0) {
			// A successor that has failed is not tried again: its hand-over is rolled back, and stops it.
			await aborted(signal);
		}
		return { gateway: gateway.infoFor(this.#incarnationOf(worker), totalShards), startsSessions: false };
	}

	/** Permission of the gateway process, which paces its own sessions with Discord; see {@link IdentifyAdmission}. */
	async acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		await this.#admission.wait(this.#gatewayOf(worker), { shardId, totalShards: worker.totalShards }, signal);
		return {
			id: ++this.#lastSlotId,
			shardId,
			// It waits where the session is queued already, for another worker of the same session.
			sent: () => {
				for (const session of this.#queuedSessions) this.#noteIdentify(worker, session, 'waiting');
			},
			confirmed() {},
			release() {},
			abandon() {},
		};
	}

	replace(worker: ManagedWorker, options: ReplaceOptions): Promise<void> {
		return this.#started().replacer.replace(worker, options);
	}

	deploy(worker: ManagedWorker, options: DeployReplaceOptions): Promise<Replacement> {
		return this.#started().replacer.deploy(worker, options);
	}

	onReady(worker: ManagedWorker): void {
		const { gateways, signal } = this.#started();
		this.#booting.delete(worker);
		gateways.noteReady(this.#processOf(worker), this.#gatewayOf(worker), signal);
	}

	viewOf(worker: ManagedWorker): LocalGatewayView {
		const { signal: stopped } = this.#started();
		const gateway = () => this.#gatewayOf(worker);
		const process = () => this.#processOf(worker);
		return {
			async ping(signal) {
				const end = AbortSignal.any([signal, stopped]);
				for (;;) {
					await gateway().whenReady(end);
					const answer = gateway().request('worker.ping', process(), { signal: end, timeoutMs: Number.POSITIVE_INFINITY });
					// A gateway process that has died is followed by another.
					if (await answer.then(() => true).catch(() => false)) return;
					end.throwIfAborted();
				}
			},
			figures: async () => (await gateway().request('worker.figures', process(), { timeoutMs: viewTimeoutMs })).shards,
			isExcused: () => worker.isAside || gateway().child.state !== 'ready',
		};
	}

	identifyWaits(): IdentifyWait[] {
		const waits = this.#options.starts.waits();
		// A wait is of a session here; each of its shards waits with it.
		return waits.flatMap((wait) => this.#shardsOf(wait.shardId).map((shardId) => ({ ...wait, shardId })));
	}

	health(): 'up' | 'degraded' {
		return this.#running?.gateways.isUp === false ? 'degraded' : 'up';
	}

	async stats(nowMs: number): Promise<GatewayProcessStats[] | undefined> {
		const gateways = await this.#running?.gateways.stats(nowMs);
		return gateways?.map((gateway) => ({ ...gateway, sessions: gateway.sessions.map((session) => this.#shown(session)) }));
	}

	async restartGateways(): Promise<void> {
		const { gateways } = this.#started();
		return gateways.restart(async ({ id: gatewayId, label, shardIds }) => {
			const reason = await this.#whyNotServed(shardIds);
			if (reason === undefined) return;
			throw new ShardctlError('WORKER_NOT_READY', `${label} was replaced, but not all of its shards are served: ${reason}`, {
				details: { gatewayId, shardIds },
			});
		});
	}

	/** Resolves with the layout of then. A gateway process that dies meanwhile is followed by one that is asked again. */
	async reshard(request: ReshardGroup, signal: AbortSignal): Promise<{ layout: Layout; done: ReshardedGroup }> {
		const { gateways, plan } = this.#started();
		const groups = Math.min(request.from, request.to);
		const gateway = gateways.of(plan.shardIds.filter((id) => id % groups === request.group));
		for (;;) {
			await gateway.whenReady(signal);
			const asked = gateway.request('session.reshard', request, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			const outcome = await asked.catch((error: unknown) => error);
			signal.throwIfAborted();
			if (!(outcome instanceof Error)) {
				const running = this.#started();
				const layout = withGroup(running.plan.layout, request.group, request.to);
				running.plan = { ...running.plan, layout, sessionIds: sessionsOfShards(layout, running.plan.shardIds) };
				return { layout, done: outcome as ReshardedGroup };
			}
			const code = ShardctlError.is(outcome) ? outcome.code : undefined;
			if (code !== 'CHANNEL_CLOSED' && code !== 'WORKER_UNAVAILABLE') throw outcome;
		}
	}

	/** See {@link SessionMode.changeShards}. */
	async changeShards(next: ShardPlan, { signal, onDecided, onState = () => {} }: ChangeShardsOptions): Promise<WorkerSetChanged> {
		const running = this.#started();
		const { workers } = this.#options;
		const ids = [...workers.workers, ...next.slices].map((_, id) => id);
		let changed: WorkerSetChanged = { pausedMs: 0, held: 0 };
		await running.replacer.whileNoneIsReplaced(ids, async () => {
			signal.throwIfAborted();
			const created = workers.createBeside({ slices: next.slices, totalShards: next.layout.totalShards });
			const places = running.gateways.gateways.map((gateway, index) => {
				const shardIds = next.gateways[index] ?? [];
				return {
					gateway,
					shardIds,
					present: workers.workers.filter((worker) => this.#gatewayOf(worker) === gateway),
					next: created
						.filter((worker) => shardIds.includes(worker.shardIds[0] as number))
						.map((worker) => ({ worker, incarnation: this.#assignIncarnation(worker) })),
				};
			});
			let former: readonly ManagedWorker[] = [];
			const change = new WorkerSetChange({
				gateways: places,
				layout: next.layout,
				clock: this.#options.options.clock,
				signal: AbortSignal.any([signal, running.signal]),
				stopped: running.signal,
				onState,
				onDecided: () => {
					const { layout, slices, gateways } = next;
					const plan = { ...running.plan, layout, slices, gateways, shardIds: gateways.flat().sort((a, b) => a - b) };
					onDecided(plan);
					running.plan = plan;
					for (const { gateway, shardIds } of places) gateway.haveShards(shardIds);
					former = workers.replaceAll(created);
				},
			});
			try {
				changed = await change.run();
			} finally {
				for (const worker of former.length > 0 ? former : created) workers.dismiss(worker);
			}
		});
		return changed;
	}

	async stop(options: { graceMs?: number }): Promise<void> {
		await this.#running?.gateways.stop(options);
		this.#running?.folder.release();
	}

	#started(): Running {
		if (this.#running) return this.#running;
		throw new ShardctlError('WORKER_UNAVAILABLE', 'the fleet is not started yet, so it has no gateway processes');
	}

	/** A number above that of every process before. */
	#assignIncarnation(worker: ManagedWorker): number {
		const incarnation = ++this.#lastIncarnation;
		this.#incarnations.set(worker, incarnation);
		this.#booting.add(worker);
		return incarnation;
	}

	/** 0 before the first process of a worker is prepared: no process has that number. */
	#incarnationOf(worker: ManagedWorker): number {
		return this.#incarnations.get(worker) ?? 0;
	}

	/** As its gateway process knows it. */
	#processOf(worker: ManagedWorker): WorkerIncarnation {
		const { shardIds, totalShards } = worker;
		return { incarnation: this.#incarnationOf(worker), shardIds, totalShards };
	}

	/** The process that has the shards of a worker, also where the worker is one of another shard count. */
	#gatewayOf(worker: ManagedWorker): ManagedGateway {
		return this.#started().gateways.of([this.#presentShardOf(worker)]);
	}

	/** A shard of the present count that is in the same gateway process as those of the worker. */
	#presentShardOf({ shardIds, totalShards }: ManagedWorker): number {
		return (shardIds[0] as number) % Math.min(totalShards, this.#started().plan.layout.totalShards);
	}

	#createGateways(plan: Plan, snapshotFolder: string): GatewayFleet {
		const { options, resident, starts, workers } = this.#options;
		return new GatewayFleet({
			gateways: plan.gateways,
			token: options.token,
			logger: options.logger,
			redis: options.cluster?.redis,
			child: {
				policy: options.policy ?? defaultRestartPolicy,
				clock: options.clock,
				readyTimeoutMs: options.readyTimeoutMs,
				shutdownGraceMs: options.shutdownGraceMs,
				heartbeat: heartbeatOf(options.heartbeatTimeoutMs),
				onOwnerError: ownerErrorLog(options.logger),
				...(options.processHost ? { host: options.processHost } : {}),
			},
			config: (gatewayId) => ({
				layout: (this.#running?.plan ?? plan).layout,
				api: this.#options.apiOfGateway(gatewayId),
				gateway: starts.lastGateway,
				snapshotDir: join(snapshotFolder, String(gatewayId)),
				delivery: resident.delivery,
				...(options.simulator ? { anyToken: true } : {}),
				buffer: resident.buffer,
				compression: resident.compression,
				...(this.#options.queue && { queue: this.#options.queue }),
				workers: workers.workers.map((worker) => ({
					incarnation: this.#incarnationOf(worker),
					shardIds: worker.shardIds,
					ready: !this.#booting.has(worker),
				})),
			}),
			acquireIdentify: (session, signal, { successor }) =>
				successor ? this.#options.starts.acquireIdentify(session, unattended, signal) : this.#acquireForSession(session, signal),
			identifyWindowMs: options.identifyWindowMs,
			onCreated: (gateway) => this.#listen(gateway),
		});
	}

	#listen(gateway: ManagedGateway): void {
		const { emit, losses } = this.#options;
		const ref = () => ({ gatewayId: gateway.id, shardIds: gateway.shardIds });
		this.#options.watchProcess?.(gateway.child);
		gateway.child.on('spawned', ({ pid }) => emit('gateway:spawned', { ...ref(), pid }));
		gateway.child.on('exited', ({ message, reason }) =>
			emit('gateway:exited', { ...ref(), message, requested: reason === 'requested' }),
		);
		gateway.on('session-started', (terms, session) => {
			this.#refused.allow(session);
			this.#admission.noteTerms(terms);
			losses.noteSession(this.#shardsOf(session));
			this.#ended.delete(session);
			this.#waitingForBudget.delete(session);
		});
		gateway.on('worker-connection', (connection) => this.#onWorkerConnection(connection));
		gateway.child.on('exited', () => {
			for (const worker of this.#options.workers.all) {
				if (!gateway.shardIds.includes(this.#presentShardOf(worker))) continue;
				const incarnation = this.#incarnationOf(worker);
				for (const shardId of worker.shardIds) worker.noteConnection({ incarnation, shardId, status: 'gone' });
			}
		});
		gateway.on('lost', (shardId, lost) => losses.noteEvents([shardId], lost));
		gateway.on('session-refused', (refusal) => this.#onSessionRefused(refusal));
		gateway.on('identify-expired', (session, afterMs) =>
			emit('identify:expired', { gatewayId: gateway.id, shardIds: this.#shardsOf(session), afterMs }),
		);
		gateway.on('notice', (notice) => {
			emit('gateway:notice', { gatewayId: gateway.id, ...notice });
			if (notice.kind !== 'upstream:session-lost') return;
			this.#onSessionsEnded(this.#sessionsOf(notice.shardIds)).catch((error: unknown) =>
				this.#options.options.logger.warn({ err: error }, 'Discord was not asked how many session starts are left'),
			);
		});
	}

	#onWorkerConnection(connection: WorkerConnection): void {
		const worker = this.#options.workers.all.find((each) => this.#incarnationOf(each) === connection.incarnation);
		if (!worker) return;
		// A program may identify any shard; what is refused concerns all of its shards.
		const shardId = worker.shardIds.includes(connection.shardId) ? connection.shardId : (worker.shardIds[0] as number);
		worker.noteConnection({ ...connection, shardId });
		if (connection.status !== 'identifying' || !this.#options.options.program) return;
		// It waits where the session is queued already.
		for (const session of this.#queuedSessions) this.#noteIdentify(worker, session, 'waiting');
	}

	/** Waits until a session may send IDENTIFY to Discord; the workers that wait for the session see how far it is. */
	async #acquireForSession(session: number, signal: AbortSignal): Promise<IdentifySlot> {
		const [owner] = this.#workersOf(session);
		this.#queuedSessions.add(session);
		for (const worker of this.#workersOf(session)) this.#noteIdentify(worker, session, 'waiting');
		try {
			await orAborted(this.#refused.whenAllowed(session), signal);
			const request = owner ? startRequest(this.#options, owner, { restart: false }) : unattended;
			const onDeferred: StartRequest['onDeferred'] = (state) => {
				this.#waitingForBudget.add(session);
				request.onDeferred(state);
			};
			return await this.#options.starts.acquireIdentify(session, { ...request, onDeferred }, signal);
		} finally {
			this.#waitingForBudget.delete(session);
			this.#queuedSessions.delete(session);
			for (const worker of this.#workersOf(session)) this.#noteIdentify(worker, session, 'identifying');
		}
	}

	/**
	 * Discord wants some seconds between the end of a session and the next IDENTIFY. Whether it allows one is asked at once, so that the
	 * cause is known before.
	 */
	async #onSessionsEnded(sessions: readonly number[]): Promise<void> {
		for (const session of sessions) this.#ended.add(session);
		await this.#options.starts.refresh({ maxAgeMs: 0 });
		if (this.#options.starts.budget().remaining > 0) return;
		for (const session of sessions) if (this.#ended.has(session)) this.#waitingForBudget.add(session);
	}

	/** Ends the fleet when nothing of it is left that Discord would have. */
	#onSessionRefused({ session, code }: { session: number; code: number }): void {
		const { plan } = this.#started();
		this.#refused.note(session, { code, at: this.#options.options.clock.now() });
		if (code !== tokenRefused && !plan.sessionIds.every((id) => this.#refused.has(id))) return;
		const shardIds = this.#shardsOf(session);
		this.#options.onFleetRefused(
			new ShardctlError('DISCORD_FATAL', describeRefusal(shardIds, code), {
				details: { shardIds, closeCode: code },
			}),
		);
	}

	/** Why Discord does not serve these shards; undefined once it does. `inWorkers`: and once they are ready in their workers. */
	#whyNotServed(shardIds: readonly number[], { inWorkers = false } = {}): Promise<string | undefined> {
		const { gateways, signal } = this.#started();
		const { clock, readyTimeoutMs } = this.#options.options;
		const ids = this.#sessionsOf(shardIds);
		return whenServed({
			look: async () => {
				const gateway = gateways.of(shardIds);
				const figures = await gateway.stats();
				const sessions = figures.sessions.filter(({ id }) => ids.includes(id)).map((session) => this.#shown(session));
				if (sessions.length < ids.length) return { sessions, unready: `${gateway.label} does not answer` };
				// A worker that has lost its connection reported that before the gateway process answered: that report is read first.
				await setImmediate();
				return { sessions, unready: inWorkers ? this.#unreadyShard(shardIds, figures) : undefined };
			},
			clock,
			timeoutMs: readyTimeoutMs > 0 ? Math.min(readyTimeoutMs, servedWithinMs) : servedWithinMs,
			signal,
		});
	}

	/**
	 * A shard that is not ready in its worker, as where the gateway process has begun another session and the worker must identify again.
	 * The gateway process knows that before the worker does. A process that ends says more by itself.
	 */
	#unreadyShard(shardIds: readonly number[], { sessions, shards }: GatewayStats): string | undefined {
		const idle = new Set(sessions.filter(({ status }) => status === 'idle').map(({ id }) => id));
		for (const { shardId, session, worker: connection } of shards) {
			const worker = this.#options.workers.ofShard(shardId);
			if (!shardIds.includes(shardId) || worker?.child.state !== 'ready') continue;
			const status = worker.status(shardId);
			if (status !== 'ready') return `shard ${shardId} is ${status} in its worker`;
			if (connection !== 'connected' && !idle.has(session)) return `shard ${shardId} has no connection to its gateway process`;
		}
		return undefined;
	}

	/** The sessions show it. */
	waitsForBudget(): boolean {
		return false;
	}

	/** With what only the manager knows of it. */
	#shown(session: GatewaySessionStats): GatewaySessionStats {
		return { ...this.#refused.shown(session), waitsForBudget: this.#waitingForBudget.has(session.id) };
	}

	#sessionsOf(shardIds: readonly number[]): number[] {
		return sessionsOfShards(this.#started().plan.layout, shardIds);
	}

	#shardsOf(session: number): number[] {
		const { plan } = this.#started();
		return shardsOfSession(plan.layout, session, plan.shardIds);
	}

	#workersOf(session: number): ManagedWorker[] {
		const shardIds = this.#shardsOf(session);
		return this.#options.workers.all.filter((worker) => worker.shardIds.some((id) => shardIds.includes(id)));
	}

	#noteIdentify(worker: ManagedWorker, session: number, stage: 'waiting' | 'identifying'): void {
		const { layout } = this.#started().plan;
		for (const id of shardsOfSession(layout, session, worker.shardIds)) worker.noteIdentify(id, stage);
	}
}

/** For a session that starts while no worker waits for it. */
const unattended: StartRequest = { automatic: true, onDeferred: () => {}, onRefused: () => {} };
