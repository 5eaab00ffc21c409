// Direct mode: each worker holds the sessions of its shards itself, so every start of a process costs one IDENTIFY a shard.
import { type IdentifySlot, type IdentifyWait, ShardctlError } from '@shardctl/core';
import type { StartRequest } from '../identify/session-starts.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { Plan } from '../plan/plan.js';
import { withSessions } from '../plan/plan-session.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { StartTicket } from '../workers/start-ticket.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import type { SessionToCarry } from './carried-session.js';
import { CarriedWorkers } from './carried-workers.js';
import type { Replacement } from './replacement.js';
import { restartOrReject } from './restart-or-reject.js';
import type { ReplaceOptions, SessionMode } from './session-mode.js';
import { type ModeContext, startRequest } from './start-request.js';

export interface DirectModeOptions extends ModeContext {
	options: Pick<ResolvedManagerOptions, 'clock'>;
	workers: WorkerFleet;
}

export class DirectMode implements SessionMode {
	readonly seamless = false;
	readonly #context: DirectModeOptions;
	/** Shards whose IDENTIFY waits until the day's session starts reset. */
	readonly #waitingForBudget = new Set<number>();
	/** As a node of a cluster: what it has now. */
	#plan: Plan | undefined;
	/** As a node of a cluster, by shard. */
	readonly #carried = new Map<number, CarriedWorkers>();

	constructor(context: DirectModeOptions) {
		this.#context = context;
	}

	async start(plan: Plan): Promise<void> {
		this.#plan = plan;
	}

	get plan(): Plan | undefined {
		return this.#plan;
	}

	/** As a node of a cluster: makes the workers of a session, which start with its lease. */
	/** Its sessions have no process but their workers. */
	keepSpares(): void {}

	carry({ session, shardIds, slices }: SessionToCarry): CarriedWorkers {
		const { workers, options } = this.#context;
		const plan = this.#plan as Plan;
		const created = workers.create({ slices, totalShards: plan.layout.totalShards });
		const carried: CarriedWorkers = new CarriedWorkers({
			clock: options.clock,
			created,
			workers: () => workers.workers.filter((worker) => shardIds.includes(worker.shardIds[0] as number)),
			removeWorkers: (removed) => workers.remove(removed),
			onClosed: () => {
				for (const id of shardIds) if (this.#carried.get(id) === carried) this.#carried.delete(id);
				if (shardIds.some((id) => this.#carried.has(id))) return;
				const present = this.#plan as Plan;
				this.#plan = withSessions(
					present,
					present.sessionIds.filter((id) => id !== session),
				);
			},
		});
		for (const id of shardIds) this.#carried.set(id, carried);
		this.#plan = withSessions(plan, [...plan.sessionIds, session]);
		return carried;
	}

	/** The first start is covered by the check of the whole fleet's budget; a restart needs Discord's permission and the budget. */
	async prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket> {
		const { starts } = this.#context;
		if (worker.child.epoch > 0) {
			const request = startRequest(this.#context, worker, { restart: true });
			await this.#noteWait(worker.shardIds, request, (noted) => starts.beforeRestart(worker.shardIds.length, noted, signal));
		}
		const leaseUntilMs = this.#carried.get(worker.shardIds[0] as number)?.leaseUntilMs;
		return { gateway: starts.lastGateway, startsSessions: true, ...(leaseUntilMs === undefined ? {} : { leaseUntilMs }) };
	}

	acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		const request = startRequest(this.#context, worker, { restart: worker.child.epoch > 1 });
		return this.#noteWait([shardId], request, (noted) => this.#context.starts.acquireIdentify(shardId, noted, signal));
	}

	waitsForBudget(shardId: number): boolean {
		return this.#waitingForBudget.has(shardId);
	}

	async #noteWait<T>(shardIds: readonly number[], request: StartRequest, start: (noted: StartRequest) => Promise<T>): Promise<T> {
		try {
			return await start({
				...request,
				onDeferred: (state) => {
					for (const id of shardIds) this.#waitingForBudget.add(id);
					request.onDeferred(state);
				},
			});
		} finally {
			for (const id of shardIds) this.#waitingForBudget.delete(id);
		}
	}

	async replace(worker: ManagedWorker, { reason, ...limits }: ReplaceOptions): Promise<void> {
		await restartOrReject(worker, reason, limits);
	}

	async deploy(): Promise<Replacement> {
		throw new ShardctlError('OPTIONS_INVALID', 'a deploy needs gateway processes; start the fleet with gateway "resident"');
	}

	onReady(): void {}

	viewOf(): undefined {}

	identifyWaits(): IdentifyWait[] {
		return this.#context.starts.waits();
	}

	health(): 'up' {
		return 'up';
	}

	async stats(): Promise<undefined> {}

	/** The workers have the sessions. */
	async reshard(): Promise<never> {
		throw new ShardctlError(
			'RESHARD_UNSUPPORTED',
			'in direct mode the workers hold the sessions, so the fleet is resharded by a restart with another shard count; to reshard while it runs, start it with gateway "resident", and with fewer sessions than shards',
		);
	}

	async restartGateways(): Promise<void> {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			'this fleet has no gateway processes; start it with gateway "resident" to have them',
		);
	}

	async stop(): Promise<void> {}
}
