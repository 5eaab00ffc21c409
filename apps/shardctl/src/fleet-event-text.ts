// One sentence for each event of a fleet, or for a group of them, as a terminal may print it: what `start` and `events` print.
import {
	describeEvent as describe,
	describeEventAsItComes,
	describeNotice,
	describeShardEvent,
	type EventLevel,
	type EventText,
	type FleetEventBody,
} from '@shardctl/control';
import { type EventGroup, shardsOfGroup } from './events/event-groups.js';
import { out } from './terminal/colours.js';
import { printableLine } from './terminal/printable.js';

export type Level = EventLevel;

/** The sentence, and its severity. */
export function describeEvent(event: FleetEventBody): EventText {
	return oneLine(describe(event));
}

/** The sentence for a group: one for all of its shards. */
function describeGroup(group: EventGroup): EventText {
	const [first] = group;
	if (first.type === 'gateway:notice') return describeNotice(first, shardsOfGroup(group));
	return 'shardId' in first ? describeShardEvent(first, shardsOfGroup(group)) : describe(first);
}

/** One line of `events`. */
export function groupLine(group: EventGroup): string {
	const { level, text } = textOfGroup(group);
	const { node } = group[0];
	const where = node === undefined ? '' : `${printableLine(`node ${node}`)}: `;
	const marks = { info: out.green('●'), warn: out.yellow('▲'), error: out.red('✖') };
	const at = new Date(group[0].at);
	return `${out.dim(Number.isNaN(at.getTime()) ? '-' : at.toISOString())} ${marks[level]} ${where}${text}`;
}

function textOfGroup(group: EventGroup): EventText {
	try {
		return oneLine(describeGroup(group));
	} catch {
		return oneLine(describeEventAsItComes(group[0]));
	}
}

/** Reasons and messages are a bot's or Discord's: an event is one line, whatever they are. */
function oneLine({ level, text }: EventText): EventText {
	return { level, text: printableLine(text) };
}
