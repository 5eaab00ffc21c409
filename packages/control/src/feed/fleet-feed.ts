// The live side of the control API: who listens to logs, events and figures, and what was last. A frame is made once for all
// readers, and not at all while nobody reads.
import type { Clock } from '@shardctl/core';
import type { Fleet, LogEntry } from '../fleet/fleet.js';
import type { FleetEvent, FleetEventBody } from '../fleet/fleet-events.js';
import { type EventStream, eventFrame } from './event-stream.js';

const keptEvents = 1000;
/** Readers of figures that ask within this time share one answer. */
const sameSnapshotMs = 200;
const tickMs = 15_000;
/** What may wait for all readers together, and for one of them: few readers may fall far behind, a thousand only a little. */
const allReadersBytes = 64 * 2 ** 20;
const oneReaderBytes = 2 ** 20;

export class FleetFeed {
	readonly #fleet: Fleet;
	readonly #clock: Clock;
	readonly #events: FleetEvent[] = [];
	#lastSeq = 0;
	readonly #counts = new Map<string, number>();
	readonly #eventReaders = new Set<EventStream>();
	/** By the shards wanted; undefined wants all. */
	readonly #logReaders = new Map<EventStream, number | undefined>();
	readonly #streams = new Set<EventStream>();
	readonly #ticking: NodeJS.Timeout;
	#snapshot: { at: number; frame: Promise<Buffer> } | undefined;

	constructor(fleet: Fleet, clock: Clock) {
		this.#fleet = fleet;
		this.#clock = clock;
		fleet.onEvent((event) => this.#onEvent(event));
		fleet.onLog((entry) => this.#onLog(entry));
		this.#ticking = setInterval(() => {
			for (const stream of this.#streams) stream.tick();
		}, tickMs);
		this.#ticking.unref();
	}

	/** How many readers are connected. */
	get readers(): number {
		return this.#streams.size;
	}

	/** How much may wait for each reader, with as many as there are. */
	readonly allowedBytes = (): number => Math.min(oneReaderBytes, allReadersBytes / Math.max(1, this.#streams.size));

	/** How many events there were of each type; a notice of a gateway process counts under its kind. */
	get eventCounts(): ReadonlyMap<string, number> {
		return this.#counts;
	}

	/** The last events, oldest first. */
	recentEvents(): readonly FleetEvent[] {
		return this.#events;
	}

	/** The last lines of all workers, or of the one that owns `shard`, oldest first. */
	async recentLogs({ shard, tail }: { shard: number | undefined; tail: number }): Promise<LogEntry[]> {
		const entries = await this.#fleet.recentLogs({ shard });
		return tail === 0 ? [] : entries.slice(-tail);
	}

	/** Sends what a reader that saw event `after` has missed, then what happens. */
	followEvents(stream: EventStream, { after }: { after: number }, signal: AbortSignal): void {
		for (const event of this.#events) if (event.seq > after) stream.send(frameOf(event));
		this.#eventReaders.add(stream);
		this.#keep(stream, signal, () => this.#eventReaders.delete(stream));
	}

	/** Sends the last lines, then each new one. */
	async followLogs(
		stream: EventStream,
		{ shard, tail }: { shard: number | undefined; tail: number },
		signal: AbortSignal,
	): Promise<void> {
		for (const entry of await this.recentLogs({ shard, tail })) stream.send(eventFrame({ type: 'log', data: entry }));
		this.#logReaders.set(stream, shard);
		this.#keep(stream, signal, () => this.#logReaders.delete(stream));
	}

	/** Sends the figures now and at every interval. */
	followStats(stream: EventStream, { intervalMs }: { intervalMs: number }, signal: AbortSignal): void {
		const send = () => void this.#statsFrame().then((frame) => stream.send(frame));
		send();
		const timer = setInterval(send, intervalMs);
		this.#keep(stream, signal, () => clearInterval(timer));
	}

	/** Ends every reader's stream. */
	close(): void {
		clearInterval(this.#ticking);
		for (const stream of this.#streams) stream.end();
	}

	#keep(stream: EventStream, signal: AbortSignal, forget: () => void): void {
		this.#streams.add(stream);
		signal.addEventListener(
			'abort',
			() => {
				this.#streams.delete(stream);
				forget();
			},
			{ once: true },
		);
	}

	#onEvent(body: FleetEventBody): void {
		const event = { seq: ++this.#lastSeq, at: this.#clock.now(), ...body } as FleetEvent;
		const counted = event.type === 'gateway:notice' ? event.kind : event.type;
		this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
		this.#events.push(event);
		if (this.#events.length > keptEvents) this.#events.shift();
		if (this.#eventReaders.size === 0) return;
		const frame = frameOf(event);
		for (const stream of this.#eventReaders) stream.send(frame);
	}

	#onLog(entry: LogEntry): void {
		if (this.#logReaders.size === 0) return;
		const frame = eventFrame({ type: 'log', data: entry });
		for (const [stream, shard] of this.#logReaders) {
			if (shard === undefined || entry.shardIds.includes(shard)) stream.send(frame);
		}
	}

	#statsFrame(): Promise<Buffer> {
		const now = this.#clock.monotonic();
		if (!this.#snapshot || now - this.#snapshot.at >= sameSnapshotMs) {
			this.#snapshot = { at: now, frame: this.#fleet.getStats().then((data) => eventFrame({ type: 'stats', data })) };
		}
		return this.#snapshot.frame;
	}
}

function frameOf(event: FleetEvent): Buffer {
	return eventFrame({ type: event.type, id: event.seq, data: event });
}
