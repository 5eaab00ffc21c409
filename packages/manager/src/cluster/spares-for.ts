// How many processes a node keeps ready for sessions that come to it: as many as it gets when another node dies. Pure.
import type { ClusterView } from '@shardctl/cluster';

/** Each takes memory while it waits; above, processes are started when they are needed. */
const most = 4;

/** For the worst of the other nodes, whose sessions go one after the other to the node with the fewest. */
export function sparesFor({ nodes, sessions }: Pick<ClusterView, 'nodes' | 'sessions'>, self: string): number {
	const open = nodes.filter(({ leaseMs, member }) => leaseMs > 0 && member && !member.draining).map(({ node }) => node);
	// Alone, nothing comes to it from another node.
	if (open.length < 2 || !open.includes(self)) return 0;
	const countOf = (node: string) => sessions.filter(({ owner }) => owner === node).length;
	const gained = open.filter((node) => node !== self).map((dying) => gain(dying));
	return Math.min(most, Math.max(1, ...gained));

	function gain(dying: string): number {
		const counts = new Map(open.filter((node) => node !== dying).map((node) => [node, countOf(node)]));
		const before = counts.get(self) ?? 0;
		for (let left = countOf(dying); left > 0; left--) {
			const fewest = Math.min(...counts.values());
			// Of equals this one: better one process too many.
			const to = counts.get(self) === fewest ? self : [...counts].find(([, count]) => count === fewest)?.[0];
			if (to !== undefined) counts.set(to, fewest + 1);
		}
		return (counts.get(self) ?? 0) - before;
	}
}
