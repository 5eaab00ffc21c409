// Hands out identify slots: permission to send IDENTIFY now, one per `shard_id % max_concurrency` in each window of 5 seconds,
// whichever worker asks. Discord: Gateway, "Rate Limiting" and "Max Concurrency".
import type { Clock, Timer } from '@shardctl/core';

/** Discord's window: one IDENTIFY per rate limit key. */
export const identifyWindowMs = 5000;

/**
 * The window counts from when Discord *received* an IDENTIFY, which only READY proves. Until READY is there, this much is added
 * to the moment of sending, so that a slow packet and a fast one after it still arrive a window apart.
 */
export const arrivalMarginMs = 200;

export interface IdentifySlot {
	readonly id: number;
	readonly shardId: number;
	/** IDENTIFY went out. */
	sent(): void;
	/** READY came: IDENTIFY had arrived by now. */
	confirmed(): void;
	/** The slot will not be used: it goes to the next in line. No effect once sent. */
	release(): void;
	/** The holder died, so nobody knows whether it sent IDENTIFY: counts as sent just now. No effect once sent. */
	abandon(): void;
}

/** A shard's place in the line, for progress displays. */
export interface IdentifyWait {
	shardId: number;
	/** When its slot comes at the latest by what is known now, in ms from now. */
	etaMs: number;
}

/**
 * Coordinates identifies. An interface, so that one coordinator can later serve the managers of many machines.
 * `acquire` rejects only with the signal's reason.
 */
export interface IdentifyCoordinator {
	acquire(shardId: number, signal: AbortSignal): Promise<IdentifySlot>;
	waits(): IdentifyWait[];
}

interface Waiter {
	shardId: number;
	grant(slot: IdentifySlot): void;
}

/** One rate limit key. While a slot of it is granted and not yet sent (`busy`), nothing is granted and no timer runs. */
interface Key {
	busy: boolean;
	/** Monotonic time from which the next slot may be granted. */
	freeAt: number;
	/** Ascending by shard id, as Discord wants the buckets started in order. */
	waiting: Waiter[];
	timer: Timer | undefined;
}

export interface LocalIdentifyCoordinatorOptions {
	clock: Clock;
	maxConcurrency: number;
	/** Default 5000; a simulator may have a shorter one. */
	windowMs?: number;
}

/** The coordinator of one manager. */
export class LocalIdentifyCoordinator implements IdentifyCoordinator {
	readonly #clock: Clock;
	readonly #windowMs: number;
	readonly #keys = new Map<number, Key>();
	/** The slots that are granted and not yet sent, with their key; null for one from before the keys last changed. */
	readonly #granted = new Map<number, Key | null>();
	/** Where a new key's `freeAt` begins. */
	#freeAt = Number.NEGATIVE_INFINITY;
	#maxConcurrency: number;
	#lastSlotId = 0;

	constructor({ clock, maxConcurrency, windowMs = identifyWindowMs }: LocalIdentifyCoordinatorOptions) {
		this.#clock = clock;
		this.#maxConcurrency = maxConcurrency;
		this.#windowMs = windowMs;
	}

	/**
	 * Takes over another `max_concurrency`, which Discord raises as a bot grows. Keys change their meaning then, so nothing is
	 * granted until every slot of the old keys is sent or given back and every window that is open has passed.
	 */
	setMaxConcurrency(maxConcurrency: number): void {
		if (maxConcurrency === this.#maxConcurrency) return;
		this.#maxConcurrency = maxConcurrency;
		const old = [...this.#keys.values()];
		this.#keys.clear();
		for (const slotId of this.#granted.keys()) this.#granted.set(slotId, null);
		for (const { freeAt, timer } of old) {
			this.#freeAt = Math.max(this.#freeAt, freeAt);
			this.#clock.clearTimeout(timer);
		}
		for (const { waiting } of old) for (const waiter of waiting) this.#enqueue(waiter);
	}

	async acquire(shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		signal.throwIfAborted();
		return new Promise((resolve, reject) => {
			const waiter: Waiter = {
				shardId,
				grant: (slot) => {
					signal.removeEventListener('abort', onAbort);
					resolve(slot);
				},
			};
			const onAbort = () => {
				this.#leave(waiter);
				reject(signal.reason);
			};
			signal.addEventListener('abort', onAbort, { once: true });
			this.#enqueue(waiter);
		});
	}

	waits(): IdentifyWait[] {
		const now = this.#clock.monotonic();
		return [...this.#keys.values()].flatMap((key) => {
			const first = Math.max(0, key.busy ? this.#windowMs : key.freeAt - now);
			return key.waiting.map(({ shardId }, index) => ({ shardId, etaMs: first + index * this.#windowMs }));
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

	#enqueue(waiter: Waiter): void {
		const key = this.#key(waiter.shardId % this.#maxConcurrency);
		const index = key.waiting.findIndex(({ shardId }) => shardId > waiter.shardId);
		key.waiting.splice(index === -1 ? key.waiting.length : index, 0, waiter);
		this.#serve(key);
	}

	#leave(waiter: Waiter): void {
		for (const key of this.#keys.values()) {
			const index = key.waiting.indexOf(waiter);
			if (index === -1) continue;
			key.waiting.splice(index, 1);
			this.#serve(key);
		}
	}

	/** Grants the key's next slot, or sets the timer for it. The only place that does either. */
	#serve(key: Key): void {
		this.#clock.clearTimeout(key.timer);
		key.timer = undefined;
		if (key.busy || key.waiting.length === 0 || this.#hasOldSlots()) return;
		const waitMs = key.freeAt - this.#clock.monotonic();
		if (waitMs > 0) {
			key.timer = this.#clock.setTimeout(() => this.#serve(key), waitMs);
			return;
		}
		const waiter = key.waiting.shift() as Waiter;
		key.busy = true;
		waiter.grant(this.#slot(key, waiter.shardId));
	}

	#hasOldSlots(): boolean {
		return [...this.#granted.values()].includes(null);
	}

	#slot(key: Key, shardId: number): IdentifySlot {
		const id = ++this.#lastSlotId;
		let windowEnd: number | undefined;
		this.#granted.set(id, key);
		const send = () => {
			if (!this.#granted.has(id)) return;
			windowEnd = this.#clock.monotonic() + this.#windowMs + arrivalMarginMs;
			this.#giveBack(id, windowEnd);
		};
		return {
			id,
			shardId,
			sent: send,
			abandon: send,
			confirmed: () => {
				send();
				// Unless somebody identified on this key since, its window began no later than now.
				if (windowEnd === undefined || key.freeAt !== windowEnd) return;
				key.freeAt = Math.min(windowEnd, this.#clock.monotonic() + this.#windowMs);
				this.#serve(key);
			},
			release: () => this.#giveBack(id, Number.NEGATIVE_INFINITY),
		};
	}

	/** Ends a slot; its key, or every key when it is from before the keys changed, is free again at `freeAt`. */
	#giveBack(slotId: number, freeAt: number): void {
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
