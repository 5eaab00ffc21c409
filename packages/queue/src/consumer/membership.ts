// The place of one worker in its group: renews its lease, takes partitions, and gives back those that it has too many of, or all when it
// leaves. What a worker does with a partition is its owner's subject.
//
//   partition:  held ──too many, or it leaves──▶ freeing ──the owner is done with it──▶ (free, in the next turn)
//                 └──the answer does not name it any more──▶ lost
import type { RedisPort, Timings } from '@shardctl/cluster';
import type { Clock, Timer } from '@shardctl/core';
import { groupScripts } from '../scripts/group-scripts.js';
import type { QueueKeys } from '../wire/keys.js';

export interface PartitionOwner {
	/** The partition is this worker's, from the first event that its group has not acknowledged. */
	own(partition: number, epoch: number): void;
	/** The partition is to go to another worker. Resolves when nothing of it is being handled, and all is acknowledged. */
	finish(partition: number): Promise<void>;
	/** Another worker has the partition, or none has it. */
	disown(partition: number): void;
	/** The lease was confirmed. */
	confirmed(): void;
}

export interface MembershipOptions {
	redis: RedisPort;
	keys: QueueKeys;
	group: string;
	/** Names this process; no other one ever has it. */
	member: string;
	partitions: number;
	timings: Pick<Timings, 'leaseMs' | 'validMs' | 'renewMs' | 'retryMs' | 'takeMarginMs' | 'gapMs'>;
	clock: Clock;
	owner: PartitionOwner;
	onFailed(error: unknown): void;
}

interface Holding {
	readonly epoch: number;
	state: 'held' | 'freeing' | 'free';
}

export class Membership {
	readonly #options: MembershipOptions;
	readonly #scripts = groupScripts();
	readonly #holdings = new Map<number, Holding>();
	#mode: 'stay' | 'leave' = 'stay';
	#validUntil = Number.NEGATIVE_INFINITY;
	#timer: Timer | undefined;
	#turning: Promise<void> | undefined;
	/** Another turn follows the one that is under way. */
	#again = false;
	#members = 0;
	#unsubscribe: (() => Promise<void>) | undefined;
	#closed = false;

	constructor(options: MembershipOptions) {
		this.#options = options;
	}

	/** Workers of the group, by the last turn. */
	get members(): number {
		return this.#members;
	}

	/** Partitions that this worker reads. */
	get held(): number[] {
		return [...this.#holdings].filter(([, { state }]) => state === 'held').map(([partition]) => partition);
	}

	/** The epoch with which this worker owns a partition now; undefined where it may not act for it. */
	epochOf(partition: number): number | undefined {
		const holding = this.#holdings.get(partition);
		return holding && holding.state !== 'free' && this.mayAct ? holding.epoch : undefined;
	}

	/** Compared with the clock before each event: a timer would be late in a process that was stopped. */
	get mayAct(): boolean {
		return this.#options.clock.monotonic() < this.#validUntil;
	}

	async start(): Promise<void> {
		const { redis, keys, group, member } = this.#options;
		// Without these messages the same happens at the next turn.
		this.#unsubscribe = await redis
			.subscribe(keys.groupChanged(group), (by) => {
				if (by.toString() !== member) this.soon();
			})
			.catch(() => undefined);
		await this.#turn();
	}

	/** Takes a turn now. */
	soon(): void {
		void this.#turn();
	}

	/** Gives every partition back, when its owner is done with it, and leaves the group. */
	async leave(): Promise<void> {
		const { owner, clock } = this.#options;
		this.#mode = 'leave';
		await Promise.all([...this.#holdings.keys()].map((partition) => this.#free(partition)));
		await this.#turning;
		this.#closed = true;
		clock.clearTimeout(this.#timer);
		await this.#exchange().catch((error: unknown) => this.#options.onFailed(error));
		for (const partition of this.#holdings.keys()) owner.disown(partition);
		this.#holdings.clear();
		await this.#unsubscribe?.().catch(() => {});
	}

	/** Ends at once, and sends nothing, as a crash does. */
	abandon(): void {
		this.#closed = true;
		this.#validUntil = Number.NEGATIVE_INFINITY;
		this.#options.clock.clearTimeout(this.#timer);
	}

	#turn(): Promise<void> {
		if (this.#closed) return Promise.resolve();
		if (this.#turning) {
			this.#again = true;
			return this.#turning;
		}
		this.#turning = this.#exchange()
			.then(
				() => this.#options.timings.renewMs,
				(error: unknown) => {
					this.#options.onFailed(error);
					return this.#options.timings.retryMs;
				},
			)
			.then((delayMs) => {
				this.#turning = undefined;
				const { clock } = this.#options;
				clock.clearTimeout(this.#timer);
				if (this.#closed) return;
				this.#timer = clock.setTimeout(() => void this.#turn(), this.#again ? 0 : delayMs);
				this.#again = false;
			});
		return this.#turning;
	}

	async #exchange(): Promise<void> {
		const { redis, keys, group, member, partitions, timings, clock, owner } = this.#options;
		const { leaseMs, takeMarginMs, gapMs, validMs } = timings;
		const sentAt = clock.monotonic();
		const sent = new Set(this.#holdings.keys());
		const holdings = [...this.#holdings].flatMap(([partition, { epoch, state }]) => [
			partition,
			epoch,
			state === 'free' ? 'free' : 'keep',
		]);
		// A worker that stops is given nothing; its partitions stay its own until it is done with them.
		const mode = this.#mode === 'stay' ? 'stay' : this.#closed ? 'leave' : 'drain';
		const answer = await redis.script(
			this.#scripts.turn,
			[keys.group(group), keys.meta],
			[member, leaseMs, takeMarginMs, gapMs, partitions, mode, keys.groupChanged(group), ...holdings],
			{ timeoutMs: validMs },
		);
		const [, members, surplus, , own] = answer as [string, string, string, string, string[]];
		this.#members = Number(members);
		this.#validUntil = sentAt + validMs;
		const named = new Map(Array.from({ length: own.length / 2 }, (_, i) => [Number(own[2 * i]), Number(own[2 * i + 1])]));
		for (const partition of sent) {
			const holding = this.#holdings.get(partition);
			if (holding && named.get(partition) !== holding.epoch) {
				this.#holdings.delete(partition);
				owner.disown(partition);
			}
		}
		if (this.#mode === 'stay') {
			for (const [partition, epoch] of named) {
				if (this.#holdings.has(partition)) continue;
				this.#holdings.set(partition, { epoch, state: 'held' });
				owner.own(partition, epoch);
			}
			const freeing = [...this.#holdings.values()].filter(({ state }) => state !== 'held').length;
			for (const partition of this.held.slice(0, Math.max(0, Number(surplus) - freeing))) void this.#free(partition);
		}
		owner.confirmed();
	}

	/** Resolves when the owner is done with the partition; the next turn gives it back. */
	async #free(partition: number): Promise<void> {
		const holding = this.#holdings.get(partition);
		if (holding?.state !== 'held') return;
		holding.state = 'freeing';
		await this.#options.owner.finish(partition);
		if (this.#holdings.get(partition) !== holding) return;
		holding.state = 'free';
		// Several that are done at once go in one turn.
		setImmediate(() => this.soon());
	}
}
