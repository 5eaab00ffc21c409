// What a gateway process of a node has of the cluster: its own connection to Redis, the store of its session there, its lease, and the
// release of the session when the manager is gone. Loaded only in a cluster.
import { clusterKeys, IoredisPort, RedisSnapshotStore, releaseSession } from '@shardctl/cluster';
import { type ClusterRedis, type GatewayClusterConfig, type SnapshotStore, systemClock } from '@shardctl/core';
import { FileSnapshotStore } from '../snapshots/file-snapshot-store.js';
import { LeaseWatch } from './lease-watch.js';

export interface ClusterSession {
	readonly store: SnapshotStore;
	readonly lease: LeaseWatch;
	/** The epoch of the owner, once Redis can be reached. */
	fence(): Promise<string>;
	/**
	 * Lets the session go, if it is still this node's: tries until Redis has said so, at most for as long as others wait for the node's lease
	 * by themselves, counted from `since` (monotonic). Never rejects.
	 */
	release(since: number): Promise<void>;
}

/** The connection that {@link openClusterSession} uses. */
export function connectTo(address: ClusterRedis): IoredisPort {
	return new IoredisPort(address);
}

/** `folder`: for what is kept on this machine. `redis`: of a process that has connected before. */
export function openClusterSession(
	{ redis: address, applicationId, node, member, session, timings, state, lease: present }: GatewayClusterConfig,
	folder: string,
	redis: IoredisPort = connectTo(address),
): ClusterSession {
	const lease = new LeaseWatch({ clock: systemClock, doubtMs: timings.doubtMs });
	if (present) lease.hear(present);
	const keys = clusterKeys(applicationId);
	const guard = { node, session, timings, identity: () => lease.identity };
	return {
		store:
			state === 'none'
				? new FileSnapshotStore(folder)
				: new RedisSnapshotStore({ redis, keys, scope: `session-${session}`, guard }),
		lease,
		async fence() {
			await redis.ready();
			return String(lease.epoch ?? 0);
		},
		async release(since) {
			const { epoch } = lease;
			if (epoch === undefined) return;
			const until = since + timings.leaseMs + timings.takeMarginMs;
			await releaseSession({ ...guard, redis, keys, epoch, member, clock: systemClock, until });
		},
	};
}
