// Causes on the way through the event queue: no worker reads it, or its Redis does not answer.
import type { HealthCause, HealthFacts } from '../contract/health.js';
import { cause, sorted } from './cause.js';

export function queueCauses({ queue, shards, manager }: HealthFacts): HealthCause[] {
	if (!queue) return [];
	if (!queue.connected) {
		const message = 'the Redis of the event queue does not answer: events wait in the gateway processes, and workers get none';
		return [cause('queue-unreachable', 'risk', [], message, { remedy: 'see that Redis runs and can be reached from here' })];
	}
	const idle = shards.filter(({ status }) => status === 'planned').map(({ shardId }) => shardId);
	if (idle.length === 0 || manager.status === 'starting' || queue.groups.length > 0) return [];
	const message = 'no group of workers has subscribed to the event queue yet: the sessions with Discord start with the first one';
	return [cause('queue-unread', 'progress', sorted(idle), message, { remedy: 'start a worker that calls connectQueue()' })];
}
