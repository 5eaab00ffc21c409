// Why a node may not join, as an error for its operator.
import { ShardctlError } from '@shardctl/core';
import type { Timings } from '../lease/timings.js';
import type { Member } from '../table/cluster-view.js';

/** Of the scripts, and of what they read and write. Nodes with different ones cannot share a cluster. */
export const protocol = 1;

export interface JoinAttempt {
	readonly name: string;
	/** Of shardctl. */
	readonly version: string;
	readonly layout: { readonly totalShards: number; readonly sessions: number };
	/** See the option of the node. */
	readonly movable: boolean;
	readonly timings: Pick<Timings, 'leaseMs' | 'quietMs'>;
}

/** From an answer of the script `join` other than `OK`. */
export function joinRefusal(
	[kind, detail, member]: readonly string[],
	{ name, version, layout, movable, timings }: JoinAttempt,
): ShardctlError {
	if (kind === 'NAME') {
		const { pid, startedAt } = JSON.parse(member ?? '{}') as Partial<Member>;
		return new ShardctlError(
			'NODE_NAME_TAKEN',
			`a node named "${name}" is in this cluster (process ${pid}, since ${new Date(startedAt ?? 0).toISOString()}): ` +
				'choose another --node, or stop that one first',
			{ details: { name, node: detail, pid } },
		);
	}
	const theirs = JSON.parse(detail ?? '{}') as { protocol?: number };
	if (kind === 'SETTINGS' && theirs.protocol !== protocol) {
		const { version: other = 'another version' } = JSON.parse(member ?? '{}') as Partial<Member>;
		return new ShardctlError(
			'CLUSTER_MISMATCH',
			`the nodes of this cluster run shardctl ${other} (protocol ${theirs.protocol ?? 'unknown'}), and this one is shardctl ${version} ` +
				`(protocol ${protocol}), which do not understand each other: start this node with that version, or stop all nodes and start ` +
				'them with this one',
			{ details: { cluster: { version: other, protocol: theirs.protocol }, node: { version, protocol } } },
		);
	}
	const mine = kind === 'LAYOUT' ? layout : { protocol, leaseMs: timings.leaseMs, quietMs: timings.quietMs, movable };
	return new ShardctlError(
		'CLUSTER_MISMATCH',
		`the nodes of this cluster run with ${detail}, and this one was started with ${JSON.stringify(mine)}: ` +
			`start it with the same ${kind === 'LAYOUT' ? 'shards and sessions, or stop all nodes first to change them' : '--lease, --gateway and --cluster-state'}`,
		{ details: { cluster: detail, node: mine } },
	);
}
