// Puts the events of one incident together: the same thing happening to many shards within a second is one group, and the exit of a
// process comes before what it did to its shards. Pure.
import type { FleetEvent } from '@shardctl/control';
import { shardsOf } from './event-filter.js';

/** Events of one type and with one message, in the order of their numbers; never empty. */
export type EventGroup = [FleetEvent, ...FleetEvent[]];

const incidentMs = 1000;

/** Groups in the order in which to show them. */
export function groupEvents(events: readonly FleetEvent[]): EventGroup[] {
	const groups: EventGroup[] = [];
	const open = new Map<string, EventGroup>();
	for (const event of events) {
		const key = keyOf(event);
		const group = key === undefined ? undefined : open.get(key);
		if (group && event.at - group[0].at <= incidentMs) {
			group.push(event);
			continue;
		}
		const made: EventGroup = [event];
		if (key !== undefined) open.set(key, made);
		groups.splice(isCause(event) ? causeIndex(groups, event) : groups.length, 0, made);
	}
	return groups;
}

/** All shards of a group, ascending. */
export function shardsOfGroup(group: EventGroup): number[] {
	return [...new Set(group.flatMap((event) => shardsOf(event) ?? []))].sort((a, b) => a - b);
}

/** What may be shown as one line; undefined for events that always have a line of their own. What happens on several nodes is several things. */
function keyOf(event: FleetEvent): string | undefined {
	const kind = kindOf(event);
	return kind === undefined || event.node === undefined ? kind : `${event.node} ${kind}`;
}

function kindOf(event: FleetEvent): string | undefined {
	if (event.type === 'gateway:notice') return `${event.kind} ${event.message}`;
	if (event.type === 'shard:disconnected') return `${event.type} ${event.closeCode}`;
	return 'shardId' in event ? event.type : undefined;
}

function isCause({ type }: FleetEvent): boolean {
	return type === 'gateway:exited' || type === 'worker:exited' || type === 'worker:unresponsive';
}

/** Before the effects on the same shards that were reported up to a second earlier: they arrive on another channel. */
function causeIndex(groups: readonly EventGroup[], cause: FleetEvent): number {
	const shards = shardsOf(cause) ?? [];
	let index = groups.length;
	for (let at = groups.length - 1; at >= 0; at--) {
		const group = groups[at] as EventGroup;
		if (cause.at - group[0].at > incidentMs) break;
		if (keyOf(group[0]) !== undefined && shardsOfGroup(group).some((id) => shards.includes(id))) index = at;
	}
	return index;
}
