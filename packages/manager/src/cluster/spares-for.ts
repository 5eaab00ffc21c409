// How many processes a node keeps ready for sessions that come to it: as many as one other node has for each that is left when it dies. Pure.
import type { ClusterView } from '@shardctl/cluster';

/** Each takes memory while it waits; above, processes are started when they are needed. */
const most = 4;

/** `sessions`: of the layout. */
export function sparesFor({ nodes }: Pick<ClusterView, 'nodes'>, sessions: number): number {
	const open = nodes.filter(({ leaseMs, member }) => leaseMs > 0 && member && !member.draining).length;
	// Alone, nothing comes to it from another node.
	if (open < 2) return 0;
	return Math.min(most, Math.ceil(Math.ceil(sessions / open) / (open - 1)));
}
