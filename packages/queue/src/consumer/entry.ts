// An event as a worker reads it from a partition.
import type { QueueLayout } from '../wire/partitions.js';
import { shardOfPartition } from '../wire/partitions.js';

export interface Entry {
	readonly partition: number;
	/** Of the owner that has read it. */
	readonly epoch: number;
	readonly id: string;
	readonly type: string;
	/** The session with Discord, and the number of the event in it. */
	readonly session: string;
	readonly seq: string;
	readonly guildId: string | null;
	/** As JSON. */
	readonly data: string;
	/** To owners that did not acknowledge it. */
	readonly deliveries: number;
	/** The one group that it is for, after a retry; null: every group. */
	readonly only: string | null;
}

/** An event as a handler gets it. */
export interface QueueEvent {
	/** Discord's name of it, such as `MESSAGE_CREATE`. */
	readonly type: string;
	/** Discord's `d`. */
	readonly data: unknown;
	/** Null for an event of no guild, such as a direct message. */
	readonly guildId: string | null;
	readonly shardId: number;
	/** The same each time that the event is delivered, and no other event's. */
	readonly key: string;
	/** 1 the first time; greater when a handler or a worker failed with it before. */
	readonly attempt: number;
}

/** From the reply of a script: `[id, [field, value, …]]`. */
export function entryOf(
	[id, fields]: readonly [string, readonly string[]],
	{ partition, epoch, deliveries }: { partition: number; epoch: number; deliveries: number },
): Entry {
	const named: Record<string, string> = {};
	for (let i = 0; i < fields.length; i += 2) named[fields[i] as string] = fields[i + 1] as string;
	const { t: type = '', s: seq = '', sid: session = '', g = '', d: data = 'null', only = null } = named;
	return { partition, epoch, id, type, session, seq, guildId: g === '' ? null : g, data, deliveries, only };
}

/** When Redis received it, by its clock, in ms. */
export function addedAt({ id }: Pick<Entry, 'id'>): number {
	return Number(id.slice(0, id.indexOf('-')));
}

export function eventOf(entry: Entry, layout: QueueLayout, attempt: number): QueueEvent {
	return {
		type: entry.type,
		data: JSON.parse(entry.data) as unknown,
		guildId: entry.guildId,
		shardId: shardOfPartition(entry.partition, layout),
		key: `${entry.session}:${entry.seq}`,
		attempt,
	};
}
