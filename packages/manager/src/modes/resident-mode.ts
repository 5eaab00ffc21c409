// Resident mode, as the manager sees it: gateway processes hold the sessions with Discord, every process of a worker is announced to
// the one that holds its shards before it is forked, and a worker is replaced by a hand-over. Not in here: the hand-over itself, and
// what is not different in this mode.
import { join } from 'node:path';
import { type GatewayInfo, type GatewayProcessStats, messageOf, shardsOfSession } from '@shardctl/core';
import { defaultRestartPolicy, type ExitReport } from '@shardctl/supervisor';
import { heartbeatOf } from '../children/child-rules.js';
import type { ShardManagerEvents } from '../events.js';
import { GatewayFleet } from '../gateways/gateway-fleet.js';
import { handOver } from '../gateways/hand-over.js';
import type { IdentifySlot } from '../identify/coordinator.js';
import type { ResolvedGatewayOptions } from '../options/gateway-options.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { Plan } from '../plan/plan.js';
import type { ManagedWorker } from '../workers/managed-worker.js';

export interface ResidentModeOptions {
	options: ResolvedManagerOptions;
	resident: ResolvedGatewayOptions;
	plan: Plan;
	/** For the snapshots of all gateway processes. */
	snapshotFolder: string;
	/** Discord's last answer to `GET /gateway/bot`. */
	gatewayInfo(): GatewayInfo;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
	/** The workers that the manager counts as its own now. */
	workers(): readonly ManagedWorker[];
	/** Makes a worker beside the one of that id; it is not started. */
	createWorker(workerId: number, shardIds: readonly number[]): ManagedWorker;
	/** From here on the successor is the worker, whatever becomes of it. */
	replaceWorker(old: ManagedWorker, successor: ManagedWorker): void;
	/** Waits until a session may send IDENTIFY to Discord; `owner` is a worker that waits for it, if one does. */
	acquireIdentify(session: number, owner: ManagedWorker | undefined, signal: AbortSignal): Promise<IdentifySlot>;
	emit<E extends keyof ShardManagerEvents>(event: E, ...args: ShardManagerEvents[E]): void;
}

export class ResidentMode {
	readonly #options: ResidentModeOptions;
	readonly #fleet: GatewayFleet;
	/** Processes beside the fleet's workers: a new one until it takes over, from then on the old one until it is gone. */
	readonly #beside = new Set<ManagedWorker>();
	/** Sessions that wait for Discord's leave to identify. */
	readonly #inLine = new Set<number>();
	/** The end of the last deploy of each worker. */
	readonly #deploys = new Map<number, Promise<void>>();

	constructor(options: ResidentModeOptions) {
		this.#options = options;
		this.#fleet = this.#createFleet();
	}

	/** Resolves when workers can connect to every gateway process; rejects with `WORKERS_FAILED`, or the reason of the signal. */
	start(): Promise<void> {
		return this.#fleet.start(this.#options.signal);
	}

	/** Replaces the gateway processes one after the other. Throws `WORKER_NOT_READY` when one does not come back. */
	restartGateways(): Promise<void> {
		return this.#fleet.restart();
	}

	/** Ends what stands beside the workers. */
	async stopBeside(options: { graceMs?: number }): Promise<void> {
		await Promise.all([...this.#beside].map((worker) => worker.child.stop(options)));
	}

	/** Ends the gateway processes, and their sessions with Discord. */
	stopGateways(options: { graceMs?: number }): Promise<void> {
		return this.#fleet.stop(options);
	}

	stats(nowMs: number): Promise<GatewayProcessStats[]> {
		return this.#fleet.stats(nowMs);
	}

	/** Whether every gateway process is there. */
	get isUp(): boolean {
		return this.#fleet.gateways.every(({ child }) => child.state === 'ready');
	}

	/** Whether a worker is not, or no longer, the fleet's: what becomes of it decides nothing about the fleet. */
	isBeside(worker: ManagedWorker): boolean {
		return this.#beside.has(worker);
	}

	/** The shards that come through a session with Discord. */
	shardsOf(session: number): number[] {
		const { layout, shardIds } = this.#options.plan;
		return shardsOfSession(layout, session, shardIds);
	}

	/** Where the process of a worker that is forked next connects. */
	infoFor({ shardIds, incarnation }: ManagedWorker): GatewayInfo {
		return this.#fleet.infoFor(shardIds, incarnation, this.#options.plan.layout.totalShards);
	}

	/** Before each fork of a worker's process: a number of its own, and the gateway process knows it. */
	async prepareFork(worker: ManagedWorker, signal: AbortSignal): Promise<void> {
		if (!this.#beside.has(worker)) {
			const { shardIds, child } = worker;
			const incarnation = this.#fleet.nextIncarnation();
			worker.incarnation = incarnation;
			await this.#fleet.expect({ incarnation, shardIds, crashed: hasCrashed(child.lastExit) }, signal);
			return;
		}
		// A new process that has failed is not tried again: its worker is not replaced.
		if (worker.child.epoch > 0) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
	}

	/** A worker has sent an IDENTIFY: it waits where another worker of the session has put that in line already. */
	noteSent(worker: ManagedWorker): void {
		for (const session of this.#inLine) this.#noteIdentify(worker, session, 'waiting');
	}

	/** Every shard of a worker's process is ready: its events may flow. */
	noteReady({ incarnation, shardIds }: ManagedWorker): void {
		this.#fleet.noteReady(incarnation, shardIds);
	}

	/**
	 * Replaces a worker by a new process without a gap, one at a time of the same worker. Throws `WORKER_NOT_READY` when that
	 * fails; the old one goes on then.
	 */
	deploy({ id }: ManagedWorker): Promise<void> {
		const turn = this.#deploys.get(id) ?? Promise.resolve();
		// By then another may be the worker of that id.
		const deployed = turn.then(() => this.#deploy(this.#options.workers()[id] as ManagedWorker));
		this.#deploys.set(
			id,
			deployed.catch(() => {}),
		);
		return deployed;
	}

	async #deploy(old: ManagedWorker): Promise<void> {
		const { options, signal, createWorker, replaceWorker, emit } = this.#options;
		const startedAt = options.clock.monotonic();
		const ref = { workerId: old.id, shardIds: old.shardIds };
		const successor = createWorker(old.id, old.shardIds);
		successor.incarnation = this.#fleet.nextIncarnation();
		this.#beside.add(successor);
		try {
			await handOver({
				gateway: this.#fleet.of(old.shardIds),
				old,
				successor,
				timeoutMs: options.readyTimeoutMs,
				signal,
				onTakeOver: () => {
					this.#beside.delete(successor);
					this.#beside.add(old);
					replaceWorker(old, successor);
				},
			});
		} catch (error) {
			emit('worker:rolled-back', { ...ref, reason: messageOf(error) });
			throw error;
		} finally {
			this.#beside.delete(successor);
			this.#beside.delete(old);
		}
		emit('worker:deployed', { ...ref, tookMs: Math.round(options.clock.monotonic() - startedAt) });
	}

	#createFleet(): GatewayFleet {
		const { options, resident, plan, snapshotFolder, gatewayInfo, emit } = this.#options;
		const fleet = new GatewayFleet({
			gateways: plan.gateways,
			token: options.token,
			child: {
				policy: options.policy ?? defaultRestartPolicy,
				clock: options.clock,
				readyTimeoutMs: options.readyTimeoutMs,
				shutdownGraceMs: options.shutdownGraceMs,
				heartbeat: heartbeatOf(options.heartbeatTimeoutMs),
			},
			brief: (gatewayId) => ({
				layout: plan.layout,
				api: options.api,
				gateway: gatewayInfo(),
				snapshotDir: join(snapshotFolder, String(gatewayId)),
				delivery: resident.delivery,
				buffer: resident.buffer,
				compression: resident.compression,
				workers: this.#options.workers().map(({ incarnation, shardIds }) => ({ incarnation, shardIds })),
			}),
			acquireIdentify: (session, signal) => this.#acquireIdentify(session, signal),
		});
		for (const gateway of fleet.gateways) {
			const ref = { gatewayId: gateway.id, shardIds: gateway.shardIds };
			gateway.child.on('spawned', ({ pid }) => emit('gateway:spawned', { ...ref, pid }));
			gateway.child.on('exited', ({ message }) => emit('gateway:exited', { ...ref, message }));
			gateway.on('notice', (notice) => emit('gateway:notice', { gatewayId: gateway.id, ...notice }));
		}
		return fleet;
	}

	/** The workers that wait for the session see how far it is. */
	async #acquireIdentify(session: number, signal: AbortSignal): Promise<IdentifySlot> {
		const [owner] = this.#workersOf(session);
		this.#inLine.add(session);
		for (const worker of this.#workersOf(session)) this.#noteIdentify(worker, session, 'waiting');
		try {
			return await this.#options.acquireIdentify(session, owner, signal);
		} finally {
			this.#inLine.delete(session);
			for (const worker of this.#workersOf(session)) this.#noteIdentify(worker, session, 'identifying');
		}
	}

	#workersOf(session: number): ManagedWorker[] {
		const shardIds = this.shardsOf(session);
		return [...this.#options.workers(), ...this.#beside].filter((worker) => worker.shardIds.some((id) => shardIds.includes(id)));
	}

	#noteIdentify(worker: ManagedWorker, session: number, stage: 'waiting' | 'identifying'): void {
		for (const id of shardsOfSession(this.#options.plan.layout, session, worker.shardIds)) worker.noteIdentify(id, stage);
	}
}

/** Signals by which people and machines end a process, whatever it does. */
const fromOutside: ReadonlySet<string | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

/** Whether a process ended by a fault of its own. */
function hasCrashed(exit: ExitReport | null): boolean {
	if (!exit) return false;
	if (exit.reason === 'signal') return !fromOutside.has(exit.signal);
	return ['exit-code', 'uncaught-exception', 'out-of-memory', 'hung'].includes(exit.reason);
}
