// The metrics of shards as their workers see them, and of the workers' processes.
import type { ShardSample, ShardStatus } from '@shardctl/core';
import { shardStats } from '../api/schemas.js';
import type { WorkerView } from '../fleet/fleet.js';
import { type Metric, type MetricValue, oneHot, type Sample, seconds } from './metric.js';

const statuses = shardStats.shape.status.options;

export const shardMetrics: readonly Metric[] = [
	perShard('shardctl_shard_ready', 'Whether the shard is ready: 1 or 0.', ({ status }) => (status === 'ready' ? 1 : 0)),
	{
		name: 'shardctl_shard_status',
		type: 'gauge',
		help: '1 for the status that the shard has, 0 for the others.',
		labels: ['shard', 'worker', 'status'],
		samples: ({ workers }) =>
			shardsOf(workers).flatMap(({ worker, shardId, status }) => oneHot(statuses, status, { shard: shardId, worker: worker.id })),
	},
	perShard('shardctl_shard_guilds', 'Guilds of the shard.', ({ sample }) => sample?.guildCount),
	perShard('shardctl_shard_members', 'Members of its guilds; a user counts once in each.', ({ sample }) => sample?.userCount),
	perShard('shardctl_shard_ping_seconds', 'Heartbeat round trip as its worker measures it.', ({ sample }) =>
		seconds(sample?.ping),
	),
];

export const workerMetrics: readonly Metric[] = [
	perWorker('shardctl_worker_up', 'Whether the worker serves: 0 while it boots, hangs, ends or is away.', ({ state }) =>
		state === 'ready' ? 1 : 0,
	),
	perWorker('shardctl_worker_restarts_total', 'Processes of the worker after its first.', ({ restarts }) => restarts, 'counter'),
	perWorker('shardctl_worker_start_time_seconds', 'When its process began, as a Unix time.', ({ pid, startedAt }) =>
		pid === null ? undefined : seconds(startedAt),
	),
	perWorker('shardctl_worker_memory_bytes', 'Resident memory of its process.', ({ sample }) => sample?.rssBytes),
	perWorker('shardctl_worker_heap_used_bytes', 'Heap of JavaScript in use.', ({ sample }) => sample?.heapUsedBytes),
	perWorker(
		'shardctl_worker_cpu_seconds_total',
		'Processor time of the worker, over all its processes.',
		({ cpuSeconds }) => cpuSeconds,
		'counter',
	),
	perWorker('shardctl_worker_event_loop_delay_seconds', "99th percentile of its event loop's delay lately.", ({ sample }) =>
		seconds(sample?.loopDelayP99Ms),
	),
	perWorker('shardctl_worker_calls_pending', 'Calls that wait for its answer.', ({ pendingCalls }) => pendingCalls),
];

interface Shard {
	worker: WorkerView;
	shardId: number;
	status: ShardStatus;
	sample: ShardSample | undefined;
}

function shardsOf(workers: readonly WorkerView[]): Shard[] {
	return workers.flatMap((worker) => {
		const samples = new Map(worker.sample?.shards.map((sample) => [sample.shardId, sample]));
		return worker.shardIds.map((shardId, index) => ({
			worker,
			shardId,
			status: worker.statuses[index] as ShardStatus,
			sample: samples.get(shardId),
		}));
	});
}

function perShard(name: string, help: string, value: (shard: Shard) => MetricValue): Metric {
	return {
		name,
		type: 'gauge',
		help,
		labels: ['shard', 'worker'],
		samples: ({ workers }) =>
			shardsOf(workers).map((shard): Sample => [{ shard: shard.shardId, worker: shard.worker.id }, value(shard)]),
	};
}

function perWorker(
	name: string,
	help: string,
	value: (worker: WorkerView) => MetricValue,
	type: Metric['type'] = 'gauge',
): Metric {
	return {
		name,
		type,
		help,
		labels: ['worker'],
		samples: ({ workers }) => workers.map((worker): Sample => [{ worker: worker.id }, value(worker)]),
	};
}
