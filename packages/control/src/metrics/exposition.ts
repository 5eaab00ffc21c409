// The metrics as text, for Prometheus and other programs that read its format. Each scrape makes them from what is known then, so nothing
// is counted twice; prom-client, which writes the format, is loaded by the first scrape.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { clusterMetrics } from './cluster-metrics.js';
import { fleetMetrics } from './fleet-metrics.js';
import { gatewayMetrics } from './gateway-metrics.js';
import type { KnownSample, Metric, Scrape } from './metric.js';
import { queueMetrics } from './queue-metrics.js';
import { restMetrics } from './rest-metrics.js';
import { shardMetrics, workerMetrics } from './worker-metrics.js';

/** Prometheus's text format, as prom-client writes it. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** Every metric, in the order of the text. */
export const metrics: readonly Metric[] = [
	...fleetMetrics,
	...shardMetrics,
	...workerMetrics,
	...gatewayMetrics,
	...clusterMetrics,
	...restMetrics,
	...queueMetrics,
];

/** The text of one scrape. Unknown values are left out, and so is a metric without any value. */
export async function exposition(scrape: Scrape): Promise<string> {
	const { Counter, Gauge, Registry } = await import('prom-client');
	const registry = new Registry();
	registry.setDefaultLabels({ manager: scrape.stats.manager.name });
	const texts: string[] = [];
	for (const { name, type, help, labels, samples } of metrics) {
		const known = samples(scrape).filter((sample): sample is KnownSample => Number.isFinite(sample[1]));
		if (known.length === 0) continue;
		const options = { name, help, labelNames: labels, registers: [registry] };
		if (type === 'gauge') {
			const gauge = new Gauge(options);
			for (const [labelValues, value] of known) gauge.set(labelValues, value);
		} else {
			const counter = new Counter(options);
			for (const [labelValues, value] of known) counter.inc(labelValues, value);
		}
		texts.push(await registry.getSingleMetricAsString(name));
		// The figures of a thousand shards take a good part of a second to write: let the manager do its other work in between.
		await nextTurn();
	}
	return `${texts.join('\n\n')}\n`;
}
