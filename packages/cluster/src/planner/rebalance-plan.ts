// The moves that even out the nodes, all of them: what the planner would do step by step if nothing else happened. Pure.
import type { ClusterView } from '../table/cluster-view.js';
import { planChanges, stillBeforeRebalanceMs, type TableChange } from './plan.js';

type Move = Extract<TableChange, { op: 'move' }>;

/** The next moves that may be made at once; none where the nodes are even, and none while anything is free or moving. */
export function rebalanceStep(view: ClusterView, sessions: number, sessionsEach = 1): Move[] {
	const changes = planChanges({
		view,
		sessions,
		silentSince: () => undefined,
		stillMs: stillBeforeRebalanceMs,
		assignAhead: 0,
		starting: 0,
		movable: true,
		sessionsEach,
	});
	return changes.filter((change): change is Move => change.op === 'move');
}

/** Every move until the nodes are even. */
export function rebalanceMoves(view: ClusterView, sessions: number, sessionsEach = 1): Move[] {
	const moves: Move[] = [];
	for (let now = view; ; ) {
		const step = rebalanceStep(now, sessions, sessionsEach);
		// Each session moves once at most.
		const fresh = step.filter(({ session }) => !moves.some((move) => move.session === session));
		if (fresh.length === 0) return moves;
		moves.push(...fresh);
		const owners = new Map(fresh.map(({ session, to }) => [session, to]));
		now = {
			...now,
			sessions: now.sessions.map((row) => ({ ...row, owner: owners.get(row.session) ?? row.owner })),
		};
	}
}
