// The metrics of the process that sends the requests to Discord's REST API. Absent where each worker sends its own, and while the process
// does not answer.
import type { RestStats } from '@shardctl/core';
import { type Metric, per, seconds } from './metric.js';

const rest = per<RestStats>({ labels: [], of: ({ stats }) => (stats.rest ? [[{}, stats.rest]] : []) });
/** Present while the process answers. */
const answering = per<RestStats>({
	labels: [],
	of: ({ stats }) => (stats.rest && stats.rest.rssBytes !== null ? [[{}, stats.rest]] : []),
});
const latency = per<number | null>({
	labels: ['quantile'],
	of: ({ stats: { rest: figures } }) =>
		figures
			? [
					[{ quantile: '0.5' }, figures.p50Ms],
					[{ quantile: '0.99' }, figures.p99Ms],
				]
			: [],
});
const routeClass = per<number>({
	labels: ['class'],
	of: ({ stats }) => Object.entries(stats.rest?.classes ?? {}).map(([name, count]) => [{ class: name }, count] as const),
});

export const restMetrics: readonly Metric[] = [
	rest.gauge('shardctl_rest_up', '1 if the REST process is ready, else 0.', ({ status }) => (status === 'ready' ? 1 : 0)),
	rest.counter('shardctl_rest_restarts_total', 'Restarts of the REST process.', ({ restarts }) => restarts),
	routeClass.counter('shardctl_rest_requests_total', 'Requests of workers, by class of route.', (count) => count),
	answering.gauge('shardctl_rest_requests_waiting', 'Requests that wait for a rate limit or for memory.', ({ queued }) => queued),
	answering.counter('shardctl_rest_rate_limited_total', 'Responses of Discord with status 429.', ({ limited }) => limited),
	answering.gauge(
		'shardctl_rest_invalid_requests',
		'Responses 401, 403 and 429 in the last 10 minutes, shared limits not counted; Discord blocks the address at 10,000.',
		({ invalid }) => invalid,
	),
	answering.gauge(
		'shardctl_rest_guarded',
		'1 if only reads and interaction responses are sent, because too many requests were invalid, else 0.',
		({ guarded }) => (guarded ? 1 : 0),
	),
	answering.gauge(
		'shardctl_rest_global_limit',
		'Requests per second that are sent at most.',
		({ globalPerSecond }) => globalPerSecond,
	),
	latency.gauge(
		'shardctl_rest_latency_seconds',
		"Time from a request's arrival to Discord's response, over the last 1,000 requests.",
		(ms) => seconds(ms),
	),
	answering.gauge('shardctl_rest_buffered_bytes', 'Bytes of request bodies in memory.', ({ bufferedBytes }) => bufferedBytes),
	answering.gauge('shardctl_rest_memory_bytes', 'Resident memory of the REST process.', ({ rssBytes }) => rssBytes),
	answering.counter('shardctl_rest_cpu_seconds_total', 'CPU time of the REST process.', ({ cpuSeconds }) => cpuSeconds),
];
