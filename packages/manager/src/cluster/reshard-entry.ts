// How far a resharding of the whole cluster is, as the table has it, and each step of it. What a node owns, and what moves, stays: a session of
// the layout with which the cluster was started, or all sessions that have replaced it. Pure.
import type { ClusterView } from '@shardctl/cluster';
import { type Layout, type ReshardedGroup, type ReshardStats, ShardctlError, sessionCountOf, withGroup } from '@shardctl/core';
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
	/**
	 * Of those that are left: groups with which a node had begun and whose end is not known. They may have the new sessions already, so the next
	 * resharding does them in any case.
	 */
	readonly unsure: readonly number[];
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
	const known = JSON.parse(reshard) as Omit<ReshardEntry, 'unsure'> & Partial<Pick<ReshardEntry, 'unsure'>>;
	const entry: ReshardEntry = { unsure: [], ...known };
	return entry.totalShards === started.totalShards && entry.started === started.sessions ? entry : undefined;
}

/**
 * The layout with which the cluster was started that a node is to join. A node that was started with the sessions to which the cluster was
 * resharded since means the same cluster, and so does one that leaves their number open: `anySessions`.
 */
export function startedLayout(
	view: Pick<ClusterView, 'layout' | 'reshard'>,
	planned: Layout,
	{ anySessions = false }: { anySessions?: boolean } = {},
): Layout {
	if (!view.layout) return planned;
	const { totalShards, sessions } = JSON.parse(view.layout) as Pick<Layout, 'totalShards' | 'sessions'>;
	if (totalShards !== planned.totalShards) return planned;
	const started = { ...planned, sessions };
	const entry = reshardEntry(view, started);
	const isMeant = anySessions || (entry !== undefined && [entry.sessions, entry.to].includes(planned.sessions));
	return isMeant ? started : planned;
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
	return Math.max(1, Math.max(sessions, resharded?.sessions ?? 0, to, unsureOf(entry)?.sessions ?? 0) / started.sessions);
}

/**
 * The shards whose sessions are still to be replaced: by the resharding that runs, or by one to `to` sessions.
 */
export function shardsLeft(entry: ReshardEntry | undefined, started: Layout, to?: number): number[] {
	const all = Array.from({ length: started.totalShards }, (_, id) => id);
	if (to !== undefined) {
		const now = entry ? layoutOf(entry, started) : started;
		return all.filter((id) => sessionCountOf(now, id) !== to || entry?.unsure.includes(groupOf(id, entry)));
	}
	return entry && isRunning(entry) ? all.filter((id) => entry.left.includes(groupOf(id, entry))) : [];
}

function groupOf(shardId: number, { from, to }: Pick<ReshardEntry, 'from' | 'to'>): number {
	return shardId % Math.min(from, to);
}

/** Groups that have either these sessions or those of the layout; undefined where every group is known. */
export function unsureOf(entry: ReshardEntry | undefined): { sessions: number; groups: readonly number[] } | undefined {
	if (!entry || entry.unsure.length === 0) return undefined;
	const { sessions, from, to, unsure: groups } = entry;
	return { sessions: to === sessions ? from : to, groups };
}

export function isRunning({ state }: Pick<ReshardEntry, 'state'>): boolean {
	return state === 'running' || state === 'ending';
}

/** Throws `RESHARD_RUNNING`. */
export function requireNoReshard(view: Pick<ClusterView, 'reshard'>, started: Layout): void {
	const entry = reshardEntry(view, started);
	if (!entry || !isRunning(entry)) return;
	const { to } = entry;
	throw new ShardctlError(
		'RESHARD_RUNNING',
		`the cluster is being resharded to ${to} sessions; "shardctl reshard --undo" ends that`,
		{ details: { to } },
	);
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
		unsure: reshardEntry(view, started)?.unsure ?? [],
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

/** The node that reads the table, and which groups it replaces now: it knows that better than the table, which has what it once wrote. */
export interface AtWork {
	node: string;
	isHere(group: number): boolean;
}

/** Without the groups that their node does not replace any more: it is gone, has lost them, or knows nothing of it. */
function withoutLost(
	entry: ReshardEntry,
	{ nodes, sessions }: Pick<ClusterView, 'nodes' | 'sessions'>,
	at: AtWork,
): ReshardEntry {
	const lost = Object.entries(entry.active).flatMap(([id, node]) => {
		const group = Number(id);
		const owner = sessions.find(({ session }) => session === rowOf(group, entry))?.owner;
		const isAlive = owner === node && nodes.some((row) => row.node === node && row.leaseMs > 0);
		return (node === at.node ? at.isHere(group) : isAlive) ? [] : [group];
	});
	return lost.reduce(withUnsure, entry);
}

/** Without a group that a node had begun. */
function withUnsure(entry: ReshardEntry, group: number): ReshardEntry {
	const { [group]: _, ...active } = entry.active;
	const isKnown = !entry.left.includes(group) || entry.unsure.includes(group);
	return { ...entry, active, unsure: isKnown ? entry.unsure : [...entry.unsure, group].sort((a, b) => a - b) };
}

/**
 * A node begins with a group that it owns. Undefined where it may not: as many as may be replaced at the same time are, or another node does it.
 * `isHere`: of the other groups. An entry of this node for the group itself is from before it lost the group, or from a claim whose answer was lost.
 */
export function claimed(
	entry: ReshardEntry,
	view: Pick<ClusterView, 'nodes' | 'sessions'>,
	{ group, node, isHere }: AtWork & { group: number },
): ReshardEntry | undefined {
	if (entry.state !== 'running' || !entry.left.includes(group)) return undefined;
	const owner = view.sessions.find(({ session }) => session === rowOf(group, entry));
	if (owner?.owner !== node || owner.phase !== 'held') return undefined;
	const present = withoutLost(entry, view, { node, isHere: (other) => other !== group && isHere(other) });
	if (present.active[group] !== undefined || Object.keys(present.active).length >= entry.atOnce) return undefined;
	return { ...present, active: { ...present.active, [group]: node } };
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
		unsure: entry.unsure.filter((each) => each !== group),
		identifies: entry.identifies + done.identifies,
		longestPauseMs: Math.max(entry.longestPauseMs, done.pausedMs),
		tookMs: Math.max(entry.tookMs, nowMs - entry.startedAt),
	});
}

/**
 * A node has not finished a group: without an error another node, or the same one, begins with it again. `isUntouched`: it had not begun to
 * replace the sessions.
 */
export function given(
	entry: ReshardEntry,
	{ group, node, error, isUntouched = false }: { group: number; node: string; error?: string | undefined; isUntouched?: boolean },
): ReshardEntry {
	const isMine = entry.active[group] === node;
	const without = isMine && !isUntouched ? withUnsure(entry, group) : withoutActive(entry, { group, node });
	return ended(error === undefined ? without : called(without, error));
}

/** No further group begins. */
export function called(entry: ReshardEntry, error: string): ReshardEntry {
	return entry.state === 'running' ? ended({ ...entry, state: 'ending', error }) : entry;
}

/** Removes groups whose node is gone, no longer owns them, or is the one that asks and does not replace them. */
export function swept(entry: ReshardEntry, view: Pick<ClusterView, 'nodes' | 'sessions'>, at: AtWork): ReshardEntry {
	return ended(withoutLost(entry, view, at));
}

function withoutActive(entry: ReshardEntry, { group, node }: { group: number; node: string }): ReshardEntry {
	if (entry.active[group] !== node) return entry;
	const { [group]: _, ...active } = entry.active;
	return { ...entry, active };
}

function ended(entry: ReshardEntry): ReshardEntry {
	// Also where a node that was cut off reports the last group late.
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
