// The metrics of the event queue, which are the same from every manager of the bot. Absent in a fleet without a queue.
import type { QueueGroupStats, QueueStats } from '@shardctl/core';
import { type Metric, per } from './metric.js';

const queue = per<QueueStats>({ labels: [], of: ({ stats }) => (stats.queue ? [[{}, stats.queue]] : []) });
/** More than a bot has: anyone who connects names a group. */
const mostGroups = 100;
const group = per<QueueGroupStats>({
	labels: ['group'],
	of: ({ stats }) => (stats.queue?.groups ?? []).slice(0, mostGroups).map((each) => [{ group: each.group }, each] as const),
});

export const queueMetrics: readonly Metric[] = [
	queue.gauge('shardctl_queue_up', '1 if the Redis of the event queue answers, else 0.', ({ connected }) => (connected ? 1 : 0)),
	queue.counter('shardctl_queue_written_total', 'Events written to the queue since it exists.', ({ written }) => written),
	queue.counter(
		'shardctl_queue_deferred_total',
		'Interactions that got a deferred response from a gateway process.',
		({ deferred }) => deferred,
	),
	queue.counter(
		'shardctl_queue_defer_failed_total',
		'Interactions that were to get a deferred response and did not.',
		({ deferFailed }) => deferFailed,
	),
	group.gauge('shardctl_queue_workers', 'Workers of the group, on all machines.', ({ members }) => members),
	group.gauge('shardctl_queue_lag', 'Events that the group has not acknowledged.', ({ lag }) => lag),
	group.gauge('shardctl_queue_pending', 'Of these, events that a worker has.', ({ pending }) => pending),
	group.gauge(
		'shardctl_queue_oldest_seconds',
		'Age of the oldest event that the group has not acknowledged; 0 for none.',
		({ oldestAgeMs }) => oldestAgeMs / 1000,
	),
	group.counter(
		'shardctl_queue_redelivered_total',
		'Deliveries of events that were delivered before and not acknowledged.',
		({ redelivered }) => redelivered,
	),
	group.counter(
		'shardctl_queue_expired_total',
		'Interactions that were not delivered, because they were too old to be answered.',
		({ expired }) => expired,
	),
	group.counter('shardctl_queue_missed_total', 'Events that were removed before the group handled them.', ({ missed }) => missed),
	group.gauge('shardctl_queue_dead', 'Events that the group gave up: see "shardctl queue dead".', ({ dead }) => dead),
];
