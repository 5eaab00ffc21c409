// What happens to a fleet as plain data: the manager's events with a number and a time, as the control API and the command
// line show them. What a bot writes or sends is not among them.
import type { ExitReport } from '@shardctl/supervisor';
import type { ShardManagerEvents } from '../events.js';
import type { ShardManager } from '../shard-manager.js';

/** The end of a process without what only the manager's own machine can use. */
export type ExitSummary = Pick<
	ExitReport,
	'reason' | 'message' | 'code' | 'signal' | 'pid' | 'uptimeMs' | 'stderrTail' | 'stack'
>;

interface Payloads
	extends Omit<FirstOf<ShardManagerEvents>, 'message' | 'worker:log' | 'worker:state' | 'worker:exited' | 'fleet:refused'> {
	'worker:exited': { workerId: number; shardIds: readonly number[]; exit: ExitSummary };
	'fleet:refused': { code: string; message: string };
}
type FirstOf<T extends Record<keyof T, unknown[]>> = { [K in keyof T]: T[K][0] };

/** One thing that happened. `seq` counts from 1 and never repeats in one manager; `at` is in epoch ms. */
export type FleetEvent = { [K in keyof Payloads]: { seq: number; at: number; type: K } & Payloads[K] }[keyof Payloads];
export type FleetEventType = keyof Payloads;

const passedOn = [
	'worker:spawned',
	'worker:ready',
	'worker:failed',
	'worker:unresponsive',
	'worker:memory',
	'shard:ready',
	'shard:reconnecting',
	'shard:resumed',
	'shard:disconnected',
	'gateway:spawned',
	'gateway:exited',
	'gateway:notice',
	'worker:deployed',
	'worker:rolled-back',
	'identify:deferred',
	'restart:progress',
	'fleet:ready',
] as const satisfies readonly Exclude<FleetEventType, 'worker:exited' | 'fleet:refused'>[];

/** Follows a manager for as long as it lives. */
export function onFleetEvent(manager: ShardManager, listener: (event: FleetEvent) => void): void {
	let seq = 0;
	const tell = (type: FleetEventType, payload: object) =>
		listener({ seq: ++seq, at: Date.now(), type, ...payload } as FleetEvent);
	for (const type of passedOn) manager.on(type, (payload: object) => tell(type, payload));
	manager.on('worker:exited', ({ workerId, shardIds, report }) =>
		tell('worker:exited', { workerId, shardIds, exit: summary(report) }),
	);
	manager.on('fleet:refused', ({ error }) => tell('fleet:refused', { code: error.code, message: error.message }));
}

function summary({ reason, message, code, signal, pid, uptimeMs, stderrTail, stack }: ExitReport): ExitSummary {
	return { reason, message, code, signal, pid, uptimeMs, stderrTail, stack };
}
