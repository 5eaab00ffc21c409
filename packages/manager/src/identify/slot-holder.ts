// The manager's side of the identify protocol for one child process: the slots that it was granted, until it reports what became of
// each. A worker asks for a shard, a gateway process for a session; the other side is core's IdentifyClient.
//
// A slot is a lease: Discord's rate limit lets no other process identify while it is granted and not used, so a process that reports nothing would
// hold up every shard of the same rate limit key. And a process has at most one for each of its shards, however often it asks.
import { aborted, type Clock, deferred, type IdentifySlot, identifyWindowMs, ShardctlError } from '@shardctl/core';
import { FairDeadline } from '@shardctl/supervisor';

/** A client sends IDENTIFY in the turn in which it is permitted; six windows of Discord's are far more than a slow machine needs. */
const leaseWindows = 6;
const shortestLeaseMs = 5000;
/** How many requests for one shard may wait for the one before them: a client that connects again cancels its former request. */
const maxWaiting = 4;

export interface SlotHolderOptions {
	clock: Clock;
	/** Length of Discord's identify window (default 5000). */
	windowMs?: number;
	/** Waits until the shard or session may send IDENTIFY; rejects only when the signal aborts. */
	acquire(id: number, signal: AbortSignal): Promise<IdentifySlot>;
	/** The process reported that an IDENTIFY went out. */
	onSent?(slot: IdentifySlot): void;
	/** The process did not report in time what became of a slot, which counts as used from here on. */
	onExpired?(slot: IdentifySlot, leaseMs: number): void;
}

/** The channel to the process, as far as slots are concerned. */
export interface SlotReports {
	on(
		event: 'identify.sent' | 'identify.confirmed' | 'identify.released',
		listener: (payload: { slotId: number }) => void,
	): unknown;
}

interface Held {
	/** The shard or session. */
	id: number;
	slot: IdentifySlot;
	/** Runs until the process reports. */
	lease: FairDeadline;
	/** Lets the next request for the same shard or session into Discord's line. */
	next: () => void;
}

/** The requests for one shard or session, of which one at a time is in Discord's line or has a slot. */
interface Line {
	/** Settles when the last one is over. */
	tail: Promise<void>;
	waiting: number;
}

export class SlotHolder {
	readonly #options: SlotHolderOptions;
	readonly #leaseMs: number;
	/** Granted, and not yet confirmed, released or abandoned, by the slot's id; at most one for each shard or session. */
	readonly #slots = new Map<number, Held>();
	readonly #lines = new Map<number, Line>();

	constructor(options: SlotHolderOptions) {
		this.#options = options;
		this.#leaseMs = Math.max(shortestLeaseMs, leaseWindows * (options.windowMs ?? identifyWindowMs));
	}

	/** Listens to what the process reports. */
	follow(reports: SlotReports): void {
		reports.on('identify.sent', ({ slotId }) => {
			const held = this.#slots.get(slotId);
			if (!held) return;
			held.lease.clear();
			held.slot.sent();
			this.#options.onSent?.(held.slot);
			held.next();
		});
		reports.on('identify.confirmed', ({ slotId }) => this.#take(slotId)?.confirmed());
		reports.on('identify.released', ({ slotId }) => this.#take(slotId)?.release());
	}

	/**
	 * The reply to `identify.acquire`. A slot that was granted just when the request was cancelled is released. Rejects with `CALL_LIMIT`
	 * where too many requests for the same shard wait already.
	 */
	async acquire(id: number, signal: AbortSignal): Promise<{ slotId: number }> {
		const line = this.#lines.get(id) ?? { tail: Promise.resolve(), waiting: 0 };
		if (line.waiting >= maxWaiting) {
			throw new ShardctlError('CALL_LIMIT', `${line.waiting} requests to identify shard ${id} wait already`);
		}
		const before = line.tail;
		const over = deferred();
		line.tail = over.promise;
		line.waiting++;
		this.#lines.set(id, line);
		const leave = () => {
			over.resolve();
			if (this.#lines.get(id) === line && line.tail === over.promise) this.#lines.delete(id);
		};
		try {
			await Promise.race([before, aborted(signal)]);
			const slot = await this.#options.acquire(id, signal);
			if (signal.aborted) {
				slot.release();
				throw signal.reason;
			}
			this.#hold({ id, slot, next: leave });
			return { slotId: slot.id };
		} catch (error) {
			// One that was cancelled in the middle of the line leaves its place to the next one, not the place of the one before.
			before.then(leave, leave);
			throw error;
		} finally {
			line.waiting--;
		}
	}

	/** The process is gone, so which of its IDENTIFYs were sent is not known. */
	abandonAll(): void {
		for (const held of this.#slots.values()) {
			held.lease.clear();
			held.slot.abandon();
			held.next();
		}
		this.#slots.clear();
	}

	#hold({ id, slot, next }: Omit<Held, 'lease'>): void {
		// An IDENTIFY that was never confirmed is of no interest once the next one follows.
		for (const [slotId, held] of this.#slots) if (held.id === id) this.#slots.delete(slotId);
		const lease = new FairDeadline(this.#options.clock, this.#leaseMs, () => {
			slot.abandon();
			this.#options.onExpired?.(slot, this.#leaseMs);
			next();
		});
		this.#slots.set(slot.id, { id, slot, lease, next });
	}

	#take(slotId: number): IdentifySlot | undefined {
		const held = this.#slots.get(slotId);
		if (!held) return undefined;
		this.#slots.delete(slotId);
		held.lease.clear();
		held.next();
		return held.slot;
	}
}
