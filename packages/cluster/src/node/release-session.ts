// Lets one session of a node go from another process of that node, whose manager is gone. By its epoch and never the node's lease: another
// process may not have noticed yet that the manager is gone. The node is marked, so that no planner gives it anything, or waits for it.
//
// Trying again is always safe: an owner of a later epoch, or a release of which only the answer was lost, refuses it.
import { randomBytes } from 'node:crypto';
import { type Clock, sleep } from '@shardctl/core';
import { commonArguments } from '../lease/renewal-wire.js';
import type { Timings } from '../lease/timings.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort } from '../redis/redis-port.js';
import { ownershipScripts } from '../scripts/ownership-scripts.js';
import type { Member } from '../table/cluster-view.js';

export interface ReleaseSessionOptions {
	redis: Pick<RedisPort, 'script'>;
	keys: ClusterKeys;
	timings: Timings;
	clock: Clock;
	/** The engine as the process knows it. */
	identity(): string;
	/** The incarnation of the node. */
	node: string;
	/** As the cluster knows it, as JSON. */
	member: string;
	session: number;
	epoch: number;
	/** Monotonic: tries until then. */
	until: number;
}

/** Redis is asked again where it has not answered for this long. */
const answerMs = 1000;
const againMs = 50;

/**
 * Resolves with whether this has released the session, as soon as Redis has said so. Not released: it is no longer this owner's, Redis is
 * another one by now, or the time is over. Then the end of the node's lease does the same, later.
 */
export async function releaseSession(options: ReleaseSessionOptions): Promise<boolean> {
	const { redis, keys, timings, clock, identity, node, member, session, epoch, until } = options;
	const abandoned: Member = { ...(JSON.parse(member) as Member), draining: true, abandoned: true };
	/** Whether it is released, or after how many ms to try again. */
	const once = async (): Promise<boolean | number> => {
		const [kind, quietMs] = (await redis.script(
			ownershipScripts().abandon,
			[keys.engine, keys.nodes, keys.table, keys.members, keys.records],
			[
				...commonArguments(identity(), timings, randomBytes(8).toString('hex')),
				node,
				session,
				epoch,
				'',
				JSON.stringify(abandoned),
				keys.tableChanged,
			],
			{ timeoutMs: answerMs, isRare: true },
		)) as string[];
		if (kind === 'OK') return true;
		// Nothing is assigned before the quiet period is over.
		return kind === 'QUIET' ? Number(quietMs) + 1 : false;
	};
	for (;;) {
		const outcome = await once().catch(() => againMs);
		if (typeof outcome === 'boolean') return outcome;
		const leftMs = until - clock.monotonic();
		if (leftMs <= 0) return false;
		await sleep(clock, Math.min(outcome, leftMs));
	}
}
