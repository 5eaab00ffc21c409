// How far a resharding of the whole cluster is, as the table has it, and each step of it. What a node owns, and what moves, stays: a session of
// the layout with which the cluster was started, or all sessions that have replaced it. Pure.
import type { ClusterView } from '@shardctl/cluster';
import { type Layout, type ReshardedGroup, type ReshardStats, type ShardctlError, withGroup } from '@shardctl/core';
import { estimateMs, type ReshardPlan } from '../reshard/plan-reshard.js';
import { reshardFailure } from '../reshard/reshard-request.js';

export interface ReshardEntry {
	/** Rises with each resharding. */
	readonly id: number;
	/** What the cluster was started with: an entry of another cluster counts as nothing. */
	readonly totalShards: number;
	readonly started: number;
	/** `ending`: no further group begins. */
	readonly state: ReshardStats['state'] | 'ending';
	readonly from: number;
	readonly to: number;
	/** With which sessions each group is now. */
	readonly sessions: number;
	readonly resharded: Layout['resharded'] | null;
	/** Groups that are left to do; ascending. */
	readonly left: readonly number[];
	/** Group → node that replaces its sessions. It counts while that node lives and owns them. */
	readonly active: Readonly<Record<string, string>>;
	/** Groups that are replaced at the same time, at most. */
	readonly atOnce: number;
	readonly total: number;
	readonly identifies: number;
	readonly longestPauseMs: number;
	/** Epoch ms, by the clock of the node that was asked. */
	readonly startedAt: number;
	readonly estimatedMs: number;
	readonly tookMs: number;
	readonly error: string | null;
	/** A person has begun it, or ended it. */
	readonly byPerson: boolean;
}

/** Groups in one process at the same time; each needs memory for a second READY. */
const mostAtOnce = 4;

/** Undefined before the first, and for what a cluster of another layout has left. */
export function reshardEntry({ reshard }: Pick<ClusterView, 'reshard'>, started: Layout): ReshardEntry | undefined {
	if (reshard === undefined) return undefined;
	const entry = JSON.parse(reshard) as ReshardEntry;
	return entry.totalShards === started.totalShards && entry.started === started.sessions ? entry : undefined;
}

/**
 * The layout with which the cluster was started that a node is to join. A node that was started with the sessions to which the cluster was
 * resharded since means the same cluster.
 */
export function startedLayout(view: Pick<ClusterView, 'layout' | 'reshard'>, planned: Layout): Layout {
	if (!view.layout) return planned;
	const { totalShards, sessions } = JSON.parse(view.layout) as Pick<Layout, 'totalShards' | 'sessions'>;
	const started = { ...planned, sessions };
	const entry = reshardEntry(view, started);
	const isResharded = totalShards === planned.totalShards && entry !== undefined;
	return isResharded && [entry.sessions, entry.to].includes(planned.sessions) ? started : planned;
}

/** The sessions with Discord as they are now. `started`: the layout with which the cluster was started. */
export function layoutNow(view: Pick<ClusterView, 'reshard'>, started: Layout): Layout {
	const entry = reshardEntry(view, started);
	return entry ? layoutOf(entry, started) : started;
}

function layoutOf({ sessions, resharded }: ReshardEntry, { generation, totalShards }: Layout): Layout {
	return { generation, totalShards, sessions, ...(resharded ? { resharded } : {}) };
}

/** How many sessions with Discord a session of the layout has become, or becomes. */
export function sessionsEach(view: Pick<ClusterView, 'reshard'>, started: Layout): number {
	const { sessions, resharded } = layoutNow(view, started);
	const entry = reshardEntry(view, started);
	const to = entry && isRunning(entry) ? entry.to : 0;
	return Math.max(1, Math.max(sessions, resharded?.sessions ?? 0, to) / started.sessions);
}

export function isRunning({ state }: Pick<ReshardEntry, 'state'>): boolean {
	return state === 'running' || state === 'ending';
}

export interface Beginning {
	started: Layout;
	plan: ReshardPlan;
	nowMs: number;
	maxConcurrency: number;
	windowMs: number;
	byPerson: boolean;
}

/** Of a table in which none runs. */
export function begun(
	view: Pick<ClusterView, 'reshard'>,
	{ started, plan, nowMs, maxConcurrency, windowMs, byPerson }: Beginning,
): ReshardEntry {
	const { from, to, groups } = plan;
	const now = layoutNow(view, started);
	return {
		id: (reshardEntry(view, started)?.id ?? 0) + 1,
		totalShards: started.totalShards,
		started: started.sessions,
		state: 'running',
		from,
		to,
		sessions: now.sessions,
		resharded: now.resharded ?? null,
		left: groups,
		active: {},
		atOnce: Math.max(1, Math.min(mostAtOnce, Math.floor(maxConcurrency / Math.max(1, to / from)))),
		total: groups.length,
		identifies: 0,
		longestPauseMs: 0,
		startedAt: nowMs,
		estimatedMs: estimateMs(plan, { maxConcurrency, windowMs }),
		tookMs: 0,
		error: null,
		byPerson,
	};
}

/** The session of the layout that carries the shards of a group. */
export function rowOf(group: number, { started }: Pick<ReshardEntry, 'started'>): number {
	return group % started;
}

/** Whether a node replaces the sessions of a group now, as far as the table says. */
function isActive(entry: ReshardEntry, group: number, { nodes, sessions }: Pick<ClusterView, 'nodes' | 'sessions'>): boolean {
	const node = entry.active[group];
	if (node === undefined) return false;
	const owner = sessions.find(({ session }) => session === rowOf(group, entry))?.owner;
	return owner === node && nodes.some((row) => row.node === node && row.leaseMs > 0);
}

/**
 * A node begins with a group that it owns. Undefined where it may not: as many as may be replaced at the same time are, or another node does it.
 * `isHere`: whether this node is at it; what the table says of itself is what it did before it lost the group.
 */
export function claimed(
	entry: ReshardEntry,
	view: Pick<ClusterView, 'nodes' | 'sessions'>,
	{ group, node, isHere }: { group: number; node: string; isHere(group: number): boolean },
): ReshardEntry | undefined {
	if (entry.state !== 'running' || !entry.left.includes(group)) return undefined;
	const owner = view.sessions.find(({ session }) => session === rowOf(group, entry));
	if (owner?.owner !== node || owner.phase !== 'held') return undefined;
	const active = Object.fromEntries(
		Object.entries(entry.active).filter(([id, by]) => (by === node ? isHere(Number(id)) : isActive(entry, Number(id), view))),
	);
	if (active[group] !== undefined || Object.keys(active).length >= entry.atOnce) return undefined;
	return { ...entry, active: { ...active, [group]: node } };
}

/** The sessions of a group were replaced. */
export function replaced(
	entry: ReshardEntry,
	{ group, node, done, nowMs }: { group: number; node: string; done: ReshardedGroup; nowMs: number },
): ReshardEntry {
	const without = withoutActive(entry, { group, node });
	if (!entry.left.includes(group)) return ended(without);
	const { sessions, resharded = null } = withGroup(
		{
			generation: 0,
			totalShards: entry.totalShards,
			sessions: entry.sessions,
			...(entry.resharded ? { resharded: entry.resharded } : {}),
		},
		group,
		entry.to,
	);
	return ended({
		...without,
		sessions,
		resharded,
		left: entry.left.filter((each) => each !== group),
		identifies: entry.identifies + done.identifies,
		longestPauseMs: Math.max(entry.longestPauseMs, done.pausedMs),
		tookMs: Math.max(entry.tookMs, nowMs - entry.startedAt),
	});
}

/** A node has left a group as it was: without an error another node, or the same one, begins with it again. */
export function given(
	entry: ReshardEntry,
	{ group, node, error }: { group: number; node: string; error?: string | undefined },
): ReshardEntry {
	const without = withoutActive(entry, { group, node });
	return ended(error === undefined ? without : called(without, error));
}

/** No further group begins. */
export function called(entry: ReshardEntry, error: string): ReshardEntry {
	return entry.state === 'running' ? ended({ ...entry, state: 'ending', error }) : entry;
}

/** With what of it is not so any more left out: the end of a resharding whose last node at work is gone. */
export function swept(entry: ReshardEntry, view: Pick<ClusterView, 'nodes' | 'sessions'>): ReshardEntry {
	const active = Object.fromEntries(Object.entries(entry.active).filter(([group]) => isActive(entry, Number(group), view)));
	return ended({ ...entry, active });
}

function withoutActive(entry: ReshardEntry, { group, node }: { group: number; node: string }): ReshardEntry {
	if (entry.active[group] !== node) return entry;
	const { [group]: _, ...active } = entry.active;
	return { ...entry, active };
}

function ended(entry: ReshardEntry): ReshardEntry {
	if (!isRunning(entry)) return entry;
	if (entry.left.length === 0) return { ...entry, state: 'done', active: {}, error: null };
	return entry.state === 'ending' && Object.keys(entry.active).length === 0 ? { ...entry, state: 'failed' } : entry;
}

export function statsOf(entry: ReshardEntry): ReshardStats {
	const { state, from, to, total, left, identifies, longestPauseMs, startedAt, estimatedMs, tookMs, atOnce, error } = entry;
	const running = isRunning(entry);
	const done = total - left.length;
	// As fast as until now, or as planned while little is known.
	const pace = done >= atOnce ? tookMs / done : estimatedMs / total;
	return {
		state: state === 'ending' ? 'running' : state,
		from,
		to,
		startedAt,
		total,
		done,
		identifies,
		longestPauseMs,
		tookMs,
		leftMs: running ? Math.round(pace * left.length) : 0,
		error: running ? null : error,
	};
}

/** Why a resharding ended on the way. */
export function failureOf({ from, to, total, left, error }: ReshardEntry): ShardctlError {
	return reshardFailure({ from, to, total, done: total - left.length, why: String(error) });
}
