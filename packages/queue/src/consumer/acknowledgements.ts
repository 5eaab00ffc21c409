// What was handled and Redis does not know of yet: acknowledged in batches, one script at a time, until it is or the partition is another
// worker's.
import type { RedisPort } from '@shardctl/cluster';
import type { Clock } from '@shardctl/core';
import { groupScripts } from '../scripts/group-scripts.js';
import type { QueueKeys } from '../wire/keys.js';
import type { Entry } from './entry.js';

export interface AcknowledgementsOptions {
	redis: RedisPort;
	keys: QueueKeys;
	group: string;
	member: string;
	clock: Clock;
	/** The partition is not this worker's any more. */
	onFenced(partition: number): void;
	onFailed(error: unknown): void;
}

type Waiting = Map<string, { partition: number; epoch: number; ids: string[] }>;

const retryMs = 100;
const mostAtOnce = 4000;

export class Acknowledgements {
	readonly #options: AcknowledgementsOptions;
	readonly #script = groupScripts().acknowledge;
	#waiting: Waiting = new Map();
	#count = 0;
	#sending: Waiting | undefined;
	#scheduled = false;
	/** Who waits until a partition has none. */
	readonly #watchers = new Set<() => void>();

	constructor(options: AcknowledgementsOptions) {
		this.#options = options;
	}

	add({ partition, epoch, id }: Pick<Entry, 'partition' | 'epoch' | 'id'>): void {
		const key = `${partition} ${epoch}`;
		const waiting = this.#waiting.get(key);
		if (waiting) waiting.ids.push(id);
		else this.#waiting.set(key, { partition, epoch, ids: [id] });
		this.#count++;
		this.#schedule();
	}

	/** Whether Redis knows of all of a partition. */
	isSettled(partition: number): boolean {
		const has = (some: Waiting | undefined) => some && [...some.values()].some((each) => each.partition === partition);
		return !has(this.#waiting) && !has(this.#sending);
	}

	/** Resolves when Redis knows of all, or they are another worker's. */
	async allSettled(): Promise<void> {
		if (this.#count === 0 && !this.#sending) return;
		await new Promise<void>((resolve) => {
			const unwatch = this.watch(() => {
				if (this.#count > 0 || this.#sending) return;
				unwatch();
				resolve();
			});
		});
	}

	/** The partition is another worker's: its events will be delivered there. */
	forget(partition: number): void {
		for (const [key, each] of this.#waiting) {
			if (each.partition !== partition) continue;
			this.#waiting.delete(key);
			this.#count -= each.ids.length;
		}
		this.#tell();
	}

	/** Calls the listener whenever something was settled; returns how to end that. */
	watch(listener: () => void): () => void {
		this.#watchers.add(listener);
		return () => this.#watchers.delete(listener);
	}

	#schedule(): void {
		if (this.#scheduled || this.#sending || this.#count === 0) return;
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			void this.#flush();
		});
	}

	async #flush(): Promise<void> {
		if (this.#sending || this.#count === 0) return;
		const { redis, keys, group, member, clock, onFenced, onFailed } = this.#options;
		const sending = this.#take();
		this.#sending = sending;
		const parts = [...sending.values()];
		try {
			const fenced = (await redis.script(
				this.#script,
				[keys.group(group), ...parts.map(({ partition }) => keys.events(partition))],
				[group, member, ...parts.flatMap(({ partition, epoch, ids }) => [partition, epoch, ids.length, ...ids])],
			)) as string[];
			this.#sending = undefined;
			for (const partition of new Set(fenced.map(Number))) onFenced(partition);
			this.#schedule();
		} catch (error) {
			onFailed(error);
			await new Promise<void>((resolve) => clock.setTimeout(resolve, retryMs));
			this.#sending = undefined;
			for (const [key, { partition, epoch, ids }] of sending) {
				const again = this.#waiting.get(key);
				if (again) again.ids.unshift(...ids);
				else this.#waiting.set(key, { partition, epoch, ids });
				this.#count += ids.length;
			}
			this.#schedule();
		}
		this.#tell();
	}

	#take(): Waiting {
		const taken: Waiting = new Map();
		let left = mostAtOnce;
		for (const [key, each] of this.#waiting) {
			if (left <= 0) break;
			const ids = each.ids.splice(0, left);
			left -= ids.length;
			this.#count -= ids.length;
			taken.set(key, { ...each, ids });
			if (each.ids.length === 0) this.#waiting.delete(key);
		}
		return taken;
	}

	#tell(): void {
		for (const listener of this.#watchers) listener();
	}
}
