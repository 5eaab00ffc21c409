// The shards of a cluster by the node that has them. Pure.
import type { DashboardCluster, NodeInfo, NodeStatus } from '@shardctl/core';
import type { Look, ShownShard } from './shard-look.ts';

export interface NodeGroup {
	/** Of a node; null for the shards that no node has. */
	name: string | null;
	/** Undefined for a node that the cluster no longer knows. */
	node: NodeInfo | undefined;
	shards: ShownShard[];
}

/** In order of the names of nodes; the shards that no node has are the first to see. */
export function nodeGroups(shown: readonly ShownShard[], { nodes }: DashboardCluster): NodeGroup[] {
	const groups = new Map<string | null, NodeGroup>(nodes.map((node) => [node.name, { name: node.name, node, shards: [] }]));
	for (const each of shown) {
		const name = each.node ?? null;
		const group = groups.get(name);
		if (group) group.shards.push(each);
		else groups.set(name, { name, node: undefined, shards: [each] });
	}
	return [...groups.values()].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
}

/** Nodes to which a session can move from this one. */
export function otherNodes({ nodes }: DashboardCluster, name: string | undefined): string[] {
	return nodes.filter((node) => node.name !== name && node.status === 'ready').map((node) => node.name);
}

export const nodeLooks: Readonly<Record<NodeStatus, Look>> = {
	joining: 'starting',
	ready: 'ready',
	draining: 'moving',
	muted: 'trouble',
	gone: 'down',
};

/** What a status means, where its word alone does not say it. */
export function nodeHint({ status, sessions, version }: NodeInfo, versionHere: string): string {
	if (status === 'draining') return sessions === 0 ? 'it has no session left, and gets none' : 'its sessions move to other nodes';
	if (status === 'muted') return 'its lease is not confirmed, so it delivers no events';
	if (status === 'gone') return 'its lease has ended, and other nodes take over its sessions';
	return version !== null && version !== versionHere ? `shardctl ${version}` : '';
}
