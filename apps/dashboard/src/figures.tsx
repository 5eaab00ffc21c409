// The figures of the fleet, one tile each.
import type { ManagerStats } from '@shardctl/core';
import { cluster, isResident, now, restRate, stats } from './fleet.ts';
import { age, bytes, count, decimal, milliseconds, plural, shortCount, unknown } from './format.ts';

interface Tile {
	name: string;
	value: string;
	/** Beside the value, smaller. */
	of?: string;
	/** A second line. */
	more: string;
	isLow?: boolean;
}

/** Below this share of the day's session starts they are marked. */
const lowShare = 0.2;

export function Figures() {
	const figures = stats.value;
	if (!figures) return null;
	return (
		<dl class="tiles" aria-label="Figures">
			{tiles(figures, { at: now.value, resident: isResident.value, rate: restRate.value }).map(
				({ name, value, of, more, isLow }) => (
					<div key={name} class={`card tile${isLow ? ' is-low' : ''}`}>
						<dt>{name}</dt>
						<dd class="value">
							{value}
							{of !== undefined && <small> {of}</small>}
						</dd>
						<dd class="quiet">{more}</dd>
					</div>
				),
			)}
		</dl>
	);
}

interface Shown {
	at: number;
	resident: boolean;
	/** Requests to Discord's REST API in a second. */
	rate: number | undefined;
}

function tiles({ manager, shards, workers, gateways, rest, losses }: ManagerStats, { at, resident, rate }: Shown): Tile[] {
	const { total, remaining, resetAt } = manager.identify;
	const members = sum(shards.map(({ userCount }) => userCount));
	const held = gateways?.flatMap((gateway) => gateway.shards) ?? [];
	const sessions = gateways?.flatMap((gateway) => gateway.sessions) ?? [];
	const pings = known([...(resident ? sessions : shards)].map(({ ping }) => ping)).sort((a, b) => a - b);
	const restarts = sum(workers.map((worker) => worker.restarts));
	const rss = known(workers.map(({ rssBytes }) => rssBytes));
	const gatewayRss = known((gateways ?? []).map(({ rssBytes }) => rssBytes));
	const lost = losses?.events ?? sum(held.map((shard) => shard.lost + shard.overflowed));
	return [
		{
			name: 'Guilds',
			value: shortCount(sum(shards.map(({ guildCount }) => guildCount))),
			more: `${shortCount(members)} members`,
		},
		...(resident
			? [
					{
						name: 'Events a second',
						value: decimal(sum(held.map(({ eventsPerSecond }) => eventsPerSecond))),
						more: lost === 0 ? 'none lost' : `${count(lost)} lost${losses?.last ? `, last ${age(at - losses.last.at)} ago` : ''}`,
						isLow: lost > 0,
					},
				]
			: []),
		...(rest ? [restTile(rest, rate)] : []),
		{
			name: 'Session starts left',
			value: total === 0 ? unknown : count(remaining),
			...(total === 0 ? {} : { of: `of ${count(total)}` }),
			more: total === 0 ? 'not known yet' : resetAt > at ? `reset in ${age(resetAt - at)}` : 'reset is due',
			isLow: total > 0 && remaining < total * lowShare,
		},
		{
			name: 'Ping',
			value: milliseconds(quantile(pings, 0.5)),
			more: pings.length === 0 ? 'after the first heartbeat' : `p99 ${milliseconds(quantile(pings, 0.99))}`,
		},
		{
			name: 'Memory',
			value: rss.length === 0 ? unknown : bytes(sum(rss) + sum(gatewayRss)),
			more: rss.length === 0 ? 'not reported yet' : `largest ${bytes(largest(rss))}`,
		},
		{
			name: 'Processor',
			...coresOf(sum(known(shards.map(({ cpuPercent }) => cpuPercent)))),
			more: `loop delay ${milliseconds(largest(known(shards.map(({ loopDelayMs }) => loopDelayMs))))}`,
		},
		{
			name: 'Workers',
			value: count(workers.length),
			more: restarts === 0 ? 'no restart' : `${plural(restarts, 'restart')}${lastExit(workers, at)}`,
		},
	];
}

function restTile({ status, queued, p99Ms, guarded }: NonNullable<ManagerStats['rest']>, rate: number | undefined): Tile {
	const waits = queued === 0 && p99Ms !== null ? `p99 ${milliseconds(p99Ms)}` : `${count(queued)} waiting`;
	return {
		name: 'REST a second',
		// Each node counts its own.
		...(cluster.value ? { of: `at ${cluster.value.node}` } : {}),
		value: status === 'ready' ? decimal(rate) : status,
		more: guarded ? 'only reads and interactions are sent' : waits,
		isLow: guarded || status !== 'ready',
	};
}

function coresOf(percent: number): Pick<Tile, 'value' | 'of'> {
	return percent < 100 ? { value: decimal(percent, '%'), of: 'of a core' } : { value: decimal(percent / 100), of: 'cores' };
}

function lastExit(workers: ManagerStats['workers'], at: number): string {
	const latest = largest(known(workers.map((worker) => worker.lastExit?.at ?? null)));
	return latest === null ? '' : `, ${age(at - latest)} ago`;
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}

function known(values: readonly (number | null)[]): number[] {
	return values.filter((value) => value !== null);
}

function largest(values: readonly number[]): number | null {
	return values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value));
}

function quantile(sorted: readonly number[], share: number): number | null {
	return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
