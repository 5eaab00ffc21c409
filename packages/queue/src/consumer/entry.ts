// An event as a worker reads it from a partition.
import { deferredWord } from '../wire/deferred-word.js';

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
	/** The only group that it is for; null where it is for all. */
	readonly only: string | null;
	/** An interaction that gets a deferred response from the gateway process. */
	readonly isDeferred: boolean;
	/** How often it was delivered before. */
	readonly deliveries: number;
}

/** From the reply of a script: `[id, ['e', 'number type seq session guild', 'd', data]]`, with `defer` as the last word of some, and `only` behind it where it is for one group alone. */
export function entryOf(
	[id, fields]: readonly [string, readonly string[]],
	{ partition, epoch, deliveries }: { partition: number; epoch: number; deliveries: number },
): Entry {
	const [, about = '', , data = 'null'] = fields;
	const [, type = '', seq = '', session = '', guild = '', last] = about.split(' ');
	const only = fields.length > 4 ? fieldOf(fields, 'only') : null;
	const isDeferred = last === deferredWord;
	return { partition, epoch, id, type, session, seq, guildId: guild === '' ? null : guild, data, only, isDeferred, deliveries };
}

function fieldOf(fields: readonly string[], name: string): string | null {
	for (let i = 4; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] as string;
	return null;
}

/** When Redis received it, by its clock, in ms. */
export function addedAt({ id }: Pick<Entry, 'id'>): number {
	return Number(id.slice(0, id.indexOf('-')));
}
