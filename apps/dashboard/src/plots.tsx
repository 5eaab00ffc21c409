// The figures of the fleet over time, and those of one worker: from the manager's history, and live.
import type { HistoryField, HistoryRange, WorkerHistoryField } from '@shardctl/core';
import { Chart, type ChartSpec } from './chart.tsx';
import { cluster, plotHistory, plotRange, stats, workerHistory } from './fleet.ts';
import { bytes, decimal, milliseconds } from './format.ts';
import { readHistory } from './live.ts';

interface Plot extends ChartSpec<HistoryField> {
	/** Which processes know it; without, every fleet does. */
	needs?: 'gateways' | 'rest';
}

const whole = (value: number | null | undefined) => decimal(value);
const percent = (value: number | null | undefined) => decimal(value, '%');

const plots: readonly Plot[] = [
	{
		title: 'Events a second',
		lines: [{ field: 'eventsPerSecond', name: 'events', colour: 'line-1' }],
		format: whole,
		needs: 'gateways',
	},
	{ title: 'Shards served', lines: [{ field: 'served', name: 'served', colour: 'line-3' }], format: whole, marks: 'whole' },
	{
		title: 'Ping',
		lines: [
			{ field: 'pingP50Ms', name: 'p50', colour: 'line-1' },
			{ field: 'pingP99Ms', name: 'p99', colour: 'line-2' },
		],
		format: milliseconds,
	},
	{
		title: 'Memory',
		lines: [
			{ field: 'memoryBytes', name: 'all', colour: 'line-1' },
			{ field: 'memoryMaxBytes', name: 'largest', colour: 'line-2' },
		],
		format: bytes,
		marks: 'bytes',
	},
	{ title: 'Processor', lines: [{ field: 'cpuPercent', name: 'of one core', colour: 'line-1' }], format: percent },
	{ title: 'Event loop delay', lines: [{ field: 'loopDelayMs', name: 'longest', colour: 'line-1' }], format: milliseconds },
	{
		title: 'Events that wait',
		lines: [{ field: 'bufferedEvents', name: 'events', colour: 'line-1' }],
		format: whole,
		marks: 'whole',
		needs: 'gateways',
	},
	{
		title: 'REST requests a second',
		lines: [{ field: 'restPerSecond', name: 'requests', colour: 'line-1' }],
		format: whole,
		needs: 'rest',
	},
	{
		title: 'REST requests that wait',
		lines: [{ field: 'restQueued', name: 'requests', colour: 'line-2' }],
		format: whole,
		marks: 'whole',
		needs: 'rest',
	},
	{ title: 'Restarts', lines: [{ field: 'restarts', name: 'since the start', colour: 'line-2' }], format: whole, marks: 'whole' },
];

export function Plots() {
	const ranges: readonly [HistoryRange, string][] = [
		['hour', 'Last hour'],
		['day', 'Last day'],
	];
	const shown = plots.filter(({ needs }) => needs === undefined || stats.value?.[needs] !== undefined);
	return (
		<section class="card" aria-labelledby="plots-title">
			<div class="section-head">
				<h2 id="plots-title">
					History
					{cluster.value && <span class="quiet"> of all nodes together, kept by node {cluster.value.node}</span>}
				</h2>
				<div class="choice" role="group" aria-label="Time shown">
					{ranges.map(([range, name]) => (
						<button key={range} type="button" aria-pressed={plotRange.value === range} onClick={() => void readHistory(range)}>
							{name}
						</button>
					))}
				</div>
			</div>
			<div class={`plots in-${Math.ceil(shown.length / 2)}`}>
				{shown.map((plot) => (
					<Chart key={plot.title} spec={plot} data={plotHistory.value} height={116} />
				))}
			</div>
		</section>
	);
}

const workerPlots: readonly ChartSpec<WorkerHistoryField>[] = [
	{ title: 'Memory', lines: [{ field: 'memoryBytes', name: 'memory', colour: 'line-1' }], format: bytes, marks: 'bytes' },
	{ title: 'Processor', lines: [{ field: 'cpuPercent', name: 'of one core', colour: 'line-1' }], format: percent },
	{ title: 'Event loop delay', lines: [{ field: 'loopDelayMs', name: 'p99', colour: 'line-1' }], format: milliseconds },
];

const rangeWords: Readonly<Record<HistoryRange, string>> = { hour: 'the last hour', day: 'the last day' };

export function WorkerPlots({ workerId }: { workerId: number }) {
	const shown = workerHistory.value;
	const data = shown?.workerId === workerId ? shown.history : undefined;
	if (data?.at.length === 0) return <p class="quiet">No history of it yet.</p>;
	return (
		<section class="worker-plots" aria-label={`Figures of worker ${workerId} over ${rangeWords[plotRange.value]}`}>
			{workerPlots.map((plot) => (
				<Chart key={plot.title} spec={plot} data={data} height={84} />
			))}
		</section>
	);
}
