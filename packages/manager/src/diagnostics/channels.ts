// What happens to a fleet, on Node's diagnostics channels (node:diagnostics_channel): a tracing library attaches to a manager without a
// dependency of ours, and without a line in the bot. A channel without a subscriber costs one comparison.
import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { ShardManagerEvents } from '../events.js';

const spawn = channel('shardctl:spawn');
const ready = channel('shardctl:ready');
const exit = channel('shardctl:exit');
const identify = channel('shardctl:identify');
const deploy = channel('shardctl:deploy');
const move = channel('shardctl:move');
/** Its five channels are `tracing:shardctl:call:start`, `:end`, `:asyncStart`, `:asyncEnd` and `:error`. */
const call = tracingChannel('shardctl:call');

/** The channel of each event of a manager that has one. A message is the payload of the event, with its type and the fleet's name. */
const channelOfEvent = {
	'worker:spawned': spawn,
	'gateway:spawned': spawn,
	'rest:spawned': spawn,
	'worker:ready': ready,
	'fleet:ready': ready,
	'worker:exited': exit,
	'gateway:exited': exit,
	'rest:exited': exit,
	'identify:deferred': identify,
	'identify:expired': identify,
	'deploy:progress': deploy,
	'worker:deployed': deploy,
	'worker:rolled-back': deploy,
	'cluster:session-ready': move,
	'cluster:session-gone': move,
} satisfies Partial<Record<keyof ShardManagerEvents, typeof spawn>>;

/** Publishes an event of a fleet on its channel, if it has one. */
export function publishEvent(manager: string, type: keyof ShardManagerEvents, payload: unknown): void {
	const target = type in channelOfEvent ? channelOfEvent[type as keyof typeof channelOfEvent] : undefined;
	if (target?.hasSubscribers) target.publish({ manager, type, ...(payload as object) });
}

/** A session with Discord, which in direct mode is a shard's, was permitted to identify after this time, and does. */
export function publishIdentify(manager: string, { session, waitedMs }: { session: number; waitedMs: number }): void {
	if (identify.hasSubscribers) identify.publish({ manager, type: 'identify:sent', session, waitedMs });
}

/** What a tracer sees of one call into the fleet; `result` and `error` are set when it has ended. */
export interface CallTrace {
	manager: string;
	method: 'broadcastEval' | 'fetchClientValues' | 'call';
	/** Of a handler or of a value; null for a script, whose text may hold what is not for a trace. */
	name: string | null;
	/** Workers that are asked. */
	workers: number;
}

/** Runs a call, traced where someone has subscribed. */
export function tracedCall<T>(trace: CallTrace, run: () => Promise<T>): Promise<T> {
	const { start, asyncEnd, error } = call;
	if (!start.hasSubscribers && !asyncEnd.hasSubscribers && !error.hasSubscribers) return run();
	return call.tracePromise(run, trace);
}
