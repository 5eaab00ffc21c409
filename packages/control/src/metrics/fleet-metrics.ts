// The metrics of the fleet as a whole: the manager, the day's session starts, what happened.
import type { GatewayNotice } from '@shardctl/core';
import { fleetEventTypes, managerStatus } from '../api/schemas.js';
import { type Metric, ofManager, oneHot } from './metric.js';

const eventTypes = fleetEventTypes.filter((type) => type !== 'gateway:notice');

const noticeKinds = {
	'upstream:ready': true,
	'upstream:resumed': true,
	'upstream:disconnected': true,
	'upstream:session-lost': true,
	'upstream:intents': true,
	'worker:refused': true,
	'worker:slow': true,
	'worker:flood': true,
	'requests:dropped': true,
	'events:overflowed': true,
	'events:expired': true,
	'events:lost': true,
	'events:repeated': true,
	'events:poisoned': true,
	'snapshot:failed': true,
	'snapshot:restored': true,
	'snapshot:unusable': true,
} satisfies Record<GatewayNotice['kind'], true>;

export const fleetMetrics: readonly Metric[] = [
	{
		name: 'shardctl_manager_info',
		type: 'gauge',
		help: 'Always 1; the version of shardctl is a label.',
		labels: ['version'],
		samples: ({ stats }) => [[{ version: stats.manager.version }, 1]],
	},
	{
		name: 'shardctl_manager_status',
		type: 'gauge',
		help: '1 for the status that the fleet has, 0 for the others; degraded: something of it does not serve.',
		labels: ['status'],
		samples: ({ stats }) => oneHot(managerStatus.options, stats.manager.status),
	},
	ofManager(
		'shardctl_manager_start_time_seconds',
		'When the manager began, as a Unix time.',
		({ startedAt }) => startedAt / 1000,
	),
	{
		name: 'shardctl_manager_memory_bytes',
		type: 'gauge',
		help: "Resident memory of the manager's process.",
		labels: [],
		samples: ({ process }) => [[{}, process.rssBytes]],
	},
	{
		name: 'shardctl_manager_cpu_seconds_total',
		type: 'counter',
		help: "Processor time of the manager's process.",
		labels: [],
		samples: ({ process }) => [[{}, process.cpuSeconds]],
	},
	ofManager('shardctl_workers', 'Workers that the plan has.', ({ workers }) => workers),
	ofManager('shardctl_shards', 'Shards that this manager runs.', ({ shardIds }) => shardIds.length),
	ofManager('shardctl_bot_shards', 'Shards of the bot, on all machines.', ({ totalShards }) => totalShards || undefined),
	ofManager('shardctl_identify_limit', "The day's session starts.", ({ identify }) => identify.total || undefined),
	ofManager('shardctl_identify_remaining', "What is left of the day's session starts.", ({ identify }) =>
		identify.total ? identify.remaining : undefined,
	),
	ofManager('shardctl_identify_reset_timestamp_seconds', 'When the session starts reset, as a Unix time.', ({ identify }) =>
		identify.total ? identify.resetAt / 1000 : undefined,
	),
	ofManager('shardctl_identify_max_concurrency', 'Shards that may identify at a time.', ({ identify }) =>
		identify.total ? identify.maxConcurrency : undefined,
	),
	ofManager(
		'shardctl_identifies_total',
		'Session starts that were allowed to shards.',
		({ identify }) => identify.granted,
		'counter',
	),
	{
		name: 'shardctl_fleet_events_total',
		type: 'counter',
		help: 'What happened, by the type that `shardctl events --json` shows; a notice of a gateway process by its kind.',
		labels: ['type'],
		samples: ({ stats, eventCounts }) =>
			[...eventTypes, ...(stats.gateways ? Object.keys(noticeKinds) : [])].map((type) => [{ type }, eventCounts.get(type) ?? 0]),
	},
];
