// What a metric is: its name and meaning, and where its values stand in what the manager knows. Types and the few words by which
// the tables beside this file are written.
import type { ManagerStats } from '@shardctl/core';
import type { WorkerView } from '../fleet/fleet.js';

/** What is known at the moment of a scrape. */
export interface Scrape {
	stats: ManagerStats;
	/** What the manager's own process takes. */
	process: { rssBytes: number; cpuSeconds: number };
	workers: readonly WorkerView[];
	/** How many events there were of each type. */
	eventCounts: ReadonlyMap<string, number>;
}

/** A value that is not known is null or undefined, and left out of the answer. */
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
	/** Beside `manager`, which every metric has. Their values are bounded by the size of the fleet. */
	labels: string[];
	samples(scrape: Scrape): readonly Sample[];
}

/** One value for the whole manager. */
export function ofManager(
	name: string,
	help: string,
	value: (stats: ManagerStats['manager']) => MetricValue,
	type: Metric['type'] = 'gauge',
): Metric {
	return { name, type, help, labels: [], samples: ({ stats }) => [[{}, value(stats.manager)]] };
}

/** The samples of a state: 1 for the one that it is, 0 for each of the others. */
export function oneHot(states: readonly string[], state: string, labels: Labels = {}): readonly Sample[] {
	return states.map((each) => [{ ...labels, status: each }, each === state ? 1 : 0]);
}

/** Undefined for what is not known. */
export function seconds(ms: MetricValue): MetricValue {
	return ms === null || ms === undefined ? undefined : ms / 1000;
}
