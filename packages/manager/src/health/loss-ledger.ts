// What the fleet has lost since its manager started, wherever it was counted: gateway processes report their events, and a session that
// follows an earlier one of the same shards is a gap. It outlives the processes that count.
import { type Clock, type FleetLosses, type Loss, type LostEvents, noLosses, withLoss } from '@shardctl/core';

export class LossLedger {
	readonly #clock: Clock;
	#losses: FleetLosses;
	/** Sessions that were started, by the first of their shards. */
	readonly #started = new Set<number>();

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#losses = noLosses(clock.now());
	}

	get losses(): FleetLosses {
		return this.#losses;
	}

	/** Events that no worker will receive. */
	noteEvents(shardIds: readonly number[], lost: LostEvents): void {
		for (const [reason, events] of Object.entries(lost)) this.#add({ reason: reason as keyof LostEvents, shardIds, events });
	}

	/** Discord has started a session for these shards. */
	noteSession(shardIds: readonly number[]): void {
		const [first] = shardIds;
		if (first === undefined) return;
		if (this.#started.has(first)) this.#add({ reason: 'session-replaced', shardIds, events: null });
		this.#started.add(first);
	}

	#add(loss: Omit<Loss, 'at'>): void {
		this.#losses = withLoss(this.#losses, { at: this.#clock.now(), ...loss });
	}
}
