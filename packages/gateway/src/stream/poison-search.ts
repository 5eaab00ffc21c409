// Finds the event that kills a shard's worker. After a crash the events in flight are sent again, one at first and then twice as many each
// time that the worker has confirmed all of them, so each further crash leaves fewer to suspect. An event that was alone in flight at
// enough crashes is poison.
import type { LogEntry } from '../buffer/event-log.js';

/** Crashes with the same event alone in flight that make it poison. */
const maxTries = 3;

export class PoisonSearch {
	#until = 0;
	#window = 1;
	#crashed = false;

	/** The worker has crashed, perhaps because of an event in flight. After a worker that was killed from outside no event is suspected. */
	noteCrash(): void {
		this.#crashed = true;
	}

	/** The worker is gone, and these events in flight are sent again. Returns the one that is poison, if any. */
	noteDeath(inFlight: readonly LogEntry[]): LogEntry | undefined {
		const crashed = this.#crashed;
		this.#crashed = false;
		const [first] = inFlight;
		if (!first) return undefined;
		this.#window = 1;
		this.#until = Math.max(this.#until, (inFlight.at(-1) as LogEntry).offset);
		if (!crashed || inFlight.length > 1) return undefined;
		first.tries++;
		return first.tries >= maxTries ? first : undefined;
	}

	/** The worker has confirmed everything that was sent. */
	noteConfirmed(): void {
		this.#window *= 2;
	}

	/** Whether an event is suspected, so that {@link mayFollow} bounds what is in flight with it. */
	suspects({ offset }: LogEntry): boolean {
		return offset <= this.#until;
	}

	/** Whether an event may go out while `inFlight` others are not confirmed. */
	mayFollow(entry: LogEntry, inFlight: number): boolean {
		return !this.suspects(entry) || inFlight < this.#window;
	}
}
