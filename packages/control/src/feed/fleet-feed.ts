// The live side of the control API: who follows logs, events and figures, and the most recent events. A frame is made once for all
// readers, and not at all while there is none.
import { type Clock, every, type FleetHealth } from '@shardctl/core';
import type { ServedFleet } from '../fleet/cluster.js';
import type { Fleet, LogEntry } from '../fleet/fleet.js';
import type { FleetEvent, FleetEventBody } from '../fleet/fleet-events.js';
import type { FrameSink } from '../fleet/frame-sink.js';
import { NodeSteps } from '../fleet/node-steps.js';
import { eventFrame } from './event-frame.js';

const keptEvents = 1000;
/** Readers of figures that ask within this time share one answer. */
const sameSnapshotMs = 200;
/** Probes that ask within this time share one answer: anyone may send them. */
const sameHealthMs = 1000;
const tickMs = 15_000;
/** What may wait for all readers together, and for one of them: few readers may fall far behind, a thousand only a little. */
const allReadersBytes = 64 * 2 ** 20;
const oneReaderBytes = 2 ** 20;

/** A part of a cluster, or all of it. */
type StatsSource = Pick<Fleet, 'getStats'>;

export class FleetFeed {
	readonly #fleet: ServedFleet;
	readonly #clock: Clock;
	readonly #keepEvent: (event: FleetEvent) => void;
	/** The last events, oldest first. */
	readonly #events: FleetEvent[] = [];
	#lastSeq = 0;
	readonly #counts = new Map<string, number>();
	readonly #steps = new NodeSteps();
	readonly #eventReaders = new Set<FrameSink>();
	/** With the shard whose lines each reader wants; undefined for all. */
	readonly #logReaders = new Map<FrameSink, number | undefined>();
	readonly #streams = new Set<FrameSink>();
	readonly #stopTicking: () => void;
	#health: { at: number; answer: Promise<FleetHealth> } | undefined;
	/** The last figures of each part of a cluster that is followed. */
	readonly #snapshots = new WeakMap<StatsSource, { at: number; frame: Promise<Buffer> }>();

	/**
	 * Listens to the fleet from now on. Ends with {@link close}.
	 *
	 * @param keep Called with each event, for one who keeps more of them.
	 */
	constructor(fleet: ServedFleet, clock: Clock, keep: (event: FleetEvent) => void = () => {}) {
		this.#fleet = fleet;
		this.#clock = clock;
		this.#keepEvent = keep;
		fleet.onEvent((event) => this.#onEvent(event));
		fleet.onLog((entry) => this.#onLog(entry));
		this.#stopTicking = every(clock, tickMs, () => {
			for (const stream of this.#streams) stream.tick();
		});
	}

	/** How many readers are connected. */
	get readers(): number {
		return this.#streams.size;
	}

	/** How many bytes may wait for each reader at the present number of readers. */
	readonly allowedBytes = (): number => Math.min(oneReaderBytes, allReadersBytes / Math.max(1, this.#streams.size));

	/** Number of events of each type so far; a notice of a gateway process counts by its kind. */
	get eventCounts(): ReadonlyMap<string, number> {
		return this.#counts;
	}

	/** See {@link NodeSteps.totals}. */
	get nodeSteps(): NodeSteps['totals'] {
		return this.#steps.totals;
	}

	/** The fleet's health, at most a second old. */
	recentHealth(): Promise<FleetHealth> {
		const now = this.#clock.monotonic();
		if (!this.#health || now - this.#health.at >= sameHealthMs) {
			this.#health = { at: now, answer: this.#fleet.getStats().then(({ health }) => health) };
		}
		return this.#health.answer;
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

	/** Sends the events after number `after`, then each new one, until the signal aborts. */
	followEvents(stream: FrameSink, { after }: { after: number }, signal: AbortSignal): void {
		for (const event of this.#events) if (event.seq > after) stream.send(frameOf(event));
		this.#eventReaders.add(stream);
		this.#keep(stream, signal, () => this.#eventReaders.delete(stream));
	}

	/** Sends the last lines, then each new one, until the signal aborts. */
	async followLogs(
		stream: FrameSink,
		{ shard, tail }: { shard: number | undefined; tail: number },
		signal: AbortSignal,
	): Promise<void> {
		const recent = await this.recentLogs({ shard, tail });
		if (signal.aborted) return;
		for (const entry of recent) stream.send(eventFrame({ type: 'log', data: entry }));
		this.#logReaders.set(stream, shard);
		this.#keep(stream, signal, () => this.#logReaders.delete(stream));
	}

	/** Sends the figures, of this machine by default, now and at every interval, until the signal aborts. */
	followStats(
		stream: FrameSink,
		{ intervalMs, fleet = this.#fleet }: { intervalMs: number; fleet?: StatsSource },
		signal: AbortSignal,
	): void {
		const send = () =>
			void this.#statsFrame(fleet)
				.then((frame) => stream.send(frame))
				// Figures that cannot be had now are left out; the next interval asks again.
				.catch(() => this.#snapshots.delete(fleet));
		send();
		this.#keep(stream, signal, every(this.#clock, intervalMs, send));
	}

	/** Counts a reader that gets its frames from elsewhere, and keeps its connection in use, until the signal aborts. */
	attach(stream: FrameSink, signal: AbortSignal): void {
		this.#keep(stream, signal, () => {});
	}

	/** Ends every reader's stream. */
	close(): void {
		this.#stopTicking();
		for (const stream of this.#streams) stream.end();
	}

	#keep(stream: FrameSink, signal: AbortSignal, forget: () => void): void {
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
		const node = this.#fleet.cluster?.node;
		const event = { seq: ++this.#lastSeq, at: this.#clock.now(), ...(node === undefined ? {} : { node }), ...body } as FleetEvent;
		const counted = event.type === 'gateway:notice' ? event.kind : event.type;
		this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
		this.#steps.note(event);
		this.#events.push(event);
		this.#keepEvent(event);
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

	#statsFrame(fleet: StatsSource): Promise<Buffer> {
		const now = this.#clock.monotonic();
		let snapshot = this.#snapshots.get(fleet);
		if (!snapshot || now - snapshot.at >= sameSnapshotMs) {
			snapshot = { at: now, frame: fleet.getStats().then((data) => eventFrame({ type: 'stats', data })) };
			this.#snapshots.set(fleet, snapshot);
		}
		return snapshot.frame;
	}
}

function frameOf(event: FleetEvent): Buffer {
	return eventFrame({ type: event.type, id: event.seq, data: event });
}
