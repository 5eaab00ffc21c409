import { gatewayNoticeKinds, type HealthCause, type ManagerStats, noLosses, withLoss } from '@shardctl/core';
import { expect, it } from 'vitest';
import { fleetMetrics } from './fleet-metrics.js';
import type { Scrape } from './metric.js';

const cause = (over: Partial<HealthCause>) => ({ kind: 'worker-down', shardIds: [], since: null, ...over }) as HealthCause;

function scrape({ causes = [] as HealthCause[], gateways = false, total = 1000 } = {}): Scrape {
	const identify = { total, remaining: 7, resetAt: 9000, maxConcurrency: 1, granted: 3 };
	const stats = {
		manager: { version: '1.2.3', status: 'running', startedAt: 1000, workers: 2, shardIds: [0, 1], totalShards: 4, identify },
		health: { status: 'degraded', served: 1, shards: 2, causes },
		...(gateways ? { gateways: [] } : {}),
	} as unknown as ManagerStats;
	const eventCounts = new Map([
		['worker:exited', 5],
		['events:lost', 2],
	]);
	return { stats, process: { rssBytes: 1, cpuSeconds: 2 }, workers: [], eventCounts };
}

/** The values of a metric by its labels. */
function values(name: string, of: Scrape): Record<string, unknown> {
	const metric = fleetMetrics.find((each) => each.name === name);
	return Object.fromEntries(metric?.samples(of).map(([labels, value]) => [Object.values(labels).join(), value]) ?? []);
}

it('counts the causes of each kind, their shards, and says since when the first of them lasts', () => {
	const causes = [
		cause({ shardIds: [0, 1], since: 9000 }),
		cause({ shardIds: [1, 2], since: 4000 }),
		cause({ kind: 'disk-full', since: null }),
	];
	const of = scrape({ causes });
	expect(values('shardctl_health_cause', of)).toMatchObject({ 'worker-down': 2, 'disk-full': 1, 'session-down': 0 });
	expect(values('shardctl_health_cause_shards', of)).toMatchObject({ 'worker-down': 3, 'disk-full': 0 });
	const since = values('shardctl_health_cause_since_timestamp_seconds', of);
	expect(since).toMatchObject({ 'worker-down': 4 });
	expect([since['disk-full'], since['session-down']]).toEqual([undefined, undefined]);
});

it('has 1 for the present health and 0 for every other', () => {
	expect(values('shardctl_health', scrape())).toEqual({ healthy: 0, degraded: 1, down: 0 });
});

it('B11: has the total of what was lost by reason, and when last', () => {
	const losses = withLoss(noLosses(0), { at: 61_000, reason: 'buffer-full', shardIds: [1], events: 12 });
	const at = (given: Scrape, losses: ManagerStats['losses']): Scrape => ({ ...given, stats: { ...given.stats, losses } });
	const some = at(scrape(), losses);
	expect(values('shardctl_events_lost_total', some)).toEqual({ 'buffer-full': 12, 'worker-died': 0, expired: 0, poisoned: 0 });
	expect(values('shardctl_last_loss_timestamp_seconds', some)).toEqual({ '': 61 });
	expect(values('shardctl_sessions_replaced_total', some)).toEqual({ '': 0 });
	expect(values('shardctl_last_loss_timestamp_seconds', at(scrape(), noLosses(0)))).toEqual({ '': undefined });
	expect(values('shardctl_events_lost_total', scrape())).toEqual({});
});

it('has the session starts once Discord has stated them', () => {
	expect(values('shardctl_identify_remaining', scrape())).toEqual({ '': 7 });
	expect(values('shardctl_identify_remaining', scrape({ total: 0 }))).toEqual({});
});

it('counts a notice of a gateway process by its kind, and has those only where there are gateway processes', () => {
	const events = values('shardctl_fleet_events_total', scrape({ gateways: true }));
	expect(events).toMatchObject({ 'worker:exited': 5, 'events:lost': 2, 'worker:ready': 0 });
	expect(Object.keys(events)).toEqual(expect.arrayContaining([...gatewayNoticeKinds]));
	expect(values('shardctl_fleet_events_total', scrape())).not.toHaveProperty('events:lost');
});

it('has the sessions with Discord beside those recommended, and whether the bot has outgrown them', () => {
	const sizing = { sessions: 8, recommended: 16, guilds: 900, outgrown: true } as ManagerStats['sizing'];
	const of = { ...scrape(), stats: { ...scrape().stats, sizing } };
	const names = ['sessions', 'sessions_recommended', 'session_guilds_max', 'sessions_outgrown'];
	expect(names.map((name) => values(`shardctl_${name}`, of)['']).join()).toBe('8,16,900,1');
	expect(values('shardctl_sessions_outgrown', scrape())).toEqual({});
});
