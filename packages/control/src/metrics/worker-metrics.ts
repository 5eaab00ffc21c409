// The metrics of shards as their workers see them, and of the workers' processes.
import type { ShardSample, ShardStatus } from '@shardctl/core';
import { shardStats } from '../api/schemas.js';
import type { WorkerView } from '../fleet/fleet.js';
import { type Metric, per, seconds } from './metric.js';

interface Shard {
	status: ShardStatus;
	/** What the worker last reported of it. */
	sample: ShardSample | undefined;
}

const shard = per<Shard>({
	labels: ['shard', 'worker'],
	of: ({ stats, workers }) => {
		const samples = new Map(
			workers.flatMap(({ sample }) => sample?.shards.map((entry) => [entry.shardId, entry] as const) ?? []),
		);
		return stats.shards.map(
			({ shardId, workerId, status }) =>
				[
					{ shard: shardId, worker: workerId ?? '' },
					{ status, sample: samples.get(shardId) },
				] as const,
		);
	},
});

const worker = per<WorkerView & { silent: boolean; lastAnswerAt: number | null }>({
	labels: ['worker'],
	of: ({ stats, workers }) => {
		const silent = new Set(stats.health.causes.flatMap(({ kind, shardIds }) => (kind === 'worker-unresponsive' ? shardIds : [])));
		const answers = new Map(stats.workers.map(({ id, lastAnswerAt }) => [id, lastAnswerAt]));
		return workers.map(
			(each) =>
				[
					{ worker: each.id },
					{ ...each, silent: each.shardIds.some((id) => silent.has(id)), lastAnswerAt: answers.get(each.id) ?? null },
				] as const,
		);
	},
});

export const shardMetrics: readonly Metric[] = [
	shard.gauge('shardctl_shard_ready', '1 if the shard is ready, else 0.', ({ status }) => (status === 'ready' ? 1 : 0)),
	shard.status(
		'shardctl_shard_status',
		'1 for the current status of the shard, 0 for every other status.',
		shardStats.shape.status.options,
		({ status }) => status,
	),
	shard.gauge('shardctl_shard_guilds', 'Guilds of the shard.', ({ sample }) => sample?.guildCount),
	shard.gauge(
		'shardctl_shard_members',
		'Members of its guilds; a user counts once in each guild.',
		({ sample }) => sample?.userCount,
	),
	shard.gauge('shardctl_shard_ping_seconds', 'Heartbeat round trip as the worker measures it.', ({ sample }) =>
		seconds(sample?.ping),
	),
];

export const workerMetrics: readonly Metric[] = [
	worker.gauge(
		'shardctl_worker_up',
		'1 if the worker is ready, else 0 (starting, hung, stopping or not running).',
		({ state, silent }) => (state === 'ready' && !silent ? 1 : 0),
	),
	worker.gauge(
		'shardctl_worker_last_answer_timestamp_seconds',
		'When the worker last answered a heartbeat, as a Unix time.',
		({ lastAnswerAt }) => seconds(lastAnswerAt),
	),
	worker.counter('shardctl_worker_restarts_total', 'Worker restarts.', ({ restarts }) => restarts),
	worker.counter(
		'shardctl_worker_log_lines_left_out_total',
		'Lines of output that were counted and not logged, because the worker wrote too many.',
		({ leftOutLines }) => leftOutLines,
	),
	worker.gauge('shardctl_worker_start_time_seconds', "Start of the worker's process, as a Unix time.", ({ startedAt }) =>
		seconds(startedAt),
	),
	worker.gauge('shardctl_worker_memory_bytes', "Resident memory of the worker's process.", ({ sample }) => sample?.rssBytes),
	worker.gauge('shardctl_worker_heap_used_bytes', 'JavaScript heap in use.', ({ sample }) => sample?.heapUsedBytes),
	worker.counter(
		'shardctl_worker_cpu_seconds_total',
		'CPU time of the worker, over all its processes.',
		({ cpuSeconds }) => cpuSeconds,
	),
	worker.gauge(
		'shardctl_worker_event_loop_delay_seconds',
		"99th percentile of the worker's event loop delay since its last report.",
		({ sample }) => seconds(sample?.loopDelayP99Ms),
	),
	worker.gauge(
		'shardctl_worker_calls_pending',
		'Calls that the worker has not answered yet.',
		({ pendingCalls }) => pendingCalls,
	),
];
