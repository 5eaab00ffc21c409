// Writes what happens to a fleet and what its bots print to files of bounded size, so that both can be read when the fleet is gone.
import { type Clock, every } from '@shardctl/core';
import type { Fleet, LogEntry } from '../fleet/fleet.js';
import type { FleetEvent } from '../fleet/fleet-events.js';
import { historyDir } from './ended-fleet.js';
import { eventsFile, outputFile } from './journal-files.js';
import { LogFile, type LogFileBounds } from './log-file.js';

/** At most 2 MiB of events and 8 MiB of output. */
const eventBounds: LogFileBounds = { maxBytes: 2 ** 20, maxFiles: 2 };
const outputBounds: LogFileBounds = { maxBytes: 4 * 2 ** 20, maxFiles: 2 };
/**
 * Lines are written together, since a bot can print thousands a second; this much of them is lost when the manager is killed, but none
 * from before the last event.
 */
const flushMs = 100;
const flushChars = 64 * 1024;

export class Journal {
	readonly #events: LogFile;
	readonly #output: LogFile;
	readonly #stopFlushing: () => void;
	#lines: string[] = [];
	#chars = 0;

	/** Throws when the folder cannot be written. Ends with {@link close}. */
	constructor(dir: string, { name, onLog }: Pick<Fleet, 'name' | 'onLog'>, clock: Clock) {
		const folder = historyDir(dir);
		this.#events = new LogFile(folder, eventsFile(name), eventBounds);
		this.#output = new LogFile(folder, outputFile(name), outputBounds);
		onLog((entry) => this.#note(entry));
		this.#stopFlushing = every(clock, flushMs, () => this.#flush());
	}

	/** Written at once: an event may be the last. */
	event(event: FleetEvent): void {
		this.#flush();
		this.#events.write(`${JSON.stringify(event)}\n`);
	}

	close(): void {
		this.#stopFlushing();
		this.#flush();
		this.#events.close();
		this.#output.close();
	}

	#note(entry: LogEntry): void {
		const line = `${JSON.stringify(entry)}\n`;
		this.#lines.push(line);
		this.#chars += line.length;
		if (this.#chars > flushChars) this.#flush();
	}

	#flush(): void {
		if (this.#lines.length === 0) return;
		this.#output.write(this.#lines.join(''));
		this.#lines = [];
		this.#chars = 0;
	}
}
