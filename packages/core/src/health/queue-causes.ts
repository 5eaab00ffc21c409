// Causes on the way through the event queue: no worker reads it, its Redis does not answer, or it accepts no events.
import type { GatewayFacts, HealthCause, HealthFacts } from '../contract/health.js';
import type { QueueUnwritten } from '../contract/queue.js';
import { describeShards } from '../shards.js';
import { cause, sorted } from './cause.js';

export function queueCauses({ queue, gateways = [], shards, manager }: HealthFacts): HealthCause[] {
	if (!queue) return [];
	const unwritten = queueUnwritten(gateways);
	if (!queue.connected) {
		const message = 'the Redis of the event queue does not answer: events wait in the gateway processes, and workers get none';
		const remedy = 'see that Redis runs and can be reached from here';
		return [cause('queue-unreachable', 'risk', [], message, { since: unwritten?.since ?? null, remedy })];
	}
	if (unwritten) {
		const { shardIds, since, error } = unwritten;
		const message = `the events of ${describeShards(shardIds)} wait in their gateway processes, because they cannot be written to the queue: ${error}`;
		return [cause('queue-unwritten', 'risk', shardIds, message, { since, remedy: unwrittenRemedy(error) })];
	}
	const idle = shards.filter(({ status }) => status === 'planned').map(({ shardId }) => shardId);
	if (idle.length === 0 || manager.status === 'starting' || queue.groups.length > 0) return [];
	const message = 'no group of workers has subscribed to the event queue yet: the sessions with Discord start with the first one';
	return [cause('queue-unread', 'progress', sorted(idle), message, { remedy: 'start a worker that calls connectQueue()' })];
}

/** The shards whose events are not written now, as one; undefined where all are. */
export function queueUnwritten(gateways: readonly GatewayFacts[]): QueueUnwritten | undefined {
	const failing = gateways
		.flatMap(({ shards }) => shards)
		.flatMap(({ shardId, queueFailure, bufferedEvents = 0 }) =>
			queueFailure ? [{ shardId, ...queueFailure, bufferedEvents }] : [],
		);
	const [first] = failing;
	if (!first) return undefined;
	return {
		shardIds: sorted(failing.map(({ shardId }) => shardId)),
		since: Math.min(...failing.map(({ since }) => since)),
		// Redis' own sentences end with a full stop; here they are a part of one.
		error: first.error.replace(/\.$/, ''),
		waiting: failing.reduce((sum, { bufferedEvents }) => sum + bufferedEvents, 0),
	};
}

/** What an operator does about the reason for which events are not written. */
export function unwrittenRemedy(error: string): string {
	if (/\bOOM\b/.test(error))
		return 'raise maxmemory of Redis, or see which group is behind with "shardctl queue": start workers for it, or remove it';
	if (/\bMISCONF\b/.test(error)) return 'free space on the disk of Redis, and look at its log';
	if (/\bREADONLY\b/.test(error)) return 'name the Redis that accepts writes, not its replica';
	if (/\bNOREPLICAS\b/.test(error)) return 'start the replicas of Redis';
	if (/\b(NOPERM|NOAUTH|WRONGPASS)\b/.test(error))
		return 'correct the user and the password of Redis: "shardctl doctor" lists the rights';
	if (/another process writes/.test(error)) return 'stop the other fleet that writes to this queue, or this one';
	return 'see that Redis runs and can be reached from the gateway processes: "shardctl doctor" checks it';
}
