// Notices when a fleet's health changes, and reports the change with the causes that began and ended. Asks at an interval, because a
// silent worker and a session that is away send no event.
import type { HealthChange } from '@shardctl/control';
import { type Clock, every, type FleetHealth, type HealthCause } from '@shardctl/core';

const intervalMs = 2000;

export interface HealthWatchOptions {
	clock: Clock;
	health(): Promise<FleetHealth>;
	onChange(change: HealthChange): void;
}

export class HealthWatch {
	readonly #options: HealthWatchOptions;
	#last: FleetHealth = { status: 'healthy', served: 0, shards: 0, causes: [] };
	#looking = false;
	readonly #stop: () => void;

	constructor(options: HealthWatchOptions) {
		this.#options = options;
		this.#stop = every(options.clock, intervalMs, () => void this.#look());
	}

	stop(): void {
		this.#stop();
	}

	/** One at a time; an answer that does not come in time is the next look's. */
	async #look(): Promise<void> {
		if (this.#looking) return;
		this.#looking = true;
		try {
			const health = await this.#options.health();
			const change = compare(this.#last, health);
			this.#last = health;
			if (change) this.#options.onChange(change);
		} catch {
			// Figures that cannot be had now are no change; the next look asks again.
		} finally {
			this.#looking = false;
		}
	}
}

/** Undefined where nothing has changed that a person would want to know. */
export function compare(before: FleetHealth, after: FleetHealth): HealthChange | undefined {
	const known = new Set(before.causes.map(identity));
	const present = new Set(after.causes.map(identity));
	const began = after.causes.filter((cause) => !known.has(identity(cause)));
	const ended = before.causes.filter((cause) => !present.has(identity(cause)));
	if (before.status === after.status && began.length === 0 && ended.length === 0) return undefined;
	return { status: after.status, served: after.served, shards: after.shards, began, ended };
}

/** The same cause has the same kind and concerns the same shards: its message may count something. */
function identity({ kind, shardIds }: HealthCause): string {
	return `${kind} ${shardIds.join()}`;
}
