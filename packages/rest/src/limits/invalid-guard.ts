// Counts invalid requests, and decides what is still passed on when there are many. Decisions only. Discord: Rate Limits, "Invalid Request
// Limit": an address with 10,000 answers 401, 403 or 429 within 10 minutes is blocked, those of a shared limit not counted.

const windowMs = 600_000;
const slots = 60;
const slotMs = windowMs / slots;
/** Shares of the limit at which it closes, and below which it opens again. */
const closeAt = 0.8;
const openBelow = 0.7;

export class InvalidGuard {
	/** Of Discord. */
	readonly limit: number;
	/** Slot number → count. */
	readonly #counts = new Map<number, number>();
	#closed = false;

	constructor(limit = 10_000) {
		this.limit = limit;
	}

	/** Counts an answer of Discord. */
	note({ status, scope }: { status: number; scope: string | undefined }, nowMs: number): void {
		if (status !== 401 && status !== 403 && !(status === 429 && scope !== 'shared')) return;
		const slot = Math.floor(nowMs / slotMs);
		this.#counts.set(slot, (this.#counts.get(slot) ?? 0) + 1);
	}

	/** Invalid requests of the last ten minutes. */
	count(nowMs: number): number {
		const oldest = Math.floor(nowMs / slotMs) - slots;
		let sum = 0;
		for (const [slot, count] of this.#counts) {
			if (slot < oldest) this.#counts.delete(slot);
			else sum += count;
		}
		return sum;
	}

	/** Whether only requests that rarely are invalid are passed on: reads and interactions. */
	isClosed(nowMs: number): boolean {
		const share = this.count(nowMs) / this.limit;
		this.#closed = this.#closed ? share >= openBelow : share >= closeAt;
		return this.#closed;
	}
}
