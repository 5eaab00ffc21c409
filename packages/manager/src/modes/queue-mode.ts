// Queue mode: gateway processes hold the sessions, as in resident mode, and write the events into a queue; workers have no shards and read
// from there. So a worker is replaced by one beside it: both are members of the group, and the old one leaves when it has finished. Where
// another manager holds the sessions there are only workers here. In a cluster the sessions are those that the node owns; its workers are not
// bound to them.
import {
	aborted,
	type GatewayProcessStats,
	type IdentifySlot,
	type IdentifyWait,
	type Layout,
	messageOf,
	orAborted,
	type ReshardedGroup,
	type ReshardGroup,
	ShardctlError,
	type ShardStats,
	type ShardStatus,
	sleep,
} from '@shardctl/core';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { Plan } from '../plan/plan.js';
import type { FleetQueue } from '../queue/fleet-queue.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { StartTicket } from '../workers/start-ticket.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import type { Carried } from './carried.js';
import { CarriedQueueSession } from './carried-queue-session.js';
import type { SessionToCarry } from './carried-session.js';
import { Replacement } from './replacement.js';
import type { ResidentMode } from './resident-mode.js';
import { restartOrReject } from './restart-or-reject.js';
import type { DeployReplaceOptions, ReplaceOptions, SessionMode } from './session-mode.js';
import type { ModeContext } from './start-request.js';
import { WorkerTurns } from './worker-turns.js';

const pollMs = 200;

export interface QueueModeOptions extends ModeContext {
	options: ResolvedManagerOptions;
	queue: Pick<FleetQueue, 'isWanted' | 'hasGroups'>;
	workers: WorkerFleet;
	/** Null where another manager holds the sessions. */
	sessions: ResidentMode | null;
}

export class QueueMode implements SessionMode {
	readonly seamless = true;
	readonly #options: QueueModeOptions;
	readonly #sessions: ResidentMode | null;
	readonly #turns = new WorkerTurns();
	#plan: Plan | undefined;
	#signal: AbortSignal | undefined;

	constructor(options: QueueModeOptions) {
		this.#options = options;
		this.#sessions = options.sessions;
	}

	get plan(): Plan | undefined {
		return this.#sessions?.plan ?? this.#plan;
	}

	async start(plan: Plan, signal: AbortSignal): Promise<void> {
		this.#plan = plan;
		this.#signal = signal;
		await this.#sessions?.start(plan, signal);
	}

	/** Sessions start when a group has subscribed; until then there is nothing to wait for. */
	async whenServed(signal: AbortSignal): Promise<void> {
		const { options } = this.#options;
		if (!this.#sessions) return;
		if (!(await this.#isWanted(signal))) {
			options.logger.info(
				'no group of workers has subscribed to the queue yet: the sessions with Discord start with the first one',
			);
			return;
		}
		for (;;) {
			const gateways = (await this.#sessions.stats(options.clock.now())) ?? [];
			const sessions = gateways.flatMap((gateway) => gateway.sessions);
			const isWhole = gateways.every((gateway) => gateway.sessions.length > 0);
			if (isWhole && sessions.every(({ status }) => status === 'ready' || status === 'refused')) return;
			await sleep(options.clock, pollMs, signal);
		}
	}

	/** Redis may be away for a moment: then it is not known yet. Rejects with the signal's reason. */
	async #isWanted(signal: AbortSignal): Promise<boolean> {
		const { queue, options } = this.#options;
		for (let isReported = false; ; isReported = true) {
			try {
				return await orAborted(queue.isWanted(), signal);
			} catch (error) {
				signal.throwIfAborted();
				const reason = messageOf(error);
				if (!isReported) options.logger.warn(`the start waits for the event queue, and continues once Redis answers: ${reason}`);
			}
			await sleep(options.clock, pollMs, signal);
		}
	}

	carry(session: SessionToCarry): Carried {
		const sessions = this.#sessions;
		if (!sessions) throw new ShardctlError('INTERNAL', 'a fleet of workers holds no sessions');
		return new CarriedQueueSession({
			session,
			carry: (carried) => sessions.carry(carried),
			isIdle: () => !this.#options.queue.hasGroups,
			isRefused: () => sessions.isRefused(session.session),
		});
	}

	keepSpares(count: number): void {
		this.#sessions?.keepSpares(count);
	}

	async prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket> {
		// A successor that has failed is not tried again: its deploy is rolled back, and stops it.
		if (!this.#options.workers.owns(worker) && worker.child.epoch > 0) await aborted(signal);
		return { gateway: this.#options.starts.lastGateway, startsSessions: false };
	}

	async acquireIdentify(worker: ManagedWorker, shardId: number): Promise<IdentifySlot> {
		throw new ShardctlError('SHARD_NOT_OWNED', `${worker.label} has no shards: it gets its events from the queue`, {
			details: { shardId },
		});
	}

	/** One replacement at a time of the same worker, as in resident mode. */
	replace({ id, label }: ManagedWorker, { reason, ...limits }: ReplaceOptions): Promise<void> {
		return this.#turns.take(id, this.#signal, () => restartOrReject(this.#workerOf(id, label), reason, limits));
	}

	/** Until the replacement is over nothing else replaces the worker. */
	deploy({ id, label }: ManagedWorker, options: DeployReplaceOptions): Promise<Replacement> {
		return this.#turns.hold(id, this.#signal, () => this.#deploy(this.#workerOf(id, label), options));
	}

	/** Its process may be another one than when its turn was asked for. */
	#workerOf(id: number, label: string): ManagedWorker {
		const worker = this.#options.workers.byId(id);
		if (worker) return worker;
		throw new ShardctlError('WORKER_UNAVAILABLE', `${label} is not there any more: the fleet was scaled down meanwhile`);
	}

	/** The old process stays a member beside the new one until the replacement is released. */
	async #deploy(worker: ManagedWorker, { first, signal: callOff, onStage }: DeployReplaceOptions): Promise<Replacement> {
		callOff.throwIfAborted();
		const { workers, emit } = this.#options;
		const signal = this.#signal ? AbortSignal.any([callOff, this.#signal]) : callOff;
		const ref = { workerId: worker.id, shardIds: worker.shardIds };
		if (first === 'stop') {
			onStage('waiting for the old process to leave its group and the new one to join it');
			const replacement = this.#replacement(worker, null, { hasToStart: true });
			const restarted = restartOrReject(worker, 'deploy', { giveUpAfterExits: 1 });
			await orAborted(
				restarted.catch((error: unknown) => replacement.fail(messageOf(error))),
				signal,
			).catch(() => {});
			return replacement;
		}
		onStage('waiting for the new process to join its group');
		const successor = workers.createStandby(worker);
		const { clock } = this.#options.options;
		const startedAt = clock.monotonic();
		try {
			successor.child.start();
			await whenReady(successor, signal);
		} catch (error) {
			await successor.child.stop();
			workers.dismiss(successor);
			emit('worker:rolled-back', { ...ref, reason: messageOf(error) });
			throw error;
		}
		workers.promote(successor);
		emit('worker:deployed', { ...ref, tookMs: Math.round(clock.monotonic() - startedAt) });
		if (worker.child.state === 'ready') return this.#replacement(successor, worker);
		await worker.child.stop();
		workers.dismiss(worker);
		return this.#replacement(successor, null);
	}

	#replacement(successor: ManagedWorker, old: ManagedWorker | null, { hasToStart = false } = {}): Replacement {
		const { workers, emit } = this.#options;
		const ref = { workerId: successor.id, shardIds: successor.shardIds };
		return new Replacement({
			successor,
			old,
			hasToStart,
			bringBack: async (kept) => {
				await successor.child.stop();
				workers.promote(kept);
				workers.dismiss(successor);
				emit('worker:rolled-back', { ...ref, reason: successor.child.lastExit?.message ?? 'the deploy was called off' });
			},
			startAgain: async () => {
				await restartOrReject(successor, 'the deploy was rolled back', { giveUpAfterExits: 1, version: 'previous' });
				emit('worker:rolled-back', { ...ref, reason: 'it was started again from the files of the old version' });
			},
			beginTrial: () => workers.beginTrial(successor),
			onOver: () => {
				if (old) workers.dismiss(old);
			},
		});
	}

	onReady(): void {}

	viewOf(): undefined {}

	waitsForBudget(): boolean {
		return false;
	}

	identifyWaits(): IdentifyWait[] {
		return this.#sessions?.identifyWaits() ?? [];
	}

	health(): 'up' | 'degraded' {
		return this.#sessions?.health() ?? 'up';
	}

	async stats(nowMs: number): Promise<GatewayProcessStats[] | undefined> {
		return this.#sessions?.stats(nowMs);
	}

	/** No worker has the shards: they are as their gateway process shows them. */
	shardStats(gateways: readonly GatewayProcessStats[]): ShardStats[] {
		return gateways.flatMap((gateway) => gateway.shardIds.map((shardId) => shardStatsOf(gateway, shardId)));
	}

	async restartGateways(): Promise<void> {
		if (this.#sessions) return this.#sessions.restartGateways();
		throw new ShardctlError(
			'OPTIONS_INVALID',
			'this fleet has no gateway processes: another manager holds the sessions of the bot',
		);
	}

	/** The streams belong to the shards, which stay: the group's sessions change under them. */
	async reshard(request: ReshardGroup, signal: AbortSignal): Promise<{ layout: Layout; done: ReshardedGroup }> {
		if (this.#sessions) return this.#sessions.reshard(request, signal);
		throw new ShardctlError(
			'RESHARD_UNSUPPORTED',
			'this fleet only runs workers: reshard the one that holds the sessions of the bot',
		);
	}

	async stop(options: { graceMs?: number }): Promise<void> {
		await this.#sessions?.stop(options);
	}
}

/** Rejects with `WORKER_NOT_READY` where the process ends before it is ready, and with the signal's reason. */
async function whenReady({ child, label }: ManagedWorker, signal: AbortSignal): Promise<void> {
	const settled = new Promise<void>((resolve, reject) => {
		const fail = (why: string) =>
			reject(new ShardctlError('WORKER_NOT_READY', `the new process of ${label} did not become ready: ${why}`));
		child.once('ready', () => resolve());
		child.once('exited', ({ message }) => fail(message));
		child.once('failed', ({ reason }) => fail(reason));
	});
	// The signal may be first.
	settled.catch(() => {});
	await orAborted(settled, signal);
}

function shardStatsOf(gateway: GatewayProcessStats, shardId: number): ShardStats {
	const { pid, status: process, shards, sessions, shardIds, rssBytes, uptimeMs, restarts, lastExit, since } = gateway;
	const shard = shards.find((each) => each.shardId === shardId);
	// During a resharding two sessions have the same number.
	const session = shard && sessions.find((each) => each.shardIds.includes(shardId));
	const status: ShardStatus =
		process === 'ready' && session ? sessionStatus[session.status] : (processStatus[process] ?? 'booting');
	return {
		shardId,
		workerId: null,
		pid,
		status,
		since: session?.since ?? since,
		ready: status === 'ready',
		guildCount: shard?.guildCount ?? 0,
		userCount: 0,
		ping: session?.ping ?? null,
		memoryMb: rssBytes === null ? null : Math.round((rssBytes / 2 ** 20 / shardIds.length) * 10) / 10,
		cpuPercent: null,
		loopDelayMs: null,
		uptimeMs,
		restarts,
		lastExit,
		closeCode: session?.lastClose?.code ?? null,
		...(session?.waitsForBudget ? { waitsForBudget: true } : {}),
	};
}

const sessionStatus = {
	idle: 'planned',
	connecting: 'identifying',
	resuming: 'reconnecting',
	ready: 'ready',
	refused: 'failed',
} as const satisfies Record<string, ShardStatus>;

const processStatus: Readonly<Record<string, ShardStatus>> = {
	'backing-off': 'restarting',
	exited: 'restarting',
	failed: 'failed',
	draining: 'stopping',
	stopped: 'stopped',
	unresponsive: 'unresponsive',
};
