// Resident mode: the metrics of the gateway processes, and of the shards as they see them. Absent in direct mode, and while a
// gateway process does not answer.
import type { GatewayShardStats } from '@shardctl/core';
import type { GatewayProcessStats } from '../../gateways/gateway-fleet.js';
import { gatewayShardStats } from '../schemas.js';
import { type Metric, type MetricValue, oneHot, type Sample, seconds } from './metric.js';

const { upstream: sessionStatus, worker: workerStatus } = gatewayShardStats.shape;

export const gatewayMetrics: readonly Metric[] = [
	perGateway('shardctl_gateway_up', 'Whether the gateway process serves.', ({ status }) => (status === 'ready' ? 1 : 0)),
	perGateway(
		'shardctl_gateway_restarts_total',
		'Processes of the gateway after its first.',
		({ restarts }) => restarts,
		'counter',
	),
	perGateway('shardctl_gateway_start_time_seconds', 'When its process began, as a Unix time.', ({ startedAt }) =>
		seconds(startedAt),
	),
	statusPerShard(
		'shardctl_gateway_session_status',
		"1 for the status of the shard's session with Discord, 0 for the others.",
		sessionStatus.options,
		({ upstream }) => upstream,
	),
	perShard('shardctl_gateway_session_ping_seconds', 'Heartbeat round trip to Discord.', ({ ping }) => seconds(ping)),
	count('shardctl_gateway_session_identifies_total', 'Sessions that Discord started.', 'identifies'),
	count('shardctl_gateway_session_resumes_total', 'Times that the session went on after its connection broke.', 'resumes'),
	count('shardctl_gateway_sessions_lost_total', 'Times that Discord took the session away.', 'sessionsLost'),
	statusPerShard(
		'shardctl_gateway_worker_status',
		"1 for the status of the worker's connection, 0 for the others.",
		workerStatus.options,
		({ worker }) => worker,
	),
	count('shardctl_gateway_worker_identifies_total', 'Times that a worker came new.', 'workerIdentifies'),
	count('shardctl_gateway_worker_resumes_total', 'Times that a worker came back.', 'workerResumes'),
	perShard('shardctl_gateway_buffer_events', 'Events that wait for the worker.', ({ bufferedEvents }) => bufferedEvents),
	perShard('shardctl_gateway_buffer_bytes', 'How large they are.', ({ bufferedBytes }) => bufferedBytes),
	perShard('shardctl_gateway_buffer_age_seconds', 'How long the oldest of them waits.', ({ bufferAgeMs }) =>
		seconds(bufferAgeMs),
	),
	perShard('shardctl_gateway_lag_seconds', 'Longest time that an event waited for the worker in the last 10 s.', ({ lagMs }) =>
		seconds(lagMs),
	),
	count('shardctl_gateway_events_received_total', 'Events from Discord.', 'received'),
	count('shardctl_gateway_events_released_total', 'Events that went out to the worker.', 'delivered'),
	count('shardctl_gateway_events_overflowed_total', 'Left out: the buffer was full.', 'overflowed'),
	count('shardctl_gateway_events_expired_total', 'Left out: interactions and typing that were too old to be of use.', 'expired'),
	count(
		'shardctl_gateway_events_coalesced_total',
		'Left out: presences and voice states that a newer one replaced.',
		'coalesced',
	),
	count('shardctl_gateway_events_lost_total', 'In the hands of a worker that died (at most once).', 'lost'),
	count('shardctl_gateway_events_repeated_total', 'Sent again after a worker died (at least once).', 'repeated'),
	count('shardctl_gateway_events_poisoned_total', 'Set aside: they killed their worker again and again.', 'poisoned'),
	perShard(
		'shardctl_gateway_requests_waiting',
		'Requests of workers that wait for Discord.',
		({ requestsWaiting }) => requestsWaiting,
	),
	count('shardctl_gateway_requests_dropped_total', 'Requests of workers that were dropped: too many waited.', 'requestsDropped'),
	perShard('shardctl_gateway_state_guilds', 'Guilds in the state.', ({ guildCount }) => guildCount),
	perShard('shardctl_gateway_state_bytes', 'What the state takes in memory.', ({ stateBytes }) => stateBytes),
	perShard('shardctl_gateway_snapshot_bytes', 'What is saved of the shard.', ({ snapshotBytes }) => snapshotBytes),
	perShard(
		'shardctl_gateway_snapshot_age_seconds',
		'Since something was saved; a quiet shard saves nothing.',
		({ snapshotAgeMs }) => seconds(snapshotAgeMs),
	),
];

type Counter = { [K in keyof GatewayShardStats]: GatewayShardStats[K] extends number ? K : never }[keyof GatewayShardStats];

/** What the gateway process counts since it began. */
function count(name: string, help: string, key: Counter): Metric {
	return perShard(name, help, (shard) => shard[key], 'counter');
}

function perShard(
	name: string,
	help: string,
	value: (shard: GatewayShardStats) => MetricValue,
	type: Metric['type'] = 'gauge',
): Metric {
	return {
		name,
		type,
		help,
		labels: ['shard', 'gateway'],
		samples: ({ stats }) =>
			(stats.gateways ?? []).flatMap(({ id, shards }) =>
				shards.map((shard): Sample => [{ shard: shard.shardId, gateway: id }, value(shard)]),
			),
	};
}

function statusPerShard(
	name: string,
	help: string,
	states: readonly string[],
	state: (shard: GatewayShardStats) => string,
): Metric {
	return {
		name,
		type: 'gauge',
		help,
		labels: ['shard', 'gateway', 'status'],
		samples: ({ stats }) =>
			(stats.gateways ?? []).flatMap(({ id, shards }) =>
				shards.flatMap((shard) => oneHot(states, state(shard), { shard: shard.shardId, gateway: id })),
			),
	};
}

function perGateway(
	name: string,
	help: string,
	value: (gateway: GatewayProcessStats) => MetricValue,
	type: Metric['type'] = 'gauge',
): Metric {
	return {
		name,
		type,
		help,
		labels: ['gateway'],
		samples: ({ stats }) => (stats.gateways ?? []).map((gateway): Sample => [{ gateway: gateway.id }, value(gateway)]),
	};
}
