// Reshards a cluster. The table records how far it is (reshard-entry.ts), and every node does its part without being asked: it replaces the sessions
// of the groups that it owns, where they are, inside the gateway process that holds them. So no node conducts it, and when one dies, the next
// owner of what it had continues.
//
// A gateway process writes down which sessions count as the owner of its session, with the owner's epoch, in the same place as what it saves.
// So that, and not the table, decides where the next owner continues; the table is brought up to date by asking it again.
import type { ClusterNode, ClusterView, NodeRow } from '@shardctl/cluster';
import {
	type Clock,
	type Layout,
	messageOf,
	type ReshardedGroup,
	type ReshardGroup,
	type ReshardOutcome,
	type ReshardRequest,
	type ReshardStats,
	ShardctlError,
	sleep,
} from '@shardctl/core';
import type { SessionStarts } from '../identify/session-starts.js';
import { planSession } from '../plan/plan-session.js';
import { estimateMs, planReshard, type ReshardPlan } from '../reshard/plan-reshard.js';
import { unchanged } from '../reshard/unchanged.js';
import {
	begun,
	called,
	claimed,
	failureOf,
	given,
	isRunning,
	layoutNow,
	type ReshardEntry,
	replaced,
	requireNoReshard,
	reshardEntry,
	rowOf,
	shardsLeft,
	statsOf,
	swept,
	unsureOf,
} from './reshard-entry.js';

/** How often a node looks whether it can do something for a resharding that runs. It asks Redis for nothing then. */
const lookMs = 200;
/** How often the node that was asked looks whether it has ended. */
const pollMs = 250;
const retryMs = 500;

export interface ClusterReshardsOptions {
	clock: Clock;
	windowMs: number;
	slicing: { shardsPerWorker: number | 'auto'; cores: number };
	starts: Pick<SessionStarts, 'refresh' | 'budget' | 'checkReshard'>;
	/** This node, and the layout with which the cluster was started. Throws `WORKER_UNAVAILABLE` before it has joined. */
	door(): { node: Pick<ClusterNode, 'node' | 'change' | 'read' | 'state'>; layout: Layout };
	/** Throws where the sessions of this cluster cannot be replaced while it runs. */
	requireReshardable(): Promise<void>;
	/** Replaces the sessions of a group on this node; see `SessionMode.reshard`. */
	replace(group: ReshardGroup, signal: AbortSignal): Promise<ReshardedGroup>;
	/** Runs `work` when every deploy, and restart of all workers, of this node has ended that was asked for before. */
	inTurn(work: () => Promise<void>): Promise<void>;
	/** Whether this node has a session of the layout, with all of its workers. */
	isReady(session: number): boolean;
	/** The sessions with Discord are these now. */
	onLayout(layout: Layout): void;
	/** A person has begun one, or ended it, at that time (epoch ms). */
	onPerson(atMs: number): void;
	/** This node has changed how far it is. */
	onProgress(stats: ReshardStats): void;
	/** This node could not change how far it is, and Redis was not away. */
	onFailed(error: unknown): void;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
}

export class ClusterReshards {
	readonly #options: ClusterReshardsOptions;
	/** Groups that this node replaces; aborted when it no longer owns them. */
	readonly #here = new Map<number, AbortController>();
	#view: ClusterView | undefined;
	/** As this node has read it last, which Redis may lose. */
	#entry: ReshardEntry | undefined;
	#following = false;
	#restoring = false;
	/** As it was reported last. */
	#failure: string | undefined;

	constructor(options: ClusterReshardsOptions) {
		this.#options = options;
	}

	/** The one that runs, or the last one; undefined before the first. */
	stats(): ReshardStats | undefined {
		return this.#entry && statsOf(this.#entry);
	}

	/** See {@link shardsLeft}; none before the table was read. */
	shardsLeft(to?: number): number[] {
		return shardsLeft(this.#entry, this.#options.door().layout, to);
	}

	/** Whether this node, of all nodes with `--reshard auto`, decides about automatic reshardings. */
	get decides(): boolean {
		const live = this.#view?.nodes.filter(({ leaseMs, member }) => leaseMs > 0 && member?.autoReshard && !member.draining) ?? [];
		return live[0]?.node === this.#options.door().node.node;
	}

	/** The table was read. */
	note(view: ClusterView): void {
		const { door, onLayout, onPerson } = this.#options;
		const { layout } = door();
		this.#view = view;
		if (this.#isLost(view)) {
			this.#restore().catch(() => {});
			return;
		}
		const entry = reshardEntry(view, layout);
		if (entry?.byPerson && (entry.id !== this.#entry?.id || !this.#entry.byPerson)) onPerson(entry.startedAt);
		this.#entry = entry;
		onLayout(layoutNow(view, layout));
		if (entry && isRunning(entry)) this.#follow().catch(() => {});
	}

	/**
	 * Resolves when the cluster has that many sessions; with `dryRun`, at once with what it would take. Rejects with `RESHARD_COUNT`,
	 * `RESHARD_UNSUPPORTED`, `RESHARD_RUNNING`, `IDENTIFY_BUDGET`, and with `RESHARD_FAILED` where it ended on the way.
	 * `byPerson`: a person has asked for it, so no node changes it by itself for a while.
	 */
	async reshard(
		{ sessions, shards, dryRun = false, undo = false }: ReshardRequest,
		{ byPerson }: { byPerson: boolean },
	): Promise<ReshardOutcome> {
		const { door, clock, windowMs, starts, requireReshardable, onPerson } = this.#options;
		const { node, layout: started } = door();
		await requireReshardable();
		if (shards !== undefined) throw noShardsOfCluster(started);
		let view = await this.#readWhole();
		let entry = reshardEntry(view, started);
		if (undo && !dryRun && entry && isRunning(entry)) {
			await this.#update(entry.id, (now) => called({ ...now, byPerson: now.byPerson || byPerson }, 'it was called off'));
			await this.#end(entry.id);
			view = await node.read();
			entry = reshardEntry(view, started);
			if (entry?.state === 'failed' && isUnchanged(view, entry, started)) return unchanged(layoutNow(view, started));
		}
		requireNoReshard(view, started);
		const target = undo ? undoTarget(view, entry, started) : sessions;
		if (target === undefined) {
			throw new ShardctlError('OPTIONS_INVALID', 'resharding needs the number of sessions to end with, or undo', { details: {} });
		}
		const plan = this.#plan(view, target);
		await starts.refresh({ maxAgeMs: 0 });
		const { maxConcurrency } = starts.budget();
		const estimatedMs = estimateMs(plan, { maxConcurrency, windowMs });
		const { from, to, identifies } = plan;
		const outcome = { from, to, identifies, estimatedMs, tookMs: 0, longestPauseMs: 0 };
		await starts.checkReshard(identifies);
		if (dryRun) return outcome;
		const since = clock.monotonic();
		let begin: ReshardEntry | undefined;
		const changing = node.change((now) => {
			requireNoReshard(now, started);
			begin = begun(now, { started, plan: this.#plan(now, target), nowMs: clock.now(), maxConcurrency, windowMs, byPerson });
			return [{ op: 'reshard', entry: JSON.stringify(begin) }];
		});
		// Where the answer is lost, it may have been written all the same.
		const [written] = await changing.catch(async (error: unknown) =>
			(await this.#has(begin)) ? ['done'] : Promise.reject(error),
		);
		if (!begin || written !== 'done') throw new ShardctlError('INTERNAL', `the resharding was not written down: ${written}`);
		// Redis may lose it before this node reads the table.
		if ((this.#entry?.id ?? 0) < begin.id) {
			this.#entry = begin;
			if (byPerson) onPerson(begin.startedAt);
		}
		this.#report(begin);
		const end = await this.#end(begin.id);
		if (end.state !== 'done') throw failureOf(end);
		const { longestPauseMs } = end;
		return { ...outcome, identifies: end.identifies, tookMs: Math.round(clock.monotonic() - since), longestPauseMs };
	}

	/** Whether the table has a resharding that this node has begun; false where the table cannot be read. */
	async #has(begin: ReshardEntry | undefined): Promise<boolean> {
		if (!begin) return false;
		const { door } = this.#options;
		const view = await door()
			.node.read()
			.catch(() => undefined);
		const entry = view && reshardEntry(view, door().layout);
		return entry?.id === begin.id && entry.to === begin.to && entry.startedAt === begin.startedAt;
	}

	/** Throws `RESHARD_COUNT` and `RESHARD_UNSUPPORTED`. */
	#plan(view: ClusterView, to: number): ReshardPlan {
		const { door, slicing } = this.#options;
		const { layout: started } = door();
		const now = layoutNow(view, started);
		if (to % started.sessions !== 0) {
			throw new ShardctlError(
				'RESHARD_COUNT',
				`the cluster was started with ${started.sessions} sessions, which its nodes share, and can have whole multiples of them, not ${to}; ` +
					`to have ${to}, stop all nodes and start them with --gateway-sessions ${to}`,
				{ details: { layout: now } },
			);
		}
		const rows = Array.from({ length: started.sessions }, (_, session) => planSession(started, session, slicing).shardIds);
		const shardIds = rows.flat().sort((a, b) => a - b);
		const unsure = unsureOf(reshardEntry(view, started));
		const plan = planReshard({ layout: now, shardIds, gateways: rows, sessions: to, keepsShards: true, unsure });
		requireRoom(view, { started: started.sessions, to });
		return plan;
	}

	/** Resolves when the resharding of that number is over, whichever nodes live by then. */
	async #end(id: number): Promise<ReshardEntry> {
		const { door, clock, signal } = this.#options;
		for (;;) {
			const view = await this.#read();
			const entry = reshardEntry(view, door().layout);
			if (this.#isLost(view)) await this.#restore().catch(() => {});
			if (entry && (entry.id > id || (entry.id === id && !isRunning(entry)))) {
				if (entry.id === id) return entry;
				throw new ShardctlError('RESHARD_RUNNING', 'another resharding has begun since; "shardctl stats" shows how far it is', {
					details: { to: entry.to },
				});
			}
			await sleep(clock, pollMs, signal);
		}
	}

	#read(): Promise<ClusterView> {
		return this.#whileAway(() => this.#options.door().node.read(), this.#options.signal);
	}

	/** Tries again while Redis is away, and only then: any other error would be the same each time. */
	async #whileAway<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
		for (;;) {
			try {
				return await work();
			} catch (error) {
				if (!isAway(error)) throw error;
				await sleep(this.#options.clock, retryMs, signal);
			}
		}
	}

	/** While a resharding runs: begins with each group that may be begun here, and ends what is no longer this node's. */
	async #follow(): Promise<void> {
		if (this.#following) return;
		this.#following = true;
		const { clock, signal } = this.#options;
		try {
			while (!signal.aborted && this.#entry && isRunning(this.#entry)) {
				await this.#look().catch((error: unknown) => this.#failed(error));
				await sleep(clock, lookMs, signal);
			}
		} catch {
			// The manager stops.
		} finally {
			this.#following = false;
			this.#endLost();
		}
	}

	async #look(): Promise<void> {
		const { door, isReady } = this.#options;
		const { node } = door();
		const entry = this.#entry;
		const view = this.#view;
		if (!entry || !view) return;
		this.#endLost();
		const atWork = { node: node.node, isHere: (group: number) => this.#here.has(group) };
		if (entry.state === 'ending' && !isRunning(swept(entry, view, atWork))) {
			await this.#update(entry.id, (now, at) => swept(now, at, atWork));
			return;
		}
		// One after the other, as they would wait for each other in any case: see `inTurn`.
		if (this.#here.size > 0) return;
		for (const group of entry.left) {
			if (!isReady(rowOf(group, entry))) continue;
			const claim = (now: ReshardEntry, at: ClusterView) => claimed(now, at, { group, ...atWork });
			if (!claim(entry, view)) continue;
			const begins = new AbortController();
			this.#here.set(group, begins);
			const changed = await this.#update(entry.id, claim, { once: true }).catch((error: unknown) => this.#failed(error));
			const isMine = changed?.active[group] === node.node;
			const replacing = changed && isMine ? this.#replace(changed, group, begins) : Promise.resolve();
			replacing.catch((error: unknown) => this.#failed(error)).finally(() => this.#here.delete(group));
			// The table has changed, and is read before the next.
			return;
		}
	}

	/** A node that has lost a group ends what it does for it; the gateway process does so by itself. */
	#endLost(): void {
		for (const [group, ends] of this.#here) if (!this.#holds(group)) ends.abort();
	}

	#holds(group: number): boolean {
		const { node, layout } = this.#options.door();
		return node.state.holding(group % layout.sessions) !== undefined;
	}

	async #replace({ id, from, to }: ReshardEntry, group: number, ends: AbortController): Promise<void> {
		const { door, clock, replace, inTurn, signal: stopped } = this.#options;
		const { node } = door();
		const signal = AbortSignal.any([ends.signal, stopped]);
		let next: (entry: ReshardEntry) => ReshardEntry;
		let done: ReshardedGroup | undefined;
		let hasBegun = false;
		try {
			await inTurn(async () => {
				signal.throwIfAborted();
				// It may have waited for a whole deploy.
				if (this.#entry?.id !== id || this.#entry.state !== 'running') return;
				hasBegun = true;
				done = await replace({ group, from, to }, signal);
			});
			const result: ReshardedGroup | undefined = done;
			next = (entry) =>
				result
					? replaced(entry, { group, node: node.node, done: result, nowMs: clock.now() })
					: given(entry, { group, node: node.node, isUntouched: true });
		} catch (error) {
			// What failed because the group moves, or has moved, is done again by its next owner.
			const isMoving = signal.aborted || !this.#holds(group) || this.#moves(await this.#read().catch(() => undefined), group);
			next = (entry) =>
				given(entry, { group, node: node.node, error: isMoving ? undefined : messageOf(error), isUntouched: !hasBegun });
		}
		await this.#update(id, next, { signal: stopped }).catch((error: unknown) => {
			if (stopped.aborted) throw error;
			this.#failed(error);
			// Else it would begin again and again.
			return this.#update(id, (entry) => given(entry, { group, node: node.node, error: messageOf(error) }), { once: true });
		});
	}

	#moves(view: ClusterView | undefined, group: number): boolean {
		const { node, layout } = this.#options.door();
		const row = view?.sessions.find(({ session }) => session === group % layout.sessions);
		return row === undefined || row.owner !== node.node || row.phase !== 'held';
	}

	/** Changes the table's entry of a resharding; resolves with it as it is then, undefined where `next` returns none or another one has begun. */
	async #update(
		id: number,
		next: (entry: ReshardEntry, view: ClusterView) => ReshardEntry | undefined,
		{ signal = this.#options.signal, once = false }: { signal?: AbortSignal; once?: boolean } = {},
	): Promise<ReshardEntry | undefined> {
		const { node, layout } = this.#options.door();
		const write = async () => {
			let before: ReshardEntry | undefined;
			let changed: ReshardEntry | undefined;
			await node.change((view) => {
				before = reshardEntry(view, layout);
				changed = before?.id === id ? next(before, view) : undefined;
				return changed ? [{ op: 'reshard', entry: JSON.stringify(changed) }] : [];
			});
			if (before && changed && (before.state !== changed.state || before.left.length !== changed.left.length)) {
				this.#report(changed);
			}
			return changed;
		};
		return once ? write() : this.#whileAway(write, signal);
	}

	/** That Redis is away is reported by the node; anything else once, until something succeeds. */
	#failed(error: unknown): undefined {
		const message = messageOf(error);
		if (isAway(error) || this.#options.signal.aborted || message === this.#failure) return;
		this.#failure = message;
		this.#options.onFailed(error);
	}

	#report(entry: ReshardEntry): void {
		this.#failure = undefined;
		this.#options.onProgress(statsOf(entry));
	}

	/** Whether Redis has lost what this node knows of: it has none, or an earlier resharding. */
	#isLost(view: ClusterView): boolean {
		const known = this.#entry?.id ?? 0;
		return (reshardEntry(view, this.#options.door().layout)?.id ?? 0) < known;
	}

	/** Writes what Redis has lost again, as far as this node has read it. */
	async #restore(): Promise<void> {
		if (this.#restoring) return;
		this.#restoring = true;
		try {
			await this.#options
				.door()
				.node.change((view) => (this.#isLost(view) ? [{ op: 'reshard', entry: JSON.stringify(this.#entry) }] : []));
		} finally {
			this.#restoring = false;
		}
	}

	/** The table, with what Redis has lost of it. */
	async #readWhole(): Promise<ClusterView> {
		const { node } = this.#options.door();
		const view = await node.read();
		if (!this.#isLost(view)) return view;
		await this.#restore();
		return node.read();
	}
}

/** What a master answers that is being started or replaced, whose replica is (`min-replicas-to-write`), or that runs a long script. */
const awayReplies: ReadonlySet<unknown> = new Set(['LOADING', 'MASTERDOWN', 'READONLY', 'NOREPLICAS', 'BUSY']);

/** Redis does not answer, or not as a master, for now. What was sent may have been done all the same. */
function isAway(error: unknown): boolean {
	if (!ShardctlError.is(error)) return false;
	if (error.code === 'REDIS_REFUSED') return awayReplies.has(error.details.reply);
	return error.code === 'REDIS_UNAVAILABLE' || error.code === 'CALL_TIMEOUT';
}

/** Whether a resharding that ended on the way has replaced no session, for certain. */
function isUnchanged(view: ClusterView, entry: ReshardEntry | undefined, started: Layout): boolean {
	return layoutNow(view, started).resharded === undefined && unsureOf(entry) === undefined;
}

/** The session count before the resharding that ended on the way, or before the last one. */
function undoTarget(view: ClusterView, entry: ReshardEntry | undefined, started: Layout): number {
	if (!isUnchanged(view, entry, started)) return layoutNow(view, started).sessions;
	if (entry?.state === 'done') return entry.from;
	throw new ShardctlError('RESHARD_COUNT', 'this cluster has not been resharded, so there is nothing to undo');
}

/** Every session has a place on the live nodes, as they are now. */
function requireRoom({ nodes, sessions }: ClusterView, { started, to }: { started: number; to: number }): void {
	const each = to / started;
	const live = nodes.filter(({ leaseMs, member }) => leaseMs > 0 && member);
	const wouldHave = ({ node }: NodeRow) => sessions.filter(({ owner }) => owner === node).length * each;
	const full = live.find((row) => wouldHave(row) > (row.member?.capacity ?? 0));
	if (!full) return;
	throw new ShardctlError(
		'RESHARD_COUNT',
		`node "${full.member?.name}" takes ${full.member?.capacity} sessions at most, and would have ${wouldHave(full)} of the ${to}; start it with a larger --capacity, or start another node first`,
		{ details: { node: full.member?.name, capacity: full.member?.capacity } },
	);
}

/** Their workers are spread over the nodes. */
function noShardsOfCluster({ totalShards }: Layout): ShardctlError {
	return new ShardctlError(
		'RESHARD_UNSUPPORTED',
		`the workers of this cluster have ${totalShards} shards, which cannot be changed while it runs; stop all nodes and start them with another --shards`,
		{ details: { totalShards } },
	);
}
