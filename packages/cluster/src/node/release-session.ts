// Lets one session of a node go from another process of that node, whose manager is gone. By its epoch and never the node's lease: another
// process may not have noticed yet that the manager is gone. The node is marked as draining, so that no planner gives it anything.
import { randomBytes } from 'node:crypto';
import { commonArguments } from '../lease/renewal-wire.js';
import type { Timings } from '../lease/timings.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort } from '../redis/redis-port.js';
import { ownershipScripts } from '../scripts/ownership-scripts.js';
import type { Member } from '../table/cluster-view.js';

export interface ReleaseSessionOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	timings: Timings;
	/** The engine as the process knows it. */
	identity(): string;
	/** The incarnation of the node. */
	node: string;
	/** As the cluster knows it, as JSON. */
	member: string;
	session: number;
	epoch: number;
	timeoutMs: number;
}

export async function releaseSession(options: ReleaseSessionOptions): Promise<void> {
	const { redis, keys, timings, identity, node, member, session, epoch, timeoutMs } = options;
	const draining = { ...(JSON.parse(member) as Member), draining: true };
	await redis.script(
		ownershipScripts().abandon,
		[keys.engine, keys.nodes, keys.table, keys.members, keys.records],
		[
			...commonArguments(identity(), timings, randomBytes(8).toString('hex')),
			node,
			session,
			epoch,
			'',
			JSON.stringify(draining),
			keys.tableChanged,
		],
		{ timeoutMs, isRare: true },
	);
}
