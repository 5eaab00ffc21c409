// The coordinator of one manager, in memory.
import {
	arrivalMarginMs,
	type BudgetAnswer,
	type Clock,
	type IdentifyBudgetState,
	type IdentifyCoordinator,
	type IdentifyCoordinatorOptions,
	type IdentifyGrant,
	type IdentifyRequest,
	type IdentifySlot,
	type IdentifyWait,
	identifyWindowMs,
	type SessionStartLimit,
	type Timer,
} from '@shardctl/core';
import { IdentifyBudget } from './budget.js';
import type { LastIdentify } from './last-identify.js';

export interface LocalIdentifyCoordinatorOptions extends IdentifyCoordinatorOptions {
	/** What the managers before this one left of the window, and where the next one finds it; nothing is kept without it. */
	last?: LastIdentify | undefined;
}

interface Waiter {
	request: IdentifyRequest;
	settle(grant: IdentifyGrant): void;
}

/** One rate limit key. While a slot of it is granted and not yet sent (`busy`), nothing is granted and no timer runs. */
interface Key {
	busy: boolean;
	/** Monotonic time from which the next slot may be granted. */
	freeAt: number;
	/** See {@link LocalIdentifyCoordinator.#isBefore}. */
	waiting: Waiter[];
	timer: Timer | undefined;
}

export class LocalIdentifyCoordinator implements IdentifyCoordinator {
	readonly #clock: Clock;
	readonly #windowMs: number;
	readonly #budget: IdentifyBudget;
	readonly #last: LastIdentify | undefined;
	readonly #keys = new Map<number, Key>();
	/** The slots that are granted and not yet sent, with their key; null for one from before the keys last changed. */
	readonly #granted = new Map<number, Key | null>();
	/** Where a new key's `freeAt` begins. */
	#freeAt = Number.NEGATIVE_INFINITY;
	/** Undefined before the first update. */
	#maxConcurrency: number | undefined;
	/** The requests from before the first update. */
	readonly #early = new Set<Waiter>();
	#lastSlotId = 0;
	/** The last slot of each shard. */
	readonly #lastSlots = new Map<number, number>();

	constructor({ clock, reserve, windowMs = identifyWindowMs, last }: LocalIdentifyCoordinatorOptions) {
		this.#clock = clock;
		this.#last = last;
		this.#windowMs = windowMs;
		this.#budget = new IdentifyBudget(clock, reserve);
	}

	async update(limit: SessionStartLimit): Promise<void> {
		this.#budget.update(limit);
		this.#setMaxConcurrency(limit.max_concurrency);
	}

	async check(count: number, options: { automatic: boolean }): Promise<BudgetAnswer> {
		return this.#budget.check(count, options);
	}

	budget(): IdentifyBudgetState {
		return this.#budget.state();
	}

	#setMaxConcurrency(maxConcurrency: number): void {
		if (maxConcurrency === this.#maxConcurrency) return;
		// The key of that IDENTIFY is not known: all keys wait.
		if (this.#maxConcurrency === undefined && this.#last) {
			this.#freeAt = this.#clock.monotonic() - this.#last.ageMs() + this.#windowMs + arrivalMarginMs;
		}
		this.#maxConcurrency = maxConcurrency;
		const old = [...this.#keys.values()];
		this.#keys.clear();
		for (const slotId of this.#granted.keys()) this.#granted.set(slotId, null);
		for (const { freeAt, timer } of old) {
			this.#freeAt = Math.max(this.#freeAt, freeAt);
			this.#clock.clearTimeout(timer);
		}
		const waiting = [...this.#early, ...old.flatMap((key) => key.waiting)];
		this.#early.clear();
		for (const waiter of waiting) this.#enqueue(waiter, maxConcurrency);
	}

	async acquire(request: IdentifyRequest, signal: AbortSignal): Promise<IdentifyGrant> {
		signal.throwIfAborted();
		return new Promise((resolve, reject) => {
			const waiter: Waiter = {
				request,
				settle: (grant) => {
					signal.removeEventListener('abort', onAbort);
					resolve(grant);
				},
			};
			const onAbort = () => {
				this.#leave(waiter);
				reject(signal.reason);
			};
			signal.addEventListener('abort', onAbort, { once: true });
			if (this.#maxConcurrency === undefined) this.#early.add(waiter);
			else this.#enqueue(waiter, this.#maxConcurrency);
		});
	}

	waits(): IdentifyWait[] {
		const now = this.#clock.monotonic();
		return [...this.#keys.values()].flatMap((key) => {
			const first = Math.max(0, key.busy ? this.#windowMs : key.freeAt - now);
			return key.waiting.map(({ request: { shardId } }, index) => ({ shardId, etaMs: first + index * this.#windowMs }));
		});
	}

	#key(index: number): Key {
		let key = this.#keys.get(index);
		if (!key) {
			key = { busy: false, freeAt: this.#freeAt, waiting: [], timer: undefined };
			this.#keys.set(index, key);
		}
		return key;
	}

	#enqueue(waiter: Waiter, maxConcurrency: number): void {
		const { shardId } = waiter.request;
		const key = this.#key(shardId % maxConcurrency);
		const index = key.waiting.findIndex(({ request }) => this.#isBefore(shardId, request.shardId));
		key.waiting.splice(index === -1 ? key.waiting.length : index, 0, waiter);
		this.#serve(key);
	}

	/**
	 * Whether a shard has its turn before another: ascending by shard id, as Discord wants the buckets started in order. A shard that had a
	 * slot since is behind, so that one that asks again and again never keeps the others out.
	 */
	#isBefore(shardId: number, other: number): boolean {
		const [last = 0, lastOfOther = 0] = [this.#lastSlots.get(shardId), this.#lastSlots.get(other)];
		return last === lastOfOther ? shardId < other : last < lastOfOther;
	}

	#leave(waiter: Waiter): void {
		this.#early.delete(waiter);
		for (const key of this.#keys.values()) {
			const index = key.waiting.indexOf(waiter);
			if (index === -1) continue;
			key.waiting.splice(index, 1);
			this.#serve(key);
		}
	}

	/** Settles the key's next requests, or sets the timer for them. The only place that does either. */
	#serve(key: Key): void {
		this.#clock.clearTimeout(key.timer);
		key.timer = undefined;
		while (!key.busy && key.waiting.length > 0 && !this.#hasOldSlots()) {
			const waitMs = key.freeAt - this.#clock.monotonic();
			if (waitMs > 0) {
				key.timer = this.#clock.setTimeout(() => this.#serve(key), waitMs);
				return;
			}
			const { request, settle } = key.waiting.shift() as Waiter;
			const answer = this.#budget.check(1, request);
			if (answer.allowed) settle({ allowed: true, slot: this.#grant(key, request.shardId) });
			else settle(answer);
		}
	}

	#hasOldSlots(): boolean {
		return [...this.#granted.values()].includes(null);
	}

	#grant(key: Key, shardId: number): IdentifySlot {
		const id = ++this.#lastSlotId;
		let windowEnd: number | undefined;
		key.busy = true;
		this.#lastSlots.set(shardId, id);
		this.#granted.set(id, key);
		this.#budget.spend();
		const send = () => {
			if (!this.#granted.has(id)) return;
			windowEnd = this.#clock.monotonic() + this.#windowMs + arrivalMarginMs;
			this.#budget.noteSent();
			this.#last?.note();
			this.#end(id, windowEnd);
		};
		return {
			id,
			shardId,
			sent: send,
			abandon: send,
			confirmed: () => {
				send();
				// Unless another IDENTIFY was sent on this key since, its window began no later than now.
				if (windowEnd === undefined || key.freeAt !== windowEnd) return;
				key.freeAt = Math.min(windowEnd, this.#clock.monotonic() + this.#windowMs);
				this.#serve(key);
			},
			release: () => {
				if (!this.#granted.has(id)) return;
				this.#budget.refund();
				this.#end(id, Number.NEGATIVE_INFINITY);
			},
		};
	}

	/** Ends a slot. Its key, or every key when the slot is from before the keys changed, is free again at `freeAt`. */
	#end(slotId: number, freeAt: number): void {
		const key = this.#granted.get(slotId);
		if (key === undefined) return;
		this.#granted.delete(slotId);
		if (key) key.busy = false;
		else this.#freeAt = Math.max(this.#freeAt, freeAt);
		for (const freed of key ? [key] : this.#keys.values()) {
			freed.freeAt = Math.max(freed.freeAt, freeAt);
			this.#serve(freed);
		}
	}
}
