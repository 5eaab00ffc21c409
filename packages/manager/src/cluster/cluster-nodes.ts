// The nodes of a cluster and what each of them has, as people and programs see them, and the moves that a person may request. Pure.
import type { ClusterView, NodeRow, SessionRow, TableChange, Timings } from '@shardctl/cluster';
import type { NodeInfo, SessionMove, SessionPlace } from '@shardctl/control';
import { type Layout, ShardctlError, sessionOfShard, sessionsOfShards, shardsOfSession } from '@shardctl/core';
import { planSession, type Slicing } from '../plan/plan-session.js';
import { layoutNow } from './reshard-entry.js';

/** What all nodes of the cluster have in common. */
export interface ClusterTerms {
	/** With which the cluster was started: what nodes own, and what moves, is a session of it, or those that have replaced that. */
	layout: Layout;
	timings: Pick<Timings, 'leaseMs' | 'validMs'>;
	slicing: Slicing;
}

/** A node without a limit. */
const unlimitedCapacity = 1_000_000;

/** In order of their names. */
export function nodeInfos(view: ClusterView, { layout, timings, slicing }: ClusterTerms): NodeInfo[] {
	const infos = view.nodes.map((row): NodeInfo => {
		const { member, leaseMs } = row;
		const sessions = view.sessions.filter(({ owner }) => owner === row.node);
		const plans = sessions.map(({ session }) => planSession(layout, session, slicing));
		const shardIds = plans.flatMap((plan) => plan.shardIds);
		return {
			name: nameOf(row),
			status: statusOf(row, view, timings),
			pid: member?.pid ?? null,
			version: member?.version ?? null,
			sessions: sessionCount(view, { layout, slicing }, row.node),
			shards: shardIds.length,
			workers: plans.reduce((sum, { slices }) => sum + slices.length, 0),
			capacity: member && member.capacity < unlimitedCapacity ? member.capacity : null,
			leaseMs: Math.max(0, Math.round(leaseMs)),
			startedAt: member?.startedAt ?? null,
		};
	});
	return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function nameOf({ node, member }: NodeRow): string {
	return member?.name ?? node;
}

export function isLive({ leaseMs, member }: NodeRow): boolean {
	return leaseMs > 0 && member !== undefined;
}

/** What a node may still do ends before its lease does. */
function statusOf(
	{ node, leaseMs, member }: NodeRow,
	{ quietMs, sessions }: ClusterView,
	timings: ClusterTerms['timings'],
): NodeInfo['status'] {
	if (leaseMs <= 0 || member?.abandoned) return 'gone';
	if (leaseMs <= timings.leaseMs - timings.validMs) return 'muted';
	if (member?.draining) return 'draining';
	return !member || (quietMs > 0 && !sessions.some(({ owner }) => owner === node)) ? 'joining' : 'ready';
}

/** Every session of the bot, in order of its number. */
export function sessionPlaces(view: ClusterView, { layout, slicing }: Pick<ClusterTerms, 'layout' | 'slicing'>): SessionPlace[] {
	const nameById = new Map(view.nodes.map((row) => [row.node, nameOf(row)]));
	const rows = new Map(view.sessions.map((row) => [row.session, row]));
	const named = (node: string | undefined) => (node === undefined ? null : (nameById.get(node) ?? node));
	const now = layoutNow(view, layout);
	const places = Array.from({ length: layout.sessions }, (_, id) => {
		const row = rows.get(id);
		const { shardIds } = planSession(layout, id, slicing);
		return sessionsOfShards(now, shardIds).map((session) => ({
			session,
			shardIds: shardsOfSession(now, session, shardIds),
			node: named(row?.owner),
			phase: row?.phase ?? 'held',
			target: row?.phase === 'held' ? null : named(row?.target),
		}));
	});
	return places.flat().sort((a, b) => a.session - b.session);
}

/** How many sessions with Discord a node has. */
export function sessionCount(
	view: ClusterView,
	{ layout, slicing }: Pick<ClusterTerms, 'layout' | 'slicing'>,
	node: string,
): number {
	const owned = view.sessions.filter(({ owner }) => owner === node);
	const shardIds = owned.flatMap(({ session }) => planSession(layout, session, slicing).shardIds);
	return sessionsOfShards(layoutNow(view, layout), shardIds).length;
}

/** The node that owns the session of a shard; undefined while none does. */
export function ownerOfShard(view: ClusterView, layout: Layout, shardId: number): NodeRow | undefined {
	const session = sessionOfShard(layout, shardId);
	const owner = view.sessions.find((row) => row.session === session)?.owner;
	return owner === undefined ? undefined : view.nodes.find(({ node }) => node === owner);
}

/** The live node of this name. Throws `NODE_NOT_FOUND` with those that there are. */
export function nodeNamed(view: ClusterView, name: string): NodeRow {
	const live = view.nodes.filter(isLive);
	const found = live.find((row) => nameOf(row) === name);
	if (found) return found;
	const names = live.map(nameOf).sort();
	throw new ShardctlError('NODE_NOT_FOUND', `the cluster has no live node "${name}"; its live nodes are ${names.join(', ')}`, {
		details: { node: name, nodes: names },
	});
}

/** Throws `LAST_NODE` where no other node can take what a node has. */
export function requireOthers(view: ClusterView, { node, member }: NodeRow): void {
	if (view.nodes.some((row) => row.node !== node && isLive(row) && !row.member?.draining)) return;
	const name = member?.name ?? node;
	throw new ShardctlError(
		'LAST_NODE',
		`no other node can take the sessions of node "${name}": start another one, or end the drain of one; with force it is marked all the same`,
		{ details: { node: name } },
	);
}

/** The move of the session that carries a shard; empty where it is there. Throws `NODE_NOT_FOUND`, `NODE_DRAINING` and `SHARD_NOT_OWNED`. */
export function requestedMove(
	view: ClusterView,
	layout: Layout,
	{ shardId, node }: { shardId: number; node: string },
): TableChange[] {
	const to = nodeNamed(view, node);
	if (shardId >= layout.totalShards) {
		throw new ShardctlError('SHARD_NOT_OWNED', `there is no shard ${shardId}: the bot has shards 0-${layout.totalShards - 1}`, {
			details: { shardId },
		});
	}
	const session = sessionOfShard(layout, shardId);
	const row: SessionRow | undefined = view.sessions.find((each) => each.session === session);
	if (row?.owner === undefined) {
		throw new ShardctlError('SHARD_NOT_OWNED', `shard ${shardId} is on no node at the moment; it is placed as soon as possible`, {
			details: { shardId },
		});
	}
	if (row.owner === to.node && row.phase === 'held') return [];
	if (row.phase !== 'held' && row.target === to.node) return [];
	if (to.member?.draining) {
		throw new ShardctlError(
			'NODE_DRAINING',
			`node "${node}" is drained, so it takes no sessions; end that with "shardctl drain ${node} --undo"`,
			{
				details: { node },
			},
		);
	}
	if (row.owner === to.node) return [{ op: 'cancel', session, from: row.owner }];
	return [{ op: 'move', session, from: row.owner, to: to.node }];
}

/** Moves of the table with the names of their nodes. */
export function namedMoves(
	view: ClusterView,
	terms: Pick<ClusterTerms, 'layout' | 'slicing'>,
	changes: readonly TableChange[],
): SessionMove[] {
	const nameById = new Map(view.nodes.map((row) => [row.node, nameOf(row)]));
	return changes.flatMap((change) => {
		if (change.op !== 'move') return [];
		const { session, from, to } = change;
		const { shardIds } = planSession(terms.layout, session, terms.slicing);
		const sessions = sessionsOfShards(layoutNow(view, terms.layout), shardIds);
		return [{ sessions, shardIds, from: nameById.get(from) ?? from, to: nameById.get(to) ?? to }];
	});
}
