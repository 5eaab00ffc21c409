// The metrics of shards as their workers see them, and of the workers' processes.
import type { ShardSample, WorkerSample } from '@shardctl/core';
import type { ManagedWorker } from '../../workers/managed-worker.js';
import { shardStats } from '../schemas.js';
import { type Metric, type MetricValue, oneHot, type Sample, seconds } from './metric.js';

const statuses = shardStats.shape.status.options;

export const shardMetrics: readonly Metric[] = [
	perShard('shardctl_shard_ready', 'Whether the shard is ready: 1 or 0.', ({ worker, shardId }) =>
		worker.status(shardId) === 'ready' ? 1 : 0,
	),
	{
		name: 'shardctl_shard_status',
		type: 'gauge',
		help: '1 for the status that the shard has, 0 for the others.',
		labels: ['shard', 'worker', 'status'],
		samples: ({ workers }) =>
			shardsOf(workers).flatMap(({ worker, shardId }) =>
				oneHot(statuses, worker.status(shardId), { shard: shardId, worker: worker.id }),
			),
	},
	perShard('shardctl_shard_guilds', 'Guilds of the shard.', ({ sample }) => sample?.guildCount),
	perShard('shardctl_shard_members', 'Members of its guilds; a user counts once in each.', ({ sample }) => sample?.userCount),
	perShard('shardctl_shard_ping_seconds', 'Heartbeat round trip as its worker measures it.', ({ sample }) =>
		seconds(sample?.ping),
	),
];

export const workerMetrics: readonly Metric[] = [
	perWorker('shardctl_worker_up', 'Whether the worker serves: 0 while it boots, hangs, ends or is away.', ({ child }) =>
		child.state === 'ready' ? 1 : 0,
	),
	perWorker(
		'shardctl_worker_restarts_total',
		'Processes of the worker after its first.',
		({ child }) => child.restarts,
		'counter',
	),
	perWorker('shardctl_worker_start_time_seconds', 'When its process began, as a Unix time.', ({ child }) =>
		child.pid === null ? undefined : seconds(child.startedAt),
	),
	perWorker('shardctl_worker_memory_bytes', 'Resident memory of its process.', (worker) => living(worker)?.rssBytes),
	perWorker('shardctl_worker_heap_used_bytes', 'Heap of JavaScript in use.', (worker) => living(worker)?.heapUsedBytes),
	perWorker(
		'shardctl_worker_cpu_seconds_total',
		'Processor time of the worker, over all its processes.',
		({ cpuSeconds }) => cpuSeconds,
		'counter',
	),
	perWorker('shardctl_worker_event_loop_delay_seconds', "99th percentile of its event loop's delay lately.", (worker) =>
		seconds(living(worker)?.loopDelayP99Ms),
	),
	perWorker('shardctl_worker_calls_pending', 'Calls that wait for its answer.', ({ pendingCalls }) => pendingCalls),
];

interface Shard {
	worker: ManagedWorker;
	shardId: number;
	/** Of the living process. */
	sample: ShardSample | undefined;
}

/** What the living process said last; what a dead one said is no news of the worker. */
function living({ child, sample }: ManagedWorker): WorkerSample | undefined {
	return child.pid === null ? undefined : sample;
}

function shardsOf(workers: readonly ManagedWorker[]): Shard[] {
	return workers.flatMap((worker) => {
		const samples = new Map(living(worker)?.shards.map((sample) => [sample.shardId, sample]));
		return worker.shardIds.map((shardId) => ({ worker, shardId, sample: samples.get(shardId) }));
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
	value: (worker: ManagedWorker) => MetricValue,
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
