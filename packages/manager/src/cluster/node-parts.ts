// What only a node of a cluster has, put together. Loaded when such a node starts, so that a fleet on one machine loads nothing of this folder.
import type { Fleet } from '@shardctl/control';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { answers } from './answers.js';
import { Cluster } from './cluster.js';
import type { LocalCalls } from './cluster-calls.js';
import { Membership, type MembershipOptions } from './membership.js';

export interface NodePartsOptions extends Omit<MembershipOptions, 'links' | 'probe'> {
	/** Into the workers of this machine. */
	calls: LocalCalls & {
		readonly workers: readonly Pick<ManagedWorker, 'send'>[];
		ownerOf(shardId: number): Pick<ManagedWorker, 'send'>;
	};
	/** What this machine runs. */
	local(): Fleet;
	/** Of Discord's gateway, as it was found last. */
	gatewayUrl(): string;
}

export interface NodeParts {
	/** All nodes, for callers, bots and the control API. */
	cluster: Cluster;
	membership: Membership;
}

/** Makes the parts; nothing is started or opened. */
export function createNodeParts({ calls, local, gatewayUrl, ...given }: NodePartsOptions): NodeParts {
	const cluster = new Cluster({
		options: given.options,
		calls,
		local,
		send: async (shardId, message) => {
			if (shardId !== null) return calls.ownerOf(shardId).send(message);
			await Promise.all(calls.workers.map((worker) => worker.send(message)));
		},
	});
	const membership = new Membership({ ...given, links: cluster.links, probe: () => answers(gatewayUrl()) });
	return { cluster, membership };
}
