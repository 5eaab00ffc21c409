// Whether the start of a node is over: every session has an owner, and those of this node are ready or were given up. Pure.
import type { ClusterView } from '@shardctl/cluster';
import type { Carried } from '../modes/carried.js';
import type { StartOutcome } from '../workers/start-watch.js';

/** Nodes whose lease is valid and which the cluster knows. */
export function liveNodes({ nodes }: Pick<ClusterView, 'nodes'>): number {
	return nodes.filter(({ leaseMs, member }) => leaseMs > 0 && member).length;
}

/** Undefined while the first placement is under way. `sessions`: of the layout. */
export function firstPlacement(
	view: Pick<ClusterView, 'nodes' | 'sessions'>,
	sessions: number,
	carried: readonly Pick<Carried, 'isReady' | 'workers'>[],
): StartOutcome | undefined {
	const live = new Set(view.nodes.filter(({ leaseMs }) => leaseMs > 0).map(({ node }) => node));
	const owned = view.sessions.filter(({ owner }) => owner !== undefined && live.has(owner)).length;
	if (owned < sessions) return undefined;
	const workers = carried.flatMap((each) => each.workers);
	const failed = new Set(workers.filter(({ child }) => child.state === 'failed'));
	const isOver = carried.every((each) => each.isReady || each.workers.some((worker) => failed.has(worker)));
	if (!isOver) return undefined;
	return {
		ready: workers.filter((worker) => !failed.has(worker)),
		failed: new Map([...failed].map((worker) => [worker, worker.child.lastExit?.message ?? 'it could not be started'])),
	};
}
