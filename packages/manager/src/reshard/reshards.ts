// Reshards a fleet: replaces its sessions with Discord by more or fewer, group by group, while its workers run on, or its workers by those of
// another shard count, all at once, while the sessions stay. One resharding at a time, and not beside a deploy or a restart of all workers.
// How one group is replaced is the gateway process's affair, and how the workers are, that of the session mode.
//
// Each group, and the workers as a whole, is before or after its cut at any moment, so there is nothing to take back after a failure: what
// was replaced stays, the rest is as it was, and another call continues, or returns.
import {
	botKey,
	type Clock,
	describeReshard,
	type Layout,
	messageOf,
	plural,
	type ReshardedShards,
	type ReshardOutcome,
	type ReshardRequest,
	type ReshardStats,
	ShardctlError,
	sessionsOfShards,
} from '@shardctl/core';
import type { SessionStarts } from '../identify/session-starts.js';
import type { SessionMode } from '../modes/session-mode.js';
import type { Plan } from '../plan/plan.js';
import { type ShardPlan, slicesOf } from '../plan/plan-shards.js';
import { estimateMs, type ReshardPlan } from './plan-reshard.js';
import { planSteps, type ReshardStep } from './plan-steps.js';
import type { ReshardRecord, ReshardTarget } from './reshard-record.js';
import { reshardFailure } from './reshard-request.js';
import { unchanged } from './unchanged.js';

/** Groups that are replaced at the same time, as far as Discord starts their sessions at once: each needs memory for a second READY. */
const mostAtOnce = 4;

export interface ReshardsOptions {
	mode: Pick<SessionMode, 'reshard' | 'plan' | 'changeShards'>;
	starts: Pick<SessionStarts, 'refresh' | 'budget' | 'checkReshard'>;
	record: ReshardRecord;
	token: string;
	clock: Clock;
	windowMs: number;
	shardsPerWorker: number | 'auto';
	cores: number;
	/** What the workers use in bytes, as far as it is known, and what is free. */
	memory(): { used: number | null; free: number };
	/** Aborts when the manager stops. */
	signal: AbortSignal;
	/** Runs `work` when every deploy, and restart of all workers, that was asked for before has ended. */
	inTurn(work: () => Promise<void>): Promise<void>;
	onProgress(stats: ReshardStats): void;
}

export class Reshards {
	readonly #options: ReshardsOptions;
	#stats: ReshardStats | undefined;
	/** Resolves when the one that runs has ended. */
	#running: Promise<ReshardOutcome> | undefined;
	/** The one that runs ends after the groups that are being replaced, or before the workers are. */
	#ending = new AbortController();
	/** The counts before the last one that replaced anything. */
	#before: ReshardTarget | undefined;
	/** The counts before the one that runs. */
	#upcoming: ReshardTarget | undefined;
	/** The shard count that the options of the fleet have led to. */
	#planned: number | undefined;
	/** The fleet has ended. */
	#forgotten = false;

	constructor(options: ReshardsOptions) {
		this.#options = options;
	}

	/** The one that runs, or the last one; undefined before the first. */
	stats(): ReshardStats | undefined {
		return this.#stats;
	}

	/** The plan of a fleet whose manager was killed after, or during, a resharding: it continues with the sessions that it had. */
	continued(plan: Plan): Plan {
		const { record, token } = this.#options;
		const state = record.read();
		const { totalShards } = plan.layout;
		this.#planned = totalShards;
		if (!state || state.bot !== botKey(token) || plan.gateways.length === 0) return plan;
		const { layout, gateways, planned = layout.totalShards } = state;
		const shardIds = gateways.flat().sort((a, b) => a - b);
		// With the options of the former manager, or with those that lead to what it had by then.
		const isSame = totalShards === planned || totalShards === layout.totalShards;
		const isWhole = shardIds.length === layout.totalShards && plan.shardIds.length === totalShards;
		const hasAll = planned === layout.totalShards ? shardIds.join() === plan.shardIds.join() : isWhole;
		if (!isSame || !hasAll) return plan;
		this.#planned = planned;
		// Workers of a queue have no shards.
		const isQueue = plan.slices.every(({ length }) => length === 0);
		const slices = isQueue ? plan.slices : slicesOf(gateways, { ...this.#options, shards: layout.totalShards });
		return { layout, shardIds, gateways, slices, sessionIds: sessionsOfShards(layout, shardIds) };
	}

	/** The fleet is whole: continues a resharding in the middle of which its manager was killed. */
	resume(): void {
		const target = this.#options.record.read()?.target;
		const { plan } = this.#options.mode;
		if (!target || !plan) return;
		const { layout } = plan;
		const rest = {
			...((layout.resharded || layout.sessions !== target.sessions) && { sessions: target.sessions }),
			...(layout.totalShards !== target.shards && { shards: target.shards }),
		};
		if (Object.keys(rest).length === 0) this.#write(plan, null);
		else this.reshard(rest).catch(() => {});
	}

	/** The fleet has ended: the next one begins with its options. */
	forget(): void {
		this.#forgotten = true;
		this.#options.record.remove();
	}

	/**
	 * Resolves when the fleet has that many sessions and shards; with `dryRun`, at once with what it would take. Rejects with `RESHARD_COUNT`,
	 * `RESHARD_UNSUPPORTED`, `RESHARD_RUNNING`, `IDENTIFY_BUDGET`, and with `RESHARD_FAILED` where it ended on the way.
	 * `onEffect` is called when it begins a resharding or ends another one: not where the call is refused.
	 */
	async reshard(
		{ sessions, shards, dryRun = false, undo = false }: ReshardRequest,
		{ onEffect = () => {} }: { onEffect?: () => void } = {},
	): Promise<ReshardOutcome> {
		const { mode } = this.#options;
		const hasEnded = undo && !dryRun && this.#running !== undefined;
		if (this.#running && hasEnded) {
			this.#ending.abort(new ShardctlError('CALL_CANCELLED', 'it was called off'));
			onEffect();
			await this.#running.catch(() => {});
		}
		if (this.#running) {
			throw new ShardctlError(
				'RESHARD_RUNNING',
				`the fleet is being resharded${this.#stats ? ` ${describeReshard(this.#stats)}` : ''}; "shardctl reshard --undo" ends that`,
				{ details: { to: this.#stats?.to } },
			);
		}
		const { plan } = mode;
		if (!plan) throw new ShardctlError('WORKER_UNAVAILABLE', 'the fleet is not started yet');
		const before = hasEnded ? this.#upcoming : this.#before;
		const target = undo ? returnTo(before, plan.layout) : { sessions, shards };
		if (!target) {
			if (hasEnded) return unchanged(plan.layout);
			throw new ShardctlError('RESHARD_COUNT', 'this manager has not resharded its fleet, so there is nothing to undo');
		}
		// The mode refuses what it cannot do, before anything is planned.
		if (plan.gateways.length === 0) await mode.reshard({ group: 0, from: 1, to: 1 }, this.#options.signal);
		const { shardsPerWorker, cores } = this.#options;
		const steps = planSteps({ plan, shardsPerWorker, cores, ...target });
		const running = this.#run(steps, { plan, dryRun, onEffect });
		if (!dryRun) {
			this.#running = running.finally(() => {
				this.#running = undefined;
				this.#ending = new AbortController();
			});
			this.#running.catch(() => {});
		}
		return running;
	}

	async #run(
		steps: readonly ReshardStep[],
		{ plan, dryRun, onEffect }: { plan: Plan; dryRun: boolean; onEffect(): void },
	): Promise<ReshardOutcome> {
		const { starts, clock, windowMs, inTurn, signal } = this.#options;
		const { layout } = plan;
		const sessions = steps.flatMap((step) => (step.kind === 'sessions' ? [step.plan] : []))[0];
		const other = steps.flatMap((step) => (step.kind === 'shards' ? [step.plan] : []))[0];
		const { from, to, identifies } = sessions ?? { from: layout.sessions, to: layout.sessions, identifies: 0 };
		let estimatedMs = other ? estimateWorkersMs(other, this.#options.cores) : 0;
		if (sessions) {
			await starts.refresh({ maxAgeMs: 0 });
			const { maxConcurrency } = starts.budget();
			estimatedMs += estimateMs(sessions, { maxConcurrency, windowMs });
			await starts.checkReshard(identifies);
		}
		const shards = other && this.#describeShards(other, layout);
		const outcome = { from, to, ...(shards && { shards }), identifies, estimatedMs, tookMs: 0, longestPauseMs: 0 };
		if (dryRun) return outcome;
		if (shards) requireMemory(shards);
		signal.throwIfAborted();
		onEffect();
		this.#upcoming = { sessions: layout.resharded ? layout.sessions : from, shards: layout.totalShards };
		const goal = { sessions: to, shards: other?.layout.totalShards ?? layout.totalShards };
		const startedAt = clock.now();
		const began = clock.monotonic();
		const stats: ReshardStats = {
			from,
			to,
			...(shards && { shards: { from: shards.from, to: shards.to } }),
			startedAt,
			total: (sessions?.groups.length ?? 0) + (other ? 1 : 0),
			state: 'running',
			done: 0,
			identifies: 0,
			longestPauseMs: 0,
			tookMs: 0,
			leftMs: estimatedMs,
			error: null,
		};
		this.#report(stats);
		try {
			await inTurn(async () => {
				for (const step of steps) {
					if (step.kind === 'sessions') await this.#replace(step.plan, { stats, began, estimatedMs, goal });
					else await this.#replaceWorkers(step.plan, { stats, began, goal });
				}
			});
		} catch (error) {
			stats.state = 'failed';
			stats.error = messageOf(error);
			stats.leftMs = 0;
			this.#write(this.#options.mode.plan, null);
			this.#report(stats);
			throw error;
		}
		stats.state = 'done';
		stats.leftMs = 0;
		this.#write(this.#options.mode.plan, null);
		this.#report(stats);
		return { ...outcome, identifies: stats.identifies, tookMs: stats.tookMs, longestPauseMs: stats.longestPauseMs };
	}

	#describeShards({ layout, slices }: ShardPlan, before: Layout): ReshardedShards {
		const { used, free } = this.#options.memory();
		const present = this.#options.mode.plan?.slices.length ?? 0;
		// A worker needs most of its memory for itself, whatever its shards are.
		const memoryBytes = used === null || present === 0 ? null : Math.round(Math.max(1, slices.length / present) * used);
		return { from: before.totalShards, to: layout.totalShards, workers: slices.length, memoryBytes, freeBytes: free };
	}

	/** All of them at once. */
	async #replaceWorkers(
		plan: ShardPlan,
		{ stats, began, goal }: { stats: ReshardStats; began: number; goal: ReshardTarget },
	): Promise<void> {
		const { mode, clock, signal } = this.#options;
		signal.throwIfAborted();
		if (!mode.changeShards) {
			throw new ShardctlError('RESHARD_UNSUPPORTED', 'the shard count of the workers can be changed in resident mode only');
		}
		const changed = await mode.changeShards(plan, {
			signal: AbortSignal.any([signal, this.#ending.signal]),
			onDecided: (decided) => {
				this.#before = this.#upcoming;
				this.#write(decided, goal);
			},
		});
		stats.done++;
		stats.longestPauseMs = Math.max(stats.longestPauseMs, changed.pausedMs);
		stats.tookMs = Math.round(clock.monotonic() - began);
		this.#report(stats);
	}

	/** Several groups at a time; after a failure no further one begins. */
	async #replace(
		{ from, to, groups }: ReshardPlan,
		{ stats, began, estimatedMs, goal }: { stats: ReshardStats; began: number; estimatedMs: number; goal: ReshardTarget },
	): Promise<void> {
		const { mode, clock, signal, starts } = this.#options;
		const waiting = [...groups];
		const perGroup = Math.max(1, to / from);
		const atOnce = Math.max(1, Math.min(mostAtOnce, Math.floor(starts.budget().maxConcurrency / perGroup)));
		let failure: unknown;
		let done = 0;
		signal.throwIfAborted();
		this.#write(mode.plan, goal);
		const next = async (): Promise<void> => {
			for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
				if (failure !== undefined || this.#ending.signal.aborted) return;
				signal.throwIfAborted();
				try {
					const outcome = await mode.reshard({ group, from, to }, signal);
					this.#before = this.#upcoming;
					this.#write(mode.plan, goal);
					done++;
					stats.done++;
					stats.identifies += outcome.done.identifies;
					stats.longestPauseMs = Math.max(stats.longestPauseMs, outcome.done.pausedMs);
					stats.tookMs = Math.round(clock.monotonic() - began);
					// As fast as until now, or as planned while little is known.
					const pace = stats.done >= atOnce ? stats.tookMs / stats.done : estimatedMs / stats.total;
					stats.leftMs = Math.round(pace * (stats.total - stats.done));
					this.#report(stats);
				} catch (error) {
					failure ??= error;
				}
			}
		};
		await Promise.all(Array.from({ length: atOnce }, next));
		signal.throwIfAborted();
		if (failure === undefined && done === groups.length) return;
		const why = failure === undefined ? 'it was called off' : messageOf(failure);
		throw reshardFailure({ from, to, done, total: groups.length, why, cause: failure });
	}

	#write(plan: Plan | undefined, target: ReshardTarget | null): void {
		// One that ends only now must not leave a record behind.
		if (!plan || this.#forgotten) return;
		const { record, token } = this.#options;
		const { layout, gateways } = plan;
		const isGrown = this.#planned !== undefined && this.#planned !== layout.totalShards;
		record.write({
			bot: botKey(token),
			layout,
			gateways: gateways.map((ids) => [...ids]),
			...(isGrown && { planned: this.#planned as number }),
			target,
		});
	}

	#report(stats: ReshardStats): void {
		this.#stats = stats;
		this.#options.onProgress({ ...stats });
	}
}

/** What the machine does not have would be taken from the workers that run. */
function requireMemory({ workers, memoryBytes, freeBytes }: ReshardedShards): void {
	if (memoryBytes === null || memoryBytes <= freeBytes) return;
	throw new ShardctlError(
		'RESHARD_FAILED',
		`${plural(workers, 'worker')} of the new shards would need about ${megabytes(memoryBytes)} beside the present ones, and ${megabytes(freeBytes)} are free; nothing was changed. Free memory, or start the fleet again with that shard count`,
		{ details: { workers, memoryBytes, freeBytes } },
	);
}

function megabytes(bytes: number): string {
	return `${Math.round(bytes / 1024 / 1024)} MB`;
}

/** About how long all workers of a fleet take to boot beside the present ones, and to be shown their guilds. */
function estimateWorkersMs({ slices }: ShardPlan, cores: number): number {
	return 5000 + Math.ceil(slices.length / (2 * cores)) * 2000;
}

/** What differs from before a resharding, or the session count before one that ended on the way; undefined where nothing does. */
function returnTo(before: ReshardTarget | undefined, layout: Layout): Partial<ReshardTarget> | undefined {
	const sessions = layout.resharded ? layout.sessions : before?.sessions;
	const target = {
		...(sessions !== undefined && (layout.resharded || sessions !== layout.sessions) && { sessions }),
		...(before && before.shards !== layout.totalShards && { shards: before.shards }),
	};
	return Object.keys(target).length > 0 ? target : undefined;
}
