// What a manager has of the event queue: its own connection to Redis, the check before the start, and the figures. packages/queue is loaded
// here, and only in a fleet with a queue. The events themselves pass from gateway processes to workers without it.

import type { IoredisPort } from '@shardctl/cluster';
import { botKey, type Clock, type DeadEvent, orAborted, type QueueStats, ShardctlError, sleep } from '@shardctl/core';
import type { DeadEvents, DeadEventsOutcome, QueueFigures, QueueLook, RemovedGroup } from '@shardctl/queue';
import type { Logger } from 'pino';
import type { ResolvedQueueOptions } from '../options/queue-options.js';

/** How long Redis may take to answer at the start. */
const connectMs = 5000;
/** Figures that are younger are not read again. */
const freshMs = 500;
/** Who asks for figures does not wait longer than this for Redis. */
const patienceMs = 1000;
/** Without anyone who asks, for rates and for the verdict on the fleet. */
const lookEveryMs = 5000;

export interface FleetQueueOptions {
	queue: ResolvedQueueOptions;
	token: string;
	clock: Clock;
	logger: Pick<Logger, 'warn' | 'info'>;
}

interface Opened {
	redis: IoredisPort;
	figures: QueueFigures;
	dead: DeadEvents;
	removeGroup(group: string): Promise<RemovedGroup>;
	/** Throws `QUEUE_MISMATCH`. */
	check(totalShards: number, found: { shards: number; perShard: number }): void;
}

export class FleetQueue {
	readonly #options: FleetQueueOptions;
	#opened: Opened | undefined;
	#opening: Promise<number | undefined> | undefined;
	#found: { shards: number; perShard: number } | undefined;
	#last: QueueLook = {
		shards: 0,
		partitionsPerShard: 0,
		written: 0,
		writtenPerSecond: 0,
		deferred: 0,
		deferFailed: 0,
		groups: [],
	};
	#lastAt = Number.NEGATIVE_INFINITY;
	#connected = false;
	#looking: Promise<void> | undefined;
	readonly #end = new AbortController();

	constructor(options: FleetQueueOptions) {
		this.#options = options;
	}

	/** The bot's, which names the keys. */
	get applicationId(): string {
		return botKey(this.#options.token);
	}

	/**
	 * Connects. Resolves with the shard count by which the queue in Redis divides the events already; undefined for a new queue. Rejects with
	 * `REDIS_UNAVAILABLE` or `REDIS_UNSUITABLE`, and with `MANAGER_STOPPED` when it is closed meanwhile.
	 */
	open(): Promise<number | undefined> {
		this.#opening ??= this.#open();
		return this.#opening;
	}

	async #open(): Promise<number | undefined> {
		const { signal } = this.#end;
		const { queue } = this.#options;
		const [
			{ IoredisPort, requireSuitableEngine },
			{ queueKeys, queueLayout, QueueFigures, DeadEvents, layoutMismatch, removeGroup },
		] = await Promise.all([import('@shardctl/cluster'), import('@shardctl/queue')]);
		signal.throwIfAborted();
		const redis = new IoredisPort(queue.redis);
		try {
			await orAborted(redis.ready(connectMs), signal);
			await orAborted(requireSuitableEngine(redis, 'an event queue'), signal);
			const keys = queueKeys(this.applicationId);
			const figures = new QueueFigures(redis, keys);
			this.#found = await orAborted(figures.layout(), signal);
			this.#opened = {
				redis,
				figures,
				dead: new DeadEvents(redis, keys),
				removeGroup: (group) => removeGroup(redis, keys, group),
				check(totalShards, found) {
					const wanted = queueLayout(totalShards);
					if (found.shards !== wanted.shards || found.perShard !== wanted.perShard) throw layoutMismatch(keys, wanted, found);
				},
			};
		} catch (error) {
			await redis.close();
			throw error;
		}
		// Nothing of it rejects.
		this.#follow().catch(() => {});
		return this.#found?.shards;
	}

	/** Throws `QUEUE_MISMATCH` where the queue in Redis divides the events of another number of shards. */
	check(totalShards: number): void {
		if (this.#opened && this.#found) this.#opened.check(totalShards, this.#found);
	}

	/** Whether any group has subscribed, and so sessions with Discord are to start. */
	async isWanted(): Promise<boolean> {
		return ((await this.#needOpened().figures.look()).groups.length ?? 0) > 0;
	}

	/** The same as it was seen last, without asking Redis. */
	get hasGroups(): boolean {
		return this.#last.groups.length > 0;
	}

	/** Undefined before {@link open}. Never rejects, and does not wait long for Redis. */
	async stats(): Promise<QueueStats | undefined> {
		if (!this.#opened) return undefined;
		const late = new AbortController();
		await Promise.race([this.#look(), sleep(this.#options.clock, patienceMs, late.signal).catch(() => {})]);
		late.abort();
		return { connected: this.#connected, ...this.#last };
	}

	/** The newest first. */
	dead(limit: number): Promise<DeadEvent[]> {
		return this.#needOpened().dead.list(limit);
	}

	async retryDead(id: string): Promise<DeadEventsOutcome> {
		const { dead, figures } = this.#needOpened();
		const layout = await figures.layout();
		return layout ? dead.retry(id, layout) : { count: 0, tooOld: 0 };
	}

	dropDead(id: string): Promise<DeadEventsOutcome> {
		return this.#needOpened().dead.drop(id);
	}

	/** Rejects with `OPTIONS_INVALID` for a group that is not there, and for one that has workers. */
	removeGroup(group: string): Promise<RemovedGroup> {
		return this.#needOpened().removeGroup(group);
	}

	/** Resolves when the connection is closed, also one that {@link open} was about to make. */
	async close(): Promise<void> {
		this.#end.abort(new ShardctlError('MANAGER_STOPPED', 'the manager was stopped'));
		await this.#opening?.catch(() => {});
		await this.#opened?.redis.close();
	}

	#needOpened(): Opened {
		if (this.#opened) return this.#opened;
		throw new ShardctlError('REDIS_UNAVAILABLE', 'the fleet is not connected to its event queue yet');
	}

	async #follow(): Promise<void> {
		while (!this.#end.signal.aborted) {
			await this.#look();
			await sleep(this.#options.clock, lookEveryMs, this.#end.signal).catch(() => {});
		}
	}

	/** One at a time. Never rejects. */
	#look(): Promise<void> {
		const { clock } = this.#options;
		if (clock.monotonic() - this.#lastAt < freshMs) return Promise.resolve();
		this.#looking ??= this.#needOpened()
			.figures.look()
			.then(
				(look) => {
					this.#connected = true;
					this.#last = look;
				},
				() => {
					this.#connected = false;
				},
			)
			.finally(() => {
				this.#lastAt = clock.monotonic();
				this.#looking = undefined;
			});
		return this.#looking;
	}
}
