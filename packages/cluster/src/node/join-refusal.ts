// Why a node may not join, as an error for its operator.
import { ShardctlError } from '@shardctl/core';
import type { Timings } from '../lease/timings.js';
import type { Member } from '../table/cluster-view.js';

export interface JoinAttempt {
	readonly name: string;
	readonly layout: { readonly totalShards: number; readonly sessions: number };
	readonly timings: Pick<Timings, 'leaseMs' | 'quietMs'>;
}

/** From an answer of the script `join` other than `OK`. */
export function joinRefusal([kind, detail, member]: readonly string[], { name, layout, timings }: JoinAttempt): ShardctlError {
	if (kind === 'NAME') {
		const { pid, startedAt } = JSON.parse(member ?? '{}') as Partial<Member>;
		return new ShardctlError(
			'NODE_NAME_TAKEN',
			`a node named "${name}" is in this cluster (process ${pid}, since ${new Date(startedAt ?? 0).toISOString()}): ` +
				`choose another --node, or wait ${Math.ceil(timings.leaseMs / 1000)} s if that process has just ended`,
			{ details: { name, node: detail, pid } },
		);
	}
	const mine = kind === 'LAYOUT' ? layout : { leaseMs: timings.leaseMs, quietMs: timings.quietMs };
	return new ShardctlError(
		'CLUSTER_MISMATCH',
		`the nodes of this cluster run with ${detail}, and this one was started with ${JSON.stringify(mine)}: ` +
			`start it with the same ${kind === 'LAYOUT' ? 'shards and sessions; "shardctl reshard" changes them for all nodes' : '--lease'}`,
		{ details: { cluster: detail, node: mine } },
	);
}
