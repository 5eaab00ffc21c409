// Turns the events of a manager into the plain data that the control API and the command line show.
import type { ExitSummary, FleetEventBody, FleetEventType, SharedFleetEvents } from '@shardctl/control';
import type { ExitReport } from '@shardctl/supervisor';
import type { ShardManager } from './shard-manager.js';

const forwardedEvents = Object.keys({
	'worker:spawned': true,
	'worker:ready': true,
	'worker:failed': true,
	'worker:unresponsive': true,
	'worker:responsive': true,
	'worker:memory': true,
	'shard:ready': true,
	'shard:reconnecting': true,
	'shard:resumed': true,
	'shard:disconnected': true,
	'gateway:spawned': true,
	'gateway:exited': true,
	'gateway:notice': true,
	'cluster:joined': true,
	'cluster:left': true,
	'cluster:muted': true,
	'cluster:confirmed': true,
	'cluster:node-gone': true,
	'cluster:discord': true,
	'cluster:session-ready': true,
	'cluster:session-gone': true,
	'rest:spawned': true,
	'rest:exited': true,
	'rest:notice': true,
	'worker:deployed': true,
	'worker:rolled-back': true,
	'worker:stop-first': true,
	'deploy:progress': true,
	'reshard:progress': true,
	'fleet:sizing': true,
	'identify:deferred': true,
	'identify:expired': true,
	'restart:progress': true,
	'fleet:ready': true,
	'fleet:health': true,
	'fleet:stopped': true,
} satisfies Record<keyof SharedFleetEvents, true>) as (keyof SharedFleetEvents)[];

/** Calls `listener` for each event of a manager, for as long as the manager lives. */
export function onFleetEvent(manager: ShardManager, listener: (event: FleetEventBody) => void): void {
	listen(manager, 'on', listener);
}

/**
 * As {@link onFleetEvent}, but before the listeners that are there already: an event is in the history before it is reported anywhere, so
 * that one that was reported is there whatever happens to the manager next.
 */
export function recordFleetEvents(manager: ShardManager, record: (event: FleetEventBody) => void): void {
	listen(manager, 'prependListener', record);
}

function listen(manager: ShardManager, add: 'on' | 'prependListener', listener: (event: FleetEventBody) => void): void {
	const report = (type: FleetEventType, payload: object) => listener({ type, ...payload } as FleetEventBody);
	for (const type of forwardedEvents) manager[add](type, (payload: object) => report(type, payload));
	manager[add]('worker:exited', ({ workerId, shardIds, report: exit }) =>
		report('worker:exited', { workerId, shardIds, exit: summary(exit) }),
	);
	manager[add]('fleet:refused', ({ error }) => report('fleet:refused', { code: error.code, message: error.message }));
}

function summary({ reason, message, code, signal, pid, uptimeMs, stderrTail, stack }: ExitReport): ExitSummary {
	return { reason, message, code, signal, pid, uptimeMs, stderrTail, stack };
}
