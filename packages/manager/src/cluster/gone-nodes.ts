// Which nodes have died, seen from one reading of the table to the next: their lease has ended, or their manager is gone. Pure.
import type { ClusterView, NodeRow } from '@shardctl/cluster';
import { isLive, nameOf } from './cluster-nodes.js';

export interface GoneNode {
	name: string;
	/** That it had when the table was last read before. */
	sessions: number;
}

export class GoneNodes {
	readonly #self: string;
	readonly #sessionsOf: (view: ClusterView, node: string) => number;
	/** By node, as it was in the last reading. */
	#live = new Map<string, GoneNode>();

	/**
	 * @param self This node, not its name.
	 * @param sessionsOf How many sessions with Discord a node has.
	 */
	constructor(self: string, sessionsOf: (view: ClusterView, node: string) => number) {
		this.#self = self;
		this.#sessionsOf = sessionsOf;
	}

	/** Those that this node is to report, each once. One of the live nodes reports: the one that joined first. A node that has left is not gone. */
	note(view: ClusterView): GoneNode[] {
		const { nodes, quietMs } = view;
		// After an outage of Redis the leases have ended because nobody could renew them: who is gone shows when the quiet period is over.
		if (quietMs > 0) return [];
		const live = nodes.filter(isAlive);
		const gone = nodes.flatMap((row) => (isAlive(row) ? [] : (this.#live.get(row.node) ?? [])));
		this.#live = new Map(live.map((row) => [row.node, { name: nameOf(row), sessions: this.#sessionsOf(view, row.node) }]));
		const [first] = live.sort(byAge);
		return first?.node === this.#self ? gone : [];
	}
}

function isAlive(row: NodeRow): boolean {
	return isLive(row) && row.member?.abandoned !== true;
}

function byAge(a: NodeRow, b: NodeRow): number {
	return (a.member?.startedAt ?? 0) - (b.member?.startedAt ?? 0) || (a.node < b.node ? -1 : 1);
}
