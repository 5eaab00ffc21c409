// Why a node may not join, as an error for its operator.
import { ShardctlError } from '@shardctl/core';
import type { Timings } from '../lease/timings.js';
import type { Member } from '../table/cluster-view.js';

/**
 * Of the scripts, and of what they and the nodes read and write. Nodes with different ones cannot share a cluster. 2: the table has the
 * resharding, and what a node owns may be several sessions.
 */
export const protocol = 2;

export interface JoinAttempt {
	readonly name: string;
	/** Of shardctl. */
	readonly version: string;
	readonly layout: { readonly totalShards: number; readonly sessions: number };
	/** See the option of the node. */
	readonly movable: boolean;
	readonly timings: Pick<Timings, 'leaseMs' | 'quietMs'>;
	readonly common?: CommonSettings | undefined;
}

/** Besides the lease and the layout: what all nodes of a cluster have to agree on. */
export interface CommonSettings {
	/** The name of the fleet. */
	readonly fleet: string;
	/** See {@link keyId}: messages with another key are refused. */
	readonly key: string;
	/** Where the events of a session go; absent where they go to the workers of its node. */
	readonly gateway?: 'queue';
}

/** As the script `join` compares it. */
export function settingsOf({
	movable,
	timings: { leaseMs, quietMs },
	common,
}: Pick<JoinAttempt, 'movable' | 'timings' | 'common'>): string {
	return JSON.stringify({ protocol, leaseMs, quietMs, movable, ...common });
}

/** From an answer of the script `join` other than `OK`. */
export function joinRefusal([kind, detail, member]: readonly string[], attempt: JoinAttempt): ShardctlError {
	const { name, version, layout, common } = attempt;
	if (kind === 'NAME') {
		const { pid, startedAt } = JSON.parse(member ?? '{}') as Partial<Member>;
		return new ShardctlError(
			'NODE_NAME_TAKEN',
			`a node named "${name}" is in this cluster (process ${pid}, since ${new Date(startedAt ?? 0).toISOString()}): ` +
				'choose another --node, or stop that one first',
			{ details: { name, node: detail, pid } },
		);
	}
	const theirs = JSON.parse(detail ?? '{}') as { protocol?: number } & Partial<CommonSettings>;
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
	if (kind === 'SETTINGS' && common && theirs.fleet !== common.fleet) {
		return new ShardctlError(
			'CLUSTER_MISMATCH',
			`the nodes of this cluster run the fleet "${theirs.fleet}", and this one was started as "${common.fleet}": start it with ` +
				`--name ${theirs.fleet}, or give another fleet a Redis or a bot of its own`,
			{ details: { cluster: theirs.fleet, node: common.fleet } },
		);
	}
	if (kind === 'SETTINGS' && common && theirs.key !== common.key) {
		return new ShardctlError(
			'CLUSTER_MISMATCH',
			'the nodes of this cluster sign their messages with another secret: start this one with the same SHARDCTL_CLUSTER_SECRET, or ' +
				'where none is set with the same bot token; to change it, stop all nodes first',
		);
	}
	const shown = ({ key: _key, ...settings }: Partial<CommonSettings>) => JSON.stringify(settings);
	const mine = kind === 'LAYOUT' ? layout : (JSON.parse(settingsOf(attempt)) as object);
	return new ShardctlError(
		'CLUSTER_MISMATCH',
		`the nodes of this cluster run with ${shown(theirs)}, and this one was started with ${shown(mine)}: ` +
			`start it with the same ${kind === 'LAYOUT' ? 'shards and sessions, or stop all nodes first to change them' : '--lease, --gateway and --cluster-state'}`,
		{ details: { cluster: detail, node: mine } },
	);
}
