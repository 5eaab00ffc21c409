import type { ManagerStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import type { WorkerView } from '../fleet/fleet.js';
import type { Metric, Scrape } from './metric.js';
import { shardMetrics, workerMetrics } from './worker-metrics.js';

function scrape({ silent = false } = {}): Scrape {
	const stats = {
		health: { causes: silent ? [{ kind: 'worker-unresponsive', shardIds: [1] }] : [] },
		shards: [
			{ shardId: 0, workerId: 0, status: 'ready' },
			{ shardId: 1, workerId: 0, status: 'unresponsive' },
		],
		workers: [{ id: 0, lastAnswerAt: 5000 }],
	} as unknown as ManagerStats;
	const sample = { shards: [{ shardId: 0, guildCount: 7, userCount: 70, ping: 40 }] };
	const workers = [
		{ id: 0, shardIds: [0, 1], state: 'ready', pid: 9, startedAt: 1, restarts: 2, sample },
	] as unknown as WorkerView[];
	return { stats, workers, process: { rssBytes: 1, cpuSeconds: 1 }, eventCounts: new Map() };
}

/** The values of a metric by its labels. */
function values(metrics: readonly Metric[], name: string, of: Scrape): Record<string, unknown> {
	const metric = metrics.find((each) => each.name === name);
	return Object.fromEntries(metric?.samples(of).map(([labels, value]) => [Object.values(labels).join(), value]) ?? []);
}

it('has the figures of each shard, and none of what its worker has not reported', () => {
	expect(values(shardMetrics, 'shardctl_shard_ready', scrape())).toEqual({ '0,0': 1, '1,0': 0 });
	expect(values(shardMetrics, 'shardctl_shard_guilds', scrape())).toEqual({ '0,0': 7, '1,0': undefined });
	expect(values(shardMetrics, 'shardctl_shard_ping_seconds', scrape())).toEqual({ '0,0': 0.04, '1,0': undefined });
});

it('shows a worker that does not answer as down, and when it last answered', () => {
	expect(values(workerMetrics, 'shardctl_worker_up', scrape())).toEqual({ '0': 1 });
	expect(values(workerMetrics, 'shardctl_worker_up', scrape({ silent: true }))).toEqual({ '0': 0 });
	expect(values(workerMetrics, 'shardctl_worker_last_answer_timestamp_seconds', scrape())).toEqual({ '0': 5 });
});
