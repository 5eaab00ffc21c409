// The nodes of a cluster, as the control API and the dashboard show them. Types only.

export type NodeStatus = 'joining' | 'ready' | 'draining' | 'muted' | 'gone';

/** One node, as `shardctl nodes --json` prints it. */
export interface NodeInfo {
	name: string;
	/** `muted`: its lease is not confirmed, so it delivers no events. `gone`: its lease has ended. */
	status: NodeStatus;
	/** Null where Redis has lost what the node said about itself, as `version` and `startedAt`. */
	pid: number | null;
	version: string | null;
	/** Sessions with Discord that it has. */
	sessions: number;
	shards: number;
	/** Of a queue each node counts its own: null while the node does not say how many it has. */
	workers: number | null;
	/** Sessions at most; null without a limit. */
	capacity: number | null;
	/** Until its lease ends. */
	leaseMs: number;
	/** Epoch ms. */
	startedAt: number | null;
}
