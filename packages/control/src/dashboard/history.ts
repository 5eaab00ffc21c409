// The figures of a fleet over time, for the plots of the dashboard: an hour at 5 s and a day at one minute, in memory of a fixed size.
import {
	type History,
	type HistoryField,
	type HistoryPoint,
	type HistoryRange,
	historyFields,
	type ManagerStats,
} from '@shardctl/core';

/** How often a point is added. */
export const historyIntervalMs = 5000;
export const hourPoints = 720;
export const pointsPerMinute = 12;
export const dayPoints = 1440;

/** In a minute the worst moment counts; of everything else the mean. */
const worst: ReadonlySet<HistoryField> = new Set([
	'pingP99Ms',
	'memoryMaxBytes',
	'loopDelayMs',
	'bufferedEvents',
	'bufferAgeMs',
	'restQueued',
	'restarts',
]);

export class FleetHistory {
	readonly #hour = new Ring(hourPoints);
	readonly #day = new Ring(dayPoints);
	/** The points of the minute that has begun. */
	#minute: HistoryPoint[] = [];

	add(point: HistoryPoint): void {
		this.#hour.add(point);
		this.#minute.push(point);
		if (this.#minute.length < pointsPerMinute) return;
		this.#day.add(summary(this.#minute));
		this.#minute = [];
	}

	/** The points of the last hour or day, oldest first. */
	read(range: HistoryRange): History {
		return (range === 'hour' ? this.#hour : this.#day).read();
	}
}

/** A fixed number of points in columns. The oldest gives way to the newest. */
class Ring {
	readonly #size: number;
	readonly #columns: ReadonlyMap<'at' | HistoryField, Float64Array>;
	#next = 0;
	#count = 0;

	constructor(size: number) {
		this.#size = size;
		this.#columns = new Map((['at', ...historyFields] as const).map((name) => [name, new Float64Array(size)]));
	}

	add(point: HistoryPoint): void {
		for (const [name, column] of this.#columns) column[this.#next] = point[name] ?? Number.NaN;
		this.#next = (this.#next + 1) % this.#size;
		this.#count = Math.min(this.#count + 1, this.#size);
	}

	read(): History {
		const oldest = (this.#next - this.#count + this.#size) % this.#size;
		const inOrder = (column: Float64Array) =>
			Array.from({ length: this.#count }, (_, index) => {
				const value = column[(oldest + index) % this.#size] as number;
				return Number.isNaN(value) ? null : value;
			});
		return Object.fromEntries([...this.#columns].map(([name, column]) => [name, inOrder(column)])) as History;
	}
}

function summary(points: readonly HistoryPoint[]): HistoryPoint {
	const of = (field: HistoryField): number | null => {
		const known = points.map((point) => point[field]).filter((value) => value !== null);
		if (known.length === 0) return null;
		return worst.has(field) ? Math.max(...known) : rounded(known.reduce((sum, value) => sum + value, 0) / known.length);
	};
	const at = points.at(-1)?.at ?? 0;
	return { at, ...(Object.fromEntries(historyFields.map((field) => [field, of(field)])) as Record<HistoryField, number | null>) };
}

/** How many requests had been sent to Discord's REST API at a moment before. */
export interface RestBefore {
	at: number;
	requests: number;
}

/** What history keeps of a fleet's figures. `before` is that of the last point. */
export function historyPoint(
	at: number,
	{ health, shards, workers, gateways, rest }: ManagerStats,
	before?: RestBefore,
): HistoryPoint {
	const pings = known([
		...shards.map(({ ping }) => ping),
		...(gateways ?? []).flatMap(({ sessions }) => sessions.map(({ ping }) => ping)),
	]);
	pings.sort((a, b) => a - b);
	const rss = known(workers.map(({ rssBytes }) => rssBytes));
	const gatewayRss = known((gateways ?? []).map(({ rssBytes }) => rssBytes));
	const held = gateways?.flatMap((gateway) => gateway.shards);
	return {
		at,
		served: health.served,
		guilds: sum(shards.map(({ guildCount }) => guildCount)),
		eventsPerSecond: held ? rounded(sum(held.map(({ eventsPerSecond }) => eventsPerSecond))) : null,
		pingP50Ms: quantile(pings, 0.5),
		pingP99Ms: quantile(pings, 0.99),
		memoryBytes: rss.length + gatewayRss.length === 0 ? null : sum(rss) + sum(gatewayRss),
		memoryMaxBytes: largest(rss),
		cpuPercent: rounded(sum(known(shards.map(({ cpuPercent }) => cpuPercent)))),
		loopDelayMs: largest(known(shards.map(({ loopDelayMs }) => loopDelayMs))),
		bufferedEvents: held ? sum(held.map(({ bufferedEvents }) => bufferedEvents)) : null,
		bufferAgeMs: held ? (largest(held.map(({ bufferAgeMs }) => bufferAgeMs)) ?? 0) : null,
		restPerSecond:
			rest && before && at > before.at ? rounded((1000 * sentSince(rest.requests, before)) / (at - before.at)) : null,
		restQueued: rest ? rest.queued : null,
		restarts: sum(workers.map(({ restarts }) => restarts)) + sum((gateways ?? []).map(({ restarts }) => restarts)),
	};
}

/** The next REST process counts from 0. */
function sentSince(requests: number, before: RestBefore): number {
	return requests >= before.requests ? requests - before.requests : requests;
}

function known(values: readonly (number | null)[]): number[] {
	return values.filter((value) => value !== null);
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}

function largest(values: readonly number[]): number | null {
	return values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value));
}

/** Of sorted values: the smallest that this share of them does not exceed. */
function quantile(sorted: readonly number[], share: number): number | null {
	return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function rounded(value: number): number {
	return Math.round(value * 100) / 100;
}
