// Finds the event that kills a shard's worker. After a crash what the worker had in its hands is sent again, one event at first and
// then twice as many each time that the worker has said that it has them all, so each further crash leaves fewer to suspect. One
// that was alone in the hands of a worker often enough when that crashed is poison.
import type { LogEntry } from '../buffer/event-log.js';

/** Crashes of a worker with one and the same event alone in its hands that make it poison. */
const maxTries = 3;

export class PoisonSearch {
	#until = 0;
	#window = 1;
	#crashed = false;

	/** The worker has crashed, so perhaps one of the events in its hands is why; a worker that was killed casts no suspicion. */
	noteCrash(): void {
		this.#crashed = true;
	}

	/** The worker is gone with these in its hands, which are sent again. Answers the one that is poison, if one is. */
	noteDeath(inHands: readonly LogEntry[]): LogEntry | undefined {
		const crashed = this.#crashed;
		this.#crashed = false;
		const [first] = inHands;
		if (!first) return undefined;
		this.#window = 1;
		this.#until = Math.max(this.#until, (inHands.at(-1) as LogEntry).offset);
		if (!crashed || inHands.length > 1) return undefined;
		first.tries++;
		return first.tries >= maxTries ? first : undefined;
	}

	/** The worker has said that it has everything that was sent. */
	noteConfirmed(): void {
		this.#window *= 2;
	}

	/** Whether an event may be on its way with others only so far as {@link mayFollow} allows. */
	suspects({ offset }: LogEntry): boolean {
		return offset <= this.#until;
	}

	/** Whether an event may go out while so many are on their way. */
	mayFollow(entry: LogEntry, onTheirWay: number): boolean {
		return !this.suspects(entry) || onTheirWay < this.#window;
	}
}
