// The manager's side of the identify protocol for one child process: the slots that it was granted, until it reports what became of
// each. A worker asks for a shard, a gateway process for a session; the other side is core's IdentifyClient.
import type { IdentifySlot } from '@shardctl/core';

export interface SlotHolderOptions {
	/** Waits until the shard or session may send IDENTIFY; rejects only when the signal aborts. */
	acquire(id: number, signal: AbortSignal): Promise<IdentifySlot>;
	/** The process reported that an IDENTIFY went out. */
	onSent?(slot: IdentifySlot): void;
}

/** The channel to the process, as far as slots are concerned. */
export interface SlotReports {
	on(
		event: 'identify.sent' | 'identify.confirmed' | 'identify.released',
		listener: (payload: { slotId: number }) => void,
	): unknown;
}

export class SlotHolder {
	readonly #options: SlotHolderOptions;
	/** Granted, and not yet confirmed, released or abandoned. */
	readonly #slots = new Map<number, IdentifySlot>();

	constructor(options: SlotHolderOptions) {
		this.#options = options;
	}

	/** Listens to what the process reports. */
	follow(reports: SlotReports): void {
		reports.on('identify.sent', ({ slotId }) => {
			const slot = this.#slots.get(slotId);
			if (!slot) return;
			slot.sent();
			this.#options.onSent?.(slot);
		});
		reports.on('identify.confirmed', ({ slotId }) => this.#take(slotId)?.confirmed());
		reports.on('identify.released', ({ slotId }) => this.#take(slotId)?.release());
	}

	/** The reply to `identify.acquire`. A slot that was granted just when the request was cancelled is released. */
	async acquire(id: number, signal: AbortSignal): Promise<{ slotId: number }> {
		const slot = await this.#options.acquire(id, signal);
		if (signal.aborted) {
			slot.release();
			throw signal.reason;
		}
		this.#slots.set(slot.id, slot);
		return { slotId: slot.id };
	}

	/** The process is gone, so which of its IDENTIFYs were sent is not known. */
	abandonAll(): void {
		for (const slot of this.#slots.values()) slot.abandon();
		this.#slots.clear();
	}

	#take(slotId: number): IdentifySlot | undefined {
		const slot = this.#slots.get(slotId);
		this.#slots.delete(slotId);
		return slot;
	}
}
