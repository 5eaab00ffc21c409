import type { QueueStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import type { Scrape } from './metric.js';
import { queueMetrics } from './queue-metrics.js';

function values(queue: QueueStats | undefined): Record<string, unknown> {
	const scrape = { stats: { queue }, workers: [] } as unknown as Scrape;
	return Object.fromEntries(
		queueMetrics.flatMap((metric) =>
			metric.samples(scrape).map(([labels, value]) => [`${metric.name} ${Object.values(labels).join()}`.trim(), value]),
		),
	);
}

it('has the figures of the queue and of each group, and nothing without a queue', () => {
	const group = {
		group: 'commands',
		events: [],
		members: 2,
		partitions: 32,
		lag: 7,
		pending: 3,
		oldestAgeMs: 1500,
		handledPerSecond: 1,
		redelivered: 4,
		expired: 8,
		missed: 5,
		dead: 6,
		behind: [],
	};
	const written = { written: 100, writtenPerSecond: 1, deferred: 9, deferFailed: 2 };
	const queue = { connected: true, shards: 2, partitionsPerShard: 16, ...written, groups: [group] };
	expect(values(queue)).toEqual({
		shardctl_queue_up: 1,
		shardctl_queue_written_total: 100,
		shardctl_queue_deferred_total: 9,
		shardctl_queue_defer_failed_total: 2,
		'shardctl_queue_workers commands': 2,
		'shardctl_queue_lag commands': 7,
		'shardctl_queue_pending commands': 3,
		'shardctl_queue_oldest_seconds commands': 1.5,
		'shardctl_queue_redelivered_total commands': 4,
		'shardctl_queue_expired_total commands': 8,
		'shardctl_queue_missed_total commands': 5,
		'shardctl_queue_dead commands': 6,
	});
	expect(values(undefined)).toEqual({});
});
