// Resident mode: the metrics of the gateway processes, of their sessions with Discord, and of the shards as they see them. Absent in direct mode, and while a
// gateway process does not answer.
import type { GatewayProcessStats, GatewaySessionStats, GatewayShardStats } from '@shardctl/core';
import { gatewaySessionStats, gatewayShardStats } from '../api/schemas.js';
import { type Metric, type MetricValue, oneHot, type Sample, seconds } from './metric.js';

const { status: sessionStatus } = gatewaySessionStats.shape;
const { worker: workerStatus } = gatewayShardStats.shape;

/** What a gateway process holds several of: the label that names one, and all of them with their ids. */
interface Parts<Stats> {
	label: 'shard' | 'session';
	of(gateway: GatewayProcessStats): readonly (readonly [id: number, stats: Stats])[];
}

const shardsOf: Parts<GatewayShardStats> = {
	label: 'shard',
	of: ({ shards }) => shards.map((shard) => [shard.shardId, shard]),
};
const sessionsOf: Parts<GatewaySessionStats> = {
	label: 'session',
	of: ({ sessions }) => sessions.map((session) => [session.id, session]),
};

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
	perGateway('shardctl_gateway_memory_bytes', 'Resident memory of its process.', ({ rssBytes }) => rssBytes),
	perGateway('shardctl_gateway_cpu_seconds_total', 'Processor time of its process.', ({ cpuSeconds }) => cpuSeconds, 'counter'),
	statusPerSession(
		'shardctl_gateway_session_status',
		'1 for the status of the session with Discord, 0 for the others.',
		sessionStatus.options,
		({ status }) => status,
	),
	perSession('shardctl_gateway_session_ping_seconds', 'Heartbeat round trip to Discord.', ({ ping }) => seconds(ping)),
	countPerSession('shardctl_gateway_session_identifies_total', 'Sessions that Discord started.', 'identifies'),
	countPerSession(
		'shardctl_gateway_session_resumes_total',
		'Times that the session went on after its connection broke.',
		'resumes',
	),
	countPerSession('shardctl_gateway_sessions_lost_total', 'Times that Discord took the session away.', 'sessionsLost'),
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
	perSession(
		'shardctl_gateway_requests_waiting',
		'Requests of workers that wait for Discord.',
		({ requestsWaiting }) => requestsWaiting,
	),
	countPerSession(
		'shardctl_gateway_requests_dropped_total',
		'Requests of workers that were dropped: too many waited.',
		'requestsDropped',
	),
	perShard('shardctl_gateway_state_guilds', 'Guilds in the state.', ({ guildCount }) => guildCount),
	perShard('shardctl_gateway_state_bytes', 'What the state takes in memory.', ({ stateBytes }) => stateBytes),
	perShard('shardctl_gateway_snapshot_bytes', 'What is saved of the shard.', ({ snapshotBytes }) => snapshotBytes),
	perShard(
		'shardctl_gateway_snapshot_age_seconds',
		'Since something was saved; a quiet shard saves nothing.',
		({ snapshotAgeMs }) => seconds(snapshotAgeMs),
	),
];

type Counter<Stats> = { [K in keyof Stats]: Stats[K] extends number ? K : never }[keyof Stats];
type MetricType = Metric['type'];

/** What the gateway process counts of a shard since it began. */
function count(name: string, help: string, key: Counter<GatewayShardStats>): Metric {
	return perShard(name, help, (shard) => shard[key], 'counter');
}

/** The same of a session with Discord. */
function countPerSession(name: string, help: string, key: Counter<GatewaySessionStats>): Metric {
	return perSession(name, help, (session) => session[key], 'counter');
}

function perShard(name: string, help: string, value: (shard: GatewayShardStats) => MetricValue, type?: MetricType): Metric {
	return perPart(shardsOf, { name, help, type }, (shard, labels) => [[labels, value(shard)]]);
}

function perSession(name: string, help: string, value: (session: GatewaySessionStats) => MetricValue, type?: MetricType): Metric {
	return perPart(sessionsOf, { name, help, type }, (session, labels) => [[labels, value(session)]]);
}

function statusPerShard(
	name: string,
	help: string,
	states: readonly string[],
	state: (shard: GatewayShardStats) => string,
): Metric {
	return perPart(shardsOf, { name, help, labels: ['status'] }, (shard, labels) => oneHot(states, state(shard), labels));
}

function statusPerSession(
	name: string,
	help: string,
	states: readonly string[],
	state: (session: GatewaySessionStats) => string,
): Metric {
	return perPart(sessionsOf, { name, help, labels: ['status'] }, (session, labels) => oneHot(states, state(session), labels));
}

function perPart<Stats>(
	parts: Parts<Stats>,
	{ name, help, type = 'gauge', labels = [] }: { name: string; help: string; type?: MetricType | undefined; labels?: string[] },
	samples: (stats: Stats, labels: Record<string, number>) => readonly Sample[],
): Metric {
	return {
		name,
		type,
		help,
		labels: [parts.label, 'gateway', ...labels],
		samples: ({ stats }) =>
			(stats.gateways ?? []).flatMap((gateway) =>
				parts.of(gateway).flatMap(([id, part]) => samples(part, { [parts.label]: id, gateway: gateway.id })),
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
