// Resident mode: the metrics of the gateway processes, of their sessions with Discord, and of the shards as they see them. Absent in
// direct mode, and while a gateway process does not answer.
import {
	type GatewayProcessStats,
	type GatewaySessionStats,
	type GatewayShardCounters,
	type GatewayShardStats,
	gatewayShardCounters,
} from '@shardctl/core';
import { gatewaySessionStats, gatewayShardStats } from '@shardctl/core/schemas';
import { type Metric, per, seconds } from './metric.js';

const { status: sessionStatus } = gatewaySessionStats.shape;
const { worker: workerStatus } = gatewayShardStats.shape;

const gateway = per<GatewayProcessStats>({
	labels: ['gateway'],
	of: ({ stats }) => (stats.gateways ?? []).map((each) => [{ gateway: each.id }, each] as const),
});
const session = per<GatewaySessionStats>({
	labels: ['session', 'gateway'],
	of: ({ stats }) =>
		(stats.gateways ?? []).flatMap(({ id, sessions }) =>
			sessions.map((each) => [{ session: each.id, gateway: id }, each] as const),
		),
});
const shard = per<GatewayShardStats>({
	labels: ['shard', 'gateway'],
	of: ({ stats }) =>
		(stats.gateways ?? []).flatMap(({ id, shards }) =>
			shards.map((each) => [{ shard: each.shardId, gateway: id }, each] as const),
		),
});

/** Name and meaning of each counter of a shard. */
const counterNames = {
	received: ['shardctl_gateway_events_received_total', 'Events received from Discord.'],
	delivered: ['shardctl_gateway_events_released_total', 'Events sent to the worker.'],
	workerIdentifies: ['shardctl_gateway_worker_identifies_total', 'Worker identifies.'],
	workerResumes: ['shardctl_gateway_worker_resumes_total', 'Worker resumes.'],
	overflowed: ['shardctl_gateway_events_overflowed_total', 'Events not delivered because the buffer was full.'],
	expired: ['shardctl_gateway_events_expired_total', 'Interactions and typing events that expired before delivery.'],
	coalesced: [
		'shardctl_gateway_events_coalesced_total',
		'Presences and voice states not delivered because a newer one replaced them.',
	],
	lost: ['shardctl_gateway_events_lost_total', 'Events in flight to a worker that died, dropped (at-most-once delivery).'],
	repeated: ['shardctl_gateway_events_repeated_total', 'Events sent again after their worker died (at-least-once delivery).'],
	poisoned: ['shardctl_gateway_events_poisoned_total', 'Events set aside because they repeatedly crashed their worker.'],
} satisfies Record<keyof GatewayShardCounters, readonly [name: string, help: string]>;
const counters = gatewayShardCounters.map((key) => {
	const [name, help] = counterNames[key];
	return shard.counter(name, help, (stats) => stats[key]);
});

export const gatewayMetrics: readonly Metric[] = [
	gateway.gauge('shardctl_gateway_up', '1 if the gateway process is ready, else 0.', ({ status }) =>
		status === 'ready' ? 1 : 0,
	),
	gateway.counter('shardctl_gateway_restarts_total', 'Restarts of the gateway process.', ({ restarts }) => restarts),
	gateway.gauge('shardctl_gateway_start_time_seconds', 'Start of the gateway process, as a Unix time.', ({ startedAt }) =>
		seconds(startedAt),
	),
	gateway.gauge('shardctl_gateway_memory_bytes', 'Resident memory of the gateway process.', ({ rssBytes }) => rssBytes),
	gateway.counter('shardctl_gateway_cpu_seconds_total', 'CPU time of the gateway process.', ({ cpuSeconds }) => cpuSeconds),
	session.status(
		'shardctl_gateway_session_status',
		'1 for the current status of the session with Discord, 0 for every other status.',
		sessionStatus.options,
		({ status }) => status,
	),
	session.gauge(
		'shardctl_gateway_session_since_timestamp_seconds',
		'When the session became ready, or, while it is not, when it last was, as a Unix time.',
		({ since }) => seconds(since),
	),
	session.gauge(
		'shardctl_gateway_session_last_event_timestamp_seconds',
		'When the last event of the session was received from Discord, as a Unix time.',
		({ lastEventAt }) => seconds(lastEventAt),
	),
	session.gauge('shardctl_gateway_session_ping_seconds', 'Heartbeat round trip to Discord.', ({ ping }) => seconds(ping)),
	session.counter('shardctl_gateway_session_identifies_total', 'Sessions started with Discord.', ({ identifies }) => identifies),
	session.counter(
		'shardctl_gateway_session_resumes_total',
		'Resumes of the session after its connection broke.',
		({ resumes }) => resumes,
	),
	session.counter(
		'shardctl_gateway_sessions_lost_total',
		'Sessions that Discord invalidated.',
		({ sessionsLost }) => sessionsLost,
	),
	shard.status(
		'shardctl_gateway_worker_status',
		"1 for the current status of the worker's connection, 0 for every other status.",
		workerStatus.options,
		({ worker }) => worker,
	),
	shard.gauge('shardctl_gateway_buffer_events', 'Events buffered for the worker.', ({ bufferedEvents }) => bufferedEvents),
	shard.gauge('shardctl_gateway_buffer_bytes', 'Size of the buffered events.', ({ bufferedBytes }) => bufferedBytes),
	shard.gauge('shardctl_gateway_buffer_age_seconds', 'Age of the oldest buffered event.', ({ bufferAgeMs }) =>
		seconds(bufferAgeMs),
	),
	shard.gauge(
		'shardctl_gateway_lag_seconds',
		'Longest time in the last 10 s that an event waited before it was sent to the worker.',
		({ lagMs }) => seconds(lagMs),
	),
	...counters,
	session.gauge(
		'shardctl_gateway_requests_waiting',
		'Gateway requests of workers queued for Discord.',
		({ requestsWaiting }) => requestsWaiting,
	),
	session.counter(
		'shardctl_gateway_requests_dropped_total',
		'Gateway requests of workers dropped because the queue was full.',
		({ requestsDropped }) => requestsDropped,
	),
	shard.gauge('shardctl_gateway_state_guilds', 'Guilds in the cached state.', ({ guildCount }) => guildCount),
	shard.gauge('shardctl_gateway_state_bytes', 'Memory held by the cached state.', ({ stateBytes }) => stateBytes),
	shard.gauge(
		'shardctl_gateway_snapshot_bytes',
		'Size of what is saved of the shard on disk.',
		({ snapshotBytes }) => snapshotBytes,
	),
	shard.gauge(
		'shardctl_gateway_snapshot_age_seconds',
		'Time since the shard was last saved; a shard without events saves nothing.',
		({ snapshotAgeMs }) => seconds(snapshotAgeMs),
	),
];
