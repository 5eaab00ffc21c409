// A row of small bars: the recent course of a figure. Pure.

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** The last `width` values, each a bar between 0 and the larger of `ceiling` and the largest value; gaps where there was none. */
export function sparkline(values: readonly (number | null)[], { width, ceiling }: { width: number; ceiling: number }): string {
	const shown = values.slice(-width);
	const top = Math.max(ceiling, ...shown.map((value) => value ?? 0));
	const text = shown.map((value) =>
		value === null ? ' ' : bars[Math.min(bars.length - 1, Math.floor((value / top) * bars.length))],
	);
	return text.join('').padStart(width);
}
