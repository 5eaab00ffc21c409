// The life of a fleet from its start to its end: the order in which the parts start and stop, and what a failed start leaves. The states
// are those of lifecycle.ts.
import { join } from 'node:path';
import { type FleetEnd, stateDir } from '@shardctl/control';
import type { Control } from '@shardctl/control/server';
import { every, type GatewayInfo, isSilent, type ManagerStats, type ManagerStatus, plural, ShardctlError } from '@shardctl/core';
import { heartbeatOf } from './children/child-rules.js';
import type { Membership } from './cluster/membership.js';
import type { EmitFleetEvent } from './events.js';
import type { FleetParts } from './fleet-parts.js';
import { HealthWatch } from './health/health-watch.js';
import type { Lifecycle } from './lifecycle.js';
import type { ResolvedManagerOptions } from './options/manager-options.js';
import type { ResolvedQueueOptions } from './options/queue-options.js';
import { type Plan, planShards } from './plan/plan.js';
import { planQueue } from './plan/plan-queue.js';
import type { FleetQueue } from './queue/fleet-queue.js';
import { type StartOutcome, type StartWatch, watchStart, workersFailed } from './workers/start-watch.js';

/** How often Discord is asked for the day's session starts: another process may use the same token. */
const budgetRefreshMs = 3 * 60_000;

export interface StopOptions {
	graceMs?: number;
	/** Who or what asks, for the history of the fleet: `SIGTERM`, … */
	reason?: string;
	/** In a cluster: move the sessions to other nodes first (default true). */
	drain?: boolean;
}

export interface FleetLifeOptions {
	options: ResolvedManagerOptions;
	parts: FleetParts;
	lifecycle: Lifecycle;
	/** Aborted by {@link FleetLife.stop}, and by who finds that Discord refuses the fleet during its start. */
	abort: AbortController;
	/** Takes the manager's name and serves its control API; null for a manager without one. */
	openControl: (() => Promise<Control>) | null;
	health(): Promise<ManagerStats['health']>;
	emit: EmitFleetEvent;
}

export class FleetLife {
	readonly #options: FleetLifeOptions;
	#plan: Plan | undefined;
	#spawning: Promise<void> | undefined;
	#stopping: Promise<void> | undefined;
	/** What ends the fleet, where that is not a request. */
	#failure: ShardctlError | undefined;
	/** Ends what is being ended now; a second `stop` hastens it. */
	#stopStage: (options: StopOptions) => Promise<void> = async () => {};
	#control: Control | undefined;
	/** Ends what keeps the budget up to date while sessions run. */
	#stopRefreshing: () => void = () => {};
	/** Reports changes of the fleet's health, from the start on until it stops. */
	#healthWatch: HealthWatch | undefined;
	#startWatch: StartWatch | undefined;

	constructor(options: FleetLifeOptions) {
		this.#options = options;
	}

	/** Undefined before the shards are planned. */
	get plan(): Plan | undefined {
		return this.#options.parts.mode.plan ?? this.#plan;
	}

	/** Only while it is served. */
	get control(): Control | undefined {
		return this.#control;
	}

	/** See `ShardManager.status`. */
	get status(): ManagerStatus {
		const { lifecycle, parts } = this.#options;
		if (lifecycle.state !== 'running') return lifecycle.state;
		const ready = parts.workers.workers.every((worker) => worker.isServing);
		return ready && parts.mode.health() === 'up' && parts.rest.isUp ? 'running' : 'degraded';
	}

	/** See `ShardManager.spawn`. */
	spawn(): Promise<void> {
		this.#spawning ??= this.#spawn();
		return this.#spawning;
	}

	/** See `ShardManager.stop`. */
	stop(options: StopOptions): Promise<void> {
		// The first call reports what goes wrong.
		if (this.#stopping) this.#stopStage(options).catch(() => {});
		this.#stopping ??= this.#stop(options);
		return this.#stopping;
	}

	/** The process that is this worker from here on is ready. */
	noteReady(workerId: number): void {
		this.#startWatch?.noteReady(workerId);
	}

	/** An event of the fleet that may change its health. */
	noteEvent(): void {
		this.#healthWatch?.note();
	}

	/** An error for which the fleet ends; after a request to stop there is none. */
	noteFailure(error: unknown): void {
		if (!this.#stopping && ShardctlError.is(error)) this.#failure ??= error;
	}

	async #spawn(): Promise<void> {
		const { lifecycle, abort, parts, emit, health } = this.#options;
		const { clock, loader, logger } = this.#options.options;
		const startedAt = clock.monotonic();
		if (lifecycle.state !== 'idle') {
			throw new ShardctlError('MANAGER_STOPPED', 'this manager was stopped; create another one to start again');
		}
		lifecycle.enter('starting');
		if (loader !== undefined) logger.info(`using ${loader} from the bot's dependencies`);
		this.#healthWatch = new HealthWatch({
			clock,
			health,
			suspects: () => this.#suspectsSilence(),
			onChange: (change) => emit('fleet:health', change),
		});
		let outcome: StartOutcome;
		try {
			outcome = await this.#start();
			abort.signal.throwIfAborted();
		} catch (error) {
			const failure = parts.starts.refusal ?? error;
			this.noteFailure(failure);
			await this.stop({});
			throw failure;
		}
		const failure = outcome.failed.size > 0 ? (parts.starts.refusal ?? workersFailed(outcome)) : undefined;
		if (outcome.ready.length === 0 && outcome.failed.size > 0) {
			this.noteFailure(failure);
			await this.stop({});
		} else {
			lifecycle.enter('running');
			parts.reshards.resume();
			parts.sizing.start();
			this.#stopRefreshing = every(clock, budgetRefreshMs, () => void parts.starts.refresh());
		}
		if (failure) throw failure;
		emit('fleet:ready', {
			shards: this.plan?.shardIds.length ?? 0,
			workers: parts.workers.workers.length,
			tookMs: Math.round(clock.monotonic() - startedAt),
		});
	}

	/** Everything up to the moment at which each worker is ready or given up. */
	async #start(): Promise<StartOutcome> {
		const { options, parts, abort, openControl } = this.#options;
		const { signal } = abort;
		if (parts.loadNode) {
			await parts.loadNode();
			signal.throwIfAborted();
		}
		if (openControl) {
			await this.#openControl(openControl);
			// The name is this manager's: what an earlier one of that name left behind ends first.
			await parts.processes.adopt(join(stateDir(), `${options.name}.workers`), signal);
		}
		const { membership } = parts;
		if (membership) parts.starts.useCoordinator(await membership.connect());
		const info = await parts.starts.firstGateway(signal);
		signal.throwIfAborted();
		const planned = parts.queue ? await this.#planQueue(parts.queue, info) : planShards(options, info);
		if (membership) return this.#join(membership, planned, info);
		const plan = parts.reshards.continued(planned);
		if (plan !== planned && describeCounts(plan) !== describeCounts(planned)) this.#noteContinued(planned, plan);
		await parts.starts.checkStart(plan.sessionIds.length);
		this.#plan = plan;
		signal.throwIfAborted();
		// Gateway processes and workers are started with its address, and need not wait for it.
		// One worker of a queue may be many later: it is scaled while it runs.
		const scales = parts.queue !== null && plan.slices.length > 0;
		const { ready } = await parts.rest.open({ workers: scales ? Number.POSITIVE_INFINITY : plan.slices.length }, signal);
		await parts.mode.start(plan, signal);
		const workers = parts.workers.create({ slices: plan.slices, totalShards: plan.layout.totalShards });
		this.#startWatch = watchStart(workers, signal);
		for (const worker of workers) worker.child.start();
		const [outcome] = await Promise.all([this.#startWatch.outcome, ready]);
		await parts.mode.whenServed?.(signal);
		return outcome;
	}

	/** The queue in Redis divides the events by a shard count already, unless it is new. */
	async #planQueue(queue: FleetQueue, info: GatewayInfo): Promise<Plan> {
		const { options } = this.#options;
		const shards = await queue.open();
		const isAuto = options.totalShards === 'auto' && shards !== undefined;
		if (isAuto && shards !== info.shards) {
			options.logger.info(
				`the queue in Redis divides the events of ${shards} shards, so the fleet has ${shards}; Discord recommends ${info.shards}`,
			);
		}
		const plan = planShards(isAuto ? { ...options, totalShards: shards } : options, info);
		queue.check(plan.layout.totalShards);
		return planQueue(plan, options.queue as ResolvedQueueOptions);
	}

	#noteContinued(planned: Plan, plan: Plan): void {
		this.#options.options.logger.info(
			`continuing with ${describeCounts(plan)}, to which the fleet was resharded; after a stop it starts with ${describeCounts(planned)} again`,
		);
	}

	/** As a node of a cluster: what is run here is decided there, now and later. */
	async #join(membership: Membership, plan: Plan, info: GatewayInfo): Promise<StartOutcome> {
		const { parts, abort } = this.#options;
		// Nothing is this node's yet.
		this.#plan = { ...plan, shardIds: [], sessionIds: [], slices: [], gateways: [] };
		// Those of a queue are not part of a session.
		const slices = parts.queue ? plan.slices : [];
		const limitOf = (perSecond: number) => membership.restLimit(perSecond);
		const { ready } = await parts.rest.open({ limitOf }, abort.signal);
		await parts.mode.start(this.#plan, abort.signal);
		const { max_concurrency: maxConcurrency } = info.session_start_limit;
		const workers = parts.workers.create({ slices, totalShards: plan.layout.totalShards });
		this.#startWatch = watchStart(workers, abort.signal);
		// A node that the cluster refuses runs none.
		const onJoined = () => {
			for (const { child } of workers) child.start();
		};
		const joined = membership.join({ layout: plan.layout, maxConcurrency, onJoined }, abort.signal);
		const [sessions, readers] = await Promise.all([joined, this.#startWatch.outcome, ready]);
		await parts.mode.whenServed?.(abort.signal);
		return {
			ready: [...sessions.ready, ...readers.ready],
			failed: new Map([...sessions.failed, ...readers.failed]),
		};
	}

	async #stop(options: StopOptions): Promise<void> {
		const { lifecycle, abort, parts, emit } = this.#options;
		lifecycle.enter('stopping');
		this.#healthWatch?.stop();
		parts.sizing.stop();
		this.#stopRefreshing();
		const { membership } = parts;
		if (membership) {
			this.#stopStage = async () => membership.hurry();
			if (options.graceMs === 0 || this.#failure) membership.hurry();
			await membership.leave({ drain: options.drain ?? true });
		}
		abort.abort(parts.starts.refusal ?? new ShardctlError('MANAGER_STOPPED', 'the manager was stopped'));
		// A smaller grace that was given meanwhile holds for what is ended later.
		let { graceMs } = options;
		for (const part of [parts.workers, parts.mode, parts.rest]) {
			this.#stopStage = (hastened) => {
				graceMs = hastened.graceMs ?? graceMs;
				return part.stop(hastened);
			};
			await part.stop(graceMs === undefined ? {} : { graceMs });
		}
		await membership?.close();
		await parts.queue?.close();
		// What an earlier manager left is only this one's if it has begun.
		if (this.#plan) parts.reshards.forget();
		const end = this.#endOf(options);
		emit('fleet:stopped', { message: end.message, code: end.code });
		await this.#control?.close(end);
		lifecycle.enter('stopped');
	}

	#endOf({ reason }: StopOptions): FleetEnd {
		if (this.#failure) return { how: 'failed', code: this.#failure.code, message: this.#failure.message };
		return { how: 'stopped', code: null, message: `stopped by ${reason ?? 'its program'}` };
	}

	/** Processes that do not answer, which no event says. */
	#suspectsSilence(): boolean {
		const { parts, options } = this.#options;
		const heartbeat = heartbeatOf(options.heartbeatTimeoutMs);
		const nowMs = options.clock.now();
		return (
			parts.mode.health() !== 'up' ||
			!parts.rest.isUp ||
			parts.workers.workers.some(({ child: { lastAnswerAt } }) => isSilent({ lastAnswerAt, heartbeat }, nowMs))
		);
	}

	async #openControl(open: () => Promise<Control>): Promise<void> {
		const { signal } = this.#options.abort;
		const control = await open();
		if (!signal.aborted) this.#control = control;
		// The manager was stopped meanwhile, without it.
		else await control.close(this.#endOf({}));
		signal.throwIfAborted();
	}
}

/** Such as `4 sessions with Discord and 8 shards`. */
function describeCounts({ layout: { sessions, totalShards } }: Plan): string {
	return `${plural(sessions, 'session')} with Discord and ${plural(totalShards, 'shard')}`;
}
