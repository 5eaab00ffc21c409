// One plot: lines over time with their newest values, in words for those who cannot see it.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clockMinute, clockTime } from './format.ts';
import { colour, colourGeneration } from './theme.ts';

export interface ChartSpec<Field extends string> {
	title: string;
	lines: readonly ChartLine<Field>[];
	format(value: number | null | undefined): string;
	/** Where marks are: at powers of two, at whole numbers, or also at tenths (`fine`, the default). */
	marks?: 'bytes' | 'whole' | 'fine';
}

interface ChartLine<Field extends string> {
	field: Field;
	name: string;
	/** Of the style sheet. */
	colour: string;
}

/** Moments in columns. */
type Columns<Field extends string> = { at: number[] } & Record<Field, (number | null)[]>;

interface ChartProps<Field extends string> {
	spec: ChartSpec<Field>;
	/** Undefined while it is being read. */
	data: Columns<Field> | undefined;
	height: number;
}

export function Chart<Field extends string>({ spec, data, height }: ChartProps<Field>) {
	const place = useRef<HTMLDivElement>(null);
	const drawn = useRef<uPlot | undefined>(undefined);
	const generation = colourGeneration.value;
	// A new one for new colours.
	useEffect(() => {
		const element = place.current as HTMLDivElement;
		const chart = new uPlot(optionsOf(spec, { width: element.clientWidth, height }), [[], ...spec.lines.map(() => [])], element);
		drawn.current = chart;
		if (data) chart.setData(alignedData(spec, data));
		const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
		observer.observe(element);
		return () => {
			observer.disconnect();
			chart.destroy();
		};
	}, [generation]);
	useEffect(() => {
		if (data) drawn.current?.setData(alignedData(spec, data));
	}, [data]);
	const latest = spec.lines.map(({ field, name }) => ({ name, value: spec.format(data?.[field].at(-1)) }));
	const said = latest.map(({ name, value }) => `${name} ${value}`).join(', ');
	const isEmpty = data !== undefined && spec.lines.every(({ field }) => data[field].every((value) => value === null));
	return (
		<figure>
			<figcaption>
				<strong>{spec.title}</strong>
				<span class="readings">
					{spec.lines.map((line, index) => (
						<span key={line.field}>
							{spec.lines.length > 1 && <i class={`swatch ${line.colour}`} aria-hidden="true" />}
							{latest[index]?.value}
							{spec.lines.length > 1 && <span class="quiet"> {line.name}</span>}
						</span>
					))}
				</span>
			</figcaption>
			<div
				class="plot"
				style={{ height: `${height}px` }}
				ref={place}
				role="img"
				aria-label={`${spec.title} over time; now ${said}`}
			/>
			{isEmpty && <p class="quiet no-data">No figures in this time</p>}
		</figure>
	);
}

function alignedData<Field extends string>({ lines }: ChartSpec<Field>, data: Columns<Field>): uPlot.AlignedData {
	return [data.at.map((at) => at / 1000), ...lines.map(({ field }) => data[field])] as uPlot.AlignedData;
}

/** With seconds only where the marks are closer than a minute. */
function axisTime(seconds: number, marks: readonly number[]): string {
	const isFine = marks.length > 1 && (marks[1] as number) - (marks[0] as number) < 60;
	return (isFine ? clockTime : clockMinute)(seconds * 1000);
}

/** Steps between marks. */
const byteSteps = Array.from({ length: 24 }, (_, power) => 2 ** (20 + power));
const wholeSteps = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
const steps = { bytes: byteSteps, whole: wholeSteps, fine: [0.1, 0.2, 0.5, ...wholeSteps] };

function optionsOf<Field extends string>(
	{ lines, format, marks = 'fine' }: ChartSpec<Field>,
	size: { width: number; height: number },
): uPlot.Options {
	const axis = {
		stroke: colour('quiet'),
		grid: { stroke: colour('grid'), width: 1 },
		ticks: { show: false },
		font: '11px system-ui, sans-serif',
	};
	return {
		...size,
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
			{ ...axis, size: 58, space: 30, incrs: steps[marks], values: (_chart, values) => values.map(format) },
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
