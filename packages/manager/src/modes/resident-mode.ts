// Resident mode: gateway processes hold the sessions with Discord. Every process of a worker has a number, which the gateway process of
// its shards knows before the worker is forked, and a worker is replaced by a hand-over. Not in here: the hand-over itself.
import { join } from 'node:path';
import {
	aborted,
	deferred,
	describeShards,
	fatalClose,
	type GatewayProcessStats,
	type GatewaySessionStats,
	messageOf,
	ShardctlError,
	sessionsOfShards,
	shardsOfSession,
} from '@shardctl/core';
import { defaultRestartPolicy, type ExitReport } from '@shardctl/supervisor';
import { heartbeatOf } from '../children/child-rules.js';
import { GatewayFleet } from '../gateways/gateway-fleet.js';
import { HandOver } from '../gateways/hand-over.js';
import type { HandOverState } from '../gateways/hand-over-state.js';
import { IdentifyAdmission } from '../gateways/identify-admission.js';
import type { IdentifySlot, IdentifyWait } from '../identify/coordinator.js';
import type { StartRequest } from '../identify/session-starts.js';
import type { ResolvedGatewayOptions } from '../options/gateway-options.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { Plan } from '../plan/plan.js';
import type { ManagedWorker, StartTicket } from '../workers/managed-worker.js';
import { addressInUse, holdsAddress } from '../workers/port-holder.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import { RefusedSessions } from './refused-sessions.js';
import { Replacement } from './replacement.js';
import { whenServed } from './served.js';
import type { DeployReplaceOptions, ReplaceOptions, SessionMode } from './session-mode.js';
import { openSnapshotFolder, type SnapshotFolder } from './snapshot-folder.js';
import { type ModeContext, startRequest } from './start-request.js';

/** How long a session may take to be ready again after what carries it was replaced. */
const servedWithinMs = 10_000;
/** The token is not valid: no session of the bot can be started. */
const tokenRefused = 4004;
/** Above what the gateway process itself allows. */
const drainTimeoutMs = 15_000;

export interface ResidentModeOptions extends ModeContext {
	options: ResolvedManagerOptions;
	resident: ResolvedGatewayOptions;
	workers: WorkerFleet;
}

/** What there is from `start` on. */
interface Running {
	plan: Plan;
	gateways: GatewayFleet;
	folder: SnapshotFolder;
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
	/** Sessions that wait for Discord's permission to identify. */
	readonly #queuedSessions = new Set<number>();
	/** Sessions whose IDENTIFY waits until the day's session starts reset. */
	readonly #waitingForBudget = new Set<number>();
	readonly #refused = new RefusedSessions();
	/** The end of the last replacement of each worker, by its id. */
	readonly #replacements = new Map<number, Promise<void>>();
	readonly #admission: IdentifyAdmission;
	#lastSlotId = 0;

	constructor(options: ResidentModeOptions) {
		this.#options = options;
		this.#admission = new IdentifyAdmission(options.options.clock);
	}

	async start(plan: Plan, signal: AbortSignal): Promise<void> {
		const { name, control } = this.#options.options;
		const folder = openSnapshotFolder({ name, locked: control !== false });
		const gateways = this.#createGateways(plan, folder.path);
		this.#running = { plan, gateways, folder, signal };
		await gateways.start(signal);
	}

	async prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket> {
		const { gateways, plan } = this.#started();
		const { shardIds, child } = worker;
		if (this.#options.workers.owns(worker)) {
			const incarnation = this.#assignIncarnation(worker);
			await gateways.expect({ incarnation, shardIds, crashed: hasCrashed(child.lastExit) }, signal);
		} else if (child.epoch > 0) {
			// A successor that has failed is not tried again: its hand-over is rolled back, and stops it.
			await aborted(signal);
		}
		const gateway = gateways.infoFor(shardIds, this.#incarnationOf(worker), plan.layout.totalShards);
		return { gateway, startsSessions: false };
	}

	/** Permission of the gateway process, which paces its own sessions with Discord; see {@link IdentifyAdmission}. */
	async acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		await this.#admission.wait(this.#started().gateways.of(worker.shardIds), shardId, signal);
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

	/** One replacement at a time of the same worker. */
	replace({ id }: ManagedWorker, { reason }: ReplaceOptions): Promise<void> {
		return this.#inTurn(id, async () => {
			try {
				await this.#handOver(id, {});
			} catch (error) {
				const worker = this.#stopFirstOf(id, error, () => {});
				if (!worker) throw error;
				await this.#restart(worker, reason);
			}
		});
	}

	async deploy({ id }: ManagedWorker, options: DeployReplaceOptions): Promise<Replacement> {
		const begun = deferred<Replacement>();
		const { signal } = this.#started();
		void this.#inTurn(id, async () => {
			const over = deferred();
			try {
				begun.resolve(await this.#deploy(id, options, over.resolve));
			} catch (error) {
				begun.reject(error);
				return;
			}
			await Promise.race([over.promise, aborted(signal).catch(() => {})]);
		});
		return begun.promise;
	}

	onReady(worker: ManagedWorker): void {
		this.#started().gateways.noteReady(this.#incarnationOf(worker), worker.shardIds);
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
		return incarnation;
	}

	/** 0 before the first process of a worker is prepared: no process has that number. */
	#incarnationOf(worker: ManagedWorker): number {
		return this.#incarnations.get(worker) ?? 0;
	}

	#inTurn(workerId: number, work: () => Promise<void>): Promise<void> {
		const done = (this.#replacements.get(workerId) ?? Promise.resolve()).then(work);
		this.#replacements.set(
			workerId,
			done.catch(() => {}),
		);
		return done;
	}

	async #deploy(workerId: number, { first, signal, onStage }: DeployReplaceOptions, onOver: () => void): Promise<Replacement> {
		let worker = first === 'stop' ? this.#workerOf(workerId) : undefined;
		if (!worker) {
			let replacement: Replacement | undefined;
			try {
				await this.#handOver(workerId, {
					signal,
					onState: (state) => {
						const stage = handOverStages[state];
						if (stage !== undefined) onStage(stage);
					},
					onTakeOver: (successor, old) => {
						const bringBack = (kept: ManagedWorker) => this.#bringBack(kept, successor);
						replacement = new Replacement({
							successor,
							old,
							bringBack,
							onOver: () => {
								if (old) this.#options.workers.dismiss(old);
								onOver();
							},
						});
					},
				});
				if (replacement) return replacement;
				throw new ShardctlError('INTERNAL', 'a hand-over ended without a take-over');
			} catch (error) {
				// It took over, and Discord does not serve its shards.
				await replacement?.undo();
				worker = this.#stopFirstOf(workerId, error, onStage);
				if (!worker) throw error;
			}
		}
		signal.throwIfAborted();
		onStage('waiting for the old process to end and the new one to be ready; events wait meanwhile');
		await this.#restart(worker, 'deploy');
		return new Replacement({ successor: worker, old: null, bringBack: async () => {}, onOver });
	}

	/** Ends the process, then starts the next one, while the gateway process keeps the events. */
	async #restart(worker: ManagedWorker, reason: string): Promise<void> {
		await this.#drain(worker);
		if (await worker.restart(reason, { giveUpAfterExits: 1 })) return;
		const { id: workerId, shardIds, label, child } = worker;
		throw new ShardctlError(
			'WORKER_NOT_READY',
			`${label} did not become ready again: ${child.lastExit?.message ?? `it is ${child.state}`}`,
			{ details: { workerId, shardIds } },
		);
	}

	/** Stops the stream to a worker that is about to end, so that it has no event in flight then. Events wait for the next process. */
	async #drain({ child, shardIds }: ManagedWorker): Promise<void> {
		if (child.state !== 'ready') return;
		const { gateways, signal } = this.#started();
		// Without a gateway process that answers, nothing is sent anyway.
		await gateways
			.of(shardIds)
			.request('worker.drain', { shardIds }, { timeoutMs: drainTimeoutMs, signal })
			.catch(() => {});
	}

	/** The worker, if its new process has failed because the old one listens on the port that it wants; undefined otherwise. */
	#stopFirstOf(workerId: number, error: unknown, onStage: (stage: string) => void): ManagedWorker | undefined {
		const worker = this.#workerOf(workerId);
		const tail = error instanceof ShardctlError ? (error.details?.stderrTail as string[] | undefined) : undefined;
		const address = tail && addressInUse(tail);
		const { pid } = worker.child;
		if (address === undefined || pid === null || !holdsAddress(pid, address)) return undefined;
		const reason = `the new process cannot listen on ${address} while the old one does (EADDRINUSE)`;
		onStage(`${reason}: ending the old one first`);
		this.#options.emit('worker:stop-first', { workerId, shardIds: worker.shardIds, reason });
		return worker;
	}

	#workerOf(workerId: number): ManagedWorker {
		const worker = this.#options.workers.byId(workerId);
		if (!worker) throw new ShardctlError('INTERNAL', `there is no worker ${workerId}`);
		return worker;
	}

	/** Replaces a worker without a gap. `onTakeOver`: the old process is kept where that is possible, and is `old` then. */
	async #handOver(
		workerId: number,
		{
			signal: callOff,
			onState,
			onTakeOver,
		}: {
			signal?: AbortSignal;
			onState?: (state: HandOverState) => void;
			onTakeOver?: (successor: ManagedWorker, old: ManagedWorker | null) => void;
		},
	): Promise<void> {
		const { options, workers, emit } = this.#options;
		const { gateways, signal } = this.#started();
		const old = this.#workerOf(workerId);
		const startedAt = options.clock.monotonic();
		const ref = { workerId: old.id, shardIds: old.shardIds };
		// Only a person asks for a replacement: what Discord refused may be tried again.
		for (const session of this.#sessionsOf(old.shardIds)) this.#refused.allow(session);
		const successor = workers.createStandby(old);
		let isKept = false;
		try {
			const handOver = new HandOver({
				gateway: gateways.of(old.shardIds),
				old,
				successor,
				incarnation: this.#assignIncarnation(successor),
				timeoutMs: options.readyTimeoutMs,
				clock: options.clock,
				signal: callOff ? AbortSignal.any([signal, callOff]) : signal,
				keepOld: onTakeOver !== undefined,
				onTakeOver: (kept) => {
					isKept = kept;
					workers.promote(successor);
					onTakeOver?.(successor, kept ? old : null);
				},
				...(onState ? { onState } : {}),
			});
			await handOver.run();
		} catch (error) {
			emit('worker:rolled-back', { ...ref, reason: messageOf(error) });
			throw error;
		} finally {
			workers.dismiss(successor);
			if (!isKept) workers.dismiss(old);
		}
		const reason = await this.#whyNotServed(old.shardIds);
		if (reason !== undefined) {
			throw new ShardctlError(
				'WORKER_NOT_READY',
				`${old.label} was replaced, but Discord does not serve ${old.shardIds.length === 1 ? 'its shard' : 'all of its shards'}: ${reason}`,
				{ details: { workerId: old.id, shardIds: old.shardIds, replaced: true } },
			);
		}
		emit('worker:deployed', { ...ref, tookMs: Math.round(options.clock.monotonic() - startedAt) });
	}

	/** Ends the process that took over, and makes the one that was set aside the worker again. */
	async #bringBack(old: ManagedWorker, successor: ManagedWorker): Promise<void> {
		const { options, workers, emit } = this.#options;
		const { gateways, signal } = this.#started();
		const { id: workerId, shardIds } = old;
		await this.#drain(successor);
		await successor.child.stop();
		workers.promote(old);
		workers.dismiss(successor);
		const { lastExit } = successor.child;
		await gateways.expect({ incarnation: this.#incarnationOf(old), shardIds, crashed: hasCrashed(lastExit) }, signal);
		const late = new AbortController();
		const { readyTimeoutMs, clock } = options;
		const timer =
			readyTimeoutMs > 0 && Number.isFinite(readyTimeoutMs)
				? clock.setTimeout(() => late.abort(new ShardctlError('CALL_TIMEOUT', 'it did not log in again')), readyTimeoutMs)
				: undefined;
		try {
			await old.takeBack(AbortSignal.any([signal, late.signal]));
		} catch (error) {
			// Whatever is on disk now is better than a process that does not log in.
			if (!signal.aborted) void old.restart('it could not be brought back', {});
			throw error;
		} finally {
			clock.clearTimeout(timer);
		}
		emit('worker:rolled-back', { workerId, shardIds, reason: lastExit?.message ?? 'the deploy was called off' });
	}

	#createGateways(plan: Plan, snapshotFolder: string): GatewayFleet {
		const { options, resident, starts, workers, emit } = this.#options;
		const gateways = new GatewayFleet({
			gateways: plan.gateways,
			token: options.token,
			child: {
				policy: options.policy ?? defaultRestartPolicy,
				clock: options.clock,
				readyTimeoutMs: options.readyTimeoutMs,
				shutdownGraceMs: options.shutdownGraceMs,
				heartbeat: heartbeatOf(options.heartbeatTimeoutMs),
				...(options.processHost ? { host: options.processHost } : {}),
			},
			config: (gatewayId) => ({
				layout: plan.layout,
				api: options.workerApi,
				gateway: starts.lastGateway,
				snapshotDir: join(snapshotFolder, String(gatewayId)),
				delivery: resident.delivery,
				...(options.simulator ? { anyToken: true } : {}),
				buffer: resident.buffer,
				compression: resident.compression,
				workers: workers.workers.map((worker) => ({
					incarnation: this.#incarnationOf(worker),
					shardIds: worker.shardIds,
				})),
			}),
			acquireIdentify: (session, signal) => this.#acquireForSession(session, signal),
		});
		for (const gateway of gateways.gateways) {
			const ref = { gatewayId: gateway.id, shardIds: gateway.shardIds };
			gateway.child.on('spawned', ({ pid }) => emit('gateway:spawned', { ...ref, pid }));
			gateway.child.on('exited', ({ message, reason }) =>
				emit('gateway:exited', { ...ref, message, requested: reason === 'requested' }),
			);
			gateway.on('session-started', (terms, session) => {
				this.#refused.allow(session);
				this.#admission.noteTerms(terms);
			});
			gateway.on('session-refused', (refusal) => this.#onSessionRefused(refusal));
			gateway.on('notice', (notice) => emit('gateway:notice', { gatewayId: gateway.id, ...notice }));
		}
		return gateways;
	}

	/** Waits until a session may send IDENTIFY to Discord; the workers that wait for the session see how far it is. */
	async #acquireForSession(session: number, signal: AbortSignal): Promise<IdentifySlot> {
		const [owner] = this.#workersOf(session);
		this.#queuedSessions.add(session);
		for (const worker of this.#workersOf(session)) this.#noteIdentify(worker, session, 'waiting');
		try {
			await Promise.race([this.#refused.whenAllowed(session), aborted(signal)]);
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

	/** Ends the fleet when nothing of it is left that Discord would have. */
	#onSessionRefused({ session, code }: { session: number; code: number }): void {
		const { plan } = this.#started();
		this.#refused.note(session, { code, at: this.#options.options.clock.now() });
		if (code !== tokenRefused && !plan.sessionIds.every((id) => this.#refused.has(id))) return;
		const { reason, remedy } = fatalClose(code) ?? { reason: 'the reason is not known', remedy: 'see "shardctl events"' };
		const shardIds = this.#shardsOf(session);
		this.#options.onFleetRefused(
			new ShardctlError('DISCORD_FATAL', `Discord refused ${describeShards(shardIds)} with ${code}: ${reason}; ${remedy}`, {
				details: { shardIds, closeCode: code },
			}),
		);
	}

	/** Why Discord does not serve these shards; undefined once it does. */
	#whyNotServed(shardIds: readonly number[]): Promise<string | undefined> {
		const { gateways, signal } = this.#started();
		const { clock, readyTimeoutMs } = this.#options.options;
		const ids = this.#sessionsOf(shardIds);
		return whenServed({
			sessions: async () => {
				const { sessions } = await gateways.of(shardIds).stats();
				return sessions.filter(({ id }) => ids.includes(id)).map((session) => this.#shown(session));
			},
			clock,
			timeoutMs: readyTimeoutMs > 0 ? Math.min(readyTimeoutMs, servedWithinMs) : servedWithinMs,
			signal,
		});
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

/** What each state of a hand-over waits for, for people. */
const handOverStages: Partial<Record<HandOverState, string>> = {
	booting: 'waiting for the new process to log in',
	pausing: 'waiting for the old process to finish its events',
	presenting: 'waiting for the new process to be ready',
	committing: 'passing the events to the new process',
	aborting: 'ending the new process',
};

/** For a session that starts while no worker waits for it. */
const unattended: StartRequest = { automatic: true, onDeferred: () => {}, onRefused: () => {} };

/** Signals by which people and machines end a process, whatever it does. */
const fromOutside: ReadonlySet<string | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

/** Whether a process ended by a fault of its own. */
function hasCrashed(exit: ExitReport | null): boolean {
	if (!exit) return false;
	if (exit.reason === 'signal') return !fromOutside.has(exit.signal);
	return ['exit-code', 'uncaught-exception', 'out-of-memory', 'hung'].includes(exit.reason);
}
