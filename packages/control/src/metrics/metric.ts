// What a metric is: its name and meaning, and how its values are read from what the manager knows. The tables beside this file are
// written with the few functions here.
import type { ManagerStats } from '@shardctl/core';
import type { WorkerView } from '../fleet/fleet.js';
import type { NodeStep } from '../fleet/node-steps.js';

/** What is known at the moment of a scrape. */
export interface Scrape {
	stats: ManagerStats;
	/** Resources of the manager's own process. */
	process: { rssBytes: number; cpuSeconds: number };
	workers: readonly WorkerView[];
	/** Number of events of each type so far. */
	eventCounts: ReadonlyMap<string, number>;
	/** Of a node of a cluster: see `NodeSteps`. */
	nodeSteps?: ReadonlyMap<string, NodeStep>;
}

/** Null or undefined where a value is not known; the sample is then left out. */
export type MetricValue = number | null | undefined;
type Labels = Record<string, string | number>;
export type Sample = readonly [labels: Labels, value: MetricValue];
export type KnownSample = readonly [labels: Labels, value: number];

export interface Metric {
	/** In base units: seconds, bytes. */
	name: string;
	/** A counter only grows while the process that counts lives. */
	type: 'gauge' | 'counter';
	help: string;
	/** Besides `manager`, which every metric has. Their values are bounded by the size of the fleet. */
	labels: string[];
	samples(scrape: Scrape): readonly Sample[];
}

/** What a fleet has one or several of: the labels that identify one of them, and all of them with the values of those labels. */
export interface Parts<Part> {
	labels: readonly string[];
	of(scrape: Scrape): readonly (readonly [labels: Labels, part: Part])[];
}

/** Makes metrics with one value for each part. */
export interface MetricsPer<Part> {
	gauge(name: string, help: string, value: (part: Part) => MetricValue): Metric;
	counter(name: string, help: string, value: (part: Part) => MetricValue): Metric;
	/** One sample for each possible status: 1 for the present one, 0 for the others. */
	status(name: string, help: string, statuses: readonly string[], status: (part: Part) => string): Metric;
}

export function per<Part>(parts: Parts<Part>): MetricsPer<Part> {
	const metric = (
		head: Pick<Metric, 'name' | 'type' | 'help'>,
		samples: (part: Part, labels: Labels) => readonly Sample[],
		moreLabels: readonly string[] = [],
	): Metric => ({
		...head,
		labels: [...parts.labels, ...moreLabels],
		samples: (scrape) => parts.of(scrape).flatMap(([labels, part]) => samples(part, labels)),
	});
	return {
		gauge: (name, help, value) => metric({ name, type: 'gauge', help }, (part, labels) => [[labels, value(part)]]),
		counter: (name, help, value) => metric({ name, type: 'counter', help }, (part, labels) => [[labels, value(part)]]),
		status: (name, help, statuses, status) =>
			metric(
				{ name, type: 'gauge', help },
				(part, labels) => statuses.map((each) => [{ ...labels, status: each }, each === status(part) ? 1 : 0]),
				['status'],
			),
	};
}

/** Undefined for what is not known. */
export function seconds(ms: MetricValue): MetricValue {
	return ms === null || ms === undefined ? undefined : ms / 1000;
}
