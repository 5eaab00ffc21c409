// The alert rules for an event queue fire for their own fault, on the metrics that a fleet with a queue has, and on nothing else.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueueGroupStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import type { Scrape } from '../../../packages/control/src/metrics/metric.js';
import { queueMetrics } from '../../../packages/control/src/metrics/queue-metrics.js';
import { firingAlerts, readRules } from './alert-rules.js';

const rules = readRules(readFileSync(join(import.meta.dirname, '../../../apps/examples/monitoring/queue-alerts.yml'), 'utf8'));
const minutely = 60_000;

/** What Prometheus gets of a queue with one group. */
function scraped({ connected = true, ...changed }: Partial<QueueGroupStats> & { connected?: boolean } = {}): string {
	const group: QueueGroupStats = {
		group: 'commands',
		events: ['INTERACTION_CREATE'],
		members: 2,
		partitions: 32,
		lag: 7,
		pending: 3,
		oldestAgeMs: 1500,
		handledPerSecond: 50,
		redelivered: 4,
		expired: 0,
		missed: 5,
		dead: 6,
		behind: [],
		...changed,
	};
	const written = { written: 100, writtenPerSecond: 50, deferred: 0, deferFailed: 0 };
	const queue = { connected, shards: 2, partitionsPerShard: 16, ...written, groups: [group] };
	const scrape = { stats: { queue }, workers: [] } as unknown as Scrape;
	const lines = queueMetrics.flatMap(({ name, type, help, samples }) => [
		`# HELP ${name} ${help}`,
		`# TYPE ${name} ${type}`,
		...samples(scrape).map(([labels, value]) => {
			const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
			return `${name}{${pairs.join()}} ${value}`;
		}),
	]);
	return `${lines.join('\n')}\n`;
}

it.each([
	['nothing is wrong', [{}, {}, {}], []],
	['a group is behind for two minutes', [{}, { oldestAgeMs: 61_000 }, { oldestAgeMs: 121_000 }], ['QueueFallsBehind']],
	['a group was behind for a moment', [{}, { oldestAgeMs: 61_000 }, {}], []],
	['events were removed before the group read them', [{}, { missed: 6 }, { missed: 6 }], ['QueueEventsMissed']],
	['an event was given up', [{}, { dead: 7 }, { dead: 7 }], ['QueueEventsGivenUp']],
	['events that were given up are tried again', [{ dead: 9 }, { dead: 7 }, { dead: 0 }], []],
	['Redis does not answer for a minute', [{}, { connected: false }, { connected: false }], ['QueueAway']],
] as const)('%s', (_fault, states, alerts) => {
	expect(firingAlerts(rules, states.map(scraped), minutely)).toEqual(alerts);
});

it('every rule has a fault here', () => {
	expect(rules.map(({ alert }) => alert)).toEqual(['QueueFallsBehind', 'QueueEventsMissed', 'QueueEventsGivenUp', 'QueueAway']);
});
