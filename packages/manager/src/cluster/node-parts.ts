// What only a node of a cluster has, put together. Loaded when such a node starts, so that a fleet on one machine loads nothing of this folder.
import type { Fleet } from '@shardctl/control';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { answers } from './answers.js';
import { Cluster } from './cluster.js';
import type { LocalCalls } from './cluster-calls.js';
import { ClusterReshards, type ClusterReshardsOptions } from './cluster-reshards.js';
import { Membership, type MembershipOptions } from './membership.js';

export interface NodePartsOptions
	extends Omit<MembershipOptions, 'links' | 'probe' | 'reshards'>,
		Omit<ClusterReshardsOptions, 'clock' | 'windowMs' | 'slicing' | 'door' | 'isReady' | 'onFailed'> {
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
	reshards: ClusterReshards;
}

/** Makes the parts; nothing is started or opened. */
export function createNodeParts({ calls, local, gatewayUrl, ...given }: NodePartsOptions): NodeParts {
	const { options } = given;
	const reshards: ClusterReshards = new ClusterReshards({
		...given,
		clock: options.clock,
		windowMs: options.identifyWindowMs,
		slicing: options,
		door: () => cluster.links.door,
		isReady: (session) => membership.isReady(session),
		onFailed: (error) => options.logger.error({ err: error }, 'cannot write down how far the resharding is'),
	});
	const cluster: Cluster = new Cluster({
		options,
		reshards,
		calls,
		local,
		send: async (shardId, message) => {
			if (shardId !== null) return calls.ownerOf(shardId).send(message);
			await Promise.all(calls.workers.map((worker) => worker.send(message)));
		},
	});
	const membership: Membership = new Membership({
		...given,
		links: cluster.links,
		probe: () => answers(gatewayUrl()),
		reshards,
	});
	return { cluster, membership, reshards };
}
