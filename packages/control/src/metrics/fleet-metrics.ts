// The metrics of the fleet as a whole: the manager, the day's session starts, events.
import { eventLossReasons, type FleetLosses, gatewayNoticeKinds, type HealthCause, type ManagerStats } from '@shardctl/core';
import { fleetEventTypes, healthCauseKinds, healthStatus, managerStatus } from '../api/schemas.js';
import { type Metric, per, type Scrape, seconds } from './metric.js';

const eventTypes = fleetEventTypes.filter((type) => type !== 'gateway:notice');

const manager = per<ManagerStats['manager']>({ labels: [], of: ({ stats }) => [[{}, stats.manager]] });
const managerProcess = per<Scrape['process']>({ labels: [], of: ({ process }) => [[{}, process]] });
/** Present once Discord has stated it. */
const identify = per<ManagerStats['manager']['identify']>({
	labels: [],
	of: ({ stats }) => (stats.manager.identify.total > 0 ? [[{}, stats.manager.identify]] : []),
});
const health = per<ManagerStats['health']>({ labels: [], of: ({ stats }) => [[{}, stats.health]] });
/** Present where the system reports it. */
const host = per<NonNullable<ManagerStats['host']>>({
	labels: [],
	of: ({ stats }) => (stats.host ? [[{}, stats.host]] : []),
});
/** Each kind with its causes, of which there may be none. */
const causeKind = per<readonly HealthCause[]>({
	labels: ['kind'],
	of: ({ stats }) => healthCauseKinds.map((kind) => [{ kind }, stats.health.causes.filter((cause) => cause.kind === kind)]),
});

/** Present where it is watched. */
const sizing = per<NonNullable<ManagerStats['sizing']>>({
	labels: [],
	of: ({ stats }) => (stats.sizing ? [[{}, stats.sizing]] : []),
});
const losses = per<FleetLosses>({ labels: [], of: ({ stats }) => (stats.losses ? [[{}, stats.losses]] : []) });
const lossReason = per<number>({
	labels: ['reason'],
	of: ({ stats }) =>
		stats.losses ? eventLossReasons.map((reason) => [{ reason }, stats.losses?.byReason[reason] ?? 0] as const) : [],
});

/** Undefined while there is none. */
function earliest(causes: readonly HealthCause[]): number | undefined {
	const known = causes.flatMap(({ since }) => (since === null ? [] : [since]));
	return known.length === 0 ? undefined : Math.min(...known);
}

const eventType = per<number>({
	labels: ['type'],
	of: ({ stats, eventCounts }) =>
		[...eventTypes, ...(stats.gateways ? gatewayNoticeKinds : [])].map((type) => [{ type }, eventCounts.get(type) ?? 0] as const),
});

export const fleetMetrics: readonly Metric[] = [
	per<string>({ labels: ['version'], of: ({ stats: { manager } }) => [[{ version: manager.version }, manager.version]] }).gauge(
		'shardctl_manager_info',
		'Always 1; the label is the version of shardctl.',
		() => 1,
	),
	manager.status(
		'shardctl_manager_status',
		'1 for the current status of the fleet, 0 for every other status; degraded: part of the fleet is not ready.',
		managerStatus.options,
		({ status }) => status,
	),
	health.status(
		'shardctl_health',
		'1 for the current health of the fleet, 0 for every other; degraded: part of it is not served or at risk; down: nothing is served.',
		healthStatus.options,
		({ status }) => status,
	),
	health.gauge('shardctl_shards_served', 'Shards that Discord serves and whose worker answers.', ({ served }) => served),
	causeKind.gauge('shardctl_health_cause', 'Causes of this kind why the fleet is not healthy.', (causes) => causes.length),
	causeKind.gauge(
		'shardctl_health_cause_shards',
		'Shards concerned by causes of this kind.',
		(causes) => new Set(causes.flatMap(({ shardIds }) => shardIds)).size,
	),
	causeKind.gauge(
		'shardctl_health_cause_since_timestamp_seconds',
		'When the first cause of this kind began, as a Unix time; absent while there is none.',
		(causes) => seconds(earliest(causes)),
	),
	lossReason.counter(
		'shardctl_events_lost_total',
		'Events that no worker received, since the manager started: in flight to a worker that died, from a full buffer, expired interactions, set aside.',
		(count) => count,
	),
	losses.counter(
		'shardctl_sessions_replaced_total',
		'Sessions that Discord started in place of an earlier one; events between the two are lost, and their number is not known.',
		({ sessions }) => sessions,
	),
	losses.gauge(
		'shardctl_last_loss_timestamp_seconds',
		'When events were last lost or a session was replaced, as a Unix time; absent before the first time.',
		({ last }) => seconds(last?.at),
	),
	manager.gauge(
		'shardctl_manager_start_time_seconds',
		'Start of the manager, as a Unix time.',
		({ startedAt }) => startedAt / 1000,
	),
	managerProcess.gauge('shardctl_manager_memory_bytes', "Resident memory of the manager's process.", ({ rssBytes }) => rssBytes),
	managerProcess.counter(
		'shardctl_manager_cpu_seconds_total',
		"CPU time of the manager's process.",
		({ cpuSeconds }) => cpuSeconds,
	),
	host.gauge(
		'shardctl_state_dir_free_bytes',
		'Free space of the folder for the state of fleets.',
		({ stateDir }) => stateDir?.freeBytes,
	),
	host.gauge('shardctl_manager_open_files', "Open files of the manager's process.", ({ openFiles }) => openFiles?.used),
	host.gauge(
		'shardctl_manager_open_files_limit',
		"Open files that the manager's process may have.",
		({ openFiles }) => openFiles?.limit,
	),
	host.gauge(
		'shardctl_host_memory_available_bytes',
		'Memory that is available to new processes, of the machine or of its container.',
		({ memory }) => memory?.availableBytes,
	),
	manager.gauge('shardctl_workers', 'Planned workers.', ({ workers }) => workers),
	manager.gauge('shardctl_shards', 'Shards that this manager runs.', ({ shardIds }) => shardIds.length),
	manager.gauge('shardctl_bot_shards', 'Shards of the bot, on all machines.', ({ totalShards }) => totalShards || undefined),
	identify.gauge('shardctl_identify_limit', 'Session starts per day.', ({ total }) => total),
	identify.gauge('shardctl_identify_remaining', 'Session starts left today.', ({ remaining }) => remaining),
	identify.gauge(
		'shardctl_identify_reset_timestamp_seconds',
		'When the session starts reset, as a Unix time.',
		({ resetAt }) => resetAt / 1000,
	),
	identify.gauge(
		'shardctl_identify_max_concurrency',
		'Shards that may identify at the same time.',
		({ maxConcurrency }) => maxConcurrency,
	),
	sizing.gauge('shardctl_sessions', 'Sessions with Discord.', ({ sessions }) => sessions),
	sizing.gauge('shardctl_sessions_recommended', 'Sessions that Discord recommends.', ({ recommended }) => recommended),
	sizing.gauge(
		'shardctl_session_guilds_max',
		'Guilds in the session with Discord that has most; Discord allows 2500.',
		({ guilds }) => guilds,
	),
	sizing.gauge(
		'shardctl_sessions_outgrown',
		'1 while a session has 80 % of the guilds that Discord allows, or Discord recommends twice the sessions; else 0.',
		({ outgrown }) => (outgrown ? 1 : 0),
	),
	manager.counter('shardctl_identifies_total', 'Identifies that the manager allowed.', ({ identify }) => identify.granted),
	eventType.counter(
		'shardctl_fleet_events_total',
		'Events by type, as `shardctl events --json` names it; a notice of a gateway process counts by its kind.',
		(count) => count,
	),
];
