// Reshards a fleet: replaces its sessions with Discord by more or fewer, group by group, while its workers run on. One at a time, and not
// beside a deploy or a restart of all workers. How one group is replaced is the gateway process's affair.
//
// Each group is before or after its cut at any moment, so there is nothing to take back after a failure: the groups that were replaced
// stay, the others are as they were, and another call continues, or returns.
import {
	botKey,
	type Clock,
	type Layout,
	messageOf,
	planSlices,
	type ReshardOutcome,
	type ReshardRequest,
	type ReshardStats,
	ShardctlError,
	sessionsOfShards,
} from '@shardctl/core';
import type { SessionStarts } from '../identify/session-starts.js';
import type { SessionMode } from '../modes/session-mode.js';
import type { Plan } from '../plan/plan.js';
import { estimateMs, planReshard, type ReshardPlan } from './plan-reshard.js';
import type { ReshardRecord } from './reshard-record.js';

/** Groups that are replaced at the same time, as far as Discord starts their sessions at once: each needs memory for a second READY. */
const mostAtOnce = 4;

export interface ReshardsOptions {
	mode: Pick<SessionMode, 'reshard' | 'plan'>;
	starts: Pick<SessionStarts, 'refresh' | 'budget' | 'checkReshard'>;
	record: ReshardRecord;
	token: string;
	clock: Clock;
	windowMs: number;
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
	/** The one that runs ends after the groups that are being replaced. */
	#ending = false;
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
		const { totalShards, generation } = plan.layout;
		if (!state || state.bot !== botKey(token) || state.layout.totalShards !== totalShards) return plan;
		const held = state.gateways.flat().sort((a, b) => a - b);
		if (plan.gateways.length === 0 || held.join() !== plan.shardIds.join()) return plan;
		const layout: Layout = { ...state.layout, generation };
		const shardsPerWorker = Math.max(...plan.slices.map(({ length }) => length));
		const slices = state.gateways.flatMap((shardIds) => planSlices(shardIds, shardsPerWorker)).sort(([a = 0], [b = 0]) => a - b);
		return { ...plan, layout, gateways: state.gateways, slices, sessionIds: sessionsOfShards(layout, plan.shardIds) };
	}

	/** The fleet is whole: continues a resharding in the middle of which its manager was killed. */
	resume(): void {
		const target = this.#options.record.read()?.target;
		const { plan } = this.#options.mode;
		if (typeof target !== 'number' || !plan) return;
		if (!plan.layout.resharded && plan.layout.sessions === target) this.#write(plan, null);
		else this.reshard({ sessions: target }).catch(() => {});
	}

	/** The fleet has ended: the next one begins with its options. */
	forget(): void {
		this.#forgotten = true;
		this.#options.record.remove();
	}

	/**
	 * Resolves when the fleet has that many sessions; with `dryRun`, at once with what it would take. Rejects with `RESHARD_COUNT`,
	 * `RESHARD_UNSUPPORTED`, `RESHARD_RUNNING`, `IDENTIFY_BUDGET`, and with `RESHARD_FAILED` where it ended on the way.
	 * `onEffect` is called when it begins a resharding or ends another one: not where the call is refused.
	 */
	async reshard(
		{ sessions, dryRun = false, undo = false }: ReshardRequest,
		{ onEffect = () => {} }: { onEffect?: () => void } = {},
	): Promise<ReshardOutcome> {
		const { mode } = this.#options;
		if (undo && !dryRun && this.#running) {
			this.#ending = true;
			onEffect();
			await this.#running.catch(() => {});
		}
		if (this.#running) {
			throw new ShardctlError(
				'RESHARD_RUNNING',
				`the fleet is being resharded to ${this.#stats?.to} sessions; "shardctl reshard --undo" ends that`,
				{ details: { to: this.#stats?.to } },
			);
		}
		const target = undo ? this.#undoTarget() : sessions;
		if (target === undefined) {
			throw new ShardctlError('OPTIONS_INVALID', 'resharding needs the number of sessions to end with, or undo', { details: {} });
		}
		const { plan } = mode;
		if (!plan) throw new ShardctlError('WORKER_UNAVAILABLE', 'the fleet is not started yet');
		// The mode refuses what it cannot do, before anything is planned.
		if (plan.gateways.length === 0) await mode.reshard({ group: 0, from: 1, to: 1 }, this.#options.signal);
		const reshard = planReshard({ ...plan, sessions: target });
		const running = this.#run(reshard, { dryRun, onEffect });
		if (!dryRun) {
			this.#running = running.finally(() => {
				this.#running = undefined;
				this.#ending = false;
			});
			this.#running.catch(() => {});
		}
		return running;
	}

	/** The session count before the resharding that ended on the way, or before the last one. */
	#undoTarget(): number {
		const layout = this.#options.mode.plan?.layout;
		if (layout?.resharded) return layout.sessions;
		if (this.#stats?.state === 'done') return this.#stats.from;
		throw new ShardctlError('RESHARD_COUNT', 'this manager has not resharded its fleet, so there is nothing to undo');
	}

	async #run(plan: ReshardPlan, { dryRun, onEffect }: { dryRun: boolean; onEffect(): void }): Promise<ReshardOutcome> {
		const { starts, clock, windowMs, inTurn, signal } = this.#options;
		await starts.refresh({ maxAgeMs: 0 });
		const { maxConcurrency } = starts.budget();
		const estimatedMs = estimateMs(plan, { maxConcurrency, windowMs });
		const { from, to, groups, identifies } = plan;
		const outcome = { from, to, identifies, estimatedMs, tookMs: 0, longestPauseMs: 0 };
		await starts.checkReshard(identifies);
		if (dryRun) return outcome;
		signal.throwIfAborted();
		onEffect();
		const startedAt = clock.now();
		const began = clock.monotonic();
		const facts = { from, to, startedAt, total: groups.length };
		const stats: ReshardStats = {
			...facts,
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
			await inTurn(() => this.#replace(plan, { stats, began, estimatedMs }));
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

	/** Several groups at a time; after a failure no further one begins. */
	async #replace(
		{ from, to, groups }: ReshardPlan,
		{ stats, began, estimatedMs }: { stats: ReshardStats; began: number; estimatedMs: number },
	): Promise<void> {
		const { mode, clock, signal, starts } = this.#options;
		const waiting = [...groups];
		const perGroup = Math.max(1, to / from);
		const atOnce = Math.max(1, Math.min(mostAtOnce, Math.floor(starts.budget().maxConcurrency / perGroup)));
		let failure: unknown;
		signal.throwIfAborted();
		this.#write(mode.plan, to);
		const next = async (): Promise<void> => {
			for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
				if (failure !== undefined || this.#ending) return;
				signal.throwIfAborted();
				try {
					const { done } = await mode.reshard({ group, from, to }, signal);
					this.#write(mode.plan, to);
					stats.done++;
					stats.identifies += done.identifies;
					stats.longestPauseMs = Math.max(stats.longestPauseMs, done.pausedMs);
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
		if (failure === undefined && stats.done === stats.total) return;
		const why = failure === undefined ? 'it was called off' : messageOf(failure);
		throw new ShardctlError(
			'RESHARD_FAILED',
			`${stats.done} of ${stats.total} groups of sessions were replaced: ${why}; no event was lost. "shardctl reshard ${to}" continues, "shardctl reshard --undo" returns to ${from} sessions`,
			{ details: { done: stats.done, total: stats.total, from, to }, cause: failure },
		);
	}

	#write(plan: Plan | undefined, target: number | null): void {
		// One that ends only now must not leave a record behind.
		if (!plan || this.#forgotten) return;
		const { record, token } = this.#options;
		record.write({ bot: botKey(token), layout: plan.layout, gateways: plan.gateways.map((ids) => [...ids]), target });
	}

	#report(stats: ReshardStats): void {
		this.#stats = stats;
		this.#options.onProgress({ ...stats });
	}
}
