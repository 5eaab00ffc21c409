// Reads from Redis how far the groups of a queue are: plain commands, several in one round trip, so that nothing there waits for it. Each look
// is one moment; rates are over the time since an earlier one.
import type { RedisCommand, RedisPort } from '@shardctl/cluster';
import type { QueueGroupStats, QueuePartitionStats, QueueStats } from '@shardctl/core';
import type { QueueKeys } from '../wire/keys.js';
import { partitionCount, type QueueLayout, shardOfPartition } from '../wire/partitions.js';
import { decodeSubscription } from '../wire/subscription.js';

/** What one look finds; whether Redis answers is known to who asks. */
export type QueueLook = Omit<QueueStats, 'connected'>;

export const emptyLook: QueueLook = {
	shards: 0,
	partitionsPerShard: 0,
	written: 0,
	writtenPerSecond: 0,
	deferred: 0,
	deferFailed: 0,
	groups: [],
};

/** Over less, a rate says little. */
const shortestRateMs = 1500;
const mostBehind = 8;

/** What rates are made of. */
interface Totals {
	readonly atMs: number;
	readonly written: number;
	readonly handled: ReadonlyMap<string, number>;
}

/** What a group is in one partition. */
interface Place {
	pending: number;
	unread: number;
	lastDelivered: string;
}

export class QueueFigures {
	readonly #redis: Pick<RedisPort, 'batch'>;
	readonly #keys: QueueKeys;
	#before: Totals | undefined;
	#rates: { written: number; handled: ReadonlyMap<string, number> } = { written: 0, handled: new Map() };

	constructor(redis: Pick<RedisPort, 'batch'>, keys: QueueKeys) {
		this.#redis = redis;
		this.#keys = keys;
	}

	/** How the events are divided; undefined before anything has written to the queue. */
	async layout(): Promise<QueueLayout | undefined> {
		const [[shards, perShard]] = (await this.#redis.batch([['HMGET', this.#keys.meta, 'shards', 'perShard']])) as [
			(Buffer | null)[],
		];
		return shards && perShard ? { shards: Number(shards), perShard: Number(perShard) } : undefined;
	}

	async look(): Promise<QueueLook> {
		const keys = this.#keys;
		const layout = await this.layout();
		if (!layout) return emptyLook;
		const partitions = Array.from({ length: partitionCount(layout) }, (_, partition) => partition);
		const shards = Array.from({ length: layout.shards }, (_, shard) => shard);
		const [time, groupList, outcomes, ...rest] = await this.#redis.batch([
			['TIME'],
			['HGETALL', keys.groups],
			['HMGET', keys.meta, 'deferred', 'deferFailed'],
			...shards.map((shard): RedisCommand => ['HGETALL', keys.record(shard)]),
			// A stream that is not there yet would be an error.
			...partitions.map((partition): RedisCommand => ['EXISTS', keys.events(partition)]),
		]);
		const nowMs = Number((time as Buffer[])[0]) * 1000 + Number((time as Buffer[])[1]) / 1000;
		const [deferred, deferFailed] = outcomes as (Buffer | null)[];
		const records = rest.slice(0, shards.length).map((flat) => hashOf(flat as Buffer[]));
		const present = partitions.filter((partition) => rest[shards.length + partition] === 1);
		const writtenOf = (partition: number) => Number(records[shardOfPartition(partition, layout)]?.get(`n:${partition}`) ?? 0);
		const subscriptions = hashOf(groupList as Buffer[]);
		const names = [...subscriptions.keys()].sort();
		const answers = await this.#redis.batch([
			...names.map((name): RedisCommand => ['HGETALL', keys.group(name)]),
			...present.map((partition): RedisCommand => ['XINFO', 'GROUPS', keys.events(partition)]),
		]);
		const places = new Map(
			present.map((partition, index) => [partition, placesOf(answers[names.length + index] as (Buffer | number | null)[][])]),
		);
		const groups: QueueGroupStats[] = [];
		const handled = new Map<string, number>();
		for (const [index, group] of names.entries()) {
			const state = hashOf(answers[index] as Buffer[]);
			const found = present.map((partition) => {
				const place = places.get(partition)?.get(group) ?? { pending: 0, unread: 0, lastDelivered: '0-0' };
				const read = state.get(`n:${partition}`);
				const unread = read === undefined ? place.unread : Math.max(0, writtenOf(partition) - Number(read));
				return { partition, ...place, unread, lag: unread + place.pending };
			});
			const lagging = found.filter(({ lag }) => lag > 0);
			const oldest = await this.#oldest(group, lagging);
			const ownerOf = (partition: number) => {
				const owner = state.get(`p:${partition}`)?.split(' ')[0];
				return owner === undefined || owner === '-' || !state.has(`m:${owner}`) ? null : owner;
			};
			const rows = lagging.map(({ partition, lag, pending }): QueuePartitionStats => {
				const at = oldest.get(partition);
				const oldestAgeMs = at === undefined ? 0 : Math.max(0, Math.round(nowMs - at));
				return { partition, lag, pending, oldestAgeMs, owner: ownerOf(partition) };
			});
			const lag = rows.reduce((sum, row) => sum + row.lag, 0);
			const isLive = ([field, value]: [string, string]) => field.startsWith('m:') && Number(value.split(' ')[0]) > nowMs;
			// Those that have not read for it count as handled, as they will never be.
			handled.set(group, partitions.reduce((sum, partition) => sum + writtenOf(partition), 0) - lag);
			groups.push({
				group,
				events: [...(decodeSubscription(subscriptions.get(group) as string)?.events ?? [])],
				members: [...state].filter(isLive).length,
				partitions: partitions.filter((partition) => ownerOf(partition) !== null).length,
				lag,
				pending: rows.reduce((sum, row) => sum + row.pending, 0),
				oldestAgeMs: Math.max(0, ...rows.map((row) => row.oldestAgeMs)),
				handledPerSecond: 0,
				redelivered: Number(state.get('redelivered') ?? 0),
				expired: Number(state.get('expired') ?? 0),
				missed: Number(state.get('missed') ?? 0),
				dead: Math.max(0, Number(state.get('dead') ?? 0)),
				behind: rows.sort((a, b) => b.lag - a.lag).slice(0, mostBehind),
			});
		}
		const written = partitions.reduce((sum, partition) => sum + writtenOf(partition), 0);
		this.#note({ atMs: nowMs, written, handled });
		return {
			shards: layout.shards,
			partitionsPerShard: layout.perShard,
			written,
			writtenPerSecond: this.#rates.written,
			deferred: Number(deferred ?? 0),
			deferFailed: Number(deferFailed ?? 0),
			groups: groups.map((each) => ({ ...each, handledPerSecond: this.#rates.handled.get(each.group) ?? 0 })),
		};
	}

	/** When the oldest event that a group has not acknowledged was written, by partition, in ms of Redis' clock. */
	async #oldest(
		group: string,
		lagging: readonly { partition: number; pending: number; lastDelivered: string }[],
	): Promise<Map<number, number>> {
		if (lagging.length === 0) return new Map();
		const answers = await this.#redis.batch(
			lagging.map(({ partition, pending, lastDelivered }): RedisCommand => {
				const stream = this.#keys.events(partition);
				return pending > 0 ? ['XPENDING', stream, group] : ['XRANGE', stream, `(${lastDelivered}`, '+', 'COUNT', 1];
			}),
		);
		const found = new Map<number, number>();
		for (const [index, { partition, pending }] of lagging.entries()) {
			const answer = answers[index] as [unknown, Buffer | null] | [[Buffer]] | [];
			const id = pending > 0 ? (answer as [unknown, Buffer | null])[1] : (answer as [[Buffer]])[0]?.[0];
			if (id) found.set(partition, Number(id.toString().split('-')[0]));
		}
		return found;
	}

	#note(now: Totals): void {
		const before = this.#before;
		if (before && now.atMs - before.atMs < shortestRateMs) return;
		this.#before = now;
		if (!before) return;
		const rate = (from: number, to: number) => Math.max(0, Math.round(((to - from) * 10_000) / (now.atMs - before.atMs)) / 10);
		const handled = [...now.handled].map(([group, count]): [string, number] => [
			group,
			before.handled.has(group) ? rate(before.handled.get(group) as number, count) : 0,
		]);
		this.#rates = { written: rate(before.written, now.written), handled: new Map(handled) };
	}
}

function hashOf(flat: readonly Buffer[]): Map<string, string> {
	const map = new Map<string, string>();
	for (let i = 0; i < flat.length; i += 2) map.set(String(flat[i]), String(flat[i + 1]));
	return map;
}

/** The groups of a stream, from XINFO GROUPS: names and values in turn. */
function placesOf(groups: readonly (Buffer | number | null)[][]): Map<string, Place> {
	return new Map(
		groups.map((flat) => {
			const field = (name: string) => flat[flat.findIndex((each, index) => index % 2 === 0 && String(each) === name) + 1];
			return [
				String(field('name')),
				{
					pending: Number(field('pending')),
					// Null where Redis cannot say, as after a trim in the middle.
					unread: Number(field('lag') ?? 0),
					lastDelivered: String(field('last-delivered-id')),
				},
			];
		}),
	);
}
