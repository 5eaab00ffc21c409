import type { ShardStats, WorkerSample } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import type { WorkerView } from '../fleet/fleet.js';
import { exposition, expositionType, metrics } from './exposition.js';
import type { Scrape } from './metric.js';

const sample: WorkerSample = {
	shards: [{ shardId: 0, guildCount: 7, userCount: 70, ping: null }],
	rssBytes: 100,
	heapUsedBytes: 50,
	cpuPercent: 5,
	cpuSeconds: 2,
	loopDelayP99Ms: 1.5,
	uptimeMs: 1,
};

const worker: WorkerView = {
	id: 0,
	label: 'worker 0 (shards 0-1)',
	shardIds: [0, 1],
	statuses: ['ready', 'ready'],
	state: 'ready',
	pid: 77,
	startedAt: 5000,
	restarts: 3,
	leftOutLines: 17,
	lastExit: null,
	sample,
	cpuSeconds: 12,
	pendingCalls: 0,
};

function scrape(workers: WorkerView[], { name = 'fleet', total = 0 } = {}): Scrape {
	const identify = { total, remaining: 0, resetAt: 0, maxConcurrency: 1, granted: 4 };
	const manager = { name, pid: 1, version: '1.2.3', totalShards: 0, shardIds: [], workers: 1, startedAt: 9000, uptimeMs: 1 };
	return {
		stats: {
			manager: { ...manager, status: 'running', identify },
			health: { status: 'healthy', served: 0, shards: 0, causes: [] },
			shards: workers.flatMap((each) =>
				each.shardIds.map((shardId, index) => ({ shardId, workerId: each.id, status: each.statuses[index] }) as ShardStats),
			),
			workers: [],
		},
		process: { rssBytes: 7e7, cpuSeconds: 1.5 },
		workers,
		eventCounts: new Map(),
	};
}

describe('the text', () => {
	it('omits unknown values, and keeps zeros', async () => {
		const text = await exposition(scrape([worker]));
		expect(text).toContain('shardctl_shard_guilds{shard="0",worker="0",manager="fleet"} 7\n');
		expect(text).not.toContain('shardctl_shard_guilds{shard="1"');
		expect(text).not.toContain('shardctl_shard_ping_seconds');
		expect(text).not.toContain('shardctl_identify_remaining');
		expect(text).not.toContain('shardctl_gateway');
		expect(text).toContain('shardctl_manager_memory_bytes{manager="fleet"} 70000000\n');
		expect(text).toContain('shardctl_manager_cpu_seconds_total{manager="fleet"} 1.5\n');
		expect(text).toContain('shardctl_worker_cpu_seconds_total{worker="0",manager="fleet"} 12\n');
		expect(text).toContain('shardctl_worker_event_loop_delay_seconds{worker="0",manager="fleet"} 0.0015\n');
		expect(text).toContain('shardctl_worker_calls_pending{worker="0",manager="fleet"} 0\n');
		expect(text).toContain('shardctl_fleet_events_total{type="worker:failed",manager="fleet"} 0\n');
		expect(await exposition(scrape([{ ...worker, sample: { ...sample, rssBytes: Number.NaN } }]))).not.toContain(
			'worker_memory_bytes',
		);
		expect(await exposition(scrape([], { total: 1000 }))).toContain('shardctl_identify_remaining{manager="fleet"} 0\n');
	});

	it('omits the figures of a process that is gone, and keeps counters over all processes', async () => {
		const gone = { state: 'backing-off', pid: null, startedAt: null, sample: undefined } as const;
		const text = await exposition(scrape([{ ...worker, ...gone, statuses: ['restarting', 'restarting'] }]));
		expect(text.match(/^shardctl_worker_\w+(?=\{worker="0")/gm)).toEqual([
			'shardctl_worker_up',
			'shardctl_worker_restarts_total',
			'shardctl_worker_log_lines_left_out_total',
			'shardctl_worker_cpu_seconds_total',
			'shardctl_worker_calls_pending',
		]);
		expect(text).not.toContain('shardctl_shard_guilds');
		expect(text).toContain('shardctl_shard_status{shard="1",worker="0",status="restarting",manager="fleet"} 1\n');
	});

	it('escapes label values', async () => {
		expect(await exposition(scrape([], { name: 'a"b\\c\nd' }))).toContain('shardctl_workers{manager="a\\"b\\\\c\\nd"} 1\n');
	});

	it('has the content type that prom-client writes', async () => {
		expect((await import('prom-client')).Registry.PROMETHEUS_CONTENT_TYPE).toBe(expositionType);
	});
});

describe('the names', () => {
	it.each(metrics.map((metric) => [metric.name, metric] as const))(
		'%s follows the conventions',
		(name, { type, help, labels }) => {
			expect(name).toMatch(/^shardctl(_[a-z]+)+$/);
			expect(name.endsWith('_total')).toBe(type === 'counter');
			// Base units: https://prometheus.io/docs/practices/naming/
			expect(name).not.toMatch(/_(ms|milliseconds|mb|kb|megabytes|percent|minutes|hours)(_|$)/);
			expect(help).toMatch(/\.$/);
			const known = [
				'version',
				'status',
				'kind',
				'type',
				'shard',
				'session',
				'worker',
				'gateway',
				'class',
				'quantile',
				'reason',
				'group',
			];
			expect(labels.filter((label) => !known.includes(label))).toEqual([]);
		},
	);

	it('are unique', () => {
		expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
	});
});
