// Memory, processor and event loop delay of each worker over time, for its plots: an hour at 5 s and a day at one minute, as the history of
// the whole fleet. A worker takes 12,960 bytes, and of more than 1,200 workers the last ones have no history, so that all of it is below 16 MB.
import {
	type HistoryRange,
	type ManagerStats,
	type WorkerHistory,
	type WorkerHistoryField,
	workerHistoryFields,
} from '@shardctl/core';
import { dayPoints, hourPoints, pointsPerMinute } from './history.js';

const mostWorkers = 1200;

/** What one step of a stored number is worth: 65,534 of them are the largest value. */
const steps: Readonly<Record<WorkerHistoryField, number>> = { memoryBytes: 2 ** 20, cpuPercent: 0.1, loopDelayMs: 1 };
const unknown = 0xffff;

type WorkerPoint = Readonly<Record<WorkerHistoryField, number | null>>;
type Columns = Readonly<Record<WorkerHistoryField, Uint16Array>>;

export class WorkerHistories {
	readonly #hour = new WorkerRing(hourPoints);
	readonly #day = new WorkerRing(dayPoints);
	#added = 0;

	add(at: number, stats: Pick<ManagerStats, 'workers' | 'shards'>): void {
		this.#hour.add(at, pointsOf(stats));
		if (++this.#added % pointsPerMinute === 0) this.#day.add(at, this.#hour.summary(pointsPerMinute));
	}

	/** The points of the last hour or day, oldest first; without any for a worker that it does not know. */
	read(workerId: number, range: HistoryRange): WorkerHistory {
		return (range === 'hour' ? this.#hour : this.#day).read(workerId);
	}

	/** What the figures of all workers take. */
	get bytes(): number {
		return this.#hour.bytes + this.#day.bytes;
	}
}

/** A fixed number of moments, with columns for each worker that there was in one of them. */
class WorkerRing {
	readonly #at: Float64Array;
	readonly #workers = new Map<number, Columns>();
	#next = 0;
	#count = 0;

	constructor(size: number) {
		this.#at = new Float64Array(size);
	}

	add(at: number, points: ReadonlyMap<number, WorkerPoint>): void {
		this.#at[this.#next] = at;
		for (const workerId of points.keys()) {
			if (this.#workers.size >= mostWorkers) break;
			if (!this.#workers.has(workerId)) this.#workers.set(workerId, this.#emptyColumns());
		}
		for (const [workerId, columns] of this.#workers) {
			const point = points.get(workerId);
			for (const field of workerHistoryFields) columns[field][this.#next] = stored(point?.[field] ?? null, steps[field]);
		}
		this.#next = (this.#next + 1) % this.#at.length;
		this.#count = Math.min(this.#count + 1, this.#at.length);
		if (this.#next === 0) this.#forgetGone();
	}

	read(workerId: number): WorkerHistory {
		const columns = this.#workers.get(workerId);
		const order = columns ? this.#last(this.#count) : [];
		const values = (field: WorkerHistoryField) => order.map((index) => shownValue(columns?.[field][index], steps[field]));
		return {
			at: order.map((index) => this.#at[index] as number),
			memoryBytes: values('memoryBytes'),
			cpuPercent: values('cpuPercent'),
			loopDelayMs: values('loopDelayMs'),
		};
	}

	/** One point for the last ones: the mean of the processor time, and the largest of what can be too large. */
	summary(points: number): Map<number, WorkerPoint> {
		const order = this.#last(Math.min(points, this.#count));
		const knownOf = (columns: Columns, field: WorkerHistoryField) =>
			order.map((index) => shownValue(columns[field][index], steps[field])).filter((value) => value !== null);
		const largest = (values: readonly number[]) => (values.length === 0 ? null : Math.max(...values));
		return new Map(
			[...this.#workers].map(([workerId, columns]) => {
				const cpu = knownOf(columns, 'cpuPercent');
				const point: WorkerPoint = {
					memoryBytes: largest(knownOf(columns, 'memoryBytes')),
					cpuPercent: cpu.length === 0 ? null : cpu.reduce((sum, value) => sum + value, 0) / cpu.length,
					loopDelayMs: largest(knownOf(columns, 'loopDelayMs')),
				};
				return [workerId, point];
			}),
		);
	}

	get bytes(): number {
		return this.#workers.size * workerHistoryFields.length * this.#at.length * Uint16Array.BYTES_PER_ELEMENT;
	}

	#emptyColumns(): Columns {
		const column = () => new Uint16Array(this.#at.length).fill(unknown);
		return { memoryBytes: column(), cpuPercent: column(), loopDelayMs: column() };
	}

	/** The places of the last moments, oldest first. */
	#last(count: number): number[] {
		const size = this.#at.length;
		return Array.from({ length: count }, (_, index) => (this.#next - count + index + size) % size);
	}

	/** Workers of which nothing is known any more: a fleet that was resharded has others. */
	#forgetGone(): void {
		for (const [workerId, columns] of this.#workers) {
			if (workerHistoryFields.every((field) => columns[field].every((value) => value === unknown)))
				this.#workers.delete(workerId);
		}
	}
}

function pointsOf({ workers, shards }: Pick<ManagerStats, 'workers' | 'shards'>): Map<number, WorkerPoint> {
	const cpu = new Map<number, number>();
	const delay = new Map<number, number>();
	for (const { workerId, cpuPercent, loopDelayMs } of shards) {
		if (workerId === null) continue;
		if (cpuPercent !== null) cpu.set(workerId, (cpu.get(workerId) ?? 0) + cpuPercent);
		if (loopDelayMs !== null) delay.set(workerId, Math.max(delay.get(workerId) ?? 0, loopDelayMs));
	}
	return new Map(
		workers.map(({ id, rssBytes }) => [
			id,
			{ memoryBytes: rssBytes, cpuPercent: cpu.get(id) ?? null, loopDelayMs: delay.get(id) ?? null },
		]),
	);
}

function stored(value: number | null, step: number): number {
	return value === null ? unknown : Math.max(0, Math.min(unknown - 1, Math.round(value / step)));
}

function shownValue(value: number | undefined, step: number): number | null {
	// A tenth is no exact number in binary.
	return value === undefined || value === unknown ? null : Math.round(value * step * 10) / 10;
}
