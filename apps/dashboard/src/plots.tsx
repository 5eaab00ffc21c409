// The figures over time, from the manager's history and live.
import type { HistoryField, HistoryRange } from '@shardctl/core';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { plotHistory, plotRange, stats } from './fleet.ts';
import { bytes, clockMinute, clockTime, decimal, milliseconds } from './format.ts';
import { readHistory } from './live.ts';
import { colour, colourGeneration } from './theme.ts';

interface Line {
	field: HistoryField;
	name: string;
	/** Of the style sheet. */
	colour: string;
}

interface Plot {
	title: string;
	lines: readonly Line[];
	format(value: number | null | undefined): string;
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
	{ title: 'Shards served', lines: [{ field: 'served', name: 'served', colour: 'line-3' }], format: whole },
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
			{ field: 'memoryMaxBytes', name: 'largest worker', colour: 'line-2' },
		],
		format: bytes,
	},
	{ title: 'Processor', lines: [{ field: 'cpuPercent', name: 'of one core', colour: 'line-1' }], format: percent },
	{ title: 'Event loop delay', lines: [{ field: 'loopDelayMs', name: 'longest', colour: 'line-1' }], format: milliseconds },
	{
		title: 'Events that wait',
		lines: [{ field: 'bufferedEvents', name: 'events', colour: 'line-1' }],
		format: whole,
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
		needs: 'rest',
	},
	{ title: 'Restarts', lines: [{ field: 'restarts', name: 'since the start', colour: 'line-2' }], format: whole },
];

export function Plots() {
	const ranges: readonly [HistoryRange, string][] = [
		['hour', 'Last hour'],
		['day', 'Last day'],
	];
	return (
		<section class="card" aria-labelledby="plots-title">
			<div class="section-head">
				<h2 id="plots-title">History</h2>
				<div class="choice" role="group" aria-label="Time shown">
					{ranges.map(([range, name]) => (
						<button key={range} type="button" aria-pressed={plotRange.value === range} onClick={() => void readHistory(range)}>
							{name}
						</button>
					))}
				</div>
			</div>
			<div class="plots">
				{plots
					.filter(({ needs }) => needs === undefined || stats.value?.[needs] !== undefined)
					.map((plot) => (
						<Figure key={plot.title} plot={plot} />
					))}
			</div>
		</section>
	);
}

const height = 124;

function Figure({ plot }: { plot: Plot }) {
	const place = useRef<HTMLDivElement>(null);
	const drawn = useRef<uPlot | undefined>(undefined);
	const history = plotHistory.value;
	const generation = colourGeneration.value;
	// A new one for new colours.
	useEffect(() => {
		const element = place.current as HTMLDivElement;
		const chart = new uPlot(optionsOf(plot, element.clientWidth), [[], ...plot.lines.map(() => [])], element);
		drawn.current = chart;
		show(chart, plot);
		const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
		observer.observe(element);
		return () => {
			observer.disconnect();
			chart.destroy();
		};
	}, [generation]);
	useEffect(() => {
		if (drawn.current) show(drawn.current, plot);
	}, [history]);
	const latest = plot.lines.map(({ field, name }) => ({ name, value: plot.format(history?.[field].at(-1)) }));
	const said = latest.map(({ name, value }) => `${name} ${value}`).join(', ');
	return (
		<figure>
			<figcaption>
				<h3>{plot.title}</h3>
				<span>
					{plot.lines.map((line, index) => (
						<span key={line.field} class="reading">
							{plot.lines.length > 1 && <i class={`swatch ${line.colour}`} aria-hidden="true" />}
							{plot.lines.length > 1 && <span class="quiet">{line.name} </span>}
							{latest[index]?.value}
						</span>
					))}
				</span>
			</figcaption>
			<div class="plot" ref={place} role="img" aria-label={`${plot.title} over time; now ${said}`} />
		</figure>
	);
}

function show(chart: uPlot, { lines }: Plot): void {
	const history = plotHistory.peek();
	if (history)
		chart.setData([history.at.map((at) => at / 1000), ...lines.map(({ field }) => history[field])] as uPlot.AlignedData);
}

/** With seconds only where the marks are closer than a minute. */
function axisTime(seconds: number, marks: readonly number[]): string {
	const isFine = marks.length > 1 && (marks[1] as number) - (marks[0] as number) < 60;
	return (isFine ? clockTime : clockMinute)(seconds * 1000);
}

function optionsOf({ lines, format }: Plot, width: number): uPlot.Options {
	const axis = {
		stroke: colour('quiet'),
		grid: { stroke: colour('grid'), width: 1 },
		ticks: { show: false },
		font: '11px system-ui, sans-serif',
	};
	return {
		width,
		height,
		legend: { show: false },
		cursor: { sync: { key: 'history' }, drag: { x: false, y: false }, y: false, points: { size: 5 } },
		padding: [8, 20, 0, 0],
		scales: { y: { range: (_chart, least, most) => [Math.min(0, least ?? 0), most === null || most <= 0 ? 1 : most * 1.15] } },
		axes: [
			{
				...axis,
				grid: { show: false },
				space: 70,
				size: 26,
				gap: 9,
				values: (_chart, at) => at.map((seconds) => axisTime(seconds, at)),
			},
			{ ...axis, size: 58, space: 34, values: (_chart, values) => values.map(format) },
		],
		series: [
			{},
			...lines.map(({ name, colour: stroke }) => ({
				label: name,
				stroke: colour(stroke),
				fill: lines.length === 1 ? `color-mix(in srgb, ${colour(stroke)} 14%, transparent)` : 'transparent',
				width: 1.5,
				points: { show: false },
				spanGaps: false,
			})),
		],
	};
}
