// The live screen of `stats --watch` as lines. Pure.
import type { ManagerStats, ShardStats } from '@shardctl/manager';
import { out } from '../terminal/colours.js';
import { sparkline } from '../terminal/sparkline.js';
import { type Column, clip, tableLines } from '../terminal/table.js';
import { queueWorkersTable } from './queue-workers-table.js';
import { gatewayTable, shardColumns, shareNote, summaryLines } from './stats-table.js';

const kept = 60;

/** The recent figures of every shard, for the sparklines. */
export class FleetHistory {
	readonly #cpu = new Map<number, (number | null)[]>();
	readonly #ping = new Map<number, (number | null)[]>();

	add({ shards }: ManagerStats): void {
		for (const { shardId, cpuPercent, ping } of shards) {
			push(this.#cpu, shardId, cpuPercent);
			push(this.#ping, shardId, ping);
		}
	}

	cpu(shardId: number): readonly (number | null)[] {
		return this.#cpu.get(shardId) ?? [];
	}

	ping(shardId: number): readonly (number | null)[] {
		return this.#ping.get(shardId) ?? [];
	}
}

export interface ScreenState {
	label: string;
	stats: ManagerStats | undefined;
	/** Why there are no new figures; undefined while there are new ones. */
	problem: string | undefined;
	/** The first shard shown. */
	scroll: number;
	/** In resident mode: the gateway processes' view of the shards instead of the workers'. */
	gateways: boolean;
}

/** The lines that fill a terminal of this size. */
export function fleetScreen(
	{ label, stats, problem, scroll, gateways }: ScreenState,
	history: FleetHistory,
	{ width, height, nowMs }: { width: number; height: number; nowMs: number },
): string[] {
	const other = stats?.gateways ? `g shows the ${gateways ? 'workers' : 'gateways'}, ` : '';
	if (!stats) return [clip(problem ?? `waiting for the figures of ${label}`, width)];
	const head = [...summaryLines(stats, { width, nowMs }), problem ? out.red(clip(problem, width)) : ''];
	const readers = queueWorkersTable(stats, { width, nowMs });
	const showsReaders = readers.length > 0 && !(gateways && stats.gateways);
	const [title = '', ...rows] =
		gateways && stats.gateways
			? gatewayTable(stats, width)
			: showsReaders
				? readers
				: tableLines(columns(stats, history), stats.shards, { width, dim: out.dim });
	const note = title.includes('*') ? `; ${shareNote(stats)}` : '';
	const footer = out.dim(`${other}q quits, arrows scroll${note}`);
	const room = Math.max(1, height - head.length - 2);
	const first = Math.min(scroll, Math.max(0, rows.length - room));
	const more =
		rows.length > room
			? out.dim(
					` ${showsReaders ? 'workers' : 'shards'} ${first + 1} to ${Math.min(rows.length, first + room)} of ${rows.length};`,
				)
			: '';
	return [...head, title, ...rows.slice(first, first + room), clip(`${more} ${footer}`.trimStart(), width)];
}

/** A fully used core and a ping of 200 ms fill the height; larger values raise the scale. */
function columns(stats: ManagerStats, history: FleetHistory): Column<ShardStats>[] {
	return shardColumns(stats, {
		ping: trend('PING', ({ shardId }) => ({ values: history.ping(shardId), ceiling: 200 })),
		cpu: trend('CPU', ({ shardId }) => ({ values: history.cpu(shardId), ceiling: 100 })),
	});
}

const trendWidth = 6;

function trend(
	title: string,
	of: (shard: ShardStats) => { values: readonly (number | null)[]; ceiling: number },
): Column<ShardStats> {
	return {
		title: `${title}~`.padEnd(trendWidth),
		cell: (shard) => {
			const { values, ceiling } = of(shard);
			return out.cyan(sparkline(values, { width: trendWidth, ceiling }));
		},
	};
}

function push(series: Map<number, (number | null)[]>, shardId: number, value: number | null): void {
	const values = series.get(shardId) ?? [];
	values.push(value);
	if (values.length > kept) values.shift();
	series.set(shardId, values);
}
