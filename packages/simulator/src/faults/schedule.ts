// Runs fault commands at their times. One timer per entry that is still to come; none when nothing is.
import type { Clock, Timer } from '@shardctl/core';
import type { FaultCommand, ScheduledFault } from './fault-table.js';

export class FaultSchedule {
	readonly #clock: Clock;
	readonly #run: (command: FaultCommand) => void;
	readonly #timers = new Set<Timer>();

	constructor(clock: Clock, run: (command: FaultCommand) => void) {
		this.#clock = clock;
		this.#run = run;
	}

	get pending(): number {
		return this.#timers.size;
	}

	add(entries: readonly ScheduledFault[]): void {
		for (const { atMs, everyMs, times, command } of entries) {
			this.#arm(atMs, { everyMs, left: times ?? (everyMs === undefined ? 1 : Number.POSITIVE_INFINITY), command });
		}
	}

	clear(): void {
		for (const timer of this.#timers) this.#clock.clearTimeout(timer);
		this.#timers.clear();
	}

	#arm(delayMs: number, entry: { everyMs: number | undefined; left: number; command: FaultCommand }): void {
		const timer = this.#clock.setTimeout(() => {
			this.#timers.delete(timer);
			this.#run(entry.command);
			if (entry.everyMs !== undefined && entry.left > 1) this.#arm(entry.everyMs, { ...entry, left: entry.left - 1 });
		}, delayMs);
		this.#timers.add(timer);
	}
}
